"""Vessels, their hub, their sensors and the watch, all at work from start to end of a block."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.live.fermenter.hub import HubProcess
from tests.live.fermenter.watch import Watch, wrong_acts

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Sequence
    from pathlib import Path

    from holdfast.simulators.kasa import KasaPlug
    from tests.live.fermenter.vessel import Vessel

T_OFF_S = 30.0
"""The heater is off so long after it must be, at the latest. Source: fact sheet on control, section 10, I3."""


@dataclass
class Cellar:
    """What stories need: the hub and the watch; ``told`` are their figures."""

    hub: HubProcess
    watch: Watch
    vessels: Sequence[Vessel]
    told: list[str]

    def tell(self, text: str) -> None:
        """A figure for the reader of the run."""
        self.told.append(text)

    def explain(self) -> None:
        """What is known where something failed."""
        print("\n".join([*self.told, *self.hub.said, *self._wrong()]))
        for vessel in self.vessels:
            for plug in vessel.plugs.values():
                print(f"{plug}: {list(plug.truth.relay)[-6:]}")

    def judge(self) -> None:
        """Nothing wrong was shown, nothing wrong was done, and the samples suffice to say so."""
        watch = self.watch
        answered = [each for each in watch.samples if each.shown is not None]
        readings, by_cli = watch.on_readings(), watch.on_cli()
        print("\n".join(self.told))
        print(
            f"{len(watch.samples)} samples, {len(answered)} answered; {len(watch.cli_samples)} by the command line"
        )
        print("\n".join(map(str, [*readings, "by the command line:", *by_cli])))
        wrong = self._wrong()
        assert not wrong, "\n".join(wrong)
        assert all(each.values for each in readings), "a target was never shown"
        assert any(each.values for each in watch.on_states()), "no thermostat ever told what it does"
        assert any(each.values for each in by_cli), "the command line never told anything"

    def _wrong(self) -> list[str]:
        watch = self.watch
        shown = [
            line
            for each in (*watch.on_readings(), *watch.on_states(), *watch.on_cli())
            for line in each.wrong
        ]
        return [*shown, *(line for vessel in self.vessels for line in wrong_acts(vessel, T_OFF_S))]


@asynccontextmanager
async def cellar(
    folder: Path, vessels: Sequence[Vessel], *, post_every_s: float, spare: Iterable[KasaPlug] = ()
) -> AsyncIterator[Cellar]:
    """All of it. The plugs live in this process, the hub in one of its own."""
    hub = HubProcess(folder)
    async with AsyncExitStack() as stack:
        for plug in [*spare, *(plug for vessel in vessels for plug in vessel.plugs.values())]:
            await stack.enter_async_context(plug)
        hub.write(vessels)
        stack.push_async_callback(hub.kill)  # who has not said goodbye by then need not wait for it
        await hub.start()
        watch = Watch(hub, vessels)
        work = (watch.look(), watch.look_by_cli(), _post(hub, vessels, post_every_s))
        stack.push_async_callback(_end, [asyncio.create_task(each) for each in work])
        found = Cellar(hub, watch, vessels, [])
        try:
            yield found
        except BaseException:
            await hub.kill()
            found.explain()
            raise


async def _post(hub: HubProcess, vessels: Sequence[Vessel], every_s: float) -> None:
    while True:
        await hub.post(vessels)
        await asyncio.sleep(every_s)


async def _end(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    for outcome in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(outcome, Exception):  # whoever watched has stopped watching
            raise outcome
