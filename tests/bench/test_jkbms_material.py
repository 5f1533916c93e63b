"""The bytes of the JK benchmark are what the fact sheet says, judged by other means than those that made them."""

from __future__ import annotations

from hashlib import sha256
from struct import unpack_from

import pytest

from bench.jkbms.bus import live_bus, poll, reply, whole_bus
from bench.jkbms.material import ADDRESSES, info_frame, live_frames, settings_frame

FRAMES = live_frames(400, seed=3)


def _remainder(message: bytes) -> int:
    """CRC-16/Modbus by long division in one big number: bits in the order of the wire, no shifting register."""
    bits = "".join(f"{byte:08b}"[::-1] for byte in message)
    dividend = int(bits, 2) ^ 0xFFFF << len(bits) - 16
    for at in range(len(bits) - 1, 15, -1):
        if dividend >> at & 1:
            dividend ^= 0x18005 << at - 16
    return dividend


@pytest.mark.parametrize("frame", [*FRAMES[:40], settings_frame(0), settings_frame(3), info_frame()])
def test_frames_have_head_size_and_sum(frame: bytes) -> None:
    """300 bytes, the head, and a last byte that is the sum of the others."""
    assert len(frame) == 300
    assert frame.hex().startswith("55aaeb90")
    total = 0
    for byte in frame[:299]:
        total = (total + byte) % 256
    assert frame[299] == total


def test_all_frames_differ_and_a_seed_is_a_promise() -> None:
    """No frame comes twice; the same seed gives the same bytes whatever the Python, another one does not."""
    assert len(set(FRAMES)) == len(FRAMES)
    assert live_frames(400, seed=3) == FRAMES
    assert live_frames(400, seed=4) != FRAMES
    assert (
        sha256(b"".join(FRAMES)).hexdigest()
        == "970c13aec7dc588a2d5f18ed9916bc05004121d875df1e1e01420daa6cd6b496"
    )


def test_values_are_plausible() -> None:
    """What a sanity check asks of a live frame (fact sheet section 3)."""
    for frame in FRAMES:
        cells_mv = unpack_from("<32H", frame, 6)
        (mask,) = unpack_from("<I", frame, 70)
        average_mv, spread_mv = unpack_from("<2H", frame, 74)
        pack_mv, power_mw, current_ma = unpack_from("<IIi", frame, 150)
        remaining_mah, full_mah = unpack_from("<iI", frame, 174)
        used_mv = [cell for number, cell in enumerate(cells_mv) if mask >> number & 1]
        assert all(500 < cell < 5_000 for cell in used_mv)
        assert not any(cells_mv[len(used_mv) :])
        assert abs(sum(used_mv) - pack_mv) < 0.02 * pack_mv
        assert abs(average_mv - pack_mv / len(used_mv)) <= 1
        assert spread_mv == max(used_mv) - min(used_mv)
        assert power_mw == pytest.approx(abs(pack_mv / 1e3 * current_ma), abs=1)
        assert frame[173] == remaining_mah * 100 // full_mah <= 100


def test_polls_and_replies_are_those_of_the_fact_sheet() -> None:
    """The reference values of section 2, and a CRC that leaves no remainder."""
    assert poll(1, "live") == bytes.fromhex("01 10 16 20 00 01 02 00 00 D6 F1")
    assert reply(0, "live") == bytes.fromhex("00 10 16 20 00 01 05 9A")
    assert reply(0, "settings") == bytes.fromhex("00 10 16 1E 00 01 64 56")
    for address in range(16):
        for what in ("live", "settings"):
            assert _remainder(poll(address, what)) == _remainder(reply(address, what)) == 0


def test_live_bus_names_the_sender_behind_each_frame() -> None:
    """Each frame is followed by its battery's reply, a slave's is preceded by its poll; reads cover all bytes."""
    bus = live_bus(FRAMES)
    at = 0
    for number, frame in enumerate(FRAMES):
        address = ADDRESSES[number % 4]
        unit = (poll(address, "live") if address else b"") + frame + reply(address, "live")
        assert bus.data[at : at + len(unit)] == unit
        at += len(unit)
    assert at == len(bus.data)
    assert b"".join(bus.pieces()) == bus.data
    assert bus.frames == len(FRAMES)


def test_whole_bus_has_settings_behind_each_live_frame() -> None:
    """As many settings frames as live ones, the same live frames in the same order, and polls to twelve absent ones."""
    bus = whole_bus(FRAMES[:8])
    units = bus.data.split(bytes.fromhex("55aaeb90"))[1:]
    assert [unit[0] for unit in units] == [2, 1] * 8
    assert all(frame in bus.data for frame in FRAMES[:8])
    assert bus.frames == 16
    assert sum(bus.data.count(poll(address, "live")) for address in range(4, 16)) == 24
    assert b"".join(bus.pieces()) == bus.data
