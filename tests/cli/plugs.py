"""Simulated plugs on real sockets, each at a loopback address of its own, and whatever else answers a discovery."""

from __future__ import annotations

import asyncio
import json
import random
import sys
import threading
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, Self

import pytest

from holdfast.simulators.kasa import DISCOVERY_PORT, LEGACY, LEGACY_PORT, Account, Identity, KasaPlug, Plug
from holdfast.simulators.kasa.cipher import encipher
from holdfast.simulators.kasa.door import UdpDoor

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast.simulators.kasa import Firmware

ACCOUNT = Account("me@example.org", "a-long-and-unlikely-word")
OWN_ADDRESSES = pytest.mark.skipif(sys.platform != "linux", reason="only Linux answers to all of 127.0.0.0/8")


def own_address() -> str:
    """A loopback address that nobody else has: the ports of discovery cannot be chosen."""
    return "127." + ".".join(str(random.SystemRandom().randint(2, 254)) for _ in range(3))


def mac_of(number: int) -> str:
    """A hardware address."""
    return f"50:C7:BF:00:00:{number:02X}"


def station(
    number: int,
    firmware: Firmware = LEGACY,
    *,
    alias: str = "",
    host: str = "",
    legacy_port: int = LEGACY_PORT,
) -> KasaPlug:
    """A plug that can be found, not started yet."""
    return KasaPlug(
        Plug(Identity(mac=mac_of(number), alias=alias or f"Plug {number}")),
        firmware,
        rng=random.Random(number),
        host=host or own_address(),
        legacy_port=legacy_port,
        discovery_port=None if firmware is LEGACY else DISCOVERY_PORT,
    )


def old_answer(host: str, **sysinfo: Any) -> UdpDoor:
    """Somebody who answers the legacy question with this, over a plug's usual words."""
    told = {
        "err_code": 0, "sw_ver": "1.0.0 Build 1 Rel.1", "hw_ver": "1.0", "model": "KP303(EU)", "deviceId": "AA",
        "oemId": "BB", "hwId": "CC", "rssi": -61, "alias": "Somebody", "mac": mac_of(99), "feature": "TIM",
        "mic_type": "IOT.SMARTPLUGSWITCH", "relay_state": 1, "dev_name": "Plug", "led_off": 0, "updating": 0,
    }  # fmt: skip
    answer = encipher(json.dumps({"system": {"get_sysinfo": {**told, **sysinfo}}}).encode())
    return UdpDoor(host, LEGACY_PORT, lambda question: answer)


def new_answer(host: str, family: str, encryption: str) -> UdpDoor:
    """Somebody who answers the newer question."""
    result = {
        "device_id": "AA", "owner": "BB", "device_type": family, "device_model": "P100(EU)", "ip": host,
        "mac": mac_of(98).replace(":", "-"), "is_support_iot_cloud": True, "obd_src": "tplink",
        "factory_default": False,
        "mgt_encrypt_schm": {"is_support_https": False, "encrypt_type": encryption, "http_port": 80, "lv": 2},
    }  # fmt: skip
    answer = bytes(16) + json.dumps({"result": result, "error_code": 0}).encode()
    return UdpDoor(host, DISCOVERY_PORT, lambda question: answer)


class Street:
    """Plugs in a thread with an event loop of its own, for programs that block."""

    def __init__(self, *plugs: KasaPlug) -> None:
        self.plugs = plugs
        self.loop = asyncio.new_event_loop()
        self._stack = AsyncExitStack()
        self._thread = threading.Thread(target=self.loop.run_forever, name="simulated plugs")

    def __enter__(self) -> Self:
        self._thread.start()

        async def start() -> None:
            for each in self.plugs:
                await self._stack.enter_async_context(each)

        asyncio.run_coroutine_threadsafe(start(), self.loop).result(5)
        return self

    def __exit__(self, *exc: object) -> None:
        asyncio.run_coroutine_threadsafe(self._stack.aclose(), self.loop).result(5)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(5)
        self.loop.close()

    def do(self, action: Callable[[], Any]) -> Any:
        """Do something in the plugs' own loop."""

        async def act() -> Any:
            return action()

        return asyncio.run_coroutine_threadsafe(act(), self.loop).result(5)
