"""The plug itself: relay, meter, timer and button. What it speaks on the network is its firmware's affair."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from holdfast.simulators.kasa.meter import Meter
from holdfast.simulators.kasa.timer import AutoOff, Countdown
from holdfast.simulators.kasa.truth import Cause, RelayChange, Truth

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast.simulators.kasa.meter import Flow


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Who the plug is."""

    mac: str = "50:C7:BF:00:00:01"
    """Colon form, upper case."""
    alias: str = "Plug"
    model: str = "HS110(EU)"
    device_id: str = "8006000000000000000000000000000000000001"
    hw_version: str = "2.0"
    sw_version: str = "1.5.6 Build 191125 Rel.083657"
    rssi: int = -54
    """dBm."""
    has_meter: bool = True


@dataclass(frozen=True, kw_only=True)
class TimerHabits:
    """What is not known of real timers (Kasa fact sheet section 9a), to be tried either way."""

    button_clears_rule: bool = False
    """Whether a press of the button forgets the countdown rule."""
    setting_restarts: bool = False
    """Whether setting automatic switching off while on counts anew."""
    on_restarts: bool = True
    """Whether "on" to a relay that is on already counts anew."""


@dataclass(frozen=True)
class Shown:
    """What the plug would tell of its relay and current at one moment."""

    is_on: bool
    on_for_s: float
    flow: Flow


class Plug:
    """One relay with what hangs on it. All time is the running loop's.

    ``load_w`` is what the appliance draws while current flows; ``truth`` is for outside observers. ``wall``
    tells the plug's own date; by default the loop's own (`utc_now`, in virtual time) or the machine's, in UTC.
    """

    def __init__(
        self,
        identity: Identity | None = None,
        *,
        load_w: float = 60.0,
        is_on: bool = False,
        habits: TimerHabits | None = None,
        wall: Callable[[], datetime] | None = None,
    ) -> None:
        self.identity = identity or Identity()
        self.habits = habits or TimerHabits()
        self.truth = Truth()
        self.meter = Meter()
        self.countdown = Countdown(self._time_is_up)
        self.auto_off = AutoOff(self._time_is_up)
        self.is_led_off = False
        self._wall = wall or _wall_clock
        self._is_on = is_on
        self._had_power_on = is_on
        self._has_power = True
        self._is_welded = False
        self._load_w = load_w
        self._on_since: float | None = None
        self._watchers: list[Callable[[RelayChange], None]] = []

    def __repr__(self) -> str:
        state = "on" if self._is_on else "off"
        return f"<Plug {self.identity.alias} {self.identity.mac} {state}>"

    # --- for outside observers ------------------------------------------------------------------------------

    @property
    def is_on(self) -> bool:
        """The relay, in truth."""
        return self._is_on

    @property
    def is_live(self) -> bool:
        """Whether current reaches the appliance: the relay is on, or its contacts are welded."""
        return self._has_power and (self._is_on or self._is_welded)

    @property
    def has_power(self) -> bool:
        """Whether the socket it sits in has power."""
        return self._has_power

    @property
    def load_w(self) -> float:
        """What the appliance draws, in W."""
        return self._load_w

    @load_w.setter
    def load_w(self, load_w: float) -> None:
        self._load_w = load_w
        self._measure()

    def watch(self, watcher: Callable[[RelayChange], None]) -> Callable[[], None]:
        """Tell ``watcher`` of each move of the relay, at once; returns how to stop that."""
        self._watchers.append(watcher)
        return lambda: self._watchers.remove(watcher)

    # --- what people and the world do -----------------------------------------------------------------------

    def press(self) -> None:
        """A hand presses the button."""
        if self._has_power:
            if self.habits.button_clears_rule:
                self.countdown.clear()
            self._move(not self._is_on, Cause.BUTTON)

    def weld(self, is_welded: bool = True) -> None:
        """Let the contacts stick: the relay's state changes, the current does not."""
        self._is_welded = is_welded
        self._measure()

    def cut_power(self) -> None:
        """No mains: nothing flows, rules and counts are forgotten."""
        self._had_power_on = self._is_on
        self._has_power = False
        self.countdown.clear()
        self.auto_off.stop()
        self._move(False, Cause.POWER_CUT)

    def restore_power(self, *, restores_relay: bool) -> None:
        """Mains again. The relay stays off or goes back to what it was."""
        self._has_power = True
        self._measure()
        if restores_relay and self._had_power_on:
            self._move(True, Cause.BOOT)

    # --- what its firmware does -----------------------------------------------------------------------------

    def switch(self, is_on: bool) -> None:
        """A command arrived."""
        if not self._has_power:
            return
        if is_on and self._is_on and self.habits.on_restarts:
            self.auto_off.start()
        self._move(is_on, Cause.COMMAND)

    def show(self) -> Shown:
        """Relay and current as they are."""
        on_for_s = 0.0
        if self._is_on:
            on_for_s = _now() - (self._on_since if self._on_since is not None else 0.0)
        return Shown(self._is_on, on_for_s, self.meter.read(self.wall()))

    def wall(self) -> datetime:
        """The plug's own date and time."""
        return self._wall()

    def start(self) -> None:
        """Begin to count time and energy."""
        if self._is_on and self._on_since is None:
            self._on_since = _now()
        self._measure()

    def stop(self) -> None:
        """Leave no timer behind."""
        self.countdown.clear()
        self.auto_off.stop()

    # --- inside -----------------------------------------------------------------------------------------------

    def _time_is_up(self, is_on: bool) -> None:
        if self._has_power:
            self._move(is_on, Cause.TIMER)

    def _move(self, is_on: bool, cause: Cause) -> None:
        if is_on != self._is_on:
            self._is_on = is_on
            self._on_since = _now() if is_on else None
            if is_on:
                self.auto_off.start()
            else:
                self.auto_off.stop()
            change = RelayChange(_now(), is_on, cause)
            self.truth.relay.append(change)
            for watcher in tuple(self._watchers):
                watcher(change)
        self._measure()

    def _measure(self) -> None:
        self.meter.set_power(self._load_w if self.is_live else 0.0, self.wall())


def _now() -> float:
    return asyncio.get_running_loop().time()


def _wall_clock() -> datetime:
    """In virtual time the loop has a wall clock of its own."""
    own = getattr(asyncio.get_running_loop(), "utc_now", None)
    now = datetime.now(UTC) if own is None else own()
    assert isinstance(now, datetime)  # noqa: S101 - tells the type checker
    return now
