"""One life of listening for Tilts: all of a radio share it."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Final

from holdfast.drivers.tilt.codec import APPLE, TiltFirmware, decode, is_plausible
from holdfast.drivers.tilt.roll import Roll
from holdfast.drivers.tilt.smoothing import MOST_REPORTS
from holdfast.drivers.tilt.values import LIVE, SIGNAL, Sample
from holdfast.model import Batch, Reject
from holdfast.transports.adverts import Advert, AdvertScan, ScannerFactory

if TYPE_CHECKING:
    from collections.abc import Iterable

    from holdfast.link.session import Job, OpenLimits, Sink
    from holdfast.model import Identity

SIGNAL_EVERY_S: Final = 30.0
"""The signal strength trembles with every packet; twice a minute tells whether a place is good."""


class TiltSession:
    """Listens, and reports each Tilt as a member: by its colour, or by its address where that has a device.

    Two of one colour are never mixed: as long as both are about neither is believed by its colour, and both are
    reported by their addresses, so that their owner finds them among those heard.
    """

    def __init__(self, radio: str, members: Iterable[str], sink: Sink, make: ScannerFactory) -> None:
        self._sink = sink
        self._roll = Roll(members)
        self._windows: dict[str, deque[Sample]] = {}
        self._signal_t: dict[str, float] = {}
        self._scan = AdvertScan(radio, self._heard, sink.lost, make)
        self._time = asyncio.get_running_loop().time

    async def open(self, limits: OpenLimits) -> Identity | None:
        """Begin to listen; raises a `LinkFault`. Nobody says who the radio is."""
        await self._scan.open(limits.dial_s)
        return None

    def start(self, job: Job) -> None:
        """Never called: nothing can be asked."""
        raise AssertionError("there is nothing to ask")

    def forget(self, job: Job) -> None:
        """Never called, either."""
        raise AssertionError("nothing was asked")

    async def close(self, *, goodbye: bool) -> None:
        """Stop listening; there is nobody to take leave of."""
        await self._scan.close()

    def abort(self) -> None:
        """Stop at once."""
        self._scan.abort()

    # --- what is heard -------------------------------------------------------------------------------------------

    def _heard(self, advert: Advert) -> None:
        data = advert.manufacturers.get(APPLE)
        if data is None:
            return
        told = decode(data)
        if told is None:
            return
        self._sink.heard(data)
        if isinstance(told, Reject):
            self._sink.rejected(told, data)
            return
        now = self._time()
        for left in self._roll.note(told.colour, advert.address, now):
            self._windows.pop(left, None)
            self._signal_t.pop(left, None)
        if isinstance(told, TiltFirmware):
            self._sink.alive(told.colour)
            return
        samples = self._samples(advert.address, Sample(now, told))
        member = self._report(told.colour, advert.address, samples)
        if member:
            self._report_signal(member, advert, now)

    def _samples(self, address: str, sample: Sample) -> tuple[Sample, ...]:
        """The latest of this Tilt. What no beer can have stands alone, or it would spoil those that follow."""
        if not is_plausible(sample.report):
            return (sample,)
        window = self._windows.setdefault(address, deque(maxlen=MOST_REPORTS))
        window.append(sample)
        return tuple(window)

    def _report(self, colour: str, address: str, samples: tuple[Sample, ...]) -> str:
        """Report by the right name; that name, empty if nobody takes what is told under it."""
        roll = self._roll
        if roll.is_claimed(address):
            self._tell(address, samples)
            return address
        rivals = roll.rivals(colour)
        if len(rivals) > 1:
            text = f"several {colour} Tilts are heard ({', '.join(rivals)}): name yours by its address"
            self._sink.rejected(Reject("two_of_a_colour", text))
        elif roll.is_claimed(colour):
            self._tell(colour, samples)
            return colour
        # A device that was added while we listen makes itself known by taking what is told.
        for member in (address,) if len(rivals) > 1 else (address, colour):
            if self._tell(member, samples):
                roll.claim(member)
                return member
        return ""

    def _tell(self, member: str, samples: tuple[Sample, ...]) -> bool:
        return self._sink.observed(Batch(member, LIVE, samples))

    def _report_signal(self, member: str, advert: Advert, now: float) -> None:
        before_t = self._signal_t.get(advert.address)
        if before_t is None or now - before_t >= SIGNAL_EVERY_S:
            self._signal_t[advert.address] = now
            self._sink.observed(Batch(member, SIGNAL, advert.rssi))
