"""A device of two adapters: how it is shown, who may choose between them, and what is told of it."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families

from holdfast.cli.records import device_record
from holdfast.model import Availability, Standby
from holdfast.web.api.shapes import DeviceShape, EventShape, LinkShape, ReadingShape
from tests.web.house import House, house, listening, until
from tests.web.pack import Wire

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import httpx

PACK = "/api/v1/devices/pack"


@asynccontextmanager
async def pack_house(wire: Wire, **adapter: object) -> AsyncIterator[House]:
    """A house with the pack in it, which is online when the block begins."""
    async with house(more=[wire.spec(**adapter)]) as here:
        await until(lambda: "a" in wire.sinks)
        wire.say()
        await until(lambda: here.hub.device("pack").availability is Availability.ONLINE)
        yield here


async def shown(here: House) -> DeviceShape:
    """The pack as the API has it."""
    answer = await here.get(PACK)
    return msgspec.json.decode(answer.content, type=DeviceShape)


async def activate(here: House, adapter: str, **body: object) -> httpx.Response:
    return await here.client.post(f"{PACK}/adapters/{adapter}/activate", json=body)


async def is_served_by(here: House, wire: Wire, adapter: str) -> None:
    """Wait until that adapter is connected, let it hear something, and wait until it serves."""
    await until(lambda: adapter in wire.sinks)
    wire.say()
    await until(lambda: here.hub.device("pack").active.adapter.id == adapter)


async def samples(here: House, name: str) -> dict[str, float]:
    """A metric's samples of the pack, by the value of the other label."""
    text = (await here.get("/metrics")).text
    (metric,) = [each for each in text_string_to_metric_families(text) if each.name == name]
    return {
        next((value for key, value in each.labels.items() if key != "device"), ""): each.value
        for each in metric.samples
        if each.labels["device"] == "pack" and not each.name.endswith("_created")
    }


async def test_adapters_say_what_they_are_for() -> None:
    """The serving one, and the reserve that rests, with their members; nothing is wrong."""
    async with pack_house(Wire()) as here:
        device = await shown(here)
        assert (device.active_adapter, device.redundancy.state, device.redundancy.text) == ("a", "full", "")
        first, second = device.adapters
        assert (first.role, first.standby, first.is_pinned, first.state) == ("active", "cold", False, "live")
        assert (second.role, second.state, second.reason.code) == ("standby", "resting", "standby")
        assert first.members == second.members == ["1", "2"]
        assert first.found == second.found == []
        rack = msgspec.json.decode((await here.get("/api/v1/devices/rack")).content, type=DeviceShape)
        assert (rack.redundancy.state, rack.adapters[0].members) == ("none", [])


async def test_a_person_chooses_and_pins() -> None:
    """The device is served through the chosen adapter as soon as it delivers; each move is told and counted."""
    wire = Wire()
    async with pack_house(wire) as here:
        answer = await activate(here, "b")
        assert answer.status_code == 200
        assert msgspec.json.decode(answer.content, type=DeviceShape).active_adapter == "a"
        await is_served_by(here, wire, "b")
        device = await shown(here)
        assert (device.active_adapter, device.redundancy.state) == ("b", "reduced")
        assert device.redundancy.text == "b serves in place of a"
        assert [each.role for each in device.adapters] == ["standby", "active"]

        pinned = msgspec.json.decode((await activate(here, "b", pin=True)).content, type=DeviceShape)
        assert [each.is_pinned for each in pinned.adapters] == [False, True]
        assert pinned.redundancy.state == "full"

        cleared = msgspec.json.decode((await activate(here, "a")).content, type=DeviceShape)
        assert [each.is_pinned for each in cleared.adapters] == [False, False]
        await is_served_by(here, wire, "a")
        here.hub.note("failover", "b is in doubt: trying a", device="pack", decision="trying")
        assert await samples(here, "holdfast_device_failovers") == {"": 2}
        assert await samples(here, "holdfast_adapter_active") == {"a": 1, "b": 0}
        assert await samples(here, "holdfast_device_redundancy") == {"none": 0, "full": 1, "reduced": 0}


async def test_a_hot_reserve_serves_in_the_answer() -> None:
    """It delivers already: nobody has to ask again."""
    wire = Wire()
    async with pack_house(wire, standby=Standby.HOT) as here:
        await until(lambda: "b" in wire.sinks)
        wire.say()
        answer = await activate(here, "b")
        assert msgspec.json.decode(answer.content, type=DeviceShape).active_adapter == "b"


async def test_a_body_is_not_needed() -> None:
    """Nothing and the empty object mean: without a pin. The content type is needed, as for every write."""
    async with pack_house(Wire()) as here:
        path = f"{PACK}/adapters/a/activate"
        json = {"Content-Type": "application/json"}
        assert (await here.client.post(path, headers=json)).status_code == 200
        assert (await here.client.post(path, headers=json, content=b"{}")).status_code == 200
        assert (await here.client.post(path)).json()["code"] == "not_json"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"pin": 1}', "wrong_type"),
        (b'{"pinned": true}', "wrong_type"),
        (b"[]", "wrong_type"),
        (b"{", "malformed_json"),
    ],
)
async def test_another_body_chooses_nothing(body: bytes, code: str) -> None:
    """It is a problem that says what to send."""
    async with pack_house(Wire()) as here:
        headers = {"Content-Type": "application/json"}
        answer = await here.client.post(f"{PACK}/adapters/b/activate", headers=headers, content=body)
        assert answer.json()["code"] == code
        assert here.hub.device("pack").attachments[1].link.state == "resting"


