"""Whether the hub lives, and whether it is ready."""

from fastapi import Response

from holdfast.hub.hub import Hub
from holdfast.web.api.description import answers, schema_of
from holdfast.web.api.encoding import JsonAnswer
from holdfast.web.api.problem import NOT_READY, Problem
from holdfast.web.api.router import Router
from holdfast.web.api.shapes import HealthShape, ReadyShape, StoreShape


def routes(hub: Hub) -> Router:
    """The routes ``/healthz`` and ``/readyz``."""
    router = Router(tag="health")

    @router.get(
        "/healthz",
        responses=answers(schema_of(HealthShape)),
        summary="Liveness",
        description="That the hub's loop turns. Needs no token. A device that cannot be reached is no reason to "
        "restart the hub, so none of them counts here.",
    )
    async def healthz() -> Response:
        return JsonAnswer(HealthShape("ok"))

    @router.get(
        "/readyz",
        responses=answers(schema_of(ReadyShape), NOT_READY),
        summary="Readiness",
        description="That the hub has been started and keeps its links. A store in trouble makes it `degraded`, which "
        "is ready: the devices are kept, and to restart the hub would help nobody.",
    )
    async def readyz() -> Response:
        if not hub.is_running:
            raise Problem(NOT_READY, "the hub was not started, or it is stopping")
        store = store_shape(hub)
        return JsonAnswer(
            ReadyShape("ready" if store is None or store.trouble is None else "degraded", store)
        )

    return router


def store_shape(hub: Hub) -> StoreShape | None:
    """How the hub's store does; ``None`` where it has none."""
    if hub.keeper is None:
        return None
    state = hub.keeper.state
    return StoreShape(state.trouble, state.text, state.advice, state.since, state.waiting, state.dropped)
