"""Damaged streams through the whole job: which wrong values are shown, and how wrong they are.

``python -m bench.jkbms.dirty [COUNT] [SEED]`` prints the report. A simulated bus of four batteries with its master
passes a bad line (the simulator's own, in every way that it knows) and goes to the real session, driver and state.
After every transmission, what is shown of each battery must be what that battery really said, and `bounds` says how
far a value may be off that was damaged in a way that nothing in the frame betrays.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import random
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from bench.jkbms.bounds import largest_error
from bench.jkbms.pack import STALE_AFTER_S, Pack
from holdfast.drivers.jkbms.alarms import alarm_names
from holdfast.drivers.jkbms.calls import LIVE, SETTINGS
from holdfast.simulation import run_virtual
from holdfast.simulators.jkbms import (
    MASTER,
    Battery,
    FrameKind,
    Line,
    LiveFrame,
    Said,
    SettingsFrame,
    Transmission,
    encode,
    poll,
    reply,
    stack_of,
)
from holdfast.simulators.jkbms.line import Passed, Way

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

SHARE = 0.5
"""Of the frames that are damaged; the others keep what is known recent, as on a bad but living bus."""
KINDS: dict[str, Line] = {
    "bytes lost": Line(lose=SHARE),
    "half frames": Line(cut=SHARE),
    "junk": Line(junk=SHARE),
    "one bit": Line(flip=SHARE),
    "two bits": Line(flip_pair=SHARE),
    "spliced": Line(splice=0.2),
    "all zero": Line(blank=SHARE),
    "noise": Line(is_noise=True),
    "everything": Line(lose=0.1, cut=0.1, junk=0.1, flip=0.1, flip_pair=0.1, splice=0.1, blank=0.1),
}
"""The simulator's ways to damage a stream, and all of them at once."""
NOISE_SHARE = 0.5
"""Noise comes and goes, a transmission at a time."""

BATTERIES = 4
STEP_S = 0.22
"""From one transmission to the next (fact sheet section 2)."""
LONGEST_READ = 256
"""Gateways cut here (fact sheet section 1)."""
EXAMPLES = 5
LOOK_EVERY = 97
"""After so many transmissions the readings are asked for, too, and not only the values behind them."""


@dataclass(slots=True)
class Report:
    """What became of the frames. ``worst`` is the largest error by key (without numbers of cells and sensors)."""

    kind: str
    sent: int = 0
    damaged: int = 0
    believed: int = 0
    lost: int = 0
    """Whole live frames that were not taken in at once."""
    wrong: int = 0
    """Believed frames with at least one value that their battery did not say."""
    worst: dict[str, float] = field(default_factory=dict)
    suspect: int = 0
    """Of these, with values that are shown as suspect, or that followed upon such: damage that came thrice alike, or
    was the first frame after so long a silence that there was nothing to compare it with."""
    settings: int = 0
    """Wrong settings that were believed, because two frames in a row had the same two bits flipped."""
    shown: int = 0
    """The most wrong frames of one battery in a row that were not suspect."""
    breaches: list[str] = field(default_factory=list)
    """What must never be: a wrong battery, an error beyond its bound, a wrong setting, a reading not of its values."""

    def text(self) -> str:
        """A few lines."""
        worst = ", ".join(f"{key} {error:g}" for key, error in sorted(self.worst.items()))
        counted = (
            f"{self.kind:>12}: {self.sent:>9,} frames, {self.damaged:>9,} damaged, {self.believed:>9,} believed, "
            f"{self.lost} lost, {self.wrong:>6,} with a wrong value ({self.suspect} suspect, "
            f"at most {self.shown} in a row), {self.settings} wrong settings, {len(self.breaches)} beyond bounds"
        )
        lines = [
            counted,
            f"{'':>14}worst: {worst}" if worst else "",
            *(f"{'':>14}{each}" for each in self.breaches[:EXAMPLES]),
        ]
        return "\n".join(line for line in lines if line)


def dirty_run(kind: str, count: int, seed: int) -> Report:
    """Send ``count`` frames over a line that damages them in this way, and judge what is shown after each."""
    return run_virtual(_Run(kind, seed).run(count), allow_leftovers=True)


