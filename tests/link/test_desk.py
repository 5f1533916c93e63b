"""The command desk: what a planner may answer, and what a receipt says in the end."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from holdfast.hub.events import Kind, Record
from holdfast.link.planner import (
    Action,
    Done,
    Read,
    Refuse,
    Seen,
    Step,
    Warn,
    WireLog,
    Wish,
    one_wish_one_step,
)
from holdfast.link.session import Job
from holdfast.model import NEVER, Authority, CommandState, Issuer, Quality, ReasonCode, Value
from tests.link.house import ME, command, escaped, hub_of, loop, refitted, spec
from tests.link.toys.lockstep import CAPABILITIES, LineDevice

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

pytestmark = pytest.mark.virtual


async def test_a_planner_that_fails_ends_its_command_and_nothing_else() -> None:
    """What a planner raises is the driver's fault: told in the receipt, and it never reaches the loop."""

    def plan(*_: Any) -> Any:
        raise KeyError("a bug")

    bad = escaped()
    device = LineDevice()
    await device.listen("lamp")
    async with hub_of(refitted(spec("lamp", "lockstep", "lamp"), planner=plan)) as hub:
        await asyncio.sleep(3)
        receipt = await hub.ended(hub.command("lamp/lamp", True, ME, 5.0))
        assert receipt.state.is_end
        assert hub.reading("lamp/level").quality is Quality.GOOD
    assert bad == []


# --- what comes in -------------------------------------------------------------------------------------------


async def test_what_cannot_be_carried_out_is_refused_in_words() -> None:
    """A wrong value, an impossible timeout, a read-only device and a lower authority: refused, and nothing is sent."""
    device = LineDevice()
    await device.listen("lamp")
    robot = Issuer("robot", Authority.AUTOMATION)
    reader = refitted(spec("reader", "lockstep", "lamp"), planner=None)
    async with hub_of(spec("lamp", "lockstep", "lamp"), reader) as hub:
        await asyncio.sleep(3)
        for receipt, words in (
            (hub.command("lamp/level", 101, ME), "100"),
            (hub.command("lamp/lamp", [], ME), "true or false"),
            (hub.command("lamp/lamp", True, ME, 0.0), "timeout_s"),
            (hub.command("lamp/lamp", True, ME, float("nan")), "timeout_s"),
            (hub.command("reader/lamp", True, ME), "read-only"),
        ):
            assert receipt.state is CommandState.REFUSED
            assert words in receipt.reason
        assert device.sets == []
        device.stuck.add("lamp")
        held = hub.command("lamp/lamp", True, ME)
        receipt = hub.command("lamp/lamp", False, robot)
        assert receipt.state is CommandState.REFUSED
        assert receipt.reason == f"a command of a person is still open ({held.id})"
        assert not hub.receipts[held.id].state.is_end


async def test_an_order_ends_the_command_that_contradicts_it() -> None:
    """A standing order supersedes an open command of another value, naming the cause; an agreeing one stays."""
    device = LineDevice()
    device.stuck = {"lamp", "level"}
    await device.listen("lamp")
    async with hub_of(spec("lamp", "lockstep", "lamp")) as hub:
        await asyncio.sleep(3)
        against, agreeing = hub.command("lamp/lamp", True, ME), hub.command("lamp/level", 5, ME)
        await asyncio.sleep(0.1)
        hub.order("lamp/lamp", False, "smoke")
        hub.order("lamp/level", 5, "smoke")
        ended = hub.receipts[against.id]
        assert ended.state is CommandState.SUPERSEDED
        assert ended.reason == "superseded by a standing order: smoke"
        assert ended.may_have_executed
        assert not hub.receipts[agreeing.id].state.is_end


