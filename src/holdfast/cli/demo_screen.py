"""What the demo shows: a live picture on a terminal of 80 columns and 24 lines, plain lines in a pipe."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from holdfast.cli import say, words
from holdfast.cli.demo_fermenter import CONTROLLER
from holdfast.cli.demo_pack import PACK
from holdfast.cli.demo_site import DEVICE
from holdfast.cli.records import device_record, reading_record, reason_record, receipt_record
from holdfast.hub.events import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    from holdfast.cli.demo import Tally
    from holdfast.hub.events import Record
    from holdfast.hub.hub import Hub
    from holdfast.model import Reading

RECEIPTS_SHOWN = 1
"""The latest commands; with more the picture would not fit."""
STORY_SHOWN = 3
"""The latest of what befell the pack and the fermenter."""
FRAME_S = 0.25
"""Four pictures a second: every update is seen, and drawing costs little."""
FERMENTER_TOLD = {
    "beer/temperature": "beer",
    "beer/gravity": "",
    "fermenter/heating": "heater",
    "fermenter/cooling": "fridge",
}
PACK_TOLD = ("soc", "current", "power", "cell_spread")
TOLD_EVERY_S = 5.0
"""In a pipe pack and fermenter are told of so often: their values change with every frame."""


def hints(url: str) -> tuple[str, ...]:
    """What to try in another terminal."""
    return (
        f"A simulated house and more:  export HOLDFAST_URL={url}",
        "  holdfast set house/kitchen true; holdfast watch; holdfast controllers",
    )


async def live(hub: Hub, tally: Tally, url: str) -> None:
    """Draw the picture anew until cancelled."""
    from rich.live import Live

    with Live(picture(hub, tally, url), console=say.console(), auto_refresh=False) as screen:
        while True:
            await asyncio.sleep(FRAME_S)
            screen.update(picture(hub, tally, url), refresh=True)


def picture(hub: Hub, tally: Tally, url: str) -> Group:
    """The whole screen as it stands now: always as many lines, none of them broken."""
    from rich.console import Group
    from rich.text import Text

    from holdfast.cli import demo_tables, tables

    house, pack = (tables.headline(device_record(hub.device(each))) for each in (DEVICE, PACK))
    receipts = [tables.receipt(receipt_record(receipt)) for receipt in tally.receipts]
    story = [
        Text(f"{words.clock_time(each.at.isoformat())} {words.clean(each.payload['text'])}")
        for each in tally.story
    ]
    rate = Text(f"{tally.rate():.2f} updates a second, {tally.updates} in all; Ctrl-C ends")
    lines: list[Text | Table] = [
        *(Text(line, style="dim") for line in hints(url)),
        house,
        demo_tables.house(hub),
        *_exactly(RECEIPTS_SHOWN, receipts),
        Text(),
        pack,
        demo_tables.pack(hub),
        *_fermenter(hub),
        *_exactly(STORY_SHOWN, story),
        rate,
    ]
    for line in lines:
        if isinstance(line, Text):
            line.no_wrap, line.overflow = True, "ellipsis"
    return Group(*lines)


def _exactly(number: int, lines: list[Text]) -> list[Text]:
    """So many lines, so that what is below stands still."""
    from rich.text import Text

    return [*lines, *(Text() for _ in range(number - len(lines)))]


def _fermenter(hub: Hub) -> list[Text]:
    """The fermenter in two lines, or what it would need."""
    from rich.text import Text

    if hub.controllers.get(CONTROLLER) is None:
        return [Text(), Text("For the fermenter: pip install 'holdfast[kasa]'", style="dim")]
    line = Text("Fermenter: ", style="bold")
    line.append(f"{hub.reading(f'{CONTROLLER}/state').value}", style="")
    line.append(f", {_told(hub, FERMENTER_TOLD)}", style="not bold")
    return [line, Text(f"  {words.clean(hub.reading(f'{CONTROLLER}/reason').value)}", style="dim")]


def _told(hub: Hub, named: Mapping[str, str]) -> str:
    """Readings in a line, each behind its name."""
    told = ((name, reading_record(hub.reading(target))) for target, name in named.items())
    return ", ".join(f"{name} {words.reading(record)}".strip() for name, record in told)


async def lines(hub: Hub, tally: Tally, url: str) -> None:
    """Print what happens, a line each, until cancelled."""
    for hint in hints(url):
        say.line(hint)
    told_of = _Changes(hub)
    async with hub.stream.journal() as records:
        async for record in records:
            text = told_of.line(record)
            if text:
                say.line(f"{words.clock_time(record.at.isoformat())}  {text}")


class _Changes:
    """What of the stream is worth a line."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._seen: dict[str, str] = {}
        self._told_t: dict[str, float] = {}

    def line(self, record: Record) -> str:
        """One record in words, empty if there is nothing to say."""
        payload = record.payload
        if record.kind is Kind.READING:
            return self._reading(payload)
        if record.kind is Kind.COMMAND:
            return words.receipt(receipt_record(payload))
        if record.kind is Kind.AVAILABILITY:
            why = words.reason(reason_record(payload["reason"]))
            return f"{payload['device']} is {payload['availability']}" + (f": {why}" if why else "")
        if record.kind is Kind.EVENT and payload.get("device") == CONTROLLER:
            is_told = payload["kind"] in ("control", "demo")
            return f"{CONTROLLER}: {words.clean(payload['text'])}" if is_told else ""
        if record.kind is Kind.EVENT and payload.get("device") == PACK:
            is_decision = payload["kind"] == "failover"
            return (
                f"{PACK}: {words.decision({**payload, 'data': payload}) if is_decision else payload['text']}"
            )
        return ""

    def _reading(self, reading: Reading) -> str:
        match reading.target.partition("/")[0]:
            case "pack-1":
                return self._now_and_then(PACK, self._pack)
            case "fermenter" | "beer" | "heater" | "fridge":
                return self._now_and_then(CONTROLLER, self._fermenter)
        text = words.reading(reading_record(reading))
        if self._seen.get(reading.target) == text:
            return ""
        self._seen[reading.target] = text
        return f"{reading.target}: {text}"

    def _now_and_then(self, what: str, say: Callable[[], str]) -> str:
        """A line of it, if one is due."""
        now = asyncio.get_running_loop().time()
        if now - self._told_t.get(what, -TOLD_EVERY_S) < TOLD_EVERY_S:
            return ""
        self._told_t[what] = now
        return say()

    def _pack(self) -> str:
        facts = [words.reading(reading_record(self._hub.reading(f"{PACK}/{key}"))) for key in PACK_TOLD]
        return f"{PACK}, through {self._hub.device(PACK).active.adapter.id}: {', '.join(facts)}"

    def _fermenter(self) -> str:
        return f"{CONTROLLER}: {_told(self._hub, FERMENTER_TOLD)}"
