"""What the store is good for, and what its trouble looks like, over HTTP."""

from __future__ import annotations

import asyncio

import msgspec
from prometheus_client.parser import text_string_to_metric_families

from holdfast.hub.ports import StoreError, Trouble
from holdfast.store import MemoryStore
from holdfast.web.api.shapes import EventShape, ReadyShape, ReceiptShape
from tests.web.house import house, listening, until
from tests.web.kept_house import KeptHouse, kept_house, rack_device
from tests.web.test_problems import check

FULL = StoreError(Trouble.FULL, "the disk is full", advice="Make room.")


async def online(here: KeptHouse) -> None:
    await until(lambda: here.hub.device("rack").availability == "online")


async def ready(here: KeptHouse) -> ReadyShape:
    answer = await here.get("/readyz")
    assert answer.status_code == 200
    return msgspec.json.decode(answer.content, type=ReadyShape)


async def receipts(here: KeptHouse, query: str = "") -> list[ReceiptShape]:
    answer = await here.get(f"/api/v1/commands{query}")
    assert answer.status_code == 200, answer.text
    return msgspec.json.decode(answer.content, type=list[ReceiptShape])


async def events(here: KeptHouse, query: str = "") -> list[EventShape]:
    answer = await here.get(f"/api/v1/events{query}")
    assert answer.status_code == 200, answer.text
    return msgspec.json.decode(answer.content, type=list[EventShape])


async def fall_ill(here: KeptHouse) -> None:
    """The disk is full, and the storekeeper has noticed."""
    here.store.fault = FULL
    here.hub.note("hub", "something that wants to be written")
    keeper = here.hub.keeper
    assert keeper is not None
    await until(lambda: not keeper.state.is_well)


async def test_the_answer_waits_for_the_journal() -> None:
    """Whoever has an answer will find the receipt after a crash, at the beginning of a command and at its end."""
    async with kept_house() as here:
        await online(here)
        for more in ({}, {"wait": True}):
            answer = (await here.command("rack/lamp", True, **more)).json()
            (kept,) = [each for each in await here.store.receipts() if each.id == answer["id"]]
            assert kept.state in (answer["state"], "sent", "verified")
        await here.written()


async def test_a_sick_store_is_not_waited_for() -> None:
    """The command is carried out, and its answer comes all the same."""
    async with kept_house() as here:
        await online(here)
        await fall_ill(here)
        answer = (await here.command("rack/lamp", True, wait=True)).json()
        assert answer["state"] == "verified"
        assert [each.id for each in await receipts(here)] == [answer["id"]]


async def test_a_stopping_server_waits_for_nothing() -> None:
    """An answer that waits for a slow disk goes out when the server stops."""
    async with kept_house() as here:
        await online(here)
        await here.written()
        here.store.delay_s = 60.0
        asked = asyncio.create_task(here.command("rack/lamp", True))
        await until(lambda: here.hub.receipts)
        await here.api.stop()
        here.store.delay_s = 0.0
        assert (await asked).status_code == 200


async def test_earlier_runs_are_told() -> None:
    """Receipts and events from the store, behind what is at hand; only what is asked for, each once, in order."""
    store = MemoryStore()
    async with kept_house(store=store) as here:
        await online(here)
        first = (await here.command("rack/lamp", True, wait=True)).json()
        second = (await here.command("rack/level", 40, wait=True)).json()
        before = await events(here, "?kind=hub")
        assert [each.text for each in before] == ["started with 1 devices on 1 links"]
        await here.written()
    async with kept_house(store=store) as here:
        await online(here)
        third = (await here.command("rack/lamp", False, wait=True)).json()
        assert [each.id for each in await receipts(here)] == [first["id"], second["id"], third["id"]]
        assert [each.id for each in await receipts(here, "?target=rack/lamp")] == [first["id"], third["id"]]
        assert [each.id for each in await receipts(here, "?limit=2")] == [second["id"], third["id"]]
        assert (await here.get(f"/api/v1/commands/{first['id']}")).json() == first
        await here.written()
        hub = await events(here, "?kind=hub")
        assert [each.text.partition(" ")[0] for each in hub] == ["started", "stopping", "started"]
        assert hub[0] == before[0]
        assert [each.text for each in await events(here, "?kind=hub&limit=2")] == [
            each.text for each in hub[1:]
        ]
        every = await events(here, "?limit=4096")
        assert len({each.id for each in every}) == len(every)
        assert [each.at for each in every] == sorted(each.at for each in every)
        available = await events(here, "?kind=availability&device=rack")
        assert [each.text for each in available if each.text == "online"] == ["online"] * 2
        assert available[0].data["availability"]
        assert all(each.kind != "availability" for each in await events(here, "?kind=event&limit=4096"))
        check(await here.get("/api/v1/events?device=nothing"), 404, "unknown_target")
        check(await here.get("/api/v1/commands?target=rack/nothing"), 404, "unknown_target")
        check(await here.get("/api/v1/commands/c-0"), 404, "unknown_command")


