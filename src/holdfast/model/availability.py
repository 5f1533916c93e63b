"""What users are told about a device, a link or an adapter, and why."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


class Availability(StrEnum):
    """The state of a device in one word."""

    ONLINE = "online"
    DEGRADED = "degraded"
    """Some essential readings are stale, or the session of the only usable adapter is lost."""
    OFFLINE = "offline"
    UNKNOWN = "unknown"
    """No attempt has ended yet."""


class ReasonCode(StrEnum):
    """The closed list of reasons, in order of precedence where several hold (see `PRECEDENCE`)."""

    OK = "ok"
    CONFIGURATION = "configuration"
    UNSUPPORTED = "unsupported"
    LOGIN_REFUSED = "login_refused"
    WRONG_DEVICE = "wrong_device"
    UNREACHABLE = "unreachable"
    SILENT = "silent"
    NONSENSE = "nonsense"
    MEMBER_MISSING = "member_missing"
    DISCOVERING = "discovering"
    CONNECTING = "connecting"
    INSECURE = "insecure"
    SUSPENDED = "suspended"
    STANDBY = "standby"
    """A reserve that rests: connected when it is needed."""
    STOPPED = "stopped"
    STORAGE = "storage"
    """What happens cannot be written down; the devices are not touched by it."""
    INTERNAL = "internal"


PRECEDENCE: tuple[ReasonCode, ...] = (
    ReasonCode.STOPPED,
    ReasonCode.CONFIGURATION,
    ReasonCode.UNSUPPORTED,
    ReasonCode.LOGIN_REFUSED,
    ReasonCode.INSECURE,
    ReasonCode.WRONG_DEVICE,
    ReasonCode.INTERNAL,
    ReasonCode.UNREACHABLE,
    ReasonCode.SILENT,
    ReasonCode.NONSENSE,
    ReasonCode.SUSPENDED,
    ReasonCode.STORAGE,
    ReasonCode.MEMBER_MISSING,
    ReasonCode.DISCOVERING,
    ReasonCode.CONNECTING,
    ReasonCode.STANDBY,
    ReasonCode.OK,
)
"""Which reason is told first when several hold: what a person must mend comes before what mends itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why something is as it is: a code, a sentence, since when, when it is tried next, and what to do."""

    code: ReasonCode = ReasonCode.OK
    text: str = ""
    since: datetime | None = None
    next_try_at: datetime | None = None
    advice: str = ""


OK = Reason()
