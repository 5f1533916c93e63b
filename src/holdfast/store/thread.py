"""Work that would block the loop, in a thread of its own that is gone when the work is done.

A pool's threads stay until the program ends, which waits for them: a disk that hangs would hang the exit.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

_Result = TypeVar("_Result")


async def in_thread(call: Callable[[], _Result]) -> _Result:
    """What ``call`` returns or raises. If the waiting is cancelled, the call goes on and its result is dropped."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[_Result] = loop.create_future()

    def tell(result: _Result) -> None:
        if not done.done():
            done.set_result(result)

    def tell_fault(fault: BaseException) -> None:
        if not done.done():
            done.set_exception(fault)

    def run() -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            try:
                result = call()
            except BaseException as fault:  # noqa: BLE001  raised where the result is awaited
                loop.call_soon_threadsafe(tell_fault, fault)
            else:
                loop.call_soon_threadsafe(tell, result)

    threading.Thread(target=run, name="holdfast store", daemon=True).start()
    return await done
