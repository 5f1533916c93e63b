"""The command that takes over the configuration of the earlier battery program."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from holdfast.cli import say
from holdfast.cli.exits import Exit, WrongUsage


def import_solarhub(
    source: Annotated[
        str | None,
        typer.Argument(
            metavar="CONFIG_OR_DATABASE_URL",
            help="The earlier config.yaml, its SQLite file, or a URL such as postgresql://USER@HOST/DATABASE. Without "
            "it SOLARHUB_DATABASE_URL names the database: the place for a URL with a password.",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", metavar="FILE", help="Write the site file here; it must be new."),
    ] = None,
) -> None:
    """Make a site file from solarhub's config.yaml or database; neither it nor the store is changed.

    What the earlier configuration says in two ways is left out, told on standard error and marked in the file.
    """
    from holdfast.app import FAMILIES
    from holdfast.cli import solarhub as house
    from holdfast.cli.words import clean

    if output is not None and output.exists():
        raise WrongUsage(f"{output} exists already", advice="Name another file: nothing is overwritten.")
    takeover, name = house.take_over(source)
    for report in takeover.reports:
        say.note(clean(report.rendered(name)))
    for note in takeover.notes:
        say.note(clean(f"kept as a note: {note.text}"))
    if not takeover.is_usable:
        say.note(clean(f"{name}: no battery pack that there is a driver for; nothing was written"))
        raise typer.Exit(Exit.USAGE)
    text = house.site_text(takeover, name)
    if output is None:
        say.line(text.rstrip("\n"))
    else:
        from holdfast.cli.whole_file import write_whole

        write_whole(output, text.encode())
    say.note(house.summary(takeover))
    for each in house.to_fill_in(takeover, FAMILIES, str(output or "site file")):
        say.note(clean(f"to fill in: {each}"))
    say.note(f"to compare: {len(takeover.comments)} comments in the site file; then run holdfast check")
