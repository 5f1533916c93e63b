"""``watch``: changes as they happen."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from holdfast.cli import say, words
from holdfast.cli.commands.look import connect
from holdfast.cli.commands.options import JsonOption, OneDeviceArgument, SiteOption
from holdfast.cli.face import face_of
from holdfast.errors import HubUnreachable

if TYPE_CHECKING:
    from holdfast.cli.face import Change, Face, SiteFace
    from holdfast.cli.records import Record

ALIVE_EVERY_S = 10.0
"""Least distance of two signs of life: often enough to be believed, seldom enough to be overlooked."""


_OF_CONTROLLERS = ("control", "heating", "cooling", "take-over")
"""Kinds of events that tell what a controller does."""
_TOLD_BY_EVENTS = ("state", "reason", "heating", "cooling")
"""Readings of a controller that such an event tells in better words, or that only count seconds."""


def watch(device: OneDeviceArgument = None, as_json: JsonOption = False, site: SiteOption = None) -> None:
    """Print what changes, until Ctrl-C. A stream that breaks is taken up again."""
    with face_of(site, device_of=device or "") as face:
        watching = Watching(device or "", as_json=as_json)
        try:
            if site is not None:
                connect(face)
            watching.run(face)
        except KeyboardInterrupt:
            return


class Watching:
    """What was last seen of everything, and what to print when it changes."""

    def __init__(self, device: str, *, as_json: bool) -> None:
        self._device = device
        self._as_json = as_json
        self._seen: dict[str, Record] = {}
        self._told: dict[tuple[str, str], object] = {}
        self._controllers: set[str] = set()
        self._is_lost = False
        self._last_line_t = time.monotonic()

    def run(self, face: SiteFace) -> None:
        """Watch for ever."""
        for change in face.changes():
            if change.kind == "connected":
                self._begin(face)
            elif change.kind == "resumed":
                self._found(face)
            else:
                self.take(change)

    def _begin(self, face: SiteFace) -> None:
        """What there is to begin with: changes count from here."""
        for record in face.readings(self._device or None):
            self._seen[str(record["target"])] = record
        if self._as_json:
            return
        from holdfast.cli import tables

        # The hub tells of itself only where its store is in trouble; that it is well is no news to begin with.
        self._is_news("availability", "hub", ("online", "ok"))
        paper = say.console()
        for device in face.devices():
            if self._device in ("", device["id"]):
                self._is_news("availability", str(device["id"]), _state_of(device))
                paper.print(tables.headline(device))
                for line in tables.remarks(device, ()):
                    paper.print(line)
        found = [each for each in face.controllers() if self._device in ("", each["id"])]
        self._controllers = {str(each["id"]) for each in found}
        unit = face.temperature_unit() if found else ""
        for each in found:
            paper.print(tables.controller_headline(each, unit))
            for line in tables.controller_lines(each):
                paper.print(line)
        paper.print(tables.readings(self._seen.values()))
        self._last_line_t = time.monotonic()

    def take(self, change: Change) -> None:
        """One change of the stream."""
        kind, record = change
        if kind == "reading":
            self.reading(record)
        elif kind == "lost":
            self._lost(record)
        elif self._as_json:
            return
        elif kind in ("alive", "fresh"):
            self._alive()
        elif self._is_ours(str(record.get("device") or record.get("target"))):
            self._tell(kind, record)

    def _lost(self, record: Record) -> None:
        """Without a hub nothing is known of now. Said once."""
        if self._is_lost:
            return
        self._is_lost = True
        if not self._as_json:
            self._say(
                f"{words.clean(record['text'])}: nothing above is current now; trying again", is_note=True
            )
            return
        for each in list(self._seen.values()):
            self.reading({**each, "value": None, "quality": "unknown"})

    def _found(self, face: Face) -> None:
        """The hub is back: what has changed meanwhile."""
        try:
            records = face.readings(self._device or None)
        except HubUnreachable:
            return  # gone again, as the stream will say
        self._is_lost = False
        if not self._as_json:
            self._say("the hub is back", is_note=True)
        for record in records:
            self.reading(record)

    def _tell(self, kind: str, record: Record) -> None:
        """An availability, a receipt, an alarm or a failover; the stream may repeat what is known already."""
        if kind == "availability" and self._is_news(kind, str(record["device"]), _state_of(record)):
            why = words.reason(record.get("reason"))
            state = f"{words.clean(record['device'])} is {words.clean(record['availability'])}"
            self._say(f"{state}: {why}" if why else state)
        elif kind == "command" and record.get("ended_at"):
            self._say(words.receipt(record))
        elif kind == "alarm" and self._is_news(
            kind, str(record["target"]), (record["text"], record["is_on"])
        ):
            self._say(f"{'alarm' if record['is_on'] else 'over'}: {words.clean(record['text'])}")
        elif kind == "event" and record.get("kind") == "failover":
            self._say(f"{words.clean(record['device'])}: {words.decision(record)}")
        elif kind == "event" and record.get("kind") in _OF_CONTROLLERS:
            doing = words.clean((record.get("data") or {}).get("state") or "")
            said = words.clean(record["text"])
            self._say(f"{words.clean(record['device'])}: {f'{doing}: {said}' if doing else said}")

    def _is_news(self, kind: str, key: str, now: object) -> bool:
        is_news = self._told.get((kind, key)) != now
        self._told[kind, key] = now
        return is_news

    def _is_ours(self, target: str) -> bool:
        return not self._device or target.partition("/")[0] == self._device

    def reading(self, record: Record) -> None:
        """A reading, which may or may not differ from what was seen last."""
        target = str(record["target"])
        if not self._is_ours(target):
            return
        before = self._seen.get(target, {})
        self._seen[target] = record
        old, new = before.get("value"), record.get("value")
        if old == new and type(old) is type(new) and before.get("quality") == record.get("quality"):
            return
        if self._as_json:
            say.as_json(
                {
                    "timestamp": words.utc_now(),
                    "target": target,
                    "old": old,
                    "new": new,
                    "quality": record.get("quality"),
                }
            )
            return
        ident, _, key = target.partition("/")
        if not (ident in self._controllers and key in _TOLD_BY_EVENTS):
            self._say(_told(before, record))

    def _alive(self) -> None:
        """A sign of life: the stream has just shown one, so this is no mere decoration."""
        if time.monotonic() - self._last_line_t < ALIVE_EVERY_S:
            return
        current = sum(each.get("quality") in ("good", "late") for each in self._seen.values())
        self._say(f"no change; {current} of {len(self._seen)} values are current")

    def _say(self, text: str, *, is_note: bool = False) -> None:
        self._last_line_t = time.monotonic()
        stamped = f"{words.clock_time(words.utc_now())}  {text}"
        (say.note if is_note else say.line)(stamped)


def _state_of(record: Record) -> object:
    """What makes one availability differ from another: the word and the cause, not the wait for the next try."""
    reason = record.get("reason") or {}
    return record.get("availability"), reason.get("code")


def _told(before: Record, record: Record) -> str:
    target = words.clean(record["target"])
    quality = record.get("quality")
    if quality not in ("good", "late"):
        return f"{target} is {words.reading(record)}"
    old = words.value(before.get("value"), str(before.get("unit") or ""))
    new = words.reading(record)
    if before.get("quality") not in ("good", "late"):
        return f"{target} is {new} again" if before.get("quality") == "stale" else f"{target} is {new}"
    if old == new:
        return f"{target} is {new}, {words.clean(quality)}"
    return f"{target}: {old} → {new}" + ("" if quality == "good" else f" ({words.clean(quality)})")
