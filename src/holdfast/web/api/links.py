"""Links: how well each does, and the last things that happened on it."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from fastapi import Response

from holdfast.hub.hub import Hub
from holdfast.web.api.description import answers, listing, schema_of
from holdfast.web.api.devices import reason_shape
from holdfast.web.api.encoding import JsonAnswer, ListAnswer
from holdfast.web.api.problem import UNKNOWN_LINK, Problem
from holdfast.web.api.router import Router
from holdfast.web.api.shapes import LinkShape, MomentShape, RecordedLinkShape

SHOWN = 20
"""Known links that a problem names: what fits on a screen."""


def routes(hub: Hub) -> Router:
    """The routes under ``/links``."""
    router = Router(prefix="/links", tag="links")

    @router.get("", responses=answers(listing(LinkShape)), summary="The report of every link")
    async def links() -> Response:
        return ListAnswer(_reports(hub))

    @router.get(
        "/{link:path}",
        responses=answers(schema_of(RecordedLinkShape), UNKNOWN_LINK),
        summary="One link, with its flight recorder",
        description="`link` is its endpoint, or its place in the list, counted from 0.",
    )
    async def link(link: str) -> Response:
        return JsonAnswer(_recorded(hub, link))

    return router


def _reports(hub: Hub) -> Iterator[dict[str, Any]]:
    for link in list(hub.links.values()):
        yield {**link.as_dict(), "reason": reason_shape(link.reason)}


def _recorded(hub: Hub, name: str) -> dict[str, Any]:
    links = list(hub.links.values())
    # ASCII digits only: others pass `isdigit` as well.
    if name.isascii() and name.isdigit() and len(name) < 10 and int(name) < len(links):
        link = links[int(name)]
    else:
        by_name = {str(each.endpoint): each for each in links}
        if name not in by_name:
            known = ", ".join(sorted(by_name)[:SHOWN]) or "none"
            raise Problem(UNKNOWN_LINK, f"there is no link {name!r}", advice=f"Known links: {known}.")
        link = by_name[name]
    now, wall = hub.core.now(), hub.clock.now()
    moments = [
        MomentShape(wall - timedelta(seconds=now - each.t), now - each.t, each.kind, each.text)
        for each in link.recorder.moments()
    ]
    return {**link.as_dict(), "reason": reason_shape(link.reason), "moments": moments}
