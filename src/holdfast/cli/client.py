"""The hub's API as the command line needs it, on the standard library alone."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit

from holdfast.cli import sse
from holdfast.cli.exits import HubRefused, WrongUsage
from holdfast.cli.face import Change
from holdfast.cli.units import CELSIUS, UNITS
from holdfast.errors import HoldfastError, HubUnreachable, UnknownTarget

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from holdfast.cli.records import Record

DEFAULT_URL = "http://127.0.0.1:8420"
CONNECT_S = 3.0
"""A hub on the local network accepts within milliseconds; 3 s allows for one lost SYN (as our own links do)."""
ANSWER_S = 10.0
"""Lists are answered from memory."""
COMMAND_S = 120.0
"""How long to wait for the end of a command whose deadline the hub knows (the longest default is 40 s)."""
CHANGE_S = 60.0
"""A change of the site is checked, saved and carried out before it is answered; devices say goodbye meanwhile."""
COMMAND_MARGIN_S = 5.0
"""The receipt of a command that was given so many seconds may be on its way when they are over."""
QUIET_S = 45.0
"""A stream that shows no sign of life for this long is dead: three of the hub's own signs."""
RETRY_S = 1.0
"""Between attempts to get a lost stream back."""

_HOW_TO = "Start one with 'holdfast serve --site site.yaml', or say where it runs with HOLDFAST_URL."


