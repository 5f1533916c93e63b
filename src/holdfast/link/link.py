"""A link: the lasting intention to be connected over one endpoint.

It owns the exchange slot (one job at a time), the polls on their grid, the reply and silence deadlines, and routes
evidence to the adapters that share the endpoint. What happens when a session ends is the supervisor's business.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections import deque
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from holdfast.errors import LinkFault, Nonsense, NotNeeded, Silent, Suspended, bug
from holdfast.link.driver import LinkTiming, OnSilence, Poll
from holdfast.link.machine import WITH_SESSION, Cue, State, advance
from holdfast.link.recorder import FlightRecorder
from holdfast.link.report import LinkReport
from holdfast.link.session import End, Endpoint, Job, Session
from holdfast.link.sink import SessionSink
from holdfast.link.taps import DebugTap, Tap
from holdfast.link.wheel import Entry
from holdfast.logs import LinkLog
from holdfast.model import Identity, Reason, ReasonCode

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast.link.attachment import Attachment
    from holdfast.link.core import Core
    from holdfast.link.device import LinkedDevice
    from holdfast.link.evidence import GroupEvidence
    from holdfast.link.sighting import Sighting

HEALTHY_S = 10.0
HEALTHY_POLLS = 10
"""A session has proved healthy after either; only then does the backoff start over (design: timing)."""


LATE_ACK_S = 1.0
"""An answer to a step that comes this late still counts as one: as long as a reply may take, and a bit."""

_OUTLAST_OPENING = (ReasonCode.SILENT, ReasonCode.NONSENSE)
"""Reasons that a path which opens does not cure: they stand until believable data come."""

KEEP_ALIVE_YIELDS_S = 1.0
"""A keep-alive that is due while a command is open waits so long and looks again: the command keeps the session."""


class PollLine:
    """One line of a poll table at work: its job, and its place on the grid ``start + k * every_s``."""

    __slots__ = ("due_t", "entry", "every_s", "is_waiting", "job", "link", "start_t")

    def __init__(self, link: Link, job: Job, every_s: float) -> None:
        self.link = link
        self.job = job
        self.every_s = every_s
        self.start_t = 0.0
        self.due_t = math.inf
        self.is_waiting = False
        self.entry = Entry(self.fire)

    def begin(self, first_t: float) -> None:
        """Lay the grid through ``first_t``, the first poll's time."""
        self.start_t = self.due_t = first_t
        self.is_waiting = False
        self.entry.disarm()
        self.link.core.wheel.arm(self.entry, first_t)

    def fire(self, now: float) -> None:
        """Its time on the grid has come."""
        link = self.link
        if not link.has_session:
            return
        if self.job.is_optional and link.has_open_command:
            self.begin(now + KEEP_ALIVE_YIELDS_S)
            return
        due_t = self.due_t
        next_t = due_t + self.every_s
        if next_t <= now:  # an overrun skips grid points, it never shifts the grid
            passed = math.floor((now - self.start_t) / self.every_s)
            next_t = self.start_t + (passed + 1) * self.every_s
            link.report.skipped += max(0, round((next_t - due_t) / self.every_s) - 1)
        self.due_t = next_t
        link.core.wheel.arm(self.entry, next_t)
        link.report.lateness.add(now - due_t)
        if link.job is None and not link.queue and not link.must_pause(now):
            link.start(self.job)
        elif not self.is_waiting:  # goes at once when the slot is free, not at the next grid point
            self.is_waiting = True
            link.enqueue(self)


