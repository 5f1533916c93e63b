"""Two plugs as a brewer has them."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from holdfast.simulators.kasa.firmware import LEGACY, Encryption
from holdfast.simulators.kasa.klap import Account
from holdfast.simulators.kasa.plug import Identity, Plug
from holdfast.simulators.kasa.station import KasaPlug

if TYPE_CHECKING:
    from holdfast.simulators.kasa.firmware import Firmware
    from holdfast.simulators.kasa.timetable import Timetable

DEMO_ACCOUNT = Account("brewer@example.org", "password")
"""The login of simulated plugs that need one."""

HEATER = Identity(mac="50:C7:BF:00:00:0A", alias="Heater", device_id="8006" + "A" * 36)
COOLER = Identity(mac="50:C7:BF:00:00:0B", alias="Cooler", device_id="8006" + "B" * 36)
HEATER_W = 40.0
COOLER_W = 90.0


def demo_plugs(
    *,
    seed: int = 1,
    hosts: tuple[str, str] = ("127.0.0.1", "127.0.0.1"),
    port: int = 0,
    firmware: Firmware = LEGACY,
    timetables: tuple[Timetable | None, Timetable | None] = (None, None),
) -> tuple[KasaPlug, KasaPlug]:
    """The heater's plug and the cooler's, each on its own host if they are to share a port number."""
    heater, cooler = (
        KasaPlug(
            Plug(identity, load_w=load_w),
            firmware,
            rng=random.Random(f"{seed}/{identity.alias}"),
            host=host,
            legacy_port=port if firmware.encryption is Encryption.XOR else 0,
            http_port=0 if firmware.encryption is Encryption.XOR else port,
            timetable=timetable,
        )
        for identity, load_w, host, timetable in zip(
            (HEATER, COOLER), (HEATER_W, COOLER_W), hosts, timetables, strict=True
        )
    )
    return heater, cooler
