"""The legacy transport: several requests on one TCP connection, and the same over UDP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.simulators.kasa.cipher import FrameReader, NotLegacy, frame
from holdfast.simulators.kasa.connection import GARBAGE_SIZE, Connection

if TYPE_CHECKING:
    from holdfast.simulators.kasa.connection import Station


class LegacyConnection(Connection):
    """Requests are served as they come; each is answered in its own time."""

    def __init__(self, station: Station, number: int) -> None:
        super().__init__(station, number)
        self._reader = FrameReader()

    def _read(self, data: bytes) -> None:
        try:
            messages = self._reader.feed(data)
        except NotLegacy:
            self.drop()
            return
        for message in messages:
            if self._is_ended:
                return
            deal = self._station.serve(self.number, message)
            if deal is None:
                self.drop()
                return
            self._arrived()
            self._deliver(deal, frame(deal.answer))

    def _noise(self) -> bytes:
        return frame(b"\xff" + self._station.garbage(GARBAGE_SIZE))
