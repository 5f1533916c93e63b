"""Requests as bytes, for what no well-behaved client would send."""

from __future__ import annotations

import asyncio
import json
from typing import Any, NamedTuple

from tests.web.house import PATIENCE_S, House


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def request(
    where: House, path: str, *headers: str, method: str = "GET", body: bytes = b"", host: str = ""
) -> bytes:
    """A request with exactly these headers, besides Host and the body's length."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host or f'127.0.0.1:{where.port}'}", *headers]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


async def say(where: House, data: bytes) -> Answer:
    """Send bytes on a connection of their own and read one answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", where.port)
    try:
        writer.write(data)
        async with asyncio.timeout(PATIENCE_S):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            first, *rest = head.strip().split("\r\n")
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in rest)}
            body = await reader.readexactly(int(headers.get("content-length", "0")))
        return Answer(int(first.split()[1]), headers, body)
    finally:
        writer.close()
        await writer.wait_closed()


async def ask(where: House, path: str, *headers: str, **more: Any) -> Answer:
    """Send a request and read its answer."""
    return await say(where, request(where, path, *headers, **more))
