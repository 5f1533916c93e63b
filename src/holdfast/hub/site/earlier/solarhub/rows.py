"""The earlier program's database, as rows. Source for tables and columns: fact sheet section 14."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from holdfast.hub.site.earlier.note import Note
from holdfast.hub.site.earlier.plainly import line, whole
from holdfast.hub.site.earlier.solarhub.attachments import Attachments
from holdfast.hub.site.earlier.solarhub.earlier import (
    Earlier,
    EarlierAdapter,
    EarlierArray,
    EarlierBattery,
    EarlierPack,
    Said,
)
from holdfast.hub.site.earlier.solarhub.writing import write
from holdfast.hub.site.problems import Findings, shown

if TYPE_CHECKING:
    from holdfast.hub.site.earlier.solarhub.takeover import Takeover

Row = Mapping[str, Any]

REQUIRED: Final[Mapping[str, tuple[str, ...]]] = {
    "battery_packs": ("pack_id",),
    "adapters": ("adapter_id", "adapter_type", "config_json"),
    "battery_pack_adapters": ("pack_id", "adapter_id"),
}
"""Without these there is nothing to take over."""
TABLES: Final[Mapping[str, tuple[str, ...]]] = {
    "systems": ("system_id", "name", "timezone"),
    "arrays": ("array_id", "name", "system_id"),
    "inverters": ("inverter_id", "array_id", "system_id", "adapter_id", "name"),
    "battery_arrays": ("battery_array_id", "system_id", "name"),
    "battery_array_attachments": (
        "battery_array_id",
        "inverter_array_id",
        "attached_since",
        "detached_at",
    ),
    "battery_packs": ("pack_id", "name", "battery_array_id", "system_id"),
    "batteries": ("battery_id", "pack_id", "battery_index", "serial_number", "model"),
    "adapters": (
        *("adapter_id", "adapter_type", "config_json", "device_id", "device_type"),
        *("name", "priority", "enabled"),
    ),
    "battery_pack_adapters": ("pack_id", "adapter_id", "priority", "enabled"),
    "meters": ("meter_id", "system_id", "array_id", "adapter_id", "name"),
}
"""Tables and columns that are read. Cells are not: their number is in every frame (fact sheet section 6)."""

_OF_A_PACK: Final = "battery_pack"
"""``device_type`` of an adapter that belongs to a pack."""
_USED_OF_PACKS: Final = frozenset({"pack_id", "name", "battery_array_id", "system_id"})


def of_rows(
    tables: Mapping[str, Sequence[Row]], *, missing: Sequence[str] = (), source: str = "database"
) -> Takeover:
    """Convert the rows of `TABLES`. Pure; never raises: what is wrong stands in the reports, all of it.

    ``missing`` names tables (``meters``) and columns (``adapters.enabled``) that the database does not have.
    """
    findings = Findings(source)
    for name in missing:
        what = "column" if "." in name else "table"
        findings.note(tuple(name.split(".")), f"this {what} is missing", "nothing was taken over from it")
    return write(_Reading(tables, findings).earlier(), findings)


class _Reading:
    def __init__(self, tables: Mapping[str, Sequence[Row]], findings: Findings) -> None:
        self._tables = tables
        self._findings = findings
        self._notes: list[Note] = []
        self._adapter_rows = self._by_id("adapters", "adapter_id")
        self._used: set[str] = set()
        """Adapters that something names."""

    def earlier(self) -> Earlier:
        systems = list(self._by_id("systems", "system_id").values())
        first: Row = systems[0] if systems else {}
        if not systems:
            self._findings.note(("systems",), "there is no system", "the site is called home")
        packs = self._packs()
        arrays = self._arrays()
        self._note_things()
        self._note_unused()
        self._check_systems()
        return Earlier(
            id=line(first.get("system_id")),
            name=line(first.get("name")),
            timezone=line(first.get("timezone")),
            systems=[line(each.get("name")) or line(each.get("system_id")) for each in systems[1:]],
            packs=packs,
            arrays=arrays,
            notes=self._notes,
        )

    def _rows(self, table: str) -> Sequence[Row]:
        return self._tables.get(table, ())

    def _by_id(self, table: str, key: str) -> dict[str, Row]:
        """Rows by id, in its order: the database has no other that means anything."""
        found = {line(row.get(key)): row for row in self._rows(table)}
        return dict(sorted(found.items()))

    # --- packs ---------------------------------------------------------------------------------------------------

    def _packs(self) -> list[EarlierPack]:
        packs = self._by_id("battery_packs", "pack_id")
        links: dict[str, list[Row]] = {}
        for row in sorted(self._rows("battery_pack_adapters"), key=_rank_of_link):
            pack, adapter = line(row.get("pack_id")), line(row.get("adapter_id"))
            place = ("battery_pack_adapters", pack, adapter)
            if pack not in packs:
                self._findings.note(place, f"there is no pack {shown(pack)}", "this row is left out")
            elif adapter not in self._adapter_rows:
                self._findings.note(place, f"there is no adapter {shown(adapter)}", "this row is left out")
            else:
                links.setdefault(pack, []).append(row)
        return [
            EarlierPack(
                path=("battery_packs", ident),
                id=ident,
                name=line(row.get("name")),
                adapters=[self._adapter(ident, link) for link in links.get(ident, ())],
                batteries=self._batteries(ident),
                data={key: row[key] for key in row if key not in _USED_OF_PACKS and row[key] is not None},
            )
            for ident, row in packs.items()
        ]

    def _adapter(self, pack: str, link: Row) -> EarlierAdapter:
        ident = line(link.get("adapter_id"))
        row = self._adapter_rows[ident]
        self._used.add(ident)
        return EarlierAdapter(
            path=("adapters", ident),
            id=ident,
            kind=line(row.get("adapter_type")),
            config=self._config(ident),
            priority=_said_twice("priority", link, row),
            enabled=_said_twice("enabled", link, row),
            misfit=_misfit(pack, row),
        )

    def _config(self, ident: str) -> Mapping[Any, Any]:
        raw = self._adapter_rows[ident].get("config_json")
        if isinstance(raw, Mapping):  # a column of type JSON
            return raw
        try:
            config = json.loads(raw) if isinstance(raw, str | bytes) else None
        except (ValueError, RecursionError):
            config = None
        if isinstance(config, dict):
            return config
        self._findings.note(
            ("adapters", ident, "config_json"), "this is no JSON object", "nothing is known of it"
        )
        return {}

    def _batteries(self, pack: str) -> list[EarlierBattery]:
        rows = [row for row in self._rows("batteries") if line(row.get("pack_id")) == pack]
        rows.sort(key=lambda row: (_rank(row.get("battery_index")), line(row.get("battery_id"))))
        return [EarlierBattery(line(row.get("battery_id")), _about(row)) for row in rows]

    # --- arrays --------------------------------------------------------------------------------------------------

    def _arrays(self) -> list[EarlierArray]:
        arrays = self._by_id("battery_arrays", "battery_array_id")
        rows = sorted(
            self._rows("battery_array_attachments"), key=lambda row: line(row.get("attached_since"))
        )
        place = ("battery_array_attachments",)
        attachments = Attachments(rows, "battery_array_id", arrays, self._findings, place)
        attachments.check(self._by_id("arrays", "array_id"), self._findings, place)
        self._notes += attachments.notes
        packs: dict[str, list[str]] = {}
        for ident, row in self._by_id("battery_packs", "pack_id").items():
            array = line(row.get("battery_array_id"))
            if array and array not in arrays:
                text = f"there is no battery array {shown(array)}"
                self._findings.note(("battery_packs", ident), text, "the pack is in no array now")
            packs.setdefault(array, []).append(ident)
        return [
            EarlierArray(
                path=("battery_arrays", ident),
                id=ident,
                name=line(row.get("name")),
                packs=packs.get(ident, ()),
                attached_to=attachments.now(ident),
            )
            for ident, row in arrays.items()
        ]

    # --- what there is no driver for -----------------------------------------------------------------------------

    def _note_things(self) -> None:
        for table, key, what in (
            ("arrays", "array_id", "an array of inverters"),
            ("inverters", "inverter_id", "an inverter"),
            ("meters", "meter_id", "a meter"),
        ):
            for ident, row in self._by_id(table, key).items():
                data = {name: value for name, value in row.items() if value is not None}
                adapter = line(row.get("adapter_id"))
                if adapter in self._adapter_rows:
                    self._used.add(adapter)
                    data["adapter"] = self._whole_adapter(adapter)
                elif adapter:
                    self._findings.note((table, ident), f"there is no adapter {shown(adapter)}")
                self._notes.append(Note(f"{what} {shown(ident)}", data))

    def _note_unused(self) -> None:
        for ident, row in self._adapter_rows.items():
            if ident in self._used:
                continue
            self._notes.append(
                Note(f"an adapter that nothing uses, {shown(ident)}", self._whole_adapter(ident))
            )
            if line(row.get("device_type")) == _OF_A_PACK:
                device = shown(line(row.get("device_id")))
                text = f"it names the pack {device}, which does not name it: left out"
                self._findings.note(("adapters", ident), text, "as the earlier program did")

    def _whole_adapter(self, ident: str) -> dict[str, Any]:
        row = {key: value for key, value in self._adapter_rows[ident].items() if value is not None}
        return {**row, "config_json": self._config(ident)}

    def _check_systems(self) -> None:
        """A child is in the system of its parent, and both ends of an attachment are in one: section 14."""
        arrays = self._by_id("battery_arrays", "battery_array_id")
        inverter_arrays = self._by_id("arrays", "array_id")
        systems = self._by_id("systems", "system_id")
        pairs = [
            (("battery_packs", ident), row, arrays.get(line(row.get("battery_array_id"))))
            for ident, row in self._by_id("battery_packs", "pack_id").items()
        ]
        pairs += [
            (
                ("battery_array_attachments", line(row.get("battery_array_id"))),
                arrays.get(line(row.get("battery_array_id")), {}),
                inverter_arrays.get(line(row.get("inverter_array_id"))),
            )
            for row in self._rows("battery_array_attachments")
        ]
        for place, row, parent in pairs:
            own, other = line(row.get("system_id")), line((parent or {}).get("system_id"))
            if own and other and own != other:
                text = f"the two ends are in different systems: {shown(own)} and {shown(other)}"
                self._findings.note(place, text, "taken over all the same")
        for ident, row in arrays.items():
            system = line(row.get("system_id"))
            if system and systems and system not in systems:
                self._findings.note(("battery_arrays", ident), f"there is no system {shown(system)}")


def _said_twice(key: str, link: Row, adapter: Row) -> list[Said]:
    return [Said("battery_pack_adapters", link.get(key)), Said("adapters", adapter.get(key))]


def _misfit(pack: str, row: Row) -> str:
    """Why an adapter cannot be this pack's; that made the earlier program fail as a whole (section 15, fault 20)."""
    device, kind = line(row.get("device_id")), line(row.get("device_type"))
    if kind and kind != _OF_A_PACK:
        return f"its device_type is {shown(kind)} and not {shown(_OF_A_PACK)}"
    if device and device != pack:
        return f"its device_id is {shown(device)} and not {shown(pack)}"
    return ""


def _about(row: Row) -> str:
    known = [("serial number", row.get("serial_number")), ("model", row.get("model"))]
    return ", ".join(f"{what} {line(value)}" for what, value in known if line(value))


def _rank(value: object) -> tuple[int, int, str]:
    """Numbers in their order, then anything else."""
    number = whole(value)
    return (1, 0, line(value)) if number is None else (0, number, "")


def _rank_of_link(row: Row) -> tuple[tuple[int, int, str], str]:
    return _rank(row.get("priority")), line(row.get("adapter_id"))
