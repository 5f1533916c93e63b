"""The earlier configuration, wherever it stood: packs, the adapters of each, and arrays."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from holdfast.hub.site.earlier.note import Note
    from holdfast.hub.site.problems import Place


class Said(NamedTuple):
    """One place's word on a value. The earlier program kept priority and enabled twice: fact sheet section 15, 19."""

    where: str
    value: object


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierAdapter:
    """One way to a pack. ``path`` is where it stands; ``misfit`` says why it cannot be this pack's."""

    path: Place
    id: str
    kind: str
    config: Mapping[Any, Any]
    priority: Sequence[Said] = ()
    enabled: Sequence[Said] = ()
    misfit: str = ""


@dataclass(frozen=True, slots=True)
class EarlierBattery:
    """One battery of a pack. ``about`` is what else was known of it, such as its serial number."""

    name: str
    about: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierPack:
    """A pack with its adapters and batteries, both in their order; ``data`` is what the site has no keys for."""

    path: Place
    id: str
    name: str
    adapters: Sequence[EarlierAdapter]
    batteries: Sequence[EarlierBattery] = ()
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierArray:
    """Packs that belong together. ``attached_to`` holds every inverter array it is attached to now: one, one hopes."""

    path: Place
    id: str
    name: str
    packs: Sequence[str]
    attached_to: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """All of it. ``systems`` are names of systems beyond the one that gives the site its name."""

    id: str = ""
    name: str = ""
    timezone: str = ""
    systems: Sequence[str] = ()
    packs: Sequence[EarlierPack] = ()
    arrays: Sequence[EarlierArray] = ()
    notes: Sequence[Note] = ()
