"""An earlier configuration written as a site, with a comment wherever a person has the last word."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from holdfast.hub.site.earlier.note import Note
from holdfast.hub.site.earlier.plainly import flag, line, masked, whole
from holdfast.hub.site.earlier.solarhub.choices import batteries_of, unanimous
from holdfast.hub.site.earlier.solarhub.takeover import Takeover
from holdfast.hub.site.earlier.solarhub.ways import BUS, KINDS, RADIO, ways_of
from holdfast.hub.site.problems import shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from holdfast.hub.site.earlier.solarhub.earlier import Earlier, EarlierAdapter, EarlierArray, EarlierPack
    from holdfast.hub.site.earlier.solarhub.ways import Way
    from holdfast.hub.site.problems import Findings, Place

_NOT_IN_IDS: Final = re.compile(r"[^a-z0-9_-]+")
_ID: Final = "home"


def write(earlier: Earlier, findings: Findings) -> Takeover:
    """The site. What is wrong with the earlier configuration is noted in ``findings``, beside what is there already."""
    return _Writing(earlier, findings).takeover()


class _Writing:
    def __init__(self, earlier: Earlier, findings: Findings) -> None:
        self._earlier = earlier
        self._findings = findings
        self._comments: dict[Place, str] = {}
        self._notes = list(earlier.notes)
        self._devices: list[dict[str, Any]] = []
        self._ids: dict[str, str] = {}
        """Ids of the site by ids of packs."""

    def takeover(self) -> Takeover:
        head = self._head()
        for pack in self._earlier.packs:
            self._add_pack(pack)
        mapping: dict[str, Any] = {"site": head, "devices": self._devices}
        arrays = self._arrays()
        if arrays:
            mapping["arrays"] = arrays
        return Takeover(
            mapping=mapping,
            comments=self._comments,
            reports=self._findings.problems,
            notes=tuple(Note(each.text, masked(each.data)) for each in self._notes),
        )

    def _comment(self, place: Place, text: str) -> None:
        before = self._comments.get(place)
        self._comments[place] = f"{before}\n{text}" if before else text

    def _head(self) -> dict[str, str]:
        earlier = self._earlier
        head = {"id": _slug(earlier.id) or _ID}
        if line(earlier.name):
            head["name"] = line(earlier.name)
        if line(earlier.timezone):
            head["timezone"] = line(earlier.timezone)
        if earlier.systems:
            names = ", ".join(map(shown, earlier.systems))
            self._comment(
                ("site",), f"There were further systems: {names}. All packs stand in this one file."
            )
        return head

    # --- packs ---------------------------------------------------------------------------------------------------

    def _add_pack(self, pack: EarlierPack) -> None:
        usable = [each for each in pack.adapters if each.kind in KINDS]
        for each in pack.adapters:
            if each.kind not in KINDS:
                text = f"no driver for the type {shown(each.kind)}: left out"
                self._findings.note(each.path, text, f"there are drivers for {' and '.join(KINDS)}")
                self._notes.append(Note(f"an adapter of {_called(pack)}", {"type": each.kind, **each.config}))
        if pack.data:
            self._notes.append(Note(f"what is written of {_called(pack)}", pack.data))
        if not usable:
            self._findings.note(pack.path, "no adapter that there is a driver for: the pack is left out")
            return
        ident = self._new_id(pack)
        at = len(self._devices)
        place: Place = ("devices", at)
        device: dict[str, Any] = {"id": ident}
        if line(pack.name) and line(pack.name) != ident:
            device["name"] = line(pack.name)
        device["adapters"] = self._adapters(usable, place)
        options = self._batteries(pack, usable, place)
        if options:
            device["options"] = options
        self._devices.append(device)

    def _new_id(self, pack: EarlierPack) -> str:
        ident = _free(_slug(pack.id) or "pack", self._ids.values())
        if ident != pack.id:
            text = f"{shown(pack.id)} is called {ident} now"
            self._findings.note(pack.path, text, "ids are lower case letters, digits, _ and -")
        self._ids.setdefault(pack.id, ident)
        return ident

    def _batteries(
        self, pack: EarlierPack, usable: Sequence[EarlierAdapter], place: Place
    ) -> dict[str, Any] | None:
        found = batteries_of(pack, [each for each in usable if each.kind == BUS], self._findings)
        self._comment(place, found.comment)
        return {"batteries": dict(found.names)} if found.names else None

    # --- adapters ------------------------------------------------------------------------------------------------

    def _adapters(self, adapters: Sequence[EarlierAdapter], device: Place) -> list[dict[str, Any]]:
        written: list[dict[str, Any]] = []
        for adapter in adapters:
            ways = ways_of(adapter.kind, adapter.config, partial(self._say, adapter.path))
            for way in ways:
                place: Place = (*device, "adapters", len(written))
                taken = [str(each["id"]) for each in written]
                written.append(self._adapter(adapter, way, len(ways) > 1, taken, place))
            self._tell_once(adapter)
        self._tell_ties(adapters)
        return written

    def _say(self, place: Place, key: str, text: str, advice: str) -> None:
        self._findings.note((*place, key) if key else place, text, advice)

    def _adapter(
        self, adapter: EarlierAdapter, way: Way, is_one_of_several: bool, taken: Sequence[str], place: Place
    ) -> dict[str, Any]:
        ident = _slug(adapter.id)
        if ident and is_one_of_several:
            ident = f"{ident}-{(way.nth or 0) + 1}"
        written: dict[str, Any] = {"id": _free(ident or way.name, taken), "driver": "jkbms"}
        if way.url:
            written["url"] = way.url
        if way.todo:
            self._comment(place, way.todo)
        priority, enabled = unanimous(adapter.priority, whole), unanimous(adapter.enabled, flag)
        if isinstance(priority.value, int):
            written["priority"] = priority.value
        if priority.conflict:
            self._comment(place, f"Decide the priority: {priority.conflict}. Until then it is 1.")
        if enabled.value is False:
            written["enabled"] = False
        if enabled.conflict:
            self._comment(place, f"Decide whether it is enabled: {enabled.conflict}. Until then it is true.")
        if adapter.misfit:
            written["enabled"] = False
            self._comment(place, f"Not used, because {adapter.misfit}.")
        if adapter.kind == RADIO:
            self._battery(adapter, way, written, place)
        return written

    def _battery(self, adapter: EarlierAdapter, way: Way, written: dict[str, Any], place: Place) -> None:
        """The battery behind Bluetooth, if the adapter's own list of addresses has one in the same position."""
        stated = adapter.config.get("battery_addresses")
        index = way.nth or 0
        if isinstance(stated, list | tuple) and index < len(stated) and whole(stated[index]) is not None:
            written["battery"] = whole(stated[index])
            return
        which = f" (battery {index + 1} of its list)" if way.nth is not None else ""
        self._comment(
            place,
            f"Fill in the bus address of the battery behind it{which}, 0 to 15, such as\nbattery: {index}",
        )

    def _tell_once(self, adapter: EarlierAdapter) -> None:
        for what, said in (
            ("priority", unanimous(adapter.priority, whole)),
            ("enabled", unanimous(adapter.enabled, flag)),
        ):
            if said.conflict:
                text = f"{what} is said differently: {said.conflict}"
                self._findings.note((*adapter.path, what), text, "left out of the site file: decide there")
            if said.nonsense:
                self._findings.note((*adapter.path, what), f"{what} is left out: {said.nonsense}")
        if adapter.misfit:
            self._findings.note(
                adapter.path, adapter.misfit, "it is taken over disabled; the others are not touched"
            )

    def _tell_ties(self, adapters: Sequence[EarlierAdapter]) -> None:
        """Two that were given the same rank on purpose: their order in the list decides, then as now."""
        first: dict[int, EarlierAdapter] = {}
        for each in adapters:
            rank = unanimous(each.priority, whole).value
            if not isinstance(rank, int) or each.misfit or unanimous(each.enabled, flag).value is False:
                continue
            other = first.setdefault(rank, each)
            if other is not each:
                text = f"priority {rank} is also that of {_adapter_name(other)}"
                self._findings.note((*each.path, "priority"), text, "the one that stands first is preferred")

    # --- arrays --------------------------------------------------------------------------------------------------

    def _arrays(self) -> list[dict[str, Any]]:
        homes: dict[str, list[EarlierArray]] = {}
        for array in self._earlier.arrays:
            for pack in dict.fromkeys(array.packs):
                homes.setdefault(pack, []).append(array)
        written: list[dict[str, Any]] = []
        for at, array in enumerate(self._earlier.arrays):
            place: Place = ("arrays", at)
            ident = _free(_slug(array.id) or "array", [str(each["id"]) for each in written])
            entry: dict[str, Any] = {"id": ident}
            if line(array.name) and line(array.name) != ident:
                entry["name"] = line(array.name)
            entry["packs"] = self._packs_of(array, homes, place)
            attached = self._attached_to(array, place)
            if attached:
                entry["attached_to"] = attached
            written.append(entry)
        return written

    def _packs_of(
        self, array: EarlierArray, homes: Mapping[str, Sequence[EarlierArray]], place: Place
    ) -> list[str]:
        known = {pack.id for pack in self._earlier.packs}
        packs: list[str] = []
        for pack in dict.fromkeys(array.packs):
            if pack not in known:
                self._findings.note(array.path, f"{shown(pack)} is no battery pack: left out")
            elif pack not in self._ids:
                self._comment(place, f"Its pack {shown(pack)} has no adapter that there is a driver for.")
            elif len(homes[pack]) > 1:
                names = " and ".join(shown(each.id) for each in homes[pack])
                text = f"{shown(pack)} is in {names}"
                self._findings.note(array.path, text, "left out of each: decide in the site file")
                self._comment(place, f"Decide the array of {self._ids[pack]}: it was in {names}.")
            else:
                packs.append(self._ids[pack])
        return packs

    def _attached_to(self, array: EarlierArray, place: Place) -> str:
        open_ones = list(dict.fromkeys(each for each in map(line, array.attached_to) if each))
        if len(open_ones) <= 1:
            return open_ones[0] if open_ones else ""
        names = " and ".join(map(shown, open_ones))
        self._findings.note(array.path, f"attached to {names} at once", "left out: decide in the site file")
        self._comment(place, f"Decide what it is attached to: {names} were both current.")
        return ""


def _slug(ident: str) -> str:
    return _NOT_IN_IDS.sub("-", ident.lower()).strip("-_")


def _free(ident: str, taken: Any) -> str:
    """The id, with a number behind it if it is in use."""
    used = set(taken)
    number, free = 2, ident
    while free in used:
        free, number = f"{ident}-{number}", number + 1
    return free


def _called(pack: EarlierPack) -> str:
    return f"the pack {shown(pack.id)}"


def _adapter_name(adapter: EarlierAdapter) -> str:
    return shown(adapter.id) if adapter.id else f"the adapter {shown(adapter.kind)}"
