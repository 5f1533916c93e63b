"""What happened, in words: the journal of the event stream, and the alarms that are on."""

from typing import Any

from fastapi import Query, Response

from holdfast.hub.events import Kind, Record
from holdfast.hub.hub import Hub
from holdfast.hub.ports import EventEntry
from holdfast.model import Receipt
from holdfast.web.api.description import answers, listing
from holdfast.web.api.encoding import ListAnswer
from holdfast.web.api.looking_back import older_events
from holdfast.web.api.problem import UNKNOWN_TARGET
from holdfast.web.api.router import Router
from holdfast.web.api.shapes import AlarmShape, EventShape

HUB = "hub"
"""What the hub calls itself where a device is named."""
MOST_EVENTS = 4096
"""All that the hub's ring can hold."""


def routes(hub: Hub) -> Router:
    """The routes ``/events`` and ``/alarms``."""
    router = Router(tag="events")

    @router.get(
        "/events",
        responses=answers(listing(EventShape), UNKNOWN_TARGET),
        summary="What happened, the oldest first",
        description="Of the last few thousand records, readings included, everything is told. What is older comes "
        "from the store: availabilities and events; receipts are told by `/commands`.",
    )
    async def events(
        kind: str | None = Query(
            None,
            description="Only `availability`, `command`, `alarm` or `event`, or one kind of event such as `failover`.",
        ),
        device: str | None = Query(None, description="Only those of this device or controller."),
        limit: int = Query(100, ge=1, le=MOST_EVENTS, description="How many of the newest."),
    ) -> Response:
        older = await _older(hub, kind, device, limit)
        found = [each for each in hub.stream.recent() if _is_meant(each, kind, device)][-limit:]
        known = {record.id for record in hub.stream.recent()}
        older = [each for each in older if each.id not in known]
        if device not in (None, HUB) and not older and not found:
            hub.holder(str(device))
        kept = older[max(0, len(older) - (limit - len(found))) :]
        return ListAnswer([*map(kept_shape, kept), *map(event_shape, found)])

    @router.get("/alarms", responses=answers(listing(AlarmShape)), summary="The alarms that are on")
    async def alarms() -> Response:
        return ListAnswer(list(hub.alarms.values()))

    return router


def _is_meant(record: Record, kind: str | None, device: str | None) -> bool:
    return (kind is None or kind in kinds_of(record)) and (device is None or device == device_of(record))


async def _older(hub: Hub, kind: str | None, device: str | None, limit: int) -> list[EventEntry]:
    """What the store knows, if that is needed and can be had."""
    if kind in (Kind.COMMAND, Kind.ALARM):
        return []
    if sum(_is_meant(each, kind, device) for each in hub.stream.recent()) >= limit:
        return []
    found = await older_events(hub, None if kind == Kind.EVENT else kind, device, limit)
    return [each for each in found if kind != Kind.EVENT or each.kind != Kind.AVAILABILITY]


def kinds_of(record: Record) -> tuple[str, ...]:
    """The names by which a record's kind may be asked for; the last one is the most precise."""
    if record.kind is Kind.EVENT:
        return (record.kind.value, str(record.payload["kind"]))
    return (record.kind.value,)


def device_of(record: Record) -> str | None:
    """The device that a record of the journal is about."""
    payload = record.payload
    if isinstance(payload, Receipt):
        return payload.target.partition("/")[0]
    if record.kind is Kind.ALARM:
        return str(payload["target"]).partition("/")[0]
    device = payload.get("device")
    return None if device is None else str(device)


def event_shape(record: Record) -> EventShape:
    """A record of the journal in words."""
    payload = record.payload
    data: dict[str, Any]
    match record.kind:
        case Kind.COMMAND:
            data, text = {"receipt": payload}, _command_in_words(payload)
        case Kind.AVAILABILITY:
            reason = payload["reason"].text
            data = {"availability": payload["availability"], "reason": payload["reason"]}
            text = f"{payload['availability']}: {reason}" if reason else str(payload["availability"])
        case Kind.ALARM:
            data = {"target": payload["target"], "is_on": payload["is_on"], "since": payload["since"]}
            text = payload["text"] if payload["is_on"] else f"over: {payload['text']}"
        case _:
            data = {key: value for key, value in payload.items() if key not in ("kind", "text", "device")}
            text = payload["text"]
    return EventShape(record.id, record.at, kinds_of(record)[-1], device_of(record), text, data)


def kept_shape(entry: EventEntry) -> EventShape:
    """An event that the store kept."""
    payload = entry.payload
    text = str(payload.get("text", ""))
    data: dict[str, Any]
    if entry.kind == Kind.AVAILABILITY:
        word = payload.get("availability", "")
        data = {"availability": word, "reason": {"code": payload.get("code", ""), "text": text}}
        text = f"{word}: {text}" if text else str(word)
    else:
        data = {key: value for key, value in payload.items() if key not in ("kind", "text", "device")}
    return EventShape(entry.id, entry.at, entry.kind, entry.device or None, text, data)


def _command_in_words(receipt: Receipt) -> str:
    value = receipt.value
    word = {True: "on", False: "off"}[value] if isinstance(value, bool) else str(value)
    text = f"{receipt.target} to {word} by {receipt.issuer}: {receipt.state}"
    return f"{text}, {receipt.reason}" if receipt.reason else text