@pytest.mark.parametrize("is_verified", [True, False])
async def test_a_command_that_agrees_with_a_standing_order_is_verified(is_verified: bool) -> None:
    """Whoever commands what an order holds already gets a verified receipt, not one that expires unsent."""
    device = LineDevice()
    await device.listen("lamp")
    async with hub_of(spec("lamp", "lockstep", "lamp")) as hub:
        await asyncio.sleep(3)
        hub.order("lamp/lamp", True, "night")
        if is_verified:
            await asyncio.sleep(1)
        receipt = await command(hub, "lamp/lamp", True)
        assert receipt.state is CommandState.VERIFIED
        assert hub.device("lamp").desk.orders["lamp"].order.is_verified


async def test_a_verified_order_is_still_defended_while_an_agreeing_command_is_open() -> None:
    """Evidence against an order makes it go first again, also when a command of the same value is open."""
    device = LineDevice()
    await device.listen("lamp")
    async with hub_of(spec("lamp", "lockstep", "lamp")) as hub:
        await asyncio.sleep(3)
        hub.order("lamp/lamp", True, "night")
        await asyncio.sleep(1)
        device.state["lamp"] = 0
        device.stuck.add("lamp")
        receipt = hub.command("lamp/lamp", True, ME, 60.0)
        await asyncio.sleep(20)
        sends = len(device.sets)
        device.stuck.clear()
        await asyncio.sleep(10)
        assert sends >= 4
        assert device.state["lamp"] == 1
        assert hub.device("lamp").desk.orders["lamp"].order.is_verified
        assert hub.receipts[receipt.id].state.is_end


async def test_an_order_that_the_last_gate_refuses_stays_open() -> None:
    """What must never be sent is not sent for an order either; the order goes on asking and the link stays well."""
    device = LineDevice()
    await device.listen("lamp")
    async with hub_of(spec("lamp", "lockstep", "lamp")) as hub:
        await asyncio.sleep(3)
        hub.order("lamp/level", 66, "a wrong rule")
        await asyncio.sleep(10)
        assert device.sets == []
        assert hub.device("lamp").has_open_order
        assert hub.reading("lamp/level").quality is Quality.GOOD


async def test_a_report_without_the_ordered_value_judges_nothing() -> None:
    """An order is verified by evidence that shows its value, never by evidence that leaves it out."""

    def project(member: str, group: str, raw: Any, before: Mapping[str, Value]) -> Mapping[str, Value]:
        return dict(raw)

    device = LineDevice()
    await device.listen("lamp")
    async with hub_of(refitted(spec("lamp", "lockstep", "lamp"), project=project)) as hub:
        await asyncio.sleep(3)
        del device.state["lamp"]
        device.stuck.add("lamp")
        hub.order("lamp/lamp", 0, "safety")
        await asyncio.sleep(5)
        assert len(device.sets) > 1
        assert hub.device("lamp").has_open_order
        device.stuck.clear()
        await asyncio.sleep(10)
        assert not hub.device("lamp").has_open_order


# --- what a planner may answer ----------------------------------------------------------------------------------


async def test_a_planner_may_read_before_it_says_done() -> None:
    """`Read` asks at once, off the grid, and `Done` ends a command verified without a send."""
    device = LineDevice()
    await device.listen("lamp")

    def plan(wishes: Sequence[Wish], seen: Seen, sent: WireLog, now: float) -> Iterator[Action]:
        sight = seen["", "live"]
        for wish in wishes:
            is_fresh = sight.as_of.n > wish.issued.n
            yield Done(wish.key) if is_fresh else Read("", "live")

    async with hub_of(refitted(spec("lamp", "lockstep", "lamp"), planner=plan)) as hub:
        await asyncio.sleep(3.2)
        polls = device.polls
        receipt = await command(hub, "lamp/lamp", False)
        assert receipt.state is CommandState.VERIFIED
        assert receipt.reason == "already so, by fresh evidence"
        assert receipt.ended_after_s is not None
        assert receipt.ended_after_s < 0.05
        assert device.polls == polls + 1
        assert device.sets == []


