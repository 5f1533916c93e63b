"""The site's mapping (the keys of a site file) ↔ rows of tables, without loss. Pure.

One rule carries it: what fits a column stands in that column and nowhere else, and whatever is left (a driver's own
keys, a value of another type, an explicit null) stands in the row's JSON beside it. So nothing is ever interpreted,
completed or refused here, and each setting has one place.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from holdfast.hub.ports import StoreError, Trouble
from holdfast.store.encoding import decoded, encoded, fits_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

Key = tuple[str | int, ...]
Row = dict[str, Any]
SiteRows = dict[str, dict[Key, Row]]
"""By table and key."""

SITE_KEYS: dict[str, tuple[str, ...]] = {
    "site": ("key",),
    "arrays": ("id",),
    "devices": ("id",),
    "packs": ("device_id",),
    "batteries": ("device_id", "address"),
    "adapters": ("device_id", "id"),
    "device_adapters": ("device_id", "adapter_id"),
    "outputs": ("device_id", "id"),
    "capabilities": ("device_id", "path"),
    "controllers": ("id",),
    "attached": ("array_id",),
}
"""The parts of a site and what a row of each is known by, owners before what they own.

``attached`` is what the open rows of ``array_attachments`` say: where each array is attached now.
"""

SITE_KEY = 1
"""There is one site in a store."""
_DEVICE_TABLES = ("devices", "packs", "batteries", "adapters", "device_adapters", "outputs", "capabilities")
_MOST = 2**31 - 1
"""What an INTEGER column of PostgreSQL holds."""
_STANDBYS = ("cold", "hot")


@dataclass(frozen=True, slots=True)
class SiteReading:
    """What rows say. ``damaged`` names table and column by device (or ``/site``, ``/arrays/ID``, ``/controllers/ID``).

    What can still be read of a damaged device is in the mapping.
    """

    mapping: dict[str, Any]
    damaged: dict[str, str]


# --- what fits a column --------------------------------------------------------------------------------------------


def _fits_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and -_MOST <= value <= _MOST


def _fits_flag(value: object) -> bool:
    return isinstance(value, bool)


def _fits_standby(value: object) -> bool:
    return isinstance(value, str) and value in _STANDBYS


def _fits_names(value: object) -> bool:
    """A mapping of names to mappings: one row each."""
    return (
        isinstance(value, dict)
        and bool(value)
        and all(fits_text(name) and isinstance(inner, dict) for name, inner in value.items())
    )


def _fits_batteries(value: object) -> bool:
    return (
        isinstance(value, dict)
        and bool(value)
        and all(_fits_whole(address) and address >= 0 and fits_text(name) for address, name in value.items())
    )


def _fits_items(value: object) -> bool:
    """A list of mappings with ids of their own: one row each."""
    if not isinstance(value, list) or not value:
        return False
    if not all(isinstance(item, dict) and fits_text(item.get("id")) for item in value):
        return False
    return len({item["id"] for item in value}) == len(value)


_Columns = dict[str, "Callable[[object], bool]"]
_SITE: _Columns = dict.fromkeys(("id", "name", "timezone", "temperature_unit"), fits_text)
_ARRAY: _Columns = {"id": fits_text, "name": fits_text}
_DEVICE: _Columns = {"id": fits_text, "name": fits_text}
_ADAPTER: _Columns = {"id": fits_text, "driver": fits_text, "url": fits_text}
_USE: _Columns = {"priority": _fits_whole, "enabled": _fits_flag, "standby": _fits_standby}
_OUTPUT: _Columns = {"kind": fits_text, "name": fits_text}
_CAPABILITY: _Columns = {"unit": fits_text}
_CONTROLLER: _Columns = {"id": fits_text, "kind": fits_text}
_SECRETS = ("username", "password")
"""As they stand in the mapping: ``{env: NAME}``, ``{file: PATH}``, a user's name; JSON, absent as NULL."""


