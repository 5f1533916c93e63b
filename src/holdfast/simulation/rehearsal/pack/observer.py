"""The outside observer: what is shown against what was said, and each move against what was wrong at that time."""

from __future__ import annotations

import hashlib
from collections import deque
from typing import TYPE_CHECKING

from holdfast.hub.events import Kind, Record
from holdfast.model import Availability, Quality
from holdfast.simulation.rehearsal.pack.truth import FIELDS
from holdfast.simulators.jkbms import BusFault

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from holdfast.hub.hub import Hub
    from holdfast.simulation.rehearsal.pack.truth import Truth
    from holdfast.simulation.rehearsal.pack.verdict import PackVerdict
    from holdfast.simulators.jkbms import Bus, Entry, Gateway

LOOK_S = 1.0
"""How often the observer looks: some thirty times within the deadline."""
WHOLE_LOOK_EVERY = 20
"""At one look in so many all values are compared, at the others one a battery: a frame brings all of them."""
TRANSIT_S = 1.5
"""From a battery's first word to the arrival here: 27 ms for a frame, and up to a second in a gateway."""
WELL_S = 60.0
"""So long after the last fault of a path its data are expected: half a deadline of silence, a dial that hangs and a
wait behind it, then the first frame of a slow master."""
ONE_VALUE = "voltage"


class Observer:
    """Samples readings, follows every record, and writes into the verdict."""

    def __init__(
        self,
        hub: Hub,
        device: str,
        bus: Bus,
        gateways: Mapping[str, Gateway],
        truth: Truth,
        verdict: PackVerdict,
    ) -> None:
        self._hub = hub
        self._device = device
        self._bus = bus
        self._gateways = gateways
        self._preferred = next(iter(gateways))
        self._truth = truth
        self._verdict = verdict
        self._digest = hashlib.sha256()
        self._looks = 0
        now = hub.core.now()
        self._troubles = _Troubles(gateways, now)
        self._moved_t = now

    # --- what is told ---------------------------------------------------------------------------------------------

    def hear(self, record: Record) -> None:
        """One record of the stream: part of the log, and perhaps a move."""
        self._verdict.records += 1
        self._digest.update(
            f"{record.id}|{record.kind}|{record.at.isoformat()}|{record.payload!r}\n".encode()
        )
        if record.kind is Kind.EVENT and record.payload.get("decision") == "moved":
            self._judge_move(record.payload["before"], record.payload["after"], record.payload["text"])

    def _judge_move(self, before: str, after: str, text: str) -> None:
        """Back to the preferred one moves a hold; away from any path only its own trouble."""
        now = self._hub.core.now()
        device = self._hub.device(self._device).device
        stay_s = now - self._moved_t
        self._moved_t = now
        self._verdict.moves += 1
        if self._troubles.well_s(before, now) < WELL_S:
            return
        if stay_s < device.failover.minimum_stay_s:
            self._verdict.hasty_moves += 1
            self._verdict.broke(f"{now:.1f}: after {stay_s:.1f} s, {text}")
        if after != self._preferred:
            self._verdict.groundless_moves += 1
            self._verdict.broke(f"{now:.1f}: nothing was wrong with {before}, {text}")

    # --- what is shown --------------------------------------------------------------------------------------------

    def look(self) -> None:
        """Compare what is shown with what was said; called every `LOOK_S` seconds."""
        now = self._hub.core.now()
        self._looks += 1
        keys = list(FIELDS) if self._looks % WHOLE_LOOK_EVERY == 0 else [ONE_VALUE]
        for battery in self._bus.batteries:
            for key in keys:
                self._compare(battery.address, key, now)

    def _compare(self, address: int, key: str, now: float) -> None:
        target = f"{self._device}/{address}/{key}"
        if f"{address}/{key}" not in self._hub.device(self._device).capabilities:
            return  # cells show themselves first
        reading = self._hub.reading(target)
        if not reading.quality.is_current:
            self._stale(reading.quality, key, now)
            return
        since_t = now - (reading.deadline_s or 0.0) - TRANSIT_S
        if self._truth.was_said(address, key, reading.value, since_t):
            return
        if self._truth.was_forged(key, reading.value, since_t):
            self._verdict.deceived_s += LOOK_S
            return
        self._verdict.wrong_fresh_s += LOOK_S
        self._verdict.broke(f"{now:.1f}: {target} shown as {reading.value!r}, which nobody said")

    def _stale(self, quality: Quality, key: str, now: float) -> None:
        if quality is Quality.UNKNOWN or key != ONE_VALUE:
            return
        self._verdict.stale_s += LOOK_S
        if any(self._troubles.well_s(name, now) > WELL_S for name in self._gateways):
            self._verdict.wrong_stale_s += LOOK_S

    # --- the end --------------------------------------------------------------------------------------------------

    def conclude(self) -> None:
        """The day is over: the figures of the links, and whether all is as it was at first."""
        verdict = self._verdict
        device = self._hub.device(self._device)
        is_home = device.active.adapter.id == self._preferred and device.availability is Availability.ONLINE
        if not is_home:
            verdict.not_home = 1
            verdict.broke(f"{device.availability} through {device.active.adapter.id}: {device.reason.text}")
        for link in self._hub.links.values():
            verdict.outages += link.report.outage_count
            verdict.answers += link.report.answers
            verdict.bytes_sent += link.report.bytes_out
        verdict.frames = sum(gateway.counts.total() for gateway in self._gateways.values())
        verdict.log_digest = self._digest.hexdigest()


class _Troubles:
    """When something was wrong with a path, by the timetables: some faults are over before anybody could look."""

    def __init__(self, gateways: Mapping[str, Gateway], start_t: float) -> None:
        everybodys = [
            entry
            for gateway in gateways.values()
            for entry in gateway.timetable.entries
            if isinstance(entry.fault, BusFault)
        ]
        self._ends = {
            name: _Ends((*gateway.timetable.entries, *everybodys), start_t)
            for name, gateway in gateways.items()
        }

    def well_s(self, name: str, now: float) -> float:
        """For how long nothing has been wrong with a path."""
        return now - self._ends[name].latest_trouble(now)


class _Ends:
    """The time of the latest trouble, for moments that only go forward."""

    def __init__(self, entries: Iterable[Entry], start_t: float) -> None:
        ahead = sorted(entries, key=lambda entry: entry.at_s)
        self._ahead = deque(
            (start_t + entry.at_s, start_t + entry.at_s + entry.duration_s) for entry in ahead
        )
        self._end_t = start_t

    def latest_trouble(self, now: float) -> float:
        while self._ahead and self._ahead[0][0] <= now:
            self._end_t = max(self._end_t, self._ahead.popleft()[1])
        return min(self._end_t, now)
