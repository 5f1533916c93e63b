"""One session on its own, where a hub would only hide what went wrong."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from holdfast.drivers.kasa.dead_man import Timer
from holdfast.drivers.kasa.faults import SaidNo, Unanswered
from holdfast.drivers.kasa.memory import PlugMemory
from holdfast.drivers.kasa.options import KasaOptions
from holdfast.drivers.kasa.planner import Renew, Rewind, Switch
from holdfast.drivers.kasa.plug import KasaPlug
from holdfast.drivers.kasa.state import PlugState
from holdfast.drivers.kasa.ways import Kind
from holdfast.errors import DriverFault, SessionLost, Silent, Unreachable, WrongDevice
from holdfast.model import Identity
from tests.drivers.kasa.fake_kasa import FakeDevice, FakeKasa, FakePlug, Trouble
from tests.drivers.kasa.home import now

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.virtual
SMART = "SMART.KASAPLUG"


@asynccontextmanager
async def open_to(
    plug: FakePlug, kind: Kind = Kind.LEGACY, dead_man_s: float = 0.0, mac: str = ""
) -> AsyncIterator[tuple[KasaPlug, Identity | None]]:
    """An open session; closed in the end."""
    session = KasaPlug(
        FakeKasa({"p": plug}), KasaOptions(host="p", kind=kind, dead_man_s=dead_man_s), PlugMemory(mac)
    )
    try:
        yield session, await session.connect()
    finally:
        await session.bye()
        await session.bye()
        assert plug.open_objects == 0


async def seen(session: KasaPlug) -> PlugState:
    """One read."""
    (batch,) = await session.read("state")
    assert isinstance(batch.raw, PlugState)
    return batch.raw


async def test_who_it_is() -> None:
    """Hardware address, model, firmware."""
    async with open_to(FakePlug()) as (_, identity):
        assert identity == Identity("AA:BB:CC:00:00:01", "HS110", "1.2.6 Build 200727")


async def test_a_device_object_that_stumbles_over_its_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names are for people; a hardware address that cannot be had is not the one that is expected."""
    for name in ("model", "mac"):
        monkeypatch.setattr(FakeDevice, name, property(_stumble, lambda self, value: None), raising=False)
    async with open_to(FakePlug()) as (_, identity):
        assert identity == Identity("", "", "1.2.6 Build 200727")
    with pytest.raises(WrongDevice, match="without a hardware address"):
        async with open_to(FakePlug(), mac="AA:BB:CC:00:00:01"):
            pass


def _stumble(device: object) -> str:
    raise KeyError("mac")


async def test_a_shape_that_cannot_be_told_is_a_fault_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever else breaks while opening comes out as an error of ours."""
    monkeypatch.setattr(FakeDevice, "device_type", property(_boom, lambda self, value: None), raising=False)
    plug = FakePlug()
    session = KasaPlug(FakeKasa({"p": plug}), KasaOptions(host="p", kind=Kind.LEGACY), PlugMemory())
    with pytest.raises(DriverFault, match="boom"):
        await session.connect()
    await session.bye()
    assert plug.open_objects == 0


def _boom(device: object) -> str:
    raise RuntimeError("boom")


async def test_each_call_has_its_own_deadline() -> None:
    """Eight seconds to connect, four to read, five to switch, whatever the library would wait."""
    plug = FakePlug()
    async with open_to(plug) as (session, _):
        plug.trouble = Trouble.SILENT
        began_t = now()
        with pytest.raises(Unanswered):
            await session.do(Switch(is_on=True))
        assert now() - began_t == pytest.approx(5.0, abs=0.01)
        with pytest.raises(Unanswered):
            await session.read("state")
        assert now() - began_t == pytest.approx(9.0, abs=0.01)
        with pytest.raises(Silent):
            await session.read("state")
    plug.trouble = Trouble.SILENT
    began_t = now()
    with pytest.raises(Silent):
        async with open_to(plug):
            pass
    assert now() - began_t == pytest.approx(8.0, abs=0.01)


async def test_two_deadlines_of_a_search_and_a_connect_fit_into_opening() -> None:
    """However many ways there are, opening ends in its own time."""
    plug = FakePlug(encryption="KLAP", login_version=7)
    plug.answer_s, plug.hears_udp = 4.5, False
    began_t = now()
    with pytest.raises(Silent):
        async with open_to(plug, Kind.AUTO):
            pass
    assert now() - began_t <= 11.6


@pytest.mark.parametrize(
    ("trouble", "kind"),
    [
        (Trouble.REFUSED, Unreachable),
        (Trouble.LOGIN, SessionLost),
        (Trouble.SAYS_NO, SaidNo),
        (Trouble.BROKEN, DriverFault),
    ],
)
async def test_what_a_failed_step_says(trouble: Trouble, kind: type[Exception]) -> None:
    """In words that tell what was tried; the library's exception is the cause."""
    plug = FakePlug()
    async with open_to(plug) as (session, _):
        plug.trouble = trouble
        for payload, doing in ((Switch(is_on=True), "switching"), (Renew(600.0), "renewing")):
            if trouble is Trouble.SAYS_NO and isinstance(payload, Renew):
                await session.do(payload)  # a plug without a timer: its readings say so
                continue
            with pytest.raises(kind) as caught:
                await session.do(payload)
            assert caught.value.__cause__ is not None
            assert doing in str(caught.value) or kind is DriverFault