def _split(raw: dict[Any, Any], columns: _Columns) -> tuple[Row, dict[Any, Any]]:
    """The columns' values (``None`` where the key is absent or does not fit), and what is left."""
    row: Row = {
        name: raw[name] if name in raw and fits(raw[name]) else None for name, fits in columns.items()
    }
    return row, {key: value for key, value in raw.items() if row.get(key) is None}


def _said(row: Mapping[str, Any], columns: Iterable[str]) -> dict[Any, Any]:
    return {name: row[name] for name in columns if row[name] is not None}


# --- to rows -------------------------------------------------------------------------------------------------------


def rows_of(mapping: Mapping[str, Any]) -> SiteRows:
    """The rows of a site; any mapping of plain values becomes some."""
    rows: SiteRows = {table: {} for table in SITE_KEYS}
    others = dict(mapping)
    head = others.pop("site") if isinstance(others.get("site"), dict) else None
    if _fits_items(others.get("devices")):
        for position, device in enumerate(others.pop("devices")):
            _add_device(rows, position, device)
    if _fits_items(others.get("arrays")):
        for position, array in enumerate(others.pop("arrays")):
            _add_array(rows, position, array)
    if _fits_items(others.get("controllers")):
        for position, controller in enumerate(others.pop("controllers")):
            row, rest = _split(controller, _CONTROLLER)
            _add(rows, "controllers", {**row, "position": position, "options": encoded(rest)})
    row, rest = _split(head or {}, _SITE)
    site = {
        "key": SITE_KEY,
        **row,
        "head": None if head is None else encoded(rest),
        "others": encoded(others),
    }
    _add(rows, "site", site)
    return rows


def _add(rows: SiteRows, table: str, row: Row) -> None:
    rows[table][tuple(row[column] for column in SITE_KEYS[table])] = row


def _add_device(rows: SiteRows, position: int, device: dict[Any, Any]) -> None:
    row, others = _split(device, _DEVICE)
    ident = row["id"]
    options = others.pop("options") if isinstance(others.get("options"), dict) else None
    if options is not None and _fits_batteries(options.get("batteries")):
        options = dict(options)
        _add(rows, "packs", {"device_id": ident, "array_id": None, "position": None})
        for place, (address, name) in enumerate(options.pop("batteries").items()):
            _add(rows, "batteries", {"device_id": ident, "address": address, "position": place, "name": name})
    if _fits_items(others.get("adapters")):
        for place, adapter in enumerate(others.pop("adapters")):
            _add_adapter(rows, ident, place, adapter)
    for table, key, columns in (("outputs", "id", _OUTPUT), ("capabilities", "path", _CAPABILITY)):
        if _fits_names(others.get(table)):
            for place, (name, raw) in enumerate(others.pop(table).items()):
                said, rest = _split(raw, columns)
                named = {"device_id": ident, key: name, "position": place, **said, "options": encoded(rest)}
                _add(rows, table, named)
    written = None if options is None else encoded(options)
    _add(rows, "devices", {**row, "position": position, "options": written, "others": encoded(others)})


def _add_adapter(rows: SiteRows, device: str, position: int, adapter: dict[Any, Any]) -> None:
    row, rest = _split(adapter, _ADAPTER)
    use, rest = _split(rest, _USE)
    secrets = {name: encoded(rest.pop(name)) if name in rest else None for name in _SECRETS}
    _add(rows, "adapters", {"device_id": device, **row, **secrets, "options": encoded(rest)})
    _add(
        rows,
        "device_adapters",
        {"device_id": device, "adapter_id": row["id"], "position": position, **use},
    )


def _add_array(rows: SiteRows, position: int, array: dict[Any, Any]) -> None:
    row, others = _split(array, _ARRAY)
    packs = others.get("packs")
    if isinstance(packs, list) and packs and _fits_packs(rows, packs):
        for place, device in enumerate(others.pop("packs")):
            _add(rows, "packs", {"device_id": device, "array_id": row["id"], "position": place})
    if fits_text(others.get("attached_to")):
        _add(rows, "attached", {"array_id": row["id"], "attached_to": others.pop("attached_to")})
    _add(rows, "arrays", {**row, "position": position, "others": encoded(others)})


