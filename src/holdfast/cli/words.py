"""Values, ages and reasons as people read them."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from holdfast.cli.records import Record

NOTHING = "–"

_UNITS = ((86400.0, "d"), (3600.0, "h"), (60.0, "min"))
_TENTHS_BELOW_S = 10.0
_HUNDREDTHS_BELOW_S = 0.1


def clean(text: object) -> str:
    """Text from elsewhere, without anything that could drive a terminal."""
    return "".join(each if each.isprintable() else " " for each in str(text))


def value(shown: object, unit: str = "") -> str:
    """A value with its unit: ``on``, ``40 %``, ``opening``."""
    if shown is None:
        return NOTHING
    if isinstance(shown, bool):
        return "on" if shown else "off"
    if isinstance(shown, list | tuple):
        return ", ".join(clean(each) for each in shown) or "none"
    text = f"{shown:.6g}" if isinstance(shown, float) else clean(shown)
    return f"{text} {clean(unit)}" if unit else text


def duration(seconds: float | None) -> str:
    """A duration in its two largest units: ``8 ms``, ``0.4 s``, ``3 min``, ``2 h 5 min``."""
    if seconds is None or not math.isfinite(seconds):
        return NOTHING
    seconds = max(0.0, seconds)
    if seconds < _HUNDREDTHS_BELOW_S:
        return f"{seconds * 1000:.0f} ms"
    if seconds < _TENTHS_BELOW_S:
        return f"{seconds:.1f} s"
    if seconds < _UNITS[-1][0]:
        return f"{seconds:.0f} s"
    for index, (size, name) in enumerate(_UNITS):
        if seconds >= size:
            whole, rest = divmod(seconds, size)
            if index + 1 < len(_UNITS) and (smaller := int(rest // _UNITS[index + 1][0])):
                return f"{whole:.0f} {name} {smaller} {_UNITS[index + 1][1]}"
            return f"{whole:.0f} {name}"
    raise AssertionError(seconds)


def moment(text: object) -> datetime | None:
    """An ISO 8601 time of the API."""
    try:
        return datetime.fromisoformat(str(text)).astimezone(UTC)
    except ValueError:
        return None


def ago(text: object, now: datetime | None = None) -> str:
    """How long ago a time of the API was: ``3 min ago``."""
    at = moment(text)
    if at is None:
        return NOTHING
    passed_s = ((now or datetime.now(UTC)) - at).total_seconds()
    return f"{duration(passed_s)} ago" if passed_s >= 0 else f"in {duration(-passed_s)}"


def clock_time(text: object) -> str:
    """A time of the API on the reader's own clock: ``13:20:05``."""
    at = moment(text)
    return at.astimezone().strftime("%H:%M:%S") if at is not None else NOTHING


def utc_now() -> str:
    """This moment as ISO 8601 in UTC."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def reading(record: Record) -> str:
    """What may be said of a reading in one phrase. A value that is not current is never said without its age."""
    unit = str(record.get("unit") or "")
    quality = record.get("quality")
    if quality in ("good", "late"):
        text = value(record.get("value"), unit)
        doubts = ["suspect"] if record.get("suspect") else []
        if members := _listed(record.get("missing")):
            doubts.append(f"without {members}")
        return f"{text} ({', '.join(doubts)})" if doubts else text
    facts = [missing] if (missing := _missing(record)) else []
    last = record.get("last_known")
    if last is not None:
        facts.append(f"last known {value(last, unit)}, {duration(record.get('age_s'))} ago")
    return f"{clean(quality)}: {'; '.join(facts)}" if facts else clean(quality)


def _missing(record: Record) -> str:
    """The members that a value of several lacks: ``1 is missing``."""
    members = _listed(record.get("missing"))
    return f"{members} {'is' if len(record['missing']) == 1 else 'are'} missing" if members else ""


def _listed(things: object) -> str:
    return ", ".join(clean(each) for each in things) if isinstance(things, list | tuple) else ""


def reason(record: Record | None) -> str:
    """Why something is as it is, and what to do: one or two sentences; empty when all is well."""
    if not record or record.get("code") == "ok":
        return ""
    text = clean(record.get("text") or record.get("code") or "")
    parts = [text]
    if record.get("next_try_at"):
        at = moment(record["next_try_at"])
        wait_s = (at - datetime.now(UTC)).total_seconds() if at else 0.0
        parts.append(f"next try {'in ' + duration(wait_s) if wait_s > 0 else 'now'}")
    joined = "; ".join(part for part in parts if part)
    advice = clean(record.get("advice") or "")
    return f"{joined}. {advice}" if advice else joined


def redundancy(device: Record) -> str:
    """What is wrong with a device's reserves; empty when nothing is, or it has none."""
    record = device.get("redundancy") or {}
    if record.get("state") != "reduced":
        return ""
    return f"redundancy reduced: {clean(record.get('text') or '')}"


