"""The program: its commands put together, and its errors turned into words and exit codes."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from holdfast._version import __version__
from holdfast.cli import say
from holdfast.cli.commands import (
    act,
    control,
    discover,
    hub,
    living,
    look,
    rehearse,
    safe,
    site,
    trial,
    watch,
)
from holdfast.cli.exits import code_of
from holdfast.cli.take_over import TakingOver
from holdfast.errors import HoldfastError


class Program(TyperGroup):
    """A group whose commands may raise our errors."""

    def invoke(self, context: Any) -> Any:
        """Run a command; an error becomes a sentence on standard error and an exit code."""
        try:
            return super().invoke(context)
        except HoldfastError as error:
            say.complain(error)
            raise typer.Exit(code_of(error)) from None


program = typer.Typer(
    cls=Program,
    name="holdfast",
    help="Local devices that stay connected, and a state you can believe.",
    epilog="HOLDFAST_URL and HOLDFAST_TOKEN name the hub (http://127.0.0.1:8420). Exit codes: 0 done, 1 the device "
    "or command failed, 2 wrong usage or site file, 3 no hub reachable.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # its pretty tracebacks show local variables, and those hold passwords
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(is_wanted: bool) -> None:
    if is_wanted:
        say.line(f"holdfast {__version__}")
        raise typer.Exit


@program.callback()
def _options(
    context: typer.Context,
    debug: Annotated[
        bool, typer.Option("--debug", help="Tell on standard error what the links of this process do.")
    ] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    if debug:
        from holdfast.cli.log_output import logging_to_stderr

        context.with_resource(logging_to_stderr("debug"))


_NEGATIVE_NUMBERS = {"ignore_unknown_options": True}
"""``-5`` is a value, not five options."""
_RUNNING, _CHANGING, _LOOKING, _ACTING = "Run a hub", "Change the site", "Look", "Act"

program.command(rich_help_panel=_RUNNING)(hub.demo)
program.command(rich_help_panel=_RUNNING)(hub.serve)
program.command(rich_help_panel=_RUNNING)(rehearse.simulate)
program.command(rich_help_panel=_RUNNING)(site.check)
program.command(rich_help_panel=_RUNNING)(discover.init)
program.command(rich_help_panel=_RUNNING)(discover.discover)
program.add_typer(site.importing, name="import", rich_help_panel=_RUNNING)

program.command(rich_help_panel=_RUNNING)(safe.backup)
program.command(rich_help_panel=_RUNNING)(safe.restore)

program.command(rich_help_panel=_CHANGING)(living.apply)
program.command(rich_help_panel=_CHANGING)(living.export)
program.add_typer(living.device, name="device", rich_help_panel=_CHANGING)
program.add_typer(living.adapter, name="adapter", rich_help_panel=_CHANGING)
program.add_typer(living.output, name="output", rich_help_panel=_CHANGING)
program.add_typer(living.controller, name="controller", rich_help_panel=_CHANGING)

program.command(rich_help_panel=_LOOKING)(look.status)
program.command(rich_help_panel=_LOOKING)(watch.watch)
program.command(rich_help_panel=_LOOKING)(look.devices)
program.command(rich_help_panel=_LOOKING)(control.controllers)
program.command(rich_help_panel=_LOOKING)(look.links)
program.command(rich_help_panel=_LOOKING)(look.events)
program.command("test", rich_help_panel=_LOOKING)(trial.try_device)

program.command("set", cls=TakingOver, rich_help_panel=_ACTING, context_settings=_NEGATIVE_NUMBERS)(act.set_)
for _command in (act.on, act.off, act.toggle, act.dim, act.close, act.stop):
    program.command(rich_help_panel=_ACTING)(_command)
program.command("open", rich_help_panel=_ACTING)(act.open_)
program.command(rich_help_panel=_ACTING)(act.retry)
program.command(rich_help_panel=_ACTING)(act.abandon)
program.command(rich_help_panel=_ACTING)(act.activate)
program.command(rich_help_panel=_ACTING, context_settings=_NEGATIVE_NUMBERS)(control.limits)
program.command(rich_help_panel=_ACTING)(control.profile)
program.command(rich_help_panel=_ACTING)(control.acknowledge)
program.command("give-back", rich_help_panel=_ACTING)(control.give_back)
program.command(rich_help_panel=_ACTING)(act.log)

# The earlier program's names for covers still work.
program.command("cover_open", hidden=True)(act.open_)
program.command("cover_close", hidden=True)(act.close)
program.command("cover_stop", hidden=True)(act.stop)
