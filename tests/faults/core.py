"""Faults planted into the core: what earlier programs did, and what we did while we wrote it."""

from __future__ import annotations

from tests.faults.planting import PlantedFault

LINK = "tests/link/test_faults.py"

CORE: tuple[PlantedFault, ...] = (
    PlantedFault(
        name="a stale value stays fresh",
        file="link/evidence.py",
        old="        if age_s >= self.deadline_s - TICK_S:\n            return STALE\n",
        new="",
        tests=(f"{LINK}::test_silent_peer_is_noticed",),
    ),
    PlantedFault(
        name="a silent socket is believed for ever",
        file="link/link.py",
        old="        self.fail(self.silence(now))",
        new="        pass",
        tests=("tests/link/test_link.py::test_the_report_tells_what_happened",),
    ),
    PlantedFault(
        name="backoff is never reset",
        file="link/supervisor.py",
        old="                    self.backoff.reset()",
        new="                    pass",
        tests=("tests/link/test_supervisor.py::test_backoff_starts_over_once_proven",),
    ),
    PlantedFault(
        name="backoff is reset by a mere connect",
        file="link/supervisor.py",
        old="if link.is_proven or link.alive_t - link.opened_t >= HEALTHY_S:",
        new="if True:",
        tests=("tests/link/test_supervisor.py::test_connecting_alone_does_not_reset_the_backoff",),
    ),
    PlantedFault(
        name="a refused login is hammered",
        file="errors.py",
        old='''    """The device refused the user name or password."""

    is_retryable = False''',
        new='''    """The device refused the user name or password."""
''',
        tests=(f"{LINK}::test_refused_login_is_not_hammered",),
    ),
    PlantedFault(
        name="a receipt is lost when superseded",
        file="link/desk.py",
        old='            self._end(before, CommandState.SUPERSEDED, f"superseded by {receipt.id} of {issuer.name}")',
        new="            pass",
        tests=(f"{LINK}::test_newest_wins_and_says_so",),
    ),
    PlantedFault(
        name="a command is verified by evidence from before its send",
        file="link/wishes.py",
        old="n > self.sent.n and t >= self.fresh_after_t",
        new="True",
        tests=("tests/link/test_order.py::test_old_answer_proves_nothing",),
    ),
    PlantedFault(
        name="an unproven opposite send is forgotten",
        file="link/desk.py",
        old="if doubt is not None and doubt.value != wish.value:",
        new="if False:",
        tests=(f"{LINK}::test_newest_wins_and_says_so",),
    ),
    PlantedFault(
        name="an acknowledgement counts as proof",
        file="link/desk.py",
        old="            wish.note_end(now, error)\n",
        new="            wish.note_end(now, error)\n            self._done(wish.key)\n",
        tests=(f"{LINK}::test_ack_is_not_proof",),
    ),
    PlantedFault(
        name="a command is not repeated",
        file="link/desk.py",
        old="        for wish in served:\n            wish.note_end(now, error)\n",
        new="        for wish in served:\n            wish.note_end(1e9, error)\n",
        tests=(f"{LINK}::test_ack_is_not_proof",),
    ),
    PlantedFault(
        name="may_have_executed is forgotten",
        file="link/wishes.py",
        old="may_have_executed=self.was_sent and state is not CommandState.VERIFIED,",
        new="may_have_executed=False,",
        tests=(f"{LINK}::test_ack_is_not_proof",),
    ),
    PlantedFault(
        name="a command is dropped while disconnected",
        file="link/desk.py",
        old='        if self._device.planner is None:\n            return f"{self._device.id} is read-only"\n',
        new='        if not self._device.active.link.has_session:\n            return "not connected"\n',
        tests=(f"{LINK}::test_commands_in_an_outage_never_vanish",),
    ),
    PlantedFault(
        name="an OFF is not sent because it is believed off",
        file="link/orders.py",
        old="is_verified = view.was_sent and view.is_shown is True",
        new="is_verified = view.is_shown is not False",
        tests=("tests/link/test_orders.py",),
    ),
    PlantedFault(
        name="a standing order ends when verified once",
        file="link/orders.py",
        old="has_ended=is_verified and view.is_released",
        new="has_ended=is_verified",
        tests=(f"{LINK}::test_standing_order_outlives_everything",),
    ),
    PlantedFault(
        name="a standing order trusts the session before",
        file="link/desk.py",
        old="            order.order = replace(order.order, is_verified=False)\n            order.try_at = now\n",
        new="            pass\n",
        tests=("tests/link/test_orders.py::test_order_is_sent_again_after_a_reconnect",),
    ),
    PlantedFault(
        name="a lost session's late words are heard",
        file="link/sink.py",
        old="        if self.is_mute:\n            return False\n",
        new="",
        tests=("tests/link/test_supervisor.py::test_a_lost_session_is_not_heard_any_more",),
    ),
    PlantedFault(
        name="an overrun shifts the grid",
        file="link/link.py",
        old="        self.due_t = next_t\n",
        new="        self.due_t = next_t = now + self.every_s\n",
        tests=("tests/link/test_link.py::test_a_stalled_loop_skips_grid_points",),
    ),
    PlantedFault(
        name="suspend goes unnoticed",
        file="clock.py",
        old="        if slept_s < SUSPEND_TOLERANCE_S:",
        new="        if True:",
        tests=(f"{LINK}::test_suspend_makes_everything_stale",),
    ),
    PlantedFault(
        name="a fire that re-arms makes an instant endless",
        file="link/wheel.py",
        old="            tick = self._done_tick + 1\n",
        new="            pass\n",
        tests=("tests/link/test_wheel.py::test_a_fire_that_rearms_lands_later",),
    ),
    PlantedFault(
        name="the wheel wakes for a later slot than its next",
        file="link/wheel.py",
        old="                self._set_timer(order[0])",
        new="                self._set_timer(order[-1])",
        tests=("tests/link/test_wheel.py::test_every_entry_is_woken_in_its_tick",),
    ),
    PlantedFault(
        name="a rejected batch is believed when it comes again",
        file="link/stream.py",
        old="                if is_believed and event.whole is not None:",
        new="                if event.whole is not None:",
        tests=(f"{LINK}::test_sanity_rejects_once_and_passes_what_stays",),
    ),
    PlantedFault(
        name="a rejected frame is a sign of life",
        file="link/sink.py",
        old="        link.rejects_since_life += 1\n",
        new="        link.rejects_since_life += 1\n        link.lived(link.core.now())\n",
        tests=("tests/link/test_link.py::test_nonsense_is_no_sign_of_life",),
    ),
    PlantedFault(
        name="a slow listener slows the writer or loses silently",
        file="hub/events.py",
        old='        self._waiting[-1] = Record(record.id, record.seq, Kind.GAP, "gap", record.at, {"lost": lost})',
        new="        self._waiting[-1] = record",
        tests=("tests/hub/test_events.py",),
    ),
    PlantedFault(
        name="a late answer is taken for the answer to the next question",
        file="link/stream.py",
        old="        self._owed.append(job.stamp)\n        return",
        new="        return job.stamp\n        return",
        tests=("tests/link/test_order.py::test_old_answer_proves_nothing",),
    ),
    PlantedFault(
        name="the leftovers of an exchange are kept for the next",
        file="link/stream.py",
        old="            self._settle(self._codec.flush())  # the next request ends the previous exchange",
        new="            pass",
        tests=("tests/link/test_stream.py::test_next_request_ends_the_previous_exchange",),
    ),
)
