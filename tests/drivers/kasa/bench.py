"""A plug behind the faked library, for the driver contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.drivers.kasa.driver import family
from holdfast.model import Adapter, Device
from holdfast.simulation import NetworkEvent
from holdfast.testing import Bench
from tests.drivers.kasa.fake_kasa import FakeKasa, FakePlug, Trouble

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from holdfast.model import Value
    from holdfast.simulation import VirtualLoop

HOST = "192.168.1.71"


def plug_device(
    url: str = f"kasa://{HOST}",
    *,
    username: str = "",
    password: str = "",
    options: Mapping[str, object] | None = None,
) -> Device:
    """A plug as a site file describes it; ``options`` are its own."""
    adapter = Adapter(id="lan", driver="kasa", url=url, username=username, password=password)
    return Device(id="plug", name="plug", adapters=(adapter,), options=options or {})


class KasaBench(Bench):
    """A metered plug of the given kind."""

    password = "a-long-and-unlikely-word"

    def __init__(self, loop: VirtualLoop, plug: FakePlug, **options: object) -> None:
        super().__init__(loop)
        self.plug = plug
        self.options = {"expects_energy": True, **options}
        plug.password = self.password if plug.encryption == "KLAP" else ""
        self.library = FakeKasa({HOST: plug})
        self.library.on_dial = self._dialled
        self.family = family(self.library)
        self.is_refusing = False

    def _dialled(self, host: str) -> None:
        network = self.loop.network
        event = NetworkEvent(self.loop.time(), "dial", (network.here.address, 0), (host, 80))
        for watcher in list(network.watchers):
            watcher(event)

    async def start(self) -> None:
        """It is there from the beginning."""

    async def stop(self) -> None:
        self.resume()

    def devices(self, password: str = "") -> Sequence[Device]:
        return [plug_device(username="me@home", password=password or self.password, options=self.options)]

    def junk(self) -> Sequence[Device]:
        bad: list[dict[str, object]] = [
            {"kind": "old"},
            {"mac": "no"},
            {"dead_man_s": 1},
            {"fail_safe": True},
        ]
        return [plug_device(options=each) for each in bad] + [
            plug_device(url=url) for url in ("tcp://a", "kasa://")
        ]

    def truth(self, target: str) -> Value:
        plug = self.plug
        power = plug.power if plug.is_on else 0.0
        return {
            "switch": plug.is_on,
            "rssi": float(plug.rssi),
            "power": power,
            "voltage": 230.0,
            "current": power / 230.0,
            "energy_total": 1.5,
        }[target.partition("/")[2]]

    def changeable(self, targets: Sequence[str]) -> Sequence[str]:
        return [target for target in targets if target.endswith(("/switch", "/rssi"))]

    def change(self, target: str, value: Value) -> None:
        if target.endswith("/rssi"):
            assert isinstance(value, int | float)
            self.plug.rssi = int(value)
        else:
            self.plug.press(bool(value))

    def silence(self, member: str | None = None) -> None:
        self.plug.trouble = Trouble.SILENT

    def resume(self) -> None:
        self.plug.well()

    def refuse(self) -> None:
        self.plug.trouble = Trouble.REFUSED

    def lag(self, seconds: float) -> None:
        self.plug.answer_s = seconds

    def writes(self) -> Sequence[float]:
        return self.plug.sends()

    def ignore_writes(self) -> None:
        self.plug.is_ignoring = True

    def hold(self) -> None:
        self.plug.trouble, self.plug.is_stubborn = Trouble.SILENT, True

    def calls_at_once(self) -> int:
        return self.plug.most_running
