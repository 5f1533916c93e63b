"""Timers for a moment that has passed: uvloop gives a plain handle for them, which knows no time."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from holdfast.link.driver import Poll
from holdfast.link.planner import Wait
from holdfast.model import CommandState
from tests.link.house import ME, escaped, hub_of, loop, refitted, spec
from tests.link.toys.lockstep import LineDevice

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.virtual


async def test_a_planner_may_wait_for_a_moment_that_has_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is asked again, over and over, and nothing reaches the loop; the command expires in peace."""

    def plan(*_: Any) -> Any:
        return [Wait(loop().time() + waits_s.pop())] if waits_s else []

    waits_s = [0.5, -0.001, -0.001]
    call_at = loop().call_at

    def as_uvloop_does(
        when: float, callback: Callable[..., Any], *arguments: Any, **more: Any
    ) -> asyncio.Handle:
        if when <= loop().time():
            return loop().call_soon(callback, *arguments, **more)
        return call_at(when, callback, *arguments, **more)

    bad = escaped()
    device = LineDevice()
    await device.listen("lamp")
    async with hub_of(refitted(spec("lamp", "lockstep", "lamp"), planner=plan)) as hub:
        await asyncio.sleep(3)
        monkeypatch.setattr(loop(), "call_at", as_uvloop_does)
        receipt = await hub.ended(hub.command("lamp/lamp", True, ME, 5.0))
    assert receipt.state is CommandState.EXPIRED
    assert waits_s == []
    assert bad == []


async def test_a_timer_that_fires_early_is_set_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Uvloop's timers fire up to 1 ms before their time: a command that waits for spacing is not forgotten over it."""
    call_at = loop().call_at

    def early(when: float, callback: Callable[..., Any], *arguments: Any, **more: Any) -> asyncio.Handle:
        is_near = when - loop().time() <= 0.001
        return call_at(when if is_near else when - 0.0007, callback, *arguments, **more)

    device = LineDevice()
    await device.listen("lamp")
    slow = refitted(spec("lamp", "lockstep", "lamp"), polls=[Poll("READ", "", "live", 30.0, 0.65)])
    timing = replace(slow.drivers[0].timing, silence_s=60.0)
    async with hub_of(refitted(slow, timing=timing)) as hub:
        await asyncio.sleep(3)
        monkeypatch.setattr(loop(), "call_at", early)
        began_t = loop().time()
        receipt = await hub.ended(hub.command("lamp/lamp", True, ME, 20.0))
        assert receipt.state is CommandState.VERIFIED
        assert loop().time() - began_t < 1.0
