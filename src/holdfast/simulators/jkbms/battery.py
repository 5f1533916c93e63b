"""A battery: cells that charge by day and discharge by night, and what its BMS says of them.

It is pure: time comes in as an argument, chance from one seeded source.
"""

from __future__ import annotations

import random
from dataclasses import replace
from enum import IntFlag
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from holdfast.simulators.jkbms.day import sunny_day
from holdfast.simulators.jkbms.frames import (
    MOST_CELLS,
    Frame,
    FrameKind,
    InfoFrame,
    LiveFrame,
    SettingsFrame,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MOST_BATTERIES = 16
"""Addresses on one bus: four DIP switches, 0 to 15."""

MASTER = 0
"""The address that makes a battery the master of its bus."""

FEWEST_CELLS = 8

STEP_S = 60.0
"""Longest step of the model, in seconds; longer times are taken in several."""

DAY_S = 86400.0

AMBIENT_C = 22.0
WARM_UP_S = 1800.0
"""Time constant of a pack's temperature."""
WARMTH_C_PER_A2 = 0.0015
"""How far the square of the current heats a pack above its surroundings."""

OCV_V = (
    (0.0, 2.60),
    (0.02, 2.95),
    (0.05, 3.10),
    (0.10, 3.20),
    (0.20, 3.25),
    (0.40, 3.29),
    (0.60, 3.31),
    (0.70, 3.33),
    (0.90, 3.345),
    (0.97, 3.37),
    (0.99, 3.42),
    (1.0, 3.50),
)
"""Open-circuit voltage of an LFP cell over its state of charge, roughly as in data sheets of 280 Ah cells."""


class Alarm(IntFlag):
    """Bits of the alarm word (JK fact sheet section 9)."""

    WIRE_RESISTANCE = 1 << 0
    MOS_OVER_TEMPERATURE = 1 << 1
    CELL_COUNT = 1 << 2
    CURRENT_SENSOR = 1 << 3
    CELL_OVER_VOLTAGE = 1 << 4
    PACK_OVER_VOLTAGE = 1 << 5
    CHARGE_OVER_CURRENT = 1 << 6
    CHARGE_SHORT_CIRCUIT = 1 << 7
    CHARGE_OVER_TEMPERATURE = 1 << 8
    CHARGE_UNDER_TEMPERATURE = 1 << 9
    INTERNAL_COMMUNICATION = 1 << 10
    CELL_UNDER_VOLTAGE = 1 << 11
    PACK_UNDER_VOLTAGE = 1 << 12
    DISCHARGE_OVER_CURRENT = 1 << 13
    DISCHARGE_SHORT_CIRCUIT = 1 << 14
    DISCHARGE_OVER_TEMPERATURE = 1 << 15


class Battery:
    """One battery with a BMS, at ``address`` 0 to 15, with 8 to 32 LFP cells.

    Its life follows ``profile`` (second of the day to A, positive charges). `pin` fixes any field of its live
    frame until `unpin`; ``is_scripted`` stops its time, so that values change only when told. ``speed`` lets
    its time run faster than the clock, to see a day in minutes.
    """

    def __init__(
        self,
        address: int,
        *,
        name: str = "",
        cells: int = 16,
        capacity_ah: float = 280.0,
        soc_pct: float = 55.0,
        seed: int = 0,
        profile: Callable[[float], float] = sunny_day,
        begins_at_s: float = 10 * 3600.0,
        speed: float = 1.0,
        is_scripted: bool = False,
    ) -> None:
        if not 0 <= address < MOST_BATTERIES:
            raise ValueError(f"a bus address is 0 to {MOST_BATTERIES - 1}, not {address}")
        if not FEWEST_CELLS <= cells <= MOST_CELLS:
            raise ValueError(f"a battery has {FEWEST_CELLS} to {MOST_CELLS} cells, not {cells}")
        self.address = address
        self.name = name or f"battery {address}"
        self.profile = profile
        self.speed = speed
        self.is_scripted = is_scripted
        self.settings = SettingsFrame(cell_count=cells, capacity_ah=capacity_ah, device_address=address)
        self.info = InfoFrame(device_name=f"JK-{address:02d}", serial_number=f"HF4020{address:05d}")
        rng = self._rng = random.Random(f"{seed}/{address}")
        self._offsets_v = [rng.gauss(0.0, 0.0015) for _ in range(cells)]
        self._charge_offsets = [rng.gauss(0.0, 0.002) for _ in range(cells)]
        self._resistances_mohm = [rng.randint(70, 83) for _ in range(cells)]
        self._ohms = [rng.uniform(0.00020, 0.00028) for _ in range(cells)]
        self._full_ah = capacity_ah
        self._charge_ah = capacity_ah * soc_pct / 100.0
        self._cycle_ah = rng.uniform(0.0, 40.0) * capacity_ah
        self._runtime_s = float(rng.randint(100_000, 5_000_000))
        self._day_s = begins_at_s
        self._pack_c = AMBIENT_C + rng.uniform(0.0, 2.0)
        self._sensor_offsets_c = [rng.uniform(-1.0, 1.0) for _ in range(4)]
        self._current_a = profile(begins_at_s)
        self._forced_a: float | None = None
        self._seen_at: float | None = None
        self._pinned: dict[str, Any] = {}

    def __repr__(self) -> str:
        return f"<Battery {self.address} {self.name}, {self.soc_pct:.1f} %, {self.current_a:.1f} A>"

    # --- what can be asked and told -----------------------------------------------------------------------

    @property
    def cells(self) -> int:
        """How many cells it has."""
        return len(self._offsets_v)

    @property
    def is_master(self) -> bool:
        """Whether its address makes it the master."""
        return self.address == MASTER

    @property
    def current_a(self) -> float:
        """Current into the battery in A; setting it fixes it until it is set to ``None``."""
        return self._current_a

    @current_a.setter
    def current_a(self, value: float | None) -> None:
        self._forced_a = value
        self._current_a = self.profile(self._day_s) if value is None else value

    @property
    def soc_pct(self) -> float:
        """State of charge in per cent, 0 to 100; it may be set and goes on from there."""
        return 100.0 * self._charge_ah / self._full_ah

    @soc_pct.setter
    def soc_pct(self, value: float) -> None:
        if not 0.0 <= value <= 100.0:
            raise ValueError(f"a state of charge is 0 to 100 %, not {value}")
        self._charge_ah = self._full_ah * value / 100.0

    def pin(self, **fields: Any) -> None:
        """Fix fields of the live frame, whatever the cells do. What derives from a fixed one follows it.

        Values are to be given at the wire's resolution (1 mV, 1 mA, 0.1 °C), else truth and wire differ:
        ``battery.pin(cell_voltages=(3.3,) * 16, alarms=Alarm.CELL_OVER_VOLTAGE)``. Raises `TypeError` for
        a field that `LiveFrame` does not have.
        """
        unknown = fields.keys() - LiveFrame.__dataclass_fields__.keys()
        if unknown:
            raise TypeError(f"a live frame has no {', '.join(sorted(unknown))}")
        self._pinned.update(fields)

    def unpin(self, *names: str) -> None:
        """Let fields follow the model again; without names all of them."""
        for name in names or tuple(self._pinned):
            self._pinned.pop(name, None)

    def configure(self, **fields: Any) -> None:
        """Change fields of the settings frame."""
        self.settings = replace(self.settings, **fields)

    def move_to(self, address: int) -> None:
        """Turn the DIP switches. On a running bus use `Bus.swap`, as the master may be another one then."""
        if not 0 <= address < MOST_BATTERIES:
            raise ValueError(f"a bus address is 0 to {MOST_BATTERIES - 1}, not {address}")
        self.address = address

    # --- what it says -------------------------------------------------------------------------------------

    def frame(self, kind: FrameKind, now: float) -> Frame:
        """What it says of itself at clock time ``now`` in seconds, which must not go back."""
        if kind is FrameKind.LIVE:
            return self.live(now)
        self.advance(now)
        if kind is FrameKind.SETTINGS:
            return replace(self.settings, device_address=self.address)
        return replace(self.info, uptime_s=int(self._runtime_s))

    def live(self, now: float) -> LiveFrame:
        """The live values at clock time ``now`` in seconds."""
        self.advance(now)
        pinned = self._pinned
        current_a = _milli(pinned.get("pack_current_a", self._current_a))
        voltages = tuple(_milli(v) for v in pinned.get("cell_voltages", self._cell_voltages()))
        lowest, highest = min(voltages), max(voltages)
        pack_v = _milli(pinned.get("pack_voltage_v", sum(voltages)))
        balance_a, balance_state = self._balancing(highest, highest - lowest)
        pack_c = self._pack_c
        t1, t2, t3, t4 = (_tenth(pack_c + offset) for offset in self._sensor_offsets_c)
        model: dict[str, Any] = {
            "cell_voltages": voltages,
            "cell_avg_v": _milli(sum(voltages) / len(voltages)),
            "cell_delta_v": _milli(highest - lowest),
            "cell_max_index": voltages.index(highest),
            "cell_min_index": voltages.index(lowest),
            "cell_resistances_mohm": tuple(self._resistances_mohm),
            "mos_temp_c": _tenth(pack_c + 2.0 + abs(current_a) * 0.03),
            "pack_voltage_v": pack_v,
            "pack_power_w": _milli(abs(pack_v * current_a)),
            "pack_current_a": current_a,
            "temp1_c": t1,
            "temp2_c": t2,
            "temp_256_c": t3,
            "temp_258_c": t4,
            "alarms": int(self._alarms(voltages)),
            "balance_current_a": balance_a,
            "balance_state": balance_state,
            "soc_pct": min(100, int(self.soc_pct + 0.5)),
            "remaining_ah": _milli(self._charge_ah),
            "full_ah": _milli(self._full_ah),
            "cycles": int(self._cycle_ah / self._full_ah),
            "cycle_ah": _milli(self._cycle_ah),
            "runtime_s": int(self._runtime_s),
            "charge_status": 1 if highest >= self.settings.request_charge_v else 0,
        }
        return LiveFrame(**{**model, **pinned, "cell_voltages": voltages, "pack_current_a": current_a})

    # --- what it does -------------------------------------------------------------------------------------

    def advance(self, now: float) -> None:
        """Let its time pass up to clock time ``now`` in seconds. The first call only sets the clock."""
        since = self._seen_at
        self._seen_at = now if since is None else max(now, since)
        if since is None or self.is_scripted:
            return
        left_s = max(now - since, 0.0) * self.speed
        while left_s > 0.0:
            step_s = min(left_s, STEP_S)
            self._step(step_s)
            left_s -= step_s

    def _step(self, step_s: float) -> None:
        self._day_s = (self._day_s + step_s) % DAY_S
        self._runtime_s += step_s
        wanted_a = self.profile(self._day_s) if self._forced_a is None else self._forced_a
        if self._forced_a is None:
            wanted_a *= 1.0 + self._rng.gauss(0.0, 0.01)  # clouds and kettles
        self._current_a = self._allowed(wanted_a)
        moved_ah = self._current_a * step_s / 3600.0
        self._charge_ah = min(max(self._charge_ah + moved_ah, 0.0), self._full_ah)
        self._cycle_ah += abs(moved_ah)
        goal_c = AMBIENT_C + WARMTH_C_PER_A2 * self._current_a**2
        self._pack_c += (goal_c - self._pack_c) * min(step_s / WARM_UP_S, 1.0)
        drift_v = 2e-6 * step_s**0.5
        self._offsets_v = [
            min(max(offset + self._rng.gauss(0.0, drift_v), -0.006), 0.006) for offset in self._offsets_v
        ]

    def _allowed(self, wanted_a: float) -> float:
        """The current that a full or empty battery still takes or gives."""
        if self._forced_a is not None:
            return wanted_a
        charge = self._charge_ah / self._full_ah
        if wanted_a > 0.0:
            return wanted_a * min(max((1.0 - charge) / 0.03, 0.0), 1.0)
        return wanted_a * min(max((charge - 0.05) / 0.03, 0.0), 1.0)

    def _cell_voltages(self) -> Sequence[float]:
        charge = self._charge_ah / self._full_ah
        current_a = self._current_a
        noise = self._rng.gauss if not self.is_scripted else _silence
        return [
            _open_circuit_v(charge + charge_offset) + offset_v + current_a * ohm + noise(0.0, 0.0004)
            for charge_offset, offset_v, ohm in zip(
                self._charge_offsets, self._offsets_v, self._ohms, strict=True
            )
        ]

    def _balancing(self, highest_v: float, delta_v: float) -> tuple[float, int]:
        settings = self.settings
        is_on = highest_v >= settings.balance_start_v and delta_v >= settings.balance_trigger_v
        return (min(1.0, settings.balance_limit_a), 2) if is_on and settings.balance_enabled else (0.0, 0)

    def _alarms(self, voltages: Sequence[float]) -> Alarm:
        alarms = Alarm(0)
        if max(voltages) > self.settings.cell_ovp_v:
            alarms |= Alarm.CELL_OVER_VOLTAGE
        if min(voltages) < self.settings.cell_uvp_v:
            alarms |= Alarm.CELL_UNDER_VOLTAGE
        if self._pack_c > self.settings.charge_otp_c:
            alarms |= Alarm.CHARGE_OVER_TEMPERATURE
        return alarms


def _open_circuit_v(charge: float) -> float:
    for (low, low_v), (high, high_v) in pairwise(OCV_V):
        if charge <= high:
            return low_v + (high_v - low_v) * (charge - low) / (high - low)
    return OCV_V[-1][1]


def _silence(_mean: float, _spread: float) -> float:
    return 0.0


def _milli(value: float) -> float:
    return round(value * 1000) / 1000


def _tenth(value: float) -> float:
    return round(value * 10) / 10
