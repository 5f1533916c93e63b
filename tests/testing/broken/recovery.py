"""Drivers that do not come back, or bring something of the old session along."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from holdfast.errors import LoginRefused, Unreachable, WrongDevice
from holdfast.link.driver import Family
from holdfast.link.stream import StreamSession
from holdfast.transports.tcp import dial_tcp
from tests.link.toys import lockstep
from tests.testing.benches import LockstepBench
from tests.testing.broken.driver import BrokenDriver, afresh, lamp

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from holdfast.link.driver import Driver
    from holdfast.link.session import OpenLimits, Session, Sink
    from holdfast.model import Adapter, Device, Identity
    from holdfast.simulation import VirtualLoop


def _owner() -> Callable[..., Session]:
    """A session that takes possession of its path, and gives it back only at a goodbye."""
    taken = [False]

    class PossessiveSession(StreamSession):
        async def open(self, limits: OpenLimits) -> Identity | None:
            if taken[0]:
                raise Unreachable("the port is in use")
            identity = await super().open(limits)
            taken[0] = True
            return identity

        async def close(self, *, goodbye: bool) -> None:
            if goodbye:
                taken[0] = False
            await super().close(goodbye=goodbye)

    return PossessiveSession


class HastySession(StreamSession):
    """Takes every failure of the dial for a refused login."""

    async def open(self, limits: OpenLimits) -> Identity | None:
        try:
            return await super().open(limits)
        except Unreachable as fault:
            raise LoginRefused("the device does not let us in") from fault


def _counted() -> Callable[..., Session]:
    """A session that takes the number of its life for the device's."""
    lives = [0]

    class NumberedSession(StreamSession):
        async def open(self, limits: OpenLimits) -> Identity | None:
            lives[0] += 1
            if lives[0] > 2:
                raise WrongDevice(f"device {lives[0]} answers, not 1 or 2")
            return await super().open(limits)

    return NumberedSession


def _with_memory() -> Callable[[str], Any]:
    """One codec for all sessions."""
    codecs: dict[str, lockstep.LineCodec] = {}

    class Shared(lockstep.LineCodec):
        def __init__(self, password: str) -> None:
            super().__init__(password)
            codecs.setdefault("one", self)

        def feed(self, data: bytes) -> Any:
            one = codecs["one"]
            return super().feed(data) if one is self else one.feed(data)

        @property
        def is_partial(self) -> bool:
            return False

    return Shared


def _one_for_all(loop: VirtualLoop) -> LockstepBench:
    made: list[StreamSession] = []

    def prepare(device: Device, adapter: Adapter) -> Driver:
        def connect(drivers: Sequence[Driver], sink: Sink) -> Session:
            if not made:
                codec = lockstep.LineCodec(adapter.password)
                made.append(StreamSession(dial_tcp(adapter.url, lockstep.PORT), codec, sink))
            return made[0]

        return replace(lockstep.prepare(device, adapter), connect=connect)

    return LockstepBench(loop, Family("lockstep", prepare))


BROKEN = (
    BrokenDriver(
        "possession of the path",
        "recovers_after_silence",
        "in use",
        afresh(lambda: lamp(session=_owner())),
    ),
    BrokenDriver(
        "every failure is a refused login",
        "recovers_after_refusal",
        "a refused connection was told as login_refused",
        lamp(session=HastySession),
    ),
    BrokenDriver(
        "two lives at most",
        "recovers_after_a_loss",
        "device 3 answers",
        afresh(lambda: lamp(session=_counted())),
    ),
    BrokenDriver(
        "one buffer for all sessions",
        "begins_each_session_anew",
        "rejects in a session whose device spoke without fault",
        afresh(lambda: lamp(codec=_with_memory())),
    ),
    BrokenDriver(
        "one session for ever", "makes_each_session_anew", "returned StreamSession again", _one_for_all
    ),
)
