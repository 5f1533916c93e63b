"""What may go wrong in a cellar, one small class each: how it begins and ends, and what must be right after."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from holdfast.control import AlarmKind
from holdfast.hub.ports import StoreError
from holdfast.hub.ports import Trouble as StoreTrouble
from holdfast.model import CommandState, Issuer
from tests.drivers.kasa.fake_kasa import Trouble
from tests.fermenter.oracle.alarms import Alarms

if TYPE_CHECKING:
    from tests.fermenter.cellar import Cellar
    from tests.fermenter.oracle.facts import Facts
    from tests.fermenter.oracle.oracle import Oracle
    from tests.fermenter.plugs import WatchedPlug


class World:
    """What happenings act upon."""

    def __init__(self, cellar: Cellar, oracle: Oracle) -> None:
        self.cellar = cellar
        self.oracle = oracle

    @property
    def facts(self) -> Facts:
        """What is true."""
        return self.oracle.facts

    @property
    def now(self) -> float:
        """The loop's time."""
        return self.cellar.loop.time()

    def plug_changed(self, ident: str) -> None:
        """A fault of a plug began or ended."""
        facts = self.facts.plugs[ident]
        if not facts.plug.is_well:
            facts.well_since = None
        elif facts.well_since is None:
            facts.well_since = self.now

    def site(self) -> dict[str, Any]:
        """The site, to be changed."""
        return copy.deepcopy(self.cellar.site)

    def change(self, **controller: Any) -> None:
        """The thermostat's part of the site says something else."""
        if not self.cellar.is_running:
            return
        mapping = self.site()
        mapping["controllers"][0].update(controller)
        self.cellar.change(mapping)

    def enter(self, key: str, value: object) -> None:
        """A person sets something."""
        if self.cellar.is_running:
            before = dict(self.facts.wanted)
            self.facts.entered(key, value)
            if self.cellar.command(f"fermenter/{key}", value).state is not CommandState.VERIFIED:
                self.facts.wanted = before


@dataclass(frozen=True)
class Happening:
    """Something that happens for a time, or (``for_s`` 0) at once. ``what`` says it in words."""

    what: str
    for_s: float
    scope: ClassVar[str] = ""
    """What must be right again when it is over: a plug's name, or one of the scopes of `recoveries`."""

    def __str__(self) -> str:
        return f"{self.what} for {self.for_s:g} s" if self.for_s else self.what

    @property
    def about(self) -> str:
        """The scope of this one."""
        return self.scope

    async def begin(self, world: World) -> None:
        """It begins."""

    async def end(self, world: World) -> None:
        """It is over."""


# --- plugs -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PlugFault(Happening):
    """Something is wrong with a plug."""

    ident: str = "heater"

    def __str__(self) -> str:
        return f"{self.ident}: {super().__str__()}"

    @property
    def about(self) -> str:
        """Its plug."""
        return self.ident

    async def begin(self, world: World) -> None:
        """See `Happening`."""
        self.spoil(world.cellar.plugs[self.ident])
        world.plug_changed(self.ident)

    async def end(self, world: World) -> None:
        """See `Happening`."""
        world.cellar.plugs[self.ident].well()
        world.plug_changed(self.ident)

    def spoil(self, plug: WatchedPlug) -> None:
        """What is wrong with it."""


@dataclass(frozen=True)
class Failing(PlugFault):
    """Calls fail; all of them, or those that are named."""

    trouble: Trouble = Trouble.SILENT
    calls: tuple[str, ...] = ()
    is_stubborn: bool = False

    def spoil(self, plug: WatchedPlug) -> None:
        """See `PlugFault`."""
        plug.is_stubborn = self.is_stubborn
        if self.calls:
            plug.troubles = dict.fromkeys(self.calls, self.trouble)
        else:
            plug.trouble = self.trouble