async def test_a_legacy_plug_that_refuses_its_relay(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library does not look into such an answer; the driver does."""
    plug = FakePlug()
    monkeypatch.setattr(plug, "answer", lambda request: {"system": {"set_relay_state": {"err_code": -3}}})
    async with open_to(plug, dead_man_s=600.0) as (session, _):
        with pytest.raises(SaidNo, match="-3"):
            await session.do(Switch(is_on=True, dead_man_s=600.0))


@pytest.mark.parametrize(
    ("trouble", "raises"), [(Trouble.SAYS_NO, False), (Trouble.KEY, False), (Trouble.RESET, True)]
)
async def test_a_timer_that_cannot_be_asked(trouble: Trouble, raises: bool) -> None:
    """A plug that knows none has none; one that is not reached has failed to be read."""
    plug = FakePlug()
    async with open_to(plug, dead_man_s=600.0) as (session, _):
        plug.troubles["timer"] = trouble
        if raises:
            with pytest.raises(Unreachable):
                await session.read("state")
        else:
            assert (await seen(session)).timer == Timer(is_supported=False)


@pytest.mark.parametrize("is_pressed", [True, False])
async def test_rewinding_never_switches_on_what_was_switched_off(is_pressed: bool) -> None:
    """Read first: a hand may have been quicker."""
    plug = FakePlug(family=SMART, encryption="KLAP")
    async with open_to(plug, Kind.SMART, 600.0) as (session, _):
        await session.do(Switch(is_on=True, dead_man_s=600.0))
        if is_pressed:
            plug.press()
        was_on = plug.is_on
        await session.do(Rewind(600.0))
        assert plug.is_on is was_on
        assert len(plug.sends()) == 1 + was_on


async def test_a_plug_found_elsewhere_is_checked_too() -> None:
    """Discovery said that it was ours; what answers there now is not: never switched, and closed."""
    here, there = FakePlug("AA:BB:CC:00:00:02"), FakePlug("AA:BB:CC:00:00:01")
    library = FakeKasa({"p": here, "q": there})
    true = library.Discover.discover

    async def lies(**options: object) -> object:
        found = await true(**options)
        there.mac = "AA:BB:CC:00:00:03"
        return found

    library.Discover.discover = lies
    session = KasaPlug(library, KasaOptions(host="p", kind=Kind.LEGACY), PlugMemory("AA:BB:CC:00:00:01"))
    with pytest.raises(WrongDevice, match="expected is AA:BB:CC:00:00:01"):
        await session.connect()
    await session.bye()
    assert here.open_objects == there.open_objects == 0
    assert [host for _, host in library.dials] == ["p", "q"]
