"""All that is known of a controller at one moment, for every face of the hub. It decides nothing and sends nothing."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import timedelta
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

from holdfast.control import Role
from holdfast.control.profile import entered_at
from holdfast.control.temperature import MICRO
from holdfast.hub.controllers import capabilities as names
from holdfast.hub.controllers.evidence import instant
from holdfast.options import shown

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from holdfast.control import Alarm, Band, EnteredBand, Instant, Limits, Output, State, Unit
    from holdfast.hub.controllers.thermostat import Thermostat
    from holdfast.hub.hub import Hub
    from holdfast.link.device import LinkedDevice
    from holdfast.model import Reading, StandingOrder

KIND: Final = "thermostat"
DEAD_MAN: Final = "dead_man"
DEAD_MAN_STATE: Final = "dead_man_state"
"""What plugs call the time left on their own timer, in seconds, and whether it is armed."""


@dataclass(frozen=True, slots=True)
class BandReport:
    """Two limits in °C."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class EnteredReport:
    """Two limits as a person wrote them: numbers in °C, texts such as ``74 °F``, ``None`` where there is none."""

    low: float | str | None
    high: float | str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitsReport:
    """The limits in force, and what was entered for them; ``unit`` is that in which it was entered.

    ``heating`` and ``cooling`` are ``None`` where the limits cannot be used. ``cooling`` equals ``heating`` unless the
    owner has separate ones. On a ramp the entries are those that it leads to.
    """

    heating: BandReport | None
    cooling: BandReport | None
    is_separate: bool
    unit: Unit
    entered: EnteredReport
    entered_cooling: EnteredReport | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadManReport:
    """The plug's own timer: whether it is armed, and in how many seconds it switches the plug off."""

    state: str
    left_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderReport:
    """The standing order on a plug."""

    cause: str
    issued_at: datetime
    is_verified: bool
    attempts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlugReport:
    """One plug of a controller.

    ``wanted`` is ``None`` before the first decision. ``verified`` is what the plug itself reports, ``None`` where there
    is no such plug. ``has_open_command``: a command is under way, so what it reports may be about to change. ``error``
    tells what failed last, until something succeeds. ``dead_man`` is ``None`` where the plug's timer is not used.
    """

    target: str
    wanted: Output | None
    verified: Reading | None
    has_open_command: bool
    error: str
    taken_over_until: datetime | None
    taken_over_s: float | None
    """Seconds for which a person keeps it yet."""
    dead_man: DeadManReport | None
    order: OrderReport | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileReport:
    """The steps as a site file has them, and the place in them: ``index`` from 0, ``spent_s`` seconds of that step."""

    steps: tuple[Mapping[str, Any], ...]
    index: int
    spent_s: float
    is_paused: bool
    has_ended: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ControllerReport:
    """One thermostat. ``state``, ``reason`` and ``look_s`` are ``None`` before the first decision.

    ``temperature`` is current only while it may be acted upon. ``sensor`` and ``gravity`` are targets, empty where
    there is none. ``look_s``: seconds until the next look at the latest. ``warnings``: what works and is strange.
    """

    id: str
    name: str
    kind: str
    is_enabled: bool
    state: State | None
    reason: str | None
    sensor: str
    gravity: str
    temperature: Reading
    limits: LimitsReport
    heater: PlugReport | None
    cooler: PlugReport | None
    profile: ProfileReport | None
    alarms: tuple[Alarm, ...]
    warnings: tuple[str, ...]
    look_s: float | None

    def of(self, role: Role) -> PlugReport | None:
        """The plug of this role, ``None`` where the controller has none."""
        return self.heater if role is Role.HEATER else self.cooler

    def members(self) -> dict[str, Any]:
        """By name, for those who add to them."""
        names = [each.name for each in fields(self)]
        return dict(zip(names, attrgetter(*names)(self), strict=True))