async def test_done_and_refuse_of_an_order_change_nothing() -> None:
    """An order ends by evidence after its own send alone, whatever the planner says of it."""
    device = LineDevice()
    await device.listen("lamp")

    def plan(wishes: Sequence[Wish], seen: Seen, sent: WireLog, now: float) -> Iterator[Action]:
        for wish in wishes:
            yield Done(wish.key)
            yield Refuse(wish.key, "no")

    async with hub_of(refitted(spec("lamp", "lockstep", "lamp"), planner=plan)) as hub:
        await asyncio.sleep(3)
        hub.order("lamp/lamp", False, "safety")
        await asyncio.sleep(3)
        assert hub.device("lamp").has_open_order


async def test_warnings_begin_and_end_as_the_planner_says() -> None:
    """`Warn` raises an alarm once, tells another text anew, and is cleared when the planner is silent about it."""
    device = LineDevice()
    await device.listen("lamp")

    def plan(wishes: Sequence[Wish], seen: Seen, sent: WireLog, now: float) -> Iterator[Action]:
        raw = dict(seen["", "live"].raw) if seen else {}
        if raw.get("level", 0) > 20:
            yield Warn("level", f"the level is {raw['level']}")

    async with hub_of(refitted(spec("lamp", "lockstep", "lamp"), planner=plan, is_guarding=True)) as hub:
        await asyncio.sleep(3)
        for level, lamp in ((30, 0), (30, 1), (40, 1), (10, 1)):
            device.state.update(level=level, lamp=lamp)
            await asyncio.sleep(3)
        said = hub.said  # type: ignore[attr-defined]
        told = [(r.payload["text"], r.payload["is_on"]) for r in said if r.kind is Kind.ALARM]
        assert told == [("the level is 30", True), ("the level is 40", True), ("the level is 40", False)]
        assert hub.alarms == {}


async def test_a_command_that_the_planner_never_serves_says_what_is_missing() -> None:
    """A planner that waits for evidence until the timeout: expired, never sent, and the reason says so."""
    device = LineDevice()
    await device.listen("lamp")

    def plan(*_: Any) -> Iterable[Action]:
        return ()

    async with hub_of(refitted(spec("lamp", "lockstep", "lamp"), planner=plan)) as hub:
        await asyncio.sleep(3)
        receipt = await hub.ended(hub.command("lamp/lamp", True, ME, 2.0))
        assert receipt.state is CommandState.EXPIRED
        assert not receipt.may_have_executed
        assert receipt.reason == "not sent within 2 s: the device gave no fresh evidence to plan from"


async def test_an_urgent_step_overtakes_one_that_waits_for_spacing() -> None:
    """With an urgent wish open the others still keep the spacing; the urgent one does not."""
    device = LineDevice()
    device.stuck = {"level"}
    await device.listen("lamp")
    urgent = [replace(each, urgent=(True,) if each.key == "lamp" else ()) for each in CAPABILITIES]
    slow = replace(spec("lamp", "lockstep", "lamp").drivers[0].timing, spacing_s=1.0)
    async with hub_of(refitted(spec("lamp", "lockstep", "lamp"), capabilities=urgent, timing=slow)) as hub:
        await asyncio.sleep(3)
        hub.command("lamp/level", 20, ME)
        await asyncio.sleep(0.1)
        hub.command("lamp/level", 30, ME)
        await hub.ended(hub.command("lamp/lamp", True, ME))
        await asyncio.sleep(3)
        (first_t, *_), (lamp_t, key, _), (next_t, *_) = device.sets[:3]
        assert key == "lamp"
        assert lamp_t - first_t < 0.2
        assert next_t - lamp_t >= 1.0


