"""What a plug is told when: pure decisions, by evidence and by what was sent."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from holdfast.drivers.kasa.dead_man import Timer
from holdfast.drivers.kasa.planner import KasaPlanner, Renew, Rewind, Switch
from holdfast.drivers.kasa.state import PlugState
from holdfast.link.planner import Action, Read, Sight, Step, Wait, Warn, WireLog, Wish
from holdfast.model import NEVER, Authority, Stamp


def wish(value: bool, try_at: float = 0.0, sends: int = 0) -> Wish:
    """Somebody wants the switch so."""
    return Wish("switch", value, Authority.PERSON, sends, try_at, Stamp(0.0, 0), is_urgent=not value)


def sight(state: PlugState, t: float = 0.0, n: int = 10) -> dict[tuple[str, str], Sight]:
    """What was seen at ``t``."""
    return {("", "live"): Sight(Stamp(t, n), t, state, {})}


def plan(planner: KasaPlanner, *args: object) -> list[Action]:
    """All it says."""
    return list(planner(*args))  # type: ignore[arg-type]


UNSEEN = {("", "live"): Sight(NEVER, -math.inf, PlugState(False), {})}
"""A plug that was seen before anything was sent."""


def sent(**stamps: tuple[float, int]) -> WireLog:
    """What was sent when."""
    log = WireLog()
    for tag, (t, n) in stamps.items():
        log.note(tag, Stamp(t, n))
    return log


def test_a_wish_is_sent_when_its_time_has_come() -> None:
    """An ON arms, if that is wanted; an OFF never."""
    (on,) = plan(KasaPlanner(600.0), [wish(True)], UNSEEN, sent(), 0.0)
    assert isinstance(on, Step)
    assert on.payload == Switch(True, 600.0)
    assert on.marks == ("dead_man",)
    (off,) = plan(KasaPlanner(600.0), [wish(False)], UNSEEN, sent(), 0.0)
    assert isinstance(off, Step)
    assert off.payload == Switch(False)
    assert off.is_urgent
    assert off.marks == ()
    (plain,) = plan(KasaPlanner(), [wish(True)], UNSEEN, sent(), 0.0)
    assert isinstance(plain, Step)
    assert plain.payload == Switch(True)


def test_while_a_step_settles_it_is_looked_at_again() -> None:
    """From its settle time on, every three quarters of a second, for three seconds and a half."""
    log = sent(switch=(100.0, 5))
    waiting = [wish(True, math.inf, 3)]
    planner = KasaPlanner()
    assert plan(planner, waiting, UNSEEN, log, 100.1) == [Wait(100.5, "switch")]
    assert plan(planner, waiting, UNSEEN, log, 100.5) == [Wait(101.25, "switch"), Read("", "live")]
    too_early = sight(PlugState(False), 100.49)
    assert plan(planner, waiting, too_early, log, 100.5)[-1] == Read("", "live")
    assert plan(planner, [wish(True, 101.0, 1)], too_early, log, 100.5)[0] == Wait(101.0, "switch")
    seen = sight(PlugState(False), 100.6)
    assert plan(planner, waiting, seen, log, 100.7) == [Wait(101.35, "switch")]
    assert plan(planner, waiting, seen, log, 101.35)[-1] == Read("", "live")
    assert plan(planner, waiting, seen, log, 103.6) == [Wait(math.inf, "switch")]
    assert plan(planner, [wish(True, 105.0)], UNSEEN, log, 100.1) == [Wait(105.0, "switch")]
    assert plan(planner, [wish(True, 100.3, 1)], UNSEEN, log, 100.1) == [Wait(100.3, "switch")]


def test_a_relay_that_is_on_keeps_its_timer() -> None:
    """Renewed at two thirds; at once where nothing is armed; not where there is nothing to keep."""
    planner = KasaPlanner(600.0)
    armed = sight(PlugState(True, timer=Timer(True, 600.0)))
    assert plan(planner, [], armed, sent(dead_man=(0.0, 5)), 100.0) == [Wait(200.0)]
    (step,) = plan(planner, [], armed, sent(dead_man=(0.0, 5)), 200.0)
    assert isinstance(step, Step)
    assert (step.payload, step.serves, step.final) == (Renew(600.0), (), ())
    bare = sight(PlugState(True, timer=Timer(True)))
    (step,) = plan(planner, [], bare, sent(), 0.0)
    assert isinstance(step, Step)
    for state in (PlugState(False, timer=Timer(True)), PlugState(True), PlugState(False, timer=Timer(False))):
        assert plan(planner, [], sight(state), sent(), 1000.0) == []
    assert plan(planner, [], {}, sent(), 1000.0) == [Wait(1010.0)]
    assert plan(KasaPlanner(), [], bare, sent(), 1000.0) == []


def test_nothing_is_renewed_by_evidence_from_before_a_step() -> None:
    """The relay may be off by now."""
    planner = KasaPlanner(600.0)
    assert (
        plan(planner, [], sight(PlugState(True, timer=Timer(True)), n=4), sent(switch=(0.0, 5)), 50.0) == []
    )


def test_a_renewal_that_did_not_show_is_repeated_later() -> None:
    """Twenty seconds of ten minutes; a newer plug is told to be on when all have failed."""
    planner = KasaPlanner(600.0)
    late = sight(PlugState(True, timer=Timer(True, 390.0)), 210.0)
    assert plan(planner, [], late, sent(dead_man=(205.0, 5)), 211.0) == [Wait(225.0)]
    end = sight(PlugState(True, timer=Timer(True, 190.0, True)), 410.0)
    (step,) = plan(planner, [], end, sent(dead_man=(380.0, 5)), 411.0)
    assert isinstance(step, Step)
    assert step.payload == Rewind(600.0)
    (first,) = plan(planner, [], end, sent(), 411.0)
    assert isinstance(first, Step)
    assert first.payload == Renew(600.0)


def test_what_a_person_should_know() -> None:
    """On without a timer that would end it."""
    planner = KasaPlanner(600.0)
    (warn,) = plan(planner, [], sight(PlugState(True, timer=Timer(False))), sent(), 0.0)
    assert isinstance(warn, Warn)
    first, second = plan(planner, [], sight(PlugState(True, timer=Timer(True))), sent(dead_man=(0.0, 5)), 1.0)
    assert isinstance(first, Warn)
    assert "not armed" in first.text
    assert isinstance(second, Wait)


@given(
    st.booleans(),
    st.none() | st.floats(0.1, 7200.0),
    st.booleans(),
    st.floats(3.0, 7200.0),
    st.floats(0.0, 10_000.0),
    st.sampled_from([(), (True,), (False,)]),
)
def test_a_renewal_never_moves_a_relay(
    is_on: bool,
    left_s: float | None,
    is_smart: bool,
    wanted_s: float,
    now: float,
    wanted: tuple[bool, ...],
) -> None:
    """Without a wish no step switches, and none goes to a relay that is not seen on; with one, nothing is renewed."""
    seen = sight(PlugState(is_on, timer=Timer(True, left_s, is_smart)))
    actions = plan(
        KasaPlanner(wanted_s), [wish(each) for each in wanted], seen, sent(dead_man=(-1e4, 3)), now
    )
    for action in actions:
        if isinstance(action, Step):
            assert isinstance(action.payload, Switch) is bool(wanted)
            assert is_on or wanted
