"""Register tables as classes: each field of a record says where it stands in the frame; its name says the raw unit.

Records hold the raw whole numbers. `scaled` turns them into volts, amperes, watts, ampere hours and °C, under the names
of the JK fact sheet.
"""

import struct
from collections.abc import Callable, Mapping
from operator import itemgetter
from typing import Annotated, Any, Final, NamedTuple, get_args, get_origin, get_type_hints


class At(NamedTuple):
    """Where a field stands: ``offset`` in the frame, struct ``code``, how many of them, and what is known of it.

    ``sheet``: its name in the fact sheet, where that is more than another unit.
    """

    offset: int
    code: str
    note: str = ""
    times: int = 1
    sheet: str = ""

    @property
    def end(self) -> int:
        """The offset of the first byte behind it."""
        return self.offset + struct.calcsize(f"<{self.code}") * self.times


class Unit(NamedTuple):
    """A raw unit: ``raw / divisor`` is the value in ``symbol``."""

    suffix: str
    divisor: int
    symbol: str


RAW_UNITS: Final = {
    "mv": Unit("v", 1000, "V"),
    "ma": Unit("a", 1000, "A"),
    "mw": Unit("w", 1000, "W"),
    "mah": Unit("ah", 1000, "Ah"),
    "dc": Unit("c", 10, "°C"),  # tenths of a degree
    "100ua": Unit("a", 10_000, "A"),
}
"""By the last word of a field's name. Fields with another last word are whole numbers in the unit they name."""


def table_of(record: type) -> dict[str, At]:
    """The fields of a record that stand in the frame, by name."""
    hints = get_type_hints(record, include_extras=True)
    return {name: get_args(hint)[1] for name, hint in hints.items() if get_origin(hint) is Annotated}


def reader_of(table: Mapping[str, At | None]) -> Callable[[bytes], tuple[Any, ...]]:
    """A function that reads all fields of the table from a frame at once, in the table's order.

    Fields that a layout does not have (``None``) are read as ``None``. Each field must be a single number.
    """
    placed = sorted((at.offset, name, at) for name, at in table.items() if at is not None)
    layout, upto = "<", 0
    for offset, _, at in placed:
        layout += f"{offset - upto}x{at.code}"
        upto = at.end
    unpack = struct.Struct(layout).unpack_from
    names = [name for _, name, _ in placed]
    if names == list(table):
        return unpack
    places = {name: place for place, name in enumerate(names)}
    pick = itemgetter(*(places.get(name, len(names)) for name in table))
    return lambda frame: pick((*unpack(frame), None))


def scaled(record: Any) -> dict[str, Any]:
    """All fields of a record in V, A, W, Ah and °C, under the names of the fact sheet. For people and tests."""
    values: dict[str, Any] = {}
    for name, at in table_of(type(record)).items():
        value = getattr(record, name)
        stem, _, suffix = name.rpartition("_")
        unit = RAW_UNITS.get(suffix)
        if unit is not None:
            name = f"{stem}_{unit.suffix}"  # noqa: PLW2901
            if isinstance(value, tuple):
                value = [each / unit.divisor for each in value]
            elif value is not None:
                value /= unit.divisor
        values[at.sheet or name] = value
    return values
