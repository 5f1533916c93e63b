"""``test``: what stands between a person and a device, one phase after the other, over the very link that controls it.

Nothing here dials: many devices serve one client at a time, and a test that takes the place of the link would
prove the wrong thing. Ports, logins and data are judged by what the link itself reports.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from holdfast.cli import names, words
from holdfast.cli.exits import WrongUsage
from holdfast.cli.path import resolve, route
from holdfast.cli.phases import NAMES, Phase, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdfast.cli.face import Face
    from holdfast.cli.records import Record

TRIES = 2
"""One lost packet must not fail a test."""
OPEN_LIMIT_S = 8.0
"""Two tries: a dial takes 3 s and a login 1 s at most, with the pause between them."""
DATA_MARGIN_S = 1.0
"""First data may take as long as silence may, and a bit."""
LOOK_S = 0.02
"""Between two looks at the link; through a hub each look is a request, so they are rarer there."""
LOOK_FAR_S = 0.1
RATE_SHARE = 3
"""A third of the time goes to the update rate, the rest to command and stability."""
LEAST_RATE_S = 1.0
"""A rate taken over less is no rate."""
FEW_UNANSWERED = 0.05
"""One lost answer in twenty is what a bad Wi-Fi does; more is a fault."""

_WITH_SESSION = ("expecting", "live")
_AFTER_DIALLING = ("login_refused", "insecure", "wrong_device", "silent", "nonsense", "unsupported")


class Trial:
    """One test of one device. ``assignment``: a target and the value to try on it."""

    def __init__(
        self, face: Face, device_id: str, *, seconds: float, assignment: tuple[str, Any] | None = None
    ) -> None:
        self._face = face
        self._device_id = device_id
        self._seconds = seconds
        self._assignment: tuple[str, Any] | None = None
        if assignment is not None:
            named, wanted = assignment
            target = names.find(named, names.of_devices([face.device(device_id)]))
            self._assignment = target, wanted
        self._look_s = LOOK_S if face.is_own else LOOK_FAR_S
        self._begun = self._link()

    def phases(self) -> Iterator[Phase]:
        """The phases in order, each as soon as it has ended; after a failure the rest is skipped."""
        done = 0
        for phase in self._run():
            yield phase
            done += 1
            if phase.verdict is Verdict.FAILED:
                break
        for name in NAMES[done:]:
            yield Phase(name, Verdict.SKIPPED, "not reached")

    def _run(self) -> Iterator[Phase]:
        yield from self._path()
        yield from self._open()
        yield self._first_data()
        data_t = time.monotonic()
        base = self._link()
        yield self._rate(max(LEAST_RATE_S, self._seconds / RATE_SHARE))
        yield self._command()
        yield self._stability(base, data_t)

    # --- the way there ------------------------------------------------------------------------------------------

    def _path(self) -> Iterator[Phase]:
        """Name and route, as this machine sees them: only where it is the one that dials."""
        endpoint = str(self._begun.get("endpoint"))
        if not self._face.is_here:
            yield Phase("resolve", Verdict.SKIPPED, "the hub resolves names for itself")
            yield Phase("route", Verdict.SKIPPED, "the hub's network is not this one")
            return
        resolved, addresses = resolve(endpoint)
        yield resolved
        yield route(addresses)

    def _open(self) -> Iterator[Phase]:
        """Port and login, as the link tells of them."""
        begun = time.perf_counter()
        link = self._begun
        dials, sent = int(link.get("dials", 0)), int(link.get("bytes_out", 0))
        while link.get("state") not in _WITH_SESSION:
            tries = int(link.get("dials", 0)) - dials
            is_refused = link.get("state") == "blocked"
            is_between_tries = is_refused or link.get("state") == "waiting"
            if time.perf_counter() - begun > OPEN_LIMIT_S or (
                is_between_tries and tries >= (1 if is_refused else TRIES)
            ):
                break
            if is_between_tries:
                self._face.retry(self._device_id)  # a hub may otherwise wait for minutes
            self._face.pause(self._look_s)
            link = self._link()
        else:
            took_s = self._between("opening", "expecting")
            yield Phase("port", Verdict.PASSED, f"{words.clean(link.get('endpoint'))} accepts connections")
            yield Phase("login", Verdict.PASSED, "the session is open (dialling included)", took_s)
            return
        has_spoken = int(link.get("bytes_out", 0)) > sent
        yield from self._not_open(time.perf_counter() - begun, has_spoken=has_spoken)

    def _not_open(self, passed_s: float, *, has_spoken: bool) -> Iterator[Phase]:
        reason = self._face.device(self._device_id).get("reason") or {}
        text = words.clean(reason.get("text") or "no session could be opened")
        advice = words.clean(reason.get("advice") or "Check the device's power, address and network.")
        if not has_spoken and reason.get("code") not in _AFTER_DIALLING:
            yield Phase("port", Verdict.FAILED, text, passed_s, advice)
            return
        yield Phase("port", Verdict.PASSED, "the device accepts connections")
        yield Phase("login", Verdict.FAILED, text, passed_s, advice)

    def _between(self, state: str, following: str) -> float | None:
        """How long the link last stood in ``state`` before it came to ``following``, if it remembers."""
        entered_s: float | None = None
        took_s: float | None = None
        for moment in self._face.link(str(self._begun.get("endpoint"))).get("moments") or ():
            before, arrow, after = str(moment.get("text")).partition(" -> ")
            if moment.get("kind") != "state" or not arrow:
                continue
            if after == state:
                entered_s = float(moment["ago_s"])
            elif before == state and after == following and entered_s is not None:
                took_s = entered_s - float(moment["ago_s"])
        return took_s

    # --- what comes ----------------------------------------------------------------------------------------------

    def _first_data(self) -> Phase:
        begun = time.perf_counter()
        limit_s = float(self._begun.get("silence_s") or 0.0) + DATA_MARGIN_S
        while True:
            read = self._face.readings(self._device_id)
            current = [each for each in read if each.get("quality") in ("good", "late")]
            passed_s = time.perf_counter() - begun
            if current:
                took_s = self._between("expecting", "live")
                return Phase("first data", Verdict.PASSED, f"{len(current)} of {len(read)} values", took_s)
            if passed_s > limit_s:
                reason = self._face.device(self._device_id).get("reason") or {}
                text = words.clean(reason.get("text") or "the session is open, but no values come")
                advice = words.clean(
                    reason.get("advice") or "Check that the address is that of the device you mean."
                )
                return Phase("first data", Verdict.FAILED, text, passed_s, advice)
            self._face.pause(self._look_s)

    def _rate(self, seconds: float) -> Phase:
        before, begun = self._link(), time.perf_counter()
        self._face.pause(seconds)
        after, passed_s = self._link(), time.perf_counter() - begun
        answers = _grown(before, after, "answers")
        polls = _grown(before, after, "polls")
        lost = _unanswered(after) - _unanswered(before)
        text = f"{answers / passed_s:.2f} updates a second"
        if polls:
            text += f", {lost} of {polls} polls unanswered"
        if lost > max(1, FEW_UNANSWERED * polls) or (polls > 1 and not answers):
            advice = "The device or the way to it is overloaded: check Wi-Fi, and other programs that ask it."
            return Phase("update rate", Verdict.FAILED, text, passed_s, advice)
        if not answers:
            text = "nothing new came (the device speaks when something changes)"
        return Phase("update rate", Verdict.PASSED, text, passed_s)

    def _stability(self, before: Record, begun: float) -> Phase:
        rest_s = self._seconds - (time.monotonic() - begun)
        if rest_s > 0:
            self._face.pause(rest_s)
        after, passed_s = self._link(), time.monotonic() - begun
        outages = _grown(before, after, "outage_count")
        rejects = sum((after.get("rejects") or {}).values()) - sum((before.get("rejects") or {}).values())
        lateness = (after.get("poll_lateness") or {}).get("p99_s")
        text = f"{outages} outages, {rejects} rejected messages"
        if lateness is not None:
            text += f", polls at most {words.duration(lateness)} late (p99)"
        if outages or after.get("state") != "live":
            worst = (after.get("outages") or [{}])[-1]
            advice = f"Last cause: {words.clean(worst.get('text') or 'none known')}."
            return Phase("stability", Verdict.FAILED, text, passed_s, advice)
        return Phase("stability", Verdict.PASSED, text, passed_s)

    # --- one command -----------------------------------------------------------------------------------------------

    def _command(self) -> Phase:
        name = "command"
        if self._assignment is None:
            capabilities = self._face.device(self._device_id).get("capabilities") or ()
            example = next((words.clean(each["target"]) for each in capabilities if each.get("writable")), "")
            text = f"nothing was switched; add --set {example}=VALUE to try it"
            return Phase(name, Verdict.SKIPPED, text if example else "the device takes no commands")
        target, wanted = self._assignment
        before = self._value(target)
        if before is None:
            text = f"{target} has no current value to go back to"
            return Phase(name, Verdict.FAILED, text, advice="Wait until it has one.")
        receipt = self._face.command(target, wanted, timeout_s=None, wait=True)
        is_verified = receipt.get("state") == "verified"
        text = (
            f"{target} {words.value(wanted)} was confirmed by the device"
            if is_verified
            else words.receipt(receipt)
        )
        advice = (
            "" if is_verified else "See whether the device does it by its own switch; read 'holdfast events'."
        )
        back = _way_back(before, wanted)
        if back is None:
            text += " (it was so before)"
        elif is_verified or receipt.get("may_have_executed"):
            restored = self._face.command(target, back, timeout_s=None, wait=True)
            if restored.get("state") == "verified":
                text += f", and {words.value(back)} again"
            else:
                is_verified = False
                text += f", but not the way back: {words.receipt(restored)}"
                advice = f"Set {target} to {words.value(back)} yourself."
        verdict = Verdict.PASSED if is_verified else Verdict.FAILED
        return Phase(name, verdict, text, words.took(receipt), advice)

    def _value(self, target: str) -> Any:
        return next(
            (each.get("value") for each in self._face.readings(self._device_id) if each["target"] == target),
            None,
        )

    # --- the link ----------------------------------------------------------------------------------------------------

    def _link(self) -> Record:
        """The link of the adapter that serves."""
        active = self._face.device(self._device_id).get("active_adapter")
        links = [each for each in self._face.links() if self._device_id in (each.get("devices") or ())]
        if not links:
            raise WrongUsage(
                f"{self._device_id} has no adapter in use", advice="Enable one in the site file."
            )
        own = f"{self._device_id}/{active}"
        return next((each for each in links if own in (each.get("adapters") or ())), links[0])


def _grown(before: Record, after: Record, key: str) -> int:
    return int(after.get(key, 0)) - int(before.get(key, 0))


def _unanswered(link: Record) -> int:
    return round(float(link.get("unanswered_share") or 0.0) * int(link.get("polls") or 0))


def _way_back(before: object, wanted: object) -> object:
    """What undoes ``wanted``; ``None`` where nothing needs to be undone."""
    if isinstance(before, str):  # a cover says what it does and is told what to do
        return None if wanted == "stop" else "stop"
    return None if before == wanted and isinstance(before, bool) is isinstance(wanted, bool) else before
