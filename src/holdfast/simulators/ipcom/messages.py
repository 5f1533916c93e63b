"""What the controller understands and what it says, as plain bytes before obfuscation."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, IntEnum
from functools import reduce
from operator import xor
from typing import TYPE_CHECKING, NamedTuple

from holdfast.simulators.ipcom.cipher import KEY_SIZE, LONGEST_MESSAGE, Cipher

if TYPE_CHECKING:
    from collections.abc import Sequence


class MessageId(IntEnum):
    """The first byte of every message, in either direction."""

    CONNECT = 1
    DISCONNECT = 2
    KEEP_ALIVE = 3
    FRAME = 4
    OUTPUTS = 5
    KEYBOARD = 6
    ROWS = 0x23


VERSION = 1
"""Second byte of every message after the login."""

CONNECT_VERSION = 2
"""Second byte of the ConnectRequest and of its answer."""

CONNECT_REQUEST_SIZE = 56
"""Bytes: two of head, two text fields of 26, bus number, bus lock."""

MODULES = 16
"""Modules on the field bus, numbered from 1."""

OUTPUTS = 8
"""Outputs of a module, numbered from 1."""

FRAME_START = 0x23
"""Opens a frame for the field bus; a bus number may stand before it."""

SET_VALUES = 1
"""First data byte of a bus frame that sets all eight outputs of a module."""

LONGEST_FRAME_DATA = 32
"""Data bytes beyond which a frame's length is taken for noise; a write has 9."""

_TEXT_SIZE = 26
_FIRMWARE_SIZE = 4


# --- heard -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ConnectRequest:
    """A client's login."""

    username: str
    password: str = field(repr=False)
    bus: int
    lock: int


class Signal(Enum):
    """A request that is only its own head."""

    GOODBYE = MessageId.DISCONNECT
    KEEP_ALIVE = MessageId.KEEP_ALIVE
    POLL = MessageId.OUTPUTS


class FrameRequest(NamedTuple):
    """A frame to be handed to the field bus. ``bus`` is 0 if no bus number was sent."""

    bus: int
    to: int
    sender: int
    data: bytes


class Unreadable(NamedTuple):
    """Bytes that are no request; ``why`` is a short code for counting."""

    why: str


Request = Signal | FrameRequest | Unreadable


def parse_connect_request(plain: bytes) -> ConnectRequest | None:
    """The login in ``plain``, or ``None`` if that is not one."""
    if len(plain) != CONNECT_REQUEST_SIZE or plain[:2] != bytes((MessageId.CONNECT, CONNECT_VERSION)):
        return None
    username = _text(plain[2 : 2 + _TEXT_SIZE], "USER:")
    password = _text(plain[2 + _TEXT_SIZE : 2 + 2 * _TEXT_SIZE], "PWD:")
    if username is None or password is None:
        return None
    return ConnectRequest(username, password, bus=plain[-2], lock=plain[-1])


def _text(padded: bytes, label: str) -> str | None:
    try:
        text = padded.decode()
    except UnicodeDecodeError:
        return None
    return text.removeprefix(label).rstrip(" ") if text.startswith(label) else None


class Reader:
    """Cuts what a client sends after its login into requests, however the bytes are split or joined.

    There is no outer length field: bytes that make no sense are dropped with all that came along, as by a
    device that takes one received segment for one message.
    """

    def __init__(self, cipher: Cipher) -> None:
        self._cipher = cipher
        self._poll = cipher.encode(bytes((MessageId.OUTPUTS, VERSION)))
        self._rest = bytearray()

    @property
    def has_partial(self) -> bool:
        """Whether the beginning of a request waits for its end."""
        return bool(self._rest)

    def drop_partial(self) -> None:
        """Forget the beginning of a request whose end did not come."""
        self._rest.clear()

    def feed(self, data: bytes) -> Sequence[Request]:
        """The requests that ``data`` completes."""
        if data == self._poll and not self._rest:
            return (Signal.POLL,)
        self._rest += data
        requests: list[Request] = []
        while self._rest:
            plain = self._cipher.decode(bytes(self._rest[:LONGEST_MESSAGE]))
            size = _request_size(plain)
            if size == 0:
                requests.append(Unreadable("head"))
                self._rest.clear()
            elif size is None or size > len(plain):
                break
            else:
                requests.append(_parse(plain[:size]))
                del self._rest[:size]
        return requests


