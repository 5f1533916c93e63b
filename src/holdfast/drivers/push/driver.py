"""What the core needs to know of a device whose readings are posted: one adapter of one device, ready to be linked."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from holdfast.drivers.push.fitting import misfit
from holdfast.drivers.push.inbox import PushInbox, PushSession
from holdfast.drivers.push.options import parse_options
from holdfast.link.driver import Driver, Family, LinkTiming, OnSilence, Trait
from holdfast.link.session import Endpoint

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from holdfast.link.session import Session, Sink
    from holdfast.model import Adapter, Capability, Device, Reject, Value

SILENCE_SHARE: Final = 0.5
"""Of the shortest deadline. Silence drops no session here; it only has to be noticed before a value is stale."""


@dataclass(frozen=True, slots=True)
class PushOptions:
    """What the hub asks the driver for: see `holdfast.link.inbox.HasInbox`."""

    inbox: PushInbox


def prepare(device: Device, adapter: Adapter) -> Driver:
    """Read the options and make the driver; raises `ConfigurationError` with the path to what is wrong.

    The inbox lives as long as the driver; its address is the adapter's own, since nobody shares it.
    """
    declared = parse_options(device, adapter)
    inbox = PushInbox(declared)
    known = {each.key: each for each in declared.capabilities}

    def connect(drivers: Sequence[Driver], sink: Sink) -> Session:
        return PushSession(inbox, sink)

    return Driver(
        name=PUSH.name,
        traits=Trait.PASSIVE | Trait.LISTENER,
        endpoint=Endpoint("push", f"{device.id}/{adapter.id}"),
        connect=connect,
        capabilities=declared.capabilities,
        timing=LinkTiming(
            silence_s=declared.shortest_deadline_s * SILENCE_SHARE,
            on_silence=OnSilence.WAIT,
        ),
        check=partial(_check, known),
        project=_project,
        options=PushOptions(inbox),
    )


def _check(known: Mapping[str, Capability], member: str, group: str, raw: Any, before: Any) -> Reject | None:
    return misfit(known[group], raw)


def _project(member: str, group: str, raw: Any, before: Mapping[str, Value]) -> Mapping[str, Value]:
    return {group: raw}


PUSH: Final = Family("push", prepare)
"""Sensors that post their readings to the hub."""