async def test_a_step_whose_group_is_not_polled_is_followed_by_whoever_waits() -> None:
    """Where nothing can be read back, the slot goes to the next in line at once; the grid's answer verifies."""
    device = LineDevice()
    device.effect_s = 0.1
    await device.listen("lamp")

    def plan(wishes: Sequence[Wish], seen: Seen, sent: WireLog, now: float) -> Iterator[Action]:
        for action in one_wish_one_step(wishes, seen, sent, now):
            yield action._replace(group="none") if isinstance(action, Step) else action

    slow = replace(spec("lamp", "lockstep", "lamp").drivers[0].timing, ack_s=0.5, reread_s=0.0)
    async with hub_of(refitted(spec("lamp", "lockstep", "lamp"), planner=plan, timing=slow)) as hub:
        await asyncio.sleep(3.2)
        device.acks = False
        (link,) = hub.links.values()
        receipts = [hub.command("lamp/lamp", True, ME), hub.command("lamp/level", 20, ME)]
        for receipt in receipts:
            assert (await hub.ended(receipt)).state is CommandState.VERIFIED
        assert not link.queue
        assert hub.reading("lamp/level").quality is Quality.GOOD


async def test_without_a_second_read_a_step_is_read_back_once() -> None:
    """A family with ``reread_s`` of zero asks once after a step, and then only by its grid."""
    device = LineDevice()
    device.stuck = {"lamp"}
    await device.listen("lamp")
    asked: dict[float, int] = {}
    for reread_s in (0.0, 0.1):
        timing = replace(spec("lamp", "lockstep", "lamp").drivers[0].timing, reread_s=reread_s)
        async with hub_of(refitted(spec("lamp", "lockstep", "lamp"), timing=timing)) as hub:
            await asyncio.sleep(3.2)
            (link,) = hub.links.values()
            next_t = link.lines[0].due_t
            await asyncio.sleep(next_t - loop().time() + 0.02)
            polls = device.polls
            hub.command("lamp/lamp", True, ME)
            await asyncio.sleep(0.3)
            asked[reread_s] = device.polls - polls
    assert asked == {0.0: 1, 0.1: 2}


# --- what came of it --------------------------------------------------------------------------------------------


async def test_a_failed_receipt_tells_what_the_device_reports() -> None:
    """The last word names the value shown, or that there is none, and the last attempt's error."""
    device = LineDevice()
    device.stuck = {"level"}
    await device.listen("lamp")
    patient = replace(spec("lamp", "lockstep", "lamp").drivers[0].timing, silence_s=60.0)
    async with hub_of(refitted(spec("lamp", "lockstep", "lamp"), timing=patient)) as hub:
        await asyncio.sleep(3)
        assert (await command(hub, "lamp/level", 20)).reason.endswith("the device reports 10")
    async with hub_of(refitted(spec("lamp", "lockstep", "lamp"), timing=patient, polls=[])) as hub:
        await asyncio.sleep(3)
        assert (await command(hub, "lamp/level", 20)).reason.endswith("the device reports nothing")


async def test_a_step_in_the_air_when_the_session_is_lost_is_in_doubt() -> None:
    """What was sent and not answered before a loss may have executed; it is tried again in the next session."""
    device = LineDevice()
    device.acks = False
    device.stuck = {"lamp"}
    await device.listen("lamp")
    slow = replace(spec("lamp", "lockstep", "lamp").drivers[0].timing, ack_s=0.5)
    async with hub_of(refitted(spec("lamp", "lockstep", "lamp"), timing=slow)) as hub:
        await asyncio.sleep(3.2)
        receipt = hub.command("lamp/lamp", True, ME)
        await asyncio.sleep(0.1)
        loop().network.host("lamp").reset_all()
        await asyncio.sleep(0.01)
        assert hub.device("lamp").desk.commands["lamp"].last_error == "the session was lost"
        assert hub.receipts[receipt.id].may_have_executed
        device.stuck.clear()
        ended = await hub.ended(receipt)
        assert ended.state is CommandState.VERIFIED
        assert ended.attempts == 2


