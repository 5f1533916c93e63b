"""The messages of the IPCom protocol before obfuscation: the login, the write, and the heads of all others.

Messages have no outer length: the first byte (the id) and the second (the version) tell what follows.
"""

from __future__ import annotations

from typing import Final, NamedTuple

# --- ids, the first byte of a message; sources: the vendor's app, an earlier working client ------------------

CONNECT: Final = 0x01
DISCONNECT: Final = 0x02
KEEP_ALIVE: Final = 0x03
FRAME: Final = 0x04
SNAPSHOT: Final = 0x05
KEYBOARD: Final = 0x06
"""Keyboard status: ignored. Source: the vendor's app."""
ROWS: Final = 0x23
"""Rows of a TriCom device: ignored. Source: the vendor's app."""

VERSION: Final = 0x01
"""The second byte of every message but the ConnectRequest. Source: the vendor's app."""

SNAPSHOT_REQUEST: Final = bytes((SNAPSHOT, VERSION))
KEEP_ALIVE_REQUEST: Final = bytes((KEEP_ALIVE, VERSION))
"""Inferred: the vendor sends id and version bare."""
GOODBYE: Final = bytes((DISCONNECT, VERSION))
"""Inferred, best effort: the device may close without a word."""

# --- the house ------------------------------------------------------------------------------------------------

MODULES: Final = 16
OUTPUTS: Final = 8
"""Outputs of a module; only whole modules can be written."""
STATE_LENGTH: Final = MODULES * OUTPUTS
HEAD_LENGTH: Final = 2
SNAPSHOT_LENGTH: Final = HEAD_LENGTH + STATE_LENGTH

# --- the login ------------------------------------------------------------------------------------------------

USER_ROOM: Final = 21
"""Bytes for the user name, after UTF-8 encoding: what is longer would silently shift the packet."""
PASSWORD_ROOM: Final = 22
"""Bytes for the password, after UTF-8 encoding."""
REQUEST_LENGTH: Final = 56
RESPONSE_LENGTH: Final = 135
SHORT_RESPONSE_LENGTH: Final = 3
"""Vendor and earlier client take a reply of three bytes as "accepted, no key"; no example is known."""
REFUSAL_LENGTH: Final = 2
"""A refusal is a disconnect in the device's own key, so its bytes differ: only the length tells. Field recording."""
INSECURE_REPLY: Final = b"\x02\x01"
"""A device with the obfuscation off cannot read the request and says disconnect in plain bytes. Field recording."""

_FIELD_LENGTH: Final = 26
_REQUEST_VERSION: Final = 0x02
_KEY_AT: Final = 7

# --- frames on the bus ------------------------------------------------------------------------------------------

_FRAME_START: Final = 0x23
_SET_VALUES: Final = 0x01
_FROM: Final = 0x00
_LONGEST_FRAME: Final = 64
"""Inferred: a frame that claims more is none; the known one has 17 bytes."""


class ModuleWrite(NamedTuple):
    """A step: the eight outputs of module ``module`` (1 to 16) as they shall be."""

    module: int
    values: bytes


class ConnectResponse(NamedTuple):
    """What the device says when it accepts a login."""

    firmware: str
    session_key: bytes


def connect_request(username: str, password: str, *, bus: int = 1, lock: int = 0) -> bytes:
    """The login, exactly 56 bytes. Raises `ValueError` when a text is too long or a number is no byte.

    Layout confirmed by a recorded packet of the vendor's app; ``bus`` 1 and ``lock`` 0 are what it sends.
    """
    user = _field("the user name", b"USER:", username, USER_ROOM)
    secret = _field("the password", b"PWD:", password, PASSWORD_ROOM)
    return bytes((CONNECT, _REQUEST_VERSION)) + user + secret + bytes((bus, lock))


def _field(what: str, label: bytes, text: str, room: int) -> bytes:
    data = text.encode()
    if len(data) > room:
        raise ValueError(f"{what} has {len(data)} bytes, and only {room} fit")
    return (label + data).ljust(_FIELD_LENGTH, b" ")


def connect_response(plain: bytes) -> ConnectResponse:
    """Read the answer to a login; raises `ValueError` if it is none."""
    if len(plain) != RESPONSE_LENGTH:
        raise ValueError(f"a ConnectResponse has {RESPONSE_LENGTH} bytes, not {len(plain)}")
    if plain[0] != CONNECT:
        raise ValueError(f"a ConnectResponse begins with {CONNECT}, not {plain[0]}")
    text = plain[2:6].decode("ascii", "replace")
    return ConnectResponse("".join(filter(str.isprintable, text)).strip(), plain[_KEY_AT:])


def frame(bus: int, base: int, module: int, values: bytes) -> bytes:
    """The bus frame that sets the eight outputs of a module. Raises `ValueError` for what is no module.

    ``bus`` is left out when it is 0; the module's bus address is ``base + module - 1``. Source: the vendor's app.
    """
    if not 1 <= module <= MODULES:
        raise ValueError(f"modules are 1 to {MODULES}, not {module}")
    if len(values) != OUTPUTS:
        raise ValueError(f"a module has {OUTPUTS} outputs, not {len(values)}")
    data = bytes((_SET_VALUES, *values))
    check = 0
    for byte in data:
        check ^= byte
    head = (_FRAME_START, base + module - 1, _FROM, len(data) + 1)
    return bytes((*((bus,) if bus else ()), *head, *data, check))


def write_request(bus: int, base: int, write: ModuleWrite) -> bytes:
    """The message that hands a frame to a module; raises `ValueError` as `frame` does."""
    return bytes((FRAME, VERSION)) + frame(bus, base, write.module, write.values)


def frame_reply_length(plain: bytes) -> int | None:
    """Bytes in the reply to a write that begins with ``plain``, ``None`` while or where that cannot be told.

    Such replies exist in the vendor's app, their layout is unknown: a frame is known by its start byte.
    """
    for start in (3, 2):  # with and without a bus number
        if len(plain) > start + 3 and plain[start] == _FRAME_START:
            length = start + 4 + plain[start + 3]
            return length if length <= _LONGEST_FRAME else None
    return None


def offset(module: int, output: int) -> int:
    """Where an output (1 to 8) of a module (1 to 16) stands in the 128 bytes of state."""
    return (module - 1) * OUTPUTS + output - 1
