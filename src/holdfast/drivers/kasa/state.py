"""One look at a plug, and the capabilities that it fills."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from holdfast.drivers.kasa.witness import Witness
from holdfast.model import Capability, Periodic, Value, ValueType, VerifyPlan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from holdfast.drivers.kasa.dead_man import Timer
    from holdfast.drivers.kasa.options import KasaOptions
    from holdfast.link.driver import Learn, Project

POLL_S: Final = 10.0
"""Only polling sees the button and the vendor's app: fact sheet section 4."""
DEADLINE_S: Final = 30.0
"""A reading older than three polls says nothing: design.md, timing."""
READ_S: Final = 4.0
SET_S: Final = 5.0
"""Our own deadlines around the library's calls; below T + 1 s its inner retries never happen: fact sheet section 4."""
SETTLE_S: Final = 0.5
"""A plug's own report may lag its relay by so much: fact sheet section 5 number 13."""
LATE_EFFECT_S: Final = 3.0
"""How long a relay may take after its acknowledgement before it counts as a mismatch: the same place."""
PAUSES_S: Final = (0.0, 1.0, 2.0)
"""Three attempts, counted from the end of the one before: fact sheet section 6."""

SWITCH: Final = "switch"
DEAD_MAN: Final = "dead_man"
DEAD_MAN_STATE: Final = "dead_man_state"
ARMED: Final = "armed"
NOT_ARMED: Final = "not armed"
NOT_SUPPORTED: Final = "not supported"


class PlugState(NamedTuple):
    """What a plug said of itself in one look; ``None`` where it said nothing. Watts, volts, amperes, kWh, dBm."""

    is_on: bool
    rssi: float | None = None
    power: float | None = None
    voltage: float | None = None
    current: float | None = None
    energy_total: float | None = None
    timer: Timer | None = None
    witness: Witness = Witness()
    """What the looks of this session add up to."""


@dataclass(frozen=True, slots=True)
class CallPlan(VerifyPlan):
    """A verify plan whose attempts are calls that may themselves take ``attempt_s`` seconds each."""

    attempt_s: float = 0.0

    @property
    def worst_case_s(self) -> float:
        """Seconds until every attempt has had its chance, the calls included."""
        calls_s = self.attempt_s * len(self.pauses_s)
        return calls_s + sum(self.pauses_s) + self.settle_s + self.bound_s + self.wait_s


VERIFY: Final = CallPlan(
    PAUSES_S,
    settle_s=SETTLE_S,
    bound_s=LATE_EFFECT_S,
    wait_s=READ_S + 1.0,
    attempt_s=SET_S + SETTLE_S + READ_S,
)
"""Forty seconds at the worst: design.md, timing."""

_FRESH: Final = Periodic(DEADLINE_S, POLL_S)
_ENERGY: Final = {
    "power": Capability(
        key="power",
        type=ValueType.NUMBER,
        name="Power",
        unit="W",
        essential=False,
        freshness=_FRESH,
    ),
    "voltage": Capability(
        key="voltage",
        type=ValueType.NUMBER,
        name="Voltage",
        unit="V",
        essential=False,
        freshness=_FRESH,
    ),
    "current": Capability(
        key="current",
        type=ValueType.NUMBER,
        name="Current",
        unit="A",
        essential=False,
        freshness=_FRESH,
    ),
    "energy_total": Capability(
        key="energy_total",
        type=ValueType.NUMBER,
        name="Energy",
        unit="kWh",
        essential=False,
        freshness=_FRESH,
    ),
}
_RSSI: Final = Capability(
    key="rssi",
    type=ValueType.NUMBER,
    name="Signal",
    unit="dBm",
    essential=False,
    freshness=_FRESH,
)
_TIMER: Final = (
    Capability(
        key=DEAD_MAN,
        type=ValueType.NUMBER,
        name="Switches itself off in",
        unit="s",
        minimum=0.0,
        essential=False,
        freshness=_FRESH,
    ),
    Capability(
        key=DEAD_MAN_STATE,
        type=ValueType.CHOICE,
        name="Own timer",
        choices=(ARMED, NOT_ARMED, NOT_SUPPORTED),
        essential=False,
        freshness=_FRESH,
    ),
)


