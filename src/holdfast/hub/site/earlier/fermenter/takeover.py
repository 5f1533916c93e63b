"""What comes of the earlier program's files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import PurePath

    from holdfast.hub.site.earlier.note import Note
    from holdfast.hub.site.problems import Place, Problem


class Report(NamedTuple):
    """One thing to know about one of the files; the path of ``problem`` leads into it."""

    file: str
    problem: Problem

    def rendered(self, folder: PurePath) -> str:
        """One line for people: ``config/temp_control_config.json:3: high_limit: …``."""
        return self.problem.rendered(str(folder / self.file))


@dataclass(frozen=True, slots=True, kw_only=True)
class Takeover:
    """A site made from the earlier files.

    ``comments`` belong to places of ``mapping`` where a person has something to decide or fill in. ``notes`` are what
    a site has no room for and somebody may want to keep.
    """

    mapping: dict[str, Any]
    comments: Mapping[Place, str]
    reports: tuple[Report, ...]
    notes: tuple[Note, ...]

    @property
    def is_usable(self) -> bool:
        """Whether there is any device in it."""
        return bool(self.mapping["devices"])
