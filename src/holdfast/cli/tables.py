"""Records as tables and coloured lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from holdfast.cli import controller_words, words

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from holdfast.cli.records import Record

_AVAILABILITY = {"online": "green", "degraded": "yellow", "offline": "bold red", "unknown": "dim"}
_STATE = {"heating": "bold green", "cooling": "bold green", "idle": "green", "off": "dim"}
_CALM = (
    "waiting to heat",
    "waiting to cool",
    "heating minimum time",
    "cooling minimum time",
    "not decided yet",
)
_QUALITY = {"good": "green", "late": "yellow", "stale": "red", "unknown": "dim"}
_RECEIPT = {"verified": "bold green", "accepted": "cyan", "sent": "cyan", "superseded": "yellow"}
_LINK = {"live": "green", "blocked": "bold red", "waiting": "yellow"}

LINK_WIDTH = 24
"""Columns of an endpoint at least, so that the numbers beside it cannot grind it to pieces: an IPv4 address fits."""

CLOSE = (0, 1, 0, 0)
"""Padding of a table of many columns: with more a terminal of 80 would break them."""


def sheet(*columns: str, right: Sequence[str] = ()) -> Table:
    """An empty table; the columns named in ``right`` hold numbers."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for name in columns:
        table.add_column(name, justify="right" if name in right else "left", overflow="fold")
    return table


def text(content: object, style: str = "") -> Text:
    """A cell or line from anywhere, taken literally."""
    return Text(words.clean(content), style=style)


def availability(record: Record) -> Text:
    """A device's availability, in its colour."""
    word = words.clean(record.get("availability"))
    return Text(word, style=_AVAILABILITY.get(word, ""))


def devices(records: Iterable[Record]) -> Table:
    """One line a device."""
    table = sheet("device", "name", "driver", "availability", "through", "why")
    for column in table.columns[:5]:
        column.no_wrap = True  # a long reason may break its lines; what the others say stays in one piece
    for each in records:
        table.add_row(
            text(each.get("id")),
            text(each.get("name") or ""),
            text(each.get("driver") or ""),
            availability(each),
            text(each.get("active_adapter") or ""),
            text("; ".join(filter(None, (words.reason(each.get("reason")), words.redundancy(each))))),
        )
    return table


def controllers(records: Iterable[Record], unit: str) -> Table:
    """One line a controller."""
    table = sheet("controller", "state", "temperature", "limits", "heater", "cooler")
    table.padding = CLOSE
    for column in table.columns[:4]:
        column.no_wrap = True
    for each in records:
        table.add_row(
            text(each.get("id")),
            controller_state(each),
            text(controller_words.shown(each, unit)),
            text(controller_words.limits(each, unit)),
            text(controller_words.plug(each.get("heater"))),
            text(controller_words.plug(each.get("cooler"))),
        )
    return table


def controller_state(record: Record) -> Text:
    """What a controller does, in its colour."""
    word = controller_words.state(record)
    return Text(word, style=_STATE.get(word, "" if word in _CALM else "bold red"))


def controller_headline(record: Record, unit: str) -> Text:
    """A controller in one line: its name, what it does, and why."""
    line = Text()
    name, ident = words.clean(record.get("name") or record.get("id")), words.clean(record.get("id"))
    line.append(name if name == ident else f"{name} ({ident})", style="bold")
    line.append(": ")
    line.append_text(controller_state(record))
    line.append(
        f", temperature {controller_words.shown(record, unit)}, limits {controller_words.limits(record, unit)}"
    )
    if record.get("reason"):
        line.append(f": {words.clean(record['reason'])}")
    return line


def controller_lines(record: Record) -> list[Text]:
    """What a person should know of it besides, a line each: its plugs, its profile, alarms and remarks."""
    lines = [
        text(f"  {role} {record[role].get('target')}: {controller_words.plug(record[role])}")
        for role in controller_words.ROLES
        if record.get(role) is not None
    ]
    if record.get("profile") is not None:
        lines.append(text(f"  {controller_words.profile(record['profile'])}"))
    return lines + [text(f"  {each}", "yellow") for each in controller_words.remarks(record)]


def headline(device: Record) -> Text:
    """A device in one line: its name, whether it is there, through what if it has a choice, and why not."""
    line = Text()
    name = words.clean(device.get("name") or device.get("id"))
    ident = words.clean(device.get("id"))
    line.append(name if name == ident else f"{name} ({ident})", style="bold")
    line.append(": ")
    line.append_text(availability(device))
    if len(device.get("adapters") or ()) > 1 and device.get("active_adapter"):
        line.append(f" through {words.clean(device['active_adapter'])}")
    why = device.get("reason") or {}
    if words.reason(why):
        since = f" since {words.duration(_age_s(why.get('since')))}" if why.get("since") else ""
        line.append(f"{since}: {words.reason(why)}")
    return line


