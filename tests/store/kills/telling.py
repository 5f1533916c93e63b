"""What the one that will be killed tells while it lives: a line at a time, gone from it the moment it is said."""

from __future__ import annotations

import json
import os
import select
import time
from dataclasses import dataclass, field
from typing import Any

HUNG_S = 30.0
"""Longer than anything takes on a busy machine: whoever says nothing for so long hangs."""


@dataclass(frozen=True, slots=True)
class Told:
    """One line. Acknowledgements are what somebody outside was promised: it is safe from now on."""

    word: str
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def is_promise(self) -> bool:
        return self.word == "safe"


class Mouth:
    """The end that speaks."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def say(self, word: str, **facts: Any) -> None:
        """One write to the pipe: it arrives whole whatever happens to us afterwards."""
        os.write(self._descriptor, json.dumps([word, facts]).encode() + b"\n")

    def promise(self, **facts: Any) -> None:
        """Say that something is safe."""
        self.say("safe", **facts)


class Ear:
    """The end that listens."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._bytes = b""

    @property
    def told(self) -> list[Told]:
        """All whole lines until now."""
        lines = self._bytes.split(b"\n")[:-1]
        return [Told(word, facts) for word, facts in map(json.loads, lines)]

    def until(self, promises: int) -> bool:
        """Listen until so many promises were made; false if the other end is closed or hangs before that."""
        limit_t = time.monotonic() + HUNG_S
        while sum(each.is_promise for each in self.told) < promises:
            ready, _, _ = select.select([self._descriptor], [], [], max(0.0, limit_t - time.monotonic()))
            if not ready or not self._read():
                return False
        return True

    def rest(self) -> list[Told]:
        """Everything that was said before the end."""
        while self._read():
            pass
        return self.told

    def _read(self) -> bool:
        data = os.read(self._descriptor, 65_536)
        self._bytes += data
        return bool(data)
