"""The IPCom protocol without I/O: bytes in, snapshots out, in any pieces; and the last gate before the wire.

A stream has no lengths and no checksums. What keeps it honest:

- In lock-step, whatever is left over when a new question goes out, or after 150 ms of silence, is dropped (`flush`).
- A message is known by its head, two wire bytes that are constant within a session. Where the head is unknown, only
  the head of a snapshot (`05 01` in the session's own key, never a fixed pair of bytes) finds the way back.
- A snapshot must look like one that this house can produce (`plausibility`).
- A snapshot that was cut short and is followed at once by another message gives 130 bytes whose tail is foreign. Its
  decoded tail is noise, which relays betray: one byte of it passes in about 1 of 128 cases, six in 1 of 4 * 10^12.
  For the last bytes of a snapshot (all of them with plausibility off) the *head* of the foreign message gives it away:
  a candidate that contains one is believed only if nothing follows it, and what follows a cut by a single byte is
  awaited for `HOLD_S`.

What remains: bytes of junk put in the place of lost ones. A lone junk byte for the lost last byte of a snapshot passes
in about 1 of 128 cases on a relay module, n of them in 1 of 128^n, and always with plausibility off: nothing tells
them from the truth. TCP neither loses nor inserts bytes, so this takes a fault within the device or its gateway.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, Protocol

from holdfast.drivers.ipcom import messages
from holdfast.drivers.ipcom.cipher import SINGLE_KEY, Cipher
from holdfast.drivers.ipcom.login import PlainMode, log_in
from holdfast.drivers.ipcom.messages import HEAD_LENGTH, SNAPSHOT_LENGTH, ModuleWrite
from holdfast.drivers.ipcom.plausibility import Plausibility
from holdfast.model import Batch, Bye, Event, Identity, Junk, Sign

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from holdfast.drivers.ipcom.options import IpcomOptions
    from holdfast.drivers.ipcom.wiring import Place
    from holdfast.model import Heard, Say

MEMBER: Final = ""
GROUP: Final = "outputs"
SNAPSHOT: Final = "snapshot"
"""What a poll asks for."""
KEEP_ALIVE: Final = "keepalive"

GAP_S: Final = 0.15
"""Silence inside a message after which its rest is not coming. Fact sheet, section 6; a local message needs 2 ms."""
HOLD_S: Final = 0.03
"""How long a snapshot that may have lost its tail waits for what would betray it: the rest of the next message is in
the same segment, or a few milliseconds behind. Concerns 1 or 2 in 100 states of a house, once for each change."""

_VERSIONS: Final = 16
"""Inferred: versions are small numbers. Replies other than snapshots are known with any below this, so that junk is
rarely taken for one."""
_LONGEST_TAIL: Final = 256
"""Ignored bytes behind a head of unknown length; more than the walk is defined for is no message."""

_ANSWERS: Final = {SNAPSHOT: messages.SNAPSHOT_REQUEST, KEEP_ALIVE: messages.KEEP_ALIVE_REQUEST}
_SIGNS: Final = {
    messages.KEEP_ALIVE: Sign("keepalive"),
    messages.FRAME: Sign("ack"),
    messages.KEYBOARD: Sign("other"),
    messages.ROWS: Sign("other"),
}


class Question(Protocol):
    """What is asked, as far as its answer goes."""

    what: str
    is_step: bool


class IpcomCodec:
    """One session's encoder and decoder. Implements `holdfast.link.stream_codec.Codec`.

    `gap_s` changes: it is short while a whole snapshot is held back in doubt.
    """

    def __init__(self, options: IpcomOptions, mode: PlainMode | None = None) -> None:
        self.gap_s = GAP_S
        self._options = options
        self._mode = PlainMode() if mode is None else mode
        self._plausibility = Plausibility(options.looks_like, is_on=options.plausibility)
        self._partners: dict[Place, Place] = {}
        for cover in options.covers:
            self._partners[cover.up] = cover.down
            self._partners[cover.down] = cover.up
        self._buffer = b""
        self._is_adrift = False  # within junk: only the head of a snapshot counts
        self._is_in_tail = False  # within a message whose head was told and whose length is unknown
        self._tail_room = 0  # bytes that may still come of such a message, once a question has ended it
        self._whole: bytes | None = None  # the last snapshot's wire bytes, if they were beyond doubt
        self._again: Sequence[Event] = ()
        self._state: bytes | None = None  # the last snapshot's 128 plain bytes
        self._written: dict[Place, int] = {}  # what this session last wrote to the relays of covers
        self._snapshots_for_writes = 0
        self.begin(SINGLE_KEY)

    def __repr__(self) -> str:
        return f"<IpcomCodec {len(self._buffer)} bytes waiting>"

    def begin(self, cipher: Cipher) -> None:
        """Everything from here on is in this cipher (done by `login`; for replays and tests by hand)."""
        self._cipher = cipher
        heads = [
            cipher.encode(bytes((ident, messages.VERSION)))
            for ident in (messages.SNAPSHOT, messages.FRAME, messages.KEEP_ALIVE, messages.DISCONNECT)
        ]
        self._head = heads[0]
        self._heads = re.compile(b"|".join(map(re.escape, heads)))
        self._first_bytes = frozenset(head[0] for head in heads)

    # --- login and leave ---------------------------------------------------------------------------------------

    def login(self) -> Generator[Say, Heard, Identity | None]:
        """Log in; raises `LoginRefused`, `InsecureRefused`, `Silent`, `Nonsense` or `SessionLost`."""
        options = self._options
        request = messages.connect_request(
            options.username, options.password, bus=options.login_bus, lock=options.login_lock
        )
        accepted = yield from log_in(request, self._mode, allow_plain=options.allow_plain)
        self.begin(accepted.cipher)
        return Identity(model="IPCom", firmware=accepted.firmware)

    def goodbye(self) -> bytes:
        """A disconnect: best effort, its answer is not awaited."""
        return self._cipher.encode(messages.GOODBYE)

    # --- questions and steps -----------------------------------------------------------------------------------

    def request(self, what: str) -> bytes:
        """The bytes that ask for ``snapshot`` or ``keepalive``; raises `KeyError` for anything else."""
        return self._cipher.encode(_ANSWERS[what])

    def encode(self, payload: Any) -> bytes:
        """The bytes of a `ModuleWrite`; raises `ValueError` for what must never be sent.

        That is: both relays of a cover on; a relay on without a snapshot of this session; a relay on while its
        partner reads on; a relay switched on behind a write that switched its partner on.
        """
        if not isinstance(payload, ModuleWrite):
            raise ValueError(f"{type(payload).__name__} is no step of this driver")  # noqa: TRY004 - as promised
        wire = self._cipher.encode(
            messages.write_request(self._options.bus, self._options.base_address, payload)
        )
        written = {place: payload.values[place.output - 1] for place in self._relays_of(payload.module)}
        for relay, value in written.items():
            if value:
                self._check_start(relay, written)
        self._written.update(written)
        return wire

    def _relays_of(self, module: int) -> list[Place]:
        return [relay for relay in self._partners if relay.module == module]

    def _check_start(self, relay: Place, written: dict[Place, int]) -> None:
        partner = self._partners[relay]
        if written.get(partner):
            raise ValueError(f"{relay} and {partner} drive one motor in two directions")
        if self._state is None:
            raise ValueError(f"{relay} drives a motor, and nothing has been seen in this session")
        if self._state[partner.offset]:
            raise ValueError(f"{relay} drives a motor, and {partner} that drives it the other way is on")
        if not self._state[relay.offset] and self._written.get(partner):
            raise ValueError(f"{relay} drives a motor, and {partner} was last told to drive it the other way")

    def answers(self, job: Question, event: Event) -> bool:
        """Whether the event can be the answer to the job.

        Some devices may answer a write with a snapshot. That is learned in each session: the first one that comes
        while a write waits may as well be a late answer to an earlier poll, the second one counts.
        """
        if isinstance(event, Batch):
            if job.is_step:
                self._snapshots_for_writes += 1
                return self._snapshots_for_writes > 1
            return job.what == SNAPSHOT
        if isinstance(event, Sign):
            return event.kind == ("ack" if job.is_step else job.what)
        return False

    # --- the stream --------------------------------------------------------------------------------------------

    @property
    def is_partial(self) -> bool:
        """Whether something waits for more bytes, or for the proof that none come."""
        return bool(self._buffer) or self._is_adrift

    def feed(self, data: bytes) -> Sequence[Event]:
        """Take bytes, cut anywhere, and say what they mean. Never raises on content."""
        if data == self._whole and not self._buffer:
            self._tail_room = 0
            return self._again
        self._buffer += data
        return self._take(is_over=False)

    def flush(self) -> Sequence[Event]:
        """Nothing more is coming: a snapshot held back in doubt is good, all else that waits is lost."""
        is_tail_cut = self._is_in_tail
        events = self._take(is_over=True)
        self._is_adrift = self._is_in_tail = False
        self._tail_room = _LONGEST_TAIL if is_tail_cut else 0
        return events

    def _take(self, *, is_over: bool) -> list[Event]:
        self.gap_s = GAP_S
        events: list[Event] = []
        while self._buffer:
            size, event = self._next(is_over=is_over)
            if event is not None:
                events.append(event)
            if not size and event is None:
                break
            self._buffer = self._buffer[size:]
        return events

    def _next(self, *, is_over: bool) -> tuple[int, Event | None]:
        """How many bytes to take away (0: wait for more), and what they mean."""
        if self._is_in_tail:
            return self._skip_tail(is_over=is_over)
        if len(self._buffer) < HEAD_LENGTH:
            if self._is_adrift and self._buffer != self._head[:1]:
                return self._junk(1, "unknown")
            return self._junk(1, "cut") if is_over else _WAIT
        if self._buffer.startswith(self._head):
            self._tail_room = 0
            return self._read_snapshot(is_over=is_over)
        if self._is_adrift:
            return self._resync("unknown")
        return self._read_short(is_over=is_over)

    # --- snapshots ---------------------------------------------------------------------------------------------

    def _read_snapshot(self, *, is_over: bool) -> tuple[int, Event | None]:
        whole = self._buffer[:SNAPSHOT_LENGTH]
        if len(whole) < SNAPSHOT_LENGTH:
            return self._junk(len(whole), "cut") if is_over else _WAIT
        state = self._cipher.decode(whole)[HEAD_LENGTH:]
        module = self._plausibility.doubt(state)
        if module is not None:
            return self._resync(f"implausible_module_{module}")
        foreign = self._foreign_head()
        if foreign is not None and len(self._buffer) > SNAPSHOT_LENGTH:
            return self._junk(foreign, "joined", is_adrift=False)  # what follows has a head of its own
        if foreign is not None and not is_over:
            self.gap_s = HOLD_S
            return _WAIT
        self._is_adrift = False
        batch = Batch(MEMBER, GROUP, state, whole)
        self._state = state
        self._whole = whole if foreign is None else None
        self._again = (batch,)
        return SNAPSHOT_LENGTH, batch

    def _foreign_head(self) -> int | None:
        """Where in the candidate another message may begin, looking only where its look proves nothing.

        Of a last byte that could begin one, the byte behind it tells whether it does, or could begin one itself.
        """
        found = self._heads.search(self._buffer, self._plausibility.weighs_from, SNAPSHOT_LENGTH + 1)
        if found:
            return found.start()
        last = SNAPSHOT_LENGTH - 1
        is_doubtful = self._first_bytes.issuperset(self._buffer[last : last + 2])
        return last if is_doubtful else None

    def _resync(self, why: str) -> tuple[int, Event | None]:
        """Look for the next snapshot behind the first byte."""
        at = self._buffer.find(self._head, 1)
        if at < 0:
            at = len(self._buffer) - (self._buffer[-1] == self._head[0])
        return self._junk(at, why)

    def _junk(self, size: int, why: str, *, is_adrift: bool = True) -> tuple[int, Event | None]:
        self._is_adrift = is_adrift
        if size <= self._tail_room:
            self._tail_room -= size
            return size, None
        return size, Junk(why, self._buffer[:size])

    # --- everything else ---------------------------------------------------------------------------------------

    def _read_short(self, *, is_over: bool) -> tuple[int, Event | None]:
        ident, version = self._cipher.decode(self._buffer[:HEAD_LENGTH])
        if ident == messages.DISCONNECT and len(self._buffer) == HEAD_LENGTH:
            if not is_over:
                return _WAIT  # only a lone one is a goodbye
            return HEAD_LENGTH, Bye("the device said goodbye")
        sign = _SIGNS.get(ident)
        if sign is None or version >= _VERSIONS:
            return self._resync("unknown")
        self._tail_room = 0
        if ident == messages.KEEP_ALIVE:
            return HEAD_LENGTH, sign
        # Told at once: whoever waits for it must not wait for an end that only silence marks.
        self._is_in_tail = True
        return 0, sign

    def _skip_tail(self, *, is_over: bool) -> tuple[int, Event | None]:
        """Pass over the rest of a message that means no more than its head did."""
        buffer = self._buffer
        length = None
        head = self._cipher.decode(buffer[:HEAD_LENGTH])
        if head[0] == messages.FRAME:
            length = messages.frame_reply_length(self._cipher.decode(buffer[:_FRAME_HEAD_LENGTH]))
        at = buffer.find(self._head, HEAD_LENGTH)
        if at > 0 and (length is None or at < length):
            length = at  # cut short: the next message has begun
        elif length is None or len(buffer) < length:
            length = len(buffer) if is_over else None
        if length is not None:
            self._is_in_tail = False
            return length, None
        if len(buffer) > _LONGEST_TAIL:
            self._is_in_tail = False
            return self._junk(len(buffer), "endless")
        return _WAIT


_WAIT: Final[tuple[int, None]] = (0, None)
_FRAME_HEAD_LENGTH: Final = 7