def capabilities(options: KasaOptions) -> list[Capability]:
    """What is known beforehand. A meter that nobody spoke of shows itself (`learning`)."""
    switch = Capability(
        key=SWITCH,
        type=ValueType.BOOLEAN,
        name="Switch",
        role="switch",
        writable=True,
        freshness=_FRESH,
        fail_safe=False if options.must_end_off else None,
        verify=VERIFY,
    )
    timer = _TIMER if options.dead_man_s else ()
    return [switch, _RSSI, *timer, *(_ENERGY.values() if options.expects_energy else ())]


def projection(options: KasaOptions) -> Project:
    """From a look to values."""
    has_meter = options.expects_energy is not False

    def project(member: str, group: str, raw: PlugState, before: Mapping[str, Value]) -> Mapping[str, Value]:
        values: dict[str, Value] = {SWITCH: raw.is_on}
        if raw.rssi is not None:
            values["rssi"] = raw.rssi
        if raw.timer is not None:
            values |= _timer_values(raw.timer)
        if has_meter:
            values |= dict(_energy_values(raw))
        return values

    return project


def _timer_values(timer: Timer) -> dict[str, Value]:
    if not timer.is_supported:
        return {DEAD_MAN: 0.0, DEAD_MAN_STATE: NOT_SUPPORTED}
    if timer.left_s is None:
        return {DEAD_MAN: 0.0, DEAD_MAN_STATE: NOT_ARMED}
    return {DEAD_MAN: timer.left_s, DEAD_MAN_STATE: ARMED}


def _energy_values(raw: PlugState) -> Iterable[tuple[str, Value]]:
    return ((key, value) for key in _ENERGY if (value := getattr(raw, key)) is not None)


def learning(options: KasaOptions) -> Learn | None:
    """What shows that a plug has a meter; ``None`` where the owner has said whether it has one."""
    if options.expects_energy is not None:
        return None

    def learn(member: str, group: str, raw: PlugState) -> Sequence[Capability]:
        return [_ENERGY[key] for key, _ in _energy_values(raw)]

    return learn


# --- from the library's device object -------------------------------------------------------------------------------


def state_of(device: Any, energy: Any) -> PlugState:
    """What the last update brought; ``energy`` is the device's meter module, ``None`` without one.

    A meter that fails harms nothing: its values are absent. The relay must be there; raises what the library raises.
    """
    info = device.sys_info  # where the relay is missing, the library takes it for off
    return PlugState(
        is_on=bool(info["relay_state"] if "relay_state" in info else info["device_on"]),
        rssi=_number(lambda: device.rssi),
        power=_number(lambda: energy.current_consumption),
        voltage=_number(lambda: energy.voltage),
        current=_number(lambda: energy.current),
        energy_total=_number(lambda: energy.consumption_total),
    )


def realtime_of(energy: Any) -> object:
    """The very answer that an old plug's meter values come from, to see whether the next update brought another."""
    try:
        return energy.data.get("get_realtime")
    except Exception:  # noqa: BLE001 - the newer ones say themselves that they have failed
        return None


def plain_question(*, is_smart: bool) -> dict[str, Any]:
    """What asks for the bare state, where the library's whole update cannot be understood."""
    return {"get_device_info": None} if is_smart else {"system": {"get_sysinfo": {}}}


def plain_state(answer: Any, *, is_smart: bool) -> PlugState:
    """The answer to `plain_question`; raises `KeyError` or `TypeError` for one that is none."""
    if is_smart:
        info = answer["get_device_info"]
        return PlugState(bool(info["device_on"]), _number(lambda: info["rssi"]))
    info = answer["system"]["get_sysinfo"]
    return PlugState(bool(info["relay_state"]), _number(lambda: info["rssi"]))


def _number(look: Callable[[], object]) -> float | None:
    """A finite number, or nothing."""
    try:
        value = look()
    except Exception:  # noqa: BLE001 - whatever a meter's firmware did, the relay's state is worth more
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)
