"""The small words that everything in the simulated world shares."""

from __future__ import annotations

from typing import NamedTuple

Address = tuple[str, int]
"""An IPv4 address and a port, as asyncio shows them."""


class OfTheWorld:
    """Marks what belongs to the simulated world, whose timers are no leftovers of the program."""

    __slots__ = ()


class NetworkEvent(NamedTuple):
    """Something that happened on the wire, for tests and recordings.

    ``what`` is one of ``dial``, ``refused``, ``unreachable``, ``timeout``, ``connected`` (seen by who dials),
    ``accepted``, ``data``, ``fin``, ``rst`` (at arrival) and ``datagram``. ``at_s`` is loop time.
    """

    at_s: float
    what: str
    source: Address
    target: Address
    data: bytes = b""
