"""What the plugs of the fact sheet do, seen through the whole stack: hub, driver, the real library, simulated plugs.

Kasa fact sheet section 3, row by row, each for every kind (legacy, klap1, klap2, smart), with our own deadlines on top:

| plug behaviour                    | test                                                                |
|-----------------------------------|---------------------------------------------------------------------|
| nothing listens                   | `test_nothing_listens`                                              |
| never answers (4T + 3 s, 4 sends) | `test_never_answers_to_sets`, `test_never_answers_at_all`           |
| silent once (T + 1 s, then ok)    | `test_silent_once`, `test_a_lost_read_back`                         |
| closes or resets every time       | `test_ends_every_time`                                              |
| closes once                       | `test_ends_once`                                                    |
| undecodable answer                | `test_undecodable_answers_to_sets`, `test_undecodable_readings`     |
| session forgotten (403)           | `test_a_forgotten_session`                                          |
| 403 for ever                      | `test_forbidden_for_ever`                                           |
| error code in the answer          | `test_an_error_code`                                                |
| success answer without effect     | `test_no_effect`, `test_no_effect_at_first`                         |
| answer lost after the effect      | `test_an_effect_without_an_answer`, `test_reset_in_mid_answer`      |

Section 7, the earlier program's figures beside ours:

| case                               | earlier  | ours    | test                                            |
|------------------------------------|----------|---------|-------------------------------------------------|
| good case                          | 0.51 s   | 0.50 s  | `test_the_good_case`                            |
| answers within 40 to 120 ms        | 0.94 s   | < 0.9 s | `test_the_good_case_on_a_home_network`          |
| refused                            | 3.0 s    | waits   | `test_nothing_listens`                          |
| silent to everything               | 21 s     | waits   | `test_never_answers_at_all`                     |
| silent to sets, sets on the wire   | 72 s, 12 | 23.5, 6 | `test_never_answers_to_sets`                    |
| no effect once, twice              | 2.0, -   | 1.5, 3.5 | `test_no_effect_at_first`                      |
| no effect at all                   | 4.5 s    | 8.5 s   | `test_no_effect`: a relay may be 3 s late       |
| read-back lost for good            | 20.5 s, failed | not failed | `test_a_read_back_that_is_lost_for_good` |
| a healthy plug behind all of that  | + 3 to 72 s | + 0  | `test_neighbours.py`                            |
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from holdfast.drivers.kasa.state import READ_S
from holdfast.drivers.kasa.ways import LIBRARY_TIMEOUT_S
from holdfast.model import CommandState, Quality
from holdfast.simulators.kasa import (
    ErrorCode,
    Forbidden,
    Garbage,
    HangUp,
    LateEffect,
    LostSession,
    NoAnswer,
    NoEffect,
    Refuse,
    ResetMidAnswer,
    ResetRequest,
    Slow,
    StaleRead,
    Stall,
    Which,
)
from tests.drivers.kasa.home import ME, now
from tests.drivers.kasa.real_home import is_legacy, most_connections, one_plug
from tests.simulators.kasa.real import KINDS

if TYPE_CHECKING:
    from holdfast.model import Receipt
    from holdfast.simulators.kasa import Fault, KasaPlug
    from tests.drivers.kasa.real_home import Street

# python-kasa reads certificates and time zones from disk in the loop.
pytestmark = [pytest.mark.virtual, pytest.mark.blocking_allowed]
each_kind = pytest.mark.parametrize("name", list(KINDS))

SETTLE_S = 0.5
A_MOMENT_S = 0.05
"""Requests take no time in this network."""
MOST_SETS = 4
"""What one call of the library may put on the wire."""


class Watch:
    """One command under a fault: what it came to, how long it took, and what reached the plug."""

    def __init__(self, receipt: Receipt, took_s: float, sets: list[float], station: KasaPlug) -> None:
        self.state = receipt.state
        self.reason = receipt.reason
        self.attempts = receipt.attempts
        self.took_s = took_s
        self.sets = sets
        self.is_on = station.plug.is_on


async def watch(street: Street, station: KasaPlug, *faults: Fault) -> Watch:
    """Say ON while these faults last; what holds for every row is asserted here."""
    await asyncio.sleep(3.0)
    for fault in faults:
        station.begin(fault)
    asked_t = now()
    receipt, took_s = await street.took(True)
    sets = [each.t - asked_t for each in station.truth.relay_sets]
    assert station.truth.most_in_flight == 1
    assert most_connections(station, beyond_s=1.0) == 1
    assert station.truth.most_connections <= 2
    assert len(sets) <= MOST_SETS * receipt.attempts
    return Watch(receipt, took_s, sets, station)


def bursts(sets: list[float], apart_s: float = 1.0 + A_MOMENT_S) -> list[float]:
    """When attempts began, where the library's own repetitions are no further apart."""
    return [t for t, before in zip(sets, [-100.0, *sets[:-1]], strict=True) if t - before > apart_s]


