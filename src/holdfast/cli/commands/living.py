"""Commands that show and change the site: apply, export, device, adapter, output and controller."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from holdfast.cli import say, words
from holdfast.cli.commands.options import (
    AdapterArgument,
    ControllerArgument,
    DataOption,
    DeviceArgument,
    DryRunOption,
    JsonOption,
)
from holdfast.cli.exits import WrongUsage

if TYPE_CHECKING:
    from holdfast.cli.records import Record
    from holdfast.cli.site_edits import SiteEdit
    from holdfast.hub.site.yaml import YamlFile

STDIN = "-"

device = typer.Typer(help="Add, change or remove a device of the site.", no_args_is_help=True)
adapter = typer.Typer(help="Add, change, order, enable or remove a device's adapters.", no_args_is_help=True)
controller = typer.Typer(help="Add, change or remove a controller of the site.", no_args_is_help=True)
output = typer.Typer(help="Add, change or remove a device's named outputs.", no_args_is_help=True)

FileArgument = Annotated[
    Path, typer.Argument(metavar="FILE", help="YAML or JSON, as in a site file; - is standard input.")
]
KeyArgument = Annotated[str, typer.Argument(metavar="KEY", help="The output's name.")]


def apply(
    site: Annotated[Path, typer.Argument(metavar="FILE", help="The site file (YAML).")],
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """Make a site file the site: in one piece or not at all. Through the hub that runs, else in the store.

    Only what changed reconnects. With --dry-run it only says what would change.
    """
    from holdfast.cli import site_edits
    from holdfast.cli.site_place import site_meant
    from holdfast.cli.site_problems import located
    from holdfast.hub.site import SiteError, load_yaml
    from holdfast.hub.site.secret_paths import with_absolute_secrets

    file = load_yaml(site)
    mapping = _mapping(file)
    with site_meant(data) as place:
        if place.is_here:
            mapping = with_absolute_secrets(mapping, site.parent)
        try:
            record = place.change(site_edits.whole(mapping), dry_run=dry_run)
        except SiteError as error:
            raise located(error, file.locate, file.source) from None
        _show(record, place.where, as_json=as_json)


def export(
    to: Annotated[
        Path | None,
        typer.Option("--output", metavar="FILE", help="Write it there, instead of printing it."),
    ] = None,
    data: DataOption = None,
) -> None:
    """Print the site as a site file (YAML), from the hub that runs or from the store. Nothing of it is lost."""
    from holdfast.cli.site_place import site_meant
    from holdfast.cli.whole_file import write_whole
    from holdfast.hub.site.write import dump_site

    with site_meant(data) as place:
        found = place.site()
    text = dump_site(found["site"])
    if to is None:
        say.line(text.rstrip("\n"))
        return
    write_whole(to, text.encode())
    say.note(f"revision {found['revision']} is in {to}")


@device.command("put")
def device_put(
    file: FileArgument, dry_run: DryRunOption = False, as_json: JsonOption = False, data: DataOption = None
) -> None:
    """Add a device, or put it in the place of the one with its id. Only what changed reconnects."""
    from holdfast.cli import site_edits

    given = _read(file)
    made = _located({"devices": [given]}, file)["devices"][0]
    _change(site_edits.put_device(_with_id(made)), data, dry_run=dry_run, as_json=as_json)


@device.command("remove")
def device_remove(
    device: DeviceArgument,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """Remove a device. An actuator that is on is switched off first, however long that takes."""
    from holdfast.cli import site_edits

    _change(site_edits.remove_device(device), data, dry_run=dry_run, as_json=as_json)


@adapter.command("put")
def adapter_put(
    device: DeviceArgument,
    file: FileArgument,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """Add an adapter to a device, or put it in the place of the one with its id."""
    from holdfast.cli import site_edits

    made = _located({"devices": [{"adapters": [_read(file)]}]}, file)["devices"][0]["adapters"][0]
    _change(site_edits.put_adapter(device, _with_id(made)), data, dry_run=dry_run, as_json=as_json)


@adapter.command("remove")
def adapter_remove(
    device: DeviceArgument,
    adapter: AdapterArgument,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """Take an adapter from a device."""
    from holdfast.cli import site_edits

    _change(site_edits.remove_adapter(device, adapter), data, dry_run=dry_run, as_json=as_json)


@adapter.command("enable")
def adapter_enable(
    device: DeviceArgument,
    adapter: AdapterArgument,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """Let an adapter be used again."""
    from holdfast.cli import site_edits

    edit = site_edits.enable_adapter(device, adapter, is_enabled=True)
    _change(edit, data, dry_run=dry_run, as_json=as_json)


@adapter.command("disable")
def adapter_disable(
    device: DeviceArgument,
    adapter: AdapterArgument,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """Keep an adapter, but do not use it."""
    from holdfast.cli import site_edits

    edit = site_edits.enable_adapter(device, adapter, is_enabled=False)
    _change(edit, data, dry_run=dry_run, as_json=as_json)


@adapter.command("order")
def adapter_order(
    device: DeviceArgument,
    adapters: Annotated[list[str], typer.Argument(metavar="ADAPTER...", help="The preferred one first.")],
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """Say which adapters are preferred; those that are not named follow as they were."""
    from holdfast.cli import site_edits

    _change(site_edits.order_adapters(device, adapters), data, dry_run=dry_run, as_json=as_json)


@output.command("put")
def output_put(
    device: DeviceArgument,
    key: KeyArgument,
    file: FileArgument,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """Add a named output to a device, or change it."""
    from holdfast.cli import site_edits

    _change(site_edits.put_output(device, key, _read(file)), data, dry_run=dry_run, as_json=as_json)


@output.command("remove")
def output_remove(
    device: DeviceArgument,
    key: KeyArgument,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """Take a named output from a device."""
    from holdfast.cli import site_edits

    _change(site_edits.remove_output(device, key), data, dry_run=dry_run, as_json=as_json)


@controller.command("put")
def controller_put(
    file: FileArgument, dry_run: DryRunOption = False, as_json: JsonOption = False, data: DataOption = None
) -> None:
    """Add a controller, or put it in the place of the one with its id."""
    from holdfast.cli import site_edits

    _change(site_edits.put_controller(_with_id(_read(file))), data, dry_run=dry_run, as_json=as_json)


@controller.command("remove")
def controller_remove(
    controller: ControllerArgument,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """Remove a controller. A plug of it that is on is switched off first, however long that takes."""
    from holdfast.cli import site_edits

    _change(site_edits.remove_controller(controller), data, dry_run=dry_run, as_json=as_json)


# --- what they share -----------------------------------------------------------------------------------------------


def _change(edit: SiteEdit, data: Path | None, *, dry_run: bool, as_json: bool) -> None:
    from holdfast.cli.site_place import site_meant

    with site_meant(data) as place:
        _show(place.change(edit, dry_run=dry_run), place.where, as_json=as_json)


def _show(record: Record, where: str, *, as_json: bool) -> None:
    if as_json:
        say.as_json({**record, "where": where})
        return
    for line in record["lines"]:
        say.line(words.clean(line))
    if not record["lines"]:
        say.line("nothing to change")
    elif record["is_done"]:
        say.line(f"done {where} (revision {record['revision']})")
    else:
        say.line(f"nothing was changed yet: this would be done {where}")


def _read(path: Path) -> dict[str, Any]:
    """A part of a site from a file or standard input."""
    from holdfast.hub.site import load_yaml, parse_yaml

    return _mapping(parse_yaml(sys.stdin.read(), "standard input") if str(path) == STDIN else load_yaml(path))


def _mapping(file: YamlFile) -> dict[str, Any]:
    if not isinstance(file.value, dict):
        raise WrongUsage(f"{file.source} holds no mapping", advice="Write 'key: value' lines.")
    return file.value


def _with_id(item: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(item.get("id"), str):
        raise WrongUsage("this has no id", advice="Give it one of its own, such as 'id: house'.")
    return item


def _located(site: dict[str, Any], file: Path) -> dict[str, Any]:
    """Secrets' files as this program sees them, whatever folder the hub works in."""
    from holdfast.cli.client import hub_meant
    from holdfast.hub.site.secret_paths import with_absolute_secrets

    if not hub_meant().is_here:
        return site
    return with_absolute_secrets(site, Path() if str(file) == STDIN else file.parent)
