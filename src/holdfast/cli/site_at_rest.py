"""A site whose hub does not run: changed in its store, and carried out when the next hub starts."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any

from holdfast.hub.living_site import Change, LivingSite
from holdfast.hub.ports import OrderEntry
from holdfast.hub.site.plan import What
from holdfast.model import StandingOrder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from holdfast.hub.ports import Saved
    from holdfast.hub.site.plan import Step
    from holdfast.hub.site.spec import DeviceSpec, SiteSpec

PARTING = (What.REMOVE, What.REBUILD, What.ADAPT)
"""Steps after which the old path of an actuator may be known to nobody."""
CAUSE = "its device was removed or changed while no hub ran, and it was not known to be off"


class SiteAtRest(LivingSite):
    """The same changes, saved in the same way; nothing is connected, so nothing has to reconnect."""

    async def _carry_out(self, spec: SiteSpec, steps: Sequence[Step], rest: Sequence[str]) -> None:
        """The next hub reads the site when it starts."""


@dataclass(frozen=True, slots=True)
class Obligations:
    """What must be written before a site is changed at rest."""

    saved: Saved
    before: SiteSpec
    now: datetime

    def entries(self, done: Change) -> Iterator[OrderEntry]:
        """Orders that outlive their device: for each actuator of a parting device that is not known to be off."""
        specs = {each.device.id: each for each in self.before.devices}
        for step in done.steps:
            spec = specs.get(step.device)
            if step.what in PARTING and spec is not None:
                yield from self._of(spec)

    def _of(self, spec: DeviceSpec) -> Iterator[OrderEntry]:
        device = spec.device.id
        old_id = self._free_name(device)
        for key, fail_safe in _fail_safes(spec).items():
            target = f"{device}/{key}"
            open_orders = [each for each in self.saved.orders if each.order.target == target]
            seen = self.saved.switches.get(target)
            if seen is not None and seen.value == fail_safe and not open_orders:
                continue
            order = StandingOrder(
                id=f"o-{secrets.token_hex(6)}",
                target=f"{old_id}/{key}",
                value=fail_safe,
                cause=CAUSE,
                issued_at=self.now,
            )
            yield OrderEntry(order, is_released=True, device=spec.raw)
            for each in open_orders:
                yield OrderEntry(each.order, each.is_released, self.now, each.device)

    def _free_name(self, device: str) -> str:
        taken = {each.order.target.partition("/")[0] for each in self.saved.orders}
        taken |= {each.device.id for each in self.before.devices}
        return next(name for k in count(1) if (name := f"{device}-old-{k}") not in taken)


def _fail_safes(spec: DeviceSpec) -> dict[str, Any]:
    return {
        capability.key: capability.fail_safe
        for driver in spec.drivers
        for capability in driver.capabilities
        if capability.fail_safe is not None and capability.writable
    }


async def change_at_rest(
    site: LivingSite,
    change: Callable[[Mapping[str, Any]], Mapping[str, Any]],
    obligations: Obligations,
    write: Callable[[Sequence[OrderEntry]], Any],
) -> Change:
    """Make a change; what it owes to actuators is written first, for a crash between the two must not forget it."""
    shown = await site.edit(change, dry_run=True)
    owed = list(obligations.entries(shown))
    if owed:
        await write(owed)
    return await site.edit(change)
