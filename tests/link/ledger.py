"""An auditor of the journal: what was told of each step, held against what reached the wire."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from holdfast.hub.events import Kind
from holdfast.model import Outcome, Receipt

if TYPE_CHECKING:
    from holdfast.hub.events import Record
    from holdfast.hub.hub import Hub

TOLD = ("sent", "result", "renewal", "guard")
FAILURES = {each.value for each in Outcome if each.is_failure}


class Ledger:
    """Hears everything from the moment it is made, the end of the hub included."""

    def __init__(self, hub: Hub) -> None:
        self.records: list[Record] = []
        hub.stream.tap(self.records.append)

    def of_kind(self, *kinds: str) -> list[dict[str, Any]]:
        """The events of these kinds, in order."""
        return [
            each.payload for each in self.records if each.kind is Kind.EVENT and each.payload["kind"] in kinds
        ]

    def sent(self, *kinds: str) -> list[dict[str, Any]]:
        """What was told to have gone out."""
        return [each for each in self.of_kind(*(kinds or TOLD)) if each["phase"] == "sent"]

    def results(self, *kinds: str) -> list[dict[str, Any]]:
        """What was told to have become of it."""
        return [each for each in self.of_kind(*(kinds or TOLD)) if each["phase"] == "result"]

    def steps(self, *kinds: str) -> set[int]:
        """Frames and calls: several wishes may share one."""
        return {each["step"] for each in self.sent(*kinds)}

    def check(self) -> None:
        """Each attempt is told once and ends once, in that order; what failed says why, and is an error."""
        assert Counter(each["attempt"] for each in self.sent()) == Counter(
            each["attempt"] for each in self.results()
        )
        assert all(count == 1 for count in Counter(each["attempt"] for each in self.sent()).values())
        open_: set[str] = set()
        for each in self.of_kind(*TOLD):
            json.dumps(each)
            if each["phase"] == "sent":
                open_.add(each["attempt"])
                continue
            open_.remove(each["attempt"])
            if each["outcome"] in FAILURES:
                assert each["reason"].strip()
                assert each["next"] or each["purpose"] not in ("command", "order")
            assert each["outcome"] == "verified" or each["outcome"] == "done" or each["reason"].strip()
        failed = [each["attempt"] for each in self.results() if each["outcome"] in FAILURES]
        assert [each["attempt"] for each in self.of_kind("error")] == failed
        assert all(each["reason"] and each["address"] and each["target"] for each in self.of_kind("error"))
        self._check_order()

    def _check_order(self) -> None:
        """Receipts say as many attempts as were told, and end behind the end of their last one."""
        open_: Counter[str] = Counter()
        told: Counter[str] = Counter()
        for record in self.records:
            payload: Any = record.payload
            if record.kind is Kind.COMMAND:
                assert isinstance(payload, Receipt)
                if payload.state.is_end:
                    assert not open_[payload.id]
                    assert told[payload.id] == payload.attempts
            elif record.kind is Kind.EVENT and payload["kind"] in ("sent", "result"):
                if payload["purpose"] == "preparation":
                    continue
                wish = payload["attempt"].partition("#")[0]
                told[wish] += payload["kind"] == "sent"
                open_[wish] += 1 if payload["kind"] == "sent" else -1
                assert open_[wish] in (0, 1)
