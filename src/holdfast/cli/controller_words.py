"""Controllers as people read them. A plug is never said to be on unless it has said so itself, of late."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from holdfast.cli.units import temperature
from holdfast.cli.words import NOTHING, ago, clean, duration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdfast.cli.records import Record

ROLES: Final = ("heater", "cooler")


def state(record: Record) -> str:
    """What it does, in one or two words."""
    return clean(record.get("state") or "not decided yet")


def shown(record: Record, unit: str) -> str:
    """Its temperature; one that may not be acted upon is never said without its age."""
    reading = record.get("temperature") or {}
    value, last = reading.get("value"), reading.get("last_known")
    if isinstance(value, int | float):
        return temperature(value, unit)
    quality = clean(reading.get("quality") or "unknown")
    if not isinstance(last, int | float):
        return quality
    return f"{quality}: last known {temperature(last, unit)}, {duration(reading.get('age_s'))} ago"


def limits(record: Record, unit: str) -> str:
    """The limits in force."""
    found = record.get("limits") or {}
    heating, cooling = found.get("heating"), found.get("cooling")
    if heating is None or cooling is None:
        return "unusable"
    text = _band(heating, unit)
    return f"{text}, cooling {_band(cooling, unit)}" if found.get("is_separate") else text


def plug(found: Record | None) -> str:
    """What a plug does by its own word, and what stands between that and what is wanted of it."""
    if found is None:
        return NOTHING
    facts = [_proved(found)]
    if found.get("taken_over_s") is not None:
        facts.append(f"taken over for {duration(found['taken_over_s'])} yet")
    if found.get("error"):
        facts.append(clean(found["error"]))
    return "; ".join(facts)


def details(record: Record, unit: str) -> Iterator[str]:
    """All that is known of it, a line each."""
    yield f"temperature {shown(record, unit)}, from {clean(record.get('sensor') or 'no sensor')}"
    yield f"limits {limits(record, unit)}, entered as {_entered(record.get('limits') or {})}"
    for role in ROLES:
        found = record.get(role)
        if found is not None:
            yield f"{role} {clean(found.get('target'))}: {plug(found)}"
            yield from (f"  {each}" for each in _of_plug(found))
    if record.get("profile") is not None:
        yield profile(record["profile"])
    yield from remarks(record)
    if record.get("look_s") is not None:
        yield f"looks again after {duration(record['look_s'])} at the latest"


def remarks(record: Record) -> Iterator[str]:
    """Its alarms, and what about its settings is strange."""
    for each in record.get("alarms") or ():
        seen = ", acknowledged" if each.get("is_acknowledged") else ""
        yield f"alarm {clean(each.get('kind'))}, raised {ago(each.get('since'))}{seen}: {clean(each.get('text'))}"
    for each in record.get("warnings") or ():
        yield f"note: {clean(each)}"


def profile(found: Record) -> str:
    """The place in a profile."""
    count = len(found.get("steps") or ())
    if found.get("has_ended"):
        return f"profile: all {count} steps are over"
    step = found["steps"][found["index"]]
    spent = f"step {found['index'] + 1} of {count}, {duration(found.get('spent_s'))} of it over"
    paused = ", paused" if found.get("is_paused") else ""
    return f"profile: {spent}{paused}: {_step(step)}"


def _band(band: Record, unit: str) -> str:
    low, high = (temperature(band[key], unit) for key in ("low", "high"))
    return f"{low.removesuffix(f' {unit}')} to {high}"


def _entered(found: Record) -> str:
    def band(entered: Record | None) -> str:
        return " to ".join(_entry((entered or {}).get(key)) for key in ("low", "high"))

    text = band(found.get("entered"))
    return f"{text}, cooling {band(found['entered_cooling'])}" if found.get("is_separate") else text


def _entry(entry: object) -> str:
    if entry is None:
        return "nothing"
    return f"{entry:g} °C" if isinstance(entry, int | float) else clean(entry)


def _step(step: Record) -> str:
    band = f"{_entry(step.get('low'))} to {_entry(step.get('high'))}"
    if "ramp_s" in step:
        return f"ramp to {band} within {duration(step['ramp_s'])}"
    if "until_gravity_below" in step:
        return f"hold {band} until the gravity is below {clean(step['until_gravity_below'])}"
    return (
        f"hold {band} for {duration(step['hold_s'])}"
        if "hold_s" in step
        else f"hold {band} until it is skipped"
    )


def _proved(found: Record) -> str:
    reading = found.get("verified")
    if reading is None:
        return "there is no such plug"
    if found.get("has_open_command"):
        word = {"on": "on", "off": "off", "safety off": "off"}.get(str(found.get("wanted")), "")
        return f"switching {word} …".replace("  ", " ")
    if isinstance(reading.get("value"), bool):
        return "on" if reading["value"] else "off"
    last = reading.get("last_known")
    if not isinstance(last, bool):
        return "unknown"
    return f"unknown, last seen {'on' if last else 'off'} {duration(reading.get('age_s'))} ago"


def _of_plug(found: Record) -> Iterator[str]:
    yield f"wanted {clean(found.get('wanted') or 'not decided yet')}"
    order = found.get("order")
    if order is not None:
        proved = "verified" if order.get("is_verified") else "not verified yet"
        yield f"standing order off, {proved}: {clean(order.get('cause'))}"
    timer = found.get("dead_man")
    if timer is not None:
        left = f", switches off in {duration(timer['left_s'])}" if timer.get("left_s") is not None else ""
        yield f"its own timer: {clean(timer.get('state'))}{left}"
