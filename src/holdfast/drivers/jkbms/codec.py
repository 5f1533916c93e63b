"""The JK protocol without I/O: bytes in, attributed records out, in any pieces (JK fact sheet sections 2 to 11).

Three ways to the same frames: `JkBusCodec` listens, `JkPollingCodec` asks on a bus without master, `JkBleCodec` hears
one battery over Bluetooth. None of them can write: `encode` refuses everything.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from typing import TYPE_CHECKING, Any, Final, Protocol

from holdfast.drivers.jkbms.about import AboutRecord, read_about
from holdfast.drivers.jkbms.attribution import address_by_reply, address_on_bus
from holdfast.drivers.jkbms.calls import ABOUT, GROUPS, LIVE, SETTINGS, TYPES, Call, poll
from holdfast.drivers.jkbms.counters import JkCounters
from holdfast.drivers.jkbms.framer import (
    LOGBOOK,
    Ack,
    BusFramer,
    Frame,
    Framer,
    Poll,
    Reply,
    Waste,
)
from holdfast.drivers.jkbms.layouts import Layout, is_jk04, layout_by_look, layout_by_version
from holdfast.drivers.jkbms.live import LiveRecord, read_live_24s, read_live_32s
from holdfast.drivers.jkbms.settings import SettingsRecord, read_settings_24s, read_settings_32s
from holdfast.errors import Nonsense, SessionLost, Silent, Unsupported
from holdfast.model import Batch, Event, HeardWhy, Identity, Junk, Say, Sign

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from holdfast.drivers.jkbms.framer import Unit
    from holdfast.model import Heard

JkRecord = LiveRecord | SettingsRecord | AboutRecord
"""What ``Batch.raw`` holds."""

PROOF_S: Final = 10.0
"""How long a bus must be silent before we believe that it has no master, in seconds.

The slowest cycles seen take 7 s (section 2) and a master speaks several times in each, so this is a whole cycle and
half of another. A gateway that collects bytes, or a master that pauses to restart its scan, fits in.
"""

ECHOES: Final = 4
"""How many of our last polls may still come back as an echo of the adapter (section 1): a poll, its repetition, and the
same of the battery before, on a network that stalls for a second."""

ACK_S: Final = 3.0
"""How long a BMS may take to answer a Bluetooth command, in seconds. Inferred: frames come about once a second."""
QUIET_S: Final = 1.0
"""Silence within such an answer, in seconds. Inferred: longer than any connection interval."""

_BLE_ABOUT: Final = 0x97
_BLE_LIVE: Final = 0x96


class Question(Protocol):
    """What is asked, as far as its answer goes."""

    what: str
    member: str
    group: str


class _JkCodec(ABC):
    """What all three have in common. Implements `holdfast.link.stream_codec.Codec`."""

    def __init__(self, framer: Framer, counters: JkCounters) -> None:
        self.counters = counters
        self._framer = framer

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._framer!r}>"

    @property
    def is_partial(self) -> bool:
        """Whether the beginning of a unit, or a frame without its reply, waits for more."""
        return self._framer.is_partial

    @property
    def gap_s(self) -> float:
        """Seconds of silence after which `flush` is due: 0.2 while a whole frame waits for its reply, else 0.5."""
        return self._framer.gap_s

    def feed(self, data: bytes) -> Sequence[Event]:
        """Take bytes, cut anywhere, and say what they mean. Never raises on content."""
        return self._events(self._framer.feed(data))

    def flush(self) -> Sequence[Event]:
        """The rest is not coming: a whole frame counts without its reply, all else is dropped."""
        return self._events(self._framer.flush())

    def encode(self, payload: Any) -> bytes:
        """Nothing can be written: raises `ValueError`."""
        raise ValueError(f"this driver only reads; it cannot send {type(payload).__name__}")

    def goodbye(self) -> bytes:
        """There is no leave to take."""
        return b""

    def _events(self, units: list[Unit]) -> list[Event]:
        events: list[Event] = []
        for unit in units:
            event = self._event(unit)
            if event is not None:
                events.append(event)
        return events

    def _event(self, unit: Unit) -> Event | None:
        if isinstance(unit, Frame):
            return self._frame(unit)
        if isinstance(unit, Waste):
            return Junk(unit.why, unit.data)
        return self._short(unit)

    @abstractmethod
    def _frame(self, frame: Frame) -> Event:
        """What a whole frame means."""

    @abstractmethod
    def _short(self, unit: Poll | Reply | Ack) -> Event | None:
        """What a unit other than a frame means."""


class JkBusCodec(_JkCodec):
    """Listens on the RS485 bus and sends nothing.

    Gives a `Batch` for each whole frame whose sender is known: ``member`` is its address in decimal, ``group`` is
    ``live``, ``settings`` or ``about``, ``raw`` a `LiveRecord`, `SettingsRecord` or `AboutRecord`. Polls of the master
    and lone replies give nothing: they are no sign of life of a battery.

    ``counters`` may be the caller's own, to outlive the session.
    """

    def __init__(self, counters: JkCounters | None = None) -> None:
        counters = JkCounters() if counters is None else counters
        super().__init__(BusFramer(counters), counters)

    def login(self) -> Generator[Say, Heard, Identity | None]:
        """There is none on a bus that one only listens to."""
        yield from ()
        return None

    def request(self, what: str) -> bytes:
        """Empty: a second master would corrupt the first one's bus (section 1)."""
        return b""

    def answers(self, job: Question, event: Event) -> bool:
        """Nothing is an answer where nothing is asked."""
        return False

    def _short(self, unit: Poll | Reply | Ack) -> Event | None:
        if isinstance(unit, Poll):
            self.counters.polls += 1
            self._polled(unit)
        else:
            self.counters.replies += 1
        return None

    def _polled(self, unit: Poll) -> None:
        """Somebody asks."""

    def _whose(self, frame: Frame) -> int | None:
        return address_on_bus(frame)

    def _frame(self, frame: Frame) -> Event:
        counters = self.counters
        group = GROUPS[frame.kind]
        counters.frames[group] = counters.frames.get(group, 0) + 1
        address = self._whose(frame)
        if frame.reply is not None:
            counters.replies += 1
            if address is None:
                counters.bad_replies += 1
        elif frame.is_reply_bad:
            counters.bad_replies += 1
        if address is None:
            counters.unattributed += 1
            # Device info holds passcodes: what is rejected may be shown.
            return Junk("unattributed", frame.data[:6] if frame.kind == _ABOUT else frame.data)
        if frame.kind != _ABOUT and is_jk04(frame.data):
            counters.unreadable += 1
            return Junk("jk04", frame.data)
        counters.batteries.add(address)
        return Batch(_MEMBERS[address], group, _READ_32S[frame.kind](frame.data))


