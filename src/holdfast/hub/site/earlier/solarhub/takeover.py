"""What comes of an earlier configuration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from holdfast.hub.site.earlier.note import Note
    from holdfast.hub.site.problems import Place, Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Takeover:
    """A site made from an earlier configuration.

    ``comments`` belong to places of ``mapping`` where a person has something to decide or fill in. ``reports`` are
    about the earlier configuration, their paths lead into it.
    """

    mapping: dict[str, Any]
    comments: Mapping[Place, str]
    reports: tuple[Problem, ...]
    notes: tuple[Note, ...]

    @property
    def is_usable(self) -> bool:
        """Whether there is any device in it."""
        return bool(self.mapping["devices"])
