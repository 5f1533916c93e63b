"""The golden vectors, as the driver's tests read them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

DATA = Path(__file__).parents[2] / "data" / "ipcom"
VECTORS: dict[str, Any] = json.loads((DATA / "vectors.json").read_text("utf-8"))


def raw(text: str) -> bytes:
    return bytes.fromhex(text)


def state(outputs: list[list[int]]) -> bytes:
    """The 128 bytes of a house: 16 lists of 8."""
    return bytes(value for module in outputs for value in module)
