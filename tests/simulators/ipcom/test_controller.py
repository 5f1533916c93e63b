"""The controller as a whole: starting, stopping, replaying, and a long bad day."""

from __future__ import annotations

import ast
import asyncio
import random
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import holdfast.simulators.ipcom as package
from holdfast.simulation import VirtualLoop, run_virtual
from holdfast.simulators.ipcom import (
    Behaviour,
    ControllerConfig,
    Glue,
    IpcomController,
    Refuse,
    demo_house,
    random_timetable,
)
from tests.simulators.ipcom.client import POLL, Client, login_request, write_request

if TYPE_CHECKING:
    from tests.simulators.ipcom.conftest import Serve

BOTH_LOOPS = pytest.mark.asyncio(loop_factories=["real", "sim"])


@BOTH_LOOPS
async def test_stopping_ends_every_connection(serve: Serve) -> None:
    """Whoever is connected sees the end of the stream, nobody can connect any more, and no task is left."""
    controller = await serve(reply_delay_s=10.0, bus_delay_s=10.0)
    clients = [await Client.with_session(controller) for _ in range(3)]
    for client in clients:
        client.send(POLL)
        await client.write(1, *bytes((255,) * 8))
    await asyncio.sleep(0.05)
    await controller.stop()
    assert controller.connections == controller.sessions == 0
    for client in clients:
        assert (await client.rest()).hex() in {"", client.cipher.encode(b"\x04\x01\x00").hex()}
        client.writer.close()
    with pytest.raises(ConnectionRefusedError):
        await Client.dial(controller)
    assert asyncio.all_tasks() == {asyncio.current_task()}
    await controller.stop()


def test_stopping_leaves_nothing() -> None:
    """Residents, timetable, delayed replies and writes under way end with the controller: no timer is left."""

    async def day(loop: VirtualLoop) -> None:
        house = demo_house(timetable=random_timetable(random.Random(1), 10.0, "hostile"))
        controller = IpcomController(house, rng=random.Random(1), host="house")
        async with controller:
            controller.behave(bus_delay_s=10.0, reply_delay_s=10.0, idle_timeout_s=60.0)
            clients = [await Client.dial(controller) for _ in range(2)]
            for client in clients:
                await client.login(login_request("demo", "demo"))
            clients[0].send(POLL)
            await asyncio.sleep(0.1)
            controller.begin(Glue(10.0))
            await clients[1].write(1, *bytes(8))
            await asyncio.sleep(0.1)
            assert not controller.field_bus.is_idle
            assert controller.counts["polls"] == 1
            before = controller.house.outputs
        for client in clients:
            client.writer.close()
            await client.writer.wait_closed()
        assert loop.leftovers() == []
        await asyncio.sleep(1000.0)
        assert controller.house.outputs == before

    run_virtual(day)


@BOTH_LOOPS
async def test_starting_again(serve: Serve) -> None:
    """After a power cut the same port serves the same house, and faults of before are over."""
    controller = await serve()
    port = controller.port
    controller.begin(Refuse())
    controller.house.press(1, 1)
    await controller.stop()
    await controller.start()
    assert controller.port == port
    async with await Client.with_session(controller) as client:
        assert (await client.poll())[0] == 255
    with pytest.raises(RuntimeError, match="running"):
        await controller.start()


@BOTH_LOOPS
async def test_stopping_while_opening_again() -> None:
    """A controller stopped in the instant its refusal ends leaves no listener behind."""
    controller, fault = IpcomController(rng=random.Random(1), host="localhost"), Refuse()
    await controller.start()
    controller.begin(fault)
    controller.end(fault)
    await controller.stop()
    assert asyncio.all_tasks() == {asyncio.current_task()}
    with pytest.raises(OSError, match=r"refused|failed"):
        await Client.dial(controller)


@BOTH_LOOPS
@pytest.mark.parametrize("turns", range(8))
async def test_a_client_that_connects_as_it_stops(serve: Serve, turns: int) -> None:
    """A connection accepted in the very moment of stopping is ended like the others, before stopping is over."""
    controller = await serve()
    dialling = asyncio.ensure_future(Client.dial(controller))
    for _ in range(turns):
        await asyncio.sleep(0)
    await controller.stop()
    noted = len(controller.events)
    try:
        async with await dialling as client:
            assert await client.rest() == b""
    except ConnectionError:
        pass
    assert controller.connections == 0
    assert len(controller.events) == noted


