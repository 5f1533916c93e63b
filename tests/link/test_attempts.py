"""Attempts: each step on the wire is told once, and once what became of it, however it ended."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.clock import LoopClock
from holdfast.hub.events import Kind
from holdfast.hub.hub import Hub
from holdfast.hub.site.spec import DeviceSpec
from holdfast.link.attempts import fault_in_words, in_words
from holdfast.link.core import Core
from holdfast.link.planner import Refuse, Step, Wait, one_wish_one_step
from holdfast.link.session import End
from holdfast.link.stream import StreamSession
from holdfast.model import CommandState, Standby
from holdfast.simulation import run_virtual
from tests.link.house import ME, command, hub_of, loop, refitted, spec
from tests.link.ledger import Ledger
from tests.link.toys.lockstep import LineDevice

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from holdfast.link.planner import Action, Seen, WireLog, Wish
    from holdfast.link.session import Job

LAMP = "lamp/lamp"


async def until(condition: Callable[[], bool]) -> None:
    """Wait until it holds, for ten seconds at most."""
    for _ in range(1000):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never came to hold")


# --- words -------------------------------------------------------------------------------------------------------


@given(st.sampled_from(End), st.text(max_size=5), st.floats(0, 60))
def test_a_fault_always_has_words_and_a_duration(end: End, text: str, took_s: float) -> None:
    """A bare timeout has no text of its own, and neither have many errors."""
    words = fault_in_words(end, text, took_s)
    assert words.strip()
    assert f"{took_s:.1f} s" in words
    assert end is End.TIMEOUT or text in words


def test_a_bare_timeout_says_what_took_how_long() -> None:
    """Which call took longer than what."""
    assert fault_in_words(End.TIMEOUT, "", 5.5) == "sending it took longer than 5.5 s"
    assert fault_in_words(End.DOUBT, "", 1.0) == "sending it was cut off after 1.0 s"
    assert fault_in_words(End.ERROR, "", 1.0) == "sending it failed without a word after 1.0 s"
    assert fault_in_words(End.ERROR, "it said no", 1.0) == "it said no, after 1.0 s"


def test_values_in_words() -> None:
    """As reasons speak of them."""
    assert [in_words(each) for each in (None, True, False, 5, "open")] == [
        "nothing",
        "on",
        "off",
        "5",
        "open",
    ]


# --- one attempt after the other ---------------------------------------------------------------------------------


@pytest.mark.virtual
async def test_a_verified_command_leaves_two_records() -> None:
    """What was known before, what was read back after, and the order: reading, result, receipt."""
    device = LineDevice()
    await device.listen("lamp")
    async with hub_of(spec("lamp", "lockstep", "lamp")) as hub:
        ledger = Ledger(hub)
        await asyncio.sleep(3)
        receipt = await command(hub, LAMP, True)
        (sent,), (result,) = ledger.of_kind("sent"), ledger.of_kind("result")
        assert sent["attempt"] == result["attempt"] == f"{receipt.id}#1"
        assert (sent["device"], sent["target"], sent["value"], sent["by"]) == ("lamp", LAMP, True, "me")
        assert (sent["before"], sent["address"]) == (False, "tcp://lamp:7000")
        assert 0 <= sent["before_age_s"] < 0.4
        assert (result["outcome"], result["after"], result["next"]) == ("verified", True, "")
        assert result["sent_at"] <= result["after_at"] <= result["ended_at"]
        assert result["text"] == f"{LAMP}: set on, attempt 1: verified"
        told = [
            "reading"
            if each.kind is Kind.READING
            else "receipt"
            if each.kind is Kind.COMMAND
            else each.payload["kind"]
            for each in ledger.records
            if (each.kind is Kind.READING and each.key == LAMP)
            or each.kind is Kind.COMMAND
            or (each.kind is Kind.EVENT and each.payload["kind"] in ("sent", "result"))
        ]
        assert told == ["reading", "receipt", "sent", "receipt", "reading", "reading", "result", "receipt"]
    ledger.check()


@pytest.mark.virtual
async def test_each_attempt_of_a_command_fails_by_itself() -> None:
    """Two that are followed by another one and a last one that ends with the command; errors say what follows."""
    device = LineDevice()
    device.stuck.add("lamp")
    await device.listen("lamp")
    async with hub_of(spec("lamp", "lockstep", "lamp")) as hub:
        ledger = Ledger(hub)
        await asyncio.sleep(3)
        receipt = await command(hub, LAMP, True)
        assert receipt.state is CommandState.FAILED
        results = ledger.of_kind("result")
        assert [each["number"] for each in results] == [1, 2, 3]
        assert [each["next"] for each in results] == ["will retry", "will retry", "gave up"]
        assert [each["after"] for each in results] == [False] * 3
        assert 0 < results[0]["retry_in_s"] < 0.6  # 1.0 s for what may come late, of 1.5 s to the next
        assert results[0]["reason"] == "not confirmed; the device reports off"
        assert results[2]["reason"] == receipt.reason
        assert [each["level"] for each in ledger.of_kind("error")] == ["warning", "warning", "error"]
        assert ledger.of_kind("error")[2]["text"].endswith("the device reports off; gave up")
        assert ledger.of_kind("error")[0]["role"] == "light"
    ledger.check()
    assert len(ledger.steps()) == len(device.sets) == 3


@pytest.mark.virtual
async def test_what_was_doubted_before_a_send_is_unknown() -> None:
    """A send that was never proven leaves nothing verified behind until evidence from after its latest effect."""
    device = LineDevice()
    device.stuck.add("lamp")
    await device.listen("lamp")
    async with hub_of(spec("lamp", "lockstep", "lamp")) as hub:
        ledger = Ledger(hub)
        await asyncio.sleep(3)
        hub.command(LAMP, True, ME)
        await asyncio.sleep(0.3)
        await command(hub, LAMP, False)
        first, second = ledger.of_kind("sent")[:2]
        assert (first["before"], second["before"], second["before_age_s"]) == (False, None, None)
        assert ledger.of_kind("result")[0]["outcome"] == "superseded"
        assert not ledger.of_kind("error")
    ledger.check()


@pytest.mark.virtual
async def test_a_command_that_expires_gives_up() -> None:
    """An attempt that is open when the time is up ends with its command."""
    device = LineDevice()
    device.is_deaf = False
    device.stuck.add("lamp")
    await device.listen("lamp")
    async with hub_of(spec("lamp", "lockstep", "lamp")) as hub:
        ledger = Ledger(hub)
        await asyncio.sleep(3)
        await command(hub, LAMP, True, timeout_s=0.5)
        (result,) = ledger.of_kind("result")
        assert (result["outcome"], result["next"]) == ("expired", "gave up")
        assert result["reason"] == "not confirmed within 0.5 s"
    ledger.check()


@pytest.mark.virtual
async def test_a_lost_session_is_the_reason() -> None:
    """What was cut off may have worked: it is open until the device is back, and then says why it was in doubt."""
    device = LineDevice()
    device.stuck.add("lamp")
    device.acks = False
    await device.listen("lamp")
    host = loop().network.host("lamp")
    slow = replace(spec("lamp", "lockstep", "lamp").drivers[0].timing, ack_s=0.5)
    async with hub_of(refitted(spec("lamp", "lockstep", "lamp"), timing=slow)) as hub:
        ledger = Ledger(hub)
        await asyncio.sleep(3)
        hub.command(LAMP, True, ME, 30.0)
        await asyncio.sleep(0.1)
        host.refuse()
        host.reset_all()
        await asyncio.sleep(3)
        assert len(ledger.of_kind("sent")) == 1
        assert not ledger.of_kind("result")
        host.accept()
        device.acks = True
        await asyncio.sleep(10)
        assert "the session was lost, after 0." in ledger.of_kind("result")[0]["reason"]
    ledger.check()


@pytest.mark.virtual
async def test_a_gate_that_closes_after_a_send_ends_the_attempt() -> None:
    """The planner refuses what has been sent once: the attempt fails with its words."""

    def plan(wishes: Sequence[Wish], seen: Seen, sent: WireLog, now: float) -> Iterator[Action]:
        for wish in wishes:
            if wish.sends:
                yield Refuse(wish.key, "not a second time")
        yield from one_wish_one_step([each for each in wishes if not each.sends], seen, sent, now)

    device = LineDevice()
    device.stuck.add("lamp")
    await device.listen("lamp")
    async with hub_of(refitted(spec("lamp", "lockstep", "lamp"), planner=plan)) as hub:
        ledger = Ledger(hub)
        await asyncio.sleep(3)
        await command(hub, LAMP, True)
        (result,) = ledger.of_kind("result")
        assert (result["outcome"], result["reason"]) == ("failed", "not a second time")
        refused = await command(hub, "lamp/level", 66)
        assert refused.state is CommandState.REFUSED
        assert len(ledger.of_kind("sent")) == 1
    ledger.check()


# --- standing orders ---------------------------------------------------------------------------------------------


@pytest.mark.virtual
async def test_an_orders_attempts_go_on_until_it_is_verified() -> None:
    """Failed ones say when the next one goes; once one is verified, that is told before the order's own event."""
    device = LineDevice()
    device.stuck.add("lamp")
    await device.listen("lamp")
    async with hub_of(spec("lamp", "lockstep", "lamp")) as hub:
        ledger = Ledger(hub)
        await asyncio.sleep(3)
        order = hub.order(LAMP, True, "night")
        await asyncio.sleep(20)
        device.stuck.clear()
        await asyncio.sleep(10)
        *failed, last = ledger.of_kind("result")
        assert len(failed) == 5
        assert {each["next"] for each in failed} == {"will retry"}
        assert failed[-1]["retry_in_s"] > 5
        assert (last["outcome"], last["purpose"], last["by"]) == ("verified", "order", "night")
        assert last["attempt"] == f"{order.id}#6"
        kinds = [each["kind"] for each in ledger.of_kind("result", "order")]
        assert kinds[-2:] == ["result", "order"]
    ledger.check()
    assert len(ledger.steps()) == len(device.sets)


