"""Drivers that mix up who spoke, or speak where they should listen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.link.driver import LinkTiming
from holdfast.model import Batch
from tests.link.toys import bus
from tests.testing.broken.driver import BrokenDriver, gateway, sensor

if TYPE_CHECKING:
    from collections.abc import Iterable

    from holdfast.model import Event

NAMES = {"1": "1", "2": "2", "3": "3"}


class ChorusCodec(bus.FrameCodec):
    """Reports everybody whenever anybody speaks."""

    def __init__(self) -> None:
        super().__init__()
        self._last: dict[str, Batch] = {}

    def feed(self, data: bytes) -> Iterable[Event]:
        for event in super().feed(data):
            if isinstance(event, Batch):
                self._last[event.member] = event
                yield from self._last.values()
            else:
                yield event


class ClosedCircleCodec(bus.FrameCodec):
    """Knows the members by heart."""

    def feed(self, data: bytes) -> Iterable[Event]:
        for event in super().feed(data):
            yield event._replace(member=NAMES[event.member]) if isinstance(event, Batch) else event


class NearestCodec(bus.FrameCodec):
    """Takes a stranger for the last of the members."""

    def feed(self, data: bytes) -> Iterable[Event]:
        for event in super().feed(data):
            yield event._replace(member=NAMES.get(event.member, "3")) if isinstance(event, Batch) else event


class DiscreetCodec(bus.FrameCodec):
    """Hears strangers and tells nobody."""

    def feed(self, data: bytes) -> Iterable[Event]:
        return [
            event for event in super().feed(data) if not isinstance(event, Batch) or event.member in NAMES
        ]


class CourteousCodec(bus.FrameCodec):
    """Says goodbye on a bus."""

    def goodbye(self) -> bytes:
        return b"BYE"


BROKEN = (
    BrokenDriver(
        "one speaks for all",
        "lets_a_silent_member_go_stale_alone",
        "its member has fallen silent",
        gateway(codec=ChorusCodec),
    ),
    BrokenDriver(
        "strangers are an error", "leaves_strangers_alone", "KeyError: '9'", gateway(codec=ClosedCircleCodec)
    ),
    BrokenDriver(
        "strangers are taken for members",
        "leaves_strangers_alone",
        "two/3/voltage is shown as 51.0",
        gateway(codec=NearestCodec),
    ),
    BrokenDriver(
        "strangers are kept secret",
        "leaves_strangers_alone",
        "tells of no stranger",
        gateway(codec=DiscreetCodec),
    ),
    BrokenDriver("a goodbye on the bus", "says_nothing", "3 bytes were sent", gateway(codec=CourteousCodec)),
    BrokenDriver(
        "reopens a radio",
        "waits_out_silence",
        "sessions were opened",
        sensor(timing=LinkTiming(silence_s=120.0)),
    ),
)
