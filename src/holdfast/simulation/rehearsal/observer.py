"""The outside observer: looks at what a user is shown, and compares it with the house itself."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from holdfast.hub.events import Kind, Record
from holdfast.model import CommandState, Quality, ReasonCode, Receipt

if TYPE_CHECKING:
    from holdfast.hub.hub import Hub
    from holdfast.simulation.rehearsal.truth import Truth
    from holdfast.simulation.rehearsal.verdict import Verdict
    from holdfast.simulators.ipcom import IpcomController

LOOK_S = 0.1
"""How often the observer looks: twenty times within the deadline, as often as a person could notice anything."""
CALM_S = 8.0
"""After the last fault a link may need so long to be back: a wait of up to 3.5 s and two logins."""
ROUNDING_S = 1e-6
SHOWN_FOR = {"open": "opening", "close": "closing", "stop": "stopped"}


class Observer:
    """Samples readings, follows every record, and writes into the verdict."""

    def __init__(self, hub: Hub, controller: IpcomController, truth: Truth, verdict: Verdict) -> None:
        self._hub = hub
        self._controller = controller
        self._truth = truth
        self._verdict = verdict
        self._device = truth.device
        self._digest = hashlib.sha256()
        self._open: dict[str, Receipt] = {}
        self._ended: set[str] = set()
        self._last_fault_t = hub.core.now()

    def hear(self, record: Record) -> None:
        """One record of the stream: part of the log, and perhaps a receipt's end."""
        self._verdict.records += 1
        self._digest.update(
            f"{record.id}|{record.kind}|{record.at.isoformat()}|{record.payload!r}\n".encode()
        )
        if record.kind is Kind.COMMAND:
            self._follow(record.payload)

    def _follow(self, receipt: Receipt) -> None:
        if not receipt.state.is_end:
            self._open[receipt.id] = receipt
            return
        self._open.pop(receipt.id, None)
        verdict = self._verdict
        if receipt.id in self._ended:
            verdict.receipts_ended_twice += 1
            verdict.broke(f"{receipt.id} ended twice")
        self._ended.add(receipt.id)
        verdict.ends[receipt.state.value] += 1
        if receipt.state is CommandState.VERIFIED and not self._was_true(receipt):
            verdict.receipts_wrongly_verified += 1
            verdict.broke(f"{receipt.target} = {receipt.value!r} was verified and never true ({receipt.id})")

    def _was_true(self, receipt: Receipt) -> bool:
        since_t = self._hub.core.now() - (receipt.ended_after_s or 0.0) - ROUNDING_S
        value = SHOWN_FOR.get(str(receipt.value), receipt.value)
        if self._truth.kind(receipt.target) == "dimmer" and isinstance(value, bool):
            return value is False or not self._truth.held(receipt.target, 0, self._hub.core.now())
        return self._truth.held(receipt.target, value, since_t)

    def look(self) -> None:
        """Compare all that is shown with all that is true; called every `LOOK_S` seconds."""
        now = self._hub.core.now()
        verdict = self._verdict
        if self._controller.faults:
            self._last_fault_t = now
        for target in self._truth.targets:
            reading = self._hub.reading(target)
            if not reading.quality.is_current:
                self._stale(reading.quality, now)
                continue
            deadline_s = reading.deadline_s or 0.0
            if not self._truth.held(target, reading.value, now - deadline_s - ROUNDING_S):
                verdict.wrong_fresh_s += LOOK_S
                verdict.broke(
                    f"{now:.2f}: {target} shown as {reading.value!r}, which was not so for {deadline_s:g} s"
                )
            elif not self._truth.held(target, reading.value, now - (reading.age_s or 0.0) - ROUNDING_S):
                verdict.misdated_s += LOOK_S
        if self._controller.sessions > 1:
            verdict.doubled_sessions += 1
            verdict.broke(f"{now:.2f}: {self._controller.sessions} sessions at once")

    def _stale(self, quality: Quality, now: float) -> None:
        if quality is Quality.UNKNOWN:
            return  # never seen yet, or a command is in doubt: said so on purpose
        self._verdict.stale_s += LOOK_S
        if self._hub.device(self._device).reason.code is ReasonCode.LOGIN_REFUSED:
            return  # tried again after a minute or more, by design
        if now - self._last_fault_t > CALM_S:
            self._verdict.wrong_stale_s += LOOK_S

    def conclude(self) -> None:
        """The day is over: what is still open, and the figures of link and judge."""
        verdict = self._verdict
        verdict.receipts_unended = len(self._open)
        for receipt in self._open.values():
            verdict.broke(f"{receipt.id} never ended")
        judge = self._controller.judge
        verdict.interlock_violations = len(judge.violations)
        verdict.races = len(judge.races)
        verdict.smallest_reversal_s = judge.smallest_gap_s
        for violation in judge.violations:
            verdict.broke(f"{violation.t:.2f}: {violation.why} ({violation.pair.name})")
        for link in self._hub.links.values():
            report = link.report
            verdict.outages += report.outage_count
            verdict.updates += report.answers
            recovered = [outage.recover_s for outage in report.outages if outage.recover_s is not None]
            verdict.recoveries += report.outage_count - len(report.outages) + len(recovered)
            verdict.slowest_recovery_s = max([verdict.slowest_recovery_s, *recovered])
        verdict.log_digest = self._digest.hexdigest()
