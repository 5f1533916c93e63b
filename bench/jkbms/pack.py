"""A pack at work without a socket: the real driver, session, link and device; bytes are handed to the session.

What a wire would bring is given to `Pack.feed`; what a page would show is read from `Pack.shown`.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from holdfast.clock import LoopClock
from holdfast.drivers.jkbms.calls import LIVE
from holdfast.drivers.jkbms.codec import JkBusCodec
from holdfast.drivers.jkbms.driver import JKBMS
from holdfast.link.core import Core
from holdfast.link.device import LinkedDevice
from holdfast.link.link import Link
from holdfast.link.stream import StreamSession
from holdfast.link.supervisor import LinkSupervisor
from holdfast.model import Adapter, Device

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from holdfast.link.driver import Driver
    from holdfast.link.evidence import GroupEvidence
    from holdfast.link.session import Sink
    from holdfast.model import Reading, Value

STALE_AFTER_S = 30.0
"""The deadline of every battery's values; the default of the driver."""
OPENING_S = 60.0
"""How long opening may take, in loop time; without a socket it takes a few turns of the loop."""


class Wire(asyncio.Transport):
    """The other end: takes what is written, closes when told to."""

    def __init__(self, protocol: asyncio.Protocol) -> None:
        super().__init__()
        self.written = b""
        self._protocol = protocol
        self._is_closing = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Keep it."""
        self.written += bytes(data)

    def close(self) -> None:
        """Gone in the next turn of the loop, once."""
        if not self._is_closing:
            self._is_closing = True
            asyncio.get_running_loop().call_soon(self._protocol.connection_lost, None)

    def abort(self) -> None:
        """Gone at once."""
        self.close()

    def is_closing(self) -> bool:
        """Whether it was closed."""
        return self._is_closing


class Told:
    """A listener that only counts: what it was told of, by kind."""

    def __init__(self) -> None:
        self.readings = 0
        self.alarms: Counter[str] = Counter()

    def readings_changed(self, device: LinkedDevice, keys: Sequence[str]) -> None:
        """So many readings are different now."""
        self.readings += len(keys)

    def alarm_changed(self, device: LinkedDevice, key: str, text: str, *, is_on: bool) -> None:
        """Something strange began or ended."""
        self.alarms[key] += is_on

    def receipt_changed(self, *_: object) -> None:
        """Nothing is commanded."""

    def availability_changed(self, *_: object) -> None:
        """Nobody asks."""

    def order_changed(self, *_: object, **__: object) -> None:
        """Nothing is ordered."""

    def attempt_sent(self, *_: object) -> None:
        """Nothing is sent."""

    def attempt_ended(self, *_: object) -> None:
        """Nothing was sent."""

    def adapter_decided(self, *_: object) -> None:
        """There is but one adapter."""

    def capabilities_learned(self, *_: object) -> None:
        """Cells and sensors show themselves once."""


class Pack:
    """One device over one bus, with these batteries. Made and opened in a running loop."""

    def __init__(self, addresses: Iterable[int]) -> None:
        self.loop = asyncio.get_running_loop()
        options: dict[str, Any] = {
            "batteries": {address: f"battery {address}" for address in sorted(addresses)},
            "stale_after_s": STALE_AFTER_S,
        }
        adapter = Adapter(id="bus", driver=JKBMS.name, url="tcp://192.0.2.1:8899")
        device = Device(id="pack", name="Pack", adapters=(adapter,), options=options)
        self.codec = JkBusCodec()
        self.core = Core(LoopClock(self.loop))
        self.told = Told()
        self.device = LinkedDevice(self.core, device, self.told)
        driver = replace(JKBMS.prepare(device, adapter), connect=self._connect)
        self.link = Link(self.core, driver.endpoint)
        self.device.attach(adapter, driver, self.link)
        self._supervisor = LinkSupervisor(self.link)
        self._session: StreamSession

    async def open(self) -> None:
        """Connect; bytes are welcome afterwards."""
        self._supervisor.start()
        async with asyncio.timeout(OPENING_S):
            while not self.link.has_session:  # noqa: ASYNC110 - a few turns of the loop, once
                await asyncio.sleep(0)

    async def close(self) -> None:
        """Leave nothing behind."""
        self.device.retire()
        await self._supervisor.stop()
        self.core.close()

    @property
    def feed(self) -> Callable[[bytes], None]:
        """What takes bytes from the wire."""
        return self._session.data_received

    # --- what is known ------------------------------------------------------------------------------------------

    def evidence(self, address: int, group: str = LIVE) -> GroupEvidence:
        """What has been seen of a battery."""
        return self.device.evidence_of(str(address), group)

    def values(self, address: int, group: str = LIVE) -> Mapping[str, Value]:
        """The last believed values of a battery, without its address in front."""
        start = len(str(address)) + 1
        return {key[start:]: value for key, value in self.evidence(address, group).values.items()}

    def readings(self, address: int) -> dict[str, Reading]:
        """What a page would show of a battery's live values now, by key without the address."""
        start = len(str(address)) + 1
        return {each.key[start:]: self.device.reading(each) for each in self.evidence(address).capabilities}

    # --- inside -------------------------------------------------------------------------------------------------

    def _connect(self, drivers: Sequence[Driver], sink: Sink) -> StreamSession:
        async def dial(factory: Any, limit_s: float) -> asyncio.Transport:
            protocol = factory()
            wire = Wire(protocol)
            protocol.connection_made(wire)
            return wire

        self._session = StreamSession(dial, self.codec, sink, are_answers_named=True)
        return self._session
