"""Forks one life after the other from a process that has imported everything, and ends each with ``kill -9``."""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import signal
import sqlite3
import sys
import threading
import time
import traceback
from contextlib import closing
from typing import TYPE_CHECKING, NoReturn

from sqlalchemy import event
from sqlalchemy.engine import Engine

from tests.store.kills.telling import Ear, Mouth

if TYPE_CHECKING:
    from pathlib import Path

    from tests.store.kills.telling import Told
    from tests.store.kills.work import Work

SHORTEST_S = 10e-6
"""A kill as fast as one process can send it to another."""
THREADS_S = 5.0
"""How long the threads of a closed store may take to end."""


class Fate:
    """When a life ends: after so many promises and so much time, which is often that of a system call.

    Every third life ends by itself instead, at a statement or commit that was counted out (``step``; 0: it does not).
    """

    def __init__(self, work: Work, seed: int) -> None:
        rng = random.Random(f"fate {seed}")
        self.promises = rng.randint(0, work.promises)
        self.delay_s = (
            rng.uniform(0.0, work.longest_s)
            if rng.random() < 0.5
            else SHORTEST_S * (work.longest_s / SHORTEST_S) ** rng.random()
        )
        self.step = rng.randint(1, work.steps) if seed % 3 == 0 else 0


class Nursery:
    """Kills, and counts. ``where`` is a URL for a store that lasts; without one, stores are files in ``folder``."""

    def __init__(self, work: Work, folder: Path, where: str = "") -> None:
        self._work = work
        self._folder = folder
        self._where = where
        self.kills = 0
        self.promises = 0

    def run(self, first: int, kills: int) -> None:
        """Kill so many; raises `AssertionError` at the first loss, with what is needed to see it again."""
        work, where, before = self._work, self._where, None
        lives = kills if where else work.lives
        for nth, seed in enumerate(range(first, first + kills)):
            if nth % lives == 0:
                before = None
                if not self._where:
                    where = f"sqlite:///{self._folder / work.name}-{seed}.sqlite"
                work.prepare(where, random.Random(seed))
            told: list[Told] = []
            try:
                told = self._kill_one(where, seed)
                before = asyncio.run(work.look(where, random.Random(seed), before, told))
                if where.startswith("sqlite"):
                    check_file(where)
            except BaseException as fault:
                began = seed - nth % lives
                fault.add_note(f"seed {seed}: --work {work.name} --seed {began} --kills {seed - began + 1}")
                fault.add_note(f"in {where} after {told!r}")
                raise

    def _kill_one(self, where: str, seed: int) -> list[Told]:
        """One life and its end; what it told."""
        _be_alone()
        fate = Fate(self._work, seed)
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(reading)
            _live(self._work, where, seed, writing, fate.step)
        os.close(writing)
        ear = Ear(reading)
        is_alive = True
        if fate.step:
            ear.rest()
        else:
            is_alive = ear.until(fate.promises)
            time.sleep(fate.delay_s)
        os.kill(pid, signal.SIGKILL)
        told = ear.rest()
        os.close(reading)
        _, status = os.waitpid(pid, 0)
        assert os.WIFSIGNALED(status), f"the life ended by itself: {status}"
        assert os.WTERMSIG(status) == signal.SIGKILL
        assert is_alive, "the life hung"
        self.kills += 1
        self.promises += sum(each.is_promise for each in told)
        return told


def _live(work: Work, where: str, seed: int, writing: int, step: int) -> NoReturn:
    async def life() -> None:
        await work.live(where, random.Random(seed), Mouth(writing))
        if step:
            _die()
        await asyncio.Event().wait()

    if step:
        _die_at(step)
    try:
        asyncio.run(life())
    except BaseException:  # noqa: BLE001  told, and the exit code tells that there was one
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(1)  # not reached by a life that ends as it should


def _die_at(step: int) -> None:
    """End this process at one of the steps that it asks its database for."""
    steps = itertools.count(1)

    def count(*_: object) -> None:
        if next(steps) == step:
            _die()

    event.listen(Engine, "before_cursor_execute", count)
    event.listen(Engine, "commit", count)


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _be_alone() -> None:
    """A fork copies one thread only; a lock that another one holds would never be free again."""
    limit_t = time.monotonic() + THREADS_S
    while threading.active_count() > 1 and time.monotonic() < limit_t:
        time.sleep(0.001)
    assert threading.active_count() == 1, threading.enumerate()


def check_file(where: str) -> None:
    """Let SQLite itself look at every page, index and reference."""
    with closing(sqlite3.connect(where.removeprefix("sqlite:///"))) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
