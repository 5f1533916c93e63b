"""Records as tables and coloured lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from holdfast.cli import words

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from holdfast.cli.records import Record

_AVAILABILITY = {"online": "green", "degraded": "yellow", "offline": "bold red", "unknown": "dim"}
_QUALITY = {"good": "green", "late": "yellow", "stale": "red", "unknown": "dim"}
_RECEIPT = {"verified": "bold green", "accepted": "cyan", "sent": "cyan", "superseded": "yellow"}
_LINK = {"live": "green", "blocked": "bold red", "waiting": "yellow"}


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
            text(words.reason(each.get("reason"))),
        )
    return table


def headline(device: Record) -> Text:
    """A device in one line: its name, whether it is there, and why not."""
    line = Text()
    name = words.clean(device.get("name") or device.get("id"))
    ident = words.clean(device.get("id"))
    line.append(name if name == ident else f"{name} ({ident})", style="bold")
    line.append(": ")
    line.append_text(availability(device))
    why = device.get("reason") or {}
    if words.reason(why):
        since = f" since {words.duration(_age_s(why.get('since')))}" if why.get("since") else ""
        line.append(f"{since}: {words.reason(why)}")
    return line


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
    """The link report, a line a link."""
    table = sheet(
        "link", "devices", "state", "up for", "outages", "last hour", "answers", "unanswered", "late p99",
        "command p50", "p99", "rejects",
        right=("up for", "outages", "last hour", "answers", "unanswered", "late p99", "command p50", "p99", "rejects"),
    )  # fmt: skip
    for each in records:
        state = words.clean(each.get("state"))
        lateness: dict[str, Any] = each.get("poll_lateness") or {}
        latency: dict[str, Any] = each.get("command_latency") or {}
        table.add_row(
            text(each.get("endpoint")),
            text(", ".join(map(str, each.get("devices") or ()))),
            Text(state, style=_LINK.get(state, "")),
            words.duration(each.get("up_since_s")),
            str(each.get("outage_count", 0)),
            str(each.get("reconnects_last_hour", 0)),
            str(each.get("answers", 0)),
            f"{100 * float(each.get('unanswered_share') or 0):.1f} %",
            words.duration(lateness.get("p99_s")),
            words.duration(latency.get("p50_s")),
            words.duration(latency.get("p99_s")),
            str(sum((each.get("rejects") or {}).values())),
        )
    return table


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
