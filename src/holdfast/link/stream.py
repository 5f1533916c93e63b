"""The ready-made session around a sans-IO codec: bytes in, batches out, no task and no copy on the hot path."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, cast

from holdfast.errors import LinkFault, SessionLost, bug
from holdfast.link.session import End, Job, OpenLimits, Sink
from holdfast.model import Batch, Bye, Event, Heard, HeardWhy, Identity, Junk, Reject, Say, Sign, Stamp

if TYPE_CHECKING:
    from holdfast.link.stream_codec import Codec

Dial = Callable[[Callable[[], asyncio.Protocol], float], Awaitable[asyncio.Transport]]
"""(protocol factory, limit in seconds) -> the open transport; raises a `LinkFault` in words."""

GONE_S = 0.3
"""How long closing waits for the transport to say that it is gone, before it is aborted (design: stop in 0.5 s)."""


OWED_S = 1.5
"""When answers lag so far behind their questions the session begins anew: values would soon be too old to show."""


class StreamSession(asyncio.Protocol):
    """One life of a byte stream. Lock-step is the core's slot; this class keeps answers and questions together.

    A late answer carries no id, so it gets the stamp of the *oldest* open question, and the newer question stays open
    in its stead. A lost answer cannot be told from a late one, however quick the next one seems; so from then on ages
    err on the old side by one question, and when the debt has grown to `OWED_S` the session begins anew.

    Where answers name their question (``are_answers_named``, a bus with addresses), none can be taken for another's and
    nothing is owed; an answer that comes within `OWED_S` has the stamp of its question though that was given up, and
    what nobody asked for counts from its arrival. Such a codec is asked for its bytes each time, and
    may have nothing to say: then the question is over at once.
    """

    def __init__(self, dial: Dial, codec: Codec, sink: Sink, *, are_answers_named: bool = False) -> None:
        self._dial = dial
        self._codec = codec
        self._sink = sink
        self._are_answers_named = are_answers_named
        self._transport: asyncio.Transport | None = None
        self._loop = asyncio.get_running_loop()
        self._is_ready = False
        self._is_hiding = False  # what is heard now holds secrets
        self._is_mute = False
        self._heard = bytearray()
        self._listener: asyncio.Future[None] | None = None
        self._gone: asyncio.Future[None] = self._loop.create_future()
        self._job: Job | None = None
        self._whole: dict[Job, bytes] = {}
        self._requests: dict[str, bytes] = {}
        self._is_clean = True  # nothing partial waits in the codec and nothing is owed
        self._owed: list[Stamp] = []
        self._answers_steps = False  # whether a batch has come as the answer to a step
        self._is_step_in_debt = False  # whether an answer was owed when the last step went out
        self._asked: Job | None = None  # the last question; its stamp is that of its last send
        self._late: dict[tuple[str, str], Stamp] = {}  # named questions that were not answered in time
        self._last_heard_t = float("-inf")
        self._gap_timer: asyncio.TimerHandle | None = None

    def __repr__(self) -> str:
        state = "mute" if self._is_mute else "ready" if self._is_ready else "opening"
        return f"<StreamSession {state} job={self._job}>"

    # --- opening -------------------------------------------------------------------------------------------

    async def open(self, limits: OpenLimits) -> Identity | None:
        """Dial and log in; raises a `LinkFault`."""
        await self._dial(lambda: self, limits.dial_s)
        if self._transport is None or self._is_mute:
            raise SessionLost("the connection closed at once")
        identity = await self._login(limits.login_s)
        if self._gone.done():
            raise SessionLost("the device closed the connection right after the login")
        self._is_ready = True
        self._is_hiding = False
        early = bytes(self._heard)  # and what the codec kept of the last answer is looked at as well
        self._heard.clear()
        self._take(early)
        return identity

    async def _login(self, limit_s: float) -> Identity | None:
        talk = self._codec.login()
        end_t = self._loop.time() + limit_s
        try:
            say = next(talk)
            while True:
                heard = await self._converse(say, end_t)
                say = talk.send(heard)
        except StopIteration as done:
            identity: Identity | None = done.value
            return identity
        finally:
            talk.close()

    async def _converse(self, say: Say, end_t: float) -> Heard:
        """Say something, listen until enough, a gap, the limit or the end. Leaves over what was not asked for."""
        assert self._transport is not None
        self._is_hiding = say.hides_answer
        if say.data:
            self._transport.write(say.data)
            self._sink.said(say.data, is_secret=True)
        stop_t = min(self._loop.time() + say.limit_s, end_t)
        while True:
            data = bytes(self._heard)
            if data and say.enough(data):
                self._heard.clear()
                return Heard(data, HeardWhy.ENOUGH)
            if self._gone.done():
                self._heard.clear()
                return Heard(data, HeardWhy.CLOSED)
            now = self._loop.time()
            until_t = min(stop_t, self._last_heard_t + say.gap_s) if data else stop_t
            if now >= until_t:
                self._heard.clear()
                return Heard(data, HeardWhy.GAP if until_t < stop_t else HeardWhy.LIMIT)
            self._listener = self._loop.create_future()
            timer = self._loop.call_at(until_t, _wake, self._listener)
            try:
                await self._listener
            finally:
                timer.cancel()
                self._listener = None

    # --- asyncio.Protocol --------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The stream is there."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by class
        if self._is_mute:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Bytes came. Whatever goes wrong here must not escape: asyncio would close the connection without a word."""
        try:
            self._sink.heard(data, is_secret=self._is_hiding)
            job = self._job
            if job is not None and self._is_clean and self._whole.get(job) == data:
                self._job = None
                self._sink.same(job.member, job.group, job.sent_t, job.sent_n)
                self._sink.finished(job, End.OK)
            elif self._is_ready:
                self._take(data)
            elif not self._is_mute:
                self._heard += data
                self._last_heard_t = self._loop.time()
                _wake(self._listener)
        except Exception as error:  # noqa: BLE001 - a codec that raises is at fault
            self._sink.lost(bug(error))

    def eof_received(self) -> bool:
        """The peer will say no more: for us the session is over."""
        self._lose(SessionLost("the device closed the connection"))
        return False

    def connection_lost(self, error: Exception | None) -> None:
        """The stream is gone."""
        self._gone.set_result(None)
        _wake(self._listener)
        if self._gap_timer is not None:
            self._gap_timer.cancel()
        if error is None:
            self._lose(SessionLost("the device closed the connection"))
        else:
            self._lose(SessionLost(f"the connection broke: {_words(error)}"))

    def _lose(self, fault: LinkFault) -> None:
        if self._is_ready and not self._is_mute:
            self._sink.lost(fault)

    # --- jobs ----------------------------------------------------------------------------------------------------

    def start(self, job: Job) -> None:
        """Send a job's bytes; raises `ValueError` when the codec's last gate refuses a step."""
        if job.is_step:
            data = self._codec.encode(job.payload)
            self._is_step_in_debt = bool(self._owed)
        else:
            data = self._question(job)
            if not data:
                self._sink.finished(job, End.OK)
                return
        if not self._is_clean and self._codec.is_partial:
            self._settle(self._codec.flush())  # the next request ends the previous exchange
        self._job = job
        assert self._transport is not None
        self._transport.write(data)
        self._sink.said(data)

    def _question(self, job: Job) -> bytes:
        if self._are_answers_named:
            return self._codec.request(job.what)
        if not job.is_optional:
            self._asked = job
        cached = self._requests.get(job.what)
        if cached is None:
            cached = self._requests[job.what] = self._codec.request(job.what)
        return cached

    def forget(self, job: Job) -> None:
        """The deadline has passed: an answer that still comes belongs to this question, not to the next."""
        if self._job is job:
            self._job = None
            if self._are_answers_named:
                self._late[job.member, job.group] = job.stamp
                return
            # A step's answer counts where it may be a batch: seen so, or not to be told from one that is owed.
            is_owed = self._answers_steps or self._is_step_in_debt if job.is_step else not job.is_optional
            if is_owed:
                self._owed.append(job.stamp)
                self._is_clean = False
                if self._loop.time() - self._owed[0].t > OWED_S:
                    text = f"{len(self._owed)} answers are owed: questions and answers can no longer be told apart"
                    self._sink.lost(SessionLost(text))

    def _take(self, data: bytes) -> None:
        self._last_heard_t = self._loop.time()
        self._settle(self._codec.feed(data))
        if not self._is_clean and self._gap_timer is None and self._codec.is_partial:
            self._gap_timer = self._loop.call_later(self._codec.gap_s, self._gap)

    def _gap(self) -> None:
        try:
            self._end_gap()
        except Exception as error:  # noqa: BLE001 - as in data_received
            self._sink.lost(bug(error))

    def _end_gap(self) -> None:
        self._gap_timer = None
        if not self._codec.is_partial or self._is_mute:
            return
        due_t = self._last_heard_t + self._codec.gap_s
        if self._loop.time() < due_t:
            self._gap_timer = self._loop.call_at(due_t, self._gap)
            return
        self._settle(self._codec.flush())

    def _settle(self, events: Iterable[Event]) -> None:
        """Tell the sink what a piece of stream meant, and end the job that it answers."""
        for event in events:
            if self._is_mute:
                return
            match event:
                case Batch() | Sign():
                    self._answer(event)
                case Junk(why, raw):
                    self._sink.rejected(Reject(why), raw)
                case Bye(text):
                    self._sink.lost(SessionLost(text))
                    return
        self._is_clean = not self._owed and not self._codec.is_partial

    def _answer(self, event: Batch | Sign) -> None:
        job = self._job
        is_answer = job is not None and self._codec.answers(job, event)
        if isinstance(event, Batch):
            stamp = self._stamp_of(job if is_answer else None)
            if self._late:
                stamp = self._stamp_of_late(event) or stamp
            is_believed = self._sink.observed(event, stamp)
            if job is not None and is_answer and not job.is_step:
                # An answer that equals one from before this batch is news, whichever question it was the answer to.
                self._whole = {each: whole for each, whole in self._whole.items() if each.group != job.group}
                if is_believed and event.whole is not None:  # what is rejected must be judged again
                    self._whole[job] = event.whole
            else:
                self._whole.clear()
        else:
            self._sink.alive(event.member)
        if job is not None and is_answer:
            self._job = None
            self._sink.finished(job, End.OK)

    def _stamp_of(self, job: Job | None) -> Stamp | None:
        """The stamp of the question that a batch answers, as far as that can be told."""
        if job is None:  # an answer too many, or unasked
            if self._owed:
                return self._owed.pop(0)
            return None if self._asked is None else self._asked.stamp
        if job.is_step:
            self._answers_steps = True
        if not self._owed:
            return job.stamp
        # It may be the answer to the oldest question; then the newest is still open in its stead.
        self._owed.append(job.stamp)
        return self._owed.pop(0)

    def _stamp_of_late(self, batch: Batch) -> Stamp | None:
        """The stamp of the question that was given up and that this answers after all; it is not expected for long."""
        stamp = self._late.pop((batch.member, batch.group), None)
        return None if stamp is None or self._loop.time() - stamp.t > OWED_S else stamp

    # --- ending ----------------------------------------------------------------------------------------------------

    async def close(self, *, goodbye: bool) -> None:
        """Take leave, close, and wait until the transport is gone."""
        transport = self._transport
        self._is_mute = True
        if transport is None or self._gone.done():
            return
        if goodbye and self._is_ready and not transport.is_closing():
            data = self._codec.goodbye()
            if data:
                transport.write(data)
        transport.close()
        await asyncio.wait({self._gone}, timeout=GONE_S)
        if not self._gone.done():
            transport.abort()
            await asyncio.wait({self._gone}, timeout=GONE_S)

    def abort(self) -> None:
        """End at once; mute from here on."""
        self._is_mute = True
        self._job = None
        if self._gap_timer is not None:
            self._gap_timer.cancel()
            self._gap_timer = None
        if self._transport is not None:
            self._transport.abort()
        _wake(self._listener)


def _wake(listener: asyncio.Future[None] | None) -> None:
    if listener is not None and not listener.done():
        listener.set_result(None)


def _words(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return str(error) or type(error).__name__