@pytest.mark.virtual
async def test_orders_that_are_replaced_dropped_or_left_over_end_their_attempts() -> None:
    """A newer order supersedes, a dropped one is no error, and one that outlives the hub fails by name."""
    device = LineDevice()
    device.stuck = {"lamp", "level"}
    await device.listen("lamp")
    async with hub_of(spec("lamp", "lockstep", "lamp")) as hub:
        ledger = Ledger(hub)
        await asyncio.sleep(3)
        hub.order(LAMP, True, "night")
        await asyncio.sleep(0.5)
        hub.order(LAMP, True, "burglars")
        await asyncio.sleep(0.5)
        hub.end_orders(hub.device("lamp"), "renamed")
        first, second = ledger.of_kind("result")
        assert (first["outcome"], second["outcome"]) == ("superseded", "dropped")
        assert first["reason"] == "superseded by another standing order: burglars"
        assert second["reason"] == "the standing order is over: renamed"
        assert not ledger.of_kind("error")
        hub.order("lamp/level", 20, "left over")
        await asyncio.sleep(0.5)
    last = ledger.of_kind("result")[-1]
    assert (last["outcome"], last["next"]) == ("failed", "gave up")
    assert last["reason"] == "the hub stopped before it was verified"
    ledger.check()
    assert len(ledger.steps()) == len(device.sets)


