"""What keeps a plug from being ON although the temperature wants it. Pure. Source: fact sheet sections 4 and 5."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from holdfast.control.instant import Instant
    from holdfast.control.pair import Pair, Role
    from holdfast.control.plug import Sight
    from holdfast.control.settings import ThermostatSettings


@dataclass(frozen=True, slots=True)
class Held:
    """Why not, in words, and for how many seconds yet (``None``: until something happens)."""

    text: str
    for_s: float | None = None


def held_back(settings: ThermostatSettings, role: Role, sights: Pair[Sight], now: Instant) -> Held | None:
    """Why this plug may not be wanted ON now; ``None`` if it may.

    A plug that is proven ON and was wanted ON goes on while the other is not proven ON: nothing has to be sent. All
    else could put an ON on the wire, and needs the other one proven OFF, the pause between them over, its own rest
    over, and an answer of its own before the first try.
    """
    own = sights.of(role)
    has_other = bool(settings.targets.of(role.other))
    if own.past.is_wanted and own.is_on:
        if has_other and sights.of(role.other).is_on:
            return Held(f"the {role.other} is on")
        return None
    found = in_the_way(settings, role, sights, now)
    if found is not None:
        return found
    if own.is_on is None and not own.past.is_wanted:
        return Held(f"the {role}'s plug must answer first")
    return _unrenewed(settings, role, own, now)


def in_the_way(settings: ThermostatSettings, role: Role, sights: Pair[Sight], now: Instant) -> Held | None:
    """What forbids an ON to everybody, also to a person: the other plug, the pause between them, and its own rest."""
    own = sights.of(role)
    if settings.targets.of(role.other):
        other = _other_in_the_way(settings, role.other, sights.of(role.other), now)
        if other is not None:
            return other
    if own.is_off:
        left_s = settings.min_off_s.of(role) - _run_s(own.past.off_since, now)
        return Held(f"the {role} must rest", left_s) if left_s > 0 else None
    return None


def run_left_s(settings: ThermostatSettings, role: Role, sight: Sight, now: Instant) -> float:
    """Seconds for which a plug that was wanted ON and is proven ON must go on; 0 or less if it may stop."""
    if not (sight.past.is_wanted and sight.is_on):
        return 0.0
    return settings.min_on_s.of(role) - _run_s(sight.past.on_since, now)


def _other_in_the_way(settings: ThermostatSettings, role: Role, sight: Sight, now: Instant) -> Held | None:
    if not sight.is_off:
        return Held(f"the {role} must be proven off first")
    left_s = settings.dead_time_s - _run_s(sight.past.off_since, now)
    return Held(f"the {role} has stopped too short a time ago", left_s) if left_s > 0 else None


def _unrenewed(settings: ThermostatSettings, role: Role, own: Sight, now: Instant) -> Held | None:
    """The end of the lease: only a plug that does not answer gets here with an old one."""
    is_over = _run_s(own.past.renewed_at or now, now) >= settings.lease_s
    text = f"the {role}'s plug has not answered for {settings.lease_s:g} s, so its ON has ended"
    return Held(text) if own.is_on is None and is_over else None


def _run_s(since: Instant | None, now: Instant) -> float:
    """Seconds since then, 0 where nothing proves them: an unknown past counts as "just stopped"."""
    return 0.0 if since is None else now.since_s(since) or 0.0
