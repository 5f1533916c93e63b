"""Readings: what is known now, with quality and age."""

from collections.abc import Iterator

from fastapi import Query, Response

from holdfast.hub.hub import Hub
from holdfast.model import Reading
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
        device: str | None = Query(None, description="Only those of this device."),
    ) -> Response:
        if device is not None:
            hub.device(device)
        return ListAnswer(current(hub, device))

    @router.get(
        "/{target:path}",
        responses=answers(schema_of(ReadingShape), UNKNOWN_TARGET),
        summary="One reading",
        description="The target is written as it is, slashes included: `/readings/house/kitchen`.",
    )
    async def reading(target: str) -> Response:
        return JsonAnswer(hub.reading(target))

    return router


def current(hub: Hub, device_id: str | None = None) -> Iterator[Reading]:
    """All readings, or those of one device, each as it stands at the moment when it is taken.

    They may be taken over many turns of the loop, in which devices and capabilities may come and go.
    """
    devices = list(hub.devices.values()) if device_id is None else [hub.device(device_id)]
    for device in devices:
        for capability in list(device.capabilities.values()):
            yield device.reading(capability)
