"""The KLAP transport: two handshakes, then sealed requests, all of them HTTP POSTs (fact sheet section 9)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.simulators.kasa.connection import GARBAGE_SIZE, Connection
from holdfast.simulators.kasa.http import HttpReader, NotHttp, respond
from holdfast.simulators.kasa.sessions import COOKIE, NoSession

if TYPE_CHECKING:
    from holdfast.simulators.kasa.connection import Station
    from holdfast.simulators.kasa.http import HttpRequest


class WebConnection(Connection):
    """Requests are served as they come, whichever session they belong to."""

    def __init__(self, station: Station, number: int) -> None:
        super().__init__(station, number)
        self._reader = HttpReader()

    def _read(self, data: bytes) -> None:
        try:
            requests = self._reader.feed(data)
        except NotHttp:
            self._write(respond(400))
            self.drop()
            return
        for request in requests:
            if self._is_ended:
                return
            self._route(request)

    def _route(self, request: HttpRequest) -> None:
        match request.method, request.path:
            case "POST", "/app/handshake1":
                self._shake(request)
            case "POST", "/app/handshake2":
                self._prove(request)
            case "POST", "/app/request":
                self._serve(request)
            case "POST", _:
                self._write(respond(404))
            case _:
                self._write(respond(405))

    def _shake(self, request: HttpRequest) -> None:
        station = self._station
        deal = station.admit(self.number)
        self._arrived()
        if not deal.handling.is_done:
            self._deliver(deal, b"")
            return
        try:
            body, cookie = station.sessions.shake(request.body, station.firmware, station.account)
        except NoSession:
            self._deliver(deal, respond(400))
            return
        crumbs = f"{COOKIE}={cookie};TIMEOUT={station.firmware.session_timeout_s}"
        self._deliver(deal, respond(200, body, [("Set-Cookie", crumbs)]))

    def _prove(self, request: HttpRequest) -> None:
        deal = self._station.admit(self.number)
        self._arrived()
        if not deal.handling.is_done:
            self._deliver(deal, b"")
            return
        try:
            self._station.sessions.prove(request.cookie(COOKIE), request.body)
        except NoSession:
            self._deliver(deal, respond(403))
            return
        self._deliver(deal, respond(200))

    def _serve(self, request: HttpRequest) -> None:
        station = self._station
        try:
            number = int(request.query.get("seq", ""))
            text, seals = station.sessions.open(
                request.cookie(COOKIE), request.body, number, station.firmware
            )
        except (NoSession, ValueError):
            deal = station.admit(self.number)
            self._arrived()
            self._deliver(deal, respond(403))
            return
        served = station.serve(self.number, text)
        if served is None:
            self._write(respond(400))
            return
        self._arrived()
        self._deliver(served, respond(200, seals.seal(served.answer, number)))

    def _noise(self) -> bytes:
        return respond(200, self._station.garbage(GARBAGE_SIZE))

    def _forbid(self) -> bytes:
        return respond(403)
