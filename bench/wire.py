"""The bytes that both sides of a comparison see, made before anything is measured.

The walk of the obfuscation is the simulator's own, not the driver's.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from holdfast.simulators.ipcom.cipher import KEY_SIZE, LOGIN, session_cipher
from holdfast.simulators.ipcom.messages import MODULES, OUTPUTS, connect_response, snapshot

POLL_S = 0.35
POLL = b"\x05\x01"
KEEP_ALIVE = b"\x03\x01"
GOODBYE = b"\x02\x01"
LOGIN_SIZE = 56
LOGIN_REPLY_SIZE = 135
SNAPSHOT_SIZE = 130
KEYS = 8
"""Session keys in use: links take them in turn, so that nothing can be shared by accident."""

ACCOUNT = ("bench", "bench")

RELAYS = [(1, 1), (1, 2), (1, 3), (1, 4), (2, 1), (2, 2)]
SOCKETS = [(3, 1), (3, 2)]
DIMMERS = [(6, 1), (6, 2)]
COVER = {"down": (5, 7), "up": (5, 8)}
"""The outputs that a device of the link benchmark names: six lights, two sockets, two dimmers, one cover."""

LIGHT_MODULES = (1, 2, 3, 4)
LIGHT_OUTPUTS = (1, 2, 3, 4, 5)


@dataclass(frozen=True, slots=True)
class Script:
    """What is said under one session key, as it appears on the wire."""

    key: bytes
    login_reply: bytes
    poll: bytes
    keep_alive: bytes
    goodbye: bytes
    snapshots: tuple[bytes, ...]
    """A walk around: each differs from the one before in one named output."""


def script(number: int) -> Script:
    """The script of the ``number``th connection."""
    return _SCRIPTS[number % KEYS]


def _script(key: bytes) -> Script:
    cipher = session_cipher(key)
    return Script(
        key=key,
        login_reply=LOGIN.encode(connect_response("4.21", key)),
        poll=cipher.encode(POLL),
        keep_alive=cipher.encode(KEEP_ALIVE),
        goodbye=cipher.encode(GOODBYE),
        snapshots=tuple(cipher.encode(snapshot(outputs)) for outputs in _walk()),
    )


def _walk() -> list[bytes]:
    outputs = bytearray(MODULES * OUTPUTS)
    steps = []
    for is_on in (True, False):
        for module, output in (*RELAYS, *SOCKETS, *DIMMERS):
            full = 100 if (module, output) in DIMMERS else 255
            outputs[(module - 1) * OUTPUTS + output - 1] = full if is_on else 0
            steps.append(bytes(outputs))
    return steps


_RNG = random.Random(1)
_SCRIPTS = tuple(_script(_RNG.randbytes(KEY_SIZE)) for _ in range(KEYS))


def login_request() -> bytes:
    """The login as a client sends it."""
    user, password = ACCOUNT
    plain = (
        b"\x01\x02" + f"USER:{user}".ljust(26).encode() + f"PWD:{password}".ljust(26).encode() + b"\x01\x00"
    )
    return LOGIN.encode(plain)


def poll_bytes(login_reply: bytes) -> bytes:
    """The poll under the key that a login's answer carries."""
    return session_cipher(LOGIN.decode(login_reply)[-KEY_SIZE:]).encode(POLL)


def device(ident: str, host: str, port: int) -> dict[str, Any]:
    """A device of the link benchmark as a site file would describe it: eleven named outputs over twelve relays."""
    outputs: dict[str, Any] = {}
    for kind, places in (("light", RELAYS), ("switch", SOCKETS), ("dimmer", DIMMERS)):
        for number, (module, output) in enumerate(places, 1):
            outputs[f"{kind}-{number}"] = {"module": module, "output": output, "kind": kind}
    outputs["blind"] = {"kind": "cover"} | {
        role: {"module": module, "output": output} for role, (module, output) in COVER.items()
    }
    return _described(ident, host, port, outputs)


def house(host: str, port: int) -> dict[str, Any]:
    """The device of the other benchmarks: five lights on each of four modules."""
    outputs = {
        light(module, output): {"module": module, "output": output, "kind": "light"}
        for module in LIGHT_MODULES
        for output in LIGHT_OUTPUTS
    }
    return _described("house", host, port, outputs)


def light(module: int, output: int) -> str:
    """The key of a light of `house`."""
    return f"light-{module}-{output}"


def _described(ident: str, host: str, port: int, outputs: dict[str, Any]) -> dict[str, Any]:
    user, password = ACCOUNT
    adapter = {
        "id": "lan",
        "driver": "ipcom",
        "url": f"tcp://{host}:{port}",
        "username": user,
        "password": password,
    }
    modules = {5: {"kind": "shutter"}, 6: {"kind": "dimmer", "scale": 100}}
    return {"id": ident, "adapters": [adapter], "options": {"modules": modules}, "outputs": outputs}