class _Run:
    """A bus, a bad line, a pack, and the judge of what it shows."""

    def __init__(self, kind: str, seed: int) -> None:
        self.report = Report(kind)
        self._rng = random.Random(f"{kind}/{seed}")
        self._line = KINDS[kind]
        self._way = Way(self._rng)
        self._batteries = stack_of(BATTERIES, seed=seed)
        self._said: dict[int, dict[str, Any]] = {each.address: {} for each in self._batteries}
        self._seen: dict[tuple[int, str], object] = {}
        self._wrong_for: Counter[int] = Counter()
        self._damaged_for: Counter[int] = Counter()  # live frames of a battery since the last right one
        self._believed_t: dict[int, float] = {}
        self._misled: set[int] = (
            set()
        )  # batteries of which something was believed because it came thrice alike

    async def run(self, count: int) -> Report:
        pack = Pack(each.address for each in self._batteries)
        await pack.open()
        for transmission in self._traffic(count, pack.core.now):
            passed = self._carried(transmission)
            for at in range(0, len(passed.data), LONGEST_READ):
                pack.feed(passed.data[at : at + LONGEST_READ])
            await asyncio.sleep(STEP_S)
            said = transmission.said
            if passed.is_answer_whole and said is not None and said.kind is FrameKind.LIVE:
                evidence = pack.evidence(said.address)
                self.report.lost += evidence.values is self._seen.get((said.address, LIVE))
            self._judge(pack)
        if not pack.link.has_session:
            self.report.breaches.append(f"the session was lost: {pack.link.reason.text}")
        await pack.close()
        return self.report

    # --- the bus ------------------------------------------------------------------------------------------------

    def _traffic(self, count: int, now: Callable[[], float]) -> Iterator[Transmission]:
        """Polls and answers in a master's order, until so many frames were sent."""
        slaves = [each for each in self._batteries if not each.is_master]
        masters = [each for each in self._batteries if each.is_master]
        while True:
            for battery in (*slaves, *masters):
                for kind in (FrameKind.LIVE, FrameKind.SETTINGS):
                    if not battery.is_master:
                        yield _sent(poll(battery.address, kind), now())
                    elif kind is FrameKind.LIVE:
                        yield _sent(poll(15, kind), now())  # nobody there
                    yield self._answer(battery, kind, now())
                    self.report.sent += 1
                    if self.report.sent == count:
                        return

    def _answer(self, battery: Battery, kind: FrameKind, now: float) -> Transmission:
        frame = battery.frame(kind, now)
        if isinstance(frame, LiveFrame):
            self._said[battery.address] = said_values(frame)
        data = encode(frame, 0 if battery.address == MASTER else 5) + reply(battery.address, kind)
        return _sent(data, now, Said(now, battery.address, frame, kind))

    def _carried(self, sent: Transmission) -> Passed:
        line = self._line
        if len(self._seen) < 2 * BATTERIES:
            line = Line()  # the first frames have no others to be compared with: a class of its own
        elif line.is_noise and self._rng.random() > NOISE_SHARE:
            line = Line()
        passed = self._way.carry(sent, line)
        if sent.said is not None:
            self.report.damaged += not passed.is_answer_whole
            if sent.said.kind is FrameKind.LIVE:
                self._damaged_for[sent.said.address] += 1
        return passed

    # --- the judge ----------------------------------------------------------------------------------------------

    def _judge(self, pack: Pack) -> None:
        for battery in self._batteries:
            address = battery.address
            for group in (LIVE, SETTINGS):
                evidence = pack.evidence(address, group)
                if evidence.n < 0 or evidence.values is self._seen.get((address, group)):
                    continue
                self._seen[address, group] = evidence.values
                shown = pack.values(address, group)
                if group == LIVE:
                    is_first = evidence.t - self._believed_t.get(address, -math.inf) > STALE_AFTER_S
                    self._believed_t[address] = evidence.t
                    self._judge_live(
                        address, shown, is_suspect=bool(evidence.intake.suspects), is_first=is_first
                    )
                else:
                    self._judge_settings(battery, shown)
        if self.report.sent % LOOK_EVERY == 0:
            self._judge_readings(pack)

    def _judge_live(
        self, address: int, shown: Mapping[str, Any], *, is_suspect: bool, is_first: bool
    ) -> None:
        report, said = self.report, self._said[address]
        report.believed += 1
        off = errors(said, shown)
        if not off:
            self._wrong_for[address] = self._damaged_for[address] = 0
            self._misled.discard(address)
            return
        report.wrong += 1
        if is_suspect or is_first:
            self._misled.add(address)
        if address in self._misled:
            report.suspect += 1
            return
        self._wrong_for[address] += 1
        report.shown = max(report.shown, self._wrong_for[address])
        for key, error in off.items():
            short = _short(key)
            report.worst[short] = max(report.worst.get(short, 0.0), error)
            # From one frame to the next: damage in several frames in a row adds up.
            if error > largest_error(report.kind, key, said[key]) * self._damaged_for[address]:
                report.breaches.append(f"{address}/{key} is {shown.get(key)} instead of {said[key]}")
        for other, values in self._said.items():
            if other != address and values and not errors(values, shown):
                report.breaches.append(f"{address} shows what {other} said")

    def _judge_settings(self, battery: Battery, shown: Mapping[str, Any]) -> None:
        settings = replace(battery.settings, device_address=battery.address)
        if _is_said(settings, shown):
            return
        if self._line.flip_pair:  # two frames in a row were damaged alike
            self.report.settings += 1
        else:
            self.report.breaches.append(f"{battery.address} shows settings that it does not have")

    def _judge_readings(self, pack: Pack) -> None:
        for battery in self._batteries:
            values = pack.values(battery.address)
            for key, reading in pack.readings(battery.address).items():
                if reading.quality.is_current and reading.value != values.get(key):
                    self.report.breaches.append(f"{battery.address}/{key} reads {reading.value}")


