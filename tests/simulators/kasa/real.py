"""The real python-kasa, pointed at a simulated plug on a loopback port."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from kasa import (
    Credentials,
    Device,
    DeviceConfig,
    DeviceConnectionParameters,
    DeviceEncryptionType,
    DeviceFamily,
)

from holdfast.simulators.kasa import DEMO_ACCOUNT, LEGACY, Encryption, klap_v1, klap_v2, smart

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiohttp import ClientSession

    from holdfast.simulators.kasa import Account, Firmware, KasaPlug

KINDS = {
    "legacy": LEGACY,
    "klap1": klap_v1(DEMO_ACCOUNT),
    "klap2": klap_v2(DEMO_ACCOUNT),
    "smart": smart(DEMO_ACCOUNT),
}


def parameters(firmware: Firmware) -> DeviceConnectionParameters:
    """How the library is told what a plug speaks."""
    if firmware.encryption is Encryption.XOR:
        return DeviceConnectionParameters(DeviceFamily.IotSmartPlugSwitch, DeviceEncryptionType.Xor)
    family = DeviceFamily.SmartKasaPlug if firmware.family.is_smart else DeviceFamily.IotSmartPlugSwitch
    return DeviceConnectionParameters(family, DeviceEncryptionType.Klap, login_version=int(firmware.login))


def config(
    station: KasaPlug,
    *,
    limit_s: int = 2,
    account: Account = DEMO_ACCOUNT,
    http_client: ClientSession | None = None,
) -> DeviceConfig:
    """A configuration for `Device.connect`; ``limit_s`` is the library's own limit (T in the fact sheet)."""
    is_plain = station.firmware.encryption is Encryption.XOR
    return DeviceConfig(
        host=station.host,
        port_override=station.port,
        timeout=limit_s,
        credentials=None if is_plain else Credentials(account.user, account.password),
        connection_type=parameters(station.firmware),
        http_client=http_client,
    )


@asynccontextmanager
async def connected(station: KasaPlug, limit_s: int = 2) -> AsyncIterator[Device]:
    """A connected device, disconnected at the end."""
    device = await Device.connect(config=config(station, limit_s=limit_s))
    try:
        yield device
    finally:
        await device.disconnect()