def remarks(device: Record, alarms: Iterable[Record]) -> list[Text]:
    """What a person should know of a device besides, a line each: its alarms, its reserves, members not configured."""
    lines = [
        text(
            f"  alarm for {words.duration(_age_s(each.get('since')))}: {words.clean(each.get('text'))}",
            "bold red",
        )
        for each in alarms
        if str(each.get("target")).partition("/")[0] == device.get("id")
    ]
    if reserves := words.redundancy(device):
        lines.append(text(f"  {reserves}", "yellow"))
    lines += [
        text(f"  {found} on {words.clean(each.get('id'))}", "yellow")
        for each in device.get("adapters") or ()
        if (found := words.found(each))
    ]
    return lines


def _age_s(since: object) -> float | None:
    from datetime import UTC, datetime

    at = words.moment(since)
    return (datetime.now(UTC) - at).total_seconds() if at else None


def readings(records: Iterable[Record]) -> Table:
    """One line a reading; a value that is not current is never alone."""
    table = sheet("target", "value", "quality", "age", right=("age",))
    for each in records:
        quality = words.clean(each.get("quality"))
        is_current = quality in ("good", "late")
        table.add_row(
            text(each.get("target")),
            text(words.reading(each), _emphasis(each) if is_current else "dim"),
            Text(quality, style=_QUALITY.get(quality, "")),
            words.duration(each.get("age_s")),
        )
    return table


def _emphasis(reading: Record) -> str:
    """What is on or moving stands out."""
    return "" if reading.get("value") in (False, 0, None, "stopped") else "bold"


def receipt(record: Record) -> Text:
    """A receipt as a line, its state in colour."""
    line = text(words.receipt(record))
    state = str(record.get("state"))
    line.stylize(_RECEIPT.get(state, "bold red"), 0, len(state))
    return line


def links(records: Iterable[Record]) -> Table:
    """How each link is and was, a line a link."""
    numbers = ("up for", "outages", "last hour", "rejects")
    table = sheet("link", "devices", "state", *numbers, right=numbers)
    table.columns[0].min_width = LINK_WIDTH
    table.padding = CLOSE
    for each in records:
        state = words.clean(each.get("state"))
        table.add_row(
            text(each.get("endpoint")),
            text(", ".join(map(str, each.get("devices") or ()))),
            Text(state, style=_LINK.get(state, "")),
            words.duration(each.get("up_since_s")),
            str(each.get("outage_count", 0)),
            str(each.get("reconnects_last_hour", 0)),
            str(sum((each.get("rejects") or {}).values())),
        )
    return table


def promptness(records: Iterable[Record]) -> Table:
    """What came over each link and how promptly, a line a link."""
    numbers = ("answers", "unanswered", "late p99", "command p50", "p99")
    table = sheet("link", *numbers, right=numbers)
    table.columns[0].min_width = LINK_WIDTH
    table.padding = CLOSE
    for each in records:
        lateness: dict[str, Any] = each.get("poll_lateness") or {}
        latency: dict[str, Any] = each.get("command_latency") or {}
        table.add_row(
            text(each.get("endpoint")),
            str(each.get("answers", 0)),
            f"{100 * float(each.get('unanswered_share') or 0):.1f} %",
            words.duration(lateness.get("p99_s")),
            words.duration(latency.get("p50_s")),
            words.duration(latency.get("p99_s")),
        )
    return table


def traffic(link: Record) -> list[Text]:
    """What the table has no room for, a line each: members that are not configured, the driver's own counts."""
    facts = filter(None, (words.found(link), words.counts(link)))
    return [text(f"  {each}", "dim") for each in facts]


def outages(link: Record) -> list[Text]:
    """The latest outages of a link in words, newest last."""
    lines = []
    for each in (link.get("outages") or [])[-3:]:
        recover_s = each.get("recover_s")
        ended = "not over yet" if recover_s is None else f"back after {words.duration(recover_s)}"
        lines.append(
            text(
                f"  {words.duration(each.get('ago_s'))} ago: {each.get('text')} "
                f"(noticed after {words.duration(each.get('detect_s'))}, {ended})",
                "dim",
            )
        )
    return lines