async def test_what_is_at_hand_is_told_without_the_store() -> None:
    """A store in trouble is not asked, and one that fails while it is asked spoils nothing."""
    store = MemoryStore()
    async with kept_house(store=store) as here:
        await online(here)
        await here.command("rack/lamp", True, wait=True)
        await here.written()
    async with kept_house(store=store) as here:
        await online(here)
        await here.written()
        here.store.fault = FULL
        assert await receipts(here) == []
        assert {each.kind for each in await events(here)} >= {"hub"}
        await fall_ill(here)
        assert [each.text.partition(" ")[0] for each in await events(here, "?kind=hub")] == [
            "started",
            "something",
        ]


async def test_a_device_that_is_gone_has_a_past() -> None:
    """Its receipts and events can be asked for under its name."""
    async with kept_house(rack_device("rack"), rack_device("two")) as here:
        await online(here)
        await until(lambda: here.hub.device("two").availability == "online")
        given = (await here.command("two/lamp", True, wait=True)).json()
        await here.delete("devices/two")
        await here.written()
        assert [each.id for each in await receipts(here, "?target=two/lamp")] == [given["id"]]
        assert (await events(here, "?device=two&kind=site"))[0].text == "two: goes"


async def test_trouble_is_told_everywhere_and_ends() -> None:
    """Readiness stays, as `degraded`; metrics, alarm, event and availability say why; all of it without a restart."""
    async with kept_house() as here:
        await online(here)
        assert (await ready(here)).status == "ready"
        async with listening(here) as ear:
            snapshot = await ear.snapshot()
            assert snapshot[-1].data["device"] == "hub"
            assert snapshot[-1].data["availability"] == "online"
            await fall_ill(here)
            heard = await ear.until("availability", device="hub")
            assert heard.data["availability"] == "degraded"
            assert heard.data["reason"]["code"] == "storage"
            assert heard.data["reason"]["advice"] == "Make room."
        now = await ready(here)
        assert now.status == "degraded"
        assert now.store is not None
        assert (now.store.trouble, now.store.advice) == ("full", "Make room.")
        assert now.store.waiting > 0
        (alarm,) = (await here.get("/api/v1/alarms")).json()
        assert alarm["target"] == "hub/store"
        assert (await events(here, "?kind=store&device=hub")) == []
        assert "the disk is full" in (await events(here, "?kind=store"))[-1].text
        assert (await metrics(here))["holdfast_store_up"] == 0
        assert (await metrics(here))["holdfast_store_trouble/full"] == 1
        assert (await metrics(here))["holdfast_store_waiting"] > 0
        async with listening(here) as ear:
            assert (await ear.snapshot())[-1].data["availability"] == "degraded"
        here.store.fault = None
        keeper = here.hub.keeper
        assert keeper is not None
        await until(lambda: keeper.state.is_well)
        await here.written()
        assert (await ready(here)).status == "ready"
        assert (await here.get("/api/v1/alarms")).json() == []
        found = await metrics(here)
        assert (found["holdfast_store_up"], found["holdfast_store_waiting"]) == (1, 0)
        assert found["holdfast_store_dropped_total"] == found["holdfast_store_trouble/full"] == 0


async def metrics(here: KeptHouse) -> dict[str, float]:
    """The store's, by name and trouble."""
    text = (await here.get("/metrics")).text
    return {
        "/".join((sample.name, *sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        if family.name.startswith("holdfast_store")
        for sample in family.samples
    }


async def test_a_hub_without_a_store_has_no_trouble() -> None:
    """It keeps nothing, and says so by saying nothing."""
    async with house() as here:
        assert (await here.get("/readyz")).json() == {"status": "ready", "store": None}
        assert "\nholdfast_store_up " not in (await here.get("/metrics")).text
