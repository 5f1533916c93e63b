"""Commands about site files: check and import."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from holdfast.cli import say
from holdfast.cli.commands.import_fermenter import import_fermenter
from holdfast.cli.commands.import_solarhub import import_solarhub
from holdfast.cli.exits import Exit

importing = typer.Typer(
    help="Turn an earlier program's configuration into a site file.", no_args_is_help=True
)


def check(site: Annotated[Path, typer.Argument(metavar="SITE", help="The site file (YAML).")]) -> None:
    """Check a site file: every problem with its line, and what would be right."""
    from holdfast.app import FAMILIES
    from holdfast.hub.site.yaml import load_site

    spec = load_site(site, FAMILIES)
    for each in spec.controllers:
        for text in each.settings.warnings:
            say.note(f"{site}: controller {each.id}: {text}")
    count = sum(len({capability.key for driver in each.drivers for capability in driver.capabilities})
                for each in spec.devices)  # fmt: skip
    say.line(f"{site} is fine: {_counted(len(spec.devices), 'device')}, {_counted(count, 'value')}"
             + (f", {_counted(len(spec.controllers), 'controller')}" if spec.controllers else ""))  # fmt: skip


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


@importing.command("ipcom")
def import_ipcom(
    device_map: Annotated[
        Path, typer.Argument(metavar="DEVICES", help="The device map, such as devices.yaml.")
    ],
) -> None:
    """Print a site file made from an IPCom device map; what is wrong with the map goes to standard error."""
    from holdfast.cli import importing as house
    from holdfast.hub.site.yaml import load_yaml

    text, remarks, is_usable = house.site_of_map(load_yaml(device_map))
    for remark in remarks:
        say.note(remark)
    if not is_usable:
        say.note(f"{device_map}: mend this first; nothing was written")
        raise typer.Exit(Exit.USAGE)
    say.line(text.rstrip("\n"))


importing.command("solarhub")(import_solarhub)
importing.command("fermenter")(import_fermenter)
