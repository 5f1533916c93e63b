"""The golden vectors judge the device's side, in both directions and byte for byte."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from holdfast.simulators.ipcom.cipher import CLEAR, LOGIN, TABLE, session_cipher
from holdfast.simulators.ipcom.house import Frame, House, Module, ModuleKind
from holdfast.simulators.ipcom.messages import (
    GOODBYE,
    KEEP_ALIVE_REPLY,
    RECORDED_REFUSAL,
    ConnectRequest,
    FrameRequest,
    Reader,
    Signal,
    Unreadable,
    connect_response,
    parse_connect_request,
    snapshot,
)
from tests.simulators.ipcom.client import Client
from tests.simulators.ipcom.golden import DATA, VECTORS, raw

if TYPE_CHECKING:
    from tests.simulators.ipcom.conftest import Serve

TABLE_SHA256 = "15202aaf51b289531938b924ea70f6c726864ecffd455dc9c6c9370ee0af005f"


def test_table_is_the_golden_one() -> None:
    """The embedded table is the one every controller carries."""
    assert hashlib.sha256(TABLE).hexdigest() == TABLE_SHA256
    assert bytes.fromhex((DATA / "key_table.hex").read_text("ascii")) == TABLE


def test_single_key_vectors() -> None:
    """Messages of the login mode match in both directions."""
    for vector in VECTORS["cipher_single"]:
        assert LOGIN.encode(raw(vector, "plain")) == raw(vector, "wire")
        assert LOGIN.decode(raw(vector, "wire")) == raw(vector, "plain")


def test_dual_key_vectors() -> None:
    """Messages under a session key match in both directions."""
    for vector in VECTORS["cipher_dual"]:
        cipher = session_cipher(raw(vector, "session_key"))
        assert cipher.encode(raw(vector, "plain")) == raw(vector, "wire")
        assert cipher.decode(raw(vector, "wire")) == raw(vector, "plain")


def test_connect_requests() -> None:
    """The device reads every recorded login down to its four fields."""
    for vector in VECTORS["connect_request"]:
        plain = LOGIN.decode(raw(vector, "wire"))
        assert plain == raw(vector, "plain")
        assert parse_connect_request(plain) == ConnectRequest(
            vector["username"], vector["password"], vector["bus"], vector["lock"]
        )


def test_connect_responses() -> None:
    """The device's welcome carries firmware and key in the recorded places."""
    for vector in VECTORS["connect_response"]:
        plain = connect_response(vector["firmware"], raw(vector, "session_key"))
        assert plain == raw(vector, "plain")
        assert LOGIN.encode(plain) == raw(vector, "wire")


@pytest.mark.parametrize(
    ("name", "signal"),
    [
        ("snapshot_request", Signal.POLL),
        ("keepalive", Signal.KEEP_ALIVE),
        ("disconnect", Signal.GOODBYE),
    ],
)
def test_signals(name: str, signal: Signal) -> None:
    """Polls, keep-alive requests and goodbyes are understood under every key."""
    for vector in VECTORS[name]:
        cipher = session_cipher(raw(vector, "session_key"))
        assert cipher.decode(raw(vector, "wire")) == raw(vector, "plain")
        assert list(Reader(cipher).feed(raw(vector, "wire"))) == [signal]


def test_snapshots() -> None:
    """The device encodes the outputs of sixteen modules as recorded."""
    for vector in VECTORS["snapshots"]:
        plain = snapshot(bytes(value for module in vector["outputs"] for value in module))
        assert plain == raw(vector, "plain")
        assert session_cipher(raw(vector, "session_key")).encode(plain) == raw(vector, "wire")


def test_writes() -> None:
    """The device reads bus, module and all eight values out of every write."""
    for vector in VECTORS["writes"]:
        cipher = session_cipher(raw(vector, "session_key"))
        assert cipher.decode(raw(vector, "wire")) == raw(vector, "plain")
        to = vector["base_address"] + vector["module"] - 1
        wanted = FrameRequest(vector["bus"], to, 0, bytes((1, *vector["values"])))
        assert list(Reader(cipher).feed(raw(vector, "wire"))) == [wanted]


