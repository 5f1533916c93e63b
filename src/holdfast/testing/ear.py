"""A sink for sessions that are tried without a hub."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.errors import LinkFault
    from holdfast.link.session import End, Job
    from holdfast.model import Batch, Capability, Reject, Stamp


class Ear:
    """Believes everything and remembers the names of the reports."""

    def __init__(self) -> None:
        self.reports: list[str] = []

    def observed(self, batch: Batch, as_of: Stamp | None = None) -> bool:
        """See `Sink`."""
        self.reports.append("observed")
        return True

    def same(self, member: str, group: str, t: float, n: int) -> None:
        """See `Sink`."""
        self.reports.append("same")

    def alive(self, member: str = "") -> None:
        """See `Sink`."""
        self.reports.append("alive")

    def rejected(self, why: Reject, raw: bytes = b"") -> None:
        """See `Sink`."""
        self.reports.append("rejected")

    def finished(self, job: Job, end: End, text: str = "") -> None:
        """See `Sink`."""
        self.reports.append("finished")

    def lost(self, fault: LinkFault) -> None:
        """See `Sink`."""
        self.reports.append("lost")

    def found(self, member: str, capabilities: Sequence[Capability]) -> None:
        """See `Sink`."""
        self.reports.append("found")

    def heard(self, data: bytes, *, is_secret: bool = False) -> None:
        """See `Sink`. Bytes are no report."""

    def said(self, data: bytes, *, is_secret: bool = False) -> None:
        """See `Sink`. Bytes are no report."""
