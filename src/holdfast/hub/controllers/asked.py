"""What people ask of a thermostat, checked: the entries that follow from it, or why it cannot be. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from holdfast.control import (
    EnteredBand,
    EnteredLimits,
    Memory,
    ThermostatSettings,
    continue_profile,
    parse_settings,
    pause_profile,
    skip_step,
    start_profile,
)
from holdfast.errors import ConfigurationError, HoldfastError
from holdfast.hub.controllers import capabilities as names
from holdfast.model import ReasonCode
from holdfast.options import Section

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast.control import Instant


class NotPossible(HoldfastError):
    """A controller cannot do what was asked; nothing has changed."""

    code = ReasonCode.CONFIGURATION


MOVES: Final[Mapping[str, Callable[[Memory, Instant], Memory]]] = {
    "start": start_profile,
    "pause": lambda memory, now: pause_profile(memory),
    "continue": lambda memory, now: continue_profile(memory),
    "skip": skip_step,
}
"""What can be done with a profile: begin it anew, stop its clock, let it go on, or begin the next step."""


def of_command(settings: ThermostatSettings, memory: Memory, key: str, value: object) -> dict[str, Any]:
    """The entries that a command asks for. Raises `NotPossible`."""
    match key:
        case names.LOW | names.HIGH:
            return of_limits(settings, memory, {key: value})
        case names.ENABLED if isinstance(value, bool):
            return {"enabled": value}
        case names.ENABLED:
            raise NotPossible("enabled takes true or false")
        case _:
            raise NotPossible(f"{key} is read-only")


def of_limits(settings: ThermostatSettings, memory: Memory, new: Mapping[str, object]) -> dict[str, Any]:
    """The entries for new limits, as a person wrote them: ``low``, ``high``, and ``cooling`` as a mapping of the two.

    What is not there stays, and a ``cooling`` of ``None`` means the same band. A profile that is over is left by them.
    Raises `NotPossible` for limits that cannot be used, and while a profile says what they are.
    """
    profile = settings.profile
    if profile and memory.position.index < len(profile):
        raise NotPossible("the limits follow a profile: change its steps, or leave it")
    usual = profile[-1].limits if profile else settings.limits
    band = EnteredBand(new.get("low", usual.band.low), new.get("high", usual.band.high))
    cooling = usual.cooling
    if "cooling" in new:
        own = new["cooling"]
        cooling = EnteredBand(own.get("low"), own.get("high")) if isinstance(own, Mapping) else None
    tried = replace(settings, limits=EnteredLimits(band, cooling), profile=())
    if tried.fault:
        raise NotPossible(tried.fault)
    entries: dict[str, Any] = {"low": band.low, "high": band.high}
    if cooling != settings.limits.cooling:
        entries["cooling"] = None if cooling is None else cooling._asdict()
    return {**entries, "profile": []} if profile else entries


def of_profile(settings: ThermostatSettings, raw: Mapping[str, Any], steps: list[Any]) -> dict[str, Any]:
    """The entries for another profile, its steps as a site file has them. Raises `NotPossible`."""
    try:
        read = parse_settings(Section({**raw, "profile": steps}, ()))
    except ConfigurationError as error:
        place = ".".join(map(str, error.path))
        raise NotPossible(f"{place}: {error.text}" if place else error.text, advice=error.advice) from error
    tried = replace(settings, profile=read.profile)
    if tried.fault:
        raise NotPossible(tried.fault)
    return {"profile": steps}


def moved(settings: ThermostatSettings, memory: Memory, move: str, now: Instant) -> Memory:
    """The memory after one of `MOVES`. Raises `NotPossible`."""
    if not settings.profile:
        raise NotPossible("there is no profile", advice="Give it steps first.")
    if move not in MOVES:
        raise NotPossible(f"a profile knows {', '.join(MOVES)}, not {move}")
    return MOVES[move](memory, now)
