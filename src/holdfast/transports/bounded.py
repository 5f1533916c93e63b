"""Waiting for a library no longer than agreed, whether or not the library heeds a cancellation."""

from __future__ import annotations

import asyncio
from typing import Any, TypeVar

_T = TypeVar("_T")

_UNHEARD: set[asyncio.Task[Any]] = set()
"""Cancelled calls that have not ended yet; the loop alone would not keep them alive."""


async def within(call: asyncio.Task[_T], limit_s: float) -> _T:
    """The result of ``call``; raises `TimeoutError` after ``limit_s`` seconds, and what the call raises.

    A call that is not done by then, or when the one who waits is cancelled, is cancelled. Nobody waits for its end:
    libraries swallow cancellations, and a thread that hangs in the kernel cannot be cancelled at all.
    """
    try:
        await asyncio.wait({call}, timeout=max(0.0, limit_s))
    finally:
        if not call.done():
            call.cancel()
            _UNHEARD.add(call)
            call.add_done_callback(_ended)
    if not call.done():
        raise TimeoutError
    if call.cancelled():  # by the library itself: whoever waits has not been cancelled
        raise ConnectionAbortedError("the call was cut off")
    return call.result()


def _ended(call: asyncio.Task[Any]) -> None:
    _UNHEARD.discard(call)
    if not call.cancelled():
        call.exception()  # looked at, so that asyncio does not complain
