"""What the core needs to know of a pack of JK batteries behind one path: a bus, or one battery's Bluetooth."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final

from holdfast.drivers.jkbms.calls import ABOUT, LIVE, SETTINGS
from holdfast.drivers.jkbms.capabilities import capabilities, learn, project, recalled
from holdfast.drivers.jkbms.checks import check
from holdfast.drivers.jkbms.codec import JkBleCodec, JkBusCodec, JkPollingCodec
from holdfast.drivers.jkbms.counters import JkCounters
from holdfast.drivers.jkbms.options import JkOptions, parse_options
from holdfast.drivers.jkbms.pack import aggregates
from holdfast.drivers.jkbms.secrecy import hides
from holdfast.link.driver import Driver, Family, LinkTiming, Poll, Trait
from holdfast.link.session import Endpoint
from holdfast.link.stream import Dial, StreamSession
from holdfast.transports.ble import BleAddress, dial_ble
from holdfast.transports.serial import SerialPort
from holdfast.transports.tcp import dial_tcp

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.link.session import Session, Sink
    from holdfast.link.stream_codec import Codec
    from holdfast.model import Adapter, Device

AGAIN_LEAST_S: Final = 8.0
AGAIN_MOST_S: Final = 10.0
"""How long the first battery may take after a reconnect: a third of ``stale_after_s`` within these, at least one slow
frame interval; else failover would wait a minute for nothing (fact sheet section 13)."""
REPLY_S: Final = 0.5
"""A frame and its reply come within 40 ms; gateways add some, so half a second: fact sheet section 11."""
ASK_GAP_S: Final = 0.12
"""Pause between two questions; faster bursts make several batteries answer: fact sheet section 11."""
SETTINGS_EVERY_S: Final = 30.0
"""Settings count once they came twice alike, so this is how long they take to show; a master asks every few seconds
(fact sheet section 2). Device info is never asked for on a bus: it holds passcodes."""
PROOF_LOGIN_S: Final = 12.0
"""Opening for active polling: ten seconds of proven silence and a margin."""
BLE_LOGIN_S: Final = 10.0
"""Two commands with up to three seconds each, and the connection's own settling."""
BLE_DIAL_S: Final = 20.0
"""Finding a Bluetooth device takes as long as its slowest advertising interval, often ten seconds."""
JUNK_LIMIT: Final = 1_000_000
"""Bytes without a frame never end a listening session by themselves: reopening cures no noise, silence judges it."""
GATT: Final = "FFE1"
GATT_SERVICE: Final = "FFE0"
"""One characteristic to write and to be notified by: fact sheet section 11."""


DialBle = Callable[..., Dial]
"""What makes a way to a Bluetooth device: `holdfast.transports.ble.dial_ble`, or a test's own."""


def family(reach_ble: DialBle = dial_ble) -> Family:
    """The family, with another way to Bluetooth devices than this machine's radio."""
    return Family("jkbms", partial(_prepare, reach_ble))


def _prepare(reach_ble: DialBle, device: Device, adapter: Adapter) -> Driver:
    """Read the options and make the driver; raises `ConfigurationError` with the path to what is wrong."""
    options = parse_options(device, adapter)
    counters = JkCounters()

    def connect(drivers: Sequence[Driver], sink: Sink) -> Session:
        is_polling = any(each.options.polling for each in drivers)
        codec = _codec(options, counters, is_polling=is_polling)
        return StreamSession(_dial(options, reach_ble), codec, sink, are_answers_named=True)

    return Driver(
        name=JKBMS.name,
        traits=_traits(options),
        endpoint=_endpoint(options),
        connect=connect,
        capabilities=capabilities(options),
        timing=_timing(options),
        project=project,
        polls=list(_polls(options)),
        check=check,
        # The radio has a 24-bit check of its own, and these come but once a connection.
        confirms=frozenset() if options.battery else frozenset({SETTINGS, ABOUT}),
        members=options.members,
        takes_strangers=not options.members,
        learn=partial(learn, options),
        recall=partial(recalled, options),
        aggregates=aggregates(options),
        counters=counters.as_dict,
        hides=hides,
        options=options,
    )


def _traits(options: JkOptions) -> Trait:
    if options.battery:  # one member, and a library that owns the connection
        return Trait.PASSIVE | Trait.LIBRARY
    return Trait.MEMBERS | (Trait.POLLED if options.polling else Trait.PASSIVE)


def _endpoint(options: JkOptions) -> Endpoint:
    match options.where:
        case SerialPort(path=path):
            return Endpoint("serial", path)
        case BleAddress(address=address):
            return Endpoint("ble", address, "bluetooth")  # one radio: few connects at once
        case where:
            return Endpoint("tcp", str(where), where.host)


def _dial(options: JkOptions, reach_ble: DialBle) -> Dial:
    match options.where:
        case SerialPort() as port:
            return port.dial()
        case BleAddress(address=address):
            return reach_ble(address, service=GATT_SERVICE, notify=GATT, write=GATT)
        case where:
            return dial_tcp(where.host, where.port)


def _codec(options: JkOptions, counters: JkCounters, *, is_polling: bool) -> Codec:
    if options.battery:
        return JkBleCodec(options.battery, counters)
    return JkPollingCodec(counters) if is_polling else JkBusCodec(counters)


def _timing(options: JkOptions) -> LinkTiming:
    is_ble = bool(options.battery)
    login_s = BLE_LOGIN_S if is_ble else PROOF_LOGIN_S
    return LinkTiming(
        silence_s=options.stale_after_s / 2,  # reopened at half the deadline: design.md, failover
        first_data_s=options.discovery_grace_s,
        first_data_again_s=max(AGAIN_LEAST_S, min(AGAIN_MOST_S, options.stale_after_s / 3)),
        ask_gap_s=ASK_GAP_S if options.polling else 0.0,
        dial_s=BLE_DIAL_S if is_ble else 3.0,
        login_first_s=login_s,
        login_s=login_s,
        junk_limit=JUNK_LIMIT,
    )


def _polls(options: JkOptions) -> list[Poll]:
    if not options.polling:
        return []
    rounds = ((LIVE, options.poll_every_s), (SETTINGS, SETTINGS_EVERY_S))
    return [
        Poll(f"{group}:{member}", member, group, every_s, REPLY_S)
        for group, every_s in rounds
        for member in sorted(options.members, key=int)
    ]


JKBMS: Final = family()
"""Batteries with a JK (Jikong) BMS."""
