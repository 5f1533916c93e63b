"""The thermostat: evidence and memory in, wanted outputs out. Pure; nothing here waits, reads or sends."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, NamedTuple

from holdfast.control.alarm import follow
from holdfast.control.complaints import complaints, swapped_text, trouble
from holdfast.control.decision import Decision, Output, State
from holdfast.control.interlock import Held, held_back, in_the_way, run_left_s
from holdfast.control.law import demand
from holdfast.control.pair import Pair, Role
from holdfast.control.scene import Scene, take_in

if TYPE_CHECKING:
    from holdfast.control.evidence import Evidence
    from holdfast.control.instant import Instant
    from holdfast.control.limits import Limits
    from holdfast.control.memory import Memory
    from holdfast.control.plug import PlugMemory, Sight
    from holdfast.control.settings import ThermostatSettings

LOOK_LEAST_S: Final = 0.1
"""The shortest pause before the next look, so that a float's rounding cannot make a loop spin."""
_ACTIVE: Final = Pair(State.HEATING, State.COOLING)
_WAITING: Final = Pair(State.WAITING_TO_HEAT, State.WAITING_TO_COOL)
_MINIMUM: Final = Pair(State.HEATING_MINIMUM_TIME, State.COOLING_MINIMUM_TIME)


class _Stop(NamedTuple):
    """Both plugs are OFF, and why."""

    state: State
    reason: str