def _fits_packs(rows: SiteRows, packs: list[Any]) -> bool:
    """Whether each is a device of this site that is in no array yet."""
    return all(
        isinstance(device, str)
        and (device,) in rows["devices"]
        and rows["packs"].get((device,), {}).get("array_id") is None
        for device in packs
    ) and len(set(packs)) == len(packs)


# --- from rows -----------------------------------------------------------------------------------------------------


def reading_of(rows: SiteRows) -> SiteReading:
    """The mapping that rows were made from; a damaged cell costs only what it belongs to."""
    return _Reading(rows).site()


_OWNERS = {
    "batteries": "device_id",
    "device_adapters": "device_id",
    "outputs": "device_id",
    "capabilities": "device_id",
    "packs": "array_id",
}
"""By which column their rows are looked up."""


def _position(row: Row) -> int:
    return row["position"] or 0


def _grouped(rows: Iterable[Row], column: str) -> dict[Any, list[Row]]:
    groups: dict[Any, list[Row]] = {}
    for row in sorted(rows, key=_position):
        groups.setdefault(row[column], []).append(row)
    return groups


class _Reading:
    def __init__(self, rows: SiteRows) -> None:
        self._rows = rows
        self._damaged: dict[str, str] = {}
        self._by_owner: dict[str, dict[Any, list[Row]]] = {
            table: _grouped(rows[table].values(), column) for table, column in _OWNERS.items()
        }

    def site(self) -> SiteReading:
        row = self._rows["site"][SITE_KEY,]
        mapping: dict[str, Any] = {}
        if row["head"] is not None:
            mapping["site"] = {**_said(row, _SITE), **self._cell(row, "site", "head", "/site")}
        devices = [self._device(each) for each in self._in_order("devices")]
        if devices:
            mapping["devices"] = devices
        controllers = [self._controller(each) for each in self._in_order("controllers")]
        if controllers:
            mapping["controllers"] = controllers
        arrays = [self._array(each) for each in self._in_order("arrays")]
        if arrays:
            mapping["arrays"] = arrays
        return SiteReading({**mapping, **self._cell(row, "site", "others", "/site")}, self._damaged)

    def _in_order(self, table: str) -> list[Row]:
        return sorted(self._rows[table].values(), key=_position)

    def _owned(self, table: str, owner: str) -> list[Row]:
        """The rows of one owner, in order."""
        return self._by_owner[table].get(owner, [])

    def _cell(self, row: Row, table: str, column: str, whose: str) -> dict[Any, Any]:
        """A cell that holds a mapping; empty, and noted, where it is damaged."""
        try:
            value = decoded(row[column])
        except ValueError as fault:
            self._note(row, table, column, whose, str(fault))
            return {}
        if isinstance(value, dict):
            return value
        self._note(row, table, column, whose, "a mapping is expected here")
        return {}

    def _note(self, row: Row, table: str, column: str, whose: str, fault: str) -> None:
        key = "/".join(str(row[name]) for name in SITE_KEYS[table])
        self._damaged.setdefault(
            whose, f"the column {column} of the row {key} in the table {table} is damaged: {fault}"
        )

    def _device(self, row: Row) -> dict[Any, Any]:
        ident = row["id"]
        device = _said(row, _DEVICE)
        adapters = [self._adapter(each) for each in self._owned("device_adapters", ident)]
        if adapters:
            device["adapters"] = adapters
        batteries = {each["address"]: each["name"] for each in self._owned("batteries", ident)}
        if row["options"] is not None or batteries:
            options = {} if row["options"] is None else self._cell(row, "devices", "options", ident)
            device["options"] = {**options, "batteries": batteries} if batteries else options
        for table, key, columns in (("outputs", "id", _OUTPUT), ("capabilities", "path", _CAPABILITY)):
            named = {
                each[key]: {**_said(each, columns), **self._cell(each, table, "options", ident)}
                for each in self._owned(table, ident)
            }
            if named:
                device[table] = named
        return {**device, **self._cell(row, "devices", "others", ident)}

    def _adapter(self, use: Row) -> dict[Any, Any]:
        row = self._rows["adapters"][use["device_id"], use["adapter_id"]]
        adapter = {**_said(row, _ADAPTER), **_said(use, _USE)}
        for name in _SECRETS:
            if row[name] is not None:
                try:
                    adapter[name] = decoded(row[name])
                except ValueError as fault:
                    self._note(row, "adapters", name, use["device_id"], str(fault))
        return {**adapter, **self._cell(row, "adapters", "options", use["device_id"])}

    def _controller(self, row: Row) -> dict[Any, Any]:
        options = self._cell(row, "controllers", "options", f"/controllers/{row['id']}")
        return {**_said(row, _CONTROLLER), **options}

    def _array(self, row: Row) -> dict[Any, Any]:
        ident = row["id"]
        array = _said(row, _ARRAY)
        packs = [each["device_id"] for each in self._owned("packs", ident)]
        if packs:
            array["packs"] = packs
        attached = self._rows["attached"].get((ident,))
        if attached is not None:
            array["attached_to"] = attached["attached_to"]
        return {**array, **self._cell(row, "arrays", "others", f"/arrays/{ident}")}