def _request_size(plain: bytes) -> int | None:
    """Bytes of the request that ``plain`` begins with; ``None``: cannot be told yet; 0: it is none."""
    if len(plain) < 2:
        return None
    if plain[1] != VERSION:
        return 0
    if plain[0] in (MessageId.DISCONNECT, MessageId.KEEP_ALIVE, MessageId.OUTPUTS):
        return 2
    return _frame_request_size(plain) if plain[0] == MessageId.FRAME else 0


def _frame_request_size(plain: bytes) -> int | None:
    if len(plain) < 4:
        return None
    start = _frame_start(plain)
    if start is None:
        return 0
    if len(plain) <= start + 3:
        return None
    following = plain[start + 3]
    return start + 4 + following if 2 <= following <= LONGEST_FRAME_DATA + 1 else 0


def _frame_start(plain: bytes) -> int | None:
    """Where the bus frame starts in a FrameRequest: after the head, or after a bus number."""
    return next((at for at in (2, 3) if plain[at] == FRAME_START), None)


def _parse(plain: bytes) -> Request:
    if plain[0] != MessageId.FRAME:
        return Signal(plain[0])
    start = _frame_start(plain)
    assert start is not None  # noqa: S101 - _frame_request_size has found it
    to, sender = plain[start + 1], plain[start + 2]
    data, checksum = plain[start + 4 : -1], plain[-1]
    if reduce(xor, data) != checksum:
        return Unreadable("checksum")
    return FrameRequest(plain[2] if start == 3 else 0, to, sender, data)


# --- said ------------------------------------------------------------------------------------------------

GOODBYE = bytes((MessageId.DISCONNECT, VERSION))
"""The device ends the session, or refuses to begin one."""

KEEP_ALIVE_REPLY = bytes((MessageId.KEEP_ALIVE, VERSION))
"""Inferred from the request: the same two bytes."""

SHORT_ACK = bytes((MessageId.FRAME, VERSION))
"""A write reply that is only a head; its layout is unknown."""

ACK = bytes((MessageId.FRAME, VERSION, 0))
"""A write reply of three bytes; its layout is unknown."""

ACCEPTED_WITHOUT_KEY = bytes((MessageId.CONNECT, CONNECT_VERSION, 0))
"""The three-byte ConnectResponse that clients know of and nobody has seen."""

RECORDED_REFUSAL = bytes.fromhex("7ee3")
"""Wire bytes of the one refusal ever recorded: `GOODBYE` under a key with 2f at 0 and 10 at 127."""


def connect_response(firmware: str, key: bytes) -> bytes:
    """Login accepted: the firmware's version (four characters) and the session's key."""
    text = firmware.encode("ascii")
    if len(text) != _FIRMWARE_SIZE or len(key) != KEY_SIZE:
        raise ValueError(f"firmware has {_FIRMWARE_SIZE} characters and a session key {KEY_SIZE} bytes")
    return bytes((MessageId.CONNECT, CONNECT_VERSION)) + text + b"\x01" + key


def snapshot(outputs: bytes) -> bytes:
    """All outputs, module by module."""
    if len(outputs) != MODULES * OUTPUTS:
        raise ValueError(f"{MODULES} modules have {MODULES * OUTPUTS} outputs, not {len(outputs)}")
    return bytes((MessageId.OUTPUTS, VERSION)) + outputs


def frame_ack(bus: int, sender: int) -> bytes:
    """A write reply in the shape of a bus frame, from the module at address ``sender``."""
    frame = bytes((FRAME_START, 0, sender, 2, SET_VALUES, SET_VALUES))
    return bytes((MessageId.FRAME, VERSION)) + (bytes((bus,)) if bus else b"") + frame
