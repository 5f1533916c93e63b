"""The Tilts of a site: those of controllers and of batches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from holdfast.hub.site.earlier.fermenter.leftovers import tell_leftovers
from holdfast.hub.site.earlier.fermenter.tilts import (
    BATCH,
    VARIANCES,
    Tilt,
    batch_of,
    corrections_of,
    tilt_of,
)
from holdfast.hub.site.earlier.note import Note
from holdfast.hub.site.problems import kind_of, shown

if TYPE_CHECKING:
    from holdfast.hub.site.problems import Findings, Place


class Hydrometers:
    """What the Tilts' file says, and the devices that are made of them."""

    def __init__(
        self,
        values: Mapping[str, Any],
        findings: Findings,
        devices: list[dict[str, Any]],
        comments: dict[Place, str],
    ) -> None:
        self._findings = findings
        self._devices = devices
        self._comments = comments
        self._entries: list[tuple[str, Tilt, Mapping[str, Any]]] = []
        self._places: dict[Tilt, int] = {}
        self.notes: list[Note] = []
        """The batches; a site has no room for them."""
        for key, raw in values.items():
            tilt = tilt_of(key)
            if tilt is None:
                findings.note((key,), f"{shown(key)} is no Tilt", "left out")
            elif not isinstance(raw, Mapping):
                text = f"a mapping is expected here, not {kind_of(raw)}"
                findings.note((key,), text, "its batch is left out")
            else:
                self._entries.append((key, tilt, raw))

    @property
    def brewing(self) -> list[Tilt]:
        """Those with a batch, in the order of the file."""
        return [tilt for _, tilt, raw in self._entries if batch_of(raw)]

    def device(self, tilt: Tilt) -> str:
        """The id of a Tilt's device, which is made if there is none."""
        if tilt not in self._places:
            alike = sum(1 for each in self._places if each.colour == tilt.colour)
            number = f" {alike + 1}" if alike else ""
            self._places[tilt] = len(self._devices)
            self._devices.append(
                {
                    "id": f"tilt-{tilt.colour}{number.replace(' ', '-')}",
                    "name": f"Tilt {tilt.colour}{number}",
                    "adapters": [{"id": "ble", "driver": "tilt", "url": tilt.url}],
                }
            )
        return str(self._devices[self._places[tilt]]["id"])

    def take_the_rest(self) -> None:
        """Make devices of the Tilts of batches, and tell of everything else. Controllers come first."""
        for tilt in self.brewing:
            alike = next((each for each in self._places if each.colour == tilt.colour), tilt)
            self.device(tilt if tilt.hardware else alike)
        for key, tilt, raw in self._entries:
            self._tell_batch(key, raw)
            tell_leftovers(raw, (*BATCH, *VARIANCES), self._findings, (key,))
            self._tell_corrections(key, tilt, raw)
        idle = [key for key, _, raw in self._entries if not batch_of(raw)]
        if idle:
            text = f"no batch is entered for {', '.join(idle)}"
            self._findings.note((), text, "devices are made of the Tilts of batches and controllers only")

    def _tell_batch(self, key: str, raw: Mapping[str, Any]) -> None:
        batch = batch_of(raw)
        if batch:
            text = f"not taken over: {', '.join(batch)}"
            self._findings.note((key,), text, "a site knows no batches; kept as a note in the site file")
            self.notes.append(Note(f"the batch of the Tilt {shown(key)}", batch))

    def _tell_corrections(self, key: str, tilt: Tilt, raw: Mapping[str, Any]) -> None:
        """A correction changes what is controlled by, so a person decides on it."""
        for each in corrections_of(raw):
            if each.offset is None:
                self._findings.note((key, each.key), f"{shown(each.entered)} is no number", "left out")
                continue
            option = f"options: {{calibration: {{{each.quantity}: {{offset: {each.offset:g}}}}}}}"
            text = f"{shown(each.entered)} corrected the {each.quantity} of this Tilt"
            self._findings.note((key, each.key), text, f"not taken over; decide on {option}")
            for other, at in self._places.items():
                if other.colour == tilt.colour:
                    above = self._comments.get(("devices", at), "")
                    self._comments["devices", at] = f"{above}\nDecide on its correction: {option}".strip()
