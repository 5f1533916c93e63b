"""The application: every resource under its path, and every error as a problem document."""

import asyncio

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.routing import Match

from holdfast._version import __version__
from holdfast.errors import UnknownTarget
from holdfast.hub.controllers.asked import NotPossible
from holdfast.hub.deliveries import NotListening, NotPushed
from holdfast.hub.hub import Hub
from holdfast.hub.living_site import LivingSite
from holdfast.hub.ports import SiteChanged, StoreError
from holdfast.hub.site import SiteError
from holdfast.web.api import (
    commands,
    controllers,
    devices,
    events,
    health,
    links,
    log,
    metrics,
    pushing,
    readings,
    site,
    stream,
)
from holdfast.web.api.document import PageAnswer, document, page
from holdfast.web.api.encoding import JsonAnswer
from holdfast.web.api.feed import Feed
from holdfast.web.api.problem import (
    BAD_REQUEST,
    INTERNAL,
    METHOD_NOT_ALLOWED,
    NOT_FOUND,
    NOT_POSSIBLE,
    NOT_PUSHED,
    NOT_READY,
    SITE_CHANGED,
    STORE_TROUBLE,
    UNKNOWN_TARGET,
    WRONG_TYPE,
    Problem,
)
from holdfast.web.api.router import Router

ROOT = "/api/v1"
DESCRIPTION = (
    "Devices, readings, commands and events of one hub. Lists are bare arrays. Times are UTC, units SI and °C. "
    "A value is current only if its quality is good or late; otherwise `value` is null and `last_known` tells what "
    "was seen last."
)


def application(hub: Hub, feed: Feed, closing: asyncio.Event, living: LivingSite | None = None) -> FastAPI:
    """The API of one hub, without guard and limits. ``closing`` is set when the server stops.

    Without a ``living`` site nothing of it can be changed.
    """
    app = FastAPI(
        title="Holdfast",
        version=__version__,
        description=DESCRIPTION,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.include_router(devices.routes(hub), prefix=ROOT)
    app.include_router(site.routes(living), prefix=ROOT)
    app.include_router(readings.routes(hub), prefix=ROOT)
    app.include_router(pushing.routes(hub), prefix=ROOT)
    app.include_router(commands.routes(hub, closing), prefix=ROOT)
    app.include_router(controllers.routes(hub, closing), prefix=ROOT)
    app.include_router(stream.routes(hub, feed), prefix=ROOT)
    app.include_router(events.routes(hub), prefix=ROOT)
    app.include_router(links.routes(hub), prefix=ROOT)
    app.include_router(log.routes(hub), prefix=ROOT)
    for watched in (health.routes(hub), metrics.routes(hub)):
        app.include_router(watched)
        # Where watchdogs look for them, and where the table of the API has them.
        app.include_router(watched, prefix=ROOT, include_in_schema=False)
    app.include_router(_documentation(app))
    _answer_errors(app)
    return app


def _documentation(app: FastAPI) -> Router:
    spec = document(app)
    text = page(spec)
    router = Router(tag="documentation", is_documented=False)

    @router.get("/api/openapi.json")
    async def openapi() -> Response:
        return JsonAnswer(spec)

    @router.get("/api/docs")
    async def docs() -> Response:
        return PageAnswer(text)

    return router


def _answer_errors(app: FastAPI) -> None:
    @app.exception_handler(Problem)
    async def problem(request: Request, error: Problem) -> Response:
        return error.answer(request.scope)

    @app.exception_handler(UnknownTarget)
    async def unknown(request: Request, error: UnknownTarget) -> Response:
        return Problem(UNKNOWN_TARGET, error.text, advice=error.advice).answer(request.scope)

    @app.exception_handler(NotPushed)
    async def not_pushed(request: Request, error: NotPushed) -> Response:
        return Problem(NOT_PUSHED, error.text, advice=error.advice).answer(request.scope)

    @app.exception_handler(NotPossible)
    async def not_possible(request: Request, error: NotPossible) -> Response:
        return Problem(NOT_POSSIBLE, error.text, advice=error.advice).answer(request.scope)

    @app.exception_handler(NotListening)
    async def not_listening(request: Request, error: NotListening) -> Response:
        headers = {"Retry-After": "1"}
        return Problem(NOT_READY, error.text, advice=error.advice, headers=headers).answer(request.scope)

    @app.exception_handler(SiteError)
    async def no_site(request: Request, error: SiteError) -> Response:
        return site.invalid(error).answer(request.scope)

    @app.exception_handler(SiteChanged)
    async def changed(request: Request, error: SiteChanged) -> Response:
        more = {"revision": error.revision}
        return Problem(SITE_CHANGED, error.text, advice=error.advice, more=more).answer(request.scope)

    @app.exception_handler(StoreError)
    async def store(request: Request, error: StoreError) -> Response:
        more = {"trouble": error.trouble}
        detail = f"nothing was changed: {error.text}"
        return Problem(STORE_TROUBLE, detail, advice=error.advice, more=more).answer(request.scope)

    @app.exception_handler(RequestValidationError)
    async def wrong_type(request: Request, error: RequestValidationError) -> Response:
        found = "; ".join(f"{each['loc'][-1]}: {each['msg']}" for each in error.errors())
        return Problem(WRONG_TYPE, found).answer(request.scope)

    @app.exception_handler(HTTPException)
    async def refused(request: Request, error: HTTPException) -> Response:
        return _from_starlette(app, request, error).answer(request.scope)

    @app.exception_handler(Exception)
    async def fault(request: Request, error: Exception) -> Response:
        # Logged with its traceback by the server; none of it is told to the client.
        return Problem(INTERNAL, "the hub met a fault of its own; its log says which").answer(request.scope)


def _from_starlette(app: FastAPI, request: Request, error: HTTPException) -> Problem:
    path = request.url.path
    if error.status_code == METHOD_NOT_ALLOWED.status:
        allowed = ", ".join(_methods(app, request))
        return Problem(
            METHOD_NOT_ALLOWED,
            f"{path} does not take {request.method}",
            advice=f"It takes {allowed}.",
            headers={"Allow": allowed},
        )
    if error.status_code == NOT_FOUND.status:
        return Problem(NOT_FOUND, f"there is nothing at {path}", advice="GET /api/docs lists every call.")
    return Problem(BAD_REQUEST._replace(status=error.status_code), str(error.detail))


def _methods(app: FastAPI, request: Request) -> list[str]:
    """All methods that the path takes; the router itself only names those of the first route."""
    found = []
    for method in ("DELETE", "GET", "PATCH", "POST", "PUT"):
        asked = {**request.scope, "method": method}
        if any(route.matches(asked)[0] is Match.FULL for route in app.routes):
            found.append(method)
    return found