@dataclass(frozen=True)
class Rebuffing(Failing):
    """It refuses the login."""

    trouble: Trouble = Trouble.LOGIN

    async def begin(self, world: World) -> None:
        """See `Happening`."""
        await super().begin(world)
        world.facts.plugs[self.ident].rebuffing_until_t = math.inf

    async def end(self, world: World) -> None:
        """See `Happening`."""
        await super().end(world)
        facts = world.facts.plugs[self.ident]
        facts.rebuffing_until_t = max(facts.pardon_t, world.now + (30.0 if self.for_s <= 60.0 else 900.0))
        facts.pardon_t = facts.rebuffing_until_t


@dataclass(frozen=True)
class SessionLost(PlugFault):
    """The next calls meet a session that is gone."""

    calls: int = 1

    def spoil(self, plug: WatchedPlug) -> None:
        """See `PlugFault`."""
        plug.next_troubles = [Trouble.DISCONNECTED] * self.calls


@dataclass(frozen=True)
class Misbehaving(PlugFault):
    """It answers, and does something else; ``ways`` are attributes of the plug."""

    ways: tuple[tuple[str, Any], ...] = ()

    def spoil(self, plug: WatchedPlug) -> None:
        """See `PlugFault`."""
        for name, value in self.ways:
            setattr(plug, name, value)


@dataclass(frozen=True)
class Reboot(Failing):
    """It loses its power for a moment, and is away while it starts."""

    trouble: Trouble = Trouble.REFUSED
    is_restored: bool = True

    async def begin(self, world: World) -> None:
        """See `Happening`."""
        world.cellar.plugs[self.ident].lose_power(is_restored=self.is_restored)
        world.facts.plugs[self.ident].has_lost_power_at = world.now
        await super().begin(world)


@dataclass(frozen=True)
class Press(PlugFault):
    """The button, or somebody's app."""

    is_on: bool | None = None

    async def begin(self, world: World) -> None:
        """See `Happening`."""
        world.cellar.plugs[self.ident].press(self.is_on)

    async def end(self, world: World) -> None:
        """See `Happening`."""


@dataclass(frozen=True)
class TakeOver(PlugFault):
    """A person takes the plug over."""

    is_on: bool = True

    async def begin(self, world: World) -> None:
        """See `Happening`."""
        if not world.cellar.is_running:
            return
        facts = world.facts.plugs[self.ident]
        before_s, facts.taken_until_s = facts.taken_until_s, world.facts.steady + self.for_s
        receipt = world.cellar.command(f"{self.ident}/switch", self.is_on, take_over_s=self.for_s)
        if receipt.state is CommandState.REFUSED:
            facts.taken_until_s = before_s

    async def end(self, world: World) -> None:
        """See `Happening`."""


@dataclass(frozen=True)
class Acknowledge(Happening):
    """A person has seen to the plugs."""

    async def begin(self, world: World) -> None:
        """See `Happening`."""
        cellar = world.cellar
        if cellar.is_running and cellar.life is not None:
            alarms: Alarms = world.oracle.check(Alarms)
            alarms.acknowledged()
            cellar.life.within(
                lambda: cellar.thermostat.acknowledge(AlarmKind.SWAPPED_PLUGS, Issuer("a person"))
            )


# --- the sensor ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Mute(Happening):
    """The sensor sends nothing."""

    scope: ClassVar[str] = "sensor"

    async def begin(self, world: World) -> None:
        """See `Happening`."""
        world.cellar.is_sensing = False

    async def end(self, world: World) -> None:
        """See `Happening`."""
        world.cellar.is_sensing = True


@dataclass(frozen=True)
class Pretence(Happening):
    """The sensor sends something else than the truth: ``value``, or the truth and ``shift``."""

    value: object = None
    shift: float | None = None
    scope: ClassVar[str] = "sensor"

    async def begin(self, world: World) -> None:
        """See `Happening`."""
        shift = self.shift
        world.cellar.pretend = (lambda truth: self.value) if shift is None else (lambda truth: truth + shift)

    async def end(self, world: World) -> None:
        """See `Happening`."""
        world.cellar.pretend = None


# --- settings --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SiteSays(Happening):
    """The site says something else for a time; ``usually`` is what it says otherwise."""

    says: tuple[tuple[str, Any], ...] = ()
    usually: tuple[tuple[str, Any], ...] = ()
    scope: ClassVar[str] = "settings"

    async def begin(self, world: World) -> None:
        """See `Happening`."""
        world.change(**dict(self.says))

    async def end(self, world: World) -> None:
        """See `Happening`."""
        world.change(**dict(self.usually))


