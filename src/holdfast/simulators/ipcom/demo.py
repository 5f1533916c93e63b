"""A pleasant small house to try things on: eight lights, three dimmers, two shutters, and people in it."""

from __future__ import annotations

from types import MappingProxyType

from holdfast.simulators.ipcom.behaviour import Behaviour
from holdfast.simulators.ipcom.controller import ControllerConfig
from holdfast.simulators.ipcom.house import FULL, Module, ModuleKind, Pair, Spot, offset
from holdfast.simulators.ipcom.life import Life
from holdfast.simulators.ipcom.messages import MODULES, OUTPUTS
from holdfast.simulators.ipcom.timetable import Timetable

DEMO_ACCOUNT = ("demo", "demo")
"""User name and password of the demo house."""

DEMO_LIGHTS = MappingProxyType(
    {
        "hall": Spot(1, 1),
        "kitchen": Spot(1, 2),
        "dining": Spot(1, 3),
        "stairs": Spot(1, 4),
        "office": Spot(2, 1),
        "bath": Spot(2, 2),
        "garage": Spot(2, 3),
        "garden": Spot(2, 4),
    }
)
"""Lights on relays."""

DEMO_DIMMERS = MappingProxyType({"salon": Spot(6, 1), "bedroom": Spot(6, 2), "reading": Spot(6, 3)})
"""Lights on a dimmer module with a scale of 100."""

DEMO_SHUTTERS = MappingProxyType(
    {
        "blind": Pair(down=Spot(5, 7), up=Spot(5, 8), name="blind"),
        "awning": Pair(down=Spot(5, 5), up=Spot(5, 6), name="awning"),
    }
)
"""Shutters: odd output down, next even one up, as the vendor has it."""

DEMO_MODULES = MappingProxyType({5: Module(ModuleKind.SHUTTER), 6: Module(ModuleKind.DIMMER)})
"""The modules that are not relay modules."""


def demo_house(*, life: bool = True, timetable: Timetable | None = None) -> ControllerConfig:
    """The demo house, with a light and a dimmer on; without ``life`` nobody presses a wall switch."""
    outputs = bytearray(MODULES * OUTPUTS)
    outputs[offset(DEMO_LIGHTS["hall"])] = FULL
    outputs[offset(DEMO_DIMMERS["salon"])] = 40
    shutters = tuple(DEMO_SHUTTERS.values())
    return ControllerConfig(
        modules=DEMO_MODULES,
        pairs=shutters,
        outputs=bytes(outputs),
        behaviour=Behaviour(
            accounts=dict((DEMO_ACCOUNT,)), reply_delay_s=(0.001, 0.004), bus_delay_s=(0.02, 0.06)
        ),
        timetable=timetable or Timetable(),
        life=Life(lights=(*DEMO_LIGHTS.values(), *DEMO_DIMMERS.values()), shutters=shutters)
        if life
        else None,
    )
