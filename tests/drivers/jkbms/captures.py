"""The captured frames and streams, and frames made from them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from holdfast.drivers.jkbms.calls import TYPES, Call, poll, reply
from holdfast.model import Batch

if TYPE_CHECKING:
    from holdfast.drivers.jkbms.codec import JkBusCodec

DATA = Path(__file__).parents[2] / "data" / "jkbms"
INDEX: dict[str, Any] = json.loads((DATA / "index.json").read_text("utf-8"))
FRAMES: dict[str, dict[str, Any]] = {each["id"]: each for each in INDEX["frames"]}
STREAMS: dict[str, dict[str, Any]] = {each["id"]: each for each in INDEX["streams"]}
LONGEST = "mppsolar_bus_20240222_114810"

LIVE, SETTINGS, ABOUT = TYPES["live"], TYPES["settings"], TYPES["about"]


def frame(ident: str) -> bytes:
    """A captured frame."""
    return bytes.fromhex((DATA / FRAMES[ident]["file"]).read_text("ascii"))


def reads(ident: str) -> list[bytes]:
    """A captured stream as it was read."""
    return [bytes.fromhex(line) for line in (DATA / STREAMS[ident]["file"]).read_text("ascii").split()]


def truth(ident: str) -> list[dict[str, Any]]:
    """The frames in a captured stream."""
    found: list[dict[str, Any]] = json.loads((DATA / STREAMS[ident]["truth_file"]).read_text("utf-8"))
    return found


def sealed(data: bytes) -> bytes:
    """299 bytes or a frame whose bytes were changed, with a good sum."""
    return data[:299] + bytes((sum(data[:299]) & 0xFF,))


def changed(data: bytes, offset: int, raw: bytes) -> bytes:
    """A frame with other bytes at an offset, and a good sum."""
    return sealed(data[:offset] + raw + data[offset + len(raw) :])


LIVE_FRAME = frame("aiobmsble_32s_live")
ABOUT_FRAME = frame("mppsolar_pb_8s_t3")
_SETTINGS_FRAME = frame("mppsolar_pb_8s_t1")
BY_KIND = {LIVE: LIVE_FRAME, ABOUT: ABOUT_FRAME}


def settings_frame(address: int) -> bytes:
    """A settings frame that names its sender."""
    return changed(_SETTINGS_FRAME, 270, address.to_bytes(4, "little"))


def frame_of(address: int, kind: int) -> bytes:
    """What a battery sends."""
    return settings_frame(address) if kind == SETTINGS else BY_KIND[kind]


def poll_of(address: int, kind: int = LIVE) -> bytes:
    return poll(Call(address, kind))


def reply_of(address: int, kind: int = LIVE) -> bytes:
    return reply(Call(address, kind))


def answer_of(address: int, kind: int = LIVE) -> bytes:
    """A battery's frame with the reply behind it."""
    return frame_of(address, kind) + reply_of(address, kind)


def batches(
    codec: JkBusCodec, data: bytes, *, size: int = 0, then_silence: bool = True
) -> list[tuple[str, str]]:
    """Member and group of all that comes out of the bytes, in pieces of a size."""
    pieces = [data[at : at + size] for at in range(0, len(data), size)] if size else [data]
    events = [event for piece in pieces for event in codec.feed(piece)]
    if then_silence:
        events += codec.flush()
    return [(event.member, event.group) for event in events if isinstance(event, Batch)]
