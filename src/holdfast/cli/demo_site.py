"""The demo house as a site: what somebody with that controller would write into a site file."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from holdfast.simulators.ipcom import (
    DEMO_ACCOUNT,
    DEMO_DIMMERS,
    DEMO_LIGHTS,
    DEMO_MODULES,
    DEMO_SHUTTERS,
    IpcomController,
    Life,
    ModuleKind,
    Spot,
    demo_house,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

DEVICE = "house"
RESIDENTS_PAUSE_S = 6.0
"""One press of a wall switch in so many seconds: livelier than a real house, as a demo should be."""


def demo_controller(seed: int | None = None) -> IpcomController:
    """A controller for the demo house, on a free port of this machine."""
    house = demo_house()
    life = replace(house.life or Life(), mean_pause_s=RESIDENTS_PAUSE_S)
    return IpcomController(replace(house, life=life), rng=random.Random(seed))


def demo_mapping(
    host: str, port: int, *more: Mapping[str, Any], controllers: Sequence[Mapping[str, Any]] = ()
) -> dict[str, Any]:
    """The site, as a mapping of the keys that a site file has; ``more`` are devices besides the house."""
    user, password = DEMO_ACCOUNT
    modules = {
        number: {
            "kind": module.kind.value,
            **({"scale": module.scale} if module.kind is ModuleKind.DIMMER else {}),
        }
        for number, module in DEMO_MODULES.items()
    }
    lights = {
        name: {**_spot(spot), "kind": "light", "name": name.capitalize()}
        for name, spot in DEMO_LIGHTS.items()
    }
    dimmers = {
        name: {**_spot(spot), "kind": "dimmer", "name": name.capitalize()}
        for name, spot in DEMO_DIMMERS.items()
    }
    covers = {
        name: {"kind": "cover", "up": _spot(pair.up), "down": _spot(pair.down), "name": name.capitalize()}
        for name, pair in DEMO_SHUTTERS.items()
    }
    adapter = {
        "id": "lan",
        "driver": "ipcom",
        "url": f"tcp://{host}:{port}",
        "username": user,
        "password": password,
    }
    return {
        "site": {"id": "demo", "name": "Demo house"},
        "devices": [
            {
                "id": DEVICE,
                "name": "House",
                "adapters": [adapter],
                "options": {"modules": modules},
                "outputs": {**lights, **dimmers, **covers},
            },
            *more,
        ],
        "controllers": list(controllers),
    }


def _spot(spot: Spot) -> dict[str, int]:
    return {"module": spot.module, "output": spot.output}
