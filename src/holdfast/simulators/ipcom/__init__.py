"""A simulated IPCom controller: the device's side of the wire, with a house, people and faults behind it.

    async with IpcomController(demo_house(), rng=random.Random(7)) as controller:
        ...  # dial controller.host, controller.port
        controller.house.press(1, 2)  # a hand on the wall
        controller.begin(Stall())  # from now on it is silent
        assert not controller.judge.violations  # of the shutters' interlock

On the command line: ``python -m holdfast.simulators.ipcom --port 5000 --profile calm``.
"""

from __future__ import annotations

from holdfast.simulators.ipcom.behaviour import Behaviour, Crowding, Line, LoginReply, Welcome, WriteReply
from holdfast.simulators.ipcom.connection import What
from holdfast.simulators.ipcom.controller import ControllerConfig, Event, IpcomController
from holdfast.simulators.ipcom.demo import (
    DEMO_ACCOUNT,
    DEMO_DIMMERS,
    DEMO_LIGHTS,
    DEMO_MODULES,
    DEMO_SHUTTERS,
    demo_house,
)
from holdfast.simulators.ipcom.faults import (
    Drop,
    Duplicate,
    Fault,
    Freeze,
    Garbage,
    Glue,
    Goodbye,
    Late,
    LoseReplies,
    LoseWrites,
    NewKeys,
    Refuse,
    Reset,
    SlowBus,
    Split,
    Stall,
    StuckRelay,
    Truncate,
    Unsolicited,
    WriteReplies,
    WrongPassword,
)
from holdfast.simulators.ipcom.house import Cause, Change, Frame, House, Module, ModuleKind, Over, Pair, Spot
from holdfast.simulators.ipcom.judge import InterlockJudge, Reversal, Violation
from holdfast.simulators.ipcom.life import Life, Residents
from holdfast.simulators.ipcom.timetable import PROFILES, Entry, Timetable, random_timetable

__all__ = [
    "DEMO_ACCOUNT",
    "DEMO_DIMMERS",
    "DEMO_LIGHTS",
    "DEMO_MODULES",
    "DEMO_SHUTTERS",
    "PROFILES",
    "Behaviour",
    "Cause",
    "Change",
    "ControllerConfig",
    "Crowding",
    "Drop",
    "Duplicate",
    "Entry",
    "Event",
    "Fault",
    "Frame",
    "Freeze",
    "Garbage",
    "Glue",
    "Goodbye",
    "House",
    "InterlockJudge",
    "IpcomController",
    "Late",
    "Life",
    "Line",
    "LoginReply",
    "LoseReplies",
    "LoseWrites",
    "Module",
    "ModuleKind",
    "NewKeys",
    "Over",
    "Pair",
    "Refuse",
    "Reset",
    "Residents",
    "Reversal",
    "SlowBus",
    "Split",
    "Spot",
    "Stall",
    "StuckRelay",
    "Timetable",
    "Truncate",
    "Unsolicited",
    "Violation",
    "Welcome",
    "What",
    "WriteReplies",
    "WriteReply",
    "WrongPassword",
    "demo_house",
    "random_timetable",
]
