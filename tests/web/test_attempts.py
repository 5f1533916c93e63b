"""Attempts over HTTP: what was sent, what became of it, and the errors of one device, also from an earlier run."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

from holdfast.store import MemoryStore
from tests.web.kept_house import KeptHouse, kept_house, rack_device
from tests.web.test_store import events, online

if TYPE_CHECKING:
    from tests.web.house import RackSession

SOON_S = 0.2
"""Enough for a toy to be sent something and to be read back."""


def be_stubborn(here: KeptHouse) -> None:
    """The rack takes commands and does nothing."""
    session = cast("RackSession", here.hub.device("rack").active.link.session)
    session._rack.is_stubborn = True


async def test_errors_of_one_device_are_found_also_after_a_restart() -> None:
    """One command that works and one that does not: by kind, by device, at hand and from the store."""
    store = MemoryStore()
    racks = rack_device("rack"), rack_device("other")
    async with kept_house(*racks, store=store) as here:
        await online(here)
        worked = (await here.command("rack/lamp", True, wait=True)).json()
        (sent,) = await events(here, "?kind=sent&device=rack")
        (result,) = await events(here, "?kind=result&device=rack")
        assert sent.data["attempt"] == result.data["attempt"] == f"{worked['id']}#1"
        assert result.data["outcome"] == "verified"
        assert await events(here, "?kind=error&device=rack") == []
        be_stubborn(here)
        failed = (await here.command("rack/level", 40, timeout_s=SOON_S, wait=True)).json()
        (error,) = await events(here, "?kind=error&device=rack")
        assert error.data["target"] == "rack/level"
        assert error.data["reason"] == failed["reason"] == "not confirmed within 0.2 s"
        assert await events(here, "?kind=error&device=other") == []
        await here.written()
    async with kept_house(*racks, store=store) as here:
        await online(here)
        assert await events(here, "?kind=error&device=rack") == [error]
        assert await events(here, "?kind=error&device=other") == []
        assert [each.data["outcome"] for each in await events(here, "?kind=result&device=rack")] == [
            "verified",
            "expired",
        ]


async def test_what_is_open_when_the_hub_stops_has_its_result_in_the_store() -> None:
    """The last words are written, too."""
    store = MemoryStore()
    async with kept_house(store=store) as here:
        await online(here)
        be_stubborn(here)
        await here.command("rack/level", 40)
        await asyncio.sleep(SOON_S)
    (sent,) = await store.events(kind="sent")
    (result,) = await store.events(kind="result")
    assert sent.payload["attempt"] == result.payload["attempt"]
    assert result.payload["reason"] == "the hub stopped before it was verified"
    assert [each.device for each in await store.events(kind="error")] == ["rack"]
