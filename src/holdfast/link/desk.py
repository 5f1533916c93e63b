"""The command desk of one device: the life of every command and standing order from wish to end.

Receipts are the only way to the wire. Commands come in, the driver's planner says what to do now, the desk does the
first of it when slot and spacing allow, and evidence asked for after the send decides. Decisions are synchronous.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from holdfast.link.attempts import ENDS, Attempts, in_words
from holdfast.link.driver import Trait
from holdfast.link.orders import OrderView, decide
from holdfast.link.planner import Action, Done, Planner, Read, Refuse, Step, Wait, Warn, WireLog, Wish
from holdfast.link.session import End, Job
from holdfast.link.wishes import Gate, OpenCommand, OpenOrder, OpenWish, always_open
from holdfast.model import (
    Authority,
    Capability,
    CommandState,
    Issuer,
    NotAccepted,
    Outcome,
    Receipt,
    Stamp,
    StandingOrder,
    Value,
    accept,
)

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterable, Iterator

    from holdfast.link.attachment import Attachment
    from holdfast.link.device import LinkedDevice
    from holdfast.link.evidence import GroupEvidence

GATHER_S = 0.005
"""Commands that arrive within this time may share a frame; a person cannot notice it, a scene fits into it."""
LEAST_TIMEOUT_S = 10.0
"""Default timeout of a command whose verify plan is shorter (design: timing)."""

LONGEST_TIMEOUT_S = 86400.0
"""A wish that is older than a day is not what anybody wants any more."""


class Doubt:
    """A send that was never proven: until evidence from after its latency bound, nobody knows."""

    __slots__ = ("bound_s", "stamp", "value")

    def __init__(self, value: Value, stamp: Stamp, bound_s: float) -> None:
        self.value = value
        self.stamp = stamp
        self.bound_s = bound_s

    def is_settled_by(self, t: float, n: int) -> bool:
        """Whether evidence of that stamp tells for certain what became of it."""
        return n > self.stamp.n and t >= self.stamp.t + self.bound_s


class CommandDesk:
    """Open wishes of one device. At most one command and one order a capability."""

    def __init__(self, device: LinkedDevice) -> None:
        self._device = device
        self._core = device.core
        self.commands: dict[str, OpenCommand] = {}
        self.orders: dict[str, OpenOrder] = {}
        self.doubts: dict[str, Doubt] = {}
        self.sent = WireLog()
        self.attempts = Attempts(device)
        self.warnings: dict[str, str] = {}
        self._flight: tuple[Job, Step, list[OpenWish], Attachment] | None = None
        self._last_step_t = -math.inf
        self._gather_until_t = -math.inf
        self._is_asked = False
        self._is_closed = False
        self._wake: asyncio.TimerHandle | None = None
        self._wake_t = -math.inf
        self._reread: asyncio.TimerHandle | None = None

    # --- wishes come in ----------------------------------------------------------------------------------------

    def command(
        self,
        capability: Capability,
        value: object,
        issuer: Issuer,
        timeout_s: float | None,
        gate: Gate = always_open,
    ) -> Receipt:
        """Take a command; the receipt tells whether it was accepted or refused, and why.

        ``gate`` is asked again before each send: what it objects to ends there.
        """
        timeout_s = max(capability.verify.worst_case_s, LEAST_TIMEOUT_S) if timeout_s is None else timeout_s
        receipt = Receipt(
            id=self._core.new_id("c"),
            target=f"{self._device.id}/{capability.key}",
            value=value if isinstance(value, bool | int | float | str) else None,
            issuer=issuer.name,
            state=CommandState.ACCEPTED,
            timeout_s=timeout_s,
            created_at=self._core.clock.now(),
        )
        issued = self._core.stamp()
        why = self._objection(capability, value, issuer.authority, timeout_s) or gate()
        if why:
            refused = OpenCommand(capability, None, issuer.authority, issued, receipt)
            return self._publish(refused.report_end(CommandState.REFUSED, why, issued.t, receipt.created_at))
        command = OpenCommand(capability, receipt.value, issuer.authority, issued, receipt, gate)
        before = self.commands.get(capability.key)
        if before is not None:
            self._end(before, CommandState.SUPERSEDED, f"superseded by {receipt.id} of {issuer.name}")
        self.commands[capability.key] = command
        self._publish(receipt)
        command.timers.append(self._core.loop.call_at(issued.t + timeout_s, self._expire, command))
        if not command.is_urgent and self._gather_until_t < issued.t:
            self._gather_until_t = issued.t + GATHER_S
        self._watch()
        self.ask()
        return receipt

    def _objection(
        self, capability: Capability, value: object, authority: Authority, timeout_s: float
    ) -> str:
        try:
            accept(capability, value)
        except NotAccepted as error:
            return str(error)
        if not 0.0 < timeout_s <= LONGEST_TIMEOUT_S:
            return f"timeout_s must be a number above 0 and at most {LONGEST_TIMEOUT_S:g}"
        if self._device.planner is None:
            return f"{self._device.id} is read-only"
        order = self.orders.get(capability.key)
        if order is not None and order.value != value:
            return f"a standing order holds it at {in_words(order.value)}: {order.order.cause}"
        before = self.commands.get(capability.key)
        if before is not None and before.authority > authority:
            return f"a command of a {before.authority.word} is still open ({before.receipt.id})"
        return ""

    def order(self, capability: Capability, order: StandingOrder) -> None:
        """Lay a standing order on a capability; open commands that contradict it end."""
        before = self.orders.get(capability.key)
        if before is not None:
            text = f"superseded by another standing order: {order.cause}"
            self.attempts.wish_ended(before, Outcome.SUPERSEDED, text)
        self.orders[capability.key] = OpenOrder(capability, order, self._core.stamp())
        command = self.commands.get(capability.key)
        if command is not None and command.value != order.value:
            self._end(command, CommandState.SUPERSEDED, f"superseded by a standing order: {order.cause}")
        self._watch()
        for attachment in self._device.attachments:
            attachment.link.order_laid()
        self.ask()

    def release(self, key: str) -> None:
        """The cause is gone, or a person says so: the order ends as soon as it is verified."""
        order = self.orders.get(key)
        if order is not None:
            order.is_released = True
            self._judge_order(order, None)

    def hold(self, key: str) -> None:
        """The cause is back: the order stands until it is released again."""
        order = self.orders.get(key)
        if order is not None:
            order.is_released = False

    def drop_orders(self, why: str) -> list[OpenOrder]:
        """All orders are over, verified or not: somebody else answers for them, or nobody has to."""
        dropped = list(self.orders.values())
        self.orders.clear()
        for order in dropped:
            self.attempts.wish_ended(order, Outcome.DROPPED, f"the standing order is over: {why}")
        self._watch()
        return dropped

    @property
    def has_open_order(self) -> bool:
        """Whether a standing order is not verified."""
        return any(not order.order.is_verified for order in self.orders.values())

    # --- what to do now ------------------------------------------------------------------------------------------

    def ask(self) -> None:
        """Ask the planner as soon as the present call is over."""
        if not self._is_asked:
            self._is_asked = True
            self._core.loop.call_soon(self._pump)

    def _pump(self) -> None:
        self._is_asked = False
        if self._is_closed:
            return
        device = self._device
        attachment = device.active
        planner = attachment.driver.planner
        link = attachment.link
        wishes = list(self._wishes())
        if planner is None or not link.has_session or not (wishes or attachment.driver.is_guarding):
            return
        if link.job is not None or link.queue:
            device.stand_in_line(link)
            return
        self.take_turn(attachment)

    def take_turn(self, attachment: Attachment) -> None:
        """The slot is free and it is this device's turn: do the first thing that the planner wants."""
        if self._is_closed:  # it still stood in line
            return
        planner = attachment.driver.planner
        link = attachment.link
        assert planner is not None
        now = self._core.now()
        self._ask_gates()
        wishes = list(self._wishes())
        is_urgent = any(wish.is_urgent for wish in wishes) or attachment.driver.is_guarding
        hold_until_t = max(self._last_step_t + attachment.driver.timing.spacing_s, self._gather_until_t)
        if now < hold_until_t and not is_urgent:
            self._wake_at(hold_until_t)
            return
        seen_by_planner = [wish.seen_by_planner() for wish in wishes]
        warned: dict[str, str] = {}
        wake_t = math.inf
        for action in self._planned(planner, seen_by_planner, attachment, now):
            match action:
                case Warn(key, text):
                    warned[key] = text
                case Wait(until):
                    wake_t = min(wake_t, until)
                case Refuse(key, text):
                    self._refuse(key, text)
                case Done(key):
                    self._done(key)
                case Read(member, group):
                    self._warn(warned)
                    link.read(member, group)
                    if wake_t < math.inf:  # its answer may be lost, and then nobody else would ask again
                        self._wake_at(wake_t)
                    return
                case Step():
                    if now < hold_until_t and not action.is_urgent:
                        wake_t = min(wake_t, hold_until_t)
                        continue
                    self._warn(warned)
                    self._step(action, attachment, now)
                    return
        self._warn(warned)
        if wake_t < math.inf:
            self._wake_at(wake_t)

    def _ask_gates(self) -> None:
        """Authority is checked at the moment of the write, not when a command was taken."""
        for command in list(self.commands.values()):
            if command.gate is not always_open and not command.in_flight and (why := command.gate()):
                self._refuse(command.key, why)

    def _planned(
        self, planner: Planner, wishes: list[Wish], attachment: Attachment, now: float
    ) -> Iterator[Action]:
        """What the planner says; one that fails refuses its commands, and harms nothing else."""
        try:
            yield from planner(wishes, attachment.seen(), self.sent, now)
        except Exception as error:  # noqa: BLE001 - the driver's code is not ours
            attachment.link.log.driver_failed(error)
            for wish in wishes:
                yield Refuse(wish.key, f"the driver's planner failed: {type(error).__name__}: {error}")

    def _wishes(self) -> Iterator[OpenWish]:
        """Open wishes, one a capability: an order outranks a command (of the same value) until it is verified."""
        for key, order in self.orders.items():
            if not order.order.is_verified or key not in self.commands:
                yield order
        for key, command in self.commands.items():
            if key not in self.orders or self.orders[key].order.is_verified:
                yield command

    def _step(self, step: Step, attachment: Attachment, now: float) -> None:
        link = attachment.link
        if self._flight is not None:  # over a path that serves no more: its end is not waited for
            self.step_ended(self._flight[0], End.DOUBT, "another path serves by now")
        job = Job("step", step.member, step.group, step.payload, reply_s=link.ack_wait_s())
        by_key = {wish.key: wish for wish in self._wishes()}
        served = [by_key[key] for key in step.final if key in by_key]
        try:
            is_started = link.start(job, self._device)
        except ValueError as error:
            for key in step.serves:
                self._refuse(key, f"the driver's last gate refused it: {error}")
            return
        self._flight = (
            job,
            step,
            served,
            attachment,
        )  # not before: a loss while it is started is told by `is_started`
        link.report.steps += 1
        self._last_step_t = now
        self.attempts.sent(step, by_key, self.doubts, attachment, job)
        self._note_sent(step, served, job.stamp)
        wall = self._core.clock.now()
        for wish in served:
            if isinstance(wish, OpenCommand):
                was_sent = wish.receipt.sent_at is not None
                self._publish(wish.report_sent(now, wall))
                if not was_sent:
                    self._doubt_later(wish, now)
            else:
                assert isinstance(wish, OpenOrder)
                wish.order = replace(wish.order, attempts=wish.sends)
                self._device.shown_changed(wish.key)  # in doubt from here on
        if not is_started:  # nobody knows how far it came
            self.step_ended(job, End.DOUBT, "the session was lost over it")

    def _note_sent(self, step: Step, served: Iterable[OpenWish], stamp: Stamp) -> None:
        for tag in (step.tag, *step.marks):
            self.sent.note(tag, stamp)
        for wish in served:
            doubt = self.doubts.get(wish.key)
            fresh_after_t = -math.inf
            if doubt is not None and doubt.value != wish.value:  # an earlier opposite send may yet show
                fresh_after_t = doubt.stamp.t + doubt.bound_s
            wish.note_sent(stamp, max(fresh_after_t, wish.fresh_after_t))
            self.doubts[wish.key] = Doubt(wish.value, stamp, wish.capability.verify.bound_s)

    def _doubt_later(self, command: OpenCommand, now: float) -> None:
        """The shown value turns unknown while the command stays open: at once where safety hangs on it."""
        if command.capability.fail_safe is not None:
            self._device.shown_changed(command.key)
            return
        due_t = now + OpenCommand.may_be_doubted_after_s
        command.timers.append(self._core.loop.call_at(due_t, self._device.shown_changed, command.key))

    def step_ended(self, job: Job, end: End, text: str) -> None:
        """A step's turn is over: read back at once, and once more a little later."""
        if self._flight is None or self._flight[0] is not job or self._is_closed:
            return
        _, step, served, attachment = self._flight
        self._flight = None
        now = self._core.now()
        if Trait.LIBRARY in attachment.driver.traits:  # it may have acted at any moment until now
            stamp = self._core.stamp()
            for tag in (step.tag, *step.marks):
                self.sent.note(tag, stamp)
            for wish in served:
                wish.sent = stamp
                wish.fresh_after_t = max(wish.fresh_after_t, stamp.t + wish.capability.verify.settle_s)
                self.doubts[wish.key] = Doubt(wish.value, stamp, wish.capability.verify.bound_s)
        is_bad = end in (End.DOUBT, End.ERROR) or (
            end is End.TIMEOUT and Trait.LIBRARY in attachment.driver.traits
        )
        error = (text or end.value) if is_bad else ""
        self.attempts.call_ended(served, end, text, now - job.sent_t, is_bad=is_bad)
        for wish in served:
            wish.note_end(now, error)
            if error:
                self._device.shown_changed(wish.key)
            if isinstance(wish, OpenCommand) and wish.is_last:
                plan = wish.capability.verify
                give_up_t = max(now, wish.fresh_after_t) + plan.wait_s
                wish.timers.append(self._core.loop.call_at(give_up_t, self._give_up, wish))
        self._watch()
        self._core.loop.call_soon(self._confirm, step.member, step.group)
        if attachment.driver.timing.reread_s > 0.0:
            if self._reread is not None:
                self._reread.cancel()
            reread_t = now + attachment.driver.timing.reread_s
            self._reread = self._core.loop.call_at(reread_t, self._confirm_again, step.member, step.group)
        self.ask()

    def _confirm(self, member: str, group: str) -> None:
        self._device.active.link.read(member, group)

    def _confirm_again(self, member: str, group: str) -> None:
        if any(wish.was_sent for wish in self._wishes()):
            self._confirm(member, group)

    def _wake_at(self, when: float) -> None:
        if self._is_closed:
            return
        if self._wake is not None:
            if self._wake_t <= when:
                return
            self._wake.cancel()
        self._wake_t = when  # not asked of the timer: uvloop's knows no time when the moment has passed
        self._wake = self._core.loop.call_at(when, self._woken)

    def _woken(self) -> None:
        """A timer may fire early (uvloop: up to 1 ms): one that has fired never keeps the next from being set."""
        self._wake = None
        self.ask()

    # --- what came of it -------------------------------------------------------------------------------------------

    def evidence_came(self, evidence: GroupEvidence) -> None:
        """Judge the open wishes by it. Called for every piece of evidence while anything is open."""
        for key in [key for key, doubt in self.doubts.items() if key in evidence.values]:
            doubt = self.doubts[key]
            if key not in self.commands and doubt.is_settled_by(evidence.t, evidence.n):
                del self.doubts[key]
                self._device.shown_changed(key)
        for command in list(self.commands.values()):
            if command.key in evidence.values and command.may_show(evidence.t, evidence.n):
                shown = evidence.values[command.key]
                if self._device.shows(command.key, command.value, shown):
                    self._end(command, CommandState.VERIFIED, "")
                else:
                    self.attempts.contradicted(command, evidence)
        for order in list(self.orders.values()):
            if order.key in evidence.values:
                self._judge_order(order, evidence)
        self._watch()
        if self.commands or self.has_open_order or evidence.attachment.driver.is_guarding:
            self.ask()

    def _judge_order(self, order: OpenOrder, evidence: GroupEvidence | None) -> None:
        is_shown: bool | None = None
        if evidence is not None and order.may_show(evidence.t, evidence.n):
            is_shown = self._device.shows(order.key, order.value, evidence.values[order.key])
        elif order.order.is_verified and evidence is None and self._is_in_touch:
            is_shown = True
        if is_shown is None and not order.is_released:
            return
        was_verified = order.order.is_verified
        verdict = decide(OrderView(order.value, is_shown, order.was_sent, order.is_released))
        if is_shown is None:
            verdict = replace(verdict, is_verified=was_verified)
        has_changed = verdict.is_verified is not was_verified
        if has_changed:
            order.order = replace(order.order, is_verified=verdict.is_verified)
            if verdict.is_verified:
                order.last_error = ""  # what failed before is another story
                self.doubts.pop(order.key, None)
            else:
                order.try_at = self._core.now()
            self._device.shown_changed(order.key)  # what was in doubt is known now, or the other way round
        if is_shown:
            self.attempts.verified(order)
        elif evidence is not None and is_shown is False:
            self.attempts.contradicted(order, evidence)
        if has_changed:
            self._device.order_changed(order.order)
        if verdict.has_ended:
            del self.orders[order.key]
            self._device.order_ended(order.order)
            self._watch()

    @property
    def _is_in_touch(self) -> bool:
        """Whether there is a session: what was verified in an earlier one is proven no more."""
        return bool(self._device.attachments) and self._device.active.link.has_session

    def session_opened(self) -> None:
        """A new session: standing orders go first, whatever was believed before."""
        now = self._core.now()
        for order in self.orders.values():
            order.order = replace(order.order, is_verified=False)
            order.try_at = now
        self.ask()

    def _done(self, key: str) -> None:
        command = self.commands.get(key)
        if command is not None:
            self._end(command, CommandState.VERIFIED, "already so, by fresh evidence")

    def _refuse(self, key: str, text: str) -> None:
        command = self.commands.get(key)
        if command is not None:
            state = CommandState.FAILED if command.was_sent else CommandState.REFUSED
            self._end(command, state, text)

    def _give_up(self, command: OpenCommand) -> None:
        tries = len(command.capability.verify.pauses_s)
        shown = self._device.last_value(command.key)
        text = f"not confirmed after {tries} attempts; the device reports {in_words(shown)}"
        if command.last_error:
            text += f" (last attempt: {command.last_error})"
        self._end(command, CommandState.FAILED, text)

    def _expire(self, command: OpenCommand) -> None:
        if command.was_sent:
            text = f"not confirmed within {command.receipt.timeout_s:g} s"
        else:
            text = f"not sent within {command.receipt.timeout_s:g} s: {self._device.why_not_sent()}"
        self._end(command, CommandState.EXPIRED, text)

    def _end(self, command: OpenCommand, state: CommandState, reason: str) -> None:
        if self.commands.get(command.key) is not command:  # whoever was told of another end has superseded it
            return
        del self.commands[command.key]
        now = self._core.now()
        receipt = command.report_end(state, reason, now, self._core.clock.now())
        if state is CommandState.VERIFIED:
            self.doubts.pop(command.key, None)
            self._device.active.link.report.latency.add(now - command.issued.t)
        self._device.shown_changed(command.key)
        if state in ENDS:
            self.attempts.wish_ended(command, ENDS[state], reason)
        self._publish(receipt)
        self._watch()

    def _warn(self, warned: dict[str, str]) -> None:
        for key, text in warned.items():
            if self.warnings.get(key) != text:
                self._device.warned(key, text)
        for key in self.warnings.keys() - warned.keys():
            self._device.cleared(key, self.warnings[key])
        self.warnings = warned

    def _publish(self, receipt: Receipt) -> Receipt:
        self._device.receipt_changed(receipt)
        return receipt

    def _watch(self) -> None:
        self._device.is_watching = bool(self.commands or self.orders or self.doubts)

    # --- who asks ----------------------------------------------------------------------------------------------------

    def is_in_doubt(self, capability: Capability, t: float, n: int, now: float) -> bool:
        """Whether an open or unproven send makes the shown value unknown; ``t``, ``n``: stamp of the evidence."""
        command = self.commands.get(capability.key)
        if command is not None and command.was_sent:
            if capability.fail_safe is not None or command.last_error:
                return True
            return now >= command.first_sent_t + OpenCommand.may_be_doubted_after_s
        order = self.orders.get(capability.key)
        if order is not None and order.was_sent:
            return not order.order.is_verified
        doubt = self.doubts.get(capability.key)
        return doubt is not None and not doubt.is_settled_by(t, n)

    def ending(self, key: str, receipt: Receipt) -> asyncio.Future[Receipt] | None:
        """A future for the end of the command with that receipt; ``None`` if it is not open."""
        command = self.commands.get(key)
        if command is None or command.receipt.id != receipt.id:
            return None
        if command.ended is None:
            command.ended = self._core.loop.create_future()
        return command.ended

    def withdraw(self, why: str) -> None:
        """Open commands fail, saying why; standing orders stay."""
        for command in list(self.commands.values()):
            self._end(command, CommandState.FAILED, why)

    def close(self, why: str) -> None:
        """The device stops: open commands fail, saying why; no timer is left."""
        self._is_closed = True
        self.withdraw(why)
        self.attempts.close(self.orders.values(), why)
        for timer in (self._wake, self._reread):
            if timer is not None:
                timer.cancel()
        self._wake = self._reread = None
