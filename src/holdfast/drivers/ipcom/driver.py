"""What the core needs to know of an IPCom controller: one adapter of one device, ready to be linked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from holdfast.drivers.ipcom.capabilities import capabilities, projection, proofs
from holdfast.drivers.ipcom.codec import GROUP, KEEP_ALIVE, MEMBER, SNAPSHOT, IpcomCodec
from holdfast.drivers.ipcom.login import PlainMode
from holdfast.drivers.ipcom.options import REPLY_S, SILENCE_S, parse_options
from holdfast.drivers.ipcom.planner import IpcomPlanner
from holdfast.link.driver import Driver, Family, KeepAlive, LinkTiming, Poll, Trait
from holdfast.link.session import Endpoint
from holdfast.link.stream import StreamSession
from holdfast.transports.tcp import dial_tcp

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.link.session import Session, Sink
    from holdfast.model import Adapter, Device

SPACING_S: Final = 0.2
"""Least time between two writes, for the device's sake. Source: an earlier client's intention; design.md."""
ACK_S: Final = 0.03
"""How long to wait for the reply to a write before reading back, until replies have been seen: design.md."""
REREAD_S: Final = 0.1
"""A second confirming read so long after the first: core.md section 3. Most buses have carried the write by then."""
JUNK_LIMIT: Final = 512
"""Undecodable bytes after which the session is dropped: fact sheet section 6."""


def prepare(device: Device, adapter: Adapter) -> Driver:
    """Read the options and make the driver; raises `ConfigurationError` with the path to what is wrong.

    Whether the next session goes without obfuscation (the device asked, and ``allow_plain`` is set) is remembered here,
    for the life of the driver.
    """
    options = parse_options(device, adapter)
    mode = PlainMode()

    def connect(drivers: Sequence[Driver], sink: Sink) -> Session:
        return StreamSession(dial_tcp(options.host, options.port), IpcomCodec(options, mode), sink)

    planner = IpcomPlanner(options)
    return Driver(
        name=IPCOM.name,
        traits=Trait.POLLED | Trait.WRITES | Trait.LOGIN,
        # What a second client does to the controller is unknown: one at a time.
        endpoint=Endpoint("tcp", options.address, options.host, is_exclusive=True),
        connect=connect,
        capabilities=capabilities(options),
        timing=LinkTiming(
            silence_s=SILENCE_S,
            dial_s=options.dial_s,
            login_first_s=options.login_first_s,
            login_s=options.login_s,
            spacing_s=SPACING_S,
            ack_s=ACK_S,
            reread_s=REREAD_S,
            junk_limit=JUNK_LIMIT,
        ),
        project=projection(options),
        polls=[Poll(SNAPSHOT, MEMBER, GROUP, options.poll_s, REPLY_S)],
        keep_alive=KeepAlive(KEEP_ALIVE, options.keepalive_s) if options.keepalive_s else None,
        planner=planner,
        is_guarding=planner.is_guarding,
        shows=proofs(options),
        options=options,
    )


IPCOM: Final = Family("ipcom", prepare)
"""Controllers of the IPCom family, sold as Home Anywhere Blue."""
