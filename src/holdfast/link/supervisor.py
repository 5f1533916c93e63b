"""The task that keeps one link: waits, dials, logs in, watches, tears down, and begins again.

It alone makes and ends sessions. All decisions are taken synchronously between two awaits; every await is one of:
a wait that a hint may cut short, a place in the dial budget, the session's opening (bounded), its loss, its end.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from datetime import timedelta
from enum import Enum

from holdfast.errors import InsecureRefused, LinkFault, LoginRefused, NotNeeded, Silent, bug
from holdfast.link.backoff import (
    LOGIN_ORDER_CAP_S,
    ORDER_CAP_S,
    REFUSED_CAP_S,
    REFUSED_ORDER_CAP_S,
    Backoff,
)
from holdfast.link.link import HEALTHY_S, Link
from holdfast.link.machine import Cue, State
from holdfast.link.session import OpenLimits, Session
from holdfast.model import Identity, Reason, ReasonCode

OPEN_MARGIN_S = 1.0
"""What opening may take beyond its limits before it is cut off: a session bounds itself, a library may not."""
HINT_SPACING_S = 1.0
"""Good news may come in a flood (discovery repeats itself); it starts a dial at most once a second."""
STOP_S = 0.5
"""How long stopping may take in all (design: timing)."""

_RESTING = Reason(code=ReasonCode.STANDBY, text="a reserve, connected when it is needed")


class Hint(Enum):
    """News from outside that another try may now succeed."""

    DISCOVERED = "discovered"
    RETRY_NOW = "retry now"
    """A person asked; the only hint that also ends a refusal's wait."""