def report_of(hub: Hub, controller: Thermostat) -> ControllerReport:
    """All that is known of a controller now. No I/O."""
    now = instant(hub.clock)
    settings, decision = controller.settings, controller.decision
    plugs = {role.value: _plug(hub, controller, role, now) for role in Role}
    return ControllerReport(
        id=controller.id,
        name=controller.name,
        kind=KIND,
        is_enabled=settings.is_enabled,
        state=None if decision is None else decision.state,
        reason=None if decision is None else decision.reason,
        sensor=settings.sensor,
        gravity=settings.gravity,
        temperature=controller.reading(controller.capabilities[names.TEMPERATURE]),
        limits=_limits(controller, None if decision is None else decision.limits),
        heater=plugs[Role.HEATER.value],
        cooler=plugs[Role.COOLER.value],
        profile=_profile(controller),
        alarms=controller.memory.alarms,
        warnings=settings.warnings,
        look_s=None if decision is None else decision.look_s,
    )


# --- limits and profile --------------------------------------------------------------------------------------------


def _limits(controller: Thermostat, limits: Limits | None) -> LimitsReport:
    settings = controller.settings
    entered = entered_at(settings.profile, settings.limits, controller.position)
    return LimitsReport(
        heating=None if limits is None else _band(limits.heating),
        cooling=None if limits is None else _band(limits.cooling),
        is_separate=entered.cooling is not None,
        unit=entered.unit,
        entered=_entered(entered.band),
        entered_cooling=None if entered.cooling is None else _entered(entered.cooling),
    )


def _band(band: Band) -> BandReport:
    return BandReport(band.low / MICRO, band.high / MICRO)


def _entered(band: EnteredBand) -> EnteredReport:
    return EnteredReport(_entry(band.low), _entry(band.high))


def _entry(entry: object) -> float | str | None:
    """As it was written; what is no temperature at all in short, for a person to see what is wrong."""
    if entry is None or (isinstance(entry, int | float | str) and not isinstance(entry, bool)):
        return entry
    return shown(entry)


def _profile(controller: Thermostat) -> ProfileReport | None:
    if not controller.settings.profile:
        return None
    steps = controller.entered.laid_over(controller.spec.raw).get("profile") or ()
    position = controller.position
    has_ended = position.index >= len(controller.settings.profile)
    return ProfileReport(
        steps=tuple(steps),
        index=position.index,
        spent_s=0.0 if has_ended else position.spent_s,
        is_paused=position.is_paused,
        has_ended=has_ended,
    )


# --- plugs ---------------------------------------------------------------------------------------------------------


def _plug(hub: Hub, controller: Thermostat, role: Role, now: Instant) -> PlugReport | None:
    target = controller.settings.targets.of(role)
    if not target:
        return None
    watch, decision = controller.plugs.of(role).watch, controller.decision
    said, found = watch.look(hub, now), watch.find(hub)
    taken_over_s = watch.taken_over_until_s - now.steady_s
    is_taken_over = taken_over_s > 0
    return PlugReport(
        target=target,
        wanted=None if decision is None else decision.outputs.of(role),
        verified=None if found is None else found[0].reading(found[1]),
        has_open_command=said.has_open_command,
        error=said.error,
        taken_over_until=now.wall + timedelta(seconds=taken_over_s) if is_taken_over else None,
        taken_over_s=taken_over_s if is_taken_over else None,
        dead_man=None if found is None else _dead_man(found[0]),
        order=None if found is None else _order(found[0], found[1].key),
    )


def _dead_man(device: LinkedDevice) -> DeadManReport | None:
    state = device.capabilities.get(DEAD_MAN_STATE)
    left = device.capabilities.get(DEAD_MAN)
    if state is None or left is None:
        return None
    word, told = device.reading(state).value, device.reading(left)
    return DeadManReport(state="unknown" if word is None else str(word), left_s=_left_s(told))


def _left_s(told: Reading) -> float | None:
    """Seconds left now: it has been counting since it was read. ``None`` while it is not counting."""
    if isinstance(told.value, bool) or not isinstance(told.value, int | float) or told.value <= 0:
        return None
    return max(0.0, told.value - (told.age_s or 0.0))


def _order(device: LinkedDevice, key: str) -> OrderReport | None:
    held = device.desk.orders.get(key)
    if held is None:
        return None
    order: StandingOrder = held.order
    return OrderReport(
        cause=order.cause,
        issued_at=order.issued_at,
        is_verified=order.is_verified,
        attempts=order.attempts,
    )
