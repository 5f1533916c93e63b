"""Readings that come in: what a sender posts, and what became of each."""

from typing import TYPE_CHECKING, Any

import msgspec
from fastapi import Request, Response

from holdfast.hub.deliveries import deliver, deliver_document, slot_of
from holdfast.hub.hub import Hub
from holdfast.web.api.description import answers, body, json_body, listing, schema_of
from holdfast.web.api.encoding import JsonAnswer
from holdfast.web.api.guard import CALLER, TOKENS, login_needed
from holdfast.web.api.limits import read_body
from holdfast.web.api.parsing import parsed
from holdfast.web.api.problem import (
    MALFORMED_JSON,
    NOT_PUSHED,
    NOT_READY,
    SENDER_ONLY,
    UNKNOWN_TARGET,
    WRONG_TYPE,
    Problem,
)
from holdfast.web.api.router import Router
from holdfast.web.api.shapes import DeliveryShape, IspindelShape, PostedShape

if TYPE_CHECKING:
    from holdfast.hub.deliveries import Delivery
    from holdfast.web.api.access import Caller

ISPINDEL = "ispindel"
"""The form of document, as drivers call it."""
ADVICE = 'Send an object such as {"target": "chamber/temperature", "value": 19.5}, or a list of them.'
ISPINDEL_ADVICE = 'Send an object such as {"temperature": 19.5, "temp_units": "C", "gravity": 1.012}.'

_decode = msgspec.json.Decoder(PostedShape | list[PostedShape]).decode
_decode_document = msgspec.json.Decoder(dict[str, Any]).decode
_KINDS = (UNKNOWN_TARGET, NOT_PUSHED, NOT_READY, SENDER_ONLY, MALFORMED_JSON, WRONG_TYPE)
_POSTED = {"anyOf": [schema_of(PostedShape), listing(PostedShape)]}
_DELIVERED = {"anyOf": [schema_of(DeliveryShape), listing(DeliveryShape)]}


def routes(hub: Hub) -> Router:
    """The routes under which readings are posted."""
    router = Router(tag="readings")

    @router.post(
        "/readings",
        responses=answers(_DELIVERED, *_KINDS),
        openapi_extra=json_body(
            _POSTED, "A reading, or a list of them in the order in which they were observed"
        ),
        summary="Post readings",
        description="For devices of the driver `push`. Answers 200 with what became of the reading, or of each of a "
        "list: one that is not believed is told as such, with the reason. A problem means that none was taken. "
        "What is older than its deadline is taken as last known, and is stale at once.",
    )
    async def post(request: Request) -> Response:
        found = parsed(await read_body(request), _decode, ADVICE)
        posted = found if isinstance(found, list) else [found]
        caller: Caller = request.scope[CALLER]
        for each in posted:
            _permit(caller, each.target)
        slots = [slot_of(hub, each.target) for each in posted]
        told = [
            _told(hub, deliver(hub, slot, each.value, each.observed_at))
            for slot, each in zip(slots, posted, strict=True)
        ]
        return JsonAnswer(told if isinstance(found, list) else told[0])

    @router.post(
        "/ingest/ispindel/{device_id}",
        responses=answers(listing(DeliveryShape), *_KINDS),
        openapi_extra=body(IspindelShape),
        summary="Post what an iSpindel or a GravityMon measured",
        description="The body is what these senders post by themselves; those of its values are taken that the device "
        "has as `temperature`, `gravity`, `angle`, `battery` or `rssi`. Where a token is needed and the sender can set "
        "no header, it stands in the body's `token`.",
    )
    async def ingest(device_id: str, request: Request) -> Response:
        document = parsed(await read_body(request), _decode_document, ISPINDEL_ADVICE)
        _permit(_sender(request, document), device_id)
        found = deliver_document(hub, device_id, ISPINDEL, document)
        if not found:
            raise Problem(WRONG_TYPE, f"the body holds nothing that {device_id} has", advice=ISPINDEL_ADVICE)
        return JsonAnswer([_told(hub, each) for each in found])

    return router


def _sender(request: Request, document: dict[str, Any]) -> "Caller":
    """Who posts: whom the guard knows, or whose token stands in the body; raises `Problem`."""
    known: Caller | None = request.scope.get(CALLER)
    if known is not None:
        return known
    token = document.get("token")
    found = request.scope[TOKENS].caller(token) if isinstance(token, str) else None
    if found is None:
        raise login_needed(was_given=bool(token))
    return found  # type: ignore[no-any-return]


def _permit(caller: "Caller", target: str) -> None:
    if not caller.may_send(target):
        raise Problem(
            SENDER_ONLY,
            f"the token of {caller.name} is good for posting readings of {caller.sends_only}",
            advice=f"Give the sender a token with sends={target} in the token file.",
        )


def _told(hub: Hub, delivery: "Delivery") -> DeliveryShape:
    why = delivery.why
    return DeliveryShape(
        target=delivery.target,
        accepted=why is None,
        code="" if why is None else why.code,
        reason="" if why is None else why.text,
        observed_at=delivery.observed_at,
        quality=hub.reading(delivery.target).quality,
    )
