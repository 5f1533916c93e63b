"""One adapter at work: it ties a device to a link and keeps what came through it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from holdfast.link.evidence import GroupEvidence
from holdfast.link.planner import Sight

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from holdfast.link.device import LinkedDevice
    from holdfast.link.driver import Driver
    from holdfast.link.link import Link
    from holdfast.model import Adapter, Capability


class Attachment:
    """An adapter of a device on its link."""

    __slots__ = ("adapter", "device", "driver", "groups", "is_wanted", "link", "members")

    def __init__(self, device: LinkedDevice, adapter: Adapter, driver: Driver, link: Link) -> None:
        self.device = device
        self.adapter = adapter
        self.driver = driver
        self.link = link
        self.is_wanted = True
        self.members = set(driver.members)
        self.groups: dict[tuple[str, str], GroupEvidence] = {}
        by_group: dict[tuple[str, str], list[Capability]] = {}
        for capability in driver.capabilities:
            by_group.setdefault((capability.member, capability.group), []).append(capability)
        intervals = {(poll.member, poll.group): poll.every_s for poll in driver.polls}
        for (member, group), capabilities in by_group.items():
            interval_s = intervals.get((member, group))
            self.groups[member, group] = GroupEvidence(self, member, group, capabilities, interval_s)

    def take_in(self, member: str, group: str, raw: Any) -> GroupEvidence | None:
        """A member or group made itself known; ``None`` if the driver makes nothing of it."""
        learn = self.driver.learn
        capabilities = learn(member, group, raw) if learn is not None else ()
        mine = [each for each in capabilities if each.group == group]
        if not mine:
            return None
        self.members.add(member)
        evidence = self.groups[member, group] = GroupEvidence(self, member, group, mine, None)
        self.link.adopt(evidence)
        self.device.learned(mine)
        return evidence

    def recall(self, member: str, keys: Sequence[str]) -> None:
        """A member of an earlier run: it is expected, and missed while it is silent."""
        recall, is_ours = self.driver.recall, member in self.members or self.driver.takes_strangers
        if recall is None or not is_ours:
            return
        self.members.add(member)
        by_group: dict[str, list[Capability]] = {}
        for capability in recall(member, keys):
            by_group.setdefault(capability.group, []).append(capability)
        for group, capabilities in by_group.items():
            evidence = self.groups.get((member, group))
            if evidence is None:
                evidence = self.groups[member, group] = GroupEvidence(self, member, group, capabilities, None)
                self.link.adopt(evidence)
            else:
                evidence.expect_also(capabilities)
            self.device.learned(capabilities)

    @property
    def is_active(self) -> bool:
        """Whether the device is served through this adapter now."""
        return self.device.active is self

    def seen(self) -> Mapping[tuple[str, str], Sight]:
        """What a planner may go by: the current session's own evidence."""
        life = self.link.life
        if not self.link.has_session:
            return {}
        return {
            key: Sight(evidence.as_of, evidence.at, evidence.raw, evidence.cells)
            for key, evidence in self.groups.items()
            if evidence.life == life and evidence.n >= 0
        }

    def quality_changed(self, evidence: GroupEvidence) -> None:
        """A group grew old or fresh."""
        self.device.group_changed(evidence)

    # --- what failover asks ---------------------------------------------------------------------------------------

    def essentials(self) -> Iterator[GroupEvidence]:
        """The evidence that its members' freshness is judged by."""
        return (each for each in self.groups.values() if each.is_essential)

    def covers(self, now: float) -> frozenset[str]:
        """Members whose fresh data came through the present session."""
        link = self.link
        if not link.has_session:
            return frozenset()
        verdicts: dict[str, bool] = {}
        for each in self.essentials():
            is_fresh = each.life == link.life and each.quality_at(now).is_current
            verdicts[each.member] = verdicts.get(each.member, True) and is_fresh
        return frozenset(member for member, is_fresh in verdicts.items() if is_fresh)

    def newest_t(self) -> float:
        """When its newest data came, in loop time."""
        return max((each.seen_t() for each in self.essentials()), default=-math.inf)

    def doubt_s(self, now: float) -> float | None:
        """For how long it has been in doubt; ``None`` while it delivers or is still within half of what it may take."""
        link = self.link
        if link.outage_t < math.inf:
            return now - link.outage_t
        if not link.has_session:
            return None
        if any(each.life == link.life for each in self.essentials()):
            quiet_s = now - self.newest_t()
            limit_s = min((each.deadline_s for each in self.essentials()), default=math.inf)
        else:
            quiet_s = now - link.opened_t
            limit_s = link.patience_s
        return quiet_s - limit_s / 2 if quiet_s >= limit_s / 2 else None

    def session_changed(self) -> None:
        """The link's session was lost or found: qualities follow at once."""
        now = self.link.core.now()
        for evidence in self.groups.values():
            evidence.reconsider(now)
        self.device.link_changed(self)

    def expect(self) -> None:
        """A session is open: what has not been heard by its deadline counts as tried in vain."""
        for evidence in self.groups.values():
            evidence.expect(self.link.opened_t)

    def has_tried(self, now: float) -> bool:
        """Whether the first attempt has ended, either way."""
        if self.link.has_failed:
            return True
        waited_s = now - self.link.opened_t if self.link.has_session else 0.0
        return any(each.n >= 0 or waited_s >= each.deadline_s for each in self.groups.values())

    def slept(self, seconds: float) -> None:
        """The machine slept."""
        for evidence in self.groups.values():
            evidence.slept(seconds)

    def retire(self) -> None:
        """The adapter is no longer used."""
        for evidence in self.groups.values():
            evidence.retire()
