"""I10: one incident is one alarm event, in time, and over only by the condition that ends it; also over a restart."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from holdfast.hub.events import Kind
from tests.fermenter.cellar import SENSOR
from tests.fermenter.oracle.check import Check
from tests.fermenter.oracle.facts import INSTANT_S, KEPT_S

if TYPE_CHECKING:
    from holdfast.hub.events import Record
    from holdfast.hub.hub import Hub

IN_TIME_S: Final = 20.0
"""An alarm is raised so soon after its incident."""
EARLY_S: Final = 0.02
"""Readings grow stale a tick early rather than late."""
GRACE_S: Final = 900.0
"""The silence of a newly assigned sensor is none for so long."""
NO_ANSWER_S: Final = 30.0 + 40.0
"""A plug's answers hold for three polls, and a command may be under way for forty seconds."""
AFTERMATH_S: Final = 120.0
"""What went wrong with a plug may be complained of until so long after it ended."""
UNREACHABLE: Final = {"heater": "heater_unreachable", "fridge": "cooler_unreachable"}


class Alarms(Check):
    """See the module. An alarm that was told a moment before a kill may be told again."""

    name = "I10 alarms"

    def __init__(self, *more: object) -> None:
        super().__init__(*more)  # type: ignore[arg-type]
        self._on: dict[str, float] = {}
        self._told: dict[str, float] = {}
        self._doubtful: set[str] = set()
        self._since: dict[str, float] = {}
        self._is_acknowledged = False
        self._were_kept = True

    def hub_starts(self, hub: Hub) -> None:
        """See `Check`."""
        self._since.clear()
        was_restored = self.facts.cellar.was_restored
        if not (
            was_restored and self._were_kept
        ):  # what an unread store still has is set right at the next start
            self._doubtful |= {*self._on, *self._told}
        self._were_kept = was_restored

    def hub_ended(self, *, is_killed: bool) -> None:
        """See `Check`."""
        sick = self.facts.store_sick_since
        unsafe_since = (
            self.facts.now - KEPT_S if sick is None else min(sick - KEPT_S, self.facts.now - KEPT_S)
        )
        unsafe_since = min(unsafe_since, self.facts.store_well_since_told())
        for target, told_t in self._told.items():
            if told_t >= unsafe_since:
                self._doubtful.add(target)

    def acknowledged(self) -> None:
        """A person has said that the plugs are right."""
        self._is_acknowledged = True

    def heard(self, record: Record) -> None:
        """See `Check`."""
        if record.kind is not Kind.ALARM:
            return
        target, is_on = record.payload["target"], record.payload["is_on"]
        ident, _, kind = target.partition("/")
        if ident != "fermenter":
            return
        self.judged += 1
        facts = self.facts
        facts.look()
        is_doubtful = target in self._doubtful
        self._doubtful.discard(target)
        if is_on and target in self._on and not is_doubtful:
            self.fail(f"{target} is told again: {record.payload['text']}")
        # A hub that reads its store late may end what an earlier one began.
        if not is_on and target not in self._on and not is_doubtful and facts.cellar.was_restored:
            self.fail(f"{target} ends without having begun")
        self._told[target] = facts.now
        if is_on:
            self._on[target] = facts.now
            why = self._unfounded(kind)
        else:
            self._on.pop(target, None)
            why = self._too_early(kind)
        if why and not is_doubtful and (is_on or facts.cellar.was_restored):
            self.fail(f"{target} {'begins' if is_on else 'ends'} although {why}: {record.payload['text']}")

    def _unfounded(self, kind: str) -> str:
        """Why this alarm has no cause now; empty if it may have one."""
        facts = self.facts
        t, limits = facts.temperature, facts.limits()
        match kind:
            case "no_reading":
                age_s = math.inf if facts.sent is None else facts.steady - facts.sent[0]
                is_young = t is not None and age_s < facts.fresh_s - EARLY_S
                if is_young and not facts.odd and facts.now - facts.slept_s > 1.0:
                    return "there is a fresh reading"
            case "configuration":
                return "" if limits is None else "the limits are usable"
            case "below_low":
                return "" if limits and t is not None and t < limits[0] else f"{t} is not below {limits}"
            case "above_high":
                return "" if limits and t is not None and t > limits[1] else f"{t} is not above {limits}"
            case "heater_unreachable" | "cooler_unreachable":
                plug = facts.plugs["heater" if kind.startswith("heater") else "fridge"]
                last_s = max(facts.slept_s, facts.up_since, plug.well_since or facts.now)
                return "" if facts.now - last_s < AFTERMATH_S else "nothing is wrong with it"
        return ""

    def _too_early(self, kind: str) -> str:
        """Why this alarm should go on; empty if it may end."""
        facts = self.facts
        t, limits = facts.temperature, facts.limits()
        is_enabled = facts.wanted.get("enabled", True)
        match kind:
            case "no_reading":
                is_graced = facts.now - facts.assigned_t < GRACE_S or facts.has_stepped
                return "" if t is not None or not is_enabled or is_graced else "there is no fresh reading"
            case "configuration":
                return "" if limits is not None else "the limits are not usable"
            case "below_low":
                over = not is_enabled or (limits is not None and t is not None and t >= limits[1])
                return "" if over else f"{t} has not reached the high limit of {limits}"
            case "above_high":
                over = not is_enabled or (limits is not None and t is not None and t <= limits[0])
                return "" if over else f"{t} has not reached the low limit of {limits}"
            case "heater_unreachable" | "cooler_unreachable":
                plug = facts.plugs["heater" if kind.startswith("heater") else "fridge"]
                is_known = any(facts.now - look.asked_t <= NO_ANSWER_S for look in plug.possible(facts.now))
                return "" if is_known or plug.open_calls else "it has not answered"
            case "swapped_plugs":
                return "" if self._is_acknowledged else "nobody has acknowledged it"
        return ""

    def look(self) -> None:
        """See `Check`."""
        facts = self.facts
        if facts.is_stopping:
            return
        t, limits, is_enabled = facts.temperature, facts.limits(), facts.wanted.get("enabled", True)
        is_graced = facts.now - facts.assigned_t < GRACE_S + 1.0 or facts.has_stepped
        is_silent = t is None and is_enabled and not is_graced and facts.wanted.get("sensor") == SENSOR
        self._due("no_reading", is_silent and facts.up_s() > facts.fresh_s + INSTANT_S, 0.0)
        self._due("configuration", limits is None, 0.0)
        is_known = is_enabled and limits is not None and t is not None and not facts.odd
        self._due("below_low", is_known and limits is not None and t is not None and t < limits[0], 0.0)
        self._due("above_high", is_known and limits is not None and t is not None and t > limits[1], 0.0)
        for ident, kind in UNREACHABLE.items():
            looks = facts.plugs[ident].possible(facts.now)
            is_dumb = not looks or facts.now - looks[-1].ended_t > NO_ANSWER_S
            self._due(kind, is_dumb and facts.up_s() > NO_ANSWER_S, IN_TIME_S)

    def _stands(self, target: str) -> bool:
        """Whether a hub began with it on: its end was told, and the store was too sick to keep that."""
        hub = self.facts.cellar.hub
        return target in self._doubtful and hub is not None and tuple(target.split("/")) in hub.alarms

    def _due(self, kind: str, is_due: bool, more_s: float) -> None:
        target = f"fermenter/{kind}"
        if not is_due or target in self._on or self._stands(target):
            self._since.pop(kind, None)
            return
        since = self._since.setdefault(kind, self.facts.now)
        self.judged += 1
        if self.facts.now - since > IN_TIME_S + more_s:
            self._since[kind] = math.inf
            self.fail(f"{target} is not raised after {self.facts.now - since:.0f} s")


