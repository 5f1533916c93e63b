"""Tilts and their batches, as the earlier program wrote them."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from holdfast.hub.site.earlier.plainly import line

if TYPE_CHECKING:
    from collections.abc import Mapping

COLOURS: Final = ("red", "green", "black", "purple", "orange", "blue", "yellow", "pink")
"""Source: fact sheet section 1."""
BATCH: Final = (
    "beer_name",
    "batch_name",
    "ferm_start_date",
    "recipe_og",
    "recipe_fg",
    "recipe_abv",
    "actual_og",
    "og_confirmed",
    "brewid",
)
"""What makes a batch: fact sheet section 2."""
VARIANCES: Final = {"temp_variance": ("temperature", 5 / 9), "gravity_variance": ("gravity", 1.0)}
"""Corrections that later versions add to what a Tilt says: what they correct here, and their unit in that of here."""
_HARDWARE: Final = re.compile(r"[0-9A-F]{2}(?::[0-9A-F]{2}){5}|[0-9A-F]{8}(?:-[0-9A-F]{4}){3}-[0-9A-F]{12}")


class Tilt(NamedTuple):
    """One Tilt: by its colour, or by its hardware address where two share a colour."""

    colour: str
    hardware: str = ""

    @property
    def url(self) -> str:
        """Where it is heard."""
        return f"ble://{self.hardware or self.colour}"


def tilt_of(raw: object) -> Tilt | None:
    """``Red``, or in later versions ``Red:AA:BB:CC:DD:EE:FF``; ``None`` for what is no Tilt."""
    if not isinstance(raw, str):
        return None
    colour, colon, hardware = (each.strip() for each in raw.partition(":"))
    if colour.lower() not in COLOURS or (colon and not _HARDWARE.fullmatch(hardware.upper())):
        return None
    return Tilt(colour.lower(), hardware.upper())


def batch_of(entry: Mapping[str, Any]) -> dict[str, Any]:
    """What was entered about a batch; empty if there is none."""
    entered = {key: entry[key] for key in BATCH if entry.get(key) not in (None, "")}
    return entered if set(entered) - {"og_confirmed"} else {}


class Correction(NamedTuple):
    """What was added to one quantity of a Tilt. ``offset`` is in °C or specific gravity, ``None`` for no number."""

    key: str
    entered: str
    quantity: str
    offset: float | None


def corrections_of(entry: Mapping[str, Any]) -> list[Correction]:
    """The corrections that correct anything."""
    found: list[Correction] = []
    for key, (quantity, unit) in VARIANCES.items():
        entered = line(entry.get(key))
        try:
            offset = round(float(entered or 0) * unit, 4)
        except ValueError:
            offset = math.nan
        if offset:
            found.append(Correction(key, entered, quantity, offset if math.isfinite(offset) else None))
    return found
