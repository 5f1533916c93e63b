"""Standing orders: pure decisions first, then on a device that resists."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.hub.events import Kind
from holdfast.link.orders import ORDER_PAUSES_S, OrderView, decide, pause_s
from holdfast.model import Quality
from tests.link.house import ME, command, hub_of, lamp, loop, spec
from tests.link.toys import library
from tests.link.toys.lockstep import LineCodec, LineDevice


@given(st.sampled_from([True, False, None]), st.booleans(), st.booleans())
def test_only_evidence_after_our_own_send_verifies(
    is_shown: bool | None, was_sent: bool, is_released: bool
) -> None:
    """An order is verified by what is shown after a send, and ends only if it is released as well."""
    verdict = decide(OrderView(False, is_shown, was_sent, is_released))
    assert verdict.is_verified == (was_sent and is_shown is True)
    assert verdict.has_ended == (verdict.is_verified and is_released)


def test_pauses_never_end() -> None:
    """The last pause repeats for ever."""
    assert [pause_s(n) for n in range(8)] == [*ORDER_PAUSES_S, 8.0, 8.0, 8.0]


@pytest.mark.virtual
async def test_an_off_is_sent_though_it_is_believed_off() -> None:
    """A standing OFF goes out even when the device has just reported off."""
    device = LineDevice()
    await device.listen("lamp")
    async with hub_of(spec("lamp", "lockstep", "lamp")) as hub:
        await asyncio.sleep(5)
        assert hub.reading("lamp/lamp").value is False
        hub.order("lamp/lamp", False, "safety")
        await asyncio.sleep(1)
        assert [value for _, _, value in device.sets] == [0]
        assert hub.device("lamp").desk.orders["lamp"].order.is_verified


@pytest.mark.virtual
async def test_order_is_sent_again_after_a_reconnect() -> None:
    """What was verified in the session before is verified anew in the next."""
    device = LineDevice()
    await device.listen("lamp")
    async with hub_of(spec("lamp", "lockstep", "lamp")) as hub:
        await asyncio.sleep(5)
        hub.order("lamp/lamp", False, "safety")
        await asyncio.sleep(1)
        loop().network.host("lamp").reset_all()
        await asyncio.sleep(1)
        assert [value for _, _, value in device.sets] == [0, 0]


@pytest.mark.virtual
async def test_a_fail_safe_actuator_is_unknown_from_the_send() -> None:
    """While an OFF is on its way to a fail-safe actuator nothing is shown as certain; a failed send says unknown."""
    plug = library.PLUGS["o"] = library.Plug()
    async with hub_of(spec("plug", "library", "o")) as hub:
        await asyncio.sleep(15)
        await command(hub, "plug/switch", True)
        assert hub.reading("plug/switch").value is True
        plug.answer_s = 0.5
        hub.order("plug/switch", False, "safety")
        await asyncio.sleep(0.2)
        assert hub.reading("plug/switch").quality is Quality.UNKNOWN
        await asyncio.sleep(4)
        assert hub.reading("plug/switch").value is False
        hub.release("plug/switch")
        await asyncio.sleep(1)
        assert not hub.device("plug").desk.orders
        hub.release("plug/switch")


@pytest.mark.virtual
async def test_a_released_order_still_has_to_be_verified() -> None:
    """Releasing an order that the device does not follow yet does not end it."""
    device = LineDevice()
    device.state["lamp"] = 1
    device.stuck.add("lamp")
    await device.listen("lamp")
    async with hub_of(spec("lamp", "lockstep", "lamp")) as hub:
        await asyncio.sleep(5)
        hub.order("lamp/lamp", False, "safety")
        await asyncio.sleep(2)
        hub.release("lamp/lamp")
        await asyncio.sleep(20)
        assert hub.device("lamp").has_open_order
        device.stuck.clear()
        await asyncio.sleep(10)
        assert not hub.device("lamp").desk.orders


@pytest.mark.virtual
async def test_an_order_survives_a_driver_that_fails_once() -> None:
    """A standing order whose first step failed with a bug of the driver is sent in the next session."""

    class OnceFaulty(LineCodec):
        failures = 0

        def encode(self, payload: Any) -> bytes:
            OnceFaulty.failures += 1
            if OnceFaulty.failures == 1:
                raise TypeError("a bug")
            return super().encode(payload)

    device = LineDevice()
    await device.listen("lamp")
    async with hub_of(lamp(OnceFaulty)) as hub:
        await asyncio.sleep(3)
        hub.order("lamp/lamp", True, "test")
        await asyncio.sleep(60)
        assert device.state["lamp"] == 1


@pytest.mark.virtual
async def test_stop_with_an_open_order_leaves_no_timer() -> None:
    """Stopping in the turn in which the planner was asked leaves none of its wake-ups behind."""
    device = LineDevice()
    device.stuck = {"lamp"}
    await device.listen("lamp")
    async with hub_of(spec("lamp", "lockstep", "lamp")) as hub:
        await asyncio.sleep(3)
        hub.order("lamp/lamp", True, "test")
        await asyncio.sleep(0.05)
        hub.command("lamp/level", 5, ME)
        await hub.stop()
        assert loop().leftovers() == []


@pytest.mark.virtual
async def test_what_an_order_proves_is_told() -> None:
    """While its OFF is under way the value is unknown; when the order is verified the value is told at once."""
    library.PLUGS["p"] = library.Plug()
    async with hub_of(spec("plug", "library", "p")) as hub:
        await asyncio.sleep(30)
        said = hub.said  # type: ignore[attr-defined]
        told = [
            each.payload
            for each in said
            if each.kind is Kind.READING and each.payload.target == "plug/switch"
        ]
        shown = hub.reading("plug/switch")
        assert (told[-1].quality, told[-1].value) == (shown.quality, False)
