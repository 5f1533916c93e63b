"""One vessel: the plugs of its heater and its fridge, its sensor, and what a site file says of them."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Any, NamedTuple

from holdfast.simulators.kasa import LEGACY, Encryption, Identity, KasaPlug, Plug
from tests.cli.plugs import ACCOUNT, mac_of, own_address

if TYPE_CHECKING:
    from holdfast.simulators.kasa import Firmware

PASSWORD_ENV = "LIVE_PLUG_PASSWORD"
NOWHERE = "127.0.0.1"
"""Whom the hub asks when it looks for a plug: nobody beyond this machine."""
LOW_C, HIGH_C = 18.0, 20.0
COLD_C, BETWEEN_C = 17.0, 19.0
"""Heat, and go on as before."""


class Posted(NamedTuple):
    """A reading that the hub took, at some moment between two of the loop's."""

    begin_t: float
    end_t: float


class Probe:
    """What the sensor shows, and when it posted what the hub took."""

    def __init__(self) -> None:
        self.shows_c = COLD_C
        self.is_alive = True
        self.posted: list[Posted] = []

    @property
    def last_t(self) -> float:
        """When the hub had taken the last reading."""
        return self.posted[-1].end_t


class Must(NamedTuple):
    """The heater had to be off, from ``begin_t`` on (and the time allowed for it) to ``end_t``."""

    begin_t: float
    end_t: float
    why: str


class Vessel:
    """``number`` tells its plugs from others; ``firmware`` is that of the heater's, the fridge's is legacy.

    Without a fridge it need not wait for the pause between cooling and heating.
    """

    def __init__(
        self,
        ident: str,
        number: int,
        settings: dict[str, Any],
        firmware: Firmware = LEGACY,
        *,
        has_fridge: bool = True,
    ) -> None:
        self.id = ident
        self.settings = settings
        self.heater = new_plug(2 * number, f"{ident} heater", firmware)
        self.plugs = {"heater": self.heater}
        """By role."""
        if has_fridge:
            self.plugs["fridge"] = new_plug(2 * number + 1, f"{ident} fridge")
        self.probe = Probe()
        self.musts: list[Must] = []

    def device_id(self, role: str) -> str:
        """What a site file calls the plug of a role, or the sensor."""
        return f"{self.id}-{role}"

    def devices(self) -> list[dict[str, Any]]:
        """The plugs and the sensor as a site file has them. They must be running: a port is theirs only then."""
        plugs = [
            {
                "id": self.device_id(role),
                "adapters": [adapter_of(plug)],
                "options": {
                    "mac": plug.plug.identity.mac,
                    "kind": "legacy" if plug.firmware.encryption is Encryption.XOR else "klap",
                    "broadcast": NOWHERE,
                },
            }
            for role, plug in self.plugs.items()
        ]
        # A sensor's reading is shown for as long as it may be acted upon, and no longer.
        limits = {
            "unit": "°C",
            "deadline_s": self.settings.get("fresh_s", 240),
            "minimum": -10,
            "maximum": 60,
        }
        sensor = {
            "id": self.device_id("beer"),
            "adapters": [{"id": "in", "driver": "push"}],
            "capabilities": {"temperature": limits},
        }
        return [*plugs, sensor]

    def controller(self) -> dict[str, Any]:
        """The thermostat as a site file has it."""
        return {
            "id": self.id,
            "kind": "thermostat",
            "sensor": f"{self.id}-beer/temperature",
            "heater": f"{self.id}-heater/switch",
            **({"cooler": f"{self.id}-fridge/switch"} if "fridge" in self.plugs else {}),
            "low": LOW_C,
            "high": HIGH_C,
            **self.settings,
        }

    def must_be_off(self, begin_t: float, why: str) -> None:
        """From then until now the heater had to be off."""
        self.musts.append(Must(begin_t, asyncio.get_running_loop().time(), why))


def new_plug(number: int, alias: str, firmware: Firmware = LEGACY) -> KasaPlug:
    """A plug at an address of its own: to one address the hub makes only two dials at once."""
    return KasaPlug(
        Plug(Identity(mac=mac_of(number), alias=alias)),
        firmware,
        rng=random.Random(number),
        host=own_address(),
    )


def adapter_of(plug: KasaPlug) -> dict[str, Any]:
    """The way to a plug that runs."""
    login = {"username": ACCOUNT.user, "password": {"env": PASSWORD_ENV}}
    return {
        "id": "lan",
        "driver": "kasa",
        "url": f"kasa://{plug.host}:{plug.port}",
        **(login if plug.firmware.encryption is Encryption.KLAP else {}),
    }