@each_kind
async def test_the_good_case(name: str) -> None:
    """One set, its settle time, one look."""
    async with one_plug(name) as (street, station):
        on = await watch(street, station)
        assert (on.state, on.attempts, len(on.sets)) == (CommandState.VERIFIED, 1, 1)
        assert on.took_s == pytest.approx(SETTLE_S, abs=A_MOMENT_S)


@each_kind
async def test_the_good_case_on_a_home_network(name: str) -> None:
    """Each answer takes 40 to 120 ms: a set, and the one or two questions of a look."""
    async with one_plug(name) as (street, station):
        on = await watch(street, station, Slow(delay_s=(0.04, 0.12)))
        assert (on.state, on.attempts, len(on.sets)) == (CommandState.VERIFIED, 1, 1)
        assert SETTLE_S < on.took_s < SETTLE_S + 3 * 0.12 + A_MOMENT_S


@each_kind
@pytest.mark.parametrize("delay_s", [1.0, 2.5])
async def test_slow_answers_cost_their_own_time_only(name: str, delay_s: float) -> None:
    """A plug that takes a second to answer is told once, and believed by the first look that proves anything."""
    async with one_plug(name) as (street, station):
        on = await watch(street, station, Slow(delay_s=delay_s))
        assert on.state is CommandState.VERIFIED
        looks = (
            1 if name != "smart" else 2
        )  # its whole state takes two questions; too slow, only the bare one
        if looks * delay_s < 4.0:
            assert (on.attempts, len(on.sets)) == (1, 1)
            assert on.took_s <= delay_s + SETTLE_S + looks * delay_s + A_MOMENT_S
        else:
            assert on.took_s < 25.0
        assert street.link().report.outage_count == 0


# --- section 3, row by row -------------------------------------------------------------------------------------------


@each_kind
async def test_nothing_listens(name: str) -> None:
    """The command waits for the plug, not the other way round, and is carried out when it listens again."""
    async with one_plug(name) as (street, station):
        await asyncio.sleep(3.0)
        refused = Refuse()
        station.begin(refused)
        pending = street.hub.command("plug/switch", True, ME, 120.0)
        await asyncio.sleep(45.0)
        assert street.hub.receipts[pending.id].state is CommandState.SENT  # the session's last call, in vain
        assert station.truth.relay_sets == []
        assert "connect" in street.link().reason.text
        assert street.link().reason.advice
        station.end(refused)
        back_t = now()
        ended = await street.hub.ended(pending)
        assert (ended.state, ended.attempts) == (CommandState.VERIFIED, 2)
        assert now() - back_t < 4.0 + SETTLE_S + A_MOMENT_S  # the longest pause of a young outage