@pytest.mark.virtual
async def test_write_sequences() -> None:
    """Steps of a sequence leave the module with every output as its last step wants it."""
    for vector in VECTORS["write_sequences"]:
        module = vector["module"]
        before = bytes(8 * (module - 1)) + bytes(vector["before"]) + bytes(8 * (16 - module))
        house = House({module: Module(ModuleKind.DIMMER, scale=255)}, before)
        reader = Reader(session_cipher(raw(vector, "session_key")))
        wanted = dict(enumerate(vector["before"], 1))
        for step in vector["steps"]:
            (request,) = reader.feed(raw(step, "wire"))
            assert isinstance(request, FrameRequest)
            house.write(Frame(0.0, request.to - 59, request.data[1:], 1))
            wanted[step["output"]] = step["value"]
            assert {output: house.value(module, output) for output in wanted} == wanted


@pytest.mark.virtual
@pytest.mark.parametrize("index", range(len(VECTORS["writes"])))
async def test_writes_over_a_connection(serve: Serve, index: int) -> None:
    """A recorded write, sent as recorded, changes the truth of the house to the recorded values."""
    vector = VECTORS["writes"][index]
    module = vector["module"]
    before = bytes(8 * (module - 1)) + bytes(vector["before"]) + bytes(8 * (16 - module))
    as_asked = {module: Module(ModuleKind.DIMMER, scale=255)}
    key = raw(vector, "session_key")
    controller = await serve(session_key=key, bus=vector["bus"], outputs=before, modules=as_asked)
    async with await Client.with_session(controller) as client:
        client.send_raw(raw(vector, "wire"))
        await client.hear(3)
    (frame,) = controller.frames
    assert (frame.module, frame.values) == (module, bytes(vector["values"]))
    assert list(controller.house.outputs[8 * (module - 1) : 8 * module]) == vector["values"]


@pytest.mark.parametrize("index", range(len(VECTORS["connect_response"])))
async def test_recorded_exchange_over_a_socket(serve: Serve, index: int) -> None:
    """Login, poll, keep-alive and goodbye go over a real socket exactly as recorded."""
    request, response = VECTORS["connect_request"][index], VECTORS["connect_response"][index]
    key = raw(response, "session_key")
    controller = await serve(
        accounts={request["username"]: request["password"]},
        session_key=key,
        firmware=response["firmware"],
    )
    async with await Client.dial(controller) as client:
        client.send_raw(raw(request, "wire"))
        assert await client.take(135) == raw(response, "wire")
        client.send_raw(raw(VECTORS["snapshot_request"][index], "wire"))
        assert await client.take(130) == session_cipher(key).encode(b"\x05\x01" + bytes(128))
        client.send_raw(raw(VECTORS["keepalive"][index], "wire"))
        assert await client.take(2) == raw(VECTORS["keepalive"][index], "wire")
        client.send_raw(raw(VECTORS["disconnect"][index], "wire"))
        assert await client.rest() == b""


def test_streams() -> None:
    """The recorded streams begin with the snapshot the device would send, and end with one."""
    for stream in VECTORS["streams"]:
        cipher = session_cipher(raw(stream, "session_key"))
        sent = [
            cipher.encode(snapshot(bytes(v for module in outputs for v in module)))
            for outputs in stream["snapshots"]
        ]
        received = b"".join(bytes.fromhex(chunk) for chunk in stream["chunks"])
        if stream["name"] == "keepalive_replies_between":
            reply = cipher.encode(KEEP_ALIVE_REPLY)
            assert received.replace(reply, b"") == b"".join(sent)
        elif stream["expect"] == "all":
            assert received == b"".join(sent)
        else:
            assert received.startswith(sent[0])
            assert received.endswith(sent[-1])


def test_short_replies_to_a_login() -> None:
    """The recorded refusal is a goodbye under a fitting key, and a plain goodbye reads 0e 65 when decoded."""
    recorded, plain, other = (raw(vector, "wire") for vector in VECTORS["short_replies_to_connect"])
    key = bytearray(128)
    key[0], key[127] = 0x2F, 0x10
    assert session_cipher(bytes(key)).encode(GOODBYE) == recorded == RECORDED_REFUSAL
    assert CLEAR.encode(GOODBYE) == plain
    assert LOGIN.decode(plain) == bytes((14, 101))
    assert session_cipher(raw(VECTORS["disconnect"][0], "session_key")).encode(GOODBYE) == other


def test_the_earlier_clients_keep_alive_is_no_request() -> None:
    """The framed keep-alive of an earlier client means nothing to the device."""
    for vector in VECTORS["legacy_framed_keepalive"]:
        requests = Reader(session_cipher(raw(vector, "session_key"))).feed(raw(vector, "wire"))
        assert requests
        assert all(isinstance(request, Unreadable) for request in requests)
