"""Recoveries: once a fault is over, what the hub shows and does is right again, and soon."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tests.fermenter.cellar import SENSOR

if TYPE_CHECKING:
    from tests.fermenter.happenings import Happening, World

SOON_S: Final[dict[str, float]] = {
    "heater": 60.0,
    "fridge": 60.0,
    "hub": 60.0,
    "sensor": 30.0,
    "settings": 30.0,
    "store": 20.0,
}
"""How long it may take; a plug is looked for with pauses of up to 30 s while nobody wants anything of it."""

PARTS: Final = ("heater", "fridge", "sensor", "settings")
"""What must be right again after something happened to the hub itself."""


@dataclass(slots=True)
class Recovery:
    """One fault that is over, and what is to be right again."""

    happening: Happening
    scope: str
    since: float


class Recoveries:
    """Counts them. A fault that is followed by another one of its kind too soon to tell is not counted."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._waiting: list[Recovery] = []
        self.count = 0

    def expect(self, happening: Happening) -> None:
        """A fault is over."""
        if happening.about:
            self._waiting.append(Recovery(happening, happening.about, self._world.now))

    def look(self) -> None:
        """See who has recovered."""
        world = self._world
        still = []
        for each in self._waiting:
            if not self._is_fair(each.scope):
                continue
            if self._is_right(each.scope):
                self.count += 1
            elif world.now - each.since > SOON_S[each.scope]:
                world.oracle.objects(
                    f"recovery: {each.happening} is over for {world.now - each.since:.0f} s, and not right: "
                    f"{', '.join(self._wrong(each.scope))}"
                )
            else:
                still.append(each)
        self._waiting = still

    def _is_fair(self, scope: str) -> bool:
        """Whether nothing else of that kind is wrong."""
        world = self._world
        cellar, facts = world.cellar, world.facts
        if not cellar.is_running or facts.is_stopping:
            return False
        match scope:
            case "heater" | "fridge":
                return facts.plugs[scope].is_well
            case "sensor":
                return cellar.is_sensing and cellar.pretend is None and facts.wanted.get("sensor") == SENSOR
            case "store":
                return facts.store_sick_since is None
        return True

    def _is_right(self, scope: str) -> bool:
        world = self._world
        facts, value = world.facts, world.cellar.value
        match scope:
            case "heater" | "fridge":
                plug = facts.plugs[scope]
                is_on = plug.plug.is_on
                return value(f"{scope}/switch") is is_on and not (is_on and facts.unsafe(scope) is not None)
            case "sensor":
                return facts.sent is not None and value("fermenter/temperature") is not None and not facts.odd
            case "settings":
                limits = facts.limits()
                shown = [value("fermenter/low"), value("fermenter/high")]
                wanted = [None, None] if limits is None else [each / 1_000_000 for each in limits]
                return shown == wanted and value("fermenter/enabled") is facts.wanted.get("enabled", True)
            case "store":
                return "hub/store" not in facts.alarms_on
        return not self._wrong(scope)

    def _wrong(self, scope: str) -> list[str]:
        """What is not right of it."""
        if scope != "hub":
            return [scope]
        return [each for each in PARTS if self._is_fair(each) and not self._is_right(each)]
