"""The command that takes over the configuration of the earlier fermentation program."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from holdfast.cli import say
from holdfast.cli.exits import Exit, WrongUsage

if TYPE_CHECKING:
    from holdfast.hub.site.earlier.fermenter import Takeover

_INNER = "config"
"""Where later versions of the program keep the files."""


def import_fermenter(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="DIR",
            help="The folder with temp_control_config.json, tilt_config.json and system_config.json, or the one "
            "around it.",
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", metavar="FILE", help="Write the site file here; it must be new."),
    ] = None,
) -> None:
    """Make a site file from the files of Fermenter-Temp-Controller; they are not changed.

    What is not taken over is told on standard error with its file and key. A controller that nobody should trust yet
    is not enabled, and a comment says why.
    """
    from holdfast.cli.words import clean
    from holdfast.hub.site.earlier.fermenter import of_files, read_folder, site_text

    if output is not None and output.exists():
        raise WrongUsage(f"{output} exists already", advice="Name another file: nothing is overwritten.")
    where = _where(folder)
    takeover = of_files(read_folder(where))
    for report in takeover.reports:
        say.note(clean(report.rendered(where)))
    if not takeover.is_usable:
        say.note(clean(f"{where}: neither a plug nor a Tilt; nothing was written"))
        raise typer.Exit(Exit.USAGE)
    text = site_text(takeover, str(where))
    if output is None:
        say.line(text.rstrip("\n"))
    else:
        from holdfast.cli.whole_file import write_whole

        write_whole(output, text.encode())
    say.note(_summary(takeover))
    for each in _to_mend(takeover, str(output or "site file")):
        say.note(clean(f"to mend: {each}"))
    comments = _counted(len(takeover.comments), "comment")
    say.note(
        f"to compare: {comments} in the site file; then stop the earlier program, holdfast check, holdfast serve"
    )


def _where(folder: Path) -> Path:
    """The folder that has any of the files. Raises `WrongUsage`."""
    from holdfast.hub.site.earlier.fermenter import NAMES

    found = [each for each in (folder, folder / _INNER) if any((each / name).exists() for name in NAMES)]
    if len(found) > 1:
        say.note(
            f"{found[1]} has such files, too: those in {found[0]} are taken over; name the other to take it"
        )
    if found:
        return found[0]
    if folder.is_file():
        raise WrongUsage(
            f"{folder} is a file", advice="Name the folder around it: three files belong together."
        )
    raise WrongUsage(
        f"there is none of {', '.join(NAMES)} in {folder}", advice="Name the folder with the files."
    )


def _summary(takeover: Takeover) -> str:
    """What was taken over, in words."""
    drivers = [device["adapters"][0]["driver"] for device in takeover.mapping["devices"]]
    controllers = takeover.mapping.get("controllers", [])
    enabled = sum(1 for each in controllers if each["enabled"])
    return (
        f"taken over: {_counted(drivers.count('kasa'), 'plug')}, {_counted(drivers.count('tilt'), 'Tilt')}, "
        f"{_counted(len(controllers), 'controller')} ({enabled} enabled); "
        f"reported: {_counted(len(takeover.reports), 'thing')}; kept as notes: {len(takeover.notes)}"
    )


def _to_mend(takeover: Takeover, source: str) -> list[str]:
    """What `holdfast check` will complain about, one line each."""
    from holdfast.app import FAMILIES
    from holdfast.hub.site import SecretSource, SiteError, read_site

    try:
        read_site(takeover.mapping, FAMILIES, secrets=SecretSource(), source=source)
    except SiteError as error:
        return [each.rendered(source) for each in error.problems]
    return []


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
