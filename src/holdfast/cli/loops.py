"""Which event loop a hub runs on, how it is asked to stop, and how it lets go of what cannot be stopped."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

T = TypeVar("T")

AT_ONCE = 130
"""Exit code after a second signal: nothing was waited for."""


class LettingGo(ThreadPoolExecutor):
    """Threads for what blocks. Looking up a host name cannot be interrupted, so closing does not wait for it."""

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take nothing more; whoever is stuck is left behind, and `main` leaves without it."""
        super().shutdown(wait=False, cancel_futures=True)


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end, on uvloop where it is installed and ``HOLDFAST_LOOP=asyncio`` does not forbid it."""
    with runner(_fastest()) as running:
        return running.run(work)


def runner(new_loop: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop) -> asyncio.Runner:
    """A runner whose end is never delayed by a name that is still being looked up."""

    def factory() -> asyncio.AbstractEventLoop:
        loop = new_loop()
        loop.set_default_executor(LettingGo())
        return loop

    return asyncio.Runner(loop_factory=factory)


def _fastest() -> Callable[[], asyncio.AbstractEventLoop]:
    if os.environ.get("HOLDFAST_LOOP", "").lower() != "asyncio":
        with contextlib.suppress(ImportError):
            import uvloop

            return uvloop.new_event_loop
    return asyncio.new_event_loop


def stop_asked() -> asyncio.Event:
    """An event set by the first Ctrl-C or SIGTERM; a second one ends the process at once."""
    loop = asyncio.get_running_loop()
    asked = asyncio.Event()

    def stop() -> None:
        if asked.is_set():
            os._exit(AT_ONCE)
        asked.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, stop)
        except NotImplementedError:  # Windows: the handler runs between two turns of the loop
            signal.signal(number, lambda received, frame: loop.call_soon_threadsafe(stop))
        except (RuntimeError, ValueError):  # not in the main thread: somebody else stops us
            break
    return asked
