"""Readings: what is known now, with quality and age."""

from fastapi import Query, Response

from holdfast.hub.hub import Hub
from holdfast.web.api.description import answers, listing, schema_of
from holdfast.web.api.encoding import JsonAnswer, ListAnswer
from holdfast.web.api.problem import UNKNOWN_TARGET
from holdfast.web.api.router import Router
from holdfast.web.api.shapes import ReadingShape


def routes(hub: Hub) -> Router:
    """The routes under ``/readings``."""
    router = Router(prefix="/readings", tag="readings")

    @router.get("", responses=answers(listing(ReadingShape), UNKNOWN_TARGET), summary="All readings")
    async def readings(
        device: str | None = Query(None, description="Only those of this device or controller."),
    ) -> Response:
        if device is not None:
            hub.holder(device)
        return ListAnswer(hub.readings(device))

    @router.get(
        "/{target:path}",
        responses=answers(schema_of(ReadingShape), UNKNOWN_TARGET),
        summary="One reading",
        description="The target is written as it is, slashes included: `/readings/house/kitchen`.",
    )
    async def reading(target: str) -> Response:
        return JsonAnswer(hub.reading(target))

    return router
