"""Rows of the result: a figure, its unit, its target and whether it was reached."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

Better = Literal["<=", "<", ">=", "==", ""]


@dataclass(frozen=True, slots=True)
class Row:
    """One figure. ``value`` is ``None`` where it could not be measured; ``note`` says why, or what matters."""

    what: str
    value: float | None
    unit: str = ""
    better: Better = ""
    target: float | None = None
    digits: int = 1
    note: str = ""
    raw: dict[str, Any] = field(default_factory=dict)

    @property
    def is_ok(self) -> bool | None:
        """Whether the target was reached; ``None`` without one."""
        if self.target is None:
            return None
        if self.value is None:
            return False
        value, target = round(self.value, self.digits), self.target
        return {
            "<=": value <= target,
            "<": value < target,
            ">=": value >= target,
            "==": value == target,
            "": True,
        }[self.better]

    @property
    def verdict(self) -> str:
        """One word for the table."""
        return {None: "", True: "ok", False: "MISSED"}[self.is_ok]

    def cells(self) -> tuple[str, str, str, str, str]:
        """The row as the table shows it."""
        value = "-" if self.value is None else f"{self.value:,.{self.digits}f}"
        target = "" if self.target is None else f"{self.better} {self.target:g}"
        return (self.what, value, self.unit, target, self.verdict)

    def as_dict(self) -> dict[str, Any]:
        """The row as JSON."""
        return {**asdict(self), "is_ok": self.is_ok}


@dataclass(frozen=True, slots=True)
class Section:
    """Rows that were measured together."""

    name: str
    title: str
    rows: tuple[Row, ...]
    took_s: float = 0.0

    def text(self) -> str:
        """A plain table, with notes under it."""
        head = ("", "measured", "", "target", "")
        table = [head, *(row.cells() for row in self.rows)]
        widths = [max(len(line[column]) for line in table) for column in range(5)]
        lines = [f"{self.title} ({self.took_s:.0f} s)"]
        for what, value, unit, target, verdict in table:
            lines.append(
                f"  {what:<{widths[0]}}  {value:>{widths[1]}} {unit:<{widths[2]}}  "
                f"{target:<{widths[3]}}  {verdict}".rstrip()
            )
        lines.extend(f"  note: {note}" for note in _notes(self.rows))
        return "\n".join(lines) + "\n"

    def markdown(self) -> str:
        """The same table for a README."""
        lines = [f"### {self.title}", "", "| what | measured | target | |", "|---|---:|---|---|"]
        for row in self.rows:
            what, value, unit, target, verdict = row.cells()
            lines.append(f"| {what} | {f'{value} {unit}'.strip()} | {target} | {verdict} |")
        lines.extend(f"\nNote: {note}" for note in _notes(self.rows))
        return "\n".join(lines) + "\n"

    def as_dict(self) -> dict[str, Any]:
        """The section as JSON."""
        return {
            "name": self.name,
            "title": self.title,
            "took_s": round(self.took_s, 1),
            "rows": [row.as_dict() for row in self.rows],
        }


def _notes(rows: Iterable[Row]) -> list[str]:
    return list(dict.fromkeys(row.note for row in rows if row.note))


def quantile(samples: Iterable[float], q: float) -> float:
    """The ``q`` quantile by the nearest rank; nan without samples."""
    ordered = sorted(samples)
    if not ordered:
        return float("nan")
    return ordered[min(len(ordered) - 1, max(0, -(-int(q * 1000) * len(ordered) // 1000) - 1))]
