"""On which line each value of a YAML file stands, kept beside the values as a tree of the same shape."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from holdfast.hub.site.problems import Place


@dataclass(slots=True)
class Lines:
    """The line of one value (of its key, where it has one) and of everything inside it.

    A tree and not a table: what an alias repeats is shared, however often it is repeated. An instance is a
    `Locate`.
    """

    line: int
    inside: dict[str | int, Lines] = field(default_factory=dict)

    def __call__(self, path: Place) -> int:
        """The line of the place, or of the nearest thing around it that the file has."""
        here = self
        for step in path:
            if step not in here.inside:
                break
            here = here.inside[step]
        return here.line
