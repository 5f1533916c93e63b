"""What the demo shows: a live table on a terminal, plain lines in a pipe."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from holdfast.cli import say, words
from holdfast.cli.records import device_record, reading_record, reason_record, receipt_record
from holdfast.hub.events import Kind

if TYPE_CHECKING:
    from rich.console import Group

    from holdfast.cli.demo import Tally
    from holdfast.hub.hub import Hub

RECEIPTS_SHOWN = 3
"""The latest commands."""
FRAME_S = 0.25
"""Four pictures a second: every update is seen, and drawing costs little."""


def hints(url: str) -> tuple[str, ...]:
    """What to try in another terminal."""
    return (
        f"A simulated house, and a hub that keeps it: {url} (its API: {url}/api/docs)",
        "In another terminal:",
        f"  export HOLDFAST_URL={url}",
        "  holdfast set house/kitchen true; holdfast dim salon 70; holdfast watch",
    )


async def live(hub: Hub, tally: Tally, url: str) -> None:
    """Draw the picture anew until cancelled."""
    from rich.live import Live

    with Live(picture(hub, tally, url), console=say.console(), auto_refresh=False) as screen:
        while True:
            await asyncio.sleep(FRAME_S)
            screen.update(picture(hub, tally, url), refresh=True)


def picture(hub: Hub, tally: Tally, url: str) -> Group:
    """The whole screen as it stands now."""
    from rich.console import Group
    from rich.text import Text

    from holdfast.cli import tables

    devices = [tables.headline(device_record(device)) for device in hub.devices.values()]
    readings = tables.readings(reading_record(each) for each in hub.readings())
    receipts = [tables.receipt(receipt_record(receipt)) for receipt in tally.receipts]
    # A fixed number of lines above the table, so that it stands still.
    blanks = [Text() for _ in range(RECEIPTS_SHOWN - len(receipts))]
    return Group(
        *(Text(line, style="dim", overflow="ellipsis", no_wrap=True) for line in hints(url)),
        *devices,
        Text(f"{tally.rate():.2f} updates a second, {tally.updates} in all; Ctrl-C ends"),
        *receipts,
        *blanks,
        readings,
    )


async def lines(hub: Hub, tally: Tally, url: str) -> None:
    """Print what happens, a line each, until cancelled."""
    for hint in hints(url):
        say.line(hint)
    seen: dict[str, str] = {}
    async with hub.stream.journal() as records:
        async for record in records:
            text = ""
            if record.kind is Kind.READING:
                text = words.reading(reading_record(record.payload))
                if seen.get(record.payload.target) == text:
                    continue
                seen[record.payload.target] = text
                text = f"{record.payload.target}: {text}"
            elif record.kind is Kind.COMMAND:
                text = words.receipt(receipt_record(record.payload))
            elif record.kind is Kind.AVAILABILITY:
                payload = record.payload
                why = words.reason(reason_record(payload["reason"]))
                text = f"{payload['device']} is {payload['availability']}" + (f": {why}" if why else "")
            if text:
                say.line(f"{words.clock_time(record.at.isoformat())}  {text}")
