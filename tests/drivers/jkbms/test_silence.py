"""The codecs in the session that times them: how long a reply, the rest of a frame, and a master are waited for."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from holdfast.drivers.jkbms.codec import PROOF_S, JkBusCodec, JkPollingCodec
from holdfast.link.session import OpenLimits
from holdfast.link.stream import StreamSession
from holdfast.testing.ear import Ear
from tests.drivers.jkbms.captures import LIVE_FRAME, answer_of, poll_of, reply_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast.model import Batch, Reject, Stamp

pytestmark = pytest.mark.virtual


class Wire(asyncio.Transport):
    """Takes what is said."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[bytes] = []

    def write(self, data: Any) -> None:
        self.said.append(bytes(data))


class TimedEar(Ear):
    """What was reported, and how many seconds after it was made."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.get_running_loop()
        self.begun_t = self.loop.time()
        self.came: list[tuple[float, str]] = []

    def note(self, text: str) -> None:
        self.came.append((round(self.loop.time() - self.begun_t, 3), text))

    def observed(self, batch: Batch, as_of: Stamp | None = None) -> bool:
        self.note(f"{batch.member}/{batch.group}")
        return True

    def rejected(self, why: Reject, raw: bytes = b"") -> None:
        self.note(f"{why.code} {len(raw)}")


class Rig:
    """A session on such a wire."""

    def __init__(self, codec: JkBusCodec) -> None:
        self.ear = TimedEar()
        self.wire = Wire()
        self.session = StreamSession(self.dial, codec, self.ear)

    async def dial(self, factory: Callable[[], asyncio.Protocol], limit_s: float) -> asyncio.Transport:
        factory().connection_made(self.wire)
        return self.wire

    async def hear(self, *pieces: bytes, pause_s: float) -> None:
        for piece in pieces:
            self.session.data_received(piece)
            await asyncio.sleep(pause_s)


async def listening() -> Rig:
    rig = Rig(JkBusCodec())
    await rig.session.open(OpenLimits(1.0, 1.0))
    return rig


async def test_a_frame_whose_reply_does_not_come() -> None:
    """It is handed over 0.2 s after its last byte."""
    rig = await listening()
    await rig.hear(poll_of(3), LIVE_FRAME, pause_s=0.03)
    await asyncio.sleep(1)
    assert rig.ear.came == [(0.23, "3/live")]


async def test_a_reply_that_comes_late() -> None:
    """0.15 s behind its frame it still counts."""
    rig = await listening()
    await rig.hear(LIVE_FRAME, reply_of(3), pause_s=0.15)
    assert rig.ear.came == [(0.15, "3/live")]


async def test_a_frame_whose_rest_comes_late() -> None:
    """A gateway may take 0.4 s between two pieces, however many; 0.6 s are too many."""
    rig = await listening()
    await rig.hear(LIVE_FRAME[:100], LIVE_FRAME[100:256], LIVE_FRAME[256:] + reply_of(3), pause_s=0.4)
    assert rig.ear.came == [(0.8, "3/live")]
    rig = await listening()
    await rig.hear(LIVE_FRAME[:256], LIVE_FRAME[256:] + reply_of(3), pause_s=0.6)
    assert rig.ear.came[0] == (0.5, "cut 256")
    assert not [text for _, text in rig.ear.came if "live" in text]


async def test_a_cut_frame_and_the_next_answer() -> None:
    """The cut one costs itself alone, with the silence in between or without it."""
    for pause_s in (0.0, 0.18, 1.0):
        rig = await listening()
        await rig.hear(LIVE_FRAME[:256], poll_of(3), answer_of(3), pause_s=pause_s)
        assert rig.ear.came[-1] == (round(2 * pause_s, 3), "3/live")


async def test_the_proof_of_silence_takes_its_time() -> None:
    """Ten silent seconds, nothing said in them; then the bus may be asked."""
    codec = JkPollingCodec()
    rig = Rig(codec)
    await rig.session.open(OpenLimits(1.0, 2 * PROOF_S))
    assert asyncio.get_running_loop().time() - rig.ear.begun_t == pytest.approx(PROOF_S)
    assert rig.wire.said == []
    assert not codec.is_silenced


async def test_a_master_during_the_proof() -> None:
    """The first byte ends it; what was heard counts, and nothing is ever said."""
    codec = JkPollingCodec()
    rig = Rig(codec)
    opening = asyncio.create_task(rig.session.open(OpenLimits(1.0, 2 * PROOF_S)))
    await asyncio.sleep(7)
    rig.session.data_received(poll_of(3) + LIVE_FRAME)
    await opening
    rig.session.data_received(reply_of(3))
    assert codec.is_silenced
    assert rig.ear.came == [(7.0, "3/live")]
    assert codec.request("live:3") == b""
    assert rig.wire.said == []
