"""Snapshots out of the stream, signs, answers, and the last gate."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from holdfast.drivers.ipcom.cipher import dual_key
from holdfast.drivers.ipcom.codec import GAP_S, HOLD_S, IpcomCodec
from holdfast.drivers.ipcom.messages import ModuleWrite
from holdfast.drivers.ipcom.options import IpcomOptions
from holdfast.drivers.ipcom.plausibility import Plausibility
from holdfast.drivers.ipcom.wiring import ModuleKind, ModuleType
from holdfast.link.session import Job
from holdfast.model import Batch, Bye, Event, Junk, Sign
from tests.drivers.ipcom.golden import VECTORS, raw, state
from tests.drivers.ipcom.homes import codec, options

if TYPE_CHECKING:
    from collections.abc import Iterable

    from holdfast.link.stream_codec import Codec

KEY = raw(VECTORS["cipher_dual"][0]["session_key"])
DIMMER_6 = IpcomOptions(host="h", modules={6: ModuleType(ModuleKind.DIMMER)})
ANYTHING = replace(DIMMER_6, plausibility=False)
POLL = Job("snapshot", "", "outputs", reply_s=0.65)
STEP = Job("step", "", "outputs", ModuleWrite(1, bytes(8)), reply_s=0.03)
ALIVE = Job("keepalive", "", "", reply_s=0.03)
OFF = bytes(128)


def wire(plain: bytes, key: bytes = KEY) -> bytes:
    return dual_key(key).encode(plain)


def snapshot(seen: bytes, key: bytes = KEY) -> bytes:
    return wire(b"\x05\x01" + seen, key)


def lit(*places: int) -> bytes:
    """A house with these offsets on."""
    return bytes(255 if at in places else 0 for at in range(128))


def states(events: Iterable[Event]) -> list[bytes]:
    return [event.raw for event in events if isinstance(event, Batch)]


def junk(events: Iterable[Event]) -> list[str]:
    return [event.why for event in events if isinstance(event, Junk)]


def fed(made: IpcomCodec, pieces: Iterable[bytes]) -> list[Event]:
    events = list(itertools.chain.from_iterable(made.feed(piece) for piece in pieces))
    return events + list(made.flush())


def test_is_a_codec() -> None:
    """It fits the core's protocol (checked by mypy, too)."""
    made: Codec = codec(KEY)
    assert made.gap_s == GAP_S


# --- golden vectors -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", range(len(VECTORS["snapshots"])))
def test_snapshots(number: int) -> None:
    """Every golden snapshot decodes; those of random bytes with plausibility off."""
    vector = VECTORS["snapshots"][number]
    seen = state(vector["outputs"])
    key = raw(vector["session_key"])
    assert snapshot(seen, key) == raw(vector["wire"])
    events = fed(codec(key, ANYTHING), [raw(vector["wire"])])
    assert events == [Batch("", "outputs", seen, raw(vector["wire"]))]


def cuts(data: bytes, rng: random.Random) -> list[bytes]:
    points = sorted(rng.sample(range(1, len(data)), rng.randint(1, 20)))
    return [data[a:b] for a, b in itertools.pairwise([0, *points, len(data)])]


@pytest.mark.parametrize("stream", VECTORS["streams"], ids=lambda each: str(each["name"]))
def test_streams(stream: dict[str, Any]) -> None:
    """Golden streams in their chunks, whole, byte by byte and cut at random: the expected snapshots, never another."""
    chunks = [raw(chunk) for chunk in stream["chunks"]]
    data = b"".join(chunks)
    expected = [state(outputs) for outputs in stream["snapshots"]]
    rng = random.Random(1)
    ways = [
        chunks,
        [data],
        [data[i : i + 1] for i in range(len(data))],
        *(cuts(data, rng) for _ in range(100)),
    ]
    for pieces in ways:
        came = states(fed(codec(raw(stream["session_key"]), DIMMER_6), pieces))
        if stream["expect"] == "all":
            assert came == expected
        else:
            assert came[0] == expected[0]
            assert came[-1] == expected[-1]
            assert all(each in expected for each in came)


@pytest.mark.parametrize("stream", VECTORS["streams"], ids=lambda each: str(each["name"]))
def test_streams_with_plausibility_off(stream: dict[str, Any]) -> None:
    """The same without a look at the values: glued and cut snapshots are still never joined."""
    chunks = [raw(chunk) for chunk in stream["chunks"]]
    expected = [state(outputs) for outputs in stream["snapshots"]]
    came = states(fed(codec(raw(stream["session_key"]), ANYTHING), chunks))
    assert (came[0], came[-1]) == (expected[0], expected[-1])
    assert all(each in expected for each in came)


