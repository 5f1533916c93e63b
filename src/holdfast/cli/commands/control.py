"""Commands about controllers: how they are, their limits and profiles, alarms that were seen, plugs given back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from holdfast.cli import controller_words, say, words
from holdfast.cli.commands.look import connect
from holdfast.cli.commands.options import ControllerArgument, JsonOption, SiteOption
from holdfast.cli.completion import complete_controller
from holdfast.cli.exits import WrongUsage
from holdfast.cli.face import face_of
from holdfast.cli.values import read_value
from holdfast.errors import UnknownTarget

if TYPE_CHECKING:
    from holdfast.cli.records import Record

MOVES: Final = ("start", "pause", "continue", "skip")
ROLES: Final = controller_words.ROLES


def controllers(
    controller: Annotated[
        str | None,
        typer.Argument(
            metavar="[CONTROLLER]", help="Only this one, in detail.", autocompletion=complete_controller
        ),
    ] = None,
    as_json: JsonOption = False,
    site: SiteOption = None,
) -> None:
    """Show the controllers: state, temperature, limits, what the plugs themselves report, and why."""
    with face_of(site, device_of=controller or "") as face:
        if site is not None:
            connect(face)
        records = face.controllers()
        unit = face.temperature_unit()
    if controller is not None:
        records = [one_of(records, controller)]
    if as_json:
        say.as_json(records)
        return
    from holdfast.cli import tables

    if controller is None:
        paper = say.console()
        paper.print(tables.controllers(records, unit))
        for each in records:
            if each.get("reason"):
                paper.print(tables.text(f"{each['id']}: {each['reason']}"))
    else:
        _show(records[0], unit)


def limits(
    controller: ControllerArgument,
    low: Annotated[str, typer.Argument(metavar="LOW", help="A number in °C, or a text such as '64 °F'.")],
    high: Annotated[str, typer.Argument(metavar="HIGH", help="The same.")],
    cooling: Annotated[
        tuple[str, str] | None,
        typer.Option("--cooling", metavar="LOW HIGH", help="A band of its own for cooling."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Set both limits of a controller at once. They hold until they are set anew, or the site says other ones."""
    body: dict[str, Any] = {"low": read_value(low), "high": read_value(high)}
    if cooling is not None:
        body["cooling"] = {"low": read_value(cooling[0]), "high": read_value(cooling[1])}
    _ask(controller, "POST", "limits", body, as_json=as_json)


def profile(
    controller: ControllerArgument,
    action: Annotated[
        str | None,
        typer.Argument(
            metavar="[ACTION]",
            help="start, pause, continue, skip, set FILE or clear; without one it is shown.",
            show_default=False,
        ),
    ] = None,
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="[FILE]",
            help="For set: a list of steps, YAML or JSON; - is standard input.",
            show_default=False,
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show, give, move or leave a controller's profile: limits that change while a batch ferments."""
    if (file is not None) is not (action == "set"):
        raise WrongUsage(
            "a file goes with 'set', and only with it", advice="Write: profile CONTROLLER set FILE"
        )
    if action is None:
        _show_profile(controller, as_json=as_json)
    elif action in MOVES:
        _ask(controller, "POST", "profile", {"move": action}, as_json=as_json)
    elif action == "clear":
        _ask(controller, "PUT", "profile", [], as_json=as_json)
    elif file is not None:
        _ask(controller, "PUT", "profile", _steps(file), as_json=as_json)
    else:
        raise WrongUsage(
            f"a profile knows no {action!r}", advice=f"Use one of: {', '.join(MOVES)}, set FILE, clear."
        )


def acknowledge(
    controller: ControllerArgument,
    alarm: Annotated[
        str, typer.Argument(metavar="ALARM", help="As 'controllers' names it, such as swapped_plugs.")
    ],
    as_json: JsonOption = False,
) -> None:
    """Say that you have seen a controller's alarm. After swapped_plugs the plugs may be used again."""
    _ask(controller, "POST", "acknowledge", {"alarm": alarm}, as_json=as_json)


def give_back(
    controller: ControllerArgument,
    role: Annotated[str, typer.Argument(metavar="ROLE", help="heater or cooler.")],
    as_json: JsonOption = False,
) -> None:
    """Give a plug back to the controller that owns it; see 'set --take-over'."""
    if role not in ROLES:
        raise WrongUsage(f"a controller has no {role!r}", advice=f"Use one of: {', '.join(ROLES)}.")
    _ask(controller, "POST", "give-back", {"role": role}, as_json=as_json)


def one_of(records: list[Record], controller: str) -> Record:
    """The controller of this id; raises `UnknownTarget` naming the known ones."""
    for each in records:
        if each.get("id") == controller:
            return each
    known = ", ".join(sorted(str(each.get("id")) for each in records)) or "none"
    raise UnknownTarget(
        f"there is no controller {words.clean(controller)!r}", advice=f"Known controllers: {known}."
    )


def _ask(controller: str, method: str, what: str, body: object, *, as_json: bool) -> None:
    from holdfast.cli.client import hub_meant

    hub = hub_meant()
    record = hub.ask_controller(controller, method, what, body)
    if as_json:
        say.as_json(record)
    else:
        _show(record, hub.temperature_unit())


def _show(record: Record, unit: str) -> None:
    from holdfast.cli import tables

    paper = say.console()
    paper.print(tables.controller_headline(record, unit))
    for line in controller_words.details(record, unit):
        paper.print(tables.text(f"  {line}"))


def _show_profile(controller: str, *, as_json: bool) -> None:
    from holdfast.cli.client import hub_meant

    found = hub_meant().controller(controller).get("profile")
    if as_json:
        say.as_json(found)
    else:
        say.line("there is no profile" if found is None else controller_words.profile(found))


def _steps(file: Path) -> list[Any]:
    import sys

    from holdfast.hub.site import load_yaml, parse_yaml

    read = parse_yaml(sys.stdin.read(), "standard input") if str(file) == "-" else load_yaml(file)
    if not isinstance(read.value, list):
        raise WrongUsage(
            f"{read.source} holds no list of steps",
            advice="Write '- {low: 18, high: 20, hold_s: 86400}' lines.",
        )
    return read.value
