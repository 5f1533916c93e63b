"""Drivers that break the contract, each in one way. They are the toys, but for what their lines say."""

from __future__ import annotations

from itertools import chain

from tests.testing.broken import (
    conduct,
    description,
    ending,
    evidence,
    life,
    members,
    recovery,
    stream,
    writes,
)
from tests.testing.broken.driver import BrokenDriver

ALL: tuple[BrokenDriver, ...] = tuple(
    chain.from_iterable(
        each.BROKEN
        for each in (description, life, recovery, ending, evidence, stream, writes, members, conduct)
    )
)

__all__ = ["ALL", "BrokenDriver"]