@each_kind
async def test_never_answers_to_sets(name: str) -> None:
    """Five seconds an attempt and not 4T + 3 s; two sends each and not four; the pauses from the end of each."""
    async with one_plug(name) as (street, station):
        on = await watch(street, station, Stall(which=Which.SET))
        assert (on.state, on.attempts) == (CommandState.FAILED, 3)
        assert "no answer in time" in on.reason
        assert on.sets == pytest.approx([0, 4, 6, 10, 13, 17], abs=A_MOMENT_S)
        assert on.took_s == pytest.approx(18.0 + SETTLE_S + 5.0, abs=A_MOMENT_S)
        assert street.link().report.outage_count == 0


@each_kind
async def test_never_answers_at_all(name: str) -> None:
    """One attempt, then the session is over; the state is unknown from the first lost answer on."""
    async with one_plug(name) as (street, station):
        await asyncio.sleep(3.0)
        station.begin(Stall())
        began_t = now()
        pending = street.hub.command("plug/switch", True, ME)
        await asyncio.sleep(5.0 + A_MOMENT_S)
        assert street.hub.reading("plug/switch").quality is Quality.UNKNOWN
        ended = await street.hub.ended(pending)
        assert ended.state is CommandState.EXPIRED
        assert now() - began_t == pytest.approx(40.0, abs=A_MOMENT_S)
        assert station.truth.most_connections == 1


@each_kind
async def test_silent_once(name: str) -> None:
    """The library asks again after T + 1 s, within our five: one attempt."""
    async with one_plug(name) as (street, station):
        on = await watch(street, station, Stall(which=Which.SET, times=1))
        assert (on.state, on.attempts) == (CommandState.VERIFIED, 1)
        assert on.sets == pytest.approx([0, 4], abs=A_MOMENT_S)
        assert on.took_s == pytest.approx(4.0 + SETTLE_S, abs=A_MOMENT_S)


@each_kind
async def test_silent_twice(name: str) -> None:
    """The first attempt is cut off at 5 s; the second goes out 1 s later, and works."""
    async with one_plug(name) as (street, station):
        on = await watch(street, station, Stall(which=Which.SET, times=2))
        assert (on.state, on.attempts) == (CommandState.VERIFIED, 2)
        assert on.sets == pytest.approx([0, 4, 6], abs=A_MOMENT_S)
        assert on.took_s == pytest.approx(6.0 + SETTLE_S, abs=A_MOMENT_S)


@each_kind
async def test_a_lost_read_back(name: str) -> None:
    """A look that is lost costs its 4 s and no verdict; the next one proves it."""
    async with one_plug(name) as (street, station):
        on = await watch(street, station, Stall(which=Which.READ, times=1))
        assert on.state is CommandState.VERIFIED
        assert on.took_s < 10.0 + SETTLE_S + A_MOMENT_S
        assert street.link().report.outage_count == 0


@each_kind
@pytest.mark.parametrize(
    "fault", [HangUp(which=Which.SET), ResetRequest(which=Which.SET)], ids=["closes", "resets"]
)
async def test_ends_every_time(name: str, fault: Fault) -> None:
    """Four sends an attempt within a second; a fresh session for each, and three attempts at their pauses."""
    async with one_plug(name) as (street, station):
        on = await watch(street, station, fault)
        assert (on.state, on.attempts) == (CommandState.FAILED, 3)
        assert len(on.sets) == 3 * MOST_SETS
        call_s = 0.0 if is_legacy(station) else 0.75
        begun = bursts(on.sets, 0.25 + A_MOMENT_S)
        assert begun == pytest.approx([0.0, call_s + 1.0, 2 * call_s + 3.0], abs=A_MOMENT_S)
        assert not on.is_on


@each_kind
@pytest.mark.parametrize(
    "fault",
    [HangUp(which=Which.SET, times=1), ResetRequest(which=Which.SET, times=1)],
    ids=["closes", "resets"],
)
async def test_ends_once(name: str, fault: Fault) -> None:
    """The library dials anew: nothing is lost but a quarter of a second of HTTP, for each request from then on."""
    async with one_plug(name) as (street, station):
        on = await watch(street, station, fault)
        assert (on.state, on.attempts, len(on.sets)) == (CommandState.VERIFIED, 1, 2)
        assert on.took_s <= SETTLE_S + (0.0 if is_legacy(station) else 1.0) + A_MOMENT_S