async def test_an_order_survives_a_session_lost_over_its_step() -> None:
    """Junk that comes to its end just as a step goes out ends the session: the order is sent again in the next one."""
    device = LineDevice()
    device.stuck = {"lamp"}
    await device.listen("lamp")
    async with hub_of(spec("lamp", "lockstep", "lamp")) as hub:
        await asyncio.sleep(3.2)
        for transport in device.open:
            transport.write(b"x" * 600)  # half a message: junk as soon as the next question ends it
        await asyncio.sleep(0.02)
        receipt = hub.command("lamp/level", 20, ME)
        hub.order("lamp/lamp", True, "safety")
        await asyncio.sleep(0.01)
        (link,) = hub.links.values()
        assert not link.has_session
        assert hub.device("lamp").reason.code is ReasonCode.NONSENSE
        device.stuck.clear()
        await asyncio.sleep(10)
        assert device.state["lamp"] == 1
        assert not hub.device("lamp").has_open_order
        assert hub.receipts[receipt.id].state is CommandState.VERIFIED


async def test_everybody_who_waits_for_a_command_is_told() -> None:
    """Several may wait for one receipt; who asks after its end is given no future."""
    device = LineDevice()
    await device.listen("lamp")
    async with hub_of(spec("lamp", "lockstep", "lamp")) as hub:
        await asyncio.sleep(3)
        receipt = hub.command("lamp/lamp", True, ME)
        first, second = await asyncio.gather(hub.ended(receipt), hub.ended(receipt))
        assert first is second
        assert hub.device("lamp").ending("lamp", receipt) is None


async def test_who_commands_from_within_a_receipt_does_not_end_it_twice() -> None:
    """A listener that supersedes a command while the same evidence proves it: superseded, told once."""
    device = LineDevice()
    await device.listen("lamp")
    async with hub_of(spec("lamp", "lockstep", "lamp")) as hub:
        await asyncio.sleep(3)
        ends: list[CommandState] = []
        lamp, level = hub.command("lamp/lamp", True, ME), hub.command("lamp/level", 20, ME)

        def listen(record: Record) -> None:
            if record.kind is Kind.COMMAND and record.payload.state.is_end:
                if record.payload.id == lamp.id:
                    hub.command("lamp/level", 30, ME)
                if record.payload.id == level.id:
                    ends.append(record.payload.state)

        device.stuck = {"lamp", "level"}
        hub.stream.tap(listen)
        await asyncio.sleep(0.5)
        assert ends == []
        device.state.update(lamp=1, level=20)
        await asyncio.sleep(0.5)
        assert ends == [CommandState.SUPERSEDED]


def test_what_was_never_sent_is_older_than_everything() -> None:
    """The wire log answers for a tag that never went out with a stamp before all others."""
    assert WireLog()["never"] is NEVER
    assert NEVER.n < 0


def test_a_job_shows_itself_without_its_payload() -> None:
    """What a job is and whom it concerns can be read in a log; what it carries cannot."""
    assert repr(Job("step", "1", "live", ("code", 1234), reply_s=1.0)) == "<Job step step 1/live n=-1>"
    assert repr(Job("READ", "", "live", reply_s=1.0)) == "<Job poll READ /live n=-1>"


async def test_what_is_no_action_is_passed_over() -> None:
    """A planner that yields something else than an action loses that, not the actions behind it, nor the loop."""
    bad = escaped()
    device = LineDevice()
    await device.listen("lamp")

    def plan(wishes: Sequence[Wish], seen: Seen, sent: WireLog, now: float) -> Iterator[Any]:
        yield None
        yield from one_wish_one_step(wishes, seen, sent, now)

    async with hub_of(refitted(spec("lamp", "lockstep", "lamp"), planner=plan)) as hub:
        await asyncio.sleep(3)
        assert (await command(hub, "lamp/lamp", True)).state is CommandState.VERIFIED
    assert bad == []
