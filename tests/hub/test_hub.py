"""The hub: fail-safe actuators, watching the wire, receipts, unknown names."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import TYPE_CHECKING

import pytest

from holdfast.errors import UnknownTarget
from holdfast.model import CommandState
from tests.link.house import ME, command, hub_of, loop, spec
from tests.link.toys import library
from tests.link.toys.lockstep import LineDevice

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.virtual


async def test_a_fail_safe_actuator_starts_and_ends_off() -> None:
    """After any start it is switched off and verified, then a person may switch it; stopping switches it off again."""
    plug = library.PLUGS["f"] = library.Plug()
    plug.is_on = True
    async with hub_of(spec("plug", "library", "f")) as hub:
        await asyncio.sleep(15)
        seen = [plug.is_on]
        assert not hub.device("plug").desk.orders
        assert (await command(hub, "plug/switch", True)).state is CommandState.VERIFIED
        seen.append(plug.is_on)
    assert [*seen, plug.is_on] == [False, True, False]


async def test_stopping_waits_for_an_unreachable_actuator_only_so_long(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A heater that cannot be reached holds up a stop for 10 s at most, and that is said aloud."""
    plug = library.PLUGS["g"] = library.Plug()
    async with hub_of(spec("plug", "library", "g")) as hub:
        await asyncio.sleep(15)
        await command(hub, "plug/switch", True)
        plug.is_ignoring = True
        start_t = loop().time()
        await hub.stop()
        assert 9.9 < loop().time() - start_t < 11
    assert any("could not be verified" in record.message for record in caplog.records)


@pytest.mark.blocking_allowed
async def test_recording_masks_the_login(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """All traffic is in the file, in order, but the login is zeros; debug shows frames by their beginnings."""
    device = LineDevice()
    device.password = "topsecret"
    await device.listen("lamp")
    caplog.set_level(logging.DEBUG, "holdfast")
    async with hub_of(spec("lamp", "lockstep", "lamp", password="topsecret"), start=False) as hub:
        hub.record(tmp_path)
        hub.debug("lamp", is_on=True)
        hub.start()
        await asyncio.sleep(5)
        hub.debug("lamp", is_on=False)
        await command(hub, "lamp/lamp", True)
    lines = [json.loads(line) for line in (tmp_path / "lamp.jsonl").read_text().splitlines()]
    assert bytes.fromhex(lines[0]["said"]) == bytes(len("LOGIN topsecret\n"))
    assert bytes.fromhex(lines[1]["heard"]).startswith(b"WELCOME")
    assert any(bytes.fromhex(line.get("said", "")) == b"SET lamp 1\n" for line in lines)
    assert [line["t"] for line in lines] == sorted(line["t"] for line in lines)
    text = "\n".join(record.getMessage() for record in caplog.records)
    assert "said 52 45 41 44 0a" in text
    assert "topsecret" not in text
    assert "SET lamp" not in text


async def test_unknown_names_list_the_known() -> None:
    """A wrong target says what is known; nothing is made."""
    device = LineDevice()
    await device.listen("lamp")
    async with hub_of(spec("lamp", "lockstep", "lamp")) as hub:
        with pytest.raises(UnknownTarget, match="no device 'lmap'") as caught:
            hub.command("lmap/lamp", True, ME)
        assert "lamp" in caught.value.advice
        with pytest.raises(UnknownTarget, match="lamp has no 'x'") as caught:
            hub.reading("lamp/x")
        assert "level" in caught.value.advice
        assert not hub.receipts


async def test_receipts_are_kept_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest ended receipt goes first; an open one never."""
    from holdfast.hub import hub as module

    monkeypatch.setattr(module, "RECEIPTS_KEPT", 5)
    device = LineDevice()
    device.stuck.add("level")
    await device.listen("lamp")
    async with hub_of(spec("lamp", "lockstep", "lamp")) as hub:
        await asyncio.sleep(5)
        slow = hub.command("lamp/level", 20, ME, 60)
        for n in range(8):
            await command(hub, "lamp/lamp", n % 2 == 0)
            if hub.receipts[slow.id].state.is_end:
                break
        assert slow.id in hub.receipts or len(hub.receipts) == 5


@pytest.mark.parametrize(
    ("target", "value", "timeout_s", "words"),
    [
        ("lamp/lamp", 1, None, "takes true or false, not 1"),
        ("lamp/level", 101, None, "takes 0 to 100, not 101"),
        ("lamp/level", float("nan"), None, "takes a number"),
        ("lamp/level", "20", None, "takes a number"),
        ("lamp/lamp", True, 0, "timeout_s"),
        ("lamp/lamp", True, float("inf"), "timeout_s"),
    ],
)
async def test_what_does_not_fit_is_refused_in_words(
    target: str, value: object, timeout_s: float | None, words: str
) -> None:
    """Out of range or of the wrong kind: a receipt that ends refused, saying what would be right."""
    device = LineDevice()
    await device.listen("lamp")
    async with hub_of(spec("lamp", "lockstep", "lamp")) as hub:
        receipt = await command(hub, target, value, timeout_s)
        assert receipt.state is CommandState.REFUSED
        assert words in receipt.reason
        assert hub.receipts[receipt.id] is receipt
