"""What a site has no room for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Note:
    """Something that a site has no room for: what it is, and the original data with secrets masked."""

    text: str
    data: Mapping[str, Any] = field(default_factory=dict)
