"""What happened, in words: the journal of the event stream, and the alarms that are on."""

from typing import Any

from fastapi import Query, Response

from holdfast.hub.events import Kind, Record
from holdfast.hub.hub import Hub
from holdfast.model import Receipt
from holdfast.web.api.description import answers, listing
from holdfast.web.api.encoding import ListAnswer
from holdfast.web.api.problem import UNKNOWN_TARGET
from holdfast.web.api.router import Router
from holdfast.web.api.shapes import AlarmShape, EventShape

MOST_EVENTS = 4096
"""All that the hub's ring can hold."""


def routes(hub: Hub) -> Router:
    """The routes ``/events``, ``/alarms`` and ``/controllers``."""
    router = Router(tag="events")

    @router.get(
        "/events",
        responses=answers(listing(EventShape), UNKNOWN_TARGET),
        summary="What happened, the oldest first",
        description="The hub keeps the last few thousand records, readings included.",
    )
    async def events(
        kind: str | None = Query(
            None,
            description="Only `availability`, `command`, `alarm` or `event`, or one kind of event such as `failover`.",
        ),
        device: str | None = Query(None, description="Only those of this device."),
        limit: int = Query(100, ge=1, le=MOST_EVENTS, description="How many of the newest."),
    ) -> Response:
        if device is not None:
            hub.device(device)
        found: list[Record] = []
        for record in reversed(hub.stream.recent()):
            if len(found) == limit:
                break
            if (kind is None or kind in kinds_of(record)) and (device is None or device == device_of(record)):
                found.append(record)
        return ListAnswer(event_shape(record) for record in reversed(found))

    @router.get("/alarms", responses=answers(listing(AlarmShape)), summary="The alarms that are on")
    async def alarms() -> Response:
        return ListAnswer(list(hub.alarms.values()))

    @router.get(
        "/controllers",
        responses=answers({"type": "array", "items": {"type": "object"}}),
        tags=["controllers"],
        summary="The controllers",
        description="This version has none yet: the list is empty.",
    )
    async def controllers() -> Response:
        return ListAnswer([])

    return router


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


def _command_in_words(receipt: Receipt) -> str:
    value = receipt.value
    word = {True: "on", False: "off"}[value] if isinstance(value, bool) else str(value)
    text = f"{receipt.target} to {word} by {receipt.issuer}: {receipt.state}"
    return f"{text}, {receipt.reason}" if receipt.reason else text
