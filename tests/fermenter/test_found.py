"""What the fault runs found, each as small as it can be made."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from holdfast.control import PlugEvidence
from holdfast.control.instant import Instant
from holdfast.control.plug import PlugMemory, observe
from holdfast.hub.events import Kind
from holdfast.simulation import EPOCH, run_virtual
from tests.fermenter.cellar import Cellar

if TYPE_CHECKING:
    from holdfast.simulation import VirtualLoop


def test_an_on_that_an_order_undid_at_once_ends_the_rest() -> None:
    """The compressor ran for a moment under a standing order, which hid that: it rests anew."""

    async def main(loop: VirtualLoop) -> None:
        cellar = Cellar(loop, beer_c=25.0, low=18.0, high=20.0)
        cellar.pretend = lambda truth: None  # no reading: both plugs are held off
        await cellar.start()
        await asyncio.sleep(1000.0)
        cellar.fridge.press(is_on=True)
        await asyncio.sleep(20.0)
        cellar.pretend = lambda truth: 25.0
        await asyncio.sleep(120.0)
        assert "the cooler must rest" in str(cellar.value("fermenter/reason"))
        await asyncio.sleep(200.0)
        assert cellar.fridge.is_on
        await cellar.stop()
        await cellar.close()

    run_virtual(main, seed=1)


def test_an_on_that_is_in_doubt_is_no_rest() -> None:
    """While nothing is known and the last answer showed ON, what was known of an earlier OFF is forgotten."""
    now = Instant(1000.0, "boot", EPOCH)
    past = PlugMemory(off_since=now.before(900.0))
    assert observe(PlugEvidence(is_on=None), past, now, 600.0).past.off_since == past.off_since
    assert observe(PlugEvidence(is_on=None, was_on=True), past, now, 600.0).past.off_since is None


def test_a_stopped_thermostat_shows_no_state() -> None:
    """Nobody decides any more: what was decided last is not shown as the present."""

    async def main(loop: VirtualLoop) -> None:
        cellar = Cellar(loop, beer_c=16.0)
        await cellar.start()
        await asyncio.sleep(700.0)
        assert cellar.value("fermenter/state") == "heating"
        hub = cellar.hub
        assert hub is not None
        await cellar.stop()
        assert hub.reading("fermenter/state").value is None
        await cellar.close()

    run_virtual(main, seed=1)


def test_an_order_is_not_blamed_for_what_was_long_ago() -> None:
    """A button under an order that had trouble before: it is sent once and works, so nothing is wrong."""

    async def main(loop: VirtualLoop) -> None:
        cellar = Cellar(loop, enabled=False)
        cellar.fridge.ignores_next = 5
        cellar.fridge.press(is_on=True)
        await cellar.start()
        hub = cellar.hub
        assert hub is not None
        await asyncio.sleep(120.0)
        told = len(hub.stream.recent(frozenset({Kind.ALARM})))
        cellar.fridge.press(is_on=True)
        await asyncio.sleep(30.0)
        assert not cellar.fridge.is_on
        assert len(hub.stream.recent(frozenset({Kind.ALARM}))) == told
        await cellar.stop()
        await cellar.close()

    run_virtual(main, seed=1)


def test_an_order_is_not_blamed_for_a_call_that_failed_long_ago() -> None:
    """The same where the last call had no answer, and a reading showed that it had worked."""

    async def main(loop: VirtualLoop) -> None:
        cellar = Cellar(loop, enabled=False)
        await cellar.start()
        hub = cellar.hub
        assert hub is not None
        await asyncio.sleep(60.0)
        cellar.fridge.acts_without_answer = True
        cellar.fridge.press(is_on=True)
        await asyncio.sleep(60.0)
        cellar.fridge.well()
        await asyncio.sleep(60.0)
        assert not cellar.fridge.is_on
        told = len(hub.stream.recent(frozenset({Kind.ALARM})))
        cellar.fridge.press(is_on=True)
        await asyncio.sleep(30.0)
        assert not cellar.fridge.is_on
        ons = [
            each.payload
            for each in hub.stream.recent(frozenset({Kind.ALARM}))[told:]
            if each.payload["is_on"]
        ]
        assert [each["target"] for each in ons if each["target"].startswith("fermenter/")] == []
        await cellar.stop()
        await cellar.close()

    run_virtual(main, seed=1)
