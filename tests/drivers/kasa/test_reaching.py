"""Reaching the right plug: its kind, its address, its hardware address, its moods."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest

from holdfast.model import CommandState, ReasonCode
from tests.drivers.kasa.bench import HOST
from tests.drivers.kasa.fake_kasa import FakePlug, Trouble
from tests.drivers.kasa.home import home_of, now, until

pytestmark = pytest.mark.virtual
ELSEWHERE = "192.168.1.99"


def klap(version: int | None = 2, **more: object) -> FakePlug:
    """A plug of newer firmware, legacy language."""
    return FakePlug(encryption="KLAP", login_version=version, **more)  # type: ignore[arg-type]


def smart() -> FakePlug:
    """A plug of the newer language."""
    return FakePlug(family="SMART.TAPOPLUG", encryption="KLAP")


@pytest.mark.parametrize("hears_udp", [True, False])
@pytest.mark.parametrize("plug", [FakePlug, klap, lambda: klap(1), smart])
async def test_auto_finds_every_kind(plug: type[FakePlug], hears_udp: bool) -> None:
    """By asking, or where UDP does not pass by trying; afterwards it is remembered."""
    one = plug()
    one.hears_udp = hears_udp
    async with home_of(one) as home:
        await home.online(12)
        asked = len(home.library.searches)
        one.trouble = Trouble.RESET
        await until(lambda: not home.link.has_session)
        one.well()
        await home.online()
        assert len(home.library.searches) == asked
        assert (await home.switch(True)).state is CommandState.VERIFIED


@pytest.mark.parametrize(
    ("kind", "plug"), [("legacy", FakePlug), ("klap", lambda: klap(1)), ("smart", smart)]
)
async def test_a_kind_that_is_known_needs_no_search(kind: str, plug: type[FakePlug]) -> None:
    """No UDP in operation."""
    async with home_of(plug(), kind=kind) as home:
        await home.online(3)
        assert home.library.searches == []


async def test_firmware_that_changed_its_kind_is_found_again() -> None:
    """An update closes the old port: after three connects in vain the plug is asked what it speaks now."""
    plug = FakePlug()
    async with home_of(plug, kind="legacy") as home:
        await home.online()
        plug.encryption, plug.login_version = "KLAP", 2
        plug.troubles["update"] = Trouble.RESET
        await until(lambda: not home.link.has_session)
        plug.well()
        await home.online(40)
        assert home.library.searches


async def test_a_plug_that_moved_is_followed_by_its_hardware_address() -> None:
    """The router gave it another address: after three connects in vain everybody is asked."""
    plug = FakePlug()
    async with home_of(plug) as home:
        await home.online()
        home.library.plugs[ELSEWHERE] = home.library.plugs.pop(HOST)
        plug.troubles["update"] = Trouble.RESET
        await until(lambda: not home.link.has_session)
        plug.well()
        await home.online(90)
        assert (await home.switch(True)).state is CommandState.VERIFIED
        assert home.library.dials[-1][1] == ELSEWHERE


async def test_another_plug_at_the_address_is_never_switched() -> None:
    """The addresses of two plugs were swapped: ours is found at the other one, and no step reaches the stranger."""
    plug, stranger = FakePlug(), FakePlug("AA:BB:CC:00:00:02")
    async with home_of(plug, (ELSEWHERE, stranger)) as home:
        await home.online()
        home.library.plugs[HOST], home.library.plugs[ELSEWHERE] = stranger, plug
        plug.troubles["update"] = Trouble.RESET
        await until(lambda: not home.link.has_session)
        plug.well()
        await home.online(30)
        assert (await home.switch(True)).state is CommandState.VERIFIED
        assert plug.is_on
        assert stranger.sends() == []
        assert stranger.open_objects == 0


async def test_a_stranger_alone_is_told_as_the_wrong_device() -> None:
    """Ours is gone and another plug has its address: said in words, with both hardware addresses."""
    stranger = FakePlug("AA:BB:CC:00:00:02")
    async with home_of(stranger, mac="aa-bb-cc-00-00-01") as home:
        await asyncio.sleep(8)
        reason = home.link.reason
        assert reason.code is ReasonCode.WRONG_DEVICE
        assert "AA:BB:CC:00:00:02" in reason.text
        assert "AA:BB:CC:00:00:01" in reason.text
        receipt = await home.switch(True, 30)
        assert receipt.state is CommandState.EXPIRED
        assert stranger.sends() == []


async def test_a_refused_login_is_doubted_thrice_before_it_is_believed() -> None:
    """Fresh connects 30 s apart, never faster; from the third on it is the owner's business, and rarer."""
    plug = klap(password="right")
    async with home_of(plug, password="wrong") as home:
        await asyncio.sleep(1)
        assert home.link.reason.code is ReasonCode.LOGIN_REFUSED
        assert "1 so far" in home.link.reason.text
        await until(lambda: "in a row" in home.link.reason.text, 90)
        assert len(home.library.dials) == 3
        gaps = [other[0] - one[0] for one, other in pairwise(home.library.dials)]
        assert all(30.0 <= gap < 45.0 for gap in gaps)
        await asyncio.sleep(3600)
        assert len(home.library.dials) < 12
        assert "e-mail" in home.link.reason.advice