def test_requests() -> None:
    """Polls, keep-alives and goodbyes in the session's key."""
    for what, name in (("snapshot", "snapshot_request"), ("keepalive", "keepalive")):
        for vector in VECTORS[name]:
            assert codec(raw(vector["session_key"])).request(what) == raw(vector["wire"])
    for vector in VECTORS["disconnect"]:
        assert codec(raw(vector["session_key"])).goodbye() == raw(vector["wire"])
    with pytest.raises(KeyError):
        codec(KEY).request("weather")


def test_writes() -> None:
    """Golden writes, byte for byte."""
    for vector in VECTORS["writes"]:
        house = IpcomOptions(host="h", bus=vector["bus"], base_address=vector["base_address"])
        made = codec(raw(vector["session_key"]), house)
        assert made.encode(ModuleWrite(vector["module"], bytes(vector["values"]))) == raw(vector["wire"])


# --- the stream -----------------------------------------------------------------------------------------------


def test_equal_bytes_are_not_decoded_again() -> None:
    """The hot path: the same events come back."""
    made = codec(KEY)
    first = made.feed(snapshot(OFF))
    assert made.feed(snapshot(OFF)) is made.feed(snapshot(OFF))
    assert list(first) == list(made.feed(snapshot(OFF)))
    assert made.feed(b"") == []


def test_own_echo_is_no_snapshot() -> None:
    """A gateway that echoes the poll costs two bytes of junk."""
    events = fed(codec(KEY), [codec(KEY).request("snapshot") + snapshot(lit(3))])
    assert states(events) == [lit(3)]


def test_cut_and_gap() -> None:
    """The rest of a snapshot that does not come in time is not waited for; what comes next is good."""
    made = codec(KEY)
    assert made.feed(snapshot(OFF)[:50]) == []
    assert [made.is_partial, junk(made.flush()), made.is_partial] == [True, ["cut"], False]
    assert states(made.feed(snapshot(lit(1)))) == [lit(1)]


@pytest.mark.parametrize("house", [DIMMER_6, ANYTHING], ids=["plausible", "anything"])
@pytest.mark.parametrize("length", range(1, 130))
def test_cut_snapshots_are_never_joined(house: IpcomOptions, length: int) -> None:
    """Cut anywhere and followed at once by the next one: that one comes out, whole (fault 10 of the fact sheet)."""
    first, second = lit(0, 5, 127), lit(2, 126, 127)
    data = snapshot(first)[:length] + snapshot(second)
    for pieces in ([data], [data[:130], data[130:]], [data[i : i + 1] for i in range(len(data))]):
        assert states(fed(codec(KEY, house), pieces)) == [second]


def test_cut_by_one_byte_is_held_back() -> None:
    """129 bytes and the first one of the next message: nothing is told before it is clear what follows."""
    made = codec(KEY, ANYTHING)
    data = snapshot(lit(1))[:129] + snapshot(OFF)
    assert made.feed(data[:130]) == []
    assert made.gap_s == HOLD_S
    assert states(made.feed(data[130:])) == [OFF]
    assert made.gap_s == GAP_S


def a_doubtful_state(made: IpcomCodec) -> bytes:
    """A state whose last wire byte could begin another message."""
    rng = random.Random(3)
    while True:
        seen = lit(*rng.sample(range(128), 20))
        if not made.feed(snapshot(seen)):
            made.flush()
            return seen
        made.flush()


def test_doubt_ends_with_silence() -> None:
    """A whole snapshot that only looks as if it had lost its tail is told after the hold, and again each time."""
    seen = a_doubtful_state(codec(KEY))
    made = codec(KEY)
    for _ in range(2):
        assert made.feed(snapshot(seen)) == []
        assert made.gap_s == HOLD_S
        assert states(made.flush()) == [seen]


def test_doubt_is_confirmed_by_another_message() -> None:
    """In lock-step nothing follows a whole snapshot: what may have lost its tail is not believed before another one."""
    seen = a_doubtful_state(codec(KEY))
    made = codec(KEY)
    made.feed(snapshot(seen))
    events = made.feed(snapshot(lit(6)))
    assert junk(events) == ["joined", "unknown"]
    assert states(events) == [lit(6)]


def test_doubt_ends_with_a_byte_that_begins_nothing() -> None:
    """Then the held snapshot was whole, and junk follows it."""
    seen = a_doubtful_state(codec(KEY))
    made = codec(KEY)
    made.feed(snapshot(seen))
    assert states(made.feed(b"\x00")) == [seen]


