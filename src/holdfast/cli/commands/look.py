"""Commands that look: devices, status, links, events."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Annotated

import typer

from holdfast.cli import say, words
from holdfast.cli.commands.options import JsonOption, OneDeviceArgument, SiteOption
from holdfast.cli.completion import complete_device
from holdfast.cli.exits import Exit
from holdfast.cli.face import face_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdfast.cli.face import Face
    from holdfast.cli.records import Record

MOST_EVENTS = 4096
"""More than a hub keeps."""
SETTLE_S = 6.0
"""How long a look without a hub waits for devices: a dial (3 s), a login (1 s), first data (1.4 s)."""


def devices(as_json: JsonOption = False) -> None:
    """List the devices, whether they are there, and why not."""
    from holdfast.cli.client import hub_meant

    records = hub_meant().devices()
    if as_json:
        say.as_json(records)
        return
    from holdfast.cli import tables

    say.console().print(tables.devices(records))


def status(device: OneDeviceArgument = None, as_json: JsonOption = False, site: SiteOption = None) -> None:
    """Show every reading with its quality and age. With --site, exits with 1 if a device could not be reached."""
    with face_of(site, device_of=device or "") as face:
        if site is not None:
            connect(face)
        controllers = [each for each in face.controllers() if device in (None, "", each["id"])]
        unit = face.temperature_unit() if controllers and not as_json else ""
        records = devices_meant(face, device, controllers)
        read = face.readings(device)
        alarms = face.alarms()
    if as_json:
        say.as_json(
            {
                "timestamp": words.utc_now(),
                "source": face.where,
                "devices": [
                    {**each, "alarms": _of(each, alarms), "readings": _of(each, read)} for each in records
                ],
                "controllers": [{**each, "readings": _of(each, read)} for each in controllers],
            }
        )
    else:
        _show(records, read, alarms)
        _show_controllers(controllers, read, unit)
        say.line(_current(read))
    if site is not None and any(each.get("availability") in ("offline", "unknown") for each in records):
        raise typer.Exit(Exit.FAILED)


def devices_meant(face: Face, ident: str | None, controllers: list[Record]) -> list[Record]:
    """The one that is named, none where a controller is named, or all; raises `UnknownTarget`."""
    if not ident:
        return face.devices()
    return [] if any(each["id"] == ident for each in controllers) else [face.device(ident)]


def _of(device: Record, records: list[Record]) -> list[Record]:
    return [each for each in records if str(each["target"]).partition("/")[0] == device["id"]]


def _show(devices: list[Record], readings: list[Record], alarms: list[Record]) -> None:
    from holdfast.cli import tables

    paper = say.console()
    for device in devices:
        paper.print(tables.headline(device))
        for line in tables.remarks(device, alarms):
            paper.print(line)
        own = _of(device, readings)
        if own:
            paper.print(tables.readings(own))


def _show_controllers(controllers: list[Record], readings: list[Record], unit: str) -> None:
    from holdfast.cli import tables

    paper = say.console()
    for each in controllers:
        paper.print(tables.controller_headline(each, unit))
        for line in tables.controller_lines(each):
            paper.print(line)


def _current(readings: list[Record]) -> str:
    counted = sum(each.get("quality") in ("good", "late") for each in readings)
    return f"{counted} of {len(readings)} values are current"


def connect(face: Face, limit_s: float = SETTLE_S) -> None:
    """Wait for the first word of devices that were not connected before this command, and say so on a terminal."""
    import sys

    if not sys.stderr.isatty():
        face.settle(limit_s)
        return
    with say.console(stderr=True).status("connecting …"):
        face.settle(limit_s)


def links(as_json: JsonOption = False) -> None:
    """Show the link report: uptime, outages, lateness, command latency."""
    from holdfast.cli.client import hub_meant

    records = hub_meant().links()
    if as_json:
        say.as_json(records)
        return
    from holdfast.cli import tables

    paper = say.console()
    paper.print(tables.links(records))
    paper.print(tables.promptness(records))
    for each in records:
        for title, lines in (("traffic", tables.traffic(each)), ("latest outages", tables.outages(each))):
            if lines:
                paper.print(tables.text(f"{each.get('endpoint')}: {title}"))
            for line in lines:
                paper.print(line)


def events(
    as_json: JsonOption = False,
    last: Annotated[
        int, typer.Option("--last", metavar="N", min=1, max=MOST_EVENTS, help="How many, the newest last.")
    ] = 50,
    kind: Annotated[
        str | None,
        typer.Option(
            "--kind",
            metavar="KIND",
            help="Only availability, command, alarm or event, or one kind of event such as failover or error.",
            show_default=False,
        ),
    ] = None,
    device: Annotated[
        str | None,
        typer.Option(
            "--device",
            metavar="DEVICE",
            help="Only those of this device.",
            show_default=False,
            autocompletion=complete_device,
        ),
    ] = None,
) -> None:
    """Tell what happened lately: availability, receipts, alarms, decisions."""
    from holdfast.cli.client import hub_meant

    records = hub_meant().events(last, kind, device)
    if as_json:
        say.as_json(records)
        return
    for at, line, times in together(records):
        say.line(f"{words.clock_time(at)}  {line}" + (f" ({times} times)" if times > 1 else ""))


def together(records: list[Record]) -> Iterator[tuple[object, str, int]]:
    """Entries of the journal in words, with those that repeat the one before counted: when first, what, how often."""
    for line, group in itertools.groupby(records, event_line):
        first, *more = group
        yield first.get("at"), line, 1 + len(more)


def event_line(record: Record) -> str:
    """One entry of the journal in words."""
    kind, device = words.clean(record.get("kind")), words.clean(record.get("device") or "")
    head = f"{kind:<12} {device}: " if device else f"{kind:<12} "
    return head + (words.decision(record) if kind == "failover" else words.clean(record.get("text")))
