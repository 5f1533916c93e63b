"""What a hub starts from: its store, the site in it, and what outlived the last run."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from holdfast.cli.copied_store import READABLE, read_copy
from holdfast.errors import ConfigurationError
from holdfast.hub.attempts_told import RESULT, SENT, open_of
from holdfast.hub.living_site import LivingSite
from holdfast.hub.ports import Saved, SavedSite, StoreError
from holdfast.hub.site import SecretSource, load_site, load_yaml, read_site
from holdfast.hub.site.read import read_what_can_be_used
from holdfast.hub.site.secret_paths import with_absolute_secrets
from holdfast.hub.site.spec import DeviceSpec, SiteSpec

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from holdfast.clock import Clock
    from holdfast.hub.hub import Hub
    from holdfast.hub.ports import Store
    from holdfast.link.driver import Family

OPEN_S = 5.0
"""How long the devices wait for the store at start, where a site file tells what they are; a sound one needs less than
a second. After that it counts as in trouble, and is caught up with when it answers."""

LOOKED_BACK = 100
"""Attempts that are looked through for open ones: a hub has one under way a device, few in all."""

log = logging.getLogger("holdfast.serve")


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """A site ready to run and where it is kept."""

    store: Store
    spec: SiteSpec
    mapping: Mapping[str, Any]
    revision: int
    is_kept: bool = True
    """Whether the store has it; if not, `catching_up` sees to it."""
    saved: Saved = field(default_factory=Saved)
    leaving: Mapping[str, DeviceSpec] = field(default_factory=dict)
    families: Mapping[str, Family]
    folder: Path
    """Where relative paths of secrets' files start."""

    def living(self, hub: Hub) -> LivingSite:
        """The site as ``hub`` runs it."""
        return LivingSite(hub, self.store, self.read, self.mapping, self.revision)

    def read(self, mapping: Mapping[str, Any]) -> SiteSpec:
        """Check a mapping; what cannot be used is left out and told."""
        return read_what_can_be_used(mapping, self.families, secrets=SecretSource(folder=self.folder))


async def opening(
    store: Store,
    file: Path | None,
    folder: Path,
    families: Mapping[str, Family],
    clock: Clock,
    database: Path | None = None,
) -> Opening:
    """Open the store, apply the site file if one is given, and read what outlived the last run.

    A store that cannot be opened is no reason to leave a house alone: with a site file at hand the hub runs, and the
    store is tried again. So it is where the disk takes nothing any more, but the file ``database`` can be read. Raises
    `SiteError` for a bad site file, `StoreError` if there is neither store nor file, and `ConfigurationError` if nobody
    has said yet what the site is.
    """
    given = None if file is None else await asyncio.to_thread(_checked, file, families)
    try:
        async with asyncio.timeout(None if given is None else OPEN_S):
            await store.open()
            site = await _site(store, given, clock)
            saved, is_kept = await read_saved(store), True
    except (StoreError, TimeoutError) as error:
        if given is None:
            copied = await _copied(database, error)
            if copied is None:
                raise
            site, saved, is_kept = *copied, False
        else:
            site, saved, is_kept = SavedSite(mapping=given, revision=0), Saved(), False
        log.warning("the store cannot be used, the devices are kept all the same: %s", _in_words(error))
    secrets = SecretSource(folder=folder)
    spec = await asyncio.to_thread(read_what_can_be_used, site.mapping, families, secrets=secrets)
    leaving = await asyncio.to_thread(leaving_devices, saved, families, secrets)
    return Opening(
        store=store,
        spec=_without_damaged(spec, site.damaged),
        mapping=site.mapping,
        revision=site.revision,
        is_kept=is_kept,
        saved=saved,
        leaving=leaving,
        families=families,
        folder=folder,
    )


async def read_saved(store: Store) -> Saved:
    """What outlived the last run, with what it had sent and did not live to see the end of. Raises `StoreError`."""
    saved = await store.saved()
    sent = await store.events(kind=SENT, limit=LOOKED_BACK)
    results = await store.events(kind=RESULT, limit=2 * LOOKED_BACK)
    found = open_of((each.payload for each in sent), (each.payload for each in results))
    return replace(saved, open_attempts=found)


async def _copied(database: Path | None, error: StoreError | TimeoutError) -> tuple[SavedSite, Saved] | None:
    if database is None or not isinstance(error, StoreError) or error.trouble not in READABLE:
        return None
    return await read_copy(database)


def _in_words(error: StoreError | TimeoutError) -> str:
    return error.text if isinstance(error, StoreError) else f"it does not answer within {OPEN_S:g} s"


def _without_damaged(spec: SiteSpec, damaged: Mapping[str, str]) -> SiteSpec:
    """A device whose rows are damaged is not used: what is left of it may mean something else."""
    return replace(
        spec,
        devices=tuple(
            DeviceSpec(
                replace(each.device, adapters=()),
                (),
                each.raw,
                f"the store is damaged: {damaged[each.device.id]}",
            )
            if each.device.id in damaged
            else each
            for each in spec.devices
        ),
    )


def _checked(file: Path, families: Mapping[str, Family]) -> dict[str, Any]:
    load_site(file, families)
    return with_absolute_secrets(load_yaml(file).value, file.parent)


async def _site(store: Store, given: Mapping[str, Any] | None, clock: Clock) -> SavedSite:
    found = await store.site()
    if given is None:
        if found is None:
            raise ConfigurationError(
                "the store has no site yet",
                advice="Give one: holdfast serve --site FILE, or holdfast apply FILE.",
            )
        for where, what in found.damaged.items():
            log.warning("the store is damaged at %s: %s", where, what)
        return found
    if found is not None and found.mapping == given and not found.damaged:
        return found
    return SavedSite(mapping=given, revision=await store.save_site(given, clock.now()))


def leaving_devices(
    saved: Saved, families: Mapping[str, Family], secrets: SecretSource
) -> dict[str, DeviceSpec]:
    """The devices of orders whose device is no longer of the site; one that cannot be read any more is left out."""
    found: dict[str, DeviceSpec] = {}
    for entry in saved.orders:
        if entry.device is None:
            continue
        try:
            spec = read_site({"devices": [entry.device]}, families, secrets=secrets)
        except ConfigurationError as error:
            log.warning(
                "the device of the standing order on %s cannot be used: %s", entry.order.target, error
            )
            continue
        found[entry.order.id] = spec.devices[0]
    return found
