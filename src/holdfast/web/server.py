"""The API's server: uvicorn's protocol in the hub's own loop, without uvicorn's own life around it.

uvicorn's `Server` takes over signals, ticks ten times a second and stops when its clients please. A hub has its own
signals, nothing to do while nobody asks, and half a second to stop; so only the protocol is used.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from uvicorn.config import Config
from uvicorn.server import ServerState

from holdfast.errors import HoldfastError
from holdfast.model import ReasonCode
from holdfast.web.api.application import application
from holdfast.web.api.feed import Feed
from holdfast.web.api.guard import Guard
from holdfast.web.api.limits import LARGEST_HEADERS, Limits
from holdfast.web.connection import Connection
from holdfast.web.listening import (
    ANYWHERE,
    LOOPBACK_NAMES,
    CannotListen,
    PortInUse,
    addresses,
    authority,
    explained,
    is_loopback,
    listen,
)

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from holdfast.hub.hub import Hub
    from holdfast.hub.living_site import LivingSite
    from holdfast.web.api.access import Tokens

__all__ = ["ApiServer", "CannotListen", "LoginRequired", "PortInUse"]

DEFAULT_PORT = 8420
KEEP_ALIVE_S = 15
"""Seconds in which a connection may wait for its next request: pages and scrapers ask every few seconds."""
STOP_S = 0.2
"""Seconds that answers under way get when the server stops; the hub has 0.5 in all (design: timing)."""
STOP_TICK_S = 0.005
"""How often stopping looks whether everybody is gone."""
HTTP_PORT = 80

log = logging.getLogger("holdfast.web")


class LoginRequired(HoldfastError):
    """The hub would be open to others, and nobody could be asked who he is."""

    code = ReasonCode.CONFIGURATION


class ApiServer:
    """Serves one hub's API. Made once, started once, stopped once.

    Without a ``site`` nothing of it can be changed. With ``require_login``, and wherever ``host`` is more than
    loopback, every request needs one of ``tokens``.
    Port 0 takes any free port; `url` tells which.
    """

    def __init__(
        self,
        hub: Hub,
        *,
        site: LivingSite | None = None,
        host: str = "127.0.0.1",
        port: int = DEFAULT_PORT,
        tokens: Tokens | None = None,
        require_login: bool = False,
    ) -> None:
        self.url = ""
        self._hub = hub
        self._host = host
        self._port = port
        self._tokens = tokens
        self._require_login = require_login
        self._closing = asyncio.Event()
        self._feed = Feed(hub)
        self._app = application(hub, self._feed, self._closing, site)
        self._state = ServerState()
        self._servers: list[asyncio.Server] = []
        self._config: Config  # made when the port is known

    def __repr__(self) -> str:
        return f"<ApiServer {self.url or 'not started'}>"

    async def start(self) -> None:
        """Listen and serve; raises `LoginRequired`, `PortInUse` or `CannotListen` and then leaves nothing behind."""
        found = await addresses(self._host, self._port)
        needs_login = self._require_login or not all(is_loopback(address) for address in found)
        if needs_login and not self._tokens:
            raise LoginRequired(
                "a login is required, but there is no token file"
                if self._require_login
                else f"{self._host or 'every address'} can be reached by others, but there is no token file",
                advice="Give a token file with one name:token a line, or listen on 127.0.0.1 only.",
            )
        self._servers, self._port = await listen(self._connect, found, self._port)
        # Which names are ours depends on the port; nothing is accepted before the guard stands.
        self._config = self._guarded(hosts=None if needs_login else self._own_names(found))
        self._feed.start()
        try:
            for server in self._servers:
                await server.start_serving()
        except OSError as error:
            await self.stop()
            raise explained(error, found[0], self._port) from error
        host = LOOPBACK_NAMES[0] if found[0] in ANYWHERE else self._host
        self.url = f"http://{authority(host, self._port)}"
        log.debug("listening on %s%s", self.url, "" if needs_login else ", for this machine only")

    async def stop(self) -> None:
        """Let everybody go, streams and those who wait for a command at once; leave no task and no socket."""
        self._closing.set()
        for server in self._servers:
            server.close()
        await self._feed.stop()
        for connection in self._connections():
            connection.shutdown()
        loop = asyncio.get_running_loop()
        due_t = loop.time() + STOP_S
        # uvicorn's state has nothing to wait for.
        while (self._state.connections or self._state.tasks) and loop.time() < due_t:  # noqa: ASYNC110
            await asyncio.sleep(STOP_TICK_S)
        for connection in self._connections():
            connection.abort()
        await asyncio.sleep(0)  # their loss is told in the next turn
        tasks = set(self._state.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for server in self._servers:
            await server.wait_closed()
        self._servers = []

    def _connect(self) -> Connection:
        return Connection(self._config, self._state, {})

    def _connections(self) -> list[Connection]:
        return [each for each in self._state.connections if isinstance(each, Connection)]

    def _own_names(self, found: list[str]) -> frozenset[str]:
        """What Host may say in an open house."""
        names = {*LOOPBACK_NAMES, *found, self._host.lower()}
        own = {authority(name, self._port) for name in names}
        if self._port == HTTP_PORT:  # left out by browsers
            own |= {authority(name, HTTP_PORT).removesuffix(f":{HTTP_PORT}") for name in names}
        return frozenset(own)

    def _guarded(self, hosts: frozenset[str] | None) -> Config:
        guard = Guard(Limits(self._app), hosts=hosts, tokens=self._tokens, now=self._hub.clock.now)

        async def serve(scope: Scope, receive: Receive, send: Send) -> None:
            try:
                await guard(scope, receive, send)
            except asyncio.CancelledError:
                # Only `stop` cancels, when the connection is gone; uvicorn would log it as a fault.
                if not self._closing.is_set():
                    raise

        config = Config(
            serve,
            http=Connection,
            ws="none",
            lifespan="off",
            workers=1,
            log_config=None,
            proxy_headers=False,
            server_header=False,
            date_header=False,
            h11_max_incomplete_event_size=LARGEST_HEADERS,
            timeout_keep_alive=KEEP_ALIVE_S,
        )
        config.load()
        return config
