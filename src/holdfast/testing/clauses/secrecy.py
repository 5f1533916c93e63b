"""A driver and what must not be told."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

from holdfast.link.driver import Trait
from holdfast.testing.clause import NO_STREAM, clause
from holdfast.testing.clauses.login import WRONG

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdfast.testing.stage import Stage

SHORTEST = 8
"""A shorter password may be part of some innocent word."""


class Lines(logging.Handler):
    """Keeps what is logged, down to the texts of exceptions and of what caused them."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one record."""
        self.lines.append(f"{record.name}: {record.getMessage()}")
        error = record.exc_info[1] if record.exc_info else None
        while error is not None:
            self.lines.append(f"{record.name}: {error!r}")
            error = error.__cause__ or error.__context__


@contextmanager
def listening() -> Iterator[Lines]:
    """Everything that is logged meanwhile, at any level."""
    loggers = [logging.getLogger(), logging.getLogger("holdfast")]
    lines, levels, disabled = Lines(), [each.level for each in loggers], loggers[0].manager.disable
    loggers[0].addHandler(lines)
    logging.disable(logging.NOTSET)
    for each in loggers:
        each.setLevel(logging.DEBUG)
    try:
        yield lines
    finally:
        loggers[0].removeHandler(lines)
        logging.disable(disabled)
        for each, level in zip(loggers, levels, strict=True):
            each.setLevel(level)


@clause(needs=Trait.LOGIN)
async def keeps_its_secrets(stage: Stage) -> None:
    """Keep passwords out of every `repr`, log line, reason and record, and mark them where they are sent."""
    password = stage.bench.password
    stage.require(len(password) >= SHORTEST, "the bench's password is too short to be searched for")
    with listening() as log:
        for devices in (stage.bench.devices(), stage.bench.devices(WRONG)):
            specs = stage.prepare(devices)
            async with stage.running(specs):
                await stage.wait(stage.opening_s)
                if not stage.driver.traits & NO_STREAM:
                    stage.bench.say(b"\x00\xff" * 8)
                    stage.bench.reset()
                await stage.wait(stage.opening_s)
                link = stage.link
                told = [
                    *(repr(spec) for spec in specs),
                    *(repr(driver) for spec in specs for driver in spec.drivers),
                    *(repr(driver.options) for spec in specs for driver in spec.drivers),
                    *(repr(session.inner) for session in stage.conduct.sessions),
                    repr(link.reason),
                    *(repr(moment) for moment in link.recorder.moments()),
                    *(repr(record) for record in stage.hub.stream.since(f"{stage.hub.core.epoch}:0") or ()),
                ]
                told += [f"sent without a mark: {data!r}" for data in stage.conduct.said]
                for secret in (password, WRONG):
                    stage.require_none([_masked(text, secret) for text in told if secret in text])
    for secret in (password, WRONG):
        stage.require_none([f"logged: {_masked(line, secret)}" for line in log.lines if secret in line])


def _masked(text: str, secret: str) -> str:
    return text.replace(secret, "[the password]")[:200]
