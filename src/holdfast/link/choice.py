"""A device's choice among its adapters: gathers what is known of them, lets `failover` decide, and acts on it."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from holdfast.link.failover import AdapterSight, Memory, decide, preference
from holdfast.link.wheel import Entry
from holdfast.model import Standby

if TYPE_CHECKING:
    from holdfast.link.attachment import Attachment
    from holdfast.link.device import LinkedDevice


class AdapterChoice:
    """Who serves one device. Looks when something happened, and from time to time while all is not well."""

    def __init__(self, device: LinkedDevice, pinned: str = "") -> None:
        self._device = device
        self._core = device.core
        self._memory = Memory(active=device.active.adapter.id, since=device.core.now(), pinned=pinned)
        self._delivers_t: dict[str, float] = {}
        self._lives: dict[str, int] = {}
        self._entry = Entry(self._look)
        self._is_asked = False
        self._is_closed = False
        for attachment in device.attachments:
            attachment.is_wanted = attachment.is_active or attachment.adapter.standby is Standby.HOT

    @property
    def pinned(self) -> str:
        """The adapter that a person pinned; empty if none."""
        return self._memory.pinned

    def ask(self) -> None:
        """Something happened: look as soon as the present call is over."""
        if not (self._is_asked or self._is_closed):
            self._is_asked = True
            self._core.loop.call_soon(self._pump)

    def activate(self, adapter_id: str, *, is_pinned: bool) -> None:
        """A person wants this adapter: it serves as soon as it delivers; pinned, it is also preferred from now on."""
        self._memory = replace(
            self._memory,
            asked=adapter_id,
            asked_t=self._core.now(),
            pinned=adapter_id if is_pinned else "",
            rival="",
            rival_t=math.inf,
        )
        self.ask()

    def preferred(self) -> str:
        """The adapter that would serve if all were well."""
        sights = [
            AdapterSight(id=each.adapter.id, priority=each.adapter.priority)
            for each in self._device.attachments
        ]
        return preference(sights, self._memory)[0].id

    def close(self) -> None:
        """No more decisions."""
        self._is_closed = True
        self._entry.disarm()

    # --- looking ---------------------------------------------------------------------------------------------------

    def _look(self, now: float) -> None:
        self.ask()

    def _pump(self) -> None:
        self._is_asked = False
        if self._is_closed:
            return
        now = self._core.now()
        decision = decide(self._sights(now), self._memory, self._device.device.failover, now)
        self._memory = decision.memory
        # Handed over before the old one may rest: else the device would be told to rest for a moment.
        if decision.memory.active != self._device.active.adapter.id:
            self._device.serve_through(self._attachment(decision.memory.active))
        for attachment in self._device.attachments:
            attachment.is_wanted = attachment.adapter.id in decision.connect and self._is_free(
                attachment, decision.connect
            )
            attachment.link.reconsider_need()
        for note in decision.notes:
            self._device.decided(note)
        self._entry.disarm()
        if decision.look_t < math.inf:
            self._core.wheel.arm(self._entry, decision.look_t)

    def _is_free(self, attachment: Attachment, connect: frozenset[str]) -> bool:
        """Whether it may dial: of exclusive paths the one before must be gone first (its going asks again)."""
        return not attachment.link.endpoint.is_exclusive or not any(
            each.link.session is not None and each.link.endpoint.is_exclusive
            for each in self._device.attachments
            if each is not attachment and each.adapter.id not in connect
        )

    def _attachment(self, adapter_id: str) -> Attachment:
        return next(each for each in self._device.attachments if each.adapter.id == adapter_id)

    def _sights(self, now: float) -> list[AdapterSight]:
        return [self._sight(each, now) for each in self._device.attachments]

    def _sight(self, attachment: Attachment, now: float) -> AdapterSight:
        link, adapter = attachment.link, attachment.adapter
        covers = attachment.covers(now)
        if covers and self._lives.get(adapter.id) == link.life:
            since_t = self._delivers_t.setdefault(adapter.id, now)
        else:  # another session: what delivered before does not count
            since_t = now
            self._lives[adapter.id] = link.life
            self._delivers_t.pop(adapter.id, None)
            if covers:
                self._delivers_t[adapter.id] = now
        known = frozenset(attachment.members)
        if attachment.driver.takes_strangers:
            known = known.union(*(each.members for each in self._device.attachments))
        return AdapterSight(
            id=adapter.id,
            priority=adapter.priority,
            is_hot=adapter.standby is Standby.HOT,
            is_exclusive=link.endpoint.is_exclusive,
            has_session=link.has_session,
            session_s=now - link.opened_t if link.has_session else 0.0,
            covers=covers,
            known=known,
            age_s=now - attachment.newest_t(),
            doubt_s=attachment.doubt_s(now),
            vain=link.vain,
            patience_s=link.patience_s,
            delivers_s=now - since_t,
        )
