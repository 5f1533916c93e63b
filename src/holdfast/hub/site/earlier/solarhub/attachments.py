"""What a battery array was attached to, and is now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from holdfast.hub.site.earlier.note import Note
from holdfast.hub.site.earlier.plainly import line, mapping
from holdfast.hub.site.problems import shown

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from holdfast.hub.site.problems import Findings, Place


class Attachments:
    """Rows of attachments sorted into present ones and history. ``array_key`` names the battery array in a row."""

    def __init__(
        self, rows: Sequence[Any], array_key: str, arrays: Collection[str], findings: Findings, place: Place
    ) -> None:
        self._now: dict[str, list[str]] = {}
        self.notes: list[Note] = []
        for number, raw in enumerate(rows):
            row = mapping(raw)
            array, inverters = line(row.get(array_key)), line(row.get("inverter_array_id"))
            if array not in arrays:
                text = f"{shown(array)} is no battery array: this attachment is left out"
                findings.note((*place, number), text)
                self.notes.append(Note("an attachment of an unknown battery array", row))
            elif line(row.get("detached_at")):
                self.notes.append(Note(f"an earlier attachment of the battery array {shown(array)}", row))
            else:
                self._now.setdefault(array, []).append(inverters)

    def now(self, array: str) -> Sequence[str]:
        """Every inverter array it is attached to; more than one is a mistake (fact sheet section 14)."""
        return self._now.get(array, ())

    def check(self, inverter_arrays: Mapping[str, object], findings: Findings, place: Place) -> None:
        """Tell of attachments to inverter arrays that do not exist."""
        for array, found in self._now.items():
            for each in found:
                if each not in inverter_arrays:
                    text = f"{shown(array)} is attached to {shown(each)}, which is no inverter array"
                    findings.note(place, text, "taken over as it stands")
