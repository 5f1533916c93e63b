"""The site is changed, as a whole and bit by bit, while the kill comes: the old or the new one is there."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, NamedTuple

from holdfast.clock import SystemClock
from holdfast.hub.hub import Hub
from holdfast.hub.living_site import LivingSite
from holdfast.hub.site import SecretSource, edit
from holdfast.hub.site.read import read_what_can_be_used
from holdfast.store import open_store
from tests.link.toys.lockstep import LOCKSTEP

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from random import Random

    from holdfast.hub.ports import Store
    from holdfast.hub.site.spec import SiteSpec
    from tests.store.kills.telling import Mouth, Told

EMPTY: dict[str, Any] = {"devices": []}


def read(mapping: Mapping[str, Any]) -> SiteSpec:
    return read_what_can_be_used(mapping, {"lockstep": LOCKSTEP}, secrets=SecretSource())


class Found(NamedTuple):
    """The site in a store."""

    revision: int
    mapping: Mapping[str, Any]


async def found_in(where: str) -> Found:
    store = open_store(where)
    await store.open()
    saved = await store.site()
    await store.close()
    if saved is None:
        return Found(0, EMPTY)
    assert not saved.damaged
    return Found(saved.revision, saved.mapping)


async def living(store: Store) -> LivingSite:
    """The site in the store with a hub that runs it, but dials nobody."""
    await store.open()
    saved = await store.site()
    mapping, revision = (EMPTY, 0) if saved is None else (saved.mapping, saved.revision)
    hub = Hub(SystemClock(asyncio.get_running_loop()))
    for spec in read(mapping).devices:
        hub.add(spec)
    return LivingSite(hub, store, read, mapping, revision)


class Apply:
    """Whole sites in turn; their revision stands in every part of them, so that no mixture goes unseen."""

    name = "apply"
    lives = 10
    promises = 4
    longest_s = 0.04
    steps = 120

    def prepare(self, where: str, rng: Random) -> None:
        """An empty place will do."""

    async def live(self, where: str, rng: Random, mouth: Mouth) -> None:
        site = await living(open_store(where))
        while True:
            change = await site.apply(whole(site.revision + 1))
            mouth.promise(revision=change.revision)

    async def look(self, where: str, rng: Random, before: Found | None, told: Sequence[Told]) -> Found:
        found = await found_in(where)
        last = told[-1].facts["revision"] if told else before.revision if before else 0
        assert found.revision in (last, last + 1), f"the site is at {found.revision}, promised was {last}"
        assert found.mapping == (whole(found.revision) if found.revision else EMPTY), "a mixture of two sites"
        return found


def whole(number: int) -> dict[str, Any]:
    """Two sites in turn that share one device and one array, both changed."""
    own = ("a", "b", "c") if number % 2 else ("d", "e")
    devices = [device(ident, number, hosts=1 + number % 3) for ident in (*own, "both")]
    arrays = [
        {"id": ident, "name": f"array {number}", "packs": packs, "attached_to": f"inverter-{number}"}
        for ident, packs in (("shared", [own[0], "both"]), (f"of-{own[0]}", [own[1]]))
    ]
    return {"site": {"id": "home", "name": f"site {number}"}, "devices": devices, "arrays": arrays}


def device(ident: str, number: int, hosts: int = 1) -> dict[str, Any]:
    adapters = [adapter(f"{ident}-{host}", host + 1) for host in range(hosts)]
    return {"id": ident, "name": f"name {number}", "adapters": adapters, "options": {"mark": number}}


def adapter(ident: str, priority: int = 1) -> dict[str, Any]:
    return {"id": ident, "driver": "lockstep", "url": ident, "priority": priority}


class Edits:
    """One small change after the other, as API and command line make them."""

    name = "edits"
    lives = 10
    promises = 6
    longest_s = 0.03
    steps = 100

    def prepare(self, where: str, rng: Random) -> None:
        """An empty place will do."""

    async def live(self, where: str, rng: Random, mouth: Mouth) -> None:
        site = await living(open_store(where))
        async for changed in edited(site.mapping, rng):
            change = await site.edit(lambda _, changed=changed: changed)  # type: ignore[misc]
            mouth.promise(revision=change.revision)

    async def look(self, where: str, rng: Random, before: Found | None, told: Sequence[Told]) -> Found:
        found = await found_in(where)
        revision, mapping = before or Found(0, EMPTY)
        last = told[-1].facts["revision"] if told else revision
        assert found.revision in (last, last + 1), f"the site is at {found.revision}, promised was {last}"
        async for changed in edited(mapping, rng):
            if revision == found.revision:
                break
            revision, mapping = revision + 1, changed
        assert found.mapping == mapping, "a mixture of two sites"
        return found


async def edited(mapping: Mapping[str, Any], rng: Random) -> AsyncIterator[Mapping[str, Any]]:
    """The site after each of endlessly many changes, the same ones for the same generator."""
    number = 0
    while True:
        number += 1
        changed = _edited(mapping, rng, number)
        if changed != mapping:
            mapping = changed
            yield mapping


def _edited(site: Mapping[str, Any], rng: Random, number: int) -> Mapping[str, Any]:
    idents = [each["id"] for each in site["devices"]]
    if len(idents) < 2:
        return edit.put_device(site, device(f"new-{rng.randrange(5)}", number, hosts=2))
    ident = rng.choice(idents)
    adapters = [
        each["id"] for each in next(each for each in site["devices"] if each["id"] == ident)["adapters"]
    ]
    some = rng.choice(adapters)
    match rng.randrange(9):
        case 0 | 1:
            return edit.put_device(site, device(f"new-{rng.randrange(5)}", number, hosts=rng.randint(1, 3)))
        case 2:
            return edit.drop_device(site, ident)
        case 3:
            return edit.put_adapter(site, ident, adapter(f"{ident}-{rng.randrange(4)}", number))
        case 4 if len(adapters) > 1:
            return edit.drop_adapter(site, ident, some)
        case 5:
            return edit.enable_adapter(site, ident, some, is_enabled=rng.random() < 0.5)
        case 6:
            return edit.order_adapters(site, ident, rng.sample(adapters, len(adapters)))
        case 7 if site.get("arrays"):
            return edit.drop_array(site, rng.choice(site["arrays"])["id"])
        case _:
            taken = {pack for each in site.get("arrays") or () for pack in each["packs"]}
            free = [each for each in idents if each not in taken]
            packs = rng.sample(free, rng.randint(0, len(free)))
            array = {"id": f"array-{rng.randrange(3)}", "packs": packs, "attached_to": f"inverter-{number}"}
            return edit.put_array(site, array)
