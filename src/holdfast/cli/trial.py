"""``test``: what stands between a person and a device, one phase after the other, over the very link that controls it.

Nothing here dials: many devices serve one client at a time, and a test that takes the place of the link would
prove the wrong thing. Ports, logins and data are judged by what the link itself reports.
"""

from __future__ import annotations

import errno
import re
import socket
import time
from typing import TYPE_CHECKING, Any, Final

from holdfast.cli import names, words
from holdfast.cli.exits import WrongUsage
from holdfast.cli.path import resolve, route
from holdfast.cli.phases import NAMES, Phase, Verdict
from holdfast.errors import HoldfastError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

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

ORDER_LIMIT_S = 5.0
"""A hub made for the test switches fail-safe actuators off at its start and takes no command until that is proved: with
a plug 0.5 s to settle and a read, and once more (Kasa fact sheet section 6)."""
RESTORE_TRIES = 2
"""Commands that put an exercised switch back, each with the attempts of its own plan."""
FEW_STATES = 3
"""Outputs whose state is told; a house has dozens."""

DEVICE, OVER, BACK = "device", "switch over", "switch back"
_AFTER_DATA: Final = NAMES.index("first data") + 1
_COMMAND: Final = NAMES.index("command")

_WITH_SESSION = ("expecting", "live")
_AFTER_DIALLING = ("login_refused", "insecure", "wrong_device", "silent", "nonsense", "unsupported")


class Exercise:
    """One switch, switched over and back through the command desk. Between the two the way back is owed."""

    def __init__(self, face: Face, capability: Record, take_over_s: float | None = None) -> None:
        self.target = str(capability["target"])
        self.before: object = None
        """What it was at first; ``None``: nobody knew."""
        self.rest: bool | None = None
        """What it is put back to: what it was, or else its fail-safe value; ``None`` if it has neither."""
        self.receipts: list[Record] = []
        self.is_owed = False
        self._face = face
        self._fail_safe = capability.get("fail_safe")
        self._take_over_s = take_over_s

    def over(self) -> Phase:
        """Switch to the other value, and let the device prove it."""
        self.before = _value(self._face, self.target)
        self.rest = next((each for each in (self.before, self._fail_safe) if isinstance(each, bool)), None)
        if self.rest is None:
            text = f"{self.target} has no current value to go back to, and no fail-safe value"
            return Phase(OVER, Verdict.FAILED, text, advice="Wait until it has one.")
        self.is_owed = True  # before anything is sent: an interruption may come at any moment
        begun = time.monotonic()
        receipt = self._give(not self.rest)
        while self._is_start(receipt) and time.monotonic() - begun < ORDER_LIMIT_S:
            self._face.pause(LOOK_FAR_S)
            receipt = self._give(not self.rest)
        self.receipts.append(receipt)
        if receipt.get("state") in ("refused", "superseded"):
            self.is_owed = False  # nothing was sent, or somebody else has said since what it shall be
        return self._told(OVER, receipt)

    def back(self) -> Phase:
        """Put it back, and let the device prove it; never raises a `HoldfastError`."""
        phase = Phase(BACK, Verdict.FAILED, "not tried")
        for _ in range(RESTORE_TRIES):
            try:
                receipt = self._give(self.rest)
            except HoldfastError as error:
                phase = Phase(BACK, Verdict.FAILED, words.clean(error.text))
                continue
            self.receipts.append(receipt)
            phase = self._told(BACK, receipt)
            if phase.verdict is Verdict.PASSED:
                break
        self.is_owed = False
        if phase.verdict is Verdict.PASSED:
            return phase
        return phase._replace(advice=f"Set {self.target} to {words.value(self.rest)} yourself.")

    def as_record(self) -> Record:
        """For programs: what was tried, each attempt with its receipt."""
        is_back = bool(self.receipts) and not self.is_owed and self.receipts[-1].get("value") is self.rest
        return {
            "target": self.target,
            "before": self.before,
            "restored_to": self.rest if is_back and self.receipts[-1].get("state") == "verified" else None,
            "attempts": [{**each, "took_s": words.took(each)} for each in self.receipts],
        }

    def _give(self, value: object) -> Record:
        return _give(self._face, self.target, value, self._take_over_s)

    def _is_start(self, receipt: Record) -> bool:
        return self._face.is_own and receipt.get("state") == "refused"

    def _told(self, name: str, receipt: Record) -> Phase:
        if receipt.get("state") == "verified":
            text = f"{self.target} {words.value(receipt.get('value'))} was confirmed by the device"
            if name == BACK and self.before is None:
                text += " (its fail-safe: nobody knew what it was before)"
            attempts = int(receipt.get("attempts") or 0)
            text += f", {attempts} attempts" if attempts > 1 else ""
            return Phase(name, Verdict.PASSED, text, words.took(receipt))
        advice = "See whether the device does it by its own switch; read 'holdfast events'."
        if receipt.get("state") == "refused":
            is_owned = "take_over_s" in str(receipt.get("reason"))  # how a hub says what would help
            advice = "Take it over for so many seconds with --take-over 300." if is_owned else ""
        return Phase(name, Verdict.FAILED, words.receipt(receipt), words.took(receipt), advice)


