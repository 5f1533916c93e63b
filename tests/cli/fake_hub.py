"""A small HTTP server that answers as it is told: for what a real hub seldom does."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple


class Asked(NamedTuple):
    """One request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any


class Answer(NamedTuple):
    """What is sent back; a function as body writes for itself."""

    status: int = 200
    body: Any = None
    kind: str = "application/json"


class FakeHub:
    """``answers`` maps a path to an `Answer`, or to a tuple of them, one a request."""

    def __init__(self, answers: dict[str, Any]) -> None:
        self.answers = {"/controllers": [], **answers}
        self.asked: list[Asked] = []
        self.url = ""

    def answer(self, path: str) -> Answer:
        found = self.answers.get(path.partition("?")[0].removeprefix("/api/v1"), Answer(404))
        if isinstance(found, tuple) and not isinstance(found, Answer):
            now = min(sum(asked.path == path for asked in self.asked), len(found)) - 1
            found = found[now]
        return found if isinstance(found, Answer) else Answer(body=found)


@contextlib.contextmanager
def fake_hub(answers: dict[str, Any]) -> Iterator[FakeHub]:
    """A fake hub on a free port of this machine."""
    fake = FakeHub(answers)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            size = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(size)) if size else None
            fake.asked.append(Asked(self.command, self.path, dict(self.headers), body))
            answer = fake.answer(self.path)
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.kind)
            self.end_headers()
            if isinstance(answer.body, Callable):  # type: ignore[arg-type]
                answer.body(self.wfile)
            elif isinstance(answer.body, bytes):
                self.wfile.write(answer.body)
            else:
                self.wfile.write(json.dumps(answer.body).encode())

        do_POST = do_PUT = do_GET  # noqa: N815 - the library's names

        def log_message(self, *arguments: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    fake.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
