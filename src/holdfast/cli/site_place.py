"""Where the site is that a command means: with the hub that runs, else in the store of the data directory."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from holdfast.cli.exits import WrongUsage
from holdfast.errors import ConfigurationError, HubUnreachable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

    from holdfast.cli.client import HubClient
    from holdfast.cli.records import Record
    from holdfast.cli.site_edits import SiteEdit
    from holdfast.hub.living_site import Change
    from holdfast.hub.ports import SavedSite, Store


class SitePlace(Protocol):
    """A site that can be shown and changed."""

    where: str
    """In words, to be said after a change."""

    @property
    def is_here(self) -> bool:
        """Whether files are where this program sees them."""

    def site(self) -> Record:
        """``revision`` and ``site``."""

    def change(self, edit: SiteEdit, *, dry_run: bool) -> Record:
        """What the change does or did: ``revision``, ``is_done``, ``lines`` and ``steps``."""


class SiteOfHub:
    """The site of a hub that runs."""

    def __init__(self, hub: HubClient) -> None:
        self._hub = hub
        self.where = f"through the hub at {hub.where}"

    @property
    def is_here(self) -> bool:
        """Whether it runs on this machine."""
        return self._hub.is_here

    def site(self) -> Record:
        """See `SitePlace`."""
        from holdfast.web.api.numbering import numbered

        found = self._hub.site()
        return {**found, "site": numbered(found["site"])}

    def change(self, edit: SiteEdit, *, dry_run: bool) -> Record:
        """See `SitePlace`."""
        return self._hub.change_site(edit.method, edit.path, edit.body, dry_run=dry_run)


class SiteOfStore:
    """The site in a store that no hub uses now."""

    is_here = True

    def __init__(self, folder: Path) -> None:
        from holdfast.cli.store import VARIABLE

        self._folder = folder
        named = f"the database that {VARIABLE} names" if os.environ.get(VARIABLE) else str(folder)
        self.where = f"in {named}; no hub runs there, so it takes effect when one starts"

    def site(self) -> Record:
        """See `SitePlace`."""
        self._expect_store()

        async def read(store: Store) -> Record:
            found = await _found(store)
            if found is None:
                raise ConfigurationError(
                    "the store has no site yet", advice="Give one with holdfast apply FILE."
                )
            return {"revision": found.revision, "site": found.mapping}

        return self._with_store(read)

    def change(self, edit: SiteEdit, *, dry_run: bool) -> Record:
        """See `SitePlace`; a whole site may be the first of a new store."""
        from holdfast.cli import site_edits

        if edit.path != site_edits.SITE:
            self._expect_store()

        async def work(store: Store) -> Record:
            return change_record(await self._change(store, edit, dry_run=dry_run))

        return self._with_store(work)

    async def _change(self, store: Store, edit: SiteEdit, *, dry_run: bool) -> Change:
        import asyncio

        from holdfast.app import FAMILIES
        from holdfast.cli.site_at_rest import Obligations, SiteAtRest, change_at_rest
        from holdfast.clock import SystemClock
        from holdfast.hub.hub import Hub
        from holdfast.hub.site import SecretSource
        from holdfast.hub.site.read import read_what_can_be_used

        def read(mapping: Any) -> Any:
            return read_what_can_be_used(mapping, FAMILIES, secrets=SecretSource(folder=self._folder))

        found = await _found(store)
        mapping = {"devices": []} if found is None else found.mapping
        hub = Hub(SystemClock(asyncio.get_running_loop()))
        try:
            site = SiteAtRest(hub, store, read, mapping, 0 if found is None else found.revision)
            if dry_run:
                return await site.edit(edit.change, dry_run=True)
            before = await asyncio.to_thread(read, mapping)
            obligations = Obligations(await store.saved(), before, hub.clock.now())
            return await change_at_rest(site, edit.change, obligations, store.write)
        finally:
            await hub.stop()

    def _expect_store(self) -> None:
        """Raise `WrongUsage` where a slip in a name would make a new store."""
        from holdfast.cli.store import VARIABLE, database_of

        if not os.environ.get(VARIABLE) and not database_of(self._folder).exists():
            raise WrongUsage(
                f"there is no store in {self._folder}",
                advice="Name its data directory with --data, or make one with holdfast apply FILE.",
            )

    def _with_store(self, work: Callable[[Store], Awaitable[Record]]) -> Record:
        from holdfast.cli import loops
        from holdfast.cli.lock import locked
        from holdfast.cli.store import store_of

        async def opened() -> Record:
            store = store_of(self._folder)
            try:
                await store.open()
                return await work(store)
            finally:
                await store.close()

        with locked(self._folder):
            return loops.run(opened())


async def _found(store: Store) -> SavedSite | None:
    found = await store.site()
    if found is not None and found.damaged:
        from holdfast.cli import say

        for where, what in found.damaged.items():
            say.note(f"the store is damaged at {where}: {what}")
    return found


def change_record(done: Change) -> Record:
    """A change as the API has it."""
    return {
        "revision": done.revision,
        "is_done": done.is_done,
        "lines": done.lines,
        "steps": [
            {
                "what": each.what.value,
                "device": each.device,
                "text": each.text,
                "adapters": list(each.adapters),
            }
            for each in done.steps
        ],
    }


@contextmanager
def site_meant(data: Path | None) -> Iterator[SitePlace]:
    """The site that a command means.

    ``--data`` names a store, ``HOLDFAST_URL`` a hub. Where neither is given, the hub of this machine if one answers,
    else the store in the user's data folder; its lock keeps a hub from using it meanwhile.
    """
    from holdfast.cli.client import hub_meant
    from holdfast.cli.folders import data_folder

    if data is not None:
        yield SiteOfStore(data)
        return
    hub = hub_meant()
    try:
        hub.ready()
    except HubUnreachable:
        if os.environ.get("HOLDFAST_URL"):
            raise
        yield SiteOfStore(data_folder())
    else:
        yield SiteOfHub(hub)
