"""The golden vectors, as the tests here read them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

DATA = Path(__file__).parents[2] / "data" / "ipcom"
VECTORS: dict[str, list[dict[str, Any]]] = json.loads((DATA / "vectors.json").read_text("utf-8"))


def raw(vector: dict[str, Any], name: str) -> bytes:
    return bytes.fromhex(vector[name])