def test_few_states_are_doubtful() -> None:
    """About 4 in 256, with plausibility on; a little more without."""
    rng = random.Random(5)
    for house, most in ((DIMMER_6, 0.03), (ANYTHING, 0.045)):
        held = 0
        for _ in range(1000):
            made = codec(rng.randbytes(128), house)
            key_cipher = made._cipher
            seen = lit(*rng.sample(range(128), 20))
            held += not made.feed(key_cipher.encode(b"\x05\x01" + seen))
        assert held / 1000 < most


def test_junk_behind_a_known_boundary() -> None:
    """Unknown bytes are dropped up to the head of a snapshot, even if that comes in two pieces."""
    made = codec(KEY)
    head, rest = snapshot(lit(9))[:1], snapshot(lit(9))[1:]
    events = list(made.feed(b"\x00\x00\x00\x00" + head))
    assert junk(events) == ["unknown"]
    assert states(made.feed(rest)) == [lit(9)]


def test_junk_byte_by_byte() -> None:
    """Adrift, single bytes are dropped as they come, and a false beginning is given up."""
    made = codec(KEY)
    head = snapshot(OFF)[:1]
    whys = [why for byte in b"\x00\x00\x00" for why in junk(made.feed(bytes([byte])))]
    assert set(whys) == {"unknown"}
    assert made.feed(head) == []
    assert junk(made.feed(b"\x00")) == ["unknown"]
    assert made.is_partial  # adrift: a silence must end it
    assert made.flush() == []
    assert not made.is_partial


def test_within_junk_nothing_short_is_believed() -> None:
    """Adrift, what looks like a reply is junk too, until a snapshot or a silence."""
    made = codec(KEY)
    reply = wire(b"\x03\x01")
    assert list(made.feed(reply)) == [Sign("keepalive")]
    assert junk(made.feed(b"\x00\x00")) == ["unknown"]
    assert junk(made.feed(reply)) == ["unknown"]
    assert made.flush() == []
    assert list(made.feed(reply)) == [Sign("keepalive")]
    assert junk(made.feed(b"\x00\x00")) == ["unknown"]
    assert states(made.feed(snapshot(OFF))) == [OFF]
    assert list(made.feed(reply)) == [Sign("keepalive")]


def test_single_byte_and_silence() -> None:
    """One byte alone means nothing."""
    made = codec(KEY)
    assert made.feed(b"\x00") == []
    assert junk(made.flush()) == ["cut"]


def test_a_module_nobody_speaks_of_may_be_anything_usual() -> None:
    """A dimmer that the site file leaves out spoils nothing; what it does not leave out is judged as it says."""
    seen = bytearray(128)
    seen[5 * 8 + 1] = 42
    silent = options({"kitchen": {"kind": "light", "module": 1, "output": 1}}, modules={})
    assert states(fed(codec(KEY, silent), [snapshot(bytes(seen))])) == [bytes(seen)]
    speaking = options({"kitchen": {"kind": "light", "module": 6, "output": 1}}, modules={})
    assert junk(fed(codec(KEY, speaking), [snapshot(bytes(seen))]))[0] == "implausible_module_6"
    seen[5 * 8 + 1] = 142
    assert junk(fed(codec(KEY, silent), [snapshot(bytes(seen))]))[0] == "implausible_module_6"


def test_implausible_says_which_module() -> None:
    """A dimmer that the site file calls relays is found by its module's number."""
    seen = bytearray(128)
    seen[5 * 8 + 1] = 42
    events = fed(codec(KEY), [snapshot(bytes(seen))])
    assert junk(events)[0] == "implausible_module_6"
    assert states(fed(codec(KEY, DIMMER_6), [snapshot(bytes(seen))])) == [bytes(seen)]


@pytest.mark.parametrize(
    ("module", "value", "is_good"),
    [
        (ModuleType(ModuleKind.RELAY), 1, False),
        (ModuleType(ModuleKind.SHUTTER), 254, False),
        (ModuleType(ModuleKind.SHUTTER), 255, True),
        (ModuleType(ModuleKind.DIMMER, 100), 100, True),
        (ModuleType(ModuleKind.DIMMER, 100), 101, False),
        (ModuleType(ModuleKind.DIMMER, 100), 254, False),
        (ModuleType(ModuleKind.DIMMER, 100), 255, True),
        (ModuleType(ModuleKind.DIMMER, 255), 200, True),
    ],
)
def test_plausibility(module: ModuleType, value: int, is_good: bool) -> None:
    """Relays read 0 or 255, dimmers their scale (and 255, which a plain tap in the vendor's app writes)."""
    seen = bytes(120) + bytes([value]) + bytes(7)
    house = IpcomOptions(host="h", modules={16: module})
    assert (states(fed(codec(KEY, house), [snapshot(seen)])) == [seen]) is is_good


