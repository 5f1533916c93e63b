"""What can be read: devices, readings, links, events, alarms."""

from __future__ import annotations

import dataclasses
import logging
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
import pytest

from holdfast.errors import SessionLost
from holdfast.model import Reading, Receipt
from holdfast.web.api.encoding import encode
from holdfast.web.api.shapes import (
    AlarmShape,
    DeviceShape,
    EventShape,
    HealthShape,
    LinkShape,
    LogShape,
    ReadingShape,
    ReadyShape,
    ReceiptShape,
    RecordedLinkShape,
    RetryShape,
)
from tests.web.house import Rack, house, until

if TYPE_CHECKING:
    import httpx

T = TypeVar("T")


def shaped(response: httpx.Response, shape: type[T]) -> T:
    """The answer, which must have the shape that the document promises."""
    assert response.status_code == 200, response.text
    return msgspec.json.decode(response.content, type=shape)


@pytest.mark.parametrize(("shape", "model"), [(ReadingShape, Reading), (ReceiptShape, Receipt)])
def test_shapes_follow_the_model(shape: type[msgspec.Struct], model: Any) -> None:
    """Readings and receipts are encoded from the model: what is documented has the same members in that order."""
    written = [field.name for field in dataclasses.fields(model)]
    documented = list(shape.__struct_fields__)
    assert sorted(documented) == sorted(written)


async def test_devices() -> None:
    """A device says how it is, why, how it is reached, and what it can do; nothing secret is in it."""
    async with house() as here:
        answer = await here.get("/api/v1/devices")
        (device,) = shaped(answer, list[DeviceShape])
        assert device.id == "rack"
        assert device.name == "Rack"
        assert device.driver == "rack"
        assert device.availability == "online"
        assert device.reason.code == "ok"
        assert device.active_adapter == "a"
        (adapter,) = device.adapters
        assert (adapter.id, adapter.role, adapter.state, adapter.deadline_s) == ("a", "active", "live", 20.0)
        level = next(each for each in device.capabilities if each.key == "level")
        assert (level.role, level.minimum, level.maximum, level.writable) == ("dimmer", 0.0, 100.0, True)
        assert "secret-of-the-rack" not in answer.text
        assert shaped(await here.get("/api/v1/devices/rack"), DeviceShape) == device


async def test_device_without_an_enabled_adapter() -> None:
    """It has no active adapter, and nothing breaks."""
    spec = Rack().spec("off")
    adapters = tuple(dataclasses.replace(each, is_enabled=False) for each in spec.device.adapters)
    off = dataclasses.replace(spec, device=dataclasses.replace(spec.device, adapters=adapters))
    async with house(more=[off]) as here:
        device = shaped(await here.get("/api/v1/devices/off"), DeviceShape)
        assert (device.active_adapter, device.driver) == (None, "rack")
        assert [each.state for each in device.adapters] == ["disabled"]
        assert shaped(await here.get("/api/v1/readings?device=off"), list[ReadingShape]) == []


async def test_readings() -> None:
    """A current reading has its value; one that was never seen has none, with the quality saying so."""
    async with house() as here:
        here.rack.set(level=40)
        found = {each.target: each for each in shaped(await here.get("/api/v1/readings"), list[ReadingShape])}
        assert set(found) == {"rack/lamp", "rack/level", "rack/gauge/0"}
        level = shaped(await here.get("/api/v1/readings/rack/level"), ReadingShape)
        assert (level.value, level.quality, level.adapter, level.deadline_s) == (40, "good", "a", 20.0)
        gauge = shaped(await here.get("/api/v1/readings/rack/gauge/0"), ReadingShape)
        assert (gauge.unit, gauge.value) == ("V", 0)
        assert (
            len(shaped(await here.get("/api/v1/readings", params={"device": "rack"}), list[ReadingShape]))
            == 3
        )
    async with house(start=False) as here:
        lamp = shaped(await here.get("/api/v1/readings/rack/lamp"), ReadingShape)
        assert (lamp.value, lamp.quality, lamp.observed_at, lamp.age_s) == (None, "unknown", None, None)


async def test_values_that_json_cannot_hold() -> None:
    """Numbers that are none become null, times are ISO 8601 in UTC. Intake lets none through; `null` is the net."""
    async with house() as here:
        here.rack.set(gauge__0=float("inf"))
        answer = await here.get("/api/v1/readings/rack/gauge/0")
        assert answer.json()["value"] == 0
        assert answer.json()["observed_at"].endswith("Z")
        infinite = dataclasses.replace(here.hub.reading("rack/gauge/0"), value=float("inf"))
        assert b'"value":null' in encode(infinite)


async def test_devices_may_go_while_a_list_is_sent() -> None:
    """Iteration over readings survives a device that is taken out in the middle."""
    async with house(more=[Rack().spec("other")]) as here:
        taken = here.hub.readings()
        first = next(taken)
        del here.hub.devices["other"]
        assert [first.target, *(each.target for each in taken)][-1].startswith("other/")


