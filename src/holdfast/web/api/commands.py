"""Commands: a wish comes in, a receipt goes out, however it ends."""

import asyncio
from typing import TYPE_CHECKING

import msgspec
from fastapi import Query, Request, Response

from holdfast.hub.hub import Hub
from holdfast.model import Receipt
from holdfast.web.api.description import answers, body, listing, schema_of
from holdfast.web.api.encoding import JsonAnswer, ListAnswer, departure
from holdfast.web.api.guard import CALLER
from holdfast.web.api.limits import read_body
from holdfast.web.api.looking_back import MOST, older_receipts
from holdfast.web.api.parsing import parsed
from holdfast.web.api.problem import MALFORMED_JSON, UNKNOWN_COMMAND, UNKNOWN_TARGET, WRONG_TYPE, Problem
from holdfast.web.api.router import Router
from holdfast.web.api.shapes import CommandShape, ReceiptShape
from holdfast.web.api.waiting import written

if TYPE_CHECKING:
    from holdfast.web.api.access import Caller

_decode = msgspec.json.Decoder(CommandShape).decode
ADVICE = 'Send an object such as {"target": "house/kitchen", "value": true}.'


def routes(hub: Hub, closing: asyncio.Event) -> Router:
    """The routes under ``/commands``. ``closing`` lets those go who wait for an end."""
    router = Router(prefix="/commands", tag="commands")

    @router.post(
        "",
        responses=answers(schema_of(ReceiptShape), UNKNOWN_TARGET, MALFORMED_JSON, WRONG_TYPE),
        openapi_extra=body(CommandShape),
        summary="Give a command",
        description="Answers 200 with the receipt, however it ended: a value out of range is a receipt that is "
        "`refused`. With `wait` it answers when the command has ended; going away meanwhile leaves it open. The answer "
        "comes when the receipt is in the store, or after a second; a store in trouble is not waited for.",
    )
    async def command(request: Request) -> Response:
        wish = parsed(await read_body(request), _decode, ADVICE)
        caller: Caller = request.scope[CALLER]
        receipt = hub.command(
            wish.target, wish.value, caller.issuer, wish.timeout_s, take_over_s=wish.take_over_s
        )
        if wish.wait and not receipt.state.is_end:
            receipt = await _ended(hub, receipt, request, closing)
        await written(hub, closing)
        return JsonAnswer(receipt)

    @router.get(
        "",
        responses=answers(listing(ReceiptShape), UNKNOWN_TARGET),
        summary="Receipts, the oldest first",
        description="Those of earlier runs come from the store; while it is in trouble, only this run's are told.",
    )
    async def commands(
        target: str | None = Query(None, description="Only those of this target."),
        limit: int = Query(100, ge=1, le=2000, description="How many of the newest."),
    ) -> Response:
        return ListAnswer((await _receipts(hub, target, limit))[-limit:])

    @router.get(
        "/{command_id}", responses=answers(schema_of(ReceiptShape), UNKNOWN_COMMAND), summary="One receipt"
    )
    async def receipt(command_id: str) -> Response:
        found = hub.receipts.get(command_id)
        if found is None:
            found = next(
                (each for each in await older_receipts(hub, None, MOST) if each.id == command_id), None
            )
        if found is None:
            raise Problem(
                UNKNOWN_COMMAND,
                f"there is no command {command_id!r}",
                advice="Ended commands are kept for a while only; GET /api/v1/commands lists those that are known.",
            )
        return JsonAnswer(found)

    return router


async def _receipts(hub: Hub, target: str | None, limit: int) -> list[Receipt]:
    """All that are at hand, behind as many older ones as are asked for; raises `UnknownTarget`."""
    found = {each.id: each for each in hub.receipts.values() if target is None or each.target == target}
    if len(found) < limit:
        older = await older_receipts(hub, target, limit)
        now = {each.id: each for each in hub.receipts.values() if target is None or each.target == target}
        found = {each.id: each for each in older if each.id not in now} | now
    if target is not None and not found:
        hub.find(target)
    return list(found.values())


async def _ended(hub: Hub, receipt: Receipt, request: Request, closing: asyncio.Event) -> Receipt:
    """The receipt when it has ended, or as it stands when the client or the server goes away before."""
    ending = asyncio.create_task(hub.ended(receipt), name=f"wait for {receipt.id}")
    closed = asyncio.create_task(closing.wait(), name="server closes")
    try:
        async with departure(request.receive) as gone:
            await asyncio.wait({ending, closed, gone}, return_when=asyncio.FIRST_COMPLETED)
        if ending.done():
            return ending.result()
        return hub.receipts.get(receipt.id, receipt)
    finally:
        # The hub shields the command: only the waiting ends here.
        for task in (ending, closed):
            task.cancel()
        await asyncio.wait({ending, closed})