def test_where_a_look_proves_nothing() -> None:
    """The last bytes of a snapshot, more of them on dimmers; all of them where any byte can be a level."""
    dimmers = {number: ModuleType(ModuleKind.DIMMER, 255) for number in range(1, 17)}
    last = {16: ModuleType(ModuleKind.DIMMER)}
    starts = [
        Plausibility(IpcomOptions(host="h", modules=modules).module).weighs_from
        for modules in ({}, last, dimmers)
    ]
    assert starts == [125, 118, 1]


def test_goodbye_of_the_device() -> None:
    """A lone `02 xx` ends the session; followed by something it is junk."""
    made = codec(KEY)
    assert made.feed(wire(b"\x02\x07")) == []
    assert list(made.flush()) == [Bye("the device said goodbye")]
    events = fed(codec(KEY), [wire(b"\x02\x07") + snapshot(lit(4))])
    assert junk(events) == ["unknown"]
    assert states(events) == [lit(4)]


def test_keep_alive_replies() -> None:
    """Two bytes, also glued to others; with an odd version it is junk."""
    reply = wire(b"\x03\x02")
    assert list(codec(KEY).feed(reply + reply)) == [Sign("keepalive")] * 2
    assert states(fed(codec(KEY), [reply + snapshot(OFF)])) == [OFF]
    assert junk(fed(codec(KEY), [wire(b"\x03\x70")])) == ["unknown"]


@pytest.mark.parametrize(
    "ack",
    ["0401", "040100", "04010203", "0401022345000a0100ffff00ff0000ff01", "04012345000a01000000000000000001"],
)
def test_replies_to_writes(ack: str) -> None:
    """Two bytes, three, or a whole frame: told at once, and no byte of it spoils the next snapshot (fault 11)."""
    data = wire(raw(ack))
    made = codec(KEY)
    assert list(made.feed(data)) == [Sign("ack")]
    assert list(made.flush()) == []
    assert states(made.feed(snapshot(lit(2)))) == [lit(2)]
    glued = fed(codec(KEY), [data + snapshot(lit(2))])
    assert glued[0] == Sign("ack")
    assert states(glued) == [lit(2)]
    assert junk(glued) == []
    piece_by_piece = fed(codec(KEY), [bytes([byte]) for byte in data + snapshot(lit(2))])
    assert piece_by_piece == glued


@pytest.mark.parametrize("seen", [lit(2), lit(3)])
def test_a_reply_to_a_write_whose_end_comes_behind_the_next_question(seen: bytes) -> None:
    """Told at its head, its rest is no junk, though the next question went out before it; what follows is."""
    data = wire(b"\x04\x01\x00")
    made = codec(KEY)
    assert states(made.feed(snapshot(lit(2)))) == [lit(2)]
    assert list(made.feed(data[:2])) == [Sign("ack")]
    assert list(made.flush()) == []
    assert list(made.feed(data[2:])) == []
    events = [event for byte in snapshot(seen) for event in made.feed(bytes([byte]))]
    assert states(events) == [seen]
    assert junk(events) == []
    assert list(made.feed(data[:2])) == [Sign("ack")]
    assert list(made.flush()) == []
    assert states(made.feed(snapshot(seen))) == [seen]
    assert junk(fed(made, [bytes(20)])) == ["unknown"]


def test_a_frame_reply_that_is_cut() -> None:
    """The next snapshot ends it."""
    data = wire(raw("0401022345000a0100ff"))
    events = fed(codec(KEY), [data, snapshot(lit(7))])
    assert events[0] == Sign("ack")
    assert states(events) == [lit(7)]


@pytest.mark.parametrize("ident", [0x06, 0x23])
def test_ignored_messages(ident: int) -> None:
    """Keyboard status and TriCom rows are life and nothing else; they do not go on for ever."""
    head = wire(bytes([ident, 1, 7, 7]))
    assert list(codec(KEY).feed(head)) == [Sign("other")]
    assert states(fed(codec(KEY), [head + snapshot(OFF)])) == [OFF]
    assert junk(codec(KEY).feed(head + bytes(300))) == ["endless"]


