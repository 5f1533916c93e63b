"""The ready-made session: cut, glued and leftover bytes."""

from __future__ import annotations

import asyncio

import pytest

from holdfast.model import CommandState
from holdfast.simulation import Split
from tests.link.house import command, hub_of, loop, spec
from tests.link.toys.lockstep import LineDevice, _LineServer

pytestmark = pytest.mark.virtual


async def test_byte_by_byte() -> None:
    """Answers that come in single bytes are the same answers."""
    device = LineDevice()
    await device.listen("lamp")
    loop().network.host("lamp").split = Split(largest=1)
    async with hub_of(spec("lamp", "lockstep", "lamp")) as hub:
        await asyncio.sleep(10)
        assert hub.reading("lamp/level").value == 10
        assert (await command(hub, "lamp/lamp", True)).state is CommandState.VERIFIED


async def test_next_request_ends_the_previous_exchange(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leftover bytes of one exchange never spoil the answer to the next question."""
    device = LineDevice()
    await device.listen("lamp")
    original = _LineServer.say

    def say(self: _LineServer, data: bytes) -> None:
        original(self, b"OK" if data == b"OK\n" else data)  # an acknowledgement without its end

    monkeypatch.setattr(_LineServer, "say", say)
    async with hub_of(spec("lamp", "lockstep", "lamp")) as hub:
        await asyncio.sleep(5)
        receipt = await command(hub, "lamp/lamp", True)
        assert receipt.state is CommandState.VERIFIED
        assert receipt.ended_after_s is not None
        assert receipt.ended_after_s < 0.1


async def test_a_cut_answer_costs_one_poll() -> None:
    """The rest that never comes is dropped after the gap; the next answer is good."""
    device = LineDevice()
    await device.listen("lamp")
    async with hub_of(spec("lamp", "lockstep", "lamp")) as hub:
        await asyncio.sleep(5)
        for transport in device.open:
            transport.write(b"= lamp:1 le")
        await asyncio.sleep(1)
        (link,) = hub.links.values()
        assert link.report.rejects["cut"] == 1
        assert hub.reading("lamp/lamp").value is False
        assert link.report.sessions == 1


async def test_unasked_answers_are_taken_with_the_last_question() -> None:
    """An answer nobody asked for is evidence no newer than the last question."""
    device = LineDevice()
    await device.listen("lamp")
    async with hub_of(spec("lamp", "lockstep", "lamp")) as hub:
        await asyncio.sleep(5.1)
        for transport in device.open:
            transport.write(b"= lamp:0 level:33\n")
        await asyncio.sleep(0.01)
        reading = hub.reading("lamp/level")
        assert reading.value == 33
        assert reading.age_s is not None
        assert reading.age_s >= 0.01


async def test_closed_right_after_login() -> None:
    """A peer that welcomes and hangs up is an outage in words."""

    class Rude(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport = transport

        def data_received(self, data: bytes) -> None:
            self.transport.write(b"WELCOME x\n")  # type: ignore[attr-defined]
            self.transport.close()

    await asyncio.get_running_loop().create_server(Rude, "lamp", 7000)
    async with hub_of(spec("lamp", "lockstep", "lamp")) as hub:
        await asyncio.sleep(3)
        assert "closed" in hub.device("lamp").reason.text


async def test_early_data_after_login_is_not_lost() -> None:
    """What comes glued to the login's answer is read."""

    class Eager(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport = transport

        def data_received(self, data: bytes) -> None:
            if data.startswith(b"LOGIN"):
                self.transport.write(b"WELCOME x\n")  # type: ignore[attr-defined]
                self.transport.write(b"= lamp:1 level:5\n")  # type: ignore[attr-defined]

    await asyncio.get_running_loop().create_server(Eager, "lamp", 7000)
    async with hub_of(spec("lamp", "lockstep", "lamp")) as hub:
        await asyncio.sleep(0.5)
        assert hub.reading("lamp/level").value == 5
