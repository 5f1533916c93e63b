"""Commands that act: set, retry, activate, and the friendly names of an earlier program."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from holdfast.cli import names, say, words
from holdfast.cli.commands.look import connect
from holdfast.cli.commands.options import (
    AdapterArgument,
    DeviceArgument,
    JsonOption,
    NameArgument,
    SiteOption,
    TimeoutOption,
    WaitOption,
)
from holdfast.cli.exits import Exit, HubRefused, WrongUsage
from holdfast.cli.face import face_of
from holdfast.cli.take_over import OPTION
from holdfast.cli.values import read_value

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from holdfast.cli.face import SiteFace
    from holdfast.cli.records import Record

    Wanted = Callable[[SiteFace, str], object]


def set_(
    target: NameArgument,
    value: Annotated[str, typer.Argument(metavar="VALUE", help="true, false, a number, open, close, stop …")],
    timeout: TimeoutOption = None,
    wait: WaitOption = True,
    as_json: JsonOption = False,
    site: SiteOption = None,
    take_over: Annotated[
        float | None,
        typer.Option(
            OPTION,
            metavar="[S]",
            help="Take a plug over from its controller, for so many seconds; 3600 where none are given.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Set a target and wait for the receipt: exits with 0 only if the device itself has confirmed it."""
    wanted = read_value(value)
    give(
        target,
        lambda face, target: wanted,
        timeout_s=timeout,
        wait=wait,
        as_json=as_json,
        site=site,
        take_over_s=take_over,
    )


def on(name: NameArgument, timeout: TimeoutOption = None, site: SiteOption = None) -> None:
    """Switch on; a dimmer goes back to its last level."""
    give(name, lambda face, target: True, timeout_s=timeout, site=site)


def off(name: NameArgument, timeout: TimeoutOption = None, site: SiteOption = None) -> None:
    """Switch off."""
    give(name, lambda face, target: False, timeout_s=timeout, site=site)


def toggle(name: NameArgument, timeout: TimeoutOption = None, site: SiteOption = None) -> None:
    """Switch over. Refuses where nobody knows whether it is on or off now."""
    give(name, opposite, timeout_s=timeout, site=site)


def dim(
    name: NameArgument,
    level: Annotated[int, typer.Argument(metavar="LEVEL", min=0, max=100, help="Per cent.")],
    timeout: TimeoutOption = None,
    site: SiteOption = None,
) -> None:
    """Set a dimmer to a level from 0 to 100."""
    give(name, lambda face, target: level, timeout_s=timeout, site=site)


def open_(name: NameArgument, timeout: TimeoutOption = None, site: SiteOption = None) -> None:
    """Open a cover."""
    give(name, lambda face, target: "open", timeout_s=timeout, site=site)


def close(name: NameArgument, timeout: TimeoutOption = None, site: SiteOption = None) -> None:
    """Close a cover."""
    give(name, lambda face, target: "close", timeout_s=timeout, site=site)


def stop(name: NameArgument, timeout: TimeoutOption = None, site: SiteOption = None) -> None:
    """Stop a cover."""
    give(name, lambda face, target: "stop", timeout_s=timeout, site=site)


def retry(device: DeviceArgument) -> None:
    """Try to reach a device now instead of waiting for the next try."""
    from holdfast.cli.client import hub_meant

    hub_meant().retry(device)
    say.line(f"{words.clean(device)}: trying now")


def abandon(device: DeviceArgument) -> None:
    """Give up a device that left the site while it was on and stays, as ID-old-N, only to be switched off."""
    from holdfast.cli.client import hub_meant

    hub_meant().abandon(device)
    say.line(f"{words.clean(device)}: given up")


def activate(
    device: DeviceArgument,
    adapter: AdapterArgument,
    pin: Annotated[
        bool, typer.Option("--pin", help="Prefer it from now on, until another choice or the hub's end.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Choose the adapter that serves a device: as soon as it delivers. Without --pin a pin is cleared."""
    from holdfast.cli.client import hub_meant

    record = hub_meant().activate(device, adapter, is_pinned=pin)
    if as_json:
        say.as_json(record)
    else:
        say.line(words.activation(record, adapter, is_pinned=pin))


def log(
    level: Annotated[str, typer.Argument(metavar="LEVEL", help="debug, info, warning or error.")],
    device: Annotated[
        str | None, typer.Argument(metavar="[DEVICE]", help="Only this device's links.", show_default=False)
    ] = None,
) -> None:
    """Switch how much a running hub tells in its log; debug shows frames by their beginnings."""
    from holdfast.cli.client import hub_meant
    from holdfast.cli.log_output import LEVELS

    if level not in LEVELS:
        raise WrongUsage(f"{level!r} is no log level", advice=f"Use one of {', '.join(LEVELS)}.")
    hub_meant().log(level, device)
    say.line(f"{words.clean(device) if device else 'the hub'}: {level}")


# --- giving a command -----------------------------------------------------------------------------------------


def give(
    name: str,
    wanted: Wanted,
    *,
    timeout_s: float | None = None,
    wait: bool = True,
    as_json: bool = False,
    site: Path | None = None,
    take_over_s: float | None = None,
) -> None:
    """Find the target, give the command, print the receipt, exit with what it says."""
    with face_of(site, device_of=name) as face:
        target = target_meant(face, name)
        if site is not None:
            connect(face)
        value = wanted(face, target)
        expect_guard(face, target, value)
        try:
            receipt = face.command(target, value, timeout_s=timeout_s, wait=wait, take_over_s=take_over_s)
        except KeyboardInterrupt:
            if not face.is_own:
                say.note(
                    "no longer waiting; the hub goes on until the command has ended, see 'holdfast events'"
                )
            raise
    show_receipt(receipt, as_json=as_json)
    is_fine = receipt.get("state") == "verified" or (
        not wait and receipt.get("state") in ("accepted", "sent")
    )
    if wait and receipt.get("state") in ("accepted", "sent"):
        say.note("the hub stopped before the command had ended")
    if not is_fine:
        raise typer.Exit(Exit.FAILED)


def target_meant(face: SiteFace, name: str) -> str:
    """The target that a name means; raises `UnknownTarget` listing what there is."""
    return names.find(name, names.of_devices([*face.devices(), *face.controllers()]))


def expect_guard(face: SiteFace, target: str, value: object) -> None:
    """Raise `WrongUsage` for an ON that nobody would check against the plug's rest and the other plug."""
    owner = face.owner_of(target)
    if owner and value is True:
        raise WrongUsage(
            f"{target} belongs to {owner}, which does not run here: nobody would see to its rests and the other plug",
            advice="Start the hub, and take it over there with --take-over.",
        )


def opposite(face: SiteFace, target: str) -> object:
    """What switches a target over, from a value that is current; raises `HubRefused` where there is none."""
    [record] = [each for each in face.readings() if each["target"] == target]
    now = record.get("value")
    if isinstance(now, bool):
        return not now
    if isinstance(now, int | float):
        return now == 0
    if now is None:
        raise HubRefused(
            f"{target} cannot be switched over: nobody knows what it is now ({words.reading(record)})",
            advice="Say 'on' or 'off' instead.",
        )
    raise HubRefused(f"{target} is {words.value(now)}, which has no opposite", advice="Use 'set'.")


def show_receipt(receipt: Record, *, as_json: bool) -> None:
    """A receipt for a person or a program."""
    if as_json:
        say.as_json(receipt)
    elif say.is_terminal():
        from holdfast.cli import tables

        say.console().print(tables.receipt(receipt))
    else:
        say.line(words.receipt(receipt))
