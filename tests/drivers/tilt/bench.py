"""Tilts for tests: devices as a site file has them, and a bench with a room full of them."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, ClassVar

from holdfast.drivers.tilt.driver import family
from holdfast.model import Adapter, Device
from holdfast.testing import Bench
from tests.drivers.tilt.air import Air, ibeacon

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Sequence

    from holdfast.model import Capability, Value
    from holdfast.simulation import VirtualLoop

RED = "C8:00:00:00:00:01"
BLUE = "C8:00:00:00:00:02"
GREEN = "C8:00:00:00:00:03"


def tilt(name: str, url: str | None = None, **options: Any) -> Device:
    """A device with one adapter."""
    adapter = Adapter(id="ble", driver="tilt", url=f"ble://{name}" if url is None else url)
    return Device(id=name, name=name, adapters=(adapter,), options=options)


@dataclass(slots=True)
class FakeTilt:
    """One Tilt in the room."""

    colour: str
    address: str
    major: int
    minor: int
    rssi: int = -70
    is_pro: bool = False

    def data(self) -> bytes:
        return ibeacon(self.colour, self.major, self.minor)

    def truth(self, key: str) -> Value:
        if key == "rssi":
            return self.rssi
        if key == "gravity":
            return self.minor / (10_000 if self.is_pro else 1_000)
        return float((Fraction(self.major, 10 if self.is_pro else 1) - 32) * 5 / 9)

    def change(self, key: str, value: Value) -> None:
        """In its own steps: `TiltBench.other` asks for nothing in between."""
        assert isinstance(value, int | float)
        if key == "gravity":
            self.minor = round(value * (10_000 if self.is_pro else 1_000))
        else:
            self.major = round((value * 9 / 5 + 32) * (10 if self.is_pro else 1))


class TiltBench(Bench):
    """A classic and a Pro in one room; the Pro is known by its address."""

    pace_s: ClassVar[float] = 5.0

    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__(loop)
        self.air = Air()
        self.family = family(self.air.scanner)
        self.tilts = {
            "red": FakeTilt("red", RED, 68, 1016),
            "blue": FakeTilt("blue", BLUE, 684, 10162, is_pro=True),
        }
        self.silent: set[str] = set()
        self.timer: asyncio.TimerHandle | None = None

    async def start(self) -> None:
        self.speak()

    async def stop(self) -> None:
        self.resume()
        if self.timer is not None:
            self.timer.cancel()

    def speak(self) -> None:
        self.timer = self.loop.call_later(self.pace_s, self.speak)
        for name, each in self.tilts.items():
            if name not in self.silent:
                self.air.shout(each.address, each.data(), each.rssi)

    def devices(self, password: str = "") -> Sequence[Device]:
        return [tilt("red"), tilt("blue", f"ble://{BLUE}")]

    def junk(self) -> Sequence[Device]:
        return [tilt("white"), tilt("red", stale_after_s=10), tilt("red", smoothing={"last": 0})]

    def truth(self, target: str) -> Value:
        name, _, key = target.partition("/")
        return self.tilts[name].truth(key)

    def changeable(self, targets: Sequence[str]) -> Sequence[str]:
        return [each for each in targets if not each.endswith("/rssi")]  # it is told twice a minute

    def other(self, target: str, capability: Capability) -> Value:
        value = self.truth(target)
        assert isinstance(value, int | float)
        step = 0.001 if target.endswith("/gravity") else 5 / 9
        return self._next(target, value, step, capability)

    def change(self, target: str, value: Value) -> None:
        name, _, key = target.partition("/")
        self.tilts[name].change(key, value)

    def silence(self, member: str | None = None) -> None:
        names = {"red": "red", BLUE: "blue"}
        self.silent = {names[member]} if member else set(self.tilts)

    def resume(self) -> None:
        self.silent = set()
        self.air.faults.clear()
        self.air.release()

    def stranger(self) -> None:
        self.air.shout(GREEN, ibeacon("green", 70, 1050))

    def hold(self) -> None:
        self.air.hang("start", "stop", is_deaf=True)
        self.silence()  # so that something is called at all

    def calls_at_once(self) -> int:
        return self.air.most_running
