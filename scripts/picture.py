"""Make docs/images/demo.svg: the demo's screen after its first mishap, drawn by rich. Run it with `make picture`."""

from __future__ import annotations

import asyncio
import io
import logging
import re
from pathlib import Path

from rich.console import Console

from holdfast.app import FAMILIES
from holdfast.cli import demo, demo_screen
from holdfast.cli.demo_fermenter import DemoFermenter
from holdfast.cli.demo_pack import GATEWAY, PACK, DemoPack
from holdfast.cli.demo_site import demo_controller, demo_mapping
from holdfast.cli.serve import Door, running
from holdfast.hub.events import Kind, Record
from holdfast.hub.site.read import read_site
from holdfast.hub.site.secret import SecretSource
from holdfast.model import Issuer

PICTURE = Path(__file__).resolve().parents[1] / "docs" / "images" / "demo.svg"


WIDTH = 80
HEATING = "fermenter/heating"


def is_return(record: Record) -> bool:
    """Whether the pack has come back to its gateway."""
    payload = record.payload
    return record.kind is Kind.EVENT and payload.get("decision") == "moved" and payload["after"] == GATEWAY


async def draw() -> None:
    """Let the house live, pull the plug, switch something, and take the picture when the pack is back."""
    async with (
        demo_controller(seed=4) as controller,
        DemoPack(seed=4) as pack,
        DemoFermenter(seed=4) as fermenter,
    ):
        devices = (pack.mapping(), *fermenter.devices())
        mapping = demo_mapping("127.0.0.1", controller.port, *devices, controllers=[fermenter.controller()])
        site = read_site(mapping, FAMILIES, secrets=SecretSource(allow_plain_secrets=True))
        async with running(site, Door(host="127.0.0.1", port=0)) as (hub, _):
            tally = demo.Tally(hub)
            hub.stream.tap(tally.take)
            sensing = asyncio.create_task(fermenter.sense(hub))
            mishaps = asyncio.create_task(pack.suffer(lambda text: hub.note(demo.TOLD, text, device=PACK)))
            async with hub.stream.journal(is_return) as returns:
                await anext(aiter(returns))
            for target, value in (("salon", 70), ("blind", "open"), ("kitchen", True)):
                await hub.ended(hub.command(f"house/{target}", value, Issuer("you")))
            await asyncio.sleep(0.1)
            async with hub.stream.latest(lambda record: record.key == HEATING) as news:
                while hub.reading(HEATING).value is not True:  # it is heated for half of the time
                    await anext(aiter(news))
            mishaps.cancel()
            sensing.cancel()
            console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
            console.print(demo_screen.picture(hub, tally, "http://127.0.0.1:8420"))
            # Without the font that rich would fetch from elsewhere when the picture is looked at.
            svg = re.sub(r"@font-face \{.*?\}\n?", "", console.export_svg(title="make demo"), flags=re.DOTALL)
            PICTURE.write_text("\n".join(line.rstrip() for line in svg.splitlines()) + "\n")


logging.getLogger("holdfast").setLevel(logging.ERROR)  # the outage is on purpose
asyncio.run(draw())