class LinkSupervisor:
    """Keeps one link from `start` to `stop`."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self.backoff = Backoff(link.core.rng)
        self._task: asyncio.Task[None] | None = None
        self._wake: asyncio.Future[None] | None = None
        self._opening: asyncio.Task[object] | None = None
        self._needed: asyncio.Future[None] | None = None
        link.need_changed = self._need_changed
        self._last_dial_t = float("-inf")
        self._order_cap_s = (
            math.inf
        )  # what the present wait would have been at most with a standing order open
        self._order_timer: asyncio.TimerHandle | None = None
        link.order_laid = self.order_laid

    def start(self, delay_s: float = 0.0) -> None:
        """Begin keeping the link; the first dial goes out after ``delay_s`` seconds."""
        self.link.cue(Cue.START)
        name = f"link {self.link.endpoint}"
        self._task = self.link.core.loop.create_task(self._run(delay_s), name=name)

    def hint(self, hint: Hint) -> None:
        """Cut a wait short where that can help. Never shortens anything but waiting."""
        link = self.link
        if self._wake is None or self._wake.done():
            return
        if link.state is State.BLOCKED and hint is not Hint.RETRY_NOW:
            return
        if link.core.now() - self._last_dial_t >= HINT_SPACING_S:
            self._wake.set_result(None)

    def order_laid(self) -> None:
        """A standing order is open now: a wait that was reckoned without it ends when it would have ended with it."""
        wake, core = self._wake, self.link.core
        if wake is None or self._order_timer is not None or self._order_cap_s == math.inf:
            return
        soon_t = core.now() + core.rng.uniform(0.0, HINT_SPACING_S)
        due_t = max(self._last_dial_t + self._order_cap_s, soon_t)
        self._order_timer = core.loop.call_at(due_t, _finish, wake)

    async def stop(self) -> None:
        """Take leave of the peer and leave nothing behind; bounded by `STOP_S`."""
        link = self.link
        if link.state is State.STOPPED:
            return
        link.cue(Cue.STOP)
        was_open = link.has_session
        if link.sink is not None:
            link.sink.mute()
        link.retire()
        assert self._task is not None
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        self._task = None
        session = link.session
        try:
            if session is not None:
                await self._farewell(session, goodbye=was_open)
            if self._opening is not None and not self._opening.done():
                await asyncio.wait({self._opening}, timeout=STOP_S)
        finally:
            if session is not None:
                self._abort(session)
            link.session = None
            link.cue(Cue.GONE)
            link.tell(Reason(code=ReasonCode.STOPPED, text="stopped", since=link.core.clock.now()))

    async def _farewell(self, session: Session, *, goodbye: bool) -> None:
        closing = asyncio.ensure_future(session.close(goodbye=goodbye))
        try:
            await asyncio.wait({closing}, timeout=STOP_S)
        finally:
            if not closing.done():
                closing.cancel()
                self._abort(session)
        if closing.done() and not closing.cancelled() and closing.exception() is not None:
            self.link.log.driver_failed(closing.exception())

    # --- the life of the link --------------------------------------------------------------------------------

    async def _run(self, wait_s: float) -> None:
        link = self.link
        while True:
            await self._pause(wait_s)
            if not link.is_needed:
                await self._rest()
            link.cue(Cue.DUE)
            link.log.setting_up(is_repeat=self.backoff.tries > 1)
            fault = await self._open()
            if fault is not None:
                link.failed(link.core.now(), was_vain=True)
            else:
                link.opened()
                if not link.is_needed:
                    link.part()
                fault = await link.until_lost()
                if link.is_proven or link.alive_t - link.opened_t >= HEALTHY_S:
                    self.backoff.reset()
            link.cue(Cue.FAULT)
            await self._end(goodbye=isinstance(fault, NotNeeded))
            wait_s = self._after(fault)

    def _need_changed(self) -> None:
        """The link is needed now, or is so no more."""
        link = self.link
        if link.is_needed:
            if self._needed is not None and not self._needed.done():
                self._needed.set_result(None)
        elif link.has_session:
            link.part()
        elif self._wake is not None and not self._wake.done() and link.state is not State.BLOCKED:
            self._wake.set_result(None)

    async def _rest(self) -> None:
        """Wait until somebody needs the link. A refusal's wait is not shortened by it."""
        link = self.link
        link.cue(Cue.REST)
        link.tell(_RESTING)
        while not link.is_needed:
            self._needed = link.core.loop.create_future()
            try:
                await self._needed
            finally:
                self._needed = None
        link.cue(Cue.NEEDED)
        self.backoff.reset()

    async def _pause(self, wait_s: float) -> None:
        if wait_s <= 0.0 or not (self.link.is_needed or self.link.state is State.BLOCKED):
            return
        wake = self._wake = self.link.core.loop.create_future()
        try:
            await asyncio.wait({wake}, timeout=wait_s)
        finally:
            self._wake = None
            if self._order_timer is not None:
                self._order_timer.cancel()
                self._order_timer = None

    async def _open(self) -> LinkFault | None:
        """One try; the fault, or ``None`` when the session is open."""
        link, timing = self.link, self.link.timing
        login_s = min(timing.login_first_s, timing.login_s) if self.backoff.is_first() else timing.login_s
        async with link.core.budget.dial(link.endpoint.host):
            self._last_dial_t = link.core.now()
            try:
                session = link.begin()
            except Exception as error:  # noqa: BLE001 - the driver's code is not ours
                return self._bug(error)
            opening = link.core.loop.create_task(
                session.open(OpenLimits(timing.dial_s, login_s)), name="opening"
            )
            self._opening = opening
            limit_s = timing.dial_s + login_s + OPEN_MARGIN_S
            try:
                # Bound the wait, not the callee: code that swallows a cancellation must not hold us up.
                await asyncio.wait({opening}, timeout=limit_s)
            except asyncio.CancelledError:
                self._abort(session)
                opening.cancel()
                raise
            if not opening.done():
                opening.cancel()
                return Silent(f"not open after {limit_s:g} s", advice="Check the device's power and network.")
            return self._outcome(opening)

    def _abort(self, session: Session) -> None:
        try:
            session.abort()
        except Exception as error:  # noqa: BLE001 - it is replaced all the same
            self.link.log.driver_failed(error)

    def _outcome(self, opening: asyncio.Task[object]) -> LinkFault | None:
        if opening.cancelled():
            return Silent("opening was cut off")
        error = opening.exception()
        if error is None:
            told = opening.result()
            self.link.identity = told if isinstance(told, Identity) else Identity()
            return None
        if isinstance(error, LinkFault):
            return error
        return self._bug(error)

    def _bug(self, error: BaseException) -> LinkFault:
        self.link.log.driver_failed(error)
        return bug(error)

    async def _end(self, *, goodbye: bool) -> None:
        """Tear the session down whole, and wait until nothing of it runs any more."""
        link = self.link
        session = link.session
        assert link.sink is not None
        link.sink.mute()
        if session is None:
            return
        if goodbye:
            await self._farewell(session, goodbye=True)
        self._abort(session)
        if self._opening is not None and not self._opening.done():
            await asyncio.wait({self._opening})
            if not self._opening.cancelled():
                self._opening.exception()  # nobody waits for its outcome any more
        self._opening = None
        try:
            await session.close(goodbye=False)
        except Exception as error:  # noqa: BLE001 - the driver's code is not ours
            self.link.log.driver_failed(error)
        link.session = None

    def _after(self, fault: LinkFault) -> float:
        """The session is gone: note why, and how long to wait."""
        link = self.link
        now = link.core.now()
        if isinstance(fault, NotNeeded):
            link.cue(Cue.GONE)
            return 0.0
        has_order = any(attachment.device.has_open_order for attachment in link.attachments)
        if fault.is_retryable:
            link.cue(Cue.GONE)
            self._order_cap_s = ORDER_CAP_S
            wait_s = self.backoff.after_fault(now, has_order=has_order)
        else:
            link.cue(Cue.GONE_REFUSED)
            is_login = isinstance(fault, LoginRefused | InsecureRefused)
            self._order_cap_s = LOGIN_ORDER_CAP_S if is_login else REFUSED_ORDER_CAP_S
            wait_s = self.backoff.after_refusal(now, self._order_cap_s if has_order else REFUSED_CAP_S)
        link.log.failed(fault, wait_s, is_repeat=self.backoff.tries > 1)
        link.recorder.note(now, "fault", f"{fault.code}: {fault.text}; next try in {wait_s:.2f} s")
        wall = link.core.clock.now()
        is_same = link.reason.code is fault.code
        link.tell(
            Reason(
                code=fault.code,
                text=fault.text,
                since=link.reason.since if is_same and link.reason.since else wall,
                next_try_at=wall + timedelta(seconds=wait_s),
                advice=fault.advice,
            )
        )
        return wait_s


def _finish(wake: asyncio.Future[None]) -> None:
    if not wake.done():
        wake.set_result(None)
