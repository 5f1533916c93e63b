"""Timers for a moment that has passed: uvloop gives a plain handle for them, which knows no time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

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