@each_kind
async def test_undecodable_answers_to_sets(name: str) -> None:
    """The call fails, the relay has moved, and the look says so."""
    async with one_plug(name) as (street, station):
        on = await watch(street, station, Garbage(which=Which.SET))
        assert (on.state, on.attempts) == (CommandState.VERIFIED, 1)
        assert len(on.sets) == (4 if is_legacy(station) else 1)
        assert on.took_s == pytest.approx(SETTLE_S, abs=A_MOMENT_S)


@each_kind
async def test_undecodable_readings(name: str) -> None:
    """Nothing is believed: the session ends, the state is unknown, and nothing escapes."""
    async with one_plug(name) as (street, station):
        await asyncio.sleep(3.0)
        garbage = Garbage(which=Which.READ)
        station.begin(garbage)
        await asyncio.sleep(35.0)
        assert street.value("switch") is None
        station.end(garbage)
        on = await watch(street, station)
        assert on.state is CommandState.VERIFIED


@pytest.mark.parametrize("name", ["klap1", "klap2", "smart"])
async def test_a_forgotten_session(name: str) -> None:
    """The library logs in again within the call: one attempt."""
    async with one_plug(name) as (street, station):
        await asyncio.sleep(3.0)
        logins = station.truth.counts[Which.LOGIN]
        station.strike(LostSession())
        receipt, took_s = await street.took(True)
        assert (receipt.state, receipt.attempts) == (CommandState.VERIFIED, 1)
        assert took_s == pytest.approx(SETTLE_S + (1.0 if name == "smart" else 0.0), abs=A_MOMENT_S)
        assert station.truth.counts[Which.LOGIN] == logins + 3  # the one that met the 403, and two handshakes
        assert street.link().report.outage_count == 0


@pytest.mark.parametrize("name", ["klap1", "klap2", "smart"])
async def test_forbidden_for_ever(name: str) -> None:
    """Four logins a call; each attempt ends by itself, and the session with it."""
    async with one_plug(name) as (street, station):
        on = await watch(street, station, Forbidden(which=Which.SET))
        assert (on.state, on.attempts) == (CommandState.FAILED, 3)
        assert len(on.sets) == 3 * MOST_SETS
        call_s = 3.0 if name == "smart" else 0.0
        begun = [on.sets[0], on.sets[4], on.sets[8]]
        assert begun == pytest.approx([0.0, call_s + 1.0, 2 * call_s + 3.0], abs=A_MOMENT_S)


@each_kind
@pytest.mark.parametrize("code", [-1, -1001])
async def test_an_error_code(name: str, code: int) -> None:
    """One send an attempt; the newer family repeats some codes four times, a second apart."""
    async with one_plug(name) as (street, station):
        on = await watch(street, station, ErrorCode(code=code))
        assert (on.state, on.attempts) == (CommandState.FAILED, 3)
        is_repeated = name == "smart" and code == -1001
        assert len(on.sets) == (12 if is_repeated else 3)
        if not is_repeated:
            assert on.sets == pytest.approx([0.0, 1.0, 3.0], abs=A_MOMENT_S)


@each_kind
async def test_no_effect(name: str) -> None:
    """An acknowledgement proves nothing: three attempts at 0, 1 and 3 s, and a relay that may still be 3 s late."""
    async with one_plug(name) as (street, station):
        on = await watch(street, station, NoEffect())
        assert (on.state, on.attempts) == (CommandState.FAILED, 3)
        assert "reports off" in on.reason
        assert on.sets == pytest.approx([0.0, 1.0, 3.0], abs=A_MOMENT_S)
        assert on.took_s == pytest.approx(3.0 + SETTLE_S + 5.0, abs=A_MOMENT_S)