async def test_a_client_that_reads_nothing_cannot_delay_stopping(serve: Serve) -> None:
    """With megabytes unread at the client, stopping still takes well under a second."""
    controller = await serve()
    async with await Client.with_session(controller) as client:
        client.writer.transport.pause_reading()  # type: ignore[attr-defined]
        (connection,) = controller._connections.values()
        while connection._transport.get_write_buffer_size() < 1_000_000:
            controller.send_snapshots()
        began_at = asyncio.get_running_loop().time()
        await controller.stop()
        assert asyncio.get_running_loop().time() - began_at < 1.0
        assert controller.connections == 0
        client.writer.transport.abort()


async def test_a_port_in_use(serve: Serve) -> None:
    """Two controllers cannot share a port: the second one says so and can be started later."""
    first = await serve()
    second = IpcomController(rng=random.Random(1), port=first.port)
    with pytest.raises(OSError, match="in use"):
        await second.start()
    await first.stop()
    async with second:
        assert second.port == first.port


async def test_a_port_taken_during_a_refusal(serve: Serve) -> None:
    """If somebody else takes the port meanwhile, the controller keeps trying and gets it back."""
    controller, fault = await serve(), Refuse()
    controller.begin(fault)
    await asyncio.sleep(0.01)
    with socket.socket() as squatter:
        squatter.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        squatter.bind((controller.host, controller.port))
        squatter.listen()
        controller.end(fault)
        await asyncio.sleep(0.15)
        assert controller._server is None
    async with await Client.with_session(controller) as client:
        assert await client.poll() == bytes(128)


def test_the_same_seed_is_the_same_day() -> None:
    """Hours of residents, faults and reconnects replay exactly from their seed, and leave nothing behind."""

    async def day(loop: VirtualLoop) -> list[object]:
        rng = random.Random(11)
        house = demo_house(timetable=random_timetable(rng, 1.0, "hostile"))
        controller = IpcomController(house, rng=rng, host="house", port=5000)
        deadline, polls = loop.time() + 3600, 0
        async with controller:
            while loop.time() < deadline:
                polls += await _one_connection(controller, rng, deadline)
                await asyncio.sleep(0.5)
        return [polls, *controller.events, *controller.frames, *controller.house.changes, controller.counts]

    first = run_virtual(day, seed=1)
    assert first == run_virtual(day, seed=1)
    assert isinstance(first[0], int)
    assert first[0] > 3_000


async def _one_connection(controller: IpcomController, rng: random.Random, deadline: float) -> int:
    """Poll until something goes wrong; how many polls went well."""
    loop, polls = asyncio.get_running_loop(), 0
    try:
        async with await Client.dial(controller) as client:
            async with asyncio.timeout(1.0):
                await client.login(login_request("demo", "demo"))
            while loop.time() < deadline:
                async with asyncio.timeout(0.7):
                    await client.poll()
                polls += 1
                if rng.random() < 0.05:
                    client.send(write_request(rng.randint(1, 2), rng.randbytes(8)))
                await asyncio.sleep(0.35)
    except (OSError, EOFError, AssertionError):
        pass
    return polls


def test_it_shares_no_code_with_what_it_judges() -> None:
    """The simulator imports the standard library, itself and the common timetable, nothing else of anybody's."""
    for path in Path(package.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            for name in names:
                is_own = name == "holdfast.simulators" or name.startswith("holdfast.simulators.ipcom")
                assert name.partition(".")[0] != "holdfast" or is_own, path


def test_nothing_secret_is_shown() -> None:
    """Passwords and keys are not part of what a configuration shows of itself."""
    behaviour = Behaviour(accounts={"anna": "s3cret"}, session_key=b"k" * 128)
    shown = repr(ControllerConfig(behaviour=behaviour))
    assert "s3cret" not in shown
    assert "kkkk" not in shown
