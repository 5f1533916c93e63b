"""Make docs/images/demo.svg: the demo's own screen after some seconds, drawn by rich. Run it with `make picture`."""

from __future__ import annotations

import asyncio
import io
import re
from pathlib import Path

from rich.console import Console

from holdfast.app import FAMILIES
from holdfast.cli import demo, demo_screen
from holdfast.cli.demo_site import demo_controller, demo_mapping
from holdfast.cli.serve import Door, running
from holdfast.hub.events import Kind
from holdfast.hub.site.read import read_site
from holdfast.hub.site.secret import SecretSource
from holdfast.model import Issuer

PICTURE = Path(__file__).resolve().parents[1] / "docs" / "images" / "demo.svg"


async def draw() -> None:
    """Let the house live a little, switch something, and take the picture."""
    controller = demo_controller(seed=4)
    async with controller:
        mapping = demo_mapping("127.0.0.1", controller.port)
        site = read_site(mapping, FAMILIES, secrets=SecretSource(allow_plain_secrets=True))
        async with running(site, Door(host="127.0.0.1", port=0)) as (hub, _):
            tally = demo.Tally(hub)
            hub.stream.tap(lambda record: tally.note(record.payload) if record.kind is Kind.COMMAND else None)
            await asyncio.sleep(4)
            for target, value in (("kitchen", True), ("salon", 70), ("blind", "open")):
                await hub.ended(hub.command(f"house/{target}", value, Issuer("you")))
            await asyncio.sleep(0.1)
            console = Console(record=True, width=96, file=io.StringIO(), force_terminal=True)
            console.print(demo_screen.picture(hub, tally, "http://127.0.0.1:8420"))
            # Without the font that rich would fetch from elsewhere when the picture is looked at.
            svg = re.sub(r"@font-face \{.*?\}\n?", "", console.export_svg(title="make demo"), flags=re.DOTALL)
            PICTURE.write_text("\n".join(line.rstrip() for line in svg.splitlines()) + "\n")


asyncio.run(draw())
