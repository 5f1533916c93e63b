"""``test``: what stands between a person and a device."""

from __future__ import annotations

import signal
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Annotated

import typer

from holdfast.cli import say, words
from holdfast.cli.commands.act import expect_guard
from holdfast.cli.commands.options import DeviceArgument, JsonOption, SiteOption
from holdfast.cli.exits import Exit, WrongUsage
from holdfast.cli.face import face_of
from holdfast.cli.take_over import OPTION

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager

    from holdfast.cli.phases import Phase
    from holdfast.cli.records import Record
    from holdfast.cli.trial import Trial

_MARKS = {"passed": ("✓", "green"), "failed": ("✗", "bold red"), "skipped": ("·", "dim")}
_NAME_WIDTH = 12
_TIME_WIDTH = 8


def try_device(
    device: DeviceArgument,
    capability: Annotated[
        str | None, typer.Argument(metavar="[CAPABILITY]", help="The switch to exercise, if it has several.")
    ] = None,
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
    exercise: Annotated[
        bool,
        typer.Option("--exercise", help="Switch over, then back to what it was; each proved by the device."),
    ] = False,
    take_over: Annotated[
        float | None,
        typer.Option(
            OPTION,
            metavar="S",
            min=1,
            help="Take the switch over from the controller that owns it, for so many seconds.",
            show_default=False,
        ),
    ] = None,
    as_json: JsonOption = False,
    site: SiteOption = None,
) -> None:
    """Test the way to a device step by step, over the very link that controls it; exits with 1 if a step fails.

    With --exercise [CAPABILITY] a switch is switched over and back. It is put back whatever happens, Ctrl-C included.
    """
    from holdfast.cli.phases import Verdict
    from holdfast.cli.trial import Trial
    from holdfast.cli.values import read_assignment

    _check_usage(assignment, capability, take_over, site is not None, is_exercise=exercise)
    wanted = read_assignment(assignment) if assignment is not None else None
    with face_of(site, device_of=device) as face:
        trial = Trial(
            face,
            device,
            seconds=seconds,
            assignment=wanted,
            exercise=(capability or "") if exercise else None,
            take_over_s=take_over,
        )
        if trial.wish is not None:
            expect_guard(face, *trial.wish)
        with _ending_as_interrupt() if exercise else nullcontext():
            phases = _run(trial, is_shown=not as_json)
        if as_json:
            say.as_json(_record(device, trial, phases))
    if any(each.verdict is Verdict.FAILED for each in phases):
        raise typer.Exit(Exit.FAILED)


def _check_usage(
    assignment: str | None,
    capability: str | None,
    take_over: float | None,
    has_site: bool,
    *,
    is_exercise: bool,
) -> None:
    """Raise `WrongUsage` for options that do not go together."""
    if capability is not None and not is_exercise:
        raise WrongUsage(f"what shall be done with {capability!r}?", advice="Add --exercise to switch it.")
    if is_exercise and assignment is not None:
        raise WrongUsage("--exercise and --set do not go together", advice="Use one after the other.")
    if take_over is None:
        return
    if has_site:
        raise WrongUsage("with --site no controller runs", advice="Leave out --take-over, or ask the hub.")
    if not is_exercise and assignment is None:
        raise WrongUsage("--take-over goes with --exercise or --set")


def _run(trial: Trial, *, is_shown: bool) -> list[Phase]:
    """All phases. However this ends, an exercised switch is put back first."""
    done: list[Phase] = []
    try:
        phases = trial.phases()
        for name in trial.names:
            with _progress(name) if is_shown else nullcontext():
                done.append(next(phases))
            if is_shown:
                _show(done[-1])
    finally:
        _put_back(trial)
    return done


def _put_back(trial: Trial) -> None:
    if trial.exercise is None or not trial.exercise.is_owed:
        return
    target, rest = words.clean(trial.exercise.target), words.value(trial.exercise.rest)
    say.note(f"interrupted: putting {target} back to {rest} …")
    try:
        phase = trial.put_back()
    except BaseException:
        say.note(f"{target} was not put back: set it to {rest} yourself")
        raise
    if phase is not None:
        say.note(f"{phase.text}. {phase.advice}" if phase.advice else phase.text)


@contextmanager
def _ending_as_interrupt() -> Iterator[None]:
    """Let whatever asks the program to end do so as Ctrl-C does: a closed terminal must not leave a heater on."""
    numbers = [
        number for name in ("SIGTERM", "SIGHUP") if (number := getattr(signal, name, None)) is not None
    ]

    def interrupt(received: int, frame: object) -> None:
        signal.raise_signal(signal.SIGINT)

    try:
        before = {number: signal.signal(number, interrupt) for number in numbers}
    except ValueError:  # not in the main thread: signals are somebody else's business
        before = {}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _record(device: str, trial: Trial, phases: Sequence[Phase]) -> Record:
    """The whole test as one object."""
    return {
        "device": device,
        "passed": all(each.verdict != "failed" for each in phases),
        "phases": [{**each._asdict(), "verdict": each.verdict.value} for each in phases],
        "readings": trial.standing(),
        "exercise": None if trial.exercise is None else trial.exercise.as_record(),
    }


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
