"""The attempts of one device: each step that goes out is told once, and so is what became of it.

The desk says what happens and when; here it becomes records. Nothing of it has a timer: an attempt ends when evidence
decides it, when the next one starts, or when its wish ends, whichever comes first.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from holdfast.link.session import End
from holdfast.model import Attempt, CommandState, Next, Outcome, Purpose, Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from holdfast.link.attachment import Attachment
    from holdfast.link.desk import Doubt
    from holdfast.link.device import LinkedDevice
    from holdfast.link.evidence import GroupEvidence
    from holdfast.link.planner import Step
    from holdfast.link.session import Job
    from holdfast.link.wishes import OpenWish

ENDS: Mapping[CommandState, Outcome] = {
    CommandState.VERIFIED: Outcome.VERIFIED,
    CommandState.FAILED: Outcome.FAILED,
    CommandState.EXPIRED: Outcome.EXPIRED,
    CommandState.SUPERSEDED: Outcome.SUPERSEDED,
}
"""What the end of a command means for its last attempt. A refused one has none: nothing of it was sent."""


class Attempts:
    """Tells of the steps of one device. Each is told by ``attempt_sent`` once and by ``attempt_ended`` once."""

    __slots__ = ("_calls", "_device")

    def __init__(self, device: LinkedDevice) -> None:
        self._device = device
        self._calls: list[
            Attempt
        ] = []  # in flight, and over when their call is: nothing is read back for them

    # --- a step goes out ------------------------------------------------------------------------------------------

    def sent(
        self,
        step: Step,
        wishes: Mapping[str, OpenWish],
        doubts: Mapping[str, Doubt],
        attachment: Attachment,
        job: Job,
    ) -> None:
        """A step went out. Called before its wishes know of it: the attempts before it end here."""
        for key in step.final:
            wish = wishes.get(key)
            if wish is not None:
                self._end_unproven(wish, retry_in_s=0.0)
                wish.attempt = self._begin(wish, wish.purpose, doubts, attachment, job)
        for key in step.serves:
            wish = wishes.get(key)
            if wish is not None and key not in step.final:
                self._calls.append(self._begin(wish, Purpose.PREPARATION, doubts, attachment, job))
        if wishes.keys().isdisjoint(step.serves):
            self._calls.append(self._unasked(step, attachment, job))

    def _begin(
        self,
        wish: OpenWish,
        purpose: Purpose,
        doubts: Mapping[str, Doubt],
        attachment: Attachment,
        job: Job,
    ) -> Attempt:
        number = wish.sends + 1
        before, age_s = self._verified(wish, doubts)
        ident = f"{wish.ident}#{number}"
        attempt = Attempt(
            id=f"{ident}-{job.sent_n}" if purpose is Purpose.PREPARATION else ident,
            purpose=purpose,
            target=f"{self._device.id}/{wish.key}",
            role=wish.capability.role,
            value=wish.value,
            by=wish.by,
            number=number,
            step=job.sent_n,
            address=str(attachment.link.endpoint),
            sent_at=self._device.core.clock.now(),
            before=before,
            before_age_s=age_s,
        )
        self._device.attempt_sent(attempt)
        return attempt

    def _unasked(self, step: Step, attachment: Attachment, job: Job) -> Attempt:
        """A step that serves nobody. A mark says that an output is told something; without one it is a renewal."""
        device = self._device
        attempt = Attempt(
            id=f"{device.id}#{device.core.epoch}-{job.sent_n}",
            purpose=Purpose.GUARD if step.marks else Purpose.RENEWAL,
            target=f"{device.id}/{step.tag}" if isinstance(step.tag, str) else device.id,
            by=attachment.driver.name,
            number=1,
            step=job.sent_n,
            address=str(attachment.link.endpoint),
            sent_at=device.core.clock.now(),
        )
        device.attempt_sent(attempt)
        return attempt

    def _verified(self, wish: OpenWish, doubts: Mapping[str, Doubt]) -> tuple[Value, float | None]:
        """What is known before a send and how old that is; nothing where a send before it was never proven."""
        evidence = self._evidence(wish)
        now = self._device.core.now()
        if wish.key not in evidence.values or not evidence.quality_at(now).is_current:
            return None, None
        doubt = doubts.get(wish.key)
        if doubt is not None and not doubt.is_settled_by(evidence.t, evidence.n):
            return None, None
        return evidence.values[wish.key], max(0.0, now - evidence.seen_t())

    # --- what becomes of it -----------------------------------------------------------------------------------------

    def call_ended(
        self, served: Iterable[OpenWish], end: End, text: str, took_s: float, *, is_bad: bool
    ) -> None:
        """A step's call is over. That decides only what nothing is read back for; for the rest its fault is kept."""
        fault = fault_in_words(end, text, took_s) if is_bad else ""
        for wish in served:
            if fault and wish.attempt is not None:
                wish.attempt = replace(wish.attempt, reason=fault)
        self._end_calls(Outcome.FAILED if is_bad else Outcome.DONE, fault)

    def verified(self, wish: OpenWish) -> None:
        """Evidence shows it."""
        self.wish_ended(wish, Outcome.VERIFIED, "")

    def contradicted(self, wish: OpenWish, evidence: GroupEvidence) -> None:
        """Evidence from after its settle time shows something else: that is its end once nothing late can come.

        The last attempt of a command ends with the command, which waits a little longer.
        """
        now = self._device.core.now()
        if wish.attempt is None or wish.is_last:
            return
        if evidence.t >= wish.sent.t + wish.capability.verify.settle_s + wish.capability.verify.bound_s:
            self._end_unproven(wish, retry_in_s=max(0.0, wish.try_at - now))

    def wish_ended(self, wish: OpenWish, outcome: Outcome, reason: str) -> None:
        """Its wish is over or verified, for that reason."""
        if wish.attempt is None:
            return
        fault = wish.attempt.reason
        if fault and (outcome.is_failure or outcome is Outcome.VERIFIED):  # a call may fail and have worked
            reason = f"{reason} ({fault})" if reason else fault
        self._end(wish, outcome, reason, Next.GAVE_UP if outcome.is_failure else Next.NOTHING)

    def close(self, wishes: Iterable[OpenWish], why: str) -> None:
        """Nothing is sent or read any more: what is open ends."""
        for wish in wishes:
            self.wish_ended(wish, Outcome.FAILED, why)
        self._end_calls(Outcome.DROPPED, why)

    def _end_unproven(self, wish: OpenWish, retry_in_s: float) -> None:
        """It was not proven in its time, and there will be another one."""
        if wish.attempt is None:
            return
        fault = wish.attempt.reason
        seen = self._read_back(wish)
        if seen is None:
            reason = fault or "not confirmed: nothing that counts was read back after it"
        else:
            reason = f"not confirmed; the device reports {in_words(seen.values[wish.key])}"
            reason += f" ({fault})" if fault else ""
        self._end(wish, Outcome.FAILED, reason, Next.RETRY, retry_in_s)

    def _end(
        self,
        wish: OpenWish,
        outcome: Outcome,
        reason: str,
        following: Next = Next.NOTHING,
        retry_in_s: float | None = None,
    ) -> None:
        attempt, wish.attempt = wish.attempt, None
        assert attempt is not None
        core = self._device.core
        ended_at = core.clock.now()
        after, after_at = None, None
        seen = self._read_back(wish)
        if seen is not None:
            after = seen.values[wish.key]
            after_at = ended_at - timedelta(seconds=max(0.0, core.now() - seen.at))
        ended = replace(
            attempt,
            outcome=outcome,
            reason=reason,
            next=following,
            retry_in_s=retry_in_s,
            after=after,
            after_at=after_at,
            ended_at=ended_at,
        )
        self._device.attempt_ended(ended)

    def _end_calls(self, outcome: Outcome, reason: str) -> None:
        """Steps that nothing is read back for are over."""
        if not self._calls:
            return
        calls, self._calls = self._calls, []
        ended_at = self._device.core.clock.now()
        for attempt in calls:
            ended = replace(attempt, outcome=outcome, reason=reason, ended_at=ended_at)
            self._device.attempt_ended(ended)

    def _read_back(self, wish: OpenWish) -> GroupEvidence | None:
        """The evidence that counts for the last send; ``None`` if none came."""
        evidence = self._evidence(wish)
        counts = wish.key in evidence.values and wish.may_show(evidence.t, evidence.n)
        return evidence if counts else None

    def _evidence(self, wish: OpenWish) -> GroupEvidence:
        return self._device.evidence_of(wish.capability.member, wish.capability.group)


def fault_in_words(end: End, text: str, took_s: float) -> str:
    """Why a call failed and how long it took. Never empty: a bare timeout, and many a library's error, has no text."""
    if end is End.TIMEOUT:
        return f"sending it took longer than {took_s:.1f} s"
    if text:
        return f"{text}, after {took_s:.1f} s"
    why = "was cut off" if end is End.DOUBT else "failed without a word"
    return f"sending it {why} after {took_s:.1f} s"


def in_words(value: Value) -> str:
    """A value as reasons speak of it."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "on" if value else "off"
    return str(value)
