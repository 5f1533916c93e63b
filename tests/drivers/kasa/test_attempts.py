"""Every call that switches a plug is on record once, renewals of its timer apart, and no failure is without words."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from holdfast.link.coro import CoroSession
from holdfast.model import CommandState
from holdfast.simulation import run_virtual
from tests.drivers.kasa.fake_kasa import FakePlug, Trouble
from tests.drivers.kasa.home import home_of
from tests.link.house import loop
from tests.link.ledger import Ledger

if TYPE_CHECKING:
    from holdfast.link.session import Job

SMART = "SMART.KASAPLUG"


@pytest.mark.virtual
async def test_a_plug_that_does_not_answer_says_which_call_took_how_long() -> None:
    """Three attempts, three results, three errors; none of them without words."""
    async with home_of(FakePlug()) as home:
        ledger = Ledger(home.hub)
        await home.online()
        await asyncio.sleep(3)
        home.plug.troubles["on"] = Trouble.SILENT
        assert (await home.switch(True)).state is CommandState.FAILED
        results = [each for each in ledger.results("result") if each["purpose"] == "command"]
        assert [each["next"] for each in results] == ["will retry", "will retry", "gave up"]
        assert all("switching the plug: no answer in time, after 5.0 s" in each["reason"] for each in results)
        assert [each["address"] for each in ledger.of_kind("error")] == ["kasa://192.168.1.71"] * 3
    ledger.check()
    assert len(ledger.sent("sent")) == len(home.plug.sends())


@pytest.mark.virtual
@pytest.mark.parametrize("trouble", list(Trouble))
async def test_no_trouble_is_without_words(trouble: Trouble) -> None:
    """Whatever the library raises, the attempt that failed by it says why; the relay's calls are all on record."""
    async with home_of(FakePlug()) as home:
        ledger = Ledger(home.hub)
        await home.online()
        home.plug.troubles["on"] = trouble
        await home.switch(True)
        assert ledger.results("result")
    ledger.check()
    assert len(ledger.sent("sent")) == len(home.plug.sends())


@pytest.mark.virtual
async def test_what_worked_without_an_answer_is_verified_and_says_so() -> None:
    """The call failed and the relay moved: the read-back decides, and the fault is told beside it."""
    async with home_of(FakePlug()) as home:
        ledger = Ledger(home.hub)
        await home.online()
        home.plug.acts_without_answer = True
        receipt = await home.switch(True)
        assert receipt.state is CommandState.VERIFIED
        result = ledger.results("result")[-1]
        assert (result["outcome"], result["after"]) == ("verified", True)
        assert "no answer in time" in result["reason"]
        home.plug.well()
    ledger.check()


@pytest.mark.virtual
@pytest.mark.parametrize("family", ["legacy", "smart"])
async def test_renewals_are_never_relay_commands(family: str) -> None:
    """An hour on: one command, some eighteen renewals, each over by its call; one that fails is an error, too."""
    plug = FakePlug() if family == "legacy" else FakePlug(family=SMART, encryption="KLAP")
    async with home_of(plug, dead_man_s=600) as home:
        ledger = Ledger(home.hub)
        await home.online()
        await home.switch(True)
        await asyncio.sleep(3600)
        assert {each["outcome"] for each in ledger.results("renewal")} == {"done"}
        assert len(ledger.sent("renewal")) >= 16
        commands = [each for each in ledger.sent("sent") if each["purpose"] == "command"]
        assert len(commands) == 1
        assert not ledger.of_kind("error")
        plug.troubles["arm"] = Trouble.RESET
        await asyncio.sleep(230)
        assert ledger.of_kind("error")[0]["action"] == "renewal"
        assert ledger.of_kind("error")[0]["reason"].startswith("renewing the plug's timer")
        plug.well()
    ledger.check()
    assert len(ledger.sent("sent")) == len(plug.sends())


@pytest.mark.parametrize("seed", range(16))
def test_no_call_without_its_records(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten minutes of commands, orders, the button and every trouble, cut off by the hub's stop at any moment."""
    handed: list[Job] = []
    start = CoroSession.start

    def counted(session: CoroSession, job: Job) -> None:
        start(session, job)
        if job.is_step:
            handed.append(job)

    monkeypatch.setattr(CoroSession, "start", counted)

    async def life() -> tuple[Ledger, FakePlug]:
        random = loop().random
        plug = FakePlug(family=SMART, encryption="KLAP") if seed % 2 else FakePlug()
        options = {"dead_man_s": random.choice([6, 60]), "fail_safe": False}
        if random.random() < 0.5:
            del options["fail_safe"]
        async with home_of(plug, **options) as home:  # type: ignore[arg-type]
            ledger = Ledger(home.hub)
            await asyncio.sleep(2)
            for _ in range(60):
                match random.randrange(8):
                    case 0 | 1 | 2:
                        home.order(random.random() < 0.5, random.choice([None, 2.0]))
                    case 3:
                        home.hub.order("plug/switch", random.random() < 0.5, "a rule")
                    case 4:
                        home.hub.release("plug/switch")
                    case 5:
                        plug.press()
                    case 6:
                        what = random.choice(["on", "off", "arm", "on+arm", "update"])
                        plug.troubles[what] = random.choice(list(Trouble))
                        plug.late_s = random.choice([0.0, 2.0])
                    case _:
                        plug.well()
                await asyncio.sleep(random.expovariate(0.1))
            plug.well()
            await asyncio.sleep(random.random())
        return ledger, plug

    ledger, plug = run_virtual(life(), seed=seed, allow_leftovers=True)
    ledger.check()
    assert len(ledger.steps()) == len(handed) > 5
    on_record = ledger.steps("sent", "renewal") if plug.is_smart else ledger.steps("sent")
    assert (
        len(on_record) >= len(plug.sends()) > 0
    )  # a newer plug's timer is at last started by telling it to be on
