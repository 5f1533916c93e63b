"""As much of HTTP/1.1 as a plug needs: POST requests with a length, one after the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LONGEST_HEAD = 8 * 1024
LONGEST_BODY = 16 * 1024
"""Bytes. A whole update asks for less than one kB."""

REASONS = {200: "OK", 400: "Bad Request", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed"}


class NotHttp(ValueError):
    """The bytes are no request that a plug would answer."""


@dataclass(frozen=True)
class HttpRequest:
    """One request. Header names are in lower case; of repeated ones the last counts."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    def cookie(self, name: str) -> str | None:
        """The value of a cookie sent back, or ``None``."""
        for pair in self.headers.get("cookie", "").split(";"):
            key, _, value = pair.strip().partition("=")
            if key == name:
                return value.strip('"')
        return None


class HttpReader:
    """Cuts a TCP stream into requests."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[HttpRequest]:
        """The requests that ``data`` completes. Raises `NotHttp`, after which the stream means nothing."""
        self._buffer += data
        requests = []
        while (request := self._next()) is not None:
            requests.append(request)
        return requests

    def _next(self) -> HttpRequest | None:
        end = self._buffer.find(b"\r\n\r\n")
        if end > LONGEST_HEAD or (end < 0 and len(self._buffer) > LONGEST_HEAD):
            raise NotHttp("a head without end")
        if end < 0:
            return None
        first, *lines = bytes(self._buffer[:end]).decode("latin-1").split("\r\n")
        headers = {}
        for line in lines:
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        length = headers.get("content-length", "0")
        if not (length.isascii() and length.isdecimal()) or len(length) > 6 or int(length) > LONGEST_BODY:
            raise NotHttp("a body without a fitting length")
        start = end + 4
        if len(self._buffer) < start + int(length):
            return None
        match first.split(" "):
            case [method, target, version] if version.startswith("HTTP/1."):
                pass
            case _:
                raise NotHttp("no request line")
        body = bytes(self._buffer[start : start + int(length)])
        del self._buffer[: start + int(length)]
        try:
            parts = urlsplit(target)
        except ValueError as error:
            raise NotHttp("no address in the request line") from error
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        return HttpRequest(method, parts.path, query, headers, body)


def respond(status: int, body: bytes = b"", headers: Sequence[tuple[str, str]] = ()) -> bytes:
    """A response that keeps the connection open."""
    head = [f"HTTP/1.1 {status} {REASONS[status]}", f"Content-Length: {len(body)}"]
    head += [f"{name}: {value}" for name, value in headers]
    return "\r\n".join([*head, "", ""]).encode("latin-1") + body
