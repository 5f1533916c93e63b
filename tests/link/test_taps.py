"""Who watches the bytes of a link: the log at debug level, and recordings in a file."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import TYPE_CHECKING

import pytest

from holdfast.link import taps
from tests.link.house import hub_of, loop, spec
from tests.link.toys.lockstep import LineDevice

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.virtual, pytest.mark.blocking_allowed]


def lines_of(path: Path) -> list[dict[str, object]]:
    """What is in a recording."""
    return [json.loads(line) for line in path.read_text().splitlines()]


async def test_a_recording_is_written_once_a_second_and_at_the_end(tmp_path: Path) -> None:
    """A crash costs the last second of a recording; closing writes what waits, and closing twice writes nothing."""
    path = tmp_path / "lamp.jsonl"
    recording = taps.Recording(path, loop(), loop().time)
    recording.said(b"\x01")
    await asyncio.sleep(0.5)
    recording.heard(b"\x02\x03")
    assert not path.exists()
    await asyncio.sleep(0.6)
    assert lines_of(path) == [{"t": 0.0, "said": "01"}, {"t": 0.5, "heard": "0203"}]
    recording.heard(b"\x04")
    await recording.close()
    await recording.close()
    assert lines_of(path)[2:] == [{"t": 1.1, "heard": "04"}]


async def test_a_disk_that_does_not_keep_up_costs_lines_not_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Past the bound new lines are dropped and counted; what was gathered before is still written."""
    monkeypatch.setattr(taps, "WAITING_LINES", 2)
    recording = taps.Recording(tmp_path / "lamp.jsonl", loop(), loop().time)
    for byte in range(5):
        recording.heard(bytes([byte]))
    await recording.close()
    assert recording.dropped == 3
    assert [line["heard"] for line in lines_of(tmp_path / "lamp.jsonl")] == ["00", "01"]


async def test_debug_shows_one_links_frames_until_it_is_switched_off(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Frames are shown both ways while it is on, the login as zeros, and not a byte afterwards; twice on is on."""
    device = LineDevice()
    await device.listen("lamp")
    async with hub_of(spec("lamp", "lockstep", "lamp"), start=False) as hub:
        (link,) = hub.links.values()
        link.debug(is_on=True)
        link.debug(is_on=True)
        assert len(link.taps) == 1
        hub.start()
        await asyncio.sleep(1)
        link.debug(is_on=False)
        text = "\n".join(record.getMessage() for record in caplog.records if record.levelno == logging.DEBUG)
        assert "said 52 45 41 44 0a" in text
        assert "heard 3d 20" in text
        assert b"open".hex(" ") not in text
        caplog.clear()
        await asyncio.sleep(1)
        assert not caplog.records