@pytest.mark.virtual
async def test_nothing_goes_out_once_the_hub_has_closed_the_desk() -> None:
    """An order that still stands in line for the slot when the hub stops is not sent any more."""
    device = LineDevice()
    device.reply_s = 0.3
    await device.listen("lamp")
    async with hub_of(spec("lamp", "lockstep", "lamp")) as hub:
        ledger = Ledger(hub)
        await asyncio.sleep(3)
        (link,) = hub.links.values()
        await until(lambda: link.job is not None)
        hub.order(LAMP, True, "in line")
        await asyncio.sleep(0.01)
        assert hub.device("lamp") in link.queue
        hub.device("lamp").retire()
        await asyncio.sleep(1)
        assert device.sets == []
    ledger.check()


# --- steps for nobody, and for several ------------------------------------------------------------------------------


def renewing(marks: tuple[str, ...]) -> Any:
    """A planner that sends something by itself every second."""

    def plan(wishes: Sequence[Wish], seen: Seen, sent: WireLog, now: float) -> Iterable[Action]:
        if not wishes and seen:
            due_t = sent["timer"].t + 1.0
            step = Step("timer", ("level", 5), serves=(), final=(), marks=marks)
            yield step if due_t <= now else Wait(due_t)
        yield from one_wish_one_step(wishes, seen, sent, now)

    return plan


