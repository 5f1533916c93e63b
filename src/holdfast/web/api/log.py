"""The log: how much of it there is, switched while the hub runs."""

import logging

import msgspec
from fastapi import Request, Response

from holdfast.hub.hub import Hub
from holdfast.web.api.description import answers, body, schema_of
from holdfast.web.api.encoding import JsonAnswer
from holdfast.web.api.limits import read_body
from holdfast.web.api.parsing import parsed
from holdfast.web.api.problem import MALFORMED_JSON, UNKNOWN_TARGET, WRONG_TYPE
from holdfast.web.api.router import Router
from holdfast.web.api.shapes import LogShape

_decode = msgspec.json.Decoder(LogShape).decode
ADVICE = 'Send an object such as {"level": "debug", "device": "house"}.'


def routes(hub: Hub) -> Router:
    """The route ``/log``."""
    router = Router(prefix="/log", tag="log")

    @router.post(
        "",
        responses=answers(schema_of(LogShape), UNKNOWN_TARGET, MALFORMED_JSON, WRONG_TYPE),
        openapi_extra=body(LogShape),
        summary="Switch the log's level",
        description="For the whole hub, or for one device's links. Frames are shown by their beginnings only, and "
        "what a login says as zeros.",
    )
    async def log(request: Request) -> Response:
        wanted = parsed(await read_body(request), _decode, ADVICE)
        if wanted.device is None:
            logging.getLogger("holdfast").setLevel(wanted.level.upper())
        else:
            hub.debug(wanted.device, is_on=wanted.level == "debug")
        return JsonAnswer(wanted)

    return router
