"""A toy with nothing to open: sensors that shout into the room, heard by one radio."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from holdfast.link.driver import Driver, Family, LinkTiming, OnSilence, Trait
from holdfast.link.session import Endpoint, Job, OpenLimits, Sink
from holdfast.model import Adapter, Batch, Capability, Device, Identity, Periodic, Value, ValueType

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Room:
    """What all radios in it hear."""

    def __init__(self) -> None:
        self.ears: list[ListenerSession] = []

    def shout(self, colour: str, temperature: float) -> None:
        for ear in list(self.ears):
            ear.heard(colour, temperature)


ROOM = Room()


class ListenerSession:
    """Registers with the radio and reports what it hears."""

    def __init__(self, room: Room, sink: Sink) -> None:
        self._room = room
        self._sink = sink

    async def open(self, limits: OpenLimits) -> Identity | None:
        self._room.ears.append(self)
        return None

    def heard(self, colour: str, temperature: float) -> None:
        self._sink.observed(Batch(colour, "live", temperature))

    def start(self, job: Job) -> None:
        raise AssertionError("there is nothing to ask")

    def forget(self, job: Job) -> None:
        raise AssertionError("nothing was asked")

    async def close(self, *, goodbye: bool) -> None:
        self.abort()

    def abort(self) -> None:
        if self in self._room.ears:
            self._room.ears.remove(self)


def prepare(device: Device, adapter: Adapter) -> Driver:
    colour = adapter.url

    def project(member: str, group: str, raw: Any, before: Mapping[str, Value]) -> Mapping[str, Value]:
        return {"temperature": raw}

    def connect(drivers: Sequence[Driver], sink: Sink) -> ListenerSession:
        return ListenerSession(ROOM, sink)

    return Driver(
        name="advert",
        traits=Trait.PASSIVE | Trait.LISTENER | Trait.MEMBERS,
        endpoint=Endpoint("radio", "0"),
        connect=connect,
        capabilities=[
            Capability(
                key="temperature", type=ValueType.NUMBER, unit="°C", member=colour, freshness=Periodic(240.0)
            )
        ],
        timing=LinkTiming(silence_s=120.0, on_silence=OnSilence.WAIT),
        project=project,
        members=frozenset({colour}),
    )


ADVERT = Family("advert", prepare)