@pytest.mark.virtual
@pytest.mark.parametrize(("kind", "marks"), [("renewal", ()), ("guard", ("off",))])
async def test_what_nobody_asked_for_is_of_a_kind_of_its_own(kind: str, marks: tuple[str, ...]) -> None:
    """Told as sent and over by the end of its call, and never among the commands."""
    device = LineDevice()
    await device.listen("lamp")
    good = spec("lamp", "lockstep", "lamp")
    async with hub_of(refitted(good, planner=renewing(marks), is_guarding=True)) as hub:
        ledger = Ledger(hub)
        await asyncio.sleep(10)
        assert not ledger.of_kind("sent", "result")
        assert 8 <= len(ledger.results(kind)) <= 11
        assert {each["outcome"] for each in ledger.results(kind)} == {"done"}
        assert ledger.sent(kind)[0]["by"] == "lockstep"
        assert ledger.sent(kind)[0]["target"] == "lamp/timer"
    ledger.check()
    assert len(ledger.steps(kind)) == len(device.sets)


@pytest.mark.virtual
async def test_a_step_for_a_wish_that_has_just_ended_is_on_record() -> None:
    """A planner that serves what it refused in the same breath: it went out, so it is told, though for nobody."""

    def plan(wishes: Sequence[Wish], seen: Seen, sent: WireLog, now: float) -> Iterator[Action]:
        for wish in wishes:
            yield Refuse(wish.key, "no")
            yield Step("odd", ("level", 7), serves=(wish.key,), final=(wish.key,))

    device = LineDevice()
    await device.listen("lamp")
    async with hub_of(refitted(spec("lamp", "lockstep", "lamp"), planner=plan)) as hub:
        ledger = Ledger(hub)
        await asyncio.sleep(3)
        assert (await command(hub, LAMP, True)).state is CommandState.REFUSED
        await asyncio.sleep(1)
        assert len(ledger.sent("renewal")) == len(device.sets) == 1
    ledger.check()


@pytest.mark.virtual
async def test_a_renewal_in_flight_ends_with_the_hub() -> None:
    """It neither worked nor failed: nobody waits for it any more, and that is no error."""
    device = LineDevice()
    device.acks = False
    await device.listen("lamp")
    good = spec("lamp", "lockstep", "lamp")
    slow = replace(good.drivers[0].timing, ack_s=0.6)
    async with hub_of(refitted(good, planner=renewing(()), is_guarding=True, timing=slow)) as hub:
        ledger = Ledger(hub)
        (link,) = hub.links.values()
        await until(lambda: link.job is not None and link.job.is_step)
    (result,) = ledger.results("renewal")
    assert (result["outcome"], result["reason"]) == ("dropped", "the hub stopped before it was verified")
    assert not ledger.of_kind("error")
    ledger.check()


@pytest.mark.virtual
async def test_a_step_that_prepares_is_told_as_such() -> None:
    """It has a record of its own, with the number of the attempt that it prepares, and is no attempt."""

    def plan(wishes: Sequence[Wish], seen: Seen, sent: WireLog, now: float) -> Iterator[Action]:
        for wish in wishes:
            if wish.try_at <= now and wish.sends == 0 and sent["way"].n < wish.issued.n:
                yield Step("way", ("level", 7), serves=(wish.key,), final=())
        yield from one_wish_one_step(wishes, seen, sent, now)

    device = LineDevice()
    await device.listen("lamp")
    async with hub_of(refitted(spec("lamp", "lockstep", "lamp"), planner=plan)) as hub:
        ledger = Ledger(hub)
        await asyncio.sleep(3)
        receipt = await command(hub, LAMP, True)
        assert receipt.attempts == 1
        prepared, sent = ledger.of_kind("sent")
        assert (prepared["purpose"], prepared["number"]) == ("preparation", 1)
        assert prepared["text"] == f"{LAMP}: prepare to set on, attempt 1 for me"
        assert sent["purpose"] == "command"
        assert [each["outcome"] for each in ledger.of_kind("result")] == ["done", "verified"]
    ledger.check()
    assert len(ledger.steps()) == len(device.sets)


