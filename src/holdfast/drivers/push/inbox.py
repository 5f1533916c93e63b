"""Where posted readings wait for nobody: the inbox of one adapter, and the session that listens there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from holdfast.drivers.push.fitting import objection
from holdfast.drivers.push.ispindel import FORM, UNITS, read_ispindel
from holdfast.link.inbox import SAME_S
from holdfast.model import Batch, Reject

if TYPE_CHECKING:
    from collections.abc import Mapping

    from holdfast.drivers.push.options import Declared
    from holdfast.link.session import Job, OpenLimits, Sink
    from holdfast.model import Identity, Stamp, Value


class PushInbox:
    """See `holdfast.link.inbox.Inbox`. It outlives its sessions, of which one at a time listens."""

    def __init__(self, declared: Declared) -> None:
        self.declared = declared
        self.session: PushSession | None = None
        self._capabilities = {each.key: each for each in declared.capabilities}
        self._handed: dict[str, tuple[Value, float]] = {}

    def receive(self, key: str, value: Value, as_of: Stamp) -> None:
        """Hand a reading to the session; a repetition is not handed over, or a retried extreme would prove itself."""
        if self.session is None:
            return
        before, t = self._handed.get(key, (None, float("-inf")))
        if before == value and abs(as_of.t - t) <= SAME_S:
            return
        self._handed[key] = value, as_of.t
        self.session.heard(Batch("", key, value), as_of)

    def objection(self, key: str, value: Value) -> Reject | None:
        """What speaks against a value, in words."""
        return objection(self._capabilities[key], value)

    def read(self, form: str, document: Mapping[str, Any]) -> Mapping[str, Value | Reject] | None:
        """The values of a posted document that the device has capabilities for."""
        if form != FORM:
            return None
        found: dict[str, Value | Reject] = {}
        for key, value in read_ispindel(document, self.declared.gravity_unit).items():
            capability = self._capabilities.get(key)
            if capability is None:
                continue
            if capability.unit not in ("", UNITS[key]):
                found[key] = Reject(
                    "unit", f"{key} is declared in {capability.unit}, and comes in {UNITS[key]}"
                )
            else:
                found[key] = value
        return found


class PushSession:
    """Listens at an inbox, from open to close. There is nobody to dial, to ask or to lose."""

    def __init__(self, inbox: PushInbox, sink: Sink) -> None:
        self._inbox = inbox
        self._sink = sink

    async def open(self, limits: OpenLimits) -> Identity | None:
        """Begin to listen."""
        self._inbox.session = self
        return None

    def heard(self, batch: Batch, as_of: Stamp) -> None:
        """Somebody posted a reading."""
        self._sink.observed(batch, as_of)

    def start(self, job: Job) -> None:
        """Never called: the driver has no polls and takes no commands."""
        raise AssertionError("there is nobody to ask")

    def forget(self, job: Job) -> None:
        """Never called: nothing was asked."""
        raise AssertionError("nothing was asked")

    async def close(self, *, goodbye: bool) -> None:
        """Stop listening."""
        self.abort()

    def abort(self) -> None:
        """Stop listening at once."""
        if self._inbox.session is self:
            self._inbox.session = None