async def test_links() -> None:
    """A link is found by its place or its endpoint, with its report and the last things that happened."""
    async with house() as here:
        (report,) = shaped(await here.get("/api/v1/links"), list[LinkShape])
        assert (report.endpoint, report.state, report.adapters) == ("rack://rack", "live", ["rack/a"])
        by_place = shaped(await here.get("/api/v1/links/0"), RecordedLinkShape)
        by_name = shaped(await here.get("/api/v1/links/rack://rack"), RecordedLinkShape)
        assert [each.text for each in by_place.moments] == [each.text for each in by_name.moments]
        assert any(each.kind == "state" and each.text.endswith("live") for each in by_name.moments)


async def test_events_and_their_filters() -> None:
    """Events come in words, oldest first, by kind, by device and the newest only."""
    async with house(more=[Rack().spec("other")]) as here:
        await until(lambda: here.hub.device("other").availability == "online")
        await here.command("rack/lamp", True, wait=True)
        every = shaped(await here.get("/api/v1/events"), list[EventShape])
        numbers = [int(each.id.split(":")[1]) for each in every]
        assert numbers == sorted(numbers)
        assert every[0].kind == "hub"
        assert every[0].text.startswith("started")
        commands = shaped(await here.get("/api/v1/events?kind=command"), list[EventShape])
        assert [each.data["receipt"]["state"] for each in commands] == ["accepted", "sent", "verified"]
        assert commands[-1].text == "rack/lamp to on by api: verified"
        of_other = shaped(await here.get("/api/v1/events?device=other"), list[EventShape])
        assert {each.device for each in of_other} == {"other"}
        assert len(shaped(await here.get("/api/v1/events?limit=2"), list[EventShape])) == 2
        notes = shaped(await here.get("/api/v1/events?kind=event"), list[EventShape])
        assert [each.kind for each in notes] == ["hub", "sent", "result"]
        assert notes[:1] == shaped(await here.get("/api/v1/events?kind=hub"), list[EventShape])


async def test_every_kind_of_event_has_words() -> None:
    """Alarms, availabilities and notes too."""
    async with house() as here:
        device = here.hub.device("rack")
        here.hub.alarm_changed(device, "lamp", "too hot", is_on=True)
        (alarm,) = shaped(await here.get("/api/v1/alarms"), list[AlarmShape])
        assert (alarm.target, alarm.text, alarm.is_on) == ("rack/lamp", "too hot", True)
        here.hub.alarm_changed(device, "lamp", "too hot", is_on=False)
        here.hub.note("order", "a note", device="rack", odd=object())
        device.active.link.fail(SessionLost("gone", advice="Look."))
        texts = [each.text for each in shaped(await here.get("/api/v1/events?device=rack"), list[EventShape])]
        assert "too hot" in texts
        assert "over: too hot" in texts
        assert "a note" in texts
        assert "degraded: gone" in texts
        assert shaped(await here.get("/api/v1/alarms"), list[AlarmShape]) == []


async def test_controllers_are_none_yet() -> None:
    """The list exists, and is empty."""
    async with house() as here:
        assert (await here.get("/api/v1/controllers")).json() == []


async def test_health_and_readiness() -> None:
    """Alive as soon as it answers, ready while the hub runs."""
    async with house(start=False) as here:
        assert shaped(await here.get("/healthz"), HealthShape).status == "ok"
        not_ready = await here.get("/readyz")
        assert (not_ready.status_code, not_ready.json()["code"]) == (503, "not_ready")
        here.hub.start()
        assert shaped(await here.get("/readyz"), ReadyShape).status == "ready"
        assert shaped(await here.get("/api/v1/readyz"), ReadyShape).status == "ready"


async def test_retry_now(monkeypatch: pytest.MonkeyPatch) -> None:
    """It reaches the hub, for known devices only."""
    async with house() as here:
        asked: list[str] = []
        monkeypatch.setattr(here.hub, "retry", asked.append)
        answer = await here.client.post("/api/v1/devices/rack/retry", json={})
        assert shaped(answer, RetryShape).adapters == ["a"]
        assert asked == ["rack"]
        monkeypatch.undo()
        unknown = await here.client.post("/api/v1/devices/nothing/retry", json={})
        assert (unknown.status_code, unknown.json()["code"]) == (404, "unknown_target")


async def test_the_log_is_switched_while_the_hub_runs() -> None:
    """The level of everything, or of one device's links; what is wrong is said."""
    own = logging.getLogger("holdfast")
    before = own.level
    try:
        async with house() as here:
            answer = await here.client.post("/api/v1/log", json={"level": "error"})
            assert shaped(answer, LogShape).device is None
            assert own.level == logging.ERROR
            link = here.hub.device("rack").active.link
            await here.client.post("/api/v1/log", json={"level": "debug", "device": "rack"})
            assert link.log.logger.isEnabledFor(logging.DEBUG)
            assert len(link.taps) == 1
            await here.client.post("/api/v1/log", json={"level": "info", "device": "rack"})
            assert not link.taps
            for body, status in (
                ({"level": "loud"}, 422),
                ({"level": "debug", "device": "nothing"}, 404),
                ({}, 422),
            ):
                assert (await here.client.post("/api/v1/log", json=body)).status_code == status
    finally:
        own.setLevel(before)