class JkPollingCodec(JkBusCodec):
    """Asks for frames on a bus that has no master, and proves that first. The first foreign poll silences it for good.

    Believes only frames with a CRC-correct reply (section 11).
    """

    def __init__(self, counters: JkCounters | None = None) -> None:
        super().__init__(counters)
        self.is_silenced = False
        """Whether another master was heard in this session: from then on `request` gives nothing."""
        self._echoes: deque[bytes] = deque(maxlen=ECHOES)

    def login(self) -> Generator[Say, Heard, Identity | None]:
        """Listen for `PROOF_S`: any byte means that somebody else speaks here, and that we must not."""
        heard = yield Say(b"", enough=bool, gap_s=PROOF_S, limit_s=PROOF_S)
        if heard.why is HeardWhy.CLOSED:
            raise SessionLost("the connection closed while we listened for another master")
        self.is_silenced = bool(heard.data)
        self._framer.keep(heard.data)
        return None

    def request(self, what: str) -> bytes:
        """The poll for ``live:3``, ``settings:3`` or ``about:3``; empty once another master was heard.

        Ask anew for each sending: the answer changes, and what was given out is expected back as an echo. Raises
        `KeyError` or `ValueError` for anything else.
        """
        group, _, address = what.partition(":")
        kind = TYPES[group]
        member = _MEMBERS.index(address)
        if self.is_silenced:
            return b""
        data = poll(Call(member, kind))
        self._echoes.append(data)
        return data

    def answers(self, job: Question, event: Event) -> bool:
        """By battery and group, both of which the frame and its reply tell."""
        return isinstance(event, Batch) and event.member == job.member and event.group == job.group

    def _polled(self, unit: Poll) -> None:
        """Our own polls come back in the order in which they went out; any other is of another master."""
        echoes = self._echoes
        if unit.data in echoes:
            while echoes.popleft() != unit.data:
                pass
            return
        self.counters.foreign_polls += 1
        self.is_silenced = True

    def _whose(self, frame: Frame) -> int | None:
        return address_by_reply(frame)


