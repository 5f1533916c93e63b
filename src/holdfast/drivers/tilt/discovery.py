"""Device discovery of Tilts: listening for a while, and telling who was heard."""

from __future__ import annotations

import asyncio
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

from holdfast.drivers.tilt.codec import APPLE, TiltReport, decode, is_plausible
from holdfast.link.discovery import Discover, Discovery, Found, Sweep
from holdfast.model import Reject
from holdfast.transports.adverts import START_S, Advert, AdvertScan, ScannerFactory, bleak_scanner
from holdfast.transports.ble import require_ble

if TYPE_CHECKING:
    from collections.abc import Iterable

    from holdfast.errors import LinkFault

CLASSIC: Final = "Tilt"
PRO: Final = "Tilt Pro"

_FIRMWARE_ONLY: Final = "it told the version of its firmware and no reading; listen longer"
_IMPLAUSIBLE: Final = "what it measures now is no reading of a beer"
_RIVALS: Final = "several Tilts of this colour are heard, so it is named by its address"


class Heard(NamedTuple):
    """One Tilt, by what it said last."""

    colour: str
    address: str
    signal_dbm: int
    report: TiltReport | None = None
    """Its latest measurement; ``None``: it sent none."""


def discovery(make: ScannerFactory = bleak_scanner) -> Discover:
    """The family's discovery, with another scanner than that of this machine's radio."""
    return partial(_discover, make)


async def _discover(make: ScannerFactory, sweep: Sweep) -> Discovery:
    await asyncio.to_thread(require_ble)
    heard: dict[str, Heard] = {}
    lost: asyncio.Future[LinkFault] = asyncio.get_running_loop().create_future()
    scan = AdvertScan("", partial(_note, heard), lost.set_result, make)
    try:
        await scan.open(START_S)
        await asyncio.wait({lost}, timeout=sweep.seconds)
    finally:
        await scan.close()
    if lost.done():
        raise lost.result()
    return Discovery(told(heard.values()))


def _note(heard: dict[str, Heard], advert: Advert) -> None:
    said = decode(advert.manufacturers.get(APPLE, b""))
    if said is None or isinstance(said, Reject):
        return
    before = heard.get(advert.address)
    report = said if isinstance(said, TiltReport) else before.report if before else None
    heard[advert.address] = Heard(said.colour, advert.address, advert.rssi, report)


def told(heard: Iterable[Heard]) -> list[Found]:
    """Those that were heard, by colour. Where two share a colour their addresses tell them apart."""
    everybody = sorted(heard)
    of_colour = Counter(each.colour for each in everybody)
    return [_found(each, is_alone=of_colour[each.colour] == 1) for each in everybody]


def _found(tilt: Heard, *, is_alone: bool) -> Found:
    report = tilt.report
    notes = [] if is_alone else [_RIVALS]
    if report is None:
        notes.append(_FIRMWARE_ONLY)
    elif not is_plausible(report):
        notes.append(_IMPLAUSIBLE)
    return Found(
        driver="tilt",
        url=f"ble://{tilt.colour if is_alone else tilt.address}",
        name=f"Tilt {tilt.colour}",
        model="" if report is None else PRO if report.is_pro else CLASSIC,
        mac=tilt.address,
        kind=tilt.colour,
        signal_dbm=float(tilt.signal_dbm),
        values={}
        if report is None
        else {"temperature": float(report.temperature), "gravity": float(report.gravity)},
        note="; ".join(notes),
    )
