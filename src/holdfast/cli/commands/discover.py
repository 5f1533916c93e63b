"""``discover`` and ``init``: looking around for devices, and a first site file made of them."""

from __future__ import annotations

import os
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from holdfast.cli import say, words
from holdfast.cli.commands.options import JsonOption
from holdfast.cli.exits import WrongUsage

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from rich.table import Table

    from holdfast.cli.discovery import Looked
    from holdfast.link.discovery import Found, Sweep

SECONDS = 5.0
"""The newer plugs are asked three times within it, and most Tilts speak once."""
MOST_SECONDS = 600.0

FamilyOption = Annotated[
    list[str] | None,
    typer.Option(
        "--family",
        metavar="FAMILY",
        help="Only this family: kasa or tilt. May be repeated.",
        show_default=False,
    ),
]
TargetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--target",
        metavar="HOST",
        help="Ask this host (HOST or HOST:PORT) or broadcast address instead of everybody near. May be repeated.",
        show_default=False,
    ),
]
SecondsOption = Annotated[
    float, typer.Option("--seconds", metavar="S", min=1, max=MOST_SECONDS, help="How long to look.")
]
LoginOption = Annotated[
    bool,
    typer.Option("--login", help="Ask for the account of devices that need one, instead of the environment."),
]


def discover(
    family: FamilyOption = None,
    target: TargetOption = None,
    seconds: SecondsOption = SECONDS,
    login: LoginOption = False,
    as_json: JsonOption = False,
) -> None:
    """Look around for devices: plugs that answer on the network, Tilts that are heard. Nothing is switched.

    With KASA_USERNAME and KASA_PASSWORD, or --login, plugs behind a login tell their names, too.
    """
    from holdfast.cli.discovery import exit_of, fault_records, found_record
    from holdfast.cli.discovery_site import devices_of

    looked = _look(family or (), target or (), seconds, is_login_asked=login)
    found = [one for each in looked for one in each.found]
    devices = devices_of(found)
    if as_json:
        records = [found_record(one, device) for one, device in zip(found, devices, strict=True)]
        say.as_json({"found": records, "faults": fault_records(looked)})
    else:
        if found:
            _show(found)
        elif any(each.has_looked for each in looked):
            say.line("nothing was found")
        _complain(looked)
    if exit_of(looked):
        raise typer.Exit(exit_of(looked))


def init(
    file: Annotated[
        Path,
        typer.Argument(metavar="[FILE]", help="The site file to write; one that is there is never touched."),
    ] = Path("site.yaml"),
    family: FamilyOption = None,
    target: TargetOption = None,
    seconds: SecondsOption = SECONDS,
    login: LoginOption = False,
) -> None:
    """Write a first site file: with the devices that are found, else with comments that show how they look."""
    from holdfast.cli.discovery_site import devices_of, starter

    if os.path.lexists(file):  # answers for any text; a link that leads nowhere is there, too
        raise _is_there(file)
    if not file.parent.is_dir():
        raise WrongUsage(f"there is no folder {file.parent}", advice="Make it first, or name another file.")
    looked = _look(family or (), target or (), seconds, is_login_asked=login)
    _write_new(file, starter(looked))
    _complain(looked)
    count = sum(each is not None for each in devices_of([one for each in looked for one in each.found]))
    devices = "1 device" if count == 1 else f"{count} devices"
    say.line(f"{file}: {devices}. Next: holdfast check {file}, then holdfast serve --site {file}")


# --- looking -------------------------------------------------------------------------------------------------------


def _look(
    family: Sequence[str], target: Sequence[str], seconds: float, *, is_login_asked: bool
) -> list[Looked]:
    from holdfast.app import FAMILIES
    from holdfast.cli import loops
    from holdfast.cli.discovery import families_meant, look_around, with_login
    from holdfast.cli.log_output import logging_to_stderr
    from holdfast.link.discovery import Sweep

    families = families_meant(family, FAMILIES)
    sweep = Sweep(seconds=seconds, targets=tuple(target))
    if is_login_asked:
        sweep = _asked(sweep)
    secrets = [each for name in families if (each := with_login(sweep, name).password)]
    with (
        logging_to_stderr("error", secrets=secrets),
        _progress(f"looking for {', '.join(families)}, {seconds:g} s …"),
        loops.runner() as runner,
    ):
        return runner.run(look_around(families, sweep))


def _asked(sweep: Sweep) -> Sweep:
    """The sweep with a login that a person types; standard output stays free for the result."""
    from dataclasses import replace
    from getpass import getpass

    sys.stderr.write("Account: ")
    sys.stderr.flush()
    username = sys.stdin.readline().strip()
    if not username:
        raise WrongUsage("no account was given")
    return replace(sweep, username=username, password=getpass("Password: ", sys.stderr))


def _progress(text: str) -> AbstractContextManager[object]:
    """What is going on, where a person waits."""
    return say.console(stderr=True).status(text) if sys.stderr.isatty() else nullcontext()


# --- telling -------------------------------------------------------------------------------------------------------


def _show(found: Sequence[Found]) -> None:
    from holdfast.cli import tables
    from holdfast.cli.discovery_site import devices_of
    from holdfast.hub.site.write import dump_site

    paper = say.console()
    paper.print(_table(found))
    for each in found:
        if each.note:
            why = f"{each.note}. {each.advice}" if each.advice else each.note
            paper.print(tables.text(f"{each.name or each.model or each.driver} at {each.url}: {why}"))
    devices = [each for each in devices_of(found) if each is not None]
    if devices:
        say.line("\nFor a site file ('holdfast init' writes one):\n")
        say.line(dump_site({"devices": devices}).rstrip("\n"))


def _table(found: Sequence[Found]) -> Table:
    from holdfast.cli import tables

    numbers = ("signal",)
    sheet = tables.sheet("name", "model", "where", "hardware address", "kind", *numbers, "now", right=numbers)
    sheet.padding = tables.CLOSE
    for column in sheet.columns[2:4]:
        column.no_wrap = True  # they are copied from here
    for each in found:
        sheet.add_row(
            tables.text(each.name or words.NOTHING),
            tables.text(each.model or words.NOTHING),
            tables.text(each.url),
            tables.text(each.mac or words.NOTHING),
            tables.text(each.kind),
            tables.text(words.value(each.signal_dbm, "dBm")),
            tables.text(_now(each)),
        )
    return sheet


def _now(found: Found) -> str:
    """What it says now: ``on``, ``20.4 °C, 1.016``."""
    if not found.is_supported:
        return "unsupported"
    units = {"temperature": "°C"}
    return (
        ", ".join(words.value(value, units.get(key, "")) for key, value in found.values.items())
        or words.NOTHING
    )


def _complain(looked: Sequence[Looked]) -> None:
    """Who could not look, a line each."""
    for each in looked:
        for fault in each.faults:
            text = f"{each.family}: {fault.text}" + (f". {fault.advice}" if fault.advice else "")
            say.note(words.clean(text))


# --- writing -------------------------------------------------------------------------------------------------------


def _write_new(file: Path, text: str) -> None:
    """Write a file that is not there yet; raises `WrongUsage`."""
    try:
        with file.open("x", encoding="utf-8") as out:
            out.write(text)
    except FileExistsError:
        raise _is_there(file) from None
    except OSError as error:
        raise WrongUsage(f"{file} cannot be written ({error.strerror})") from None


def _is_there(file: Path) -> WrongUsage:
    return WrongUsage(
        f"{file} is there already, and is left as it is",
        advice="Name another file, or take the lines that you need from 'holdfast discover'.",
    )