class Work(Check):
    """What the temperature asks for is done once nothing stands in the way: nothing is locked out for good."""

    name = "I5 work"

    LATEST_S: Final = 60.0
    PAUSE_S: Final = 600.0

    def __init__(self, *more: object) -> None:
        super().__init__(*more)  # type: ignore[arg-type]
        self._since: dict[str, float] = {}

    def hub_starts(self, hub: Hub) -> None:
        """See `Check`."""
        self._since.clear()

    def look(self) -> None:
        """See `Check`."""
        facts = self.facts
        limits, t = facts.limits(), facts.temperature
        for ident, plug in facts.plugs.items():
            other = facts.plugs["fridge" if ident == "heater" else "heater"]
            is_asked = (
                limits is not None
                and t is not None
                and (t <= limits[0] if ident == "heater" else t >= limits[1])
            )
            is_free = (
                is_asked
                and facts.unsafe(ident) is None
                and not facts.odd
                and not facts.is_stopping
                and all(each.is_well for each in facts.plugs.values())
                and not (facts.is_taken("heater") or facts.is_taken("fridge"))
                and not plug.plug.is_on
                and not other.plug.is_on
                and "fermenter/swapped_plugs" not in facts.alarms_on
                and facts.now - facts.slept_s > self.LATEST_S
            )
            if not is_free:
                self._since.pop(ident, None)
                continue
            since = self._since.setdefault(ident, facts.now)
            self.judged += 1
            if facts.now - since > self.PAUSE_S + self.LATEST_S:
                self.fail(
                    f"{ident} is asked for and free for {facts.now - since:.0f} s, and is not on: "
                    f"{self.value('fermenter/reason')}"
                )
