"""Whether a posted value fits its capability, and what to say where it does not. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.drivers.push.options import LONGEST_TEXT
from holdfast.link.intake import DOUBTED, REPEATS, Limits
from holdfast.model import Reject, ValueType
from holdfast.options import shown

if TYPE_CHECKING:
    from holdfast.model import Capability, Value


def misfit(capability: Capability, value: Value) -> Reject | None:
    """Why a value is of the wrong kind; such a one is never believed, however often it comes."""
    key = capability.key
    match capability.type:
        case ValueType.BOOLEAN if not isinstance(value, bool):
            return Reject("type", f"{key} is true or false, not {shown(value)}")
        case ValueType.NUMBER if isinstance(value, bool) or not isinstance(value, int | float):
            return Reject("type", f"{key} is a number, not {shown(value)}")
        case ValueType.CHOICE if value not in capability.choices:
            return Reject("type", f"{key} is one of {', '.join(capability.choices)}, not {shown(value)}")
        case ValueType.TEXT if not isinstance(value, str) or len(value) > LONGEST_TEXT:
            return Reject("type", f"{key} is a text of up to {LONGEST_TEXT} characters, not {shown(value)}")
    return None


def objection(capability: Capability, value: Value) -> Reject | None:
    """What speaks against a value; outside its limits it is believed once it has come often enough (see intake)."""
    why = misfit(capability, value)
    if why is not None:
        return why
    limits = Limits.of(capability)
    if limits is None or not isinstance(value, int | float):
        return None
    fault = limits.fault_of(value, None, None)
    if fault is None:
        return None
    text = f"{capability.key} is {fault.shown}: {fault.what}"
    if fault.value == fault.value:  # not so for what is no measurement
        text += f"; it is believed, as suspect, once it has come {REPEATS} times alike"
    return Reject(DOUBTED, text)
