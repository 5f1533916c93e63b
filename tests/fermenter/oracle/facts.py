"""What is true: relays, packets, calls on the wire, what people asked for. Nothing of it comes from inside the hub."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from holdfast.control.temperature import from_entry
from tests.fermenter.cellar import SENSOR, Cellar
from tests.fermenter.plugs import READS, SETS, Move, WatchedPlug, WireCall

if TYPE_CHECKING:
    from collections.abc import Mapping

    from holdfast.hub.hub import Hub
    from holdfast.model import Reading

ROLES: Final = {"heater": "heater", "fridge": "cooler"}
"""What each plug's device is to the thermostat."""
SHOWN_AS: Final = {"heater": "fermenter/heating", "fridge": "fermenter/cooling"}
OTHER: Final = {"heater": "fridge", "fridge": "heater"}
SHOWN_EVERY_S: Final = 0.5
INSTANT_S: Final = 0.002
"""Things that happen within it happen at once: no order of them is right or wrong."""
CAUGHT_UP_S: Final = 8.0
"""A store that is well again is asked once more within 5 s."""
KEPT_S: Final = 0.06
"""What was told is in a healthy store so much later at the latest: entries gather for 0.05 s."""


@dataclass(frozen=True, slots=True)
class Look:
    """An answer that told a relay's state. ``is_sure``: whoever asked can have got it; else it may have been lost."""

    asked_t: float
    ended_t: float
    is_on: bool
    is_sure: bool


@dataclass(slots=True)
class PlugFacts:
    """One plug as it really is, and what the present hub has asked and told it."""

    ident: str
    plug: WatchedPlug
    looks: deque[Look] = field(default_factory=lambda: deque(maxlen=60))
    open_calls: list[WireCall] = field(default_factory=list)
    sets: deque[WireCall] = field(default_factory=lambda: deque(maxlen=20))
    moves: deque[Move] = field(default_factory=lambda: deque(maxlen=50))
    tried_t: float = -math.inf
    """When the last attempt to reach it or to switch it off ended; now, while one is under way."""
    well_since: float | None = 0.0
    """Since when nothing is wrong with it."""
    has_lost_power_at: float | None = None
    """When its own timer was last lost with its power."""
    pardon_t: float = -math.inf
    """Until when it may be left in peace for what it refused before."""
    rebuffing_until_t: float = -math.inf
    """It refuses logins, or has a moment ago: then it may be left in peace for longer."""
    taken_until_s: float = -math.inf
    """Until when a person has it, on the steady clock."""
    last_name: str = ""
    prepared_t: float = -math.inf
    """When what is sent now was decided: a newer plug's timer is set before it is switched on."""
    is_rewinding: bool = False
    """The present look serves a renewal of the plug's timer; it is no evidence for anybody else."""
    is_rewound: bool = False
    """So does the present switching."""

    @property
    def is_well(self) -> bool:
        """Whether it can be reached and does what it is told, and was not offended of late."""
        return self.well_since is not None and not self.is_rebuffing

    @property
    def is_rebuffing(self) -> bool:
        """See ``rebuffing_until_t``."""
        return asyncio.get_running_loop().time() < self.rebuffing_until_t

    @property
    def set_ended_t(self) -> float:
        """When the last switching call ended; infinite while one is under way."""
        return self.sets[-1].ended_t if self.sets else -math.inf

    def sure(self, now: float) -> Look | None:
        """The last look that the hub must know of."""
        for look in reversed(self.looks):
            if look.is_sure and look.ended_t <= now - INSTANT_S:
                return look
        return None

    def possible(self, now: float) -> list[Look]:
        """The looks that may be the hub's last one."""
        sure = self.sure(now)
        begin_t = -math.inf if sure is None else sure.asked_t
        return [look for look in self.looks if look.asked_t >= begin_t]

    def is_proven(self, *, is_on: bool, now: float, within_s: float) -> bool:
        """Whether the hub may have proof that the relay is so."""
        return any(
            look.is_on is is_on
            and now - look.asked_t <= within_s + INSTANT_S
            and look.asked_t >= self.set_ended_t - INSTANT_S
            for look in self.possible(now)
        )

    def opened_t(self, before_t: float) -> float:
        """When the relay last opened before that time."""
        return max((m.t for m in self.moves if not m.is_on and m.t <= before_t), default=-math.inf)

    def was_seen(self, *, is_on: bool, since_t: float, until_t: float) -> bool:
        """Whether an answer showed it so in between."""
        return any(
            look.is_on is is_on and since_t <= look.asked_t and look.ended_t <= until_t for look in self.looks
        )