def test_all_junk_is_accounted_for() -> None:
    """512 bytes of noise are told as such, so that the core can end the session."""
    noise = random.Random(2).randbytes(512)
    events = fed(codec(KEY), [noise])
    assert sum(len(event.raw) for event in events if isinstance(event, Junk)) == 512


# --- questions and answers -----------------------------------------------------------------------------------


def test_answers() -> None:
    """Snapshots answer polls, acks answer writes, and a goodbye answers nothing."""
    made = codec(KEY)
    batch = Batch("", "outputs", OFF, b"")
    assert made.answers(POLL, batch)
    assert not made.answers(ALIVE, batch)
    assert made.answers(STEP, Sign("ack"))
    assert not made.answers(POLL, Sign("ack"))
    assert made.answers(ALIVE, Sign("keepalive"))
    assert not made.answers(STEP, Sign("keepalive"))
    assert not made.answers(POLL, Bye("bye"))


def test_snapshots_as_answers_to_writes_are_learned() -> None:
    """The first may be a late answer to a poll; from the second on they count, in this session."""
    made = codec(KEY)
    batch = Batch("", "outputs", OFF, b"")
    assert [made.answers(STEP, batch) for _ in range(3)] == [False, True, True]
    assert not codec(KEY).answers(STEP, batch)


def test_repr_tells_nothing_secret() -> None:
    """No key, no password."""
    assert repr(codec(KEY)) == "<IpcomCodec 0 bytes waiting>"


# --- the last gate -------------------------------------------------------------------------------------------

UP, DOWN = 4 * 8 + 7, 4 * 8 + 6
UP_ON = ModuleWrite(5, bytes([0, 0, 0, 0, 0, 0, 0, 255]))
DOWN_ON = ModuleWrite(5, bytes([0, 0, 0, 0, 0, 0, 1, 0]))


def gate(*seen: bytes) -> IpcomCodec:
    made = codec(KEY, options())
    for each in seen:
        assert states(fed(made, [snapshot(each)])) == [each]
    return made


def test_gate_never_both() -> None:
    """No frame with both relays of a pair on, whoever asks, whatever the level."""
    made = gate(OFF)
    for up, down in ((255, 255), (1, 255), (255, 1)):
        with pytest.raises(ValueError, match="one motor in two directions"):
            made.encode(ModuleWrite(5, bytes([0, 0, 0, 0, 0, 0, down, up])))


def test_gate_needs_evidence_of_this_session() -> None:
    """Nothing is switched on from memory; switching off is always allowed."""
    made = gate()
    with pytest.raises(ValueError, match="nothing has been seen"):
        made.encode(UP_ON)
    assert made.encode(ModuleWrite(5, bytes(8)))


def test_gate_sees_the_partner() -> None:
    """A relay whose partner reads on stays off, on one module or two."""
    with pytest.raises(ValueError, match="drives it the other way is on"):
        gate(lit(DOWN)).encode(UP_ON)
    with pytest.raises(ValueError, match="drives it the other way is on"):
        gate(lit(3 * 8)).encode(ModuleWrite(3, bytes([255, 0, 0, 0, 0, 0, 0, 0])))
    assert gate(lit(UP)).encode(UP_ON)


def test_gate_remembers_what_it_sent() -> None:
    """An ON on its way counts until an OFF went behind it."""
    made = gate(OFF)
    made.encode(UP_ON)
    with pytest.raises(ValueError, match="was last told"):
        made.encode(DOWN_ON)
    made.encode(ModuleWrite(5, bytes(8)))
    assert made.encode(DOWN_ON)


def test_gate_lets_a_running_motor_be_carried() -> None:
    """What reads on is no new start: a wall switch may have reversed it behind our last write."""
    made = gate(OFF)
    made.encode(ModuleWrite(3, bytes([255, 0, 0, 0, 0, 0, 0, 0])))
    fed(made, [snapshot(lit(3 * 8))])
    assert made.encode(ModuleWrite(4, bytes([255, 0, 0, 0, 0, 0, 0, 0])))


def test_gate_takes_only_writes() -> None:
    """Anything else is a bug, and harmless."""
    with pytest.raises(ValueError, match="tuple is no step"):
        gate(OFF).encode((5, bytes(8)))
    with pytest.raises(ValueError, match="modules are 1 to 16"):
        gate(OFF).encode(ModuleWrite(17, bytes(8)))
    with pytest.raises(ValueError, match="8 outputs"):
        gate(OFF).encode(ModuleWrite(5, bytes(9)))