async def test_a_mood_passes() -> None:
    """A plug that refuses a right login once is back at the second try, without anybody's help."""
    plug = klap(password="right")
    async with home_of(plug, password="right") as home:
        plug.trouble = Trouble.LOGIN
        await asyncio.sleep(5)
        plug.well()
        began_t = now()
        await home.online(45)
        assert now() - began_t < 36.0


async def test_a_session_that_the_plug_forgot_begins_anew_at_once() -> None:
    """Another client has logged in: one refusal within a session is no wrong login."""
    plug = klap()
    async with home_of(plug) as home:
        await home.online()
        plug.next_troubles = [Trouble.LOGIN]
        await until(lambda: not home.link.has_session)
        began_t = now()
        await until(lambda: home.link.has_session)
        assert now() - began_t < 1.0


@pytest.mark.parametrize(
    ("plug", "word"),
    [
        (FakePlug(family="SMART.TAPOPLUG", encryption="AES"), "AES"),
        (FakePlug(family="SMART.KASAPLUG", encryption="TPAP"), "TPAP"),
        (FakePlug(shape="strip"), "strip"),
        (FakePlug(shape="dimmer"), "dimmer"),
        (FakePlug(family="SMART.TAPOBULB", encryption="KLAP"), "TAPOBULB"),
    ],
)
async def test_what_is_unsupported_is_told_with_what_to_do(plug: FakePlug, word: str) -> None:
    """No retry that hammers; words, and advice."""
    async with home_of(plug) as home:
        await asyncio.sleep(50)
        reason = home.link.reason
        assert reason.code is ReasonCode.UNSUPPORTED
        assert word in reason.text
        assert reason.advice
        assert len(home.library.dials) <= 1


async def test_firmware_that_closed_the_local_door_is_recognised() -> None:
    """A plug in service is updated to a scheme that nobody speaks: found out, and explained."""
    plug = FakePlug()
    async with home_of(plug) as home:
        await home.online()
        plug.family, plug.encryption = "SMART.KASAPLUG", "TPAP"
        plug.troubles["update"] = Trouble.RESET
        await until(lambda: home.link.reason.code is ReasonCode.UNSUPPORTED, 60)
        assert "TPAP" in home.link.reason.text
        assert "Third-Party Compatibility" in home.link.reason.advice


async def test_a_name_that_is_nowhere_is_an_outage_of_its_own() -> None:
    """Nobody answers at the address, neither by UDP nor by TCP."""
    async with home_of(FakePlug(), host=ELSEWHERE, kind="legacy", mac="AA:BB:CC:00:00:09") as home:
        await asyncio.sleep(120)
        assert home.link.reason.code is ReasonCode.SILENT
        assert not home.link.has_session