def found(record: Record) -> str:
    """The members that were heard on the path of an adapter or link and are not configured there; empty if none."""
    members = [
        f"{clean(each.get('member'))} (messages: {each.get('messages')}, the last {duration(each.get('ago_s'))} ago)"
        for each in record.get("found") or ()
    ]
    return f"heard and not configured: {', '.join(members)}" if members else ""


def counts(record: Record) -> str:
    """A driver's own counts of a path's traffic, those that are not zero: ``polls 93, frames live 11``."""
    shown: list[str] = []
    for name, count in (record.get("counters") or {}).items():
        word = clean(name).replace("_", " ")
        if isinstance(count, dict):
            shown += [f"{word} {clean(kind)} {each}" for kind, each in count.items() if each]
        elif count:
            shown.append(f"{word} {value(count)}")
    return ", ".join(shown)


def activation(device: Record, adapter: str, *, is_pinned: bool) -> str:
    """What came of choosing an adapter, in one line."""
    ident, wanted, active = clean(device.get("id")), clean(adapter), clean(device.get("active_adapter"))
    if active == wanted:
        return f"{ident}: {wanted} serves" + (", pinned" if is_pinned else "")
    return f"{ident}: {wanted} serves as soon as it delivers{', pinned' if is_pinned else ''}; until then {active} does"


def decision(record: Record) -> str:
    """A decision between adapters from the journal: what, and where something moved, from what state of things."""
    text, facts = clean(record.get("text")), []
    data = record.get("data") or {}
    if data.get("decision") == "moved":
        if data.get("data_age_s") is not None:
            facts.append(f"its newest data {duration(data['data_age_s'])} old")
        if attempts := int(data.get("attempts") or 0):
            facts.append(f"{attempts} {'try' if attempts == 1 else 'tries'} in vain")
    return f"{text} ({clean(data.get('before'))}: {', '.join(facts)})" if facts else text


def receipt(record: Record) -> str:
    """What became of a command, in one line."""
    wanted = value(record.get("value"))
    text = f"{clean(record.get('state'))}: {clean(record.get('target'))} {wanted}"
    took_s = took(record)
    facts = []
    if took_s is not None:
        facts.append(f"after {duration(took_s)}")
    attempts = int(record.get("attempts") or 0)
    if attempts > 1:
        facts.append(f"{attempts} attempts")
    if facts:
        text += f" ({', '.join(facts)})"
    if record.get("reason"):
        text += f": {clean(record['reason'])}"
    if record.get("may_have_executed") and record.get("ended_at"):
        text += "; the device may have done it all the same"
    return text


def took(record: Record) -> float | None:
    """Seconds from a command to its end, ``None`` while it is open."""
    known = record.get("ended_after_s")
    if isinstance(known, int | float):
        return float(known)
    begun, ended = moment(record.get("created_at")), moment(record.get("ended_at"))
    return (ended - begun).total_seconds() if begun and ended else None