class Facts:
    """All that is true at this moment."""

    def __init__(self, cellar: Cellar) -> None:
        self.cellar = cellar
        self.loop = cellar.loop
        self.plugs = {ident: PlugFacts(ident, plug) for ident, plug in cellar.plugs.items()}
        self.hub: Hub | None = None
        self.up_since: float = math.inf
        self.down_since: float = -math.inf
        self.is_stopping = False
        self.sent: tuple[float, object] | None = None
        """The last packet that a hub took which is a temperature: when, on the steady clock, and what."""
        self.sent_grid: int | None = None
        """The same in millionths of °C."""
        self._limits_of: tuple[object, object] = (None, None)
        self._limits: tuple[int, int] | None = None
        self.odd: bool = False
        """The last packet was none."""
        self.wanted: dict[str, Any] = self._controller(cellar.site)
        self.site = dict(self.wanted)
        self.entered_t = -math.inf
        """When a person last set something."""
        self._may_have_lost = False
        self._unsure_until_t = -math.inf
        self.store_sick_since: float | None = None
        self.store_well_since: float = -math.inf
        self._store_sick_before: float = -math.inf
        self.assigned_t = self.now
        """When another sensor was assigned."""
        self.has_stepped = False
        """The wall clock has been moved since then."""
        self.shown: dict[str, Reading] = {}
        """What the thermostat showed when it was last looked at, by target."""
        self.is_shown_anew = False
        """That is now."""
        self._shown_t = -math.inf
        self.alarms_on: set[str] = set()
        """Targets of the alarms that were told and have not ended."""
        self.slept_s = -math.inf
        """When the machine last slept, on the loop's clock."""
        self._bridges: list[tuple[float, float]] = [(-math.inf, 0.0)]
        self._unsafe: dict[str, dict[str, float]] = {ident: {} for ident in self.plugs}

    # --- clocks ------------------------------------------------------------------------------------------------------

    @property
    def now(self) -> float:
        """The loop's time."""
        return self.loop.time()

    @property
    def steady(self) -> float:
        """The clock that also counts sleep."""
        return self.cellar.clock.boottime()

    def steady_at(self, t: float) -> float:
        """The same at an earlier time of the loop."""
        return t + next(slept for at, slept in reversed(self._bridges) if at <= t)

    def slept(self, seconds: float) -> None:
        """The machine slept: whatever was known before is old."""
        self.slept_s = self.now
        self.sent = None
        self._bridges.append((self.now, self._bridges[-1][1] + seconds))
        for plug in self.plugs.values():
            plug.looks.clear()

    # --- the hub's life ----------------------------------------------------------------------------------------------

    def started(self, hub: Hub) -> None:
        """Another hub: it knows nothing of what the one before saw."""
        self.hub, self.up_since, self.is_stopping = hub, self.now, False
        self.down_since = math.inf
        self.sent, self.odd = None, False
        self.site_changed(self.cellar.site)
        self._unsure_until_t = -math.inf
        if not self.cellar.was_restored or self._may_have_lost:
            self._unsure_until_t = self.now + CAUGHT_UP_S
        if not self.cellar.was_restored:  # whoever cannot read since when, takes it for new
            self.assigned_t = self.now
        for plug in self.plugs.values():
            plug.looks.clear()
            plug.sets.clear()
            plug.open_calls.clear()
            plug.tried_t = self.now
            plug.taken_until_s = -math.inf
        for reasons in self._unsafe.values():
            reasons.clear()

    def ended(self) -> None:
        """No hub."""
        self.hub, self.up_since, self.down_since = None, math.inf, self.now
        is_new = self.now - self.entered_t <= KEPT_S
        self._may_have_lost = (
            is_new or self.store_sick_since is not None or self.now < self.store_well_since + CAUGHT_UP_S
        )
        for plug in self.plugs.values():
            plug.open_calls.clear()

    def up_s(self) -> float:
        """For how long there has been a hub."""
        return self.now - self.up_since

    # --- the site ----------------------------------------------------------------------------------------------------

    @staticmethod
    def _controller(site: Mapping[str, Any]) -> dict[str, Any]:
        controllers = site.get("controllers") or [{}]
        return dict(controllers[0])

    def site_changed(self, site: Mapping[str, Any]) -> None:
        """What the site says anew holds from now on."""
        new = self._controller(site)
        if new.get("sensor") != self.site.get("sensor"):
            self.assigned_t, self.has_stepped = self.now, False
        for key in {*new, *self.site}:
            if repr(new.get(key)) != repr(self.site.get(key)):
                self.wanted[key] = new.get(key)
        self.site = new

    def entered(self, key: str, value: object) -> None:
        """A person set something while the hub runs."""
        self.wanted[key] = value
        self.entered_t = self.now

    def limits(self) -> tuple[int, int] | None:
        """The limits in millionths of °C; none where they are no limits."""
        entered = (self.wanted.get("low"), self.wanted.get("high"))
        if entered != self._limits_of:
            self._limits_of, self._limits = entered, _limits(*entered)
        return self._limits

    @property
    def temperature(self) -> int | None:
        """What the sensor said last, in millionths of °C, if that is fresh."""
        if (
            self.sent is None
            or self.steady - self.sent[0] >= self.fresh_s
            or self.wanted.get("sensor") != SENSOR
        ):
            return None
        return self.sent_grid

    @property
    def fresh_s(self) -> float:
        """How old a reading may be."""
        return float(self.wanted.get("fresh_s") or 240.0)

    # --- safety ------------------------------------------------------------------------------------------------------

    def unsafe(self, ident: str) -> float | None:
        """Since when (the loop's time) this plug must be off; none if it need not."""
        reasons = self._unsafe[ident]
        return min(reasons.values()) if reasons else None

    def why_unsafe(self, ident: str) -> str:
        """In words."""
        return ", ".join(self._unsafe[ident])

    def take(self) -> None:
        """Look at all that the thermostat shows, now and then: it is a lot."""
        self.is_shown_anew = self.now - self._shown_t >= SHOWN_EVERY_S
        if self.is_shown_anew:
            self._shown_t = self.now
            self.shown = {reading.target: reading for reading in self.cellar.readings("fermenter")}

    def value(self, target: str) -> object:
        """What the thermostat showed when it was last looked at."""
        reading = self.shown.get(target)
        return None if reading is None else reading.value

    def look(self) -> None:
        """Note what is unsafe from now on."""
        if self.cellar.is_catching_up:
            self._unsure_until_t = self.now + CAUGHT_UP_S
        if self.now <= self._unsure_until_t:
            self._believe()
        for ident in self.plugs:
            present = self._reasons(ident)
            known = self._unsafe[ident]
            for gone in known.keys() - present:
                del known[gone]
            for new in present - known.keys():
                known[new] = self.now

    def _believe(self) -> None:
        """What people set may have been lost with the store: what the hub shows holds until it is read again."""
        for key in ("low", "high", "enabled"):
            shown = self.cellar.value(f"fermenter/{key}")
            if shown is not None:  # limits that cannot be used are not shown
                self.wanted[key] = shown

    def _reasons(self, ident: str) -> set[str]:
        if self.hub is None:
            return set()
        found = set()
        is_by_hand = self.is_taken(ident) and not self.wanted.get("enabled", True)
        if self.temperature is None and not is_by_hand:  # switched off by a person, who uses the plug himself
            found.add("no fresh reading")
        if not self.wanted.get("enabled", True) and not self.is_taken(ident):
            found.add("not enabled")
        mode = "heating_enabled" if ident == "heater" else "cooling_enabled"
        if not self.wanted.get(mode, True) and not self.is_taken(ident):
            found.add(f"not {mode}")
        if self.limits() is None:
            found.add("no usable limits")
        if self.is_stopping:
            found.add("the hub stops")
        return found

    def is_taken(self, ident: str) -> bool:
        """Whether a person has the plug."""
        return self.steady < self.plugs[ident].taken_until_s

    # --- the store ---------------------------------------------------------------------------------------------------

    def store_fails(self) -> None:
        """The store is sick or slow."""
        if self.store_sick_since is None:
            self.store_sick_since = self.now

    def store_recovers(self) -> None:
        """It is well again; what waits is written soon."""
        if self.store_sick_since is not None:
            self._store_sick_before = self.store_sick_since
            self.store_sick_since, self.store_well_since = None, self.now

    def store_well_since_told(self) -> float:
        """What was told after this may not be in the store yet, because of its last illness."""
        return self._store_sick_before if self.now - self.store_well_since < CAUGHT_UP_S else math.inf

    # --- what happens to plugs ---------------------------------------------------------------------------------------

    def facts_of(self, plug: WatchedPlug) -> PlugFacts:
        """The facts of that plug."""
        return next(each for each in self.plugs.values() if each.plug is plug)

    def call_begun(self, facts: PlugFacts, call: WireCall) -> None:
        """Note a call."""
        facts.open_calls.append(call)
        facts.is_rewound = call.what == "on" and facts.is_rewinding
        if call.what in SETS and not facts.is_rewound:
            facts.sets.append(call)
        if not (call.what == "on" and facts.last_name == "arm"):
            facts.prepared_t = call.begun_t
        facts.is_rewinding = call.what == "update" and facts.last_name == "arm"
        facts.last_name = call.what
        if call.what in ("connect", "off"):
            facts.tried_t = self.now

    def call_ended(self, facts: PlugFacts, call: WireCall) -> None:
        """Note its end."""
        if call in facts.open_calls:
            facts.open_calls.remove(call)
        if call.what in ("connect", "off"):
            facts.tried_t = self.now
        if call.is_answered and call.what in READS and call.is_on is not None:
            is_sure = call.what == "plain" or (facts.plug.is_smart and not facts.is_rewinding)
            facts.looks.append(Look(call.begun_t, self.now, call.is_on, is_sure))
        elif call.is_answered and call.what == "timer" and call.is_on is not None:
            before = facts.looks[-1] if facts.looks else None
            if before is not None and abs(before.ended_t - call.begun_t) < INSTANT_S:
                facts.looks[-1] = Look(before.asked_t, self.now, before.is_on, is_sure=True)
            else:  # a short look asks for relay and timer in one message
                facts.looks.append(Look(call.begun_t, self.now, call.is_on, is_sure=True))

    def moved(self, facts: PlugFacts, move: Move) -> None:
        """Note a move."""
        facts.moves.append(move)


def _limits(low: object, high: object) -> tuple[int, int] | None:
    try:
        found = from_entry(low), from_entry(high)
    except ValueError:
        return None
    return found if found[0] < found[1] else None