class _Ready(NamedTuple):
    """What the control law needs."""

    temperature: int
    limits: Limits


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is wanted of one plug.

    ``held``: why it is not ON although the temperature wants it. ``run_s``: for how many seconds it is ON only because
    it must not stop yet.
    """

    output: Output
    is_demanded: bool = False
    held: Held | None = None
    run_s: float = 0.0


def decide(settings: ThermostatSettings, evidence: Evidence, memory: Memory, now: Instant) -> Decision:
    """Decide what each plug is wanted to be.

    The first of these that holds decides: not enabled; no fresh reading; unusable settings; plugs that may be swapped.
    Then both plugs are OFF, whatever their minimum times. Otherwise the control law is asked, and the interlocks may
    keep back what it wants. A demand that is kept back inside the band is dropped: it is made anew at the limit.
    """
    scene = take_in(settings, evidence, memory, now)
    found = _check(scene)
    if isinstance(found, _Ready):
        plans = Pair(*(_plan(scene, role, found) for role in Role))
        state, reason = _working(scene, plans, _where(scene, found))
    else:
        plans = Pair(*(_Plan(_stopped(scene, role, found.state)) for role in Role))
        state, reason = found
    outputs = Pair(plans.heater.output, plans.cooler.output)
    alarms = follow(memory.alarms, *complaints(scene, outputs), now.wall)
    return Decision(
        outputs=outputs,
        state=state,
        reason=reason,
        alarms=alarms,
        memory=replace(
            memory,
            plugs=Pair(*(_remember(scene, role, plans.of(role)) for role in Role)),
            position=scene.position,
            swapped=scene.swapped,
            alarms=alarms,
            has_had_reading=memory.has_had_reading or not scene.missing,
        ),
        look_s=_look_s(scene, plans),
        limits=scene.limits,
    )


def objection(
    settings: ThermostatSettings, evidence: Evidence, memory: Memory, role: Role, now: Instant
) -> str:
    """Why nobody may switch this plug ON now, a person included; empty if one may."""
    held = in_the_way(settings, role, take_in(settings, evidence, memory, now).sights, now)
    if held is None:
        return ""
    return held.text if held.for_s is None else f"{held.text}, {held.for_s:.0f} s yet"


def _check(scene: Scene) -> _Stop | _Ready:
    """The condition under which both plugs are OFF, if there is one. Source of the order: fact sheet section 3."""
    if not scene.settings.is_enabled:
        return _Stop(State.OFF, "the thermostat is switched off")
    if scene.temperature is None:
        return _Stop(State.NO_READING, f"{scene.missing}: heater and cooler are kept off")
    if scene.limits is None:
        return _Stop(State.CONFIGURATION_ERROR, f"{scene.fault}: heater and cooler are kept off")
    if scene.swapped is not None:
        text = f"{swapped_text(scene.swapped)}; both are kept off until this is acknowledged"
        return _Stop(State.SWAPPED_PLUGS, text)
    return _Ready(scene.temperature, scene.limits)


def _stopped(scene: Scene, role: Role, state: State) -> Output:
    if role not in scene.settings.roles:
        return Output.RELEASED
    # Switched off by a person, so a person may use the plug by hand; nothing else lets go of it.
    is_free = state is State.OFF and scene.evidence.plugs.of(role).is_taken_over
    return Output.RELEASED if is_free else Output.SAFETY_OFF


def _plan(scene: Scene, role: Role, ready: _Ready) -> _Plan:
    sight = scene.sights.of(role)
    if role not in scene.settings.roles or sight.said.is_taken_over:
        return _Plan(Output.RELEASED)
    if not scene.settings.modes.of(role):
        return _Plan(Output.SAFETY_OFF)
    is_lost = sight.said.answered is None and not sight.said.has_open_command
    off = _Plan(Output.SAFETY_OFF if is_lost else Output.OFF)
    held = held_back(scene.settings, role, scene.sights, scene.now)
    if demand(role, ready.limits, ready.temperature, sight.past.is_demanded):
        return _Plan(Output.ON, is_demanded=True) if held is None else replace(off, held=held)
    run_s = run_left_s(scene.settings, role, sight, scene.now)
    return _Plan(Output.ON, run_s=run_s) if held is None and run_s > 0 else off


def _remember(scene: Scene, role: Role, plan: _Plan) -> PlugMemory:
    sight = scene.sights.of(role)
    past, now = sight.past, scene.now
    if plan.output is not Output.ON:
        return replace(past, is_wanted=False, is_demanded=False, renewed_at=None)
    has_answered = sight.said.answered is not None
    return replace(
        past,
        is_wanted=True,
        is_demanded=plan.is_demanded,
        tried_at=None if sight.is_on else past.tried_at or now,
        renewed_at=now if has_answered else past.renewed_at or now,
    )


def _working(scene: Scene, plans: Pair[_Plan], where: str) -> tuple[State, str]:
    """The state and its words where nothing stops the thermostat."""
    roles = scene.settings.roles
    troubles = [trouble(scene, role, plans.of(role).output) for role in roles]
    doing = next(filter(None, (_doing(scene.sights.of(role), role, plans.of(role)) for role in roles)), None)
    state, text = doing or (State.IDLE, _idle_text(roles, plans))
    if any(troubles):
        return State.PLUG_UNREACHABLE, "; ".join([*filter(None, troubles), f"{where}: {text}"])
    return state, f"{where}: {text}"


def _doing(sight: Sight, role: Role, plan: _Plan) -> tuple[State, str] | None:
    verb = "heat" if role is Role.HEATER else "cool"
    if plan.run_s > 0:
        return _MINIMUM.of(
            role
        ), f"the {role} must go on for {plan.run_s:.0f} s, its shortest run is not over"
    if plan.output is Output.ON:
        if sight.is_on:
            return _ACTIVE.of(role), f"{verb}ing"
        return _WAITING.of(role), f"the {role} is told to switch on and has not proved it yet"
    if sight.is_on and plan.output is not Output.RELEASED:
        return _ACTIVE.of(role), f"the {role} is told to switch off and has not proved it yet"
    if plan.held is not None:
        left = "" if plan.held.for_s is None else f", {plan.held.for_s:.0f} s yet"
        return _WAITING.of(role), f"waiting to {verb}, {plan.held.text}{left}"
    return None


def _idle_text(roles: tuple[Role, ...], plans: Pair[_Plan]) -> str:
    taken = [role.value for role in roles if plans.of(role).output is Output.RELEASED]
    if taken:
        return f"a person has taken over the {' and the '.join(taken)}"
    return "nothing to do"


def _where(scene: Scene, ready: _Ready) -> str:
    low, high = scene.said(ready.limits.heating.low), scene.said(ready.limits.cooling.high)
    return f"{scene.said(ready.temperature)}, kept between {low} and {high}"


def _look_s(scene: Scene, plans: Pair[_Plan]) -> float:
    """When something may change without new evidence; at the latest after one cycle."""
    waits = [scene.settings.cycle_s]
    if scene.evidence.reading is not None and not scene.missing:
        waits.append(scene.settings.fresh_s - scene.evidence.reading.age_s)
    for plan in (plans.heater, plans.cooler):
        if plan.run_s > 0:
            waits.append(plan.run_s)
        if plan.held is not None and plan.held.for_s is not None:
            waits.append(plan.held.for_s)
    return max(LOOK_LEAST_S, min(waits))
