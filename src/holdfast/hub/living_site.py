"""The site while the hub runs: changed as a whole or bit by bit, checked first, and safe before it takes effect.

One change at a time. A change is planned, shown on request, saved in one transaction, and only then carried out:
whoever pulls the plug finds the old site or the new one, never a mixture.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from holdfast.hub.ports import SiteChanged
from holdfast.hub.site.controllers import NAMES
from holdfast.hub.site.plan import changed_controllers, others, plan
from holdfast.hub.site.problems import SiteError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from holdfast.hub.hub import Hub
    from holdfast.hub.ports import Store
    from holdfast.hub.site.plan import Step
    from holdfast.hub.site.spec import SiteSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a change does, or did. ``revision``: of the site after it, or as it is where nothing was carried out."""

    steps: tuple[Step, ...]
    others: tuple[str, ...]
    revision: int
    is_done: bool

    @property
    def lines(self) -> list[str]:
        """The change in words, a line each; empty if there is nothing to change."""
        return [*self.others, *(step.text for step in self.steps)]


class LivingSite:
    """One hub's site and its place in the store.

    ``read`` checks a mapping, leaves out what cannot be used and says why in ``problems``; it may block. A change is
    refused for problems of what it touches, never for those of a device that was broken before and is left alone.
    """

    def __init__(
        self,
        hub: Hub,
        store: Store,
        read: Callable[[Mapping[str, Any]], SiteSpec],
        mapping: Mapping[str, Any],
        revision: int,
    ) -> None:
        self._hub = hub
        self._store = store
        self._read = read
        self.mapping = mapping
        self.revision = revision
        self._turn = asyncio.Lock()
        self._under_way: set[asyncio.Task[Change]] = set()

    async def apply(
        self, mapping: Mapping[str, Any], *, expected: int | None = None, dry_run: bool = False
    ) -> Change:
        """Make this the site; with ``dry_run`` only say what that would do.

        Raises `SiteError` for what is no proper site, `SiteChanged` if the site is not at revision ``expected`` any
        more, and `StoreError` if it could not be saved: then nothing has changed.
        """
        return await self.edit(lambda _: mapping, expected=expected, dry_run=dry_run)

    async def edit(
        self,
        change: Callable[[Mapping[str, Any]], Mapping[str, Any]],
        *,
        expected: int | None = None,
        dry_run: bool = False,
    ) -> Change:
        """Change the site by a function of `hub.site.edit`; raises what that raises, and as `apply`."""
        # Once begun a change is carried out whole, also when whoever asked goes away.
        changing = asyncio.ensure_future(self._change(change, expected, dry_run=dry_run))
        self._under_way.add(changing)
        changing.add_done_callback(self._under_way.discard)
        return await asyncio.shield(changing)

    @property
    def in_force(self) -> dict[str, Any]:
        """The site with what was set of its controllers while they ran: what another hub would have to be given."""
        return self._hub.controllers.laid_over(self.mapping)

    async def abandon(self, device_id: str) -> Change:
        """A person gives up a device that stays only to be switched off; raises `UnknownTarget` for any other."""
        await self._hub.abandon(device_id)
        return Change(steps=(), others=(f"{device_id}: is given up",), revision=self.revision, is_done=True)

    async def settled(self) -> None:
        """Wait until no change is under way; the hub is stopped only then."""
        while self._under_way:
            await asyncio.wait(self._under_way)

    async def _change(
        self,
        change: Callable[[Mapping[str, Any]], Mapping[str, Any]],
        expected: int | None,
        *,
        dry_run: bool,
    ) -> Change:
        async with self._turn:
            if expected is not None and expected != self.revision:
                raise SiteChanged(self.revision)
            mapping = change(self.mapping)
            spec = await asyncio.to_thread(self._read, mapping)
            steps, rest = tuple(plan(self.mapping, mapping)), tuple(others(self.mapping, mapping))
            _refuse(
                spec, mapping, {step.device for step in steps} | changed_controllers(self.mapping, mapping)
            )
            if dry_run or not (steps or rest):
                return Change(steps=steps, others=rest, revision=self.revision, is_done=not dry_run)
            wanted = self.revision if expected is None else expected
            self.revision = await self._save(mapping, steps, wanted)
            self.mapping = mapping
            await self._carry_out(spec, steps, rest)
            return Change(steps=steps, others=rest, revision=self.revision, is_done=True)

    async def _save(self, mapping: Mapping[str, Any], steps: Sequence[Step], expected: int) -> int:
        """The orders that the change makes necessary first, then the site."""
        partings = self._hub.partings
        if partings.foresee(steps):
            await self._hub.written()
        try:
            return await self._store.save_site(mapping, self._hub.clock.now(), expected=expected)
        except BaseException:
            partings.call_off()
            raise

    async def _carry_out(self, spec: SiteSpec, steps: tuple[Step, ...], rest: Sequence[str]) -> None:
        self._hub.name = spec.name
        for line in rest:
            self._hub.note("site", line)
        await self._hub.reconfigure(spec, steps)


def _refuse(spec: SiteSpec, mapping: Mapping[str, Any], touched: set[str]) -> None:
    """Raise `SiteError` with the problems of the site itself and of what is touched.

    A controller is also touched by what becomes of a device that it names.
    """
    problems = []
    for problem in spec.problems:
        match problem.path:
            case ("devices" | "controllers" as kind, int() as number, *_) if isinstance(mapping[kind], list):
                item = mapping[kind][number]
                if isinstance(item, dict) and not _named(item) & touched:
                    continue
        problems.append(problem)
    if problems:
        raise SiteError(problems, "site")


def _named(item: Mapping[str, Any]) -> set[str]:
    """A device's id; a controller's, and the devices that it names."""
    return {str(item.get(key)).partition("/")[0] for key in NAMES}
