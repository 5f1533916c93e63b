"""``demo``: a simulated house, battery pack and fermenter on real ports, their hub, and somebody at a switch."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

from holdfast.app import FAMILIES
from holdfast.cli import log_output, loops, say
from holdfast.cli.demo_fermenter import CONTROLLER, DemoFermenter, can_have_plugs
from holdfast.cli.demo_pack import PACK, DemoPack, can_have_serial
from holdfast.cli.demo_screen import RECEIPTS_SHOWN, STORY_SHOWN, lines, live
from holdfast.cli.demo_site import DEVICE, demo_controller, demo_mapping
from holdfast.cli.serve import Door, running
from holdfast.hub.events import Kind
from holdfast.hub.site.read import read_site
from holdfast.hub.site.secret import SecretSource
from holdfast.model import Authority, CommandState, Issuer

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping

    from holdfast.hub.events import Record
    from holdfast.hub.hub import Hub
    from holdfast.model import Receipt

SWITCHED = f"{DEVICE}/kitchen"
"""What the demo itself switches, so that a watcher sees a receipt turn `verified`."""
SWITCH_EVERY_S = 4.0
LOOK_S = 0.05
RATE_OVER_S = 5.0
"""Updates a second are averaged over so long."""
TOLD = "demo"
"""The kind of event that tells what the demo does to the pack and the fermenter."""


class Tally:
    """What has happened so far."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._loop = asyncio.get_running_loop()
        self.begun_t = self._loop.time()
        self.changes = 0
        self.ended = 0
        self.verified = 0
        self.receipts: deque[Receipt] = deque(maxlen=RECEIPTS_SHOWN)
        self.story: deque[Record] = deque(maxlen=STORY_SHOWN)
        """What befell the pack and the fermenter lately, and what was decided."""
        self._samples: deque[tuple[float, int]] = deque(((self.begun_t, 0),))

    @property
    def updates(self) -> int:
        """Answers that brought values, changed or not."""
        return sum(link.report.answers for link in self._hub.links.values())

    @property
    def passed_s(self) -> float:
        """How long the demo has run."""
        return self._loop.time() - self.begun_t

    def rate(self) -> float:
        """Updates a second, lately."""
        now = self._loop.time()
        self._samples.append((now, self.updates))
        while len(self._samples) > 2 and self._samples[1][0] < now - RATE_OVER_S:
            self._samples.popleft()
        then, updates = self._samples[0]
        return (self.updates - updates) / (now - then) if now > then else 0.0

    def take(self, record: Record) -> None:
        """Something happened."""
        if record.kind is Kind.COMMAND:
            self._note(record.payload)
        elif record.kind is Kind.READING:
            self.changes += 1
        elif record.kind is Kind.EVENT and _is_story(record.payload):
            self.story.append(record)

    def _note(self, receipt: Receipt) -> None:
        known = [each for each in self.receipts if each.id != receipt.id]
        self.receipts.clear()
        self.receipts.extend((*known, receipt))
        if receipt.state.is_end:
            self.ended += 1
            self.verified += receipt.state is CommandState.VERIFIED

    @property
    def is_good(self) -> bool:
        """Whether the demo showed what it is there to show."""
        return self.updates > 0 and self.verified > 0

    def summary(self) -> str:
        """The whole demo in a line."""
        passed_s = max(self.passed_s, 1e-9)
        return (
            f"{passed_s:.1f} s: {self.updates} updates seen ({self.updates / passed_s:.2f} a second), "
            f"{self.changes} changes, {self.verified} of {self.ended} receipts verified"
        )


def _is_story(payload: Mapping[str, Any]) -> bool:
    """Whether an event belongs to what befell them; that a reserve is tried is told by what comes of it."""
    match payload["kind"]:
        case "demo":
            return True
        case "failover":
            return payload.get("decision") != "trying"
        case "control":
            return str(payload.get("state", "")).startswith("safety")
        case _:
            return False


async def show(seconds: float | None) -> bool:
    """Run the demo until it is stopped or ``seconds`` have passed; whether data flowed and a receipt was verified."""
    stop = loops.stop_asked()
    has_serial = await asyncio.to_thread(can_have_serial)
    has_plugs = await asyncio.to_thread(can_have_plugs)
    with log_output.logging_to_stderr("critical", as_json=False):  # the outages are on purpose
        async with AsyncExitStack() as simulated:
            house = await simulated.enter_async_context(demo_controller())
            pack = await simulated.enter_async_context(DemoPack(has_serial=has_serial))
            fermenter = await simulated.enter_async_context(DemoFermenter()) if has_plugs else None
            mapping = demo_mapping(
                house.host,
                house.port,
                pack.mapping(),
                *(fermenter.devices() if fermenter else ()),
                controllers=[fermenter.controller()] if fermenter else (),
            )
            secrets = SecretSource(allow_plain_secrets=True)
            spec = await asyncio.to_thread(read_site, mapping, FAMILIES, secrets=secrets, source="demo")
            async with running(spec, Door(host="127.0.0.1", port=0)) as (hub, url):
                tally = Tally(hub)
                await _until(
                    stop,
                    seconds,
                    _count(hub, tally),
                    _switch(hub),
                    pack.suffer(lambda text: hub.note(TOLD, text, device=PACK)),
                    *_life(fermenter, hub),
                    (live if say.is_terminal() else lines)(hub, tally, url),
                )
                is_good, summary = tally.is_good, tally.summary()
    say.line(summary)
    return is_good


def _life(fermenter: DemoFermenter | None, hub: Hub) -> list[Coroutine[Any, Any, None]]:
    """The sensor's work, and what befalls the fermenter."""
    if fermenter is None:
        return []
    return [fermenter.sense(hub), fermenter.suffer(lambda text: hub.note(TOLD, text, device=CONTROLLER))]


async def _until(stop: asyncio.Event, seconds: float | None, *work: Coroutine[Any, Any, None]) -> None:
    """Let all this go on until ``stop``, the time, or an error that nobody foresaw."""
    tasks = [asyncio.create_task(each) for each in (stop.wait(), *work)]
    try:
        done, _ = await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    for task in done:
        task.result()


async def _count(hub: Hub, tally: Tally) -> None:
    async with hub.stream.journal() as records:
        async for record in records:
            tally.take(record)


async def _switch(hub: Hub) -> None:
    """Somebody at the kitchen's switch, over and over."""
    somebody = Issuer("demo", Authority.PERSON)
    while True:
        shown = hub.reading(SWITCHED)
        if isinstance(shown.value, bool):
            await hub.ended(hub.command(SWITCHED, not shown.value, somebody))
            await asyncio.sleep(SWITCH_EVERY_S)
        else:
            await asyncio.sleep(LOOK_S)
