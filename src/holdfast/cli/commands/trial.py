"""``test``: what stands between a person and a device."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Annotated

import typer

from holdfast.cli import say, words
from holdfast.cli.commands.options import DeviceArgument, SiteOption
from holdfast.cli.exits import Exit
from holdfast.cli.face import face_of

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from holdfast.cli.phases import Phase

_MARKS = {"passed": ("✓", "green"), "failed": ("✗", "bold red"), "skipped": ("·", "dim")}
_NAME_WIDTH = 12
_TIME_WIDTH = 8


def try_device(
    device: DeviceArgument,
    seconds: Annotated[
        float, typer.Option("--seconds", metavar="S", min=1, help="How long to watch it.")
    ] = 15.0,
    assignment: Annotated[
        str | None,
        typer.Option(
            "--set",
            metavar="TARGET=VALUE",
            help="Try this command, and put it back afterwards.",
            show_default=False,
        ),
    ] = None,
    site: SiteOption = None,
) -> None:
    """Test the way to a device step by step, over the very link that controls it; exits with 1 if a step fails."""
    from holdfast.cli.phases import NAMES, Verdict
    from holdfast.cli.trial import Trial
    from holdfast.cli.values import read_assignment

    wanted = read_assignment(assignment) if assignment is not None else None
    with face_of(site, device_of=device) as face:
        trial = Trial(face, device, seconds=seconds, assignment=wanted)
        failed = 0
        phases = trial.phases()
        for name in NAMES:
            with _progress(name):
                phase = next(phases)
            _show(phase)
            failed += phase.verdict is Verdict.FAILED
    if failed:
        raise typer.Exit(Exit.FAILED)


def _progress(name: str) -> AbstractContextManager[object]:
    """What is being tried, on a terminal while it is."""
    return say.console().status(f"{name} …") if say.is_terminal() else nullcontext()


def _show(phase: Phase) -> None:
    took = "" if phase.took_s is None else words.duration(phase.took_s)
    mark, style = _MARKS[phase.verdict]
    line = f"{mark} {phase.name:<{_NAME_WIDTH}} {took:>{_TIME_WIDTH}}  {phase.text}"
    if not say.is_terminal():
        say.line(line if phase.verdict != "skipped" else f"{line} (skipped)")
        if phase.advice:
            say.line(f"{'':{_NAME_WIDTH + _TIME_WIDTH + 5}}{phase.advice}")
        return
    from rich.text import Text

    shown = Text(line)
    shown.stylize(style, 0, 2 + len(phase.name))
    paper = say.console()
    paper.print(shown)
    if phase.advice:
        paper.print(Text(f"{'':{_NAME_WIDTH + _TIME_WIDTH + 5}}{phase.advice}", style="italic"))
