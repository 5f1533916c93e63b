"""The peer of the link benchmark: says precomputed bytes to thousands of clients, and as little else as it can.

``python -m bench.responder --links N``: one endpoint a link, each on a free port, and on a loopback address of its
own where the system has them (Linux). It knows just enough IPCom for a login and polls: no state but the place in a
script, no decoding, no timers. Every hundredth poll of a link moves its script on by one snapshot.

It is also the outside observer: it learns each link's grid before the measurement and counts polls that arrive more
than 50 ms behind it, whatever the measured side thinks of itself.
"""

from __future__ import annotations

import argparse
import json
import os
import selectors
import socket
import sys
import time
from typing import Any

from bench import wire
from bench.machine import pin, raise_file_limit

CHANGE_EVERY = 100
"""One poll in so many is answered with a changed snapshot."""
LATE_S = 0.05


class Responder:
    """Listens on an endpoint a link and answers."""

    def __init__(self, links: int) -> None:
        self.selector = selectors.DefaultSelector()
        self.endpoints: list[tuple[str, int]] = []
        self.clients = 0
        self.polls = 0
        self.changes = 0
        self.late = 0
        self.worst_s = 0.0
        self.other = 0
        self.is_learning = True
        self.is_over = False
        self._cpu_s = 0.0
        self._since = 0.0
        for number in range(links):
            self._listen(number)
        os.set_blocking(sys.stdin.fileno(), False)
        self.selector.register(sys.stdin.fileno(), selectors.EVENT_READ, self._ask)
        self.reset()

    def _listen(self, number: int) -> None:
        server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        host = f"127.1.{number // 250}.{number % 250 + 1}" if sys.platform == "linux" else "127.0.0.1"
        server.bind((host, 0))
        server.listen(8)
        server.setblocking(False)
        self.endpoints.append(server.getsockname())
        self.selector.register(server, selectors.EVENT_READ, lambda _: self._accept(server, number))

    def _accept(self, server: socket.socket, number: int) -> None:
        try:
            client, _ = server.accept()
        except OSError:
            return
        client.setblocking(False)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.selector.register(client, selectors.EVENT_READ, Client(self, client, number).readable)
        self.clients += 1

    def reset(self) -> None:
        """A measurement begins."""
        self.polls = self.changes = self.late = self.other = 0
        self.worst_s = 0.0
        self._cpu_s = time.process_time()
        self._since = time.monotonic()

    def counts(self) -> dict[str, Any]:
        """What happened since the last `reset`."""
        took_s = time.monotonic() - self._since
        return {
            "clients": self.clients,
            "polls": self.polls,
            "changes": self.changes,
            "late": self.late,
            "worst_s": self.worst_s,
            "other": self.other,
            "cpu_share": (time.process_time() - self._cpu_s) / took_s if took_s else 0.0,
            "took_s": took_s,
        }

    def _ask(self, now: float) -> None:
        asked = os.read(sys.stdin.fileno(), 4096)
        if not asked:
            self.is_over = True
            return
        for line in asked.splitlines():
            match json.loads(line)["do"]:
                case "begin":
                    self.is_learning = False
                    self.reset()
                    say({"ok": True})
                case "counts":
                    say(self.counts())

    def serve(self) -> None:
        """Until nobody speaks to us any more."""
        select, monotonic = self.selector.select, time.monotonic
        while not self.is_over:
            events = select()
            now = monotonic()
            for key, _ in events:
                key.data(now)


class Client:
    """One connection: a place in a script."""

    __slots__ = ("_at", "_grid", "_left", "_owner", "_poll", "_reply", "_script", "_sock")

    def __init__(self, owner: Responder, sock: socket.socket, number: int) -> None:
        self._owner = owner
        self._sock = sock
        self._script = wire.script(number)
        self._poll = self._script.poll
        self._at = 0
        self._reply = self._script.snapshots[0]
        self._left = 1 + number * 37 % CHANGE_EVERY  # spread, so that each second sees its hundredth
        self._grid = 0.0

    def readable(self, now: float) -> None:
        """Bytes came: nearly always a poll."""
        try:
            data = self._sock.recv(256)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        owner = self._owner
        if data != self._poll:
            self._hear(data)
            return
        self._left -= 1
        if not self._left:
            self._left = CHANGE_EVERY
            self._at = (self._at + 1) % len(self._script.snapshots)
            self._reply = self._script.snapshots[self._at]
            owner.changes += 1
        self._sock.send(self._reply)
        owner.polls += 1
        behind_s = (now - self._grid) % wire.POLL_S
        if owner.is_learning:
            if (
                behind_s > LATE_S
            ):  # the storm of the start moves the first polls: the grid is where they settle
                self._grid = now
        elif LATE_S < behind_s < wire.POLL_S - LATE_S:
            owner.late += 1
            if behind_s > owner.worst_s:
                owner.worst_s = behind_s

    def _hear(self, data: bytes) -> None:
        if not data or data == self._script.goodbye:
            self._owner.selector.unregister(self._sock)
            self._sock.close()
            self._owner.clients -= 1
        elif len(data) == wire.LOGIN_SIZE:
            self._sock.send(self._script.login_reply)
        elif data == self._script.keep_alive:
            self._sock.send(self._script.keep_alive)
        else:
            self._owner.other += 1


def say(answer: dict[str, Any]) -> None:
    """One line to whoever started us."""
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Serve until standard input ends."""
    parser = argparse.ArgumentParser(prog="python -m bench.responder")
    parser.add_argument("--links", type=int, default=100)
    parser.add_argument("--core", type=int, default=None)
    options = parser.parse_args()
    pin(options.core)
    raise_file_limit()
    responder = Responder(options.links)
    say({"endpoints": responder.endpoints})
    responder.serve()


if __name__ == "__main__":
    main()