# --- whatever happens --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(30))
def test_no_step_without_its_records(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a minute of random commands, orders, lost sessions, deafness and removal, cut off by the hub's stop."""
    handed: list[Job] = []
    start = StreamSession.start

    def counted(session: StreamSession, job: Job) -> None:
        start(session, job)
        if job.is_step:
            handed.append(job)

    monkeypatch.setattr(StreamSession, "start", counted)

    async def life() -> tuple[Ledger, LineDevice]:
        random = loop().random
        device = LineDevice()
        await device.listen("lamp")
        host = loop().network.host("lamp")
        good = spec("lamp", "lockstep", "lamp")
        slow = replace(good.drivers[0].timing, ack_s=random.choice([0.03, 0.4]))
        hub = Hub(LoopClock(loop()), core=Core(LoopClock(loop()), rng=random))
        ledger = Ledger(hub)
        hub.add(refitted(good, timing=slow))
        hub.start()
        await asyncio.sleep(2)
        for _ in range(60):
            happen(hub, device, host, random.randrange(12))
            await asyncio.sleep(random.expovariate(2.0))
        if random.random() < 0.5:
            await hub.roster.remove("lamp", "the device was removed")
        await hub.stop()
        return ledger, device

    def happen(hub: Hub, device: LineDevice, host: Any, what: int) -> None:
        random = loop().random
        match what:
            case 0 | 1 | 2:
                hub.command(LAMP, random.random() < 0.5, ME, random.choice([None, 0.2, 3.0]))
            case 3 | 4:
                hub.command("lamp/level", random.choice([5, 20, 66]), ME)
            case 5:
                hub.order(LAMP, random.random() < 0.5, "a rule")
            case 6:
                hub.release(LAMP)
            case 7:
                device.stuck ^= {random.choice(["lamp", "level"])}
            case 8:
                host.reset_all()
            case 9:
                device.is_deaf = random.random() < 0.5
            case 10:
                device.acks = not device.acks
                device.effect_s = random.choice([0.0, 0.3, 2.0])
            case _:
                hub.end_orders(hub.device("lamp"), "somebody else answers")

    ledger, device = run_virtual(life(), seed=seed, allow_leftovers=True)
    ledger.check()
    assert handed
    assert len(ledger.steps()) == len(handed) >= len(device.sets)


@pytest.mark.virtual
async def test_when_nothing_is_sent_nothing_is_made() -> None:
    """Polls alone leave no record and no attempt."""
    device = LineDevice()
    await device.listen("lamp")
    async with hub_of(spec("lamp", "lockstep", "lamp")) as hub:
        ledger = Ledger(hub)
        await asyncio.sleep(30)
        assert not ledger.sent()
    ledger.check()


@pytest.mark.virtual
async def test_a_step_over_a_path_that_serves_no_more_is_ended_by_the_next_one() -> None:
    """Its end would come from the old link: nobody waits for it, and its wish is not stuck in flight for ever."""
    device, other = LineDevice(), LineDevice()
    device.acks = False
    await device.listen("lamp")
    await other.listen("reserve")
    slow = replace(spec("lamp", "lockstep", "lamp").drivers[0].timing, ack_s=0.6)
    lamp = refitted(spec("lamp", "lockstep", "lamp"), timing=slow)
    reserve = spec("lamp", "lockstep", "reserve")
    first = replace(lamp.device.adapters[0], standby=Standby.HOT)
    second = replace(reserve.device.adapters[0], id="b", priority=2, standby=Standby.HOT)
    adapters = (first, second)
    both = DeviceSpec(replace(lamp.device, adapters=adapters), (*lamp.drivers, *reserve.drivers))
    async with hub_of(both) as hub:
        ledger = Ledger(hub)
        await asyncio.sleep(3)
        linked = hub.device("lamp")
        assert linked.active.adapter.id == "a"
        hub.order(LAMP, True, "night")
        await until(lambda: bool(device.sets))
        hub.activate("lamp", "b")
        await until(lambda: linked.active.adapter.id == "b")
        hub.command("lamp/level", 20, ME)
        await asyncio.sleep(0.3)
        assert other.sets
        await asyncio.sleep(5)
        assert linked.desk.orders["lamp"].order.is_verified
    ledger.check()