class Trial:
    """One test of one device. ``assignment``: a target and the value to try on it.

    ``exercise`` names a switch of the device to be switched over and back instead; empty: the only one it has.
    ``take_over_s``: a person takes what a controller owns for so many seconds.
    """

    def __init__(
        self,
        face: Face,
        device_id: str,
        *,
        seconds: float,
        assignment: tuple[str, Any] | None = None,
        exercise: str | None = None,
        take_over_s: float | None = None,
    ) -> None:
        self._face = face
        self._device_id = device_id
        self._seconds = seconds
        self._take_over_s = take_over_s
        self._assignment: tuple[str, Any] | None = None
        if assignment is not None:
            named, wanted = assignment
            target = names.find(named, names.of_devices([face.device(device_id)]))
            self._assignment = target, wanted
        self.exercise: Exercise | None = None
        if exercise is not None:
            self.exercise = Exercise(face, _switch(face.device(device_id), exercise), take_over_s)
        middle = ("command",) if self.exercise is None else (OVER, BACK)
        self.names = (
            *NAMES[:_AFTER_DATA], DEVICE, *NAMES[_AFTER_DATA:_COMMAND], *middle, *NAMES[_COMMAND + 1 :]
        )  # fmt: skip
        """Of its phases, in order."""
        self._look_s = LOOK_S if face.is_own else LOOK_FAR_S
        self._begun = self._link()

    def phases(self) -> Iterator[Phase]:
        """The phases in order, each as soon as it has ended; after a failure the rest is skipped.

        What an exercise owes is not: a switch that may have moved is put back first. See also `put_back`.
        """
        done, has_failed = 0, False
        for phase in self._run():
            yield phase
            done += 1
            has_failed = has_failed or phase.verdict is Verdict.FAILED
            if has_failed and not self._is_owing:
                break
        for name in self.names[done:]:
            yield Phase(name, Verdict.SKIPPED, "not reached")

    @property
    def wish(self) -> tuple[str, Any] | None:
        """The target that will be commanded and what is riskiest of it; ``None``: nothing will be switched."""
        return self._assignment if self.exercise is None else (self.exercise.target, True)

    def put_back(self) -> Phase | None:
        """Do what an exercise that was cut short still owes; ``None`` if it owes nothing."""
        if self.exercise is None or not self.exercise.is_owed:
            return None
        return self.exercise.back()

    @property
    def _is_owing(self) -> bool:
        return self.exercise is not None and self.exercise.is_owed

    def _run(self) -> Iterator[Phase]:
        yield from self._path()
        yield from self._open()
        yield self._first_data()
        data_t = time.monotonic()
        base = self._link()
        yield self._device(base)
        yield self._rate(max(LEAST_RATE_S, self._seconds / RATE_SHARE))
        if self.exercise is None:
            yield self._command()
        else:
            yield self.exercise.over()
            yield self.exercise.back()
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
        text = plainly(reason, is_here=self._face.is_here) or "no session could be opened"
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
                text = (
                    plainly(reason, is_here=self._face.is_here) or "the session is open, but no values come"
                )
                advice = words.clean(
                    reason.get("advice") or "Check that the address is that of the device you mean."
                )
                return Phase("first data", Verdict.FAILED, text, passed_s, advice)
            self._face.pause(self._look_s)

    def _device(self, link: Record) -> Phase:
        """Who it is, how well it is heard and how it stands, as far as it says so."""
        identity = link.get("identity") or {}
        facts = [words.clean(identity[key]) for key in ("model", "serial", "firmware") if identity.get(key)]
        told = self.standing()
        for each in told:
            is_current = each.get("value") is not None and each.get("age_s") is not None
            age = f", verified {words.duration(each['age_s'])} ago" if is_current else ""
            facts.append(f"{words.clean(each['target'])} {words.reading(each)}{age}")
        return Phase(
            DEVICE,
            Verdict.PASSED if facts else Verdict.SKIPPED,
            "; ".join(facts) or "it tells nothing of itself",
        )

    def standing(self) -> list[Record]:
        """The readings that tell how the device stands: its outputs, if few or else what is tried, and its signal."""
        capabilities = self._face.device(self._device_id).get("capabilities") or ()
        outputs = [str(each["target"]) for each in capabilities if each.get("writable")]
        if len(outputs) > FEW_STATES:
            outputs = (
                [self.exercise.target] if self.exercise else [self._assignment[0]] if self._assignment else []
            )
        return [
            each
            for each in self._face.readings(self._device_id)
            if each["target"] in outputs or str(each["target"]).endswith("/rssi")
        ]

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
        before = _value(self._face, target)
        if before is None:
            text = f"{target} has no current value to go back to"
            return Phase(name, Verdict.FAILED, text, advice="Wait until it has one.")
        receipt = _give(self._face, target, wanted, self._take_over_s)
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
            restored = _give(self._face, target, back, self._take_over_s)
            if restored.get("state") == "verified":
                text += f", and {words.value(back)} again"
            else:
                is_verified = False
                text += f", but not the way back: {words.receipt(restored)}"
                advice = f"Set {target} to {words.value(back)} yourself."
        verdict = Verdict.PASSED if is_verified else Verdict.FAILED
        return Phase(name, verdict, text, words.took(receipt), advice)

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


