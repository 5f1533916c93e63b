"""Commands that run a hub: serve and demo."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from holdfast.cli import say
from holdfast.cli.exits import Exit, WrongUsage

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8420


def serve(
    site: Annotated[
        Path | None,
        typer.Option(
            "--site",
            metavar="FILE",
            help="A site file (YAML) to apply first; without it the hub runs the site in its store.",
            show_default=False,
        ),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            "--data", metavar="DIR", help="Where the hub keeps its data; the user's data folder by default."
        ),
    ] = None,
    host: Annotated[str, typer.Option("--host", help="The address to listen on.")] = DEFAULT_HOST,
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="0 takes any free one.")
    ] = DEFAULT_PORT,
    require_login: Annotated[
        bool, typer.Option("--require-login", help="Ask for a token on loopback, too.")
    ] = False,
    token_file: Annotated[
        Path | None, typer.Option("--token-file", metavar="FILE", help="Who may use the API, and as what.")
    ] = None,
    log_level: Annotated[
        str, typer.Option("--log-level", metavar="LEVEL", help="debug, info, warning or error.")
    ] = "info",
    json_logs: Annotated[bool, typer.Option("--json-logs", help="One JSON object a line.")] = False,
    record: Annotated[
        Path | None,
        typer.Option(
            "--record", metavar="DIR", help="Record all traffic there, one file a link; passwords are masked."
        ),
    ] = None,
) -> None:
    """Keep the devices of a site connected and answer the API, until Ctrl-C or SIGTERM.

    The site lives in the store: a database in the data directory, or the one that the environment variable
    HOLDFAST_STORE names (postgresql://USER@HOST/DATABASE).
    """
    from holdfast.cli import log_output
    from holdfast.cli.folders import data_folder
    from holdfast.cli.lock import locked_as_far_as_possible

    level = log_level.lower()
    if level not in log_output.LEVELS:
        raise WrongUsage(
            f"{log_level!r} is no log level", advice=f"Use one of {', '.join(log_output.LEVELS)}."
        )
    folder = data or data_folder()
    with log_output.logging_to_stderr(level, as_json=json_logs), locked_as_far_as_possible(folder):
        if record is not None:
            _make_folder(record)
        _keep(site, folder, host, port, token_file, require_login=require_login, record=record)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WrongUsage(f"nothing can be recorded in {folder}: {error.strerror}") from None


def _keep(
    site: Path | None,
    folder: Path,
    host: str,
    port: int,
    token_file: Path | None,
    *,
    require_login: bool,
    record: Path | None,
) -> None:
    import asyncio

    from holdfast.app import FAMILIES
    from holdfast.cli import log_output, loops
    from holdfast.cli.opening import opening
    from holdfast.cli.serve import Door
    from holdfast.cli.serve import serve as keep
    from holdfast.cli.site_secrets import secrets_of
    from holdfast.cli.store import file_of, store_of
    from holdfast.clock import SystemClock
    from holdfast.web.api.access import Tokens
    from holdfast.web.server import LoginRequired

    tokens = Tokens.from_file(token_file) if token_file is not None else None
    door = Door(host=host, port=port, tokens=tokens, require_login=require_login)
    store = store_of(folder)
    database = file_of(folder)

    async def until_stopped() -> None:
        stop = loops.stop_asked()
        clock = SystemClock(asyncio.get_running_loop())
        try:
            start = await opening(store, site, folder, FAMILIES, clock, database)
            log_output.hide(secrets_of([*start.spec.devices, *start.leaving.values()]))
            await keep(start, door, lambda url: say.line(f"Holdfast is listening on {url}"), stop, record)
        finally:
            await store.close()

    try:
        loops.run(until_stopped())
    except LoginRequired as error:
        raise WrongUsage(error.text, advice=error.advice) from error


def demo(
    seconds: Annotated[
        float | None,
        typer.Option(
            "--seconds", metavar="N", min=1, help="End by itself after so long.", show_default=False
        ),
    ] = None,
) -> None:
    """Watch a simulated house and its battery pack on real ports: readings, residents, commands and failovers."""
    from holdfast.cli import demo as house
    from holdfast.cli import loops

    if not loops.run(house.show(seconds)):
        raise typer.Exit(Exit.FAILED)