async def test_what_is_not_there_cannot_be_chosen() -> None:
    """Unknown devices and adapters, and those that the site switched off, with what there is instead."""
    async with pack_house(Wire(), is_enabled=False) as here:
        for path in (f"{PACK}/adapters/x/activate", f"{PACK}/adapters/b/activate"):
            answer = await here.client.post(path, json={})
            assert (answer.status_code, answer.json()["code"]) == (404, "unknown_target")
            assert answer.json()["advice"] == "Its adapters are: a."
        answer = await here.client.post("/api/v1/devices/nothing/adapters/a/activate", json={})
        assert (answer.status_code, answer.json()["advice"]) == (404, "Known devices: pack, rack.")


async def test_an_adapter_that_is_switched_off_is_listed() -> None:
    """As such, and there is nothing to choose."""
    async with pack_house(Wire(), is_enabled=False) as here:
        device = await shown(here)
        off = device.adapters[1]
        assert (off.id, off.state, off.role, off.reason.code) == ("b", "disabled", "standby", "configuration")
        assert device.redundancy.state == "none"


async def test_a_move_is_told_in_the_journal_and_on_the_stream() -> None:
    """With what it was decided on, for programs."""
    wire = Wire()
    async with pack_house(wire) as here, listening(here) as ear:
        await ear.snapshot()
        await activate(here, "b")
        await is_served_by(here, wire, "b")
        heard = await ear.until("event", kind="failover")
        (event,) = msgspec.json.decode(
            (await here.get("/api/v1/events?kind=failover")).content, type=list[EventShape]
        )
        assert (event.device, event.text) == ("pack", "a -> b: a person asked for it")
        assert heard.data["text"] == event.text
        assert set(event.data) == {"decision", "before", "after", "data_age_s", "attempts", "lost"}
        assert (event.data["decision"], event.data["before"], event.data["after"]) == ("moved", "a", "b")
        assert event.data["data_age_s"] >= 0


async def test_members_that_nobody_configured_are_told() -> None:
    """With their path: at the adapter that heard them, and in the report of its link."""
    wire = Wire()
    async with pack_house(wire) as here:
        wire.say("7")
        wire.say("7")
        (first, second) = (await shown(here)).adapters
        (found,) = first.found
        assert (found.member, found.messages) == ("7", 2)
        assert found.ago_s >= 0
        assert second.found == []
        links = msgspec.json.decode((await here.get("/api/v1/links")).content, type=list[LinkShape])
        (link,) = [each for each in links if each.endpoint == "memory://a"]
        assert ([each.member for each in link.found], link.strangers) == (["7"], 2)
        assert link.counters == {"frames": 7}


async def test_a_value_of_all_members_says_who_is_missing() -> None:
    """Without them it is none at all."""
    wire = Wire()
    async with house(more=[wire.spec()]) as here:
        await until(lambda: "a" in wire.sinks)
        wire.say("1")
        answer = await here.get("/api/v1/readings/pack/voltage")
        reading = msgspec.json.decode(answer.content, type=ReadingShape)
        assert (reading.value, reading.missing) == (None, ["2"])
        wire.say("2")
        answer = await here.get("/api/v1/readings/pack/voltage")
        reading = msgspec.json.decode(answer.content, type=ReadingShape)
        assert (reading.value, reading.missing) == (50.0, [])


async def test_the_reason_is_that_of_the_moment_while_members_are_looked_for() -> None:
    """What was heard since the last change of availability stands in it, in lists and at the stream's beginning."""
    wire = Wire()
    async with house(more=[wire.spec()]) as here:
        await until(lambda: "a" in wire.sinks and here.hub.device("pack").reason.code == "discovering")
        assert "not configured: none" in (await shown(here)).reason.text
        wire.say("7")
        assert (await shown(here)).reason.text.endswith("1 frames, members heard that are not configured: 7")
        record = device_record(here.hub.device("pack"))
        assert record["reason"]["text"].endswith("not configured: 7")
        async with listening(here) as ear:
            heard = await ear.until("availability", device="pack")
            assert heard.data["reason"]["text"].endswith("not configured: 7")


@pytest.mark.parametrize("is_enabled", [True, False])
async def test_the_command_line_tells_the_same_of_a_hub_of_its_own(is_enabled: bool) -> None:
    """Its records of a device are those of the API, to the letter."""
    async with pack_house(Wire(), is_enabled=is_enabled) as here:
        for device in (await here.get("/api/v1/devices")).json():
            assert device_record(here.hub.device(device["id"])) == device
