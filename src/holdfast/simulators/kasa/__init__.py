"""Simulated Kasa plugs: relay, meter and timer, and the device's side of the wire in all its kinds.

    async with KasaPlug(Plug(load_w=40.0), rng=random.Random(7)) as station:
        ...  # dial station.host, station.port
        station.plug.press()  # a hand on the button
        station.begin(Stall(which=Which.SET))  # from now on set commands stay without answer
        assert station.truth.most_connections <= 1

Logins need the package ``cryptography``, which comes with python-kasa. On the command line:
``python -m holdfast.simulators.kasa --port 9999 --profile calm``.
"""

from __future__ import annotations

from holdfast.simulators.kasa.behaviour import Behaviour, Handling, Reply, Welcome
from holdfast.simulators.kasa.demo import COOLER, DEMO_ACCOUNT, HEATER, demo_plugs
from holdfast.simulators.kasa.faults import (
    ButtonPress,
    ClosedDoor,
    Drop,
    ErrorCode,
    Fault,
    Forbidden,
    Garbage,
    HangUp,
    LateEffect,
    LostSession,
    MissingFields,
    NewFirmware,
    NoAnswer,
    NoEffect,
    Reboot,
    Refuse,
    RequestFault,
    Reset,
    ResetMidAnswer,
    ResetRequest,
    Slow,
    StaleRead,
    Stall,
    Unplugged,
    Welded,
    WrongLogin,
    WrongMac,
)
from holdfast.simulators.kasa.firmware import (
    CLOSED,
    DISCOVERY_PORT,
    HTTP_PORT,
    LEGACY,
    LEGACY_PORT,
    Encryption,
    Family,
    Firmware,
    klap_v1,
    klap_v2,
    smart,
)
from holdfast.simulators.kasa.klap import Account, LoginVersion
from holdfast.simulators.kasa.plug import Identity, Plug, TimerHabits
from holdfast.simulators.kasa.station import KasaPlug
from holdfast.simulators.kasa.timetable import PROFILES, Entry, Timetable, random_timetable
from holdfast.simulators.kasa.truth import (
    Cause,
    Crowd,
    Part,
    RelayChange,
    SetCommand,
    Truth,
    Which,
    WireRequest,
)

__all__ = [
    "CLOSED",
    "COOLER",
    "DEMO_ACCOUNT",
    "DISCOVERY_PORT",
    "HEATER",
    "HTTP_PORT",
    "LEGACY",
    "LEGACY_PORT",
    "PROFILES",
    "Account",
    "Behaviour",
    "ButtonPress",
    "Cause",
    "ClosedDoor",
    "Crowd",
    "Drop",
    "Encryption",
    "Entry",
    "ErrorCode",
    "Family",
    "Fault",
    "Firmware",
    "Forbidden",
    "Garbage",
    "Handling",
    "HangUp",
    "Identity",
    "KasaPlug",
    "LateEffect",
    "LoginVersion",
    "LostSession",
    "MissingFields",
    "NewFirmware",
    "NoAnswer",
    "NoEffect",
    "Part",
    "Plug",
    "Reboot",
    "Refuse",
    "RelayChange",
    "Reply",
    "RequestFault",
    "Reset",
    "ResetMidAnswer",
    "ResetRequest",
    "SetCommand",
    "Slow",
    "StaleRead",
    "Stall",
    "TimerHabits",
    "Timetable",
    "Truth",
    "Unplugged",
    "Welcome",
    "Welded",
    "Which",
    "WireRequest",
    "WrongLogin",
    "WrongMac",
    "demo_plugs",
    "klap_v1",
    "klap_v2",
    "random_timetable",
    "smart",
]
