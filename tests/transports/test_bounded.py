"""Waiting is bounded even when the library is not."""

from __future__ import annotations

import asyncio

import pytest

from holdfast.transports.bounded import within

pytestmark = pytest.mark.virtual


async def test_a_result_and_an_error_pass() -> None:
    """What the call returns or raises is what the caller gets."""

    async def seven() -> int:
        await asyncio.sleep(1)
        return 7

    async def fails() -> int:
        raise OSError("no")

    assert await within(asyncio.create_task(seven()), 2) == 7
    with pytest.raises(OSError, match="no"):
        await within(asyncio.create_task(fails()), 2)


async def test_a_deaf_call_costs_the_limit_and_no_more() -> None:
    """A call that swallows its cancellation is left to itself, and its late error harms nobody."""
    ended = asyncio.Event()

    async def deaf() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            await asyncio.sleep(60)
            ended.set()
            raise OSError("late") from None

    began_t = asyncio.get_running_loop().time()
    with pytest.raises(TimeoutError):
        await within(asyncio.create_task(deaf()), 3)
    assert asyncio.get_running_loop().time() - began_t == pytest.approx(3)
    await ended.wait()


async def test_cancelling_the_one_who_waits_cancels_the_call() -> None:
    """The call is not left running when nobody wants its result."""
    call = asyncio.create_task(asyncio.sleep(60))
    waiting = asyncio.create_task(within(call, 30))
    await asyncio.sleep(1)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await asyncio.wait({call})
    assert call.cancelled()


async def test_a_call_that_cancels_itself_is_a_failure() -> None:
    """A cancellation that is the library's own does not cancel the one who waits."""

    async def cut() -> None:
        raise asyncio.CancelledError

    with pytest.raises(ConnectionAbortedError):
        await within(asyncio.create_task(cut()), 2)
