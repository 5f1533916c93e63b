"""A device family that exists only here: as choosy about its options as a real one, and never connected."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.errors import ConfigurationError
from holdfast.link.driver import Driver, Family, LinkTiming, Trait
from holdfast.link.session import Endpoint, Session, Sink

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from holdfast.model import Adapter, Device, Value

MODULES = 16


def _connect(drivers: Sequence[Driver], sink: Sink) -> Session:
    raise NotImplementedError


def _project(member: str, group: str, raw: object, before: Mapping[str, Value]) -> Mapping[str, Value]:
    return before


def prepare_toy(device: Device, adapter: Adapter) -> Driver:
    """Checks what a real family would: the address, its own options, the outputs."""
    scheme, _, address = adapter.url.partition("://")
    if scheme != "toy" or not address:
        raise ConfigurationError(
            f"{adapter.url!r} is not a toy's address", advice="use toy://HOST", path=("url",)
        )
    for key in adapter.options:
        if key not in ("kind", "token"):
            raise ConfigurationError("unknown option", advice="known here: kind, token", path=(key,))
    if adapter.options.get("kind", "auto") != "auto":
        raise ConfigurationError("this kind is unknown", path=("adapters", adapter.id, "kind"))
    if "token" in adapter.options:
        raise ConfigurationError(f"the token does not go with {adapter.password}", path=("options", "token"))
    if device.options.get("fault") == "bug":
        raise KeyError(adapter.password)
    if device.options.get("fault") == "whole":
        raise ConfigurationError("this adapter cannot work")
    for name, output in device.outputs.items():
        module = output.get("module")
        if not isinstance(module, int) or not 1 <= module <= MODULES:
            raise ConfigurationError(
                f"{module} is not a module number",
                advice=f"use 1 to {MODULES}",
                path=("outputs", name, "module"),
            )
    return Driver(
        name=adapter.driver,
        traits=Trait.POLLED,
        endpoint=Endpoint("toy", address),
        connect=_connect,
        capabilities=(),
        timing=LinkTiming(silence_s=1.0),
        project=_project,
    )


FAMILIES = {name: Family(name, prepare_toy) for name in ("toy", "puppet")}