@each_kind
@pytest.mark.parametrize(("times", "took_s"), [(1, 1.5), (2, 3.5)])
async def test_no_effect_at_first(name: str, times: int, took_s: float) -> None:
    """Success on the second or third attempt, half a second after it went out."""
    async with one_plug(name) as (street, station):
        on = await watch(street, station, NoEffect(times=times))
        assert (on.state, on.attempts) == (CommandState.VERIFIED, times + 1)
        assert len(on.sets) == times + 1
        assert on.took_s == pytest.approx(took_s, abs=A_MOMENT_S)


@each_kind
async def test_an_effect_without_an_answer(name: str) -> None:
    """The call raised after 5 s and the relay had moved: the look decides, not the exception."""
    async with one_plug(name) as (street, station):
        on = await watch(street, station, NoAnswer(which=Which.SET))
        assert (on.state, on.attempts) == (CommandState.VERIFIED, 1)
        assert on.took_s == pytest.approx(5.0 + SETTLE_S, abs=A_MOMENT_S)


@each_kind
async def test_reset_in_mid_answer(name: str) -> None:
    """The same, with half an answer."""
    async with one_plug(name) as (street, station):
        on = await watch(street, station, ResetMidAnswer(which=Which.SET))
        assert (on.state, on.attempts) == (CommandState.VERIFIED, 1)
        assert len(on.sets) == (4 if is_legacy(station) else 1)


@each_kind
async def test_a_read_back_that_is_lost_for_good(name: str) -> None:
    """Nothing is claimed: unknown, not failed and not done; with the first answer it is verified."""
    async with one_plug(name) as (street, station):
        await asyncio.sleep(3.0)
        lost = Stall(which=Which.READ)
        station.begin(lost)
        pending = street.hub.command("plug/switch", True, ME, 120.0)
        await asyncio.sleep(50.0)
        assert station.plug.is_on
        assert street.value("switch") is None
        assert street.hub.receipts[pending.id].state is CommandState.SENT
        station.end(lost)
        back_t = now()
        ended = await street.hub.ended(pending)
        assert ended.state is CommandState.VERIFIED
        assert now() - back_t < 12.0


@each_kind
@pytest.mark.parametrize("delay_s", [0.4, 1.0, 2.8])
async def test_a_late_effect(name: str, delay_s: float) -> None:
    """Seen soon after it moved; what is sent meanwhile again is absolute, and harms nothing."""
    async with one_plug(name) as (street, station):
        on = await watch(street, station, LateEffect(delay_s=delay_s))
        assert on.state is CommandState.VERIFIED
        assert delay_s <= on.took_s <= delay_s + 1.0
        assert [change.is_on for change in station.truth.relay] == [True]


@each_kind
async def test_a_stale_reading(name: str) -> None:
    """A report that lags by 3 s is no mismatch."""
    async with one_plug(name) as (street, station):
        on = await watch(street, station, StaleRead(lag_s=3.0))
        assert on.state is CommandState.VERIFIED
        assert on.took_s <= 3.0 + 1.0


@each_kind
@pytest.mark.parametrize("phase_s", [0.0, 0.1, 0.37, 1.0 / 3.0])
async def test_a_silent_question_is_asked_once(name: str, phase_s: float) -> None:
    """Our deadline of a reading comes before the library's second try, though both fall due in the fifth second."""
    async with one_plug(name) as (street, station):
        assert READ_S > LIBRARY_TIMEOUT_S  # never in the same instant: the cancellation would be lost
        await asyncio.sleep(phase_s)
        await street.switch(True)  # whatever the phase, the next look follows it by its settle time
        station.begin(Stall(which=Which.READ))
        asked = len(station.truth.requests)
        pending = street.hub.command("plug/switch", False, ME)
        await asyncio.sleep(5.4)
        reads = [each.t for each in list(station.truth.requests)[asked:] if each.which is Which.READ]
        # The library would ask again after its T + 1 s; what follows our deadline is the next look of ours.
        assert [t for t in reads[1:] if t < reads[0] + READ_S + SETTLE_S / 2] == []
        assert pending.state is not CommandState.REFUSED