# --- commands ------------------------------------------------------------------------------------------------------


def _switch(device: Record, named: str) -> Record:
    """The switch to exercise, by its target, key or name; raises `WrongUsage` where there is not exactly one."""
    switches: list[Record] = [
        each
        for each in device.get("capabilities") or ()
        if each.get("writable") and each.get("type") == "boolean"
    ]
    if named:
        target = names.find(named, names.of_devices([{"capabilities": switches}]))
        return next(each for each in switches if each["target"] == target)
    if len(switches) == 1:
        return switches[0]
    known = ", ".join(str(each["key"]) for each in switches[: names.LISTED])
    raise WrongUsage(
        f"{device['id']} has {len(switches) or 'no'} outputs that are switched on and off",
        advice=f"Say which one to exercise: {known}." if switches else "Try a value with --set TARGET=VALUE.",
    )


def _value(face: Face, target: str) -> Any:
    """The current value; ``None`` if there is none."""
    device_id = target.partition("/")[0]
    return next((each.get("value") for each in face.readings(device_id) if each["target"] == target), None)


def _give(face: Face, target: str, value: object, take_over_s: float | None) -> Record:
    """Give a command and wait for its end."""
    return face.command(target, value, timeout_s=None, wait=True, take_over_s=take_over_s)


# --- reasons in plain words ----------------------------------------------------------------------------------------

_NUMBER: Final = re.compile(r"\[Errno (-?\d+)\]")
"""How Python shows an error of the operating system."""
_CAUSES: Final[Mapping[int, str]] = {
    errno.ECONNREFUSED: "refused: nothing listens there",
    errno.ECONNRESET: "the device broke the connection off",
    errno.ETIMEDOUT: "timed out",
    errno.EHOSTUNREACH: "no route: nobody has that address on this network",
    errno.ENETUNREACH: "no route: this machine knows no way to that network",
    errno.EACCES: "no permission: this machine does not let the program go there",
    errno.EPERM: "no permission: this machine does not let the program go there",
    socket.EAI_NONAME: "the host name is not known",
    socket.EAI_AGAIN: "the host name cannot be looked up now",
}
"""What a person calls them; those of Linux and macOS differ in their numbers, and these are the machine's own."""


def plainly(reason: Record, *, is_here: bool) -> str:
    """A reason with its cause in front, in words that need no table; empty if there is none.

    The numbers of errors are those of the machine where they happened: elsewhere (``is_here``) they may mean another.
    """
    text = words.clean(reason.get("text") or "")
    number = _NUMBER.search(text)
    cause = _CAUSES.get(int(number[1])) if number and is_here else None
    if cause is None and reason.get("code") == "silent":
        cause = "timed out"
    return f"{cause} ({text})" if cause and text and not text.lower().startswith(cause) else text


# --- numbers -------------------------------------------------------------------------------------------------------


def _grown(before: Record, after: Record, key: str) -> int:
    return int(after.get(key, 0)) - int(before.get(key, 0))


def _unanswered(link: Record) -> int:
    return round(float(link.get("unanswered_share") or 0.0) * int(link.get("polls") or 0))


def _way_back(before: object, wanted: object) -> object:
    """What undoes ``wanted``; ``None`` where nothing needs to be undone."""
    if isinstance(before, str):  # a cover says what it does and is told what to do
        return None if wanted == "stop" else "stop"
    return None if before == wanted and isinstance(before, bool) is isinstance(wanted, bool) else before
