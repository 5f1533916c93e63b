"""Kills stores at work: ``python -m tests.store.crash FOLDER FIRST_SEED KILLS``.

Each seed decides when ``kill -9`` comes: at a statement, commit or answer that was counted out, or (every third) at any
instant. After each kill the store must open and hold the last site and the last entries that were answered, or
the ones that were under way, whole. A process of its own, since it forks: one start, many lives.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import Any, NoReturn

from sqlalchemy import event
from sqlalchemy.engine import Engine

from holdfast.hub.ports import AlarmEntry, SwitchEntry
from holdfast.store import open_store
from tests.store.house import later, order, site
from tests.store.old_databases import sqlite_file

LIVES = 5
"""Kills that one file suffers."""
MOST_POINTS = 150
"""A new file costs about 70 statements to open, a change of the site about 20, a write 5."""
LONGEST_S = 0.25
"""The same for kills at any instant."""
TARGET = "heater/switch"


def version(number: int) -> dict[str, Any]:
    """The site's state after ``number`` changes: different in every table, so that no mixture goes unseen."""
    if number == 0:
        return site()
    mapping = site()
    for device in mapping["devices"]:
        device["name"] = f"name {number}"
        device["adapters"][0]["priority"] = number
    mapping["devices"][1]["options"]["batteries"] = {number % 7: f"battery {number}", 9: "same"}
    mapping["devices"] += [{"id": f"extra-{n}", "adapters": [{"id": "lan"}]} for n in range(number % 4)]
    mapping["controllers"][0]["low"] = number
    mapping["arrays"][0]["attached_to"] = f"inverter-{number}"
    return mapping


# --- the one that is killed ------------------------------------------------------------------------------------------


def _live(path: Path, start: int, point: int, answers: int) -> NoReturn:
    """Change the site and write, for ever, telling each answer; die at the ``point``-th step (0: never by itself)."""
    steps = itertools.count(1)

    def step(*_: object) -> None:
        if next(steps) == point:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(Engine, "before_cursor_execute", step)
    event.listen(Engine, "commit", step)

    async def life() -> None:
        store = open_store(path)
        await store.open()
        for number in itertools.count(start):
            await store.save_site(version(number), later(seconds=number))
            os.write(answers, b"s")
            step()
            at = later(seconds=number)
            alarm = AlarmEntry("pack-1/0/alarms", f"alarm {number}", at)
            await store.write([order(f"order-{number}"), SwitchEntry(TARGET, number, at), alarm])
            os.write(answers, b"w")
            step()

    try:
        asyncio.run(life())
    finally:
        os._exit(1)  # not reached by a life that ends as it should


# --- the one that looks afterwards -----------------------------------------------------------------------------------


async def _found(path: Path) -> tuple[int | None, int]:
    """The number of the site (``None``: there is none) and of the last write; raises `AssertionError` for a mixture."""
    store = open_store(path)
    await store.open()
    saved = await store.site()
    number = None
    if saved is not None:
        assert not saved.damaged
        number = int(saved.mapping["controllers"][0]["low"]) if saved.mapping != site() else 0
        assert saved.mapping == version(number), "a mixture of two sites"
    remembered = await store.saved()
    written = remembered.switches[TARGET].value if TARGET in remembered.switches else 0
    assert isinstance(written, int)
    assert [each.text for each in remembered.alarms] == ([f"alarm {written}"] if written else [])
    orders = {each.order.id for each in remembered.orders}
    assert orders == {f"order-{n}" for n in range(1, written + 1)}, "orders and switch times do not match"
    await store.close()
    return number, written


def _suffer(path: Path, start: int, rng: random.Random, is_counted: bool) -> bytes:
    """One life and its end; the answers that were given."""
    reading, writing = os.pipe()
    point = rng.randint(1, MOST_POINTS) if is_counted else 0
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        _live(path, start, point, writing)
    os.close(writing)
    if not is_counted:
        time.sleep(rng.uniform(0.0, LONGEST_S))
        os.kill(pid, signal.SIGKILL)
    with os.fdopen(reading, "rb") as pipe:
        answers = pipe.read()
    _, status = os.waitpid(pid, 0)
    assert os.WIFSIGNALED(status), f"the life ended by itself: {status}"
    assert os.WTERMSIG(status) == signal.SIGKILL
    return answers


def main(folder: Path, first: int, kills: int) -> None:
    """Kill, look, and go on; raises `AssertionError` with the seed at the first loss."""
    told = written = 0
    number: int | None = None
    for nth, seed in enumerate(range(first, first + kills)):
        rng = random.Random(seed)
        path = folder / f"{nth // LIVES}.sqlite"
        if nth % LIVES == 0:
            number, written = None, 0
            if seed % 2:  # a database of the first version is brought up to date on the way
                shutil.copyfile(sqlite_file("0001"), path)
                number = 0
        answers = _suffer(path, written + 1, rng, is_counted=seed % 3 != 0)
        told += len(answers)
        try:
            number, written = _judged(answers, number, written, asyncio.run(_found(path)))
        except BaseException as fault:
            fault.add_note(f"seed {seed}, answers {answers!r}, file {path}")
            raise
    print(f"{kills} kills, {told} answers")


def _judged(
    answers: bytes, number: int | None, written: int, found: tuple[int | None, int]
) -> tuple[int | None, int]:
    """What was found, if a life that began after ``number`` and ``written`` and gave these answers may leave it."""
    changes, writes = answers.count(b"s"), answers.count(b"w")
    sites = {written + changes if changes else number}
    last = {written + writes}
    if changes == writes:
        sites.add(written + changes + 1)  # a change was under way
    else:
        last.add(written + writes + 1)  # a write was
    assert found[0] in sites, f"the site is {found[0]}, not one of {sites}"
    assert found[1] in last, f"the last write is {found[1]}, not one of {last}"
    return found


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
