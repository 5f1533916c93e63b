"""A fermenter's two simulated plugs on real sockets, a site file for them, and a sensor that posts to the hub."""

from __future__ import annotations

import contextlib
import random
import time
from typing import TYPE_CHECKING, Any

import httpx

from holdfast.hub.site.write import dump_site
from holdfast.simulators.kasa import LEGACY, Identity, KasaPlug, Plug
from tests.cli.plugs import Street, mac_of
from tests.web.house import NO_TLS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PATIENCE_S = 20.0
"""How long a test waits for what takes a second, on a machine that others use too."""


def plug(number: int) -> KasaPlug:
    """A plug at any free port."""
    return KasaPlug(
        Plug(Identity(mac=mac_of(number), alias=f"Plug {number}")), LEGACY, rng=random.Random(number)
    )


@contextlib.contextmanager
def street() -> Iterator[Street]:
    """The heater and the fridge."""
    with Street(plug(1), plug(2)) as plugs:
        yield plugs


def cellar_site(folder: Path, *ports: int, unit: str = "celsius", **controller: Any) -> Path:
    """A site file; ``controller`` replaces keys of its thermostat. Rests and runs have no length."""
    plugs = [
        {
            "id": ident,
            "adapters": [
                {"id": "lan", "driver": "kasa", "url": f"kasa://127.0.0.1:{port}", "kind": "legacy"}
            ],
        }
        for ident, port in zip(("heater", "fridge"), ports, strict=True)
    ]
    beer = {
        "id": "beer",
        "adapters": [{"id": "in", "driver": "push"}],
        "capabilities": {"temperature": {"unit": "°C", "deadline_s": 240, "minimum": -20, "maximum": 60}},
    }
    thermostat = {
        "id": "fermenter", "name": "Fermenter", "kind": "thermostat", "sensor": "beer/temperature",
        "heater": "heater/switch", "cooler": "fridge/switch", "low": 18, "high": 20, "heater_min_off_s": 0,
        "heater_min_on_s": 0, "cooler_min_off_s": 0, "cooler_min_on_s": 0, "dead_time_s": 0, **controller,
    }  # fmt: skip
    path = folder / "cellar.yaml"
    site = {"id": "cellar", "name": "Cellar", "temperature_unit": unit}
    path.write_text(dump_site({"site": site, "devices": [*plugs, beer], "controllers": [thermostat]}))
    return path


def post(url: str, celsius: float) -> None:
    """The sensor sends a temperature."""
    reading = {"target": "beer/temperature", "value": celsius}
    with httpx.Client(trust_env=False, verify=NO_TLS) as client:
        assert client.post(f"{url}/api/v1/readings", json=reading).json()["accepted"]


def until(condition: Callable[[], object]) -> None:
    """Wait until it holds."""
    end_t = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end_t, "it never came to hold"
        time.sleep(0.05)
