"""The four toys under control: what their authors would supply to the contract."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from holdfast.errors import ConfigurationError
from holdfast.link.driver import Family
from holdfast.model import Adapter, Device
from holdfast.testing import Bench, StreamBench
from tests.link.toys import advert, bus, library, lockstep

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Sequence

    from holdfast.link.driver import Driver
    from holdfast.model import Value
    from holdfast.simulation import VirtualLoop


def device(device_id: str, family: Family, url: str, password: str = "", **options: Any) -> Device:
    """A device with one adapter."""
    adapter = Adapter(id="a", driver=family.name, url=url, password=password)
    return Device(id=device_id, name=device_id, adapters=(adapter,), options=options)


# --- lock-step ------------------------------------------------------------------------------------------------------


class LockstepBench(StreamBench):
    """A lamp behind a lock-step stream."""

    password: ClassVar[str] = "correct horse battery staple".replace(" ", "-")
    host = "lamp"
    port = lockstep.PORT

    def __init__(self, loop: VirtualLoop, family: Family = lockstep.LOCKSTEP) -> None:
        super().__init__(loop)
        self.family = family
        self.lamp = lockstep.LineDevice()
        self.lamp.password = self.password
        self.lamp.answers_as_asked = True

    async def start(self) -> None:
        self.server = await self.lamp.listen(self.host)

    async def stop(self) -> None:
        self.server.close()

    def devices(self, password: str = "") -> Sequence[Device]:
        return [device("lamp", self.family, self.host, password or self.password)]

    def truth(self, target: str) -> Value:
        key = target.removeprefix("lamp/")
        value = self.lamp.state[key]
        return bool(value) if key == "lamp" else value

    def change(self, target: str, value: Value) -> None:
        assert isinstance(value, int)
        self.lamp.state[target.removeprefix("lamp/")] = int(value)

    def silence(self, member: str | None = None) -> None:
        self.lamp.is_deaf = True

    def resume(self) -> None:
        super().resume()
        self.lamp.is_deaf = False
        self.lamp.reply_s = 0.0
        self.lamp.stuck = set()

    def lag(self, seconds: float) -> None:
        self.lamp.reply_s = seconds

    def writes(self) -> Sequence[float]:
        return [t for t, _, _ in self.lamp.sets]

    def ignore_writes(self) -> None:
        self.lamp.stuck = set(self.lamp.state)


# --- bus ------------------------------------------------------------------------------------------------------------


def _checked(device: Device, adapter: Adapter) -> Driver:
    """The bus toy takes its options on trust; a driver must not."""
    members = device.options.get("members")
    if not isinstance(members, list | tuple) or not all(
        isinstance(each, str) and each.isdigit() for each in members
    ):
        raise ConfigurationError("members must be a list of bus addresses", path=("options", "members"))
    return bus.prepare(device, adapter)


CHECKED_BUS = Family("bus", _checked)


class BusBench(StreamBench):
    """Three batteries of two devices behind one gateway."""

    pace_s: ClassVar[float] = 5.0
    host = "gateway"
    port = bus.PORT
    owners: ClassVar[dict[str, str]] = {"1": "one", "2": "one", "3": "two"}

    def __init__(self, loop: VirtualLoop, family: Family = CHECKED_BUS) -> None:
        super().__init__(loop)
        self.family = family
        self.gateway = bus.Gateway()
        self.millivolts = {"1": 50_100, "2": 50_200, "3": 50_300}
        self.silent: set[str] = set()
        self.timer: asyncio.TimerHandle | None = None

    async def start(self) -> None:
        self.server = await self.gateway.listen(self.host)
        self.speak()

    async def stop(self) -> None:
        self.server.close()
        if self.timer is not None:
            self.timer.cancel()

    def speak(self) -> None:
        self.timer = self.loop.call_later(self.pace_s, self.speak)
        for member, millivolts in self.millivolts.items():
            if member not in self.silent:
                self.gateway.say(bus.frame(int(member), millivolts))

    def devices(self, password: str = "") -> Sequence[Device]:
        return [
            device("one", self.family, self.host, members=["1", "2"]),
            device("two", self.family, self.host, members=["3"]),
        ]

    def junk(self) -> Sequence[Device]:
        return [
            device("one", self.family, self.host, members=["first"]),
            device("one", self.family, self.host),
        ]

    def truth(self, target: str) -> Value:
        return self.millivolts[target.split("/")[1]] / 1000

    def change(self, target: str, value: Value) -> None:
        assert isinstance(value, int | float)
        self.millivolts[target.split("/")[1]] = round(value * 1000)

    def silence(self, member: str | None = None) -> None:
        self.silent = {member} if member else set(self.millivolts)

    def resume(self) -> None:
        super().resume()
        self.silent = set()

    def stranger(self) -> None:
        self.gateway.say(bus.frame(9, 51_000))


# --- library --------------------------------------------------------------------------------------------------------


class PunctualPlug(library.Plug):
    """Answers a question with what was true when it was asked, however late."""

    async def call(self, what: str) -> bool:
        was_on = self.is_on
        is_on = await super().call(what)
        return was_on if what == "state" else is_on


class LibraryBench(Bench):
    """A plug behind a library of its own."""

    def __init__(self, loop: VirtualLoop, family: Family = library.LIBRARY) -> None:
        super().__init__(loop)
        self.family = family
        self.plug = library.PLUGS["plug"] = PunctualPlug()

    async def start(self) -> None:
        """It is on from the beginning."""

    async def stop(self) -> None:
        self.resume()

    def devices(self, password: str = "") -> Sequence[Device]:
        return [device("plug", self.family, "plug")]

    def truth(self, target: str) -> Value:
        return self.plug.is_on

    def change(self, target: str, value: Value) -> None:
        self.plug.is_on = bool(value)

    def silence(self, member: str | None = None) -> None:
        self.plug.is_hanging = True

    def resume(self) -> None:
        self.plug.is_hanging = self.plug.is_stubborn = self.plug.is_ignoring = False
        self.plug.is_reachable = True
        self.plug.answer_s = 0.05

    def refuse(self) -> None:
        self.plug.is_reachable = False

    def lag(self, seconds: float) -> None:
        self.plug.answer_s = seconds

    def writes(self) -> Sequence[float]:
        return [t for t, what in self.plug.calls if what in ("on", "off")]

    def ignore_writes(self) -> None:
        self.plug.is_ignoring = True

    def hold(self) -> None:
        self.plug.is_hanging = self.plug.is_stubborn = True

    def calls_at_once(self) -> int:
        return self.plug.most_running


# --- advertisements -------------------------------------------------------------------------------------------------


class AdvertBench(Bench):
    """Two sensors that shout into one room."""

    pace_s: ClassVar[float] = 30.0

    def __init__(self, loop: VirtualLoop, family: Family = advert.ADVERT) -> None:
        super().__init__(loop)
        self.family = family
        self.room = advert.ROOM
        self.room.ears.clear()
        self.degrees = {"red": 19.5, "blue": 4.0}
        self.silent: set[str] = set()
        self.timer: asyncio.TimerHandle | None = None

    async def start(self) -> None:
        self.speak()

    async def stop(self) -> None:
        if self.timer is not None:
            self.timer.cancel()

    def speak(self) -> None:
        self.timer = self.loop.call_later(self.pace_s, self.speak)
        for colour, degrees in self.degrees.items():
            if colour not in self.silent:
                self.room.shout(colour, degrees)

    def devices(self, password: str = "") -> Sequence[Device]:
        return [device(colour, self.family, colour) for colour in self.degrees]

    def truth(self, target: str) -> Value:
        return self.degrees[target.split("/", maxsplit=1)[0]]

    def change(self, target: str, value: Value) -> None:
        assert isinstance(value, float)
        self.degrees[target.split("/", maxsplit=1)[0]] = value

    def silence(self, member: str | None = None) -> None:
        self.silent = {member} if member else set(self.degrees)

    def resume(self) -> None:
        self.silent = set()

    def stranger(self) -> None:
        self.room.shout("green", 1.0)


def refitted(family: Family, **parts: Any) -> Family:
    """The family with other parts in its drivers."""

    def prepare(device: Device, adapter: Adapter) -> Driver:
        return replace(family.prepare(device, adapter), **parts)

    return Family(family.name, prepare)
