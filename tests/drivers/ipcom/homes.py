"""Houses for the tests, made by the driver's own reading of a site file's words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from holdfast.drivers.ipcom.cipher import dual_key
from holdfast.drivers.ipcom.codec import IpcomCodec
from holdfast.drivers.ipcom.options import IpcomOptions, parse_options
from holdfast.drivers.ipcom.wiring import ModuleType
from holdfast.model import Adapter, Device

if TYPE_CHECKING:
    from collections.abc import Mapping

LIGHTS = {
    "kitchen": {"kind": "light", "module": 1, "output": 1, "name": "Kitchen"},
    "pump": {"kind": "switch", "module": 1, "output": 2, "fail_safe": False},
    "salon": {"kind": "dimmer", "module": 6, "output": 2},
    "hall": {"kind": "dimmer", "module": 7, "output": 1},
}
BLIND = {"kind": "cover", "up": {"module": 5, "output": 8}, "down": {"module": 5, "output": 7}}
APART = {"kind": "cover", "up": {"module": 3, "output": 1}, "down": {"module": 4, "output": 1}}
PORCH = {"kind": "light", "module": 5, "output": 1}
MODULES = {6: {"kind": "dimmer", "scale": 100}, 7: {"kind": "dimmer", "scale": 255}, 5: {"kind": "shutter"}}
HOUSE: dict[str, Any] = {**LIGHTS, "blind": BLIND, "apart": APART, "porch": PORCH}


def device(
    outputs: Mapping[Any, Any] | None = None, /, *, adapter: Mapping[str, Any] | None = None, **options: Any
) -> Device:
    """A device with one adapter; options given here stand with the device."""
    given: dict[str, Any] = {
        "url": "tcp://192.0.2.1",
        "username": "me",
        "password": "secret",
        **(adapter or {}),
    }
    path = Adapter(id="lan", driver="ipcom", **given)
    return Device(
        id="house",
        name="House",
        adapters=(path,),
        options={"modules": MODULES, **options},
        outputs=HOUSE if outputs is None else outputs,
    )


def options(
    outputs: Mapping[Any, Any] | None = None, /, *, adapter: Mapping[str, Any] | None = None, **more: Any
) -> IpcomOptions:
    """The same, parsed."""
    home = device(outputs, adapter=adapter, **more)
    return parse_options(home, home.adapters[0])


ALL_RELAYS = IpcomOptions(host="h", modules={number: ModuleType() for number in range(1, 17)})
"""A house that says of every module that it drives relays."""


def codec(session_key: bytes, house: IpcomOptions | None = None) -> IpcomCodec:
    """A codec behind its login."""
    made = IpcomCodec(house or ALL_RELAYS)
    made.begin(dual_key(session_key))
    return made
