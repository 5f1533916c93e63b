"""Which alarms a moment raises, and which it does not yet end. Pure. Source: fact sheet sections 4 and 7."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from holdfast.control.alarm import AlarmKind
from holdfast.control.decision import Output
from holdfast.control.evidence import VERIFIED_S
from holdfast.control.pair import Pair, Role

if TYPE_CHECKING:
    from holdfast.control.scene import Scene

GRACE_S: Final = 900.0
"""After a sensor was assigned its silence is no alarm for so long; the plugs stay OFF. Source: fact sheet section 4."""
UNREACHABLE: Final = Pair(AlarmKind.HEATER_UNREACHABLE, AlarmKind.COOLER_UNREACHABLE)


def trouble(scene: Scene, role: Role, output: Output) -> str:
    """What is wrong with a plug, in words; empty if nothing.

    Once an alarm was raised it is trouble until the plug proves its state without an error: one attempt after
    another must not look like one recovery after another.
    """
    sight = scene.sights.of(role)
    why = f": {sight.said.error}" if sight.said.error else ""
    disobeys = (
        sight.is_on is not None and output is not Output.RELEASED and sight.is_on is not (output is Output.ON)
    )
    if sight.said.error and disobeys:
        return f"the {role}'s plug does not obey{why}"
    if sight.said.answered is None and not sight.said.has_open_command:
        return f"the {role}'s plug does not answer{why}"
    was_raised = any(alarm.kind is UNREACHABLE.of(role) for alarm in scene.memory.alarms)
    if was_raised and (sight.is_on is None or sight.said.error):
        return f"the {role}'s plug has not proved its state yet{why}"
    return ""


def complaints(scene: Scene, outputs: Pair[Output]) -> tuple[dict[AlarmKind, str], set[AlarmKind]]:
    """The alarms that are raised now, with their words, and those that stay if they were raised before."""
    raised: dict[AlarmKind, str] = {}
    kept: set[AlarmKind] = set()
    for role in scene.settings.roles:
        text = trouble(scene, role, outputs.of(role))
        if text:
            kept.add(UNREACHABLE.of(role))
            if _is_due(scene, role):
                raised[UNREACHABLE.of(role)] = text
    if scene.swapped is not None:
        raised[AlarmKind.SWAPPED_PLUGS] = swapped_text(scene.swapped)
    if scene.fault:
        raised[AlarmKind.CONFIGURATION] = scene.fault
    if scene.settings.is_enabled:
        _silence(scene, raised, kept)
        _excursions(scene, raised, kept)
    return raised, kept


def swapped_text(role: Role) -> str:
    """What points to swapped plugs."""
    way = "fell" if role is Role.HEATER else "rose"
    return f"the temperature {way} while the {role} was on: the plugs may be swapped"


def _is_due(scene: Scene, role: Role) -> bool:
    """A failure is told at once, a mere lack of answers after as long as an answer would have held."""
    sight = scene.sights.of(role)
    unread = sight.past.unread_since
    return bool(sight.said.error) or (unread is not None and (scene.now.since_s(unread) or 0.0) >= VERIFIED_S)


def _silence(scene: Scene, raised: dict[AlarmKind, str], kept: set[AlarmKind]) -> None:
    assigned_s = scene.evidence.assigned_s
    if not scene.missing or (assigned_s is not None and assigned_s < GRACE_S):
        return
    kept.add(AlarmKind.NO_READING)
    up_s = scene.now.since_s(scene.memory.started) or 0.0
    if scene.memory.has_had_reading or up_s >= scene.settings.fresh_s:
        raised[AlarmKind.NO_READING] = f"{scene.missing}: heater and cooler are kept off"


def _excursions(scene: Scene, raised: dict[AlarmKind, str], kept: set[AlarmKind]) -> None:
    kept |= {AlarmKind.BELOW_LOW, AlarmKind.ABOVE_HIGH}
    limits, temperature = scene.limits, scene.temperature
    if limits is None or temperature is None:
        return
    is_text = f"{scene.said(temperature)} is"
    if temperature < limits.heating.low:
        raised[AlarmKind.BELOW_LOW] = f"{is_text} below the low limit, {scene.said(limits.heating.low)}"
    if temperature > limits.cooling.high:
        raised[AlarmKind.ABOVE_HIGH] = f"{is_text} above the high limit, {scene.said(limits.cooling.high)}"
    if temperature >= limits.heating.high:
        kept.discard(AlarmKind.BELOW_LOW)
    if temperature <= limits.cooling.low:
        kept.discard(AlarmKind.ABOVE_HIGH)
