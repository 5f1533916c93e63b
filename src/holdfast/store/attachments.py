"""To what each array was attached over time: which rows a new site adds to that history. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """An array was attached to something from one moment to another (``None``: it still is); microseconds."""

    array_id: str
    attached_to: str
    attached_since: int
    detached_at: int | None = None


@dataclass(frozen=True, slots=True)
class AttachmentChange:
    """Rows to close and rows to add."""

    closed: list[Attachment]
    added: list[Attachment]


def attachment_change(
    history: Iterable[Attachment], attached: Mapping[str, str], at: int
) -> AttachmentChange:
    """What happened to the arrays at ``at``, if they are now attached as ``attached`` says.

    An array that is gone is detached, and its history stays. The wall clock may have been set back meanwhile: a new
    attachment begins after all earlier ones of its array, or the history would not tell which of them held.
    """
    newest: dict[str, Attachment] = {}
    for each in sorted(history, key=lambda each: each.attached_since):
        newest[each.array_id] = each
    closed: list[Attachment] = []
    added: list[Attachment] = []
    for array in sorted({*newest, *attached}):
        last, wanted = newest.get(array), attached.get(array)
        now = at
        if last is not None:
            if last.detached_at is None and last.attached_to == wanted:
                continue
            now = max(at, last.attached_since + 1, last.detached_at or 0)
            if last.detached_at is None:
                closed.append(
                    Attachment(
                        array_id=array,
                        attached_to=last.attached_to,
                        attached_since=last.attached_since,
                        detached_at=now,
                    )
                )
        if wanted is not None:
            added.append(Attachment(array_id=array, attached_to=wanted, attached_since=now))
    return AttachmentChange(closed, added)