class JkBleCodec(_JkCodec):
    """One battery over Bluetooth: all frames are of ``member``, and they come unasked after the login."""

    def __init__(self, member: str, counters: JkCounters | None = None) -> None:
        counters = JkCounters() if counters is None else counters
        super().__init__(Framer(counters), counters)
        self.layout: Layout | None = None
        """By the device info; ``None`` while that is not known, and each frame must show its own."""
        self._member = member

    def login(self) -> Generator[Say, Heard, Identity | None]:
        """Ask for the device info, then for the stream of live frames, and see that both can be read.

        Raises `Silent`, `Nonsense`, `SessionLost`, or `Unsupported` for the float family JK04.
        """
        about = yield from self._ask(_BLE_ABOUT, {TYPES[ABOUT]})
        record = read_about(about.data)
        self.layout = layout_by_version(record.sw_version)
        first = yield from self._ask(_BLE_LIVE, {TYPES[LIVE], TYPES[SETTINGS]})
        if self.layout is Layout.JK04 or is_jk04(first.data):
            raise Unsupported(
                f"{record.vendor_id} with software {record.sw_version} speaks JK04, which is not supported",
                advice="Models with software 10 or later can be read.",
            )
        return Identity(serial=record.serial_number, model=record.vendor_id, firmware=record.sw_version)

    def _ask(self, command: int, kinds: set[int]) -> Generator[Say, Heard, Frame]:
        """Send a command and wait for a frame of one of the types; all that is heard is kept for `feed`."""
        heard = yield Say(
            ble_command(command), _has_frame(kinds), gap_s=QUIET_S, limit_s=ACK_S, hides_answer=True
        )
        self._framer.keep(heard.data)
        frame = _first_frame(heard.data, kinds)
        if frame is not None:
            return frame
        if heard.why is HeardWhy.CLOSED:
            raise SessionLost("the BMS closed the connection during the login")
        if not heard.data:
            raise Silent(
                "the BMS does not answer", advice="Only one client at a time can be connected to it."
            )
        raise Nonsense("what came is no whole frame of a JK BMS")

    def request(self, what: str) -> bytes:
        """The command for the stream of live frames (``live``, ``settings``) or for ``about``; raises `KeyError`."""
        return ble_command(_BLE_COMMANDS[what.partition(":")[0]])

    def answers(self, job: Question, event: Event) -> bool:
        """By group; all frames are of the one battery."""
        return isinstance(event, Batch) and event.group == job.group

    def _short(self, unit: Poll | Reply | Ack) -> Event | None:  # only Ack exists here
        return Sign("ack", self._member)

    def _frame(self, frame: Frame) -> Event:
        counters = self.counters
        group = GROUPS.get(frame.kind, "logbook")
        counters.frames[group] = counters.frames.get(group, 0) + 1
        if frame.kind == LOGBOOK:
            return Sign("logbook", self._member)
        record = self._read(frame)
        if isinstance(record, str):
            counters.unreadable += 1
            return Junk(record, frame.data)
        return Batch(self._member, group, record)

    def _read(self, frame: Frame) -> JkRecord | str:
        """The record, or in one word why there is none."""
        data = frame.data
        if frame.kind == _ABOUT:
            record = read_about(data)
            self.layout = layout_by_version(record.sw_version) or self.layout
            return record
        if self.layout is Layout.JK04 or is_jk04(data):
            return "jk04"
        layout: Layout | None = self.layout
        if layout is None and frame.kind == _LIVE:
            layout = self.layout = layout_by_look(data)
        if layout is None:
            return "layout"
        return _READ[layout][frame.kind](data)


def ble_command(command: int) -> bytes:
    """The 20 bytes of a Bluetooth command without a value: header, command, zeros, sum (section 11)."""
    body = b"\xaa\x55\x90\xeb" + bytes((command,)) + bytes(14)
    return body + bytes((sum(body) & 0xFF,))


def _first_frame(heard: bytes, kinds: set[int]) -> Frame | None:
    units = Framer(JkCounters()).feed(heard)
    return next((unit for unit in units if isinstance(unit, Frame) and unit.kind in kinds), None)


def _has_frame(kinds: set[int]) -> Callable[[bytes], bool]:
    return lambda heard: _first_frame(heard, kinds) is not None


_LIVE: Final = TYPES[LIVE]
_ABOUT: Final = TYPES[ABOUT]
_MEMBERS: Final = [str(address) for address in range(16)]
_BLE_COMMANDS: Final = {ABOUT: _BLE_ABOUT, LIVE: _BLE_LIVE, SETTINGS: _BLE_LIVE}
_READ_32S: Final[dict[int, Callable[[bytes], JkRecord]]] = {
    TYPES[SETTINGS]: read_settings_32s,
    TYPES[LIVE]: read_live_32s,
    TYPES[ABOUT]: read_about,
}
_READ: Final[dict[Layout, dict[int, Callable[[bytes], JkRecord]]]] = {
    Layout.S32: _READ_32S,
    Layout.S24: {**_READ_32S, TYPES[SETTINGS]: read_settings_24s, TYPES[LIVE]: read_live_24s},
}
