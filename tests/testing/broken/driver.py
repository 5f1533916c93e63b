"""What a broken driver is, and how the toys are broken."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from holdfast.link.coro import CoroSession
from holdfast.link.driver import Family
from holdfast.link.stream import StreamSession
from holdfast.transports.tcp import dial_tcp
from tests.link.toys import advert, bus, library, lockstep
from tests.testing.benches import CHECKED_BUS, AdvertBench, BusBench, LibraryBench, LockstepBench

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from holdfast.errors import LinkFault
    from holdfast.link.driver import Driver
    from holdfast.link.session import End, Job, Session, Sink
    from holdfast.model import Adapter, Batch, Capability, Device, Reject, Stamp
    from holdfast.simulation import VirtualLoop
    from holdfast.testing import Bench


class BrokenDriver(NamedTuple):
    """``breaks`` names the clause that must catch it; ``seen`` is part of what the clause must say that it saw."""

    name: str
    breaks: str
    seen: str
    make_bench: Callable[[VirtualLoop], Bench]


def lamp(
    session: Callable[..., Any] = StreamSession,
    codec: Callable[[str], Any] = lockstep.LineCodec,
    **parts: Any,
) -> Callable[[VirtualLoop], Bench]:
    """The lock-step toy with another session, codec or parts."""

    def prepare(device: Device, adapter: Adapter) -> Driver:
        def connect(drivers: Sequence[Driver], sink: Sink) -> Session:
            made: Session = session(dial_tcp(adapter.url, lockstep.PORT), codec(adapter.password), sink)
            return made

        return replace(lockstep.prepare(device, adapter), **{"connect": connect, **parts})

    return lambda loop: LockstepBench(loop, Family("lockstep", prepare))


def gateway(codec: Callable[[], Any] = bus.FrameCodec, **parts: Any) -> Callable[[VirtualLoop], Bench]:
    """The bus toy with another codec or parts."""

    def prepare(device: Device, adapter: Adapter) -> Driver:
        def connect(drivers: Sequence[Driver], sink: Sink) -> Session:
            return StreamSession(dial_tcp(adapter.url, bus.PORT), codec(), sink)

        return replace(CHECKED_BUS.prepare(device, adapter), **{"connect": connect, **parts})

    return lambda loop: BusBench(loop, Family("bus", prepare))


def plug(
    session: Callable[..., Any] = CoroSession,
    wrapped: Callable[[library.Plug], Any] = library.PlugLibrary,
    **parts: Any,
) -> Callable[[VirtualLoop], Bench]:
    """The library toy with another session, wrapping or parts."""

    def prepare(device: Device, adapter: Adapter) -> Driver:
        def connect(drivers: Sequence[Driver], sink: Sink) -> Session:
            made: Session = session(wrapped(library.PLUGS[adapter.url]), sink)
            return made

        return replace(library.prepare(device, adapter), **{"connect": connect, **parts})

    return lambda loop: LibraryBench(loop, Family("library", prepare))


def sensor(
    session: Callable[..., Any] = advert.ListenerSession, **parts: Any
) -> Callable[[VirtualLoop], Bench]:
    """The advertisement toy with another session or parts."""

    def prepare(device: Device, adapter: Adapter) -> Driver:
        def connect(drivers: Sequence[Driver], sink: Sink) -> Session:
            made: Session = session(advert.ROOM, sink)
            return made

        return replace(advert.prepare(device, adapter), **{"connect": connect, **parts})

    return lambda loop: AdvertBench(loop, Family("advert", prepare))


def afresh(make: Callable[[], Callable[[VirtualLoop], Bench]]) -> Callable[[VirtualLoop], Bench]:
    """For drivers that remember what they should not: each bench gets one without memories."""
    return make()


class Relay:
    """A sink that passes everything on; broken ones override what they spoil."""

    def __init__(self, sink: Sink) -> None:
        self.sink = sink

    def observed(self, batch: Batch, as_of: Stamp | None = None) -> bool:
        return self.sink.observed(batch, as_of)

    def same(self, member: str, group: str, t: float, n: int) -> None:
        self.sink.same(member, group, t, n)

    def alive(self, member: str = "") -> None:
        self.sink.alive(member)

    def rejected(self, why: Reject, raw: bytes = b"") -> None:
        self.sink.rejected(why, raw)

    def finished(self, job: Job, end: End, text: str = "") -> None:
        self.sink.finished(job, end, text)

    def lost(self, fault: LinkFault) -> None:
        self.sink.lost(fault)

    def found(self, member: str, capabilities: Sequence[Capability]) -> None:
        self.sink.found(member, capabilities)

    def heard(self, data: bytes, *, is_secret: bool = False) -> None:
        self.sink.heard(data)

    def said(self, data: bytes, *, is_secret: bool = False) -> None:
        self.sink.said(data, is_secret=is_secret)
