"""The same site runs from SQLite and from PostgreSQL: applied, changed while running, there again without its file."""

from __future__ import annotations

import asyncio
import os
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from holdfast.cli.opening import opening
from holdfast.clock import SystemClock
from holdfast.hub.hub import Hub
from holdfast.hub.site import dump_site, edit
from holdfast.model import Availability, CommandState, Issuer
from holdfast.store import open_store
from tests.hub.test_living_site import FAMILIES
from tests.link.toys.lockstep import LineDevice
from tests.web.house import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from holdfast.hub.living_site import LivingSite

ME = Issuer("me")


def _host(number: int) -> str:
    """A loopback address of this process alone: the toy's port is always the same."""
    pid = os.getpid()
    return f"127.{20 + pid % 200}.{pid // 200 % 250}.{200 + number}"


def _device(ident: str, *numbers: int, driver: str = "lockstep") -> dict[str, Any]:
    adapters = [
        {"id": f"way-{number}", "driver": driver, "url": _host(number), "priority": number}
        for number in numbers
    ]
    return {"id": ident, "name": f"The {ident}", "adapters": adapters}


@asynccontextmanager
async def _running(url: str, file: Path | None, folder: Path) -> AsyncIterator[tuple[Hub, LivingSite]]:
    store = await asyncio.to_thread(open_store, url)
    start = await opening(store, file, folder, FAMILIES, SystemClock(asyncio.get_running_loop()))
    hub = Hub(SystemClock(asyncio.get_running_loop()), store=store)
    for spec in start.spec.devices:
        hub.add(spec)
    hub.restore(start.saved, start.leaving)
    hub.start()
    try:
        await until(lambda: all(each.availability is Availability.ONLINE for each in hub.devices.values()))
        yield hub, start.living(hub)
    finally:
        await hub.stop()
        await store.close()


async def test_the_same_site_runs_from_either_database(url: str, tmp_path: Path) -> None:
    """Devices online, a command verified, a change while running; then a second hub with the store alone."""
    toys = [LineDevice() for _ in range(3)]
    servers = [await toy.listen(_host(number)) for number, toy in enumerate(toys)]
    file = tmp_path / "site.yaml"
    site = {
        "site": {"id": "home", "timezone": "UTC"},
        "devices": [_device("lamp", 0, 1), _device("heater", 2, driver="plug")],
        "arrays": [{"id": "cellar", "packs": ["lamp"], "attached_to": "inverter-1"}],
    }
    await asyncio.to_thread(file.write_text, dump_site(site))
    try:
        async with _running(url, file, tmp_path) as (hub, living):
            assert (await hub.ended(hub.command("heater/lamp", True, ME))).state is CommandState.VERIFIED
            await living.edit(lambda mapping: edit.order_adapters(mapping, "lamp", ["way-1", "way-0"]))
            changed = living.mapping
            switched = hub.switches["heater/lamp"]
            assert switched.value is True
        async with _running(url, None, tmp_path) as (hub, living):
            assert (living.mapping, living.revision) == (changed, 2)
            assert hub.device("lamp").active.adapter.id == "way-1"
            assert toys[2].state["lamp"] == 0  # nobody has decided yet: the heater takes its fail-safe
            assert hub.keeper is not None
            receipts = await hub.keeper.store.receipts(target="heater/lamp")
            assert [each.state for each in receipts] == [CommandState.VERIFIED]
    finally:
        for server in servers:
            server.close()
