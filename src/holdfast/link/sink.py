"""Where one session's reports enter the core. One object a session: a lost session's late words fall on deaf ears."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.errors import LinkFault, Nonsense
from holdfast.link.driver import HIDES_BACK
from holdfast.link.evidence import GOOD
from holdfast.link.intake import DOUBTED
from holdfast.link.machine import State
from holdfast.link.session import End
from holdfast.link.sighting import MOST, TAKEN_IN_AFTER, Sighting
from holdfast.model import Batch, Capability, Reject, Stamp

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.link.evidence import GroupEvidence
    from holdfast.link.link import Link
    from holdfast.link.session import Job


class SessionSink:
    """The core's side of one session."""

    __slots__ = ("before", "is_mute", "life", "link")

    def __init__(self, link: Link, life: int) -> None:
        self.link = link
        self.life = life
        self.is_mute = False
        self.before = b""  # the last bytes heard, while somebody watches

    def mute(self) -> None:
        """The session is over: nothing it says counts any more."""
        self.is_mute = True

    def same(self, member: str, group: str, t: float, n: int) -> None:
        """An answer equal to the last: the stamp moves, and usually that is all."""
        if self.is_mute:
            return
        link = self.link
        evidence = link.routes.get((member, group))
        if evidence is None or evidence.life != self.life or n < evidence.n:
            return
        now = link.core.now()
        link.alive_t = now
        link.junk_bytes = 0
        link.rejects_since_life = 0
        link.report.answers += 1
        evidence.t = t
        evidence.n = n
        evidence.at = now
        if not link.is_proven:
            link.count_good(now)
        if evidence.quality is not GOOD and evidence.became_fresh(now):
            evidence.attachment.quality_changed(evidence)
        device = evidence.attachment.device
        if device.is_watching:
            device.evidence_came(evidence)

    def observed(self, batch: Batch, as_of: Stamp | None = None) -> bool:
        """Values came; whether they are believed."""
        if self.is_mute:
            return False
        link = self.link
        now = link.core.now()
        link.core.n = n = link.core.n + 1
        evidence = link.routes.get((batch.member, batch.group)) or self._stranger(batch, now)
        if evidence is None:
            return False
        stamp = as_of or Stamp(now, n)
        if stamp.n < evidence.n and evidence.life == self.life:
            return True  # overtaken by newer evidence
        try:
            changed = evidence.take(batch.raw, stamp, now)
        except Exception as error:  # noqa: BLE001 - the caller may serve other devices too; they must not suffer
            link.log.driver_failed(error)
            changed = Reject("driver", f"{type(error).__name__}: {error}")
        if isinstance(changed, Reject):
            self.rejected(changed)
            if changed.code == DOUBTED and evidence.intake.is_proving:
                # Damage does not come twice alike: somebody speaks, and is about to be believed. To give the session up
                # now would be to drop it over every real extreme that needs longer than silence may last.
                link.alive_t = now
            return False
        link.lived(now)
        link.report.answers += 1
        if changed:
            link.report.changes += 1
        if link.state is State.EXPECTING:
            link.first_evidence(now)
        if not link.is_proven:
            link.count_good(now)
        quality_changed = evidence.became_fresh(now)
        device = evidence.attachment.device
        if changed or quality_changed:
            device.values_changed(evidence, changed, quality_changed=quality_changed)
        if device.is_watching or (changed and evidence.attachment.driver.is_guarding):
            device.evidence_came(evidence)
        # What would look different when it came again must be judged again.
        return evidence.intake.is_settled

    def _stranger(self, batch: Batch, now: float) -> GroupEvidence | None:
        """A whole message of a member that nobody configured: life, and perhaps the beginning of an acquaintance."""
        link = self.link
        owner = next((each for each in link.attachments if batch.member in each.members), None)
        if owner is not None:  # a member that was taken in says something new
            return owner.take_in(batch.member, batch.group, batch.raw)
        taker = next((each for each in link.attachments if each.driver.takes_strangers), None)
        sighting = link.found.get(batch.member)
        if sighting is None:
            if len(link.found) >= MOST:
                return None
            sighting = link.found[batch.member] = Sighting()
        sighting.heard(now)
        if taker is not None and sighting.messages >= TAKEN_IN_AFTER:
            evidence = taker.take_in(batch.member, batch.group, batch.raw)
            if evidence is not None:
                link.found.pop(batch.member, None)
                return evidence
        link.lived(now)
        link.report.strangers += 1
        return None

    def alive(self, member: str = "") -> None:
        """A valid frame without values."""
        if self.is_mute:
            return
        link = self.link
        link.core.n += 1
        link.lived(link.core.now())
        link.notice_late_ack()

    def rejected(self, why: Reject, raw: bytes = b"") -> None:
        """Not understood or not believed: counted, never a sign of life."""
        if self.is_mute:
            return
        link = self.link
        link.report.rejects[why.code] += 1
        link.rejects_since_life += 1
        link.junk_bytes += len(raw)
        link.recorder.note(link.core.now(), "reject", f"{why.code}: {why.text} ({len(raw)} bytes)")
        if raw and link.log.is_loud and self._hides(b"", raw):
            raw = bytes(len(raw))
        link.log.rejected(why, raw)
        if link.junk_bytes > link.timing.junk_limit:
            link.fail(
                Nonsense(
                    f"{link.junk_bytes} bytes that mean nothing",
                    advice="Check that the address is that of the device you mean; record the exchange.",
                )
            )

    def finished(self, job: Job, end: End, text: str = "") -> None:
        """A job's turn is over."""
        if self.is_mute:
            return
        link = self.link
        if end is End.OK and link.job is job and link.job_owner is None and not link.queue:
            link.job = None  # an answered poll and nobody waiting: the hot path
        else:
            link.ended(job, end, text)

    def lost(self, fault: LinkFault) -> None:
        """The session is over."""
        if not self.is_mute:
            self.link.fail(fault)

    def found(self, member: str, capabilities: Sequence[Capability]) -> None:
        """A member made itself known."""
        if not self.is_mute:
            self.link.recorder.note(
                self.link.core.now(), "found", f"member {member}: {len(capabilities)} capabilities"
            )

    def heard(self, data: bytes, *, is_secret: bool = False) -> None:
        """Bytes came."""
        link = self.link
        link.report.bytes_in += len(data)
        if link.job_owner is not None:  # a step waits for its answer
            link.heard_t = link.core.now()
        if link.taps:
            shown = bytes(len(data)) if is_secret or self._hides(self.before, data) else data
            self.before = (self.before + data)[-HIDES_BACK:]
            for tap in link.taps:
                tap.heard(shown)

    def _hides(self, before: bytes, data: bytes) -> bool:
        return any(each.driver.hides(before, data) for each in self.link.attachments)

    def said(self, data: bytes, *, is_secret: bool = False) -> None:
        """Bytes went."""
        link = self.link
        link.report.bytes_out += len(data)
        if link.taps:
            shown = bytes(len(data)) if is_secret else data
            for tap in link.taps:
                tap.said(shown)
