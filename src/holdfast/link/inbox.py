"""The seam for sources that nobody dials: readings come from elsewhere in the program and are put into an inbox.

A driver whose parsed options have an ``inbox`` takes such readings. Its session is what listens there while it is open.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from holdfast.model import Reject, Stamp, Value

SAME_S: Final = 0.05
"""Seconds: the same reading, sent again because its answer was lost, lies so near in loop time. Time servers slew a
clock by 0.5 ms a second at most, so this covers a retry after 100 s."""


class Inbox(Protocol):
    """Where readings of one adapter are put. Synchronous; nothing in it waits."""

    def receive(self, key: str, value: Value, as_of: Stamp) -> None:
        """Hand a reading to the session that listens; one that it has had already is not handed over again.

        What becomes of it shows in the evidence: intake judges it as it judges everything.
        """

    def objection(self, key: str, value: Value) -> Reject | None:
        """What speaks against a value of a capability, in words. Pure."""

    def read(self, form: str, document: Mapping[str, Any]) -> Mapping[str, Value | Reject] | None:
        """The values of a document that senders of some make post, by key, or why one is none; ``None``: no such form.

        Only capabilities that the device has are among them. Pure.
        """


@runtime_checkable
class HasInbox(Protocol):
    """Parsed options of a driver that takes readings from elsewhere."""

    @property
    def inbox(self) -> Inbox:
        """Where to put them."""