class HubClient:
    """A hub somewhere, named by ``HOLDFAST_URL``. Every call is a connection of its own."""

    def __init__(self, url: str = DEFAULT_URL, token: str = "") -> None:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        try:
            is_usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            is_usable = False
        if not is_usable or parts.username is not None:
            raise WrongUsage(
                "HOLDFAST_URL is not the address of a hub",
                advice=f"It looks like {DEFAULT_URL}; a token belongs into HOLDFAST_TOKEN.",
            )
        self.is_own = False
        self._parts = parts
        self._token = token
        self.where = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"

    @property
    def is_here(self) -> bool:
        """Whether the hub runs on this machine, so that it sees the network as we do."""
        return self._parts.hostname in ("localhost", "::1") or str(self._parts.hostname).startswith("127.")

    # --- what is known ------------------------------------------------------------------------------------

    def devices(self) -> list[Record]:
        """All devices."""
        return self._list("devices")

    def device(self, device_id: str) -> Record:
        """One device; raises `UnknownTarget`."""
        return self._object("GET", f"devices/{quote(device_id, safe='')}")

    def controllers(self) -> list[Record]:
        """All controllers."""
        return self._list("controllers")

    def controller(self, controller_id: str) -> Record:
        """One controller; raises `UnknownTarget`."""
        return self._object("GET", _controller(controller_id))

    def temperature_unit(self) -> str:
        """The unit in which the site's owner reads temperatures; °C where the hub keeps no site."""
        try:
            site = self.site().get("site") or {}
        except HubRefused:
            return CELSIUS
        return UNITS.get(str((site.get("site") or {}).get("temperature_unit")), CELSIUS)

    def owner_of(self, target: str) -> str:
        """Nobody: the hub's own controllers guard what is theirs."""
        return ""

    def readings(self, device_id: str | None = None) -> list[Record]:
        """All readings, or those of one device or controller."""
        return self._list("readings", {"device": device_id} if device_id else {})

    def links(self) -> list[Record]:
        """The link report of every endpoint."""
        return self._list("links")

    def link(self, endpoint: str) -> Record:
        """One link, with its flight recorder."""
        return self._object("GET", f"links/{quote(endpoint, safe='')}")

    def alarms(self) -> list[Record]:
        """The alarms that are on."""
        return self._list("alarms")

    def events(self, last: int, kind: str | None = None, device: str | None = None) -> list[Record]:
        """The ``last`` things that happened, oldest first; of one kind and of one device, if they are named.

        Raises `UnknownTarget` for a device of which nothing is known.
        """
        asked = {"limit": str(last), "kind": kind, "device": device}
        return self._list("events", {name: value for name, value in asked.items() if value})

    # --- what to do -----------------------------------------------------------------------------------------

    def command(
        self,
        target: str,
        value: object,
        *,
        timeout_s: float | None,
        wait: bool,
        take_over_s: float | None = None,
    ) -> Record:
        """Give a command; the receipt."""
        body = {"target": target, "value": value, "wait": wait}
        if timeout_s is not None:
            body["timeout_s"] = timeout_s
        if take_over_s is not None:
            body["take_over_s"] = take_over_s
        read_s = ANSWER_S if not wait else COMMAND_S if timeout_s is None else timeout_s + COMMAND_MARGIN_S
        return self._object("POST", "commands", body=body, read_s=read_s)

    def retry(self, device_id: str) -> None:
        """Ask the hub to try a device again now."""
        self._call("POST", f"devices/{quote(device_id, safe='')}/retry", body={})

    def abandon(self, device_id: str) -> None:
        """Give up a device that stays only to be switched off; raises `UnknownTarget` for any other."""
        self._call("POST", f"devices/{quote(device_id, safe='')}/abandon", body={})

    def activate(self, device_id: str, adapter_id: str, *, is_pinned: bool) -> Record:
        """Ask for the adapter that a device is served through; the device. Raises `UnknownTarget`."""
        path = f"devices/{quote(device_id, safe='')}/adapters/{quote(adapter_id, safe='')}/activate"
        return self._object("POST", path, body={"pin": is_pinned})

    def ask_controller(self, controller_id: str, method: str, what: str, body: object) -> Record:
        """Ask something of a controller (``limits``, ``profile``, ``acknowledge``, ``give-back``); the controller.

        Raises `UnknownTarget`, and `HubRefused` for what is not possible now.
        """
        return self._object(method, f"{_controller(controller_id)}/{what}", body=body)

    def log(self, level: str, device_id: str | None) -> None:
        """Ask the hub to tell more or less in its log."""
        self._call("POST", "log", body={"level": level, "device": device_id})

    # --- the site ---------------------------------------------------------------------------------------------

    def ready(self) -> Record:
        """Whether it is ready, and how its store does."""
        return self._object("GET", "readyz")

    def site(self) -> Record:
        """The site and its revision."""
        return self._object("GET", "site")

    def change_site(self, method: str, path: str, body: object, *, dry_run: bool) -> Record:
        """Change the site, or show what that would do. Raises `SiteError` for what is no proper site."""
        query = {"dry_run": "true"} if dry_run else None
        return self._object(method, path, query=query, body=body, read_s=CHANGE_S)

    def pause(self, seconds: float) -> None:
        """Let time pass."""
        time.sleep(seconds)

    def settle(self, limit_s: float) -> None:
        """A hub has done its first tries long ago."""

    def close(self) -> None:
        """Nothing is kept open."""

    # --- the stream -------------------------------------------------------------------------------------------

    def changes(self) -> Iterator[Change]:
        """What happens, for ever: a lost stream is taken up again where it broke off.

        Raises `HubUnreachable` only if there is none to begin with.
        """
        last_id = ""
        is_first = True
        while True:
            try:
                with self._open("GET", "stream", headers=_resuming(last_id), read_s=QUIET_S) as answer:
                    yield Change("connected" if is_first else "resumed", {})
                    is_first = False
                    for sent in sse.events(answer):
                        last_id = sent.id or last_id
                        if sent.kind:
                            yield Change(sent.kind, _loaded(sent.data, self.where))
                        else:
                            yield Change("alive", {})
            except HoldfastError as error:
                if is_first:
                    raise
                yield Change("lost", {"text": error.text})
            except (OSError, http.client.HTTPException):
                yield Change("lost", {"text": f"{self.where} went away"})
            else:
                yield Change("lost", {"text": f"{self.where} ended the stream"})
            self.pause(RETRY_S)

    # --- calls ----------------------------------------------------------------------------------------------

    def _list(self, path: str, query: Mapping[str, str] | None = None) -> list[Record]:
        answer = self._call("GET", path, query=query)
        if not isinstance(answer, list):
            raise self._stranger()
        return answer

    def _object(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: object = None,
        read_s: float = ANSWER_S,
    ) -> Record:
        answer = self._call(method, path, query=query, body=body, read_s=read_s)
        if not isinstance(answer, dict):
            raise self._stranger()
        return answer

    def _call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: object = None,
        read_s: float = ANSWER_S,
    ) -> Any:
        try:
            with self._open(method, path, query=query, body=body, read_s=read_s) as answer:
                text = answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise self._broken_off() from error
        return _loaded(text, self.where) if text else None

    @contextlib.contextmanager
    def _open(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        read_s: float = ANSWER_S,
    ) -> Iterator[http.client.HTTPResponse]:
        """A good answer, to be read inside the block; everything else is raised in words."""
        connection = self._connection()
        try:
            answer = self._ask(connection, method, path, query, body, headers or {}, read_s)
            if answer.status >= http.client.BAD_REQUEST:
                raise self._refusal(answer.status, answer.read())
            yield answer
        finally:
            connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        host = self._parts.hostname or ""
        if self._parts.scheme == "https":
            return http.client.HTTPSConnection(host, self._parts.port, timeout=CONNECT_S)
        return http.client.HTTPConnection(host, self._parts.port, timeout=CONNECT_S)

    def _ask(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        path: str,
        query: Mapping[str, str] | None,
        body: object,
        headers: Mapping[str, str],
        read_s: float,
    ) -> http.client.HTTPResponse:
        try:
            connection.connect()
        except OSError as error:
            why = "does not answer" if isinstance(error, TimeoutError) else error.strerror or str(error)
            raise HubUnreachable(f"no hub answers at {self.where} ({why})", advice=_HOW_TO) from error
        connection.sock.settimeout(read_s)
        address = f"{self._parts.path.rstrip('/')}/api/v1/{path}" + (f"?{urlencode(query)}" if query else "")
        try:
            connection.request(
                method,
                address,
                body=None if body is None else json.dumps(body).encode(),
                headers={**self._headers(has_body=body is not None), **headers},
            )
            return connection.getresponse()
        except TimeoutError as error:
            text = f"{self.where} accepted the connection and does not answer within {read_s:g} s"
            raise HubUnreachable(
                text, advice="Check whether the hub is overloaded, or another program."
            ) from error
        except OSError as error:  # also http.client's RemoteDisconnected
            raise self._broken_off() from error
        except http.client.HTTPException as error:
            raise self._stranger() from error

    def _headers(self, *, has_body: bool) -> dict[str, str]:
        headers = {"Accept": "application/json, text/event-stream", "User-Agent": "holdfast"}
        if has_body:
            headers["Content-Type"] = "application/json"
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        return headers

    def _refusal(self, status: int, text: bytes) -> HoldfastError:
        """The hub's problem document as an error."""
        problem: Mapping[str, Any] = {}
        with contextlib.suppress(ValueError):
            loaded = json.loads(text)
            problem = loaded if isinstance(loaded, dict) else {}
        said = str(problem.get("detail") or problem.get("title") or f"status {status}")
        advice = str(problem.get("advice") or "")
        if status == http.client.UNAUTHORIZED:
            return HubRefused(
                f"the hub wants a login: {said}", advice=advice or "Put a token into HOLDFAST_TOKEN."
            )
        if problem.get("code") == "unknown_target":
            return UnknownTarget(said, advice=advice)
        if problem.get("code") in ("wrong_type", "malformed_json"):
            return WrongUsage(said, advice=advice)
        if problem.get("code") == "invalid_site" and isinstance(problem.get("problems"), list):
            from holdfast.cli.site_problems import told

            return told(problem["problems"])
        if not problem:
            return self._stranger()
        return HubRefused(f"the hub refused: {said}", advice=advice)

    def _broken_off(self) -> HubUnreachable:
        return HubUnreachable(f"{self.where} broke off in the middle of an answer", advice=_HOW_TO)

    def _stranger(self) -> HubUnreachable:
        return HubUnreachable(f"what answers at {self.where} is no Holdfast hub", advice=_HOW_TO)


def hub_meant() -> HubClient:
    """The hub that the environment names."""
    return HubClient(os.environ.get("HOLDFAST_URL") or DEFAULT_URL, os.environ.get("HOLDFAST_TOKEN", ""))


def _controller(controller_id: str) -> str:
    return f"controllers/{quote(controller_id, safe='')}"


def _resuming(last_id: str) -> dict[str, str]:
    return {"Last-Event-ID": last_id} if last_id else {}


def _loaded(text: bytes | str, where: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise HubUnreachable(f"what answers at {where} is no Holdfast hub", advice=_HOW_TO) from error
