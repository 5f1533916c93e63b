"""Polls, nonsense, sharing and the link report."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from holdfast.link.driver import KeepAlive, Poll
from holdfast.link.report import Spread
from holdfast.link.stream_codec import Codec
from holdfast.model import Availability, Quality, ReasonCode
from tests.link.house import ME, command, hub_of, loop, refitted, spec
from tests.link.toys import bus
from tests.link.toys.bus import Gateway, frame
from tests.link.toys.lockstep import LineCodec, LineDevice

pytestmark = pytest.mark.virtual


async def test_polls_keep_their_grid() -> None:
    """After an overrun the polls go on at their old grid points."""
    device = LineDevice()
    await device.listen("lamp")
    async with hub_of(spec("lamp", "lockstep", "lamp")) as hub:
        await asyncio.sleep(10)
        (link,) = hub.links.values()
        (line,) = link.lines
        start_t = line.start_t
        device.reply_s = 0.5
        await asyncio.sleep(3)
        device.reply_s = 0.0
        await asyncio.sleep(10)
        phase = (line.due_t - start_t) / 0.35
        assert line.start_t == start_t
        assert phase == pytest.approx(round(phase), abs=1e-6)
        assert link.report.lateness.quantile(0.5) is not None


async def test_a_stalled_loop_skips_grid_points() -> None:
    """Polls that could not go out in time are skipped, not made up for."""
    device = LineDevice()
    await device.listen("lamp")
    async with hub_of(spec("lamp", "lockstep", "lamp")) as hub:
        await asyncio.sleep(5)
        (link,) = hub.links.values()
        (line,) = link.lines
        polls = link.report.polls
        line.fire(loop().time() + 3.6123)
        phase = (line.due_t - line.start_t) / line.every_s
        assert phase == pytest.approx(round(phase), abs=1e-6)
        assert link.report.skipped >= 9
        assert link.report.polls <= polls + 1
        await asyncio.sleep(5)


async def test_nonsense_is_no_sign_of_life() -> None:
    """A bus that says only what nobody can believe is dropped as nonsense, not kept as alive."""
    gateway = Gateway()
    await gateway.listen("gw")
    async with hub_of(spec("pack", "bus", "gw", members=["1"])) as hub:
        await asyncio.sleep(1)
        await gateway.chatter([1], seconds=9)
        assert hub.device("pack").availability is Availability.ONLINE
        for millivolts in range(9_999_000, 9_999_020):
            gateway.say(frame(1, millivolts * (1 + millivolts % 3)))
            await asyncio.sleep(1)
        (link,) = hub.links.values()
        assert link.report.outage_count >= 1
        assert hub.device("pack").reason.code is ReasonCode.NONSENSE
        assert link.report.rejects["sanity"] >= 10


async def test_too_much_junk_ends_the_session() -> None:
    """More undecodable bytes than allowed, without a frame between them, end the session at once."""
    gateway = Gateway()
    await gateway.listen("gw")
    async with hub_of(spec("pack", "bus", "gw", members=["1"])) as hub:
        await asyncio.sleep(1)
        gateway.say(frame(1, 50_000))
        gateway.say(b"\x00" * 600 + b">")
        await asyncio.sleep(0.001)
        (link,) = hub.links.values()
        assert not link.has_session
        assert hub.device("pack").reason.code is ReasonCode.NONSENSE
        await asyncio.sleep(1)
        assert link.has_session


async def test_unconfigured_members_are_heard_and_counted() -> None:
    """Frames of an address that nobody configured keep the link alive and are listed."""
    gateway = Gateway()
    await gateway.listen("gw")
    async with hub_of(spec("pack", "bus", "gw", members=["1"])) as hub:
        await asyncio.sleep(1)
        await gateway.chatter([1, 9], seconds=20)
        await gateway.chatter([9], seconds=30)
        (link,) = hub.links.values()
        assert link.report.strangers >= 8
        assert link.report.sessions == 1
        assert hub.reading("pack/1/voltage").quality is Quality.STALE


async def test_the_report_tells_what_happened() -> None:
    """Uptime, outages with cause and times, reconnects, unanswered share, latency and bytes are there."""
    device = LineDevice()
    await device.listen("lamp")
    async with hub_of(spec("lamp", "lockstep", "lamp")) as hub:
        await asyncio.sleep(30)
        await command(hub, "lamp/lamp", True)
        loop().network.host("lamp").blackhole()
        await asyncio.sleep(10)
        loop().network.host("lamp").restore()
        await asyncio.sleep(60)
        (link,) = hub.links.values()
        report = link.as_dict()
        assert report["state"] == "live"
        assert 0.8 < report["uptime_share"] < 0.95
        assert report["outage_count"] == report["reconnects_last_hour"] == report["reconnects_last_day"] == 1
        (outage,) = report["outages"]
        assert outage["cause"] == "silent"
        assert 1.3 < outage["detect_s"] < 1.5
        assert 7 < outage["recover_s"] < 14
        assert 0 < report["unanswered_share"] < 0.1
        assert report["command_latency"]["samples"] == 1
        assert report["poll_lateness"]["p99_s"] <= 0.01
        assert report["bytes_in"] > 1000
        assert report["bytes_out"] > 500
        kinds = {moment.kind for moment in link.recorder.moments()}
        assert {"state", "fault"} <= kinds


async def test_first_words_of_a_session(caplog: pytest.LogCaptureFixture) -> None:
    """Exactly these lines at info when a session begins; loss and return once each, repeats quiet."""
    import logging

    caplog.set_level(logging.INFO, "holdfast")
    device = LineDevice()
    await device.listen("lamp")
    host = loop().network.host("lamp")
    async with hub_of(spec("lamp", "lockstep", "lamp")):
        await asyncio.sleep(15)
        assert [record.message for record in caplog.records] == [
            "lamp: setting up",
            "lamp: connected",
            "lamp: waiting for first data",
            "lamp: first data after 0.00 s",
            "lamp: 2 capabilities found",
        ]
        caplog.clear()
        host.refuse()
        host.reset_all()
        await asyncio.sleep(60)
        host.accept()
        await asyncio.sleep(10)
        levels = [record.levelname for record in caplog.records]
        assert levels.count("WARNING") == 1
        assert [record.message for record in caplog.records][-4:] == [
            "lamp: connected",
            "lamp: waiting for first data",
            "lamp: first data after 0.00 s",
            "lamp: 2 capabilities found",
        ]
        assert sum(record.message == "lamp: setting up" for record in caplog.records) <= 2


async def test_a_lost_session_forgets_who_stood_in_line() -> None:
    """A device that waited for the slot when the session was lost can stand in line again in the next one."""
    device = LineDevice()
    await device.listen("lamp")
    async with hub_of(spec("lamp", "lockstep", "lamp")) as hub:
        await asyncio.sleep(5)
        device.is_deaf = True
        await asyncio.sleep(0.5)
        hub.command("lamp/lamp", True, ME)
        await asyncio.sleep(0.02)
        (link,) = hub.links.values()
        lamp = hub.device("lamp")
        assert lamp in link.queue
        loop().network.host("lamp").reset_all()
        device.is_deaf = False
        device.reply_s = 0.3
        await asyncio.sleep(0.01)
        for _ in range(1000):
            await asyncio.sleep(0.01)
            if link.has_session and link.job is not None:
                break
        lamp.desk.ask()
        await asyncio.sleep(0.01)
        assert lamp in link.queue


async def test_the_first_silence_is_noticed_in_its_time() -> None:
    """Where first data may take longer than silence, the first silence is not left to that longer limit."""
    gateway = bus.Gateway()
    await gateway.listen("gw")
    async with hub_of(spec("one", "bus", "gw", members=["1"])) as hub:
        (link,) = hub.links.values()
        await asyncio.sleep(0.5)
        gateway.say(bus.frame(1, 50_000))
        await asyncio.sleep(link.timing.silence_s + 0.1)
        assert link.report.outage_count == 1


async def test_a_keep_alive_that_is_never_answered_proves_nothing() -> None:
    """It goes out on its own grid, counts as no poll, and its missing answer costs neither session nor answers."""
    device = LineDevice()
    await device.listen("lamp")
    kept = refitted(spec("lamp", "lockstep", "lamp"), keep_alive=KeepAlive("PING", 5.0))
    async with hub_of(kept) as hub:
        sent: list[bytes] = []
        (link,) = hub.links.values()
        link.taps.append(Listening(sent))
        await asyncio.sleep(21)
        assert sent.count(b"PING\n") == 4
        assert link.report.unanswered == 0
        assert link.report.polls == sent.count(b"READ\n")
        assert link.report.sessions == 1


async def test_a_keep_alive_yields_to_an_open_command() -> None:
    """While a command is open its own traffic holds the session; the keep-alive follows within a second of its end."""
    device = LineDevice()
    device.stuck = {"lamp"}
    await device.listen("lamp")
    kept = refitted(spec("lamp", "lockstep", "lamp"), keep_alive=KeepAlive("PING", 5.0))
    async with hub_of(kept) as hub:
        sent: list[bytes] = []
        (link,) = hub.links.values()
        link.taps.append(Listening(sent))
        await asyncio.sleep(4)
        receipt = await command(hub, "lamp/lamp", True)
        assert receipt.ended_after_s is not None
        assert receipt.ended_after_s > 3
        assert sent.count(b"PING\n") == 0
        await asyncio.sleep(1.1)
        assert sent.count(b"PING\n") == 1


class Listening:
    """A tap that keeps what went out."""

    def __init__(self, sent: list[bytes]) -> None:
        self.sent = sent

    def heard(self, data: bytes) -> None:
        """Nothing."""

    def said(self, data: bytes) -> None:
        self.sent.append(data)


async def test_a_group_is_read_by_the_poll_that_asks_for_it() -> None:
    """With several polls on a link, a read asks with the right one; for a group that none asks for there is no read."""
    device = LineDevice()
    await device.listen("lamp")
    polls = [Poll("READ OTHER", "", "other", 60.0, 0.2), Poll("READ", "", "live", 60.0, 0.2)]
    patient = replace(spec("lamp", "lockstep", "lamp").drivers[0].timing, silence_s=100.0)
    async with hub_of(refitted(spec("lamp", "lockstep", "lamp"), polls=polls, timing=patient)) as hub:
        await asyncio.sleep(3)
        sent: list[bytes] = []
        (link,) = hub.links.values()
        link.taps.append(Listening(sent))
        assert not link.read("", "nothing")
        assert link.read("", "live")
        assert sent == [b"READ\n"]


def test_a_spread_without_samples_knows_no_quantile() -> None:
    """Nothing measured is said as nothing; with samples a quantile is never above the longest."""
    spread = Spread()
    assert spread.quantile(0.5) is None
    assert spread.as_dict()["longest_s"] is None
    for seconds in (0.0003, 0.02, 0.02, 100.0):
        spread.add(seconds)
    assert [spread.quantile(q) for q in (0.0, 0.25, 0.5, 0.75, 0.99, 1.0)] == [
        0.001, 0.001, 0.02, 0.02, 100.0, 100.0,
    ]  # fmt: skip


@pytest.mark.parametrize("toy", [LineCodec(""), bus.FrameCodec()])
def test_a_codec_offers_what_a_session_asks_for(toy: object) -> None:
    """The protocol names no more than the plainest codecs have."""
    names = {name for name in (*vars(Codec), *Codec.__annotations__) if not name.startswith("_")}
    assert names >= {"feed", "flush", "gap_s", "is_partial"}
    assert all(hasattr(toy, name) for name in names)
