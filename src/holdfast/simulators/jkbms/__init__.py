"""A simulated stack of JK batteries: an RS485 bus with a master, gateways to it, and faults behind both.

    rng = random.Random(7)
    async with demo_bus(rng=rng) as bus, Gateway(bus, rng=rng) as gateway:
        ...  # dial gateway.host, gateway.port
        bus.battery(1).current_a = 40.0  # the sun comes out
        gateway.begin(Stall())  # from now on it is silent
        assert gateway.counts[1, FrameKind.LIVE]  # whole frames that a client could read

On the command line: ``python -m holdfast.simulators.jkbms --port 8899 --batteries 16 --profile calm``.
"""

from __future__ import annotations

from holdfast.simulators.jkbms.battery import MASTER, MOST_BATTERIES, Alarm, Battery
from holdfast.simulators.jkbms.behaviour import (
    BusBehaviour,
    Crowding,
    Line,
    OutletBehaviour,
    Packing,
    Scan,
    Welcome,
    Wiring,
)
from holdfast.simulators.jkbms.ble import BleBattery
from holdfast.simulators.jkbms.bus import Bus, Transmission
from holdfast.simulators.jkbms.day import day_of, idle, sunny_day
from holdfast.simulators.jkbms.demo import DEMO_BATTERIES, demo_bus, demo_pack, stack_of
from holdfast.simulators.jkbms.faults import (
    Blank,
    BusFault,
    DeadSockets,
    DropBytes,
    Fault,
    Finish,
    FlipBit,
    FlipPair,
    HalfFrames,
    Junk,
    NoiseOnly,
    NoMaster,
    OutletFault,
    Reboot,
    Refuse,
    Repack,
    Reset,
    SecondMaster,
    SilentBattery,
    Splice,
    Stall,
    SwapAddresses,
)
from holdfast.simulators.jkbms.frames import (
    SECRET_MARK,
    Frame,
    FrameKind,
    InfoFrame,
    Layout,
    LiveFrame,
    SettingsFrame,
    encode,
    encode_info,
    encode_live,
    encode_settings,
)
from holdfast.simulators.jkbms.gateway import Gateway
from holdfast.simulators.jkbms.outlet import Outlet
from holdfast.simulators.jkbms.serial_port import SerialPort
from holdfast.simulators.jkbms.timetable import PROFILES, Entry, Timetable, random_timetable
from holdfast.simulators.jkbms.timing import Timing
from holdfast.simulators.jkbms.truth import Damage, Deception, Harm, Receiver, Said, WholeFrame
from holdfast.simulators.jkbms.units import Poll, PollReader, crc16, poll, reply

__all__ = [
    "DEMO_BATTERIES",
    "MASTER",
    "MOST_BATTERIES",
    "PROFILES",
    "SECRET_MARK",
    "Alarm",
    "Battery",
    "Blank",
    "BleBattery",
    "Bus",
    "BusBehaviour",
    "BusFault",
    "Crowding",
    "Damage",
    "DeadSockets",
    "Deception",
    "DropBytes",
    "Entry",
    "Fault",
    "Finish",
    "FlipBit",
    "FlipPair",
    "Frame",
    "FrameKind",
    "Gateway",
    "HalfFrames",
    "Harm",
    "InfoFrame",
    "Junk",
    "Layout",
    "Line",
    "LiveFrame",
    "NoMaster",
    "NoiseOnly",
    "Outlet",
    "OutletBehaviour",
    "OutletFault",
    "Packing",
    "Poll",
    "PollReader",
    "Reboot",
    "Receiver",
    "Refuse",
    "Repack",
    "Reset",
    "Said",
    "Scan",
    "SecondMaster",
    "SerialPort",
    "SettingsFrame",
    "SilentBattery",
    "Splice",
    "Stall",
    "SwapAddresses",
    "Timetable",
    "Timing",
    "Transmission",
    "Welcome",
    "WholeFrame",
    "Wiring",
    "crc16",
    "day_of",
    "demo_bus",
    "demo_pack",
    "encode",
    "encode_info",
    "encode_live",
    "encode_settings",
    "idle",
    "poll",
    "random_timetable",
    "reply",
    "stack_of",
    "sunny_day",
]
