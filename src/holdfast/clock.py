"""Time, injected. Waits use the loop's monotonic clock, stamps are UTC, and suspend is noticed."""

from __future__ import annotations

import time
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import asyncio

SUSPEND_TOLERANCE_S = 2.0
"""The boot-time clock may run ahead of the monotonic one by this much before it counts as suspend.

Both are slewed alike, so a real difference only comes from sleep; 2 s is the shortest deadline we show.
"""


_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
"""Linux names each of its boots here; `CLOCK_BOOTTIME` counts from the same moment."""


def _boot() -> str:
    """The machine's boot, or this run of the program where boots have no names. Read once, when this is imported."""
    try:
        return _BOOT_ID.read_text("ascii").strip()
    except OSError:
        return f"run {uuid.uuid4()}"


_BOOT = _boot()


class Clock(Protocol):
    """Where all time comes from."""

    def monotonic(self) -> float:
        """Seconds on the loop's clock; never steps, may stand still while the machine sleeps."""
        ...

    def boottime(self) -> float:
        """Seconds on a clock that also counts sleep."""
        ...

    def now(self) -> datetime:
        """The wall clock in UTC; may jump."""
        ...

    @property
    def era(self) -> str:
        """Names the stretch in which values of `boottime` compare, also those of an earlier run of the program."""
        ...


class SystemClock:
    """The machine's clocks, as seen from one event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def monotonic(self) -> float:
        """Seconds on the loop's clock."""
        return self._loop.time()

    def boottime(self) -> float:
        """Seconds since boot, sleep included (falls back to the monotonic clock where unknown)."""
        boot = getattr(time, "CLOCK_BOOTTIME", None)
        return time.monotonic() if boot is None else time.clock_gettime(boot)

    def now(self) -> datetime:
        """The wall clock in UTC."""
        return datetime.now(UTC)

    @property
    def era(self) -> str:
        """The machine's boot, where it has a name; else this run of the program."""
        return _BOOT


class LoopClock:
    """A clock in which everything follows the loop's time: for virtual time and tests.

    ``sleep`` plays a suspend: the boot-time clock and the wall clock go on, the monotonic one does not.
    ``step`` moves only the wall clock.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, epoch: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    ) -> None:
        self._loop = loop
        self._zero = loop.time()
        self._epoch = epoch
        self._slept_s = 0.0
        self._stepped_s = 0.0
        self._boots = 1

    def monotonic(self) -> float:
        """Seconds on the loop's clock."""
        return self._loop.time()

    def boottime(self) -> float:
        """Seconds including played suspends."""
        return self._loop.time() + self._slept_s

    def now(self) -> datetime:
        """The wall clock in UTC."""
        passed_s = self._loop.time() - self._zero + self._slept_s + self._stepped_s
        return self._epoch + timedelta(seconds=passed_s)

    @property
    def era(self) -> str:
        """One boot, however often a hub starts in it; `reboot` begins the next."""
        return f"virtual boot {self._boots}"

    def reboot(self) -> None:
        """Play a restart of the machine: nothing tells any more how long ago something was but the wall clock."""
        self._boots += 1

    def sleep(self, seconds: float) -> None:
        """Play a suspend of the machine."""
        self._slept_s += seconds

    def step(self, seconds: float) -> None:
        """Move the wall clock only, as a time server or a person does."""
        self._stepped_s += seconds


class SuspendCheck:
    """Notices that the machine slept, by comparing the two clocks."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._offset_s = clock.boottime() - clock.monotonic()

    def slept_s(self) -> float:
        """Seconds slept since the last call, 0.0 if none worth speaking of."""
        offset_s = self._clock.boottime() - self._clock.monotonic()
        slept_s = offset_s - self._offset_s
        if slept_s < SUSPEND_TOLERANCE_S:
            return 0.0
        self._offset_s = offset_s
        return slept_s
