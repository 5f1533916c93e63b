"""Whose code is running: told by a context variable, which tasks, timers and simulated sockets inherit."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class Side(Enum):
    """The three parties of a scenario."""

    BENCH = "bench"
    """The device's side of the wire, and the scenario itself."""
    CORE = "core"
    """The hub and its links."""
    DRIVER = "driver"
    """The driver under test."""


SIDE: ContextVar[Side] = ContextVar("side", default=Side.BENCH)


@contextmanager
def on(side: Side) -> Iterator[None]:
    """What runs inside, and what it leaves running, belongs to ``side``."""
    token = SIDE.set(side)
    try:
        yield
    finally:
        SIDE.reset(token)
