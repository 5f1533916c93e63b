"""A hub that had to start without its store takes over from it what outlived the last run, once it answers."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from holdfast.cli.opening import leaving_devices, read_saved
from holdfast.hub.ports import OrderEntry, StoreError
from holdfast.hub.site import SecretSource

if TYPE_CHECKING:
    from holdfast.cli.opening import Opening
    from holdfast.hub.hub import Hub
    from holdfast.hub.living_site import LivingSite
    from holdfast.hub.ports import Saved

TRY_EVERY_S = 2.0
"""Seconds between two looks: the storekeeper tries about as often."""

log = logging.getLogger("holdfast.serve")


async def catch_up(hub: Hub, start: Opening, living: LivingSite) -> None:
    """Take over what the store has; ends when that is done, at once where the store was well at the start."""
    is_kept = start.is_kept
    while not is_kept:
        await asyncio.sleep(TRY_EVERY_S)
        try:
            saved = await read_saved(start.store)
            if living.revision == 0:
                # The site file was to be applied at the start.
                living.revision = await start.store.save_site(living.mapping, hub.clock.now())
        except StoreError as error:
            log.debug("the store still cannot be used: %s", error.text)
            continue
        is_kept = True
        earlier = of_earlier_runs(hub, saved)
        secrets = SecretSource(folder=start.folder)
        leaving = await asyncio.to_thread(leaving_devices, earlier, start.families, secrets)
        hub.restore(earlier, leaving)
        for entry in saved.orders:
            if entry not in earlier.orders and not _is_of_this_run(hub, entry):
                hub.keep(replace(entry, ended_at=hub.clock.now()))
        text = "the store has caught up: it has the site, and what outlived the last run was taken over"
        log.info("%s", text)
        hub.note("store", text)


def of_earlier_runs(hub: Hub, saved: Saved) -> Saved:
    """What this run does not know better already."""
    return replace(
        saved,
        orders=[
            each for each in saved.orders if not _has_order(hub, each) and hub.core.epoch not in each.order.id
        ],
        switches={target: entry for target, entry in saved.switches.items() if target not in hub.switches},
        alarms=[each for each in saved.alarms if tuple(each.target.split("/", 1)) not in hub.alarms],
        open_receipts=[each for each in saved.open_receipts if each.id not in hub.receipts],
        open_attempts=[
            each for each in saved.open_attempts if hub.core.epoch not in str(each.get("attempt"))
        ],
    )


def _has_order(hub: Hub, entry: OrderEntry) -> bool:
    """Whether the actuator has an order of this run: it says what an older one can only repeat."""
    device_id, _, key = entry.order.target.partition("/")
    device = hub.devices.get(device_id)
    return device is not None and key in device.desk.orders


def _is_of_this_run(hub: Hub, entry: OrderEntry) -> bool:
    device_id, _, key = entry.order.target.partition("/")
    held = hub.devices[device_id].desk.orders.get(key) if device_id in hub.devices else None
    return held is not None and held.order.id == entry.order.id