class Link:
    """One endpoint's link with at most one session. Shared by the adapters with that endpoint."""

    def __init__(self, core: Core, endpoint: Endpoint) -> None:
        self.core = core
        self.endpoint = endpoint
        self.attachments: list[Attachment] = []
        self.timing: LinkTiming = _UNTIMED
        """The deadlines of the endpoint: those of the first driver on it."""
        self._lines_of: dict[Attachment, list[PollLine]] = {}
        self.routes: dict[tuple[str, str], GroupEvidence] = {}
        self.lines: list[PollLine] = []
        self.keep_alives: list[PollLine] = []
        self.state = State.STOPPED
        self.life = 0
        self.session: Session | None = None
        self.sink: SessionSink | None = None
        self.has_session = False
        self.is_proven = False
        self.good_polls = 0
        self.opened_t = -math.inf
        self.alive_t = -math.inf
        self.junk_bytes = 0
        self.rejects_since_life = 0
        self.job: Job | None = None
        self.job_owner: LinkedDevice | None = None
        self.queue: deque[PollLine | LinkedDevice] = deque()
        self.acks_come = False
        self.unanswered_step_t = -math.inf
        self.heard_t = -math.inf  # when bytes last came while a step waited for its answer
        self.report = LinkReport(core.now())
        self.recorder = FlightRecorder()
        self.log = LinkLog(logging.getLogger("holdfast.link"), str(endpoint))
        self.taps: list[Tap] = []
        self.has_failed = False
        self.has_delivered = False  # values have come since the hub started
        self.vain = 0  # tries in vain since values last came or since it was last needed
        self.outage_t = math.inf  # since when there is no session that delivers, though there should be
        self.is_needed = True
        self.need_changed: Callable[[], None] = _nobody
        self.order_laid: Callable[[], None] = _nobody
        self.found: dict[str, Sighting] = {}
        self.identity = Identity()  # what the device said of itself when a session was last opened
        self._reason = Reason(code=ReasonCode.CONNECTING, text="not tried yet")
        self._is_soon_asked = False
        self._next_asked = False
        self._bytes_before = self._frames_before = 0  # when the session was opened
        self._asked_t = -math.inf  # when the slot was last free again
        self._gap_entry = Entry(self._gap_over)
        self._reply_entry = Entry(self._look_for_reply)
        self._silence_entry = Entry(self._look_for_silence)
        self._up_since: float | None = None
        self._lost: asyncio.Future[LinkFault] | None = None

    def __repr__(self) -> str:
        return f"<Link {self.endpoint} {self.state} life {self.life}>"

    # --- who uses it ---------------------------------------------------------------------------------------

    def attach(self, attachment: Attachment) -> None:
        """Let an adapter use this link; its members become its own."""
        driver = attachment.driver
        self.attachments.append(attachment)
        self.routes.update(attachment.groups)
        if len(self.attachments) == 1:
            self.timing = driver.timing
        lines = [PollLine(self, _job(poll), poll.every_s) for poll in driver.polls]
        self._lines_of[attachment] = list(lines)
        self.lines += lines
        # Where the next poll comes before the answer is overdue, its deadline is watched only once somebody waits.
        self._is_soon_asked = all(line.every_s <= line.job.reply_s for line in self.lines)
        if driver.keep_alive is not None:
            job = Job(driver.keep_alive.what, "", "", reply_s=driver.timing.ack_s)
            job.is_optional = True
            line = PollLine(self, job, driver.keep_alive.every_s)
            self.keep_alives.append(line)
            self._lines_of[attachment].append(line)
        self.log.name(self.name)
        if self.has_session:  # another device shares the path: the session goes on, and serves both
            for line in self._lines_of[attachment]:
                line.begin(self.core.now() + (line.every_s if line.job.is_optional else 0.0))
            attachment.device.session_opened(attachment)

    def detach(self, attachment: Attachment) -> None:
        """An adapter uses this link no more; the others go on over the same session."""
        self.attachments.remove(attachment)
        self.routes = {key: each for other in self.attachments for key, each in other.groups.items()}
        for line in self._lines_of.pop(attachment):
            line.entry.disarm()
            (self.keep_alives if line.job.is_optional else self.lines).remove(line)
            if line in self.queue:
                self.queue.remove(line)
        device = attachment.device
        if device in self.queue:
            self.queue.remove(device)
        if self.job is not None and self.job_owner is device:
            self.job_owner = None
            device.step_ended(self.job, End.DOUBT, "the adapter was taken away")
        self._is_soon_asked = all(line.every_s <= line.job.reply_s for line in self.lines)
        attachment.retire()
        if self.attachments:
            self.timing = self.attachments[0].driver.timing
            self.log.name(self.name)
        self.reconsider_need()

    @property
    def name(self) -> str:
        """The devices that use it, for logs and files."""
        return ", ".join(dict.fromkeys(each.device.id for each in self.attachments))

    def adopt(self, evidence: GroupEvidence) -> None:
        """A member made itself known: its evidence is routed from now on."""
        self.routes[evidence.member, evidence.group] = evidence

    def reconsider_need(self) -> None:
        """An adapter needs its path now, or does so no more."""
        is_needed = any(each.is_wanted for each in self.attachments)
        if is_needed is not self.is_needed:
            self.is_needed = is_needed
            if is_needed:
                self.vain = 0
                self.outage_t = math.inf
            self.need_changed()

    def part(self) -> None:
        """Nobody needs the session that is open: take leave of it."""
        self.fail(NotNeeded("a reserve, connected when it is needed"))

    def debug(self, *, is_on: bool) -> None:
        """Tell everything about this link at debug level, frames by their beginnings only; or stop doing so."""
        self.taps = [tap for tap in self.taps if not isinstance(tap, DebugTap)]
        self.log.logger.setLevel(logging.DEBUG if is_on else logging.NOTSET)
        if is_on:
            self.taps.append(DebugTap(self.log.logger))

    # --- its life, moved by the supervisor -------------------------------------------------------------------

    def cue(self, cue: Cue) -> None:
        """Something happened: go on to the state that the table names."""
        before = self.state
        self.state = advance(before, cue)
        self.recorder.note(self.core.now(), "state", f"{before} -> {self.state}")

    def begin(self) -> Session:
        """Make the next session, with a sink of its own."""
        self.life += 1
        self.report.dials += 1
        self.sink = SessionSink(self, self.life)
        drivers = [attachment.driver for attachment in self.attachments]
        session = drivers[0].connect(drivers, self.sink)
        self.session = session
        self._lost = self.core.loop.create_future()
        return session

    def opened(self) -> None:
        """The session is open: lay the grids and expect data (unless it was lost in the very moment of opening)."""
        self.cue(Cue.OPENED)
        if self._lost is None or self._lost.done():
            return
        now = self.core.now()
        self.has_session = True
        self.is_proven = False
        self.good_polls = 0
        self.opened_t = self.alive_t = now
        self._bytes_before = self.report.bytes_in
        self._frames_before = self.report.answers + self.report.strangers
        self.junk_bytes = 0
        self.rejects_since_life = 0
        self.acks_come = False
        self.unanswered_step_t = -math.inf
        self.report.sessions += 1
        self.log.connected()
        for line in self.lines:
            line.begin(now)
        for line in self.keep_alives:
            line.begin(now + line.every_s)
        if self.timing.on_silence is OnSilence.REOPEN:
            self._silence_entry.disarm()
            self.core.wheel.arm(self._silence_entry, self._silence_limit())
        if self.timing.first_data_s is not None and self._reason.code not in _OUTLAST_OPENING:
            self._reason = Reason(code=ReasonCode.DISCOVERING, since=self.core.clock.now())
        for attachment in self.attachments:
            attachment.device.session_opened(attachment)

    async def until_lost(self) -> LinkFault:
        """Wait until the session is over, and why."""
        assert self._lost is not None
        return await asyncio.shield(self._lost)

    def fail(self, fault: LinkFault) -> None:
        """The session is over from this moment on; the supervisor tears it down."""
        if self._lost is None or self._lost.done():
            return
        now = self.core.now()
        self._lost.set_result(fault)
        assert self.sink is not None
        self.sink.mute()
        self.recorder.note(now, "fault", fault.text)
        if not self.has_session:
            return
        self.has_session = False
        self.queue.clear()
        for line in (*self.lines, *self.keep_alives):
            line.is_waiting = False
        if self._up_since is not None:
            self.report.up_s += now - self._up_since
            self._up_since = None
        if not isinstance(fault, NotNeeded):
            self.report.lost(now, fault.code, fault.text, self.alive_t)
            self.failed(now, was_vain=self.state is State.EXPECTING)
        self.tell(Reason(code=fault.code, text=fault.text, since=self.core.clock.now(), advice=fault.advice))
        job, owner = self.job, self.job_owner
        self.job = self.job_owner = None
        if job is not None and owner is not None:
            owner.step_ended(job, End.DOUBT, "the session was lost")
        for attachment in self.attachments:
            attachment.session_changed()

    def failed(self, now: float, *, was_vain: bool) -> None:
        """A try ended in vain, or a session that delivered was lost: an outage, unless it is one already."""
        self.has_failed = True
        self.vain += was_vain
        self.outage_t = min(self.outage_t, now)

    @property
    def reason(self) -> Reason:
        """Why the link is not live; while it waits for its first data, how that goes."""
        if self._reason.code is ReasonCode.DISCOVERING and self.has_session:
            return self._discovering()
        return self._reason

    def _discovering(self) -> Reason:
        left_s = self.opened_t + self.patience_s - self.core.now()
        heard = ", ".join(self.found) or "none"
        if left_s <= 0.0:  # the session stays, since somebody speaks
            return Reason(
                code=ReasonCode.MEMBER_MISSING,
                text=f"none of the configured members is heard; heard are {heard}",
                since=self._reason.since,
                advice="Configure the members that are heard, or check the power of those that are not.",
            )
        text = (
            f"discovering, {left_s:.0f} s left: {self.report.bytes_in - self._bytes_before:,} bytes, "
            f"{self.report.answers + self.report.strangers - self._frames_before:,} frames, "
            f"members heard that are not configured: {heard}"
        )
        return Reason(code=ReasonCode.DISCOVERING, text=text, since=self._reason.since)

    def tell(self, reason: Reason) -> None:
        """Why the link is not live (or that it is)."""
        self._reason = reason
        for attachment in self.attachments:
            attachment.device.link_changed(attachment)

    @property
    def has_open_command(self) -> bool:
        """Whether a device on it waits for the end of a command."""
        return any(attachment.device.desk.commands for attachment in self.attachments)

    # --- the slot --------------------------------------------------------------------------------------------

    def start(self, job: Job, owner: LinkedDevice | None = None) -> bool:
        """Give the slot to a job; false if the session was lost over it.

        Raises `ValueError` when the driver's last gate refuses a step.
        """
        core = self.core
        now = core.now()
        core.n += 1
        job.sent_t = now
        job.sent_n = core.n
        self.job = job
        self.job_owner = owner
        assert self.session is not None
        try:
            self.session.start(job)
        except ValueError:
            self.job = self.job_owner = None
            self.ask_next()
            raise
        except Exception as error:  # noqa: BLE001 - a driver's fault is never the hub's end
            self.job = self.job_owner = None
            self.log.driver_failed(error)
            self.fail(bug(error))
            return False
        if self.job is not job:  # the session was lost while it was being started
            return False
        if not (job.is_step or job.is_optional):
            self.report.polls += 1
        if job.is_step or job.is_optional or not self._is_soon_asked:
            core.wheel.arm(self._reply_entry, now + job.reply_s)
        return True

    def enqueue(self, who: PollLine | LinkedDevice) -> None:
        """Stand in line for the slot: those with something to send go before missed polls, each in order of coming."""
        if isinstance(who, PollLine):
            self.queue.append(who)
        else:
            self.queue.insert(sum(not isinstance(each, PollLine) for each in self.queue), who)
        if self.job is not None and self._is_soon_asked:
            self.core.wheel.arm(self._reply_entry, self.job.sent_t + self.job.reply_s)
        if self.job is None:
            self.ask_next()

    def read(self, member: str, group: str) -> bool:
        """Ask for a group now, apart from the grid; whether the slot was free and there is such a poll."""
        if self.job is not None or not self.has_session:
            return False
        for line in self.lines:
            if line.job.member == member and line.job.group == group:
                return self.start(line.job)
        return False

    def ended(self, job: Job, end: End, text: str) -> None:
        """A job's turn is over (said by the sink, or by its deadline)."""
        if job is not self.job:
            return
        owner = self.job_owner
        self.job = self.job_owner = None
        self._asked_t = self.core.now()
        if job.is_step:
            self.acks_come = end is End.OK
            self.unanswered_step_t = job.sent_t if end is End.TIMEOUT else -math.inf
        elif end is End.TIMEOUT and not job.is_optional:
            self.report.unanswered += 1
        if owner is not None:
            owner.step_ended(job, end, text)
        if self.queue:
            self.ask_next()

    def ack_wait_s(self) -> float:
        """How long to leave the slot to a step: whether this device answers steps is learned in each session."""
        if self.acks_come and self.lines:
            return self.lines[0].job.reply_s
        return float(self.timing.ack_s)

    def notice_late_ack(self) -> None:
        """A frame without values: if a step still lacked an answer, this device answers, only slowly."""
        if self.core.now() - self.unanswered_step_t <= LATE_ACK_S:
            self.acks_come = True
            self.unanswered_step_t = -math.inf

    def ask_next(self) -> None:
        """Serve the line as soon as the present call is over (a sink never calls back into the session)."""
        if not self._next_asked:
            self._next_asked = True
            self.core.loop.call_soon(self._next)

    def _next(self) -> None:
        self._next_asked = False
        while self.queue and self.job is None and self.has_session and not self.must_pause(self.core.now()):
            item = self.queue.popleft()
            if isinstance(item, PollLine):
                item.is_waiting = False
                self.start(item.job)
            else:
                item.take_turn(self)

    def must_pause(self, now: float) -> bool:
        """Whether the bus behind needs a pause before the next question; if so, the line is served after it."""
        gap_s = float(self.timing.ask_gap_s)
        if gap_s == 0.0 or now >= self._asked_t + gap_s:
            return False
        self.core.wheel.arm(self._gap_entry, self._asked_t + gap_s)
        return True

    def _gap_over(self, now: float) -> None:
        self.ask_next()

    def _look_for_reply(self, now: float) -> None:
        job = self.job
        if job is None or not self.has_session:
            return
        due_t = job.sent_t + job.reply_s
        if (
            job.is_step and self.lines
        ):  # an answer that is still coming in is waited for, as long as one may take
            still_t = self.heard_t + float(self.timing.ack_s)
            due_t = max(due_t, min(still_t, job.sent_t + self.lines[0].job.reply_s))
        if now < due_t - 1e-6:
            self.core.wheel.arm(self._reply_entry, due_t)
            return
        assert self.session is not None
        self.session.forget(job)
        self.ended(job, End.TIMEOUT, "no answer")

    # --- life and silence --------------------------------------------------------------------------------------

    def lived(self, now: float) -> None:
        """A believed sign of life arrived."""
        self.alive_t = now
        self.junk_bytes = 0
        self.rejects_since_life = 0

    def first_evidence(self, now: float) -> None:
        """The first believed values of a session: it is live, and the outage is over."""
        self.cue(Cue.EVIDENCE)
        if self._silence_entry.is_armed:  # for the first data's limit, which may lie beyond that of silence
            self.core.wheel.arm(self._silence_entry, self._silence_limit())
        self.has_delivered = True
        self.vain = 0
        self.outage_t = math.inf
        self.report.regained(now)
        self._up_since = now
        count = sum(len(attachment.driver.capabilities) for attachment in self.attachments)
        self.log.first_data(now - self.opened_t, count)
        self.tell(Reason(since=self.core.clock.now()))

    def count_good(self, now: float) -> None:
        """Count towards the proof that this session is healthy."""
        self.good_polls += 1
        if self.good_polls >= HEALTHY_POLLS or now - self.opened_t >= HEALTHY_S:
            self.is_proven = True

    @property
    def patience_s(self) -> float:
        """How long the first data of a session may take, in seconds."""
        timing = self.timing
        first_s, again_s = timing.first_data_s, timing.first_data_again_s
        chosen_s = again_s if self.has_delivered and again_s is not None else first_s
        return float(timing.silence_s if chosen_s is None else chosen_s)

    def _silence_limit(self) -> float:
        """When the session is over if nothing believable comes before."""
        if self.state is not State.EXPECTING:
            return self.alive_t + float(self.timing.silence_s)
        limit_t = self.opened_t + self.patience_s
        if self.alive_t > self.opened_t:  # those who speak are strangers, but the path is alive
            limit_t = max(limit_t, self.alive_t + float(self.timing.silence_s))
        return limit_t

    def _look_for_silence(self, now: float) -> None:
        if self.state not in WITH_SESSION or not self.has_session:
            return
        limit_t = self._silence_limit()
        if now < limit_t - 1e-6:
            self.core.wheel.arm(self._silence_entry, limit_t)
            return
        self.fail(self.silence(now))

    def silence(self, now: float) -> LinkFault:
        """The right words for having heard nothing believable."""
        quiet_s = now - self.alive_t
        if self.rejects_since_life or self.junk_bytes:
            worst = self.report.rejects.most_common(1)[0][0] if self.report.rejects else "junk"
            return Nonsense(
                f"nothing believable for {quiet_s:.1f} s, though {self.rejects_since_life} messages came ({worst})",
                advice="Check that the device, its address and its options are the ones you mean; record the exchange.",
            )
        return Silent(f"no answer for {quiet_s:.1f} s", advice="Check the device's power and network.")

    def suspended(self, slept_s: float) -> None:
        """The machine slept: values are stale, the session begins anew."""
        for attachment in self.attachments:
            attachment.slept(slept_s)
        self.fail(Suspended(f"the machine slept for {slept_s:.0f} s"))

    def retire(self) -> None:
        """No wake-ups any more."""
        self.has_session = False
        for line in (*self.lines, *self.keep_alives):
            line.entry.disarm()
        self._reply_entry.disarm()
        self._silence_entry.disarm()
        self._gap_entry.disarm()
        for attachment in self.attachments:
            attachment.retire()

    def _counters(self) -> dict[str, Any]:
        counters = self.attachments[0].driver.counters if self.attachments else None
        return {} if counters is None else dict(counters())

    def as_dict(self) -> dict[str, Any]:
        """The link report with state and reason, for API and command line."""
        now = self.core.now()
        return {
            "endpoint": str(self.endpoint),
            "state": self.state.value,
            "devices": [attachment.device.id for attachment in self.attachments],
            "adapters": [f"{each.device.id}/{each.adapter.id}" for each in self.attachments],
            "silence_s": self.timing.silence_s,
            "identity": asdict(self.identity),
            "found": [{"member": member, **sighting.as_dict(now)} for member, sighting in self.found.items()],
            "counters": self._counters(),
            **self.report.as_dict(now, self._up_since),
        }


_UNTIMED = LinkTiming(silence_s=math.inf)
"""Until the first adapter says otherwise."""


def _nobody() -> None:
    """Nobody keeps the link yet."""


def _job(poll: Poll) -> Job:
    return Job(poll.what, poll.member, poll.group, reply_s=poll.reply_s)
