"""Commands that keep a hub's data safe: backup and restore."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from holdfast.cli import say
from holdfast.cli.commands.options import JsonOption

if TYPE_CHECKING:
    from collections.abc import Mapping

FolderOption = Annotated[
    Path | None,
    typer.Option(
        "--data", metavar="DIR", help="The hub's data directory; the user's data folder by default."
    ),
]


def backup(
    path: Annotated[
        Path, typer.Argument(metavar="PATH", help="The file to write; in a folder it gets a name of its own.")
    ],
    data: FolderOption = None,
    as_json: JsonOption = False,
) -> None:
    """Copy all that a hub keeps into one file, also while it runs: the site, its safety state and its journal."""
    from holdfast.cli.folders import data_folder
    from holdfast.cli.keeping_safe import back_up

    folder = data or data_folder()
    written, about = back_up(path, folder)
    if as_json:
        say.as_json({"path": str(written), "made_at": about.made_at, "has_key_file": about.has_key})
        return
    say.line(f"the backup is in {written}")
    say.line(
        "it holds the key file: keep it where only you can read it"
        if about.has_key
        else "it holds no key file: there is none in the data directory"
    )


def restore(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="The backup.")],
    data: FolderOption = None,
    force: Annotated[
        bool, typer.Option("--force", help="Also where there is a store; that one is kept beside it.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Put a backup in the place of a stopped hub's data, on this machine or another one. Nothing is destroyed."""
    from holdfast.cli.folders import data_folder
    from holdfast.cli.keeping_safe import restore as bring_back

    folder = data or data_folder()
    done = bring_back(path, folder, force=force)
    missing = _missing(done.mapping, folder)
    if as_json:
        say.as_json(
            {
                "data": str(folder),
                "made_at": done.about.made_at,
                "has_key_file": done.about.has_key,
                "kept_aside": [str(each) for each in done.kept_aside],
                "problems": missing,
            }
        )
        return
    say.line(f"the backup of {done.about.made_at} is in {folder}")
    say.line("it held the key file" if done.about.has_key else "it held no key file")
    for each in done.kept_aside:
        say.line(f"what was there before is in {each}")
    for text in missing:
        say.note(f"not usable on this machine yet: {text}")


def _missing(mapping: Mapping[str, Any], folder: Path) -> list[str]:
    """What of the site cannot be used here as it is: a secret that lies elsewhere, a driver that is not installed."""
    if not mapping:
        return []
    from holdfast.app import FAMILIES
    from holdfast.hub.site import SecretSource
    from holdfast.hub.site.read import read_what_can_be_used

    spec = read_what_can_be_used(mapping, FAMILIES, secrets=SecretSource(folder=folder))
    return [each.rendered("site") for each in spec.problems]