@dataclass(frozen=True)
class Enter(Happening):
    """A person sets something while the hub runs, and sets it back."""

    key: str = "low"
    value: object = 18.0
    usually: object = 18.0
    scope: ClassVar[str] = "settings"

    async def begin(self, world: World) -> None:
        """See `Happening`."""
        world.enter(self.key, self.value)

    async def end(self, world: World) -> None:
        """See `Happening`."""
        world.enter(self.key, self.usually)


@dataclass(frozen=True)
class SaveAgain(Happening):
    """The site is saved again, with another name of the site or none: nothing of the control may change."""

    name: str = ""

    async def begin(self, world: World) -> None:
        """See `Happening`."""
        cellar, store = world.cellar, world.cellar.store
        if not cellar.is_running or store.fault is not None or store.delay_s:
            return
        mapping = world.site()
        if self.name:
            mapping["site"]["name"] = self.name
        before, alarms, t = _seen(world), _alarms(world), world.now

        def then() -> None:
            if world.now != t or not cellar.is_running:
                return
            if _seen(world) != before:
                world.oracle.objects(f"I9 separation: saving changed {before} to {_seen(world)}")
            if not alarms <= _alarms(world):
                world.oracle.objects(f"I9 separation: saving ended {alarms - _alarms(world)}")

        if world.facts.limits() is not None:
            cellar.save_again(mapping, then)


def _seen(world: World) -> list[object]:
    """What saving may not change; the thermostat may look anew, and raise what would be raised within seconds."""
    keys = ("low", "high", "enabled", "heating", "cooling")
    targets = ("heater/switch", "fridge/switch", *(f"fermenter/{key}" for key in keys))
    return [world.cellar.value(target) for target in targets]


def _alarms(world: World) -> set[str]:
    return {target for target in world.facts.alarms_on if target.startswith("fermenter/")}


# --- hub, clock, store -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Kill(Happening):
    """The hub is killed, and started again after a while; ``is_reboot``: the machine, too."""

    is_reboot: bool = False
    scope: ClassVar[str] = "hub"

    async def begin(self, world: World) -> None:
        """See `Happening`."""
        if world.cellar.hub is not None:
            world.cellar.kill()
        if self.is_reboot:
            world.cellar.clock.reboot()

    async def end(self, world: World) -> None:
        """See `Happening`."""
        if world.cellar.hub is None:
            await world.cellar.start()


@dataclass(frozen=True)
class Stop(Kill):
    """The hub is stopped in order, and started again."""

    async def begin(self, world: World) -> None:
        """See `Happening`."""
        if world.cellar.hub is not None:
            await world.cellar.stop()


@dataclass(frozen=True)
class ClockStep(Happening):
    """Somebody sets the wall clock."""

    by_s: float = 3600.0
    scope: ClassVar[str] = "hub"

    async def begin(self, world: World) -> None:
        """See `Happening`."""
        world.cellar.clock.step(self.by_s)
        world.facts.has_stepped = True


@dataclass(frozen=True)
class Sleep(Happening):
    """The machine sleeps."""

    asleep_s: float = 120.0
    scope: ClassVar[str] = "hub"

    async def begin(self, world: World) -> None:
        """See `Happening`."""
        world.cellar.clock.sleep(self.asleep_s)
        world.facts.slept(self.asleep_s)


@dataclass(frozen=True)
class BadStore(Happening):
    """The store fails, or is slow."""

    delay_s: float = 0.0
    scope: ClassVar[str] = "store"

    async def begin(self, world: World) -> None:
        """See `Happening`."""
        store = world.cellar.store
        store.delay_s = self.delay_s
        store.fault = None if self.delay_s else StoreError(StoreTrouble.FAILED, "the disk is sick")
        world.facts.store_fails()

    async def end(self, world: World) -> None:
        """See `Happening`."""
        store = world.cellar.store
        store.delay_s, store.fault = 0.0, None
        world.facts.store_recovers()
