"""Decisions without any doing: what a controller is told goes in, what it wants comes out."""

from holdfast.control.alarm import Alarm, AlarmKind
from holdfast.control.decision import Decision, Output, State
from holdfast.control.evidence import UNREAD, Evidence, PlugEvidence, SensorEvidence
from holdfast.control.instant import Instant
from holdfast.control.limits import Band, EnteredBand, EnteredLimits, Limits
from holdfast.control.memory import (
    Memory,
    acknowledge,
    continue_profile,
    pause_profile,
    replace_plug,
    skip_step,
    start_profile,
    wake,
)
from holdfast.control.pair import Pair, Role
from holdfast.control.plug import PlugMemory
from holdfast.control.profile import Hold, HoldUntilGravity, Position, Ramp, Step
from holdfast.control.record import from_record, to_record
from holdfast.control.settings import ThermostatSettings, parse_settings
from holdfast.control.temperature import Unit
from holdfast.control.thermostat import decide, objection

__all__ = [
    "UNREAD",
    "Alarm",
    "AlarmKind",
    "Band",
    "Decision",
    "EnteredBand",
    "EnteredLimits",
    "Evidence",
    "Hold",
    "HoldUntilGravity",
    "Instant",
    "Limits",
    "Memory",
    "Output",
    "Pair",
    "PlugEvidence",
    "PlugMemory",
    "Position",
    "Ramp",
    "Role",
    "SensorEvidence",
    "State",
    "Step",
    "ThermostatSettings",
    "Unit",
    "acknowledge",
    "continue_profile",
    "decide",
    "from_record",
    "objection",
    "parse_settings",
    "pause_profile",
    "replace_plug",
    "skip_step",
    "start_profile",
    "to_record",
    "wake",
]
