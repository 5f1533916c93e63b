"""What the core needs to know of a Tilt: one adapter of one device; all Tilts of a radio share its one link."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from holdfast.drivers.tilt.discovery import discovery
from holdfast.drivers.tilt.options import parse_options
from holdfast.drivers.tilt.session import TiltSession
from holdfast.drivers.tilt.values import capabilities, projection
from holdfast.link.driver import Driver, Family, LinkTiming, OnSilence, Trait
from holdfast.link.session import Endpoint
from holdfast.transports.adverts import QUIET_S, START_S, ScannerFactory, bleak_scanner

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.link.session import Session, Sink
    from holdfast.model import Adapter, Device


def family(make: ScannerFactory = bleak_scanner) -> Family:
    """The family, with another scanner than that of this machine's radio."""
    return Family("tilt", partial(_prepare, make), discovery(make))


def _prepare(make: ScannerFactory, device: Device, adapter: Adapter) -> Driver:
    """Read the options and make the driver; raises `ConfigurationError` with the path to what is wrong."""
    options = parse_options(device, adapter)

    def connect(drivers: Sequence[Driver], sink: Sink) -> Session:
        members = frozenset[str]().union(*(each.members for each in drivers))
        return TiltSession(options.radio, members, sink, make)

    return Driver(
        name=TILT.name,
        traits=Trait.PASSIVE | Trait.LISTENER | Trait.MEMBERS | Trait.LIBRARY,
        endpoint=_endpoint(options.radio),
        connect=connect,
        capabilities=capabilities(options),
        # A Tilt that is silent is out of reach: reopening cures nothing. A scan that hears nobody sees to itself.
        timing=LinkTiming(silence_s=QUIET_S, dial_s=START_S, on_silence=OnSilence.WAIT),
        project=projection(options),
        members=frozenset({options.member}),
        options=options,
    )


def _endpoint(radio: str) -> Endpoint:
    address = f"adverts/{radio}" if radio else "adverts"
    return Endpoint("ble", address, address)  # listening takes no turn from those who connect


TILT: Final = family()
"""Floating hydrometers of the make Tilt, classic and Pro."""
