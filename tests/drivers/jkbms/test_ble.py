"""The JK driver over Bluetooth, with a fake radio and a simulated battery behind it."""

from __future__ import annotations

import asyncio
import itertools
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.clock import SystemClock
from holdfast.drivers.jkbms.codec import ble_command
from holdfast.drivers.jkbms.secrecy import hides
from holdfast.hub.hub import Hub
from holdfast.hub.site.spec import DeviceSpec
from holdfast.model import Availability, Quality, ReasonCode
from holdfast.simulators.jkbms import SECRET_MARK, FrameKind, encode, poll, reply
from tests.drivers.jkbms.bench import BlePeer, QuietBattery, ble_adapter, ble_family, pack
from tests.drivers.jkbms.captures import FRAMES, STREAMS, frame, reads
from tests.drivers.jkbms.test_driver import Wire, hidden, hub_of, link_of, reading, told

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

ABOUT = encode(QuietBattery(1).frame(FrameKind.INFO, 0.0))


@asynccontextmanager
async def peer_of(battery: QuietBattery) -> AsyncIterator[BlePeer]:
    """A battery behind a fake radio."""
    peer = BlePeer(battery, asyncio.get_running_loop())
    peer.start()
    try:
        yield peer
    finally:
        peer.stop()


@asynccontextmanager
async def one_battery(**options: object) -> AsyncIterator[tuple[BlePeer, Hub]]:
    """A hub that has it as its pack."""
    async with peer_of(QuietBattery(1)) as peer:
        device = pack("pack", ble_adapter(), **options)
        async with hub_of(device, of=ble_family(peer.gatt)) as hub:
            yield peer, hub


@pytest.mark.virtual
async def test_it_asks_once_and_listens() -> None:
    """Device info, then the stream of live frames: two commands a connection, and settings count at once."""
    async with one_battery(batteries={0: "front", 1: "back"}) as (peer, hub):
        await asyncio.sleep(60.0)
        assert [data for _, data, _ in peer.gatt.written] == [ble_command(0x97), ble_command(0x96)]
        assert reading(hub, "1/firmware").value == "14.20"
        assert reading(hub, "1/settings/capacity").value == 280.0
        assert reading(hub, "1/current").value == reading(hub, "current").value == 11.0
        assert reading(hub, "1/cells/16/voltage").quality is Quality.GOOD
        assert reading(hub, "batteries").value == 1
        assert link_of(hub).report.sessions == 1
        assert dict(link_of(hub).report.rejects) == {}
        assert hub.device("pack").availability is Availability.ONLINE


@pytest.mark.virtual
async def test_out_of_reach_and_back() -> None:
    """Noticed at once, told as unreachable, and served again when it is there."""
    async with one_battery() as (peer, hub):
        await asyncio.sleep(5.0)
        peer.gatt.drop()
        await asyncio.sleep(0.02)
        assert link_of(hub).reason.code is ReasonCode.UNREACHABLE
        await asyncio.sleep(2.0)
        assert reading(hub, "1/current").quality is Quality.GOOD
        assert link_of(hub).report.sessions == 2


@pytest.mark.virtual
async def test_a_battery_that_does_not_answer() -> None:
    """It is told as silent, with what mostly is the cause, and tried again."""
    async with one_battery() as (peer, hub):
        peer.is_silent = True
        await asyncio.sleep(20.0)
        reason = link_of(hub).reason
        assert reason.code is ReasonCode.SILENT
        assert "one client" in reason.advice
        assert link_of(hub).report.dials >= 2
        assert peer.gatt.connected is None or len(peer.gatt.clients) > 1
        peer.is_silent = False
        await asyncio.sleep(20.0)
        assert hub.device("pack").availability is Availability.ONLINE


@pytest.mark.virtual
async def test_no_secret_is_seen(caplog: pytest.LogCaptureFixture) -> None:
    """The device info of the login is in no value, report, log, or recorded wire, however its bytes are cut."""
    for notify_bytes in (20, 128, 1, 300):
        async with one_battery() as (peer, hub):
            caplog.set_level("DEBUG")
            peer.gatt.notify_bytes = notify_bytes
            wire = Wire(hub)
            link_of(hub).debug(is_on=True)
            await asyncio.sleep(5.0)
            assert peer.gatt.connected is not None
            peer.gatt.notify(ABOUT)  # and once more, unasked
            await asyncio.sleep(5.0)
            assert reading(hub, "1/serial_number").value == "HF402000001"
            shown = b"".join(data for _, data in wire.heard_at)
            hidden([*told(hub), *caplog.messages, shown.hex(), repr(peer.gatt.connected)])
            assert shown.count(b"\x55\xaa\xeb\x90\x02") > 10


async def test_no_secret_is_recorded(tmp_path: Path) -> None:
    """The recording of a hub shows live frames, and zeros where device info passed."""
    async with peer_of(QuietBattery(1)) as peer:
        device = pack("pack", ble_adapter())
        hub = Hub(SystemClock(asyncio.get_running_loop()))
        hub.add(
            DeviceSpec(device, tuple(ble_family(peer.gatt).prepare(device, each) for each in device.adapters))
        )
        hub.record(tmp_path)
        hub.start()
        while hub.device("pack").availability is not Availability.ONLINE:  # noqa: ASYNC110 - the file needs real threads
            await asyncio.sleep(0.01)
        peer.gatt.notify(ABOUT)
        peer.gatt.notify(encode(peer.battery.live(asyncio.get_running_loop().time())))
        await hub.stop()
    (path,) = tmp_path.iterdir()  # noqa: ASYNC240 - the hub is stopped
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    wire = "".join(str(value) for line in lines for value in line.values())
    assert SECRET_MARK.encode().hex() not in wire
    assert "55aaeb9002" in wire


# --- what is hidden ---------------------------------------------------------------------------------------------------


@given(st.lists(st.integers(1, 308), max_size=12), st.binary(max_size=40))
def test_device_info_is_hidden_however_it_is_cut(cuts: list[int], junk: bytes) -> None:
    """Every piece that overlaps the frame."""
    stream = junk + ABOUT + reply(1, FrameKind.INFO)
    places = sorted({0, len(stream), *(min(len(junk) + each, len(stream)) for each in cuts)})
    for start, end in itertools.pairwise(places):
        overlaps = start < len(junk) + 300 and end > len(junk) + 5
        assert hides(stream[:start], stream[start:end]) or not overlaps


def test_a_damaged_frame_shows_no_word() -> None:
    """What is left of a frame without its header is hidden where it holds words."""
    mark = ABOUT.index(SECRET_MARK.encode())
    assert hides(b"", ABOUT[mark - 2 : mark + 4])
    assert hides(ABOUT[mark - 2 : mark + 3], ABOUT[mark + 3 : mark + 4])
    assert not hides(b"", ABOUT[mark - 2 : mark + 3])


def test_other_traffic_is_shown() -> None:
    """Polls, live frames and settings of real batteries, all but very few."""
    pieces = [piece for ident in STREAMS for piece in reads(ident)]
    kept = [piece for piece in pieces if not hides(b"", piece)]
    assert len(kept) > 0.98 * len(pieces)
    assert not any(hides(b"", poll(address, kind)) for address in range(16) for kind in FrameKind)
    for ident, entry in FRAMES.items():
        if entry.get("frame_type") == 3:
            assert hides(b"", frame(ident)), ident