def said_values(frame: LiveFrame) -> dict[str, Any]:
    """What a battery said, by key without its address; by the simulator's own numbers."""
    cells = frame.cell_voltages
    temperatures = (frame.mos_temp_c, frame.temp1_c, frame.temp2_c, frame.temp_256_c, frame.temp_258_c)
    return {
        "voltage": frame.pack_voltage_v,
        "current": frame.pack_current_a,
        "power": frame.pack_voltage_v * frame.pack_current_a,
        "soc": frame.soc_pct,
        "soh": frame.soh_pct,
        "cell_min": min(cells),
        "cell_max": max(cells),
        "cell_spread": max(cells) - min(cells),
        "cell_average": frame.cell_avg_v,
        "cell_count": len(cells),
        "remaining_capacity": frame.remaining_ah,
        "full_capacity": frame.full_ah,
        "cycles": frame.cycles,
        "throughput": frame.cycle_ah,
        "runtime": frame.runtime_s,
        "alarms": alarm_names(frame.alarms),
        "charging": frame.charge_mos,
        "discharging": frame.discharge_mos,
        "balancing": frame.balance_state != 0,
        "balance_current": frame.balance_current_a,
        "heating": frame.heating,
        "heat_current": frame.heat_current_a,
        **{f"cells/{number}/voltage": cell for number, cell in enumerate(cells, 1)},
        **{
            f"temperatures/{name}": value
            for name, value in zip(("mos", "1", "2", "3", "4"), temperatures, strict=True)
            if value is not None
        },
    }


def errors(said: Mapping[str, Any], shown: Mapping[str, Any]) -> dict[str, float]:
    """By how much shown values are off, in their unit; infinitely, where words differ or a value is missing."""
    found: dict[str, float] = {}
    for key, value in said.items():
        other = shown.get(key)
        if isinstance(value, bool | tuple):
            if other != value:
                found[key] = 1.0
        elif other is None:
            if not key.startswith(_LEARNED):
                found[key] = math.inf
        elif abs(value - other) > ROUNDING:
            found[key] = round(abs(value - other), 4)
    return found


_LEARNED = ("cells/", "temperatures/", "heat_current")
"""Not there until they came twice; and 0.0 °C may mean "not fitted"."""
ROUNDING = 0.000_6
"""Products are rounded to thousandths."""


def _is_said(settings: SettingsFrame, shown: Mapping[str, Any]) -> bool:
    named = {
        "settings/cell_count": settings.cell_count,
        "settings/capacity": settings.capacity_ah,
        "settings/device_address": settings.device_address,
        "settings/cell_uvp": settings.cell_uvp_v,
        "settings/cell_ovp": settings.cell_ovp_v,
        "settings/charge_limit": settings.charge_limit_a,
        "settings/discharge_limit": settings.discharge_limit_a,
    }
    return all(abs(shown[key] - value) <= ROUNDING for key, value in named.items())


def _short(key: str) -> str:
    first, *rest = key.split("/")
    return "/".join((first, "N", *rest[1:])) if rest else first


def _sent(data: bytes, now: float, said: Said | None = None) -> Transmission:
    return Transmission(now, now, data, bytearray(data), None, said)


def main() -> None:
    """Print the report of each kind."""
    parser = argparse.ArgumentParser(prog="python -m bench.jkbms.dirty")
    parser.add_argument("count", nargs="?", type=int, default=1_000_000, help="frames in all (1,000,000)")
    parser.add_argument("seed", nargs="?", type=int, default=1)
    options = parser.parse_args()
    for kind in KINDS:
        print(dirty_run(kind, math.ceil(options.count / len(KINDS)), options.seed).text(), flush=True)


if __name__ == "__main__":
    main()