# --- from one site to the next --------------------------------------------------------------------------------------


def kept_damage(old: SiteRows, new: SiteRows) -> SiteRows:
    """The new rows, with the old ones of each damaged device that nobody changed.

    Whoever changes another device hands back what could be read of the damaged one; writing that would make a cell
    that a person could still mend into a loss.
    """
    before = reading_of(old)
    if not before.damaged:
        return new
    was = _by_id(before.mapping)
    becomes = _by_id(reading_of(new).mapping)
    untouched = {ident for ident in before.damaged if ident in was and was[ident] == becomes.get(ident)}
    if not untouched:
        return new
    kept = dict(new)
    for table in _DEVICE_TABLES:
        owner = SITE_KEYS[table][0]
        merged = {key: row for key, row in new[table].items() if row[owner] not in untouched}
        merged |= {key: row for key, row in old[table].items() if row[owner] in untouched}
        kept[table] = merged
    for ident in untouched:
        kept["devices"][ident,] = {**old["devices"][ident,], "position": new["devices"][ident,]["position"]}
        if (pack := new["packs"].get((ident,))) is not None:
            kept["packs"][ident,] = pack
        elif (ident,) in kept["packs"]:
            kept["packs"][ident,] = {**kept["packs"][ident,], "array_id": None, "position": None}
    return kept


def _by_id(mapping: Mapping[str, Any]) -> dict[str, Any]:
    devices = mapping.get("devices")
    if not isinstance(devices, list):
        return {}
    return {
        each["id"]: each for each in devices if isinstance(each, dict) and isinstance(each.get("id"), str)
    }


def refuse_plain_password(mapping: Mapping[str, Any]) -> None:
    """Raise `StoreError` if the mapping holds a password itself; a store keeps only where to find one."""
    for ident, device in _by_id(mapping).items():
        adapters = device.get("adapters")
        for adapter in adapters if isinstance(adapters, list) else ():
            if isinstance(adapter, dict) and isinstance(adapter.get("password"), str):
                raise StoreError(
                    Trouble.FAILED,
                    f"the password of {ident}/{adapter.get('id')} is plain text, which is never stored",
                    advice="Write password: {env: NAME} or password: {file: PATH}.",
                )


@dataclass(frozen=True, slots=True)
class TableChange:
    """What makes one table's rows into others: rows to insert, to update (whole) and keys to delete."""

    table: str
    inserted: list[Row]
    updated: list[Row]
    deleted: list[Key]


def changes(old: SiteRows, new: SiteRows) -> list[TableChange]:
    """What differs, table by table, owners before what they own; equal rows are left alone."""
    found: list[TableChange] = []
    for table in SITE_KEYS:
        before, after = old[table], new[table]
        change = TableChange(
            table,
            inserted=[row for key, row in after.items() if key not in before],
            updated=[row for key, row in after.items() if key in before and before[key] != row],
            deleted=[key for key in before if key not in after],
        )
        if change.inserted or change.updated or change.deleted:
            found.append(change)
    return found
