"""Somebody who asks the hub once a second what is so, over HTTP, and now and then by the command line."""

from __future__ import annotations

import asyncio
import json
from itertools import permutations
from typing import TYPE_CHECKING, Any

from holdfast.control.settings import FRESH_S
from holdfast.errors import HoldfastError
from tests.cli.house import run
from tests.live.fermenter.judge import RelayLog, Sample, Shown, Verdict, judge_posted, judge_relay

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tests.live.fermenter.hub import HubProcess
    from tests.live.fermenter.vessel import Vessel

EVERY_S = 1.0
CLI_EVERY_S = 7.0
"""A process takes a second or more until it has asked."""
ACTIVE = {"heater": "heating", "fridge": "cooling"}
"""What a thermostat calls the relay of a role, and the state that means: it is proven on."""


class Watch:
    """The samples of both ways, and the verdicts on them."""

    def __init__(self, hub: HubProcess, vessels: Sequence[Vessel]) -> None:
        self._hub = hub
        self._vessels = vessels
        self.samples: list[Sample] = []
        self.cli_samples: list[Sample] = []

    # --- looking -------------------------------------------------------------------------------------------------

    async def look(self) -> None:
        """Ask over HTTP, on a fixed grid, until cancelled."""
        loop = asyncio.get_running_loop()
        next_t = loop.time()
        while True:
            began_t = loop.time()
            try:
                records = await asyncio.to_thread(self._hub.client.readings)
            except HoldfastError:  # killed, or not there again yet
                shown = None
            else:
                shown = _by_target(records)
            self.samples.append(Sample(began_t, loop.time(), shown))
            next_t = max(next_t + EVERY_S, loop.time())
            await asyncio.sleep(next_t - loop.time())

    async def look_by_cli(self) -> None:
        """Ask by ``holdfast status --json``, each time a process of its own, until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            began_t = loop.time()
            ended = await asyncio.to_thread(run, "status", "--json", **self._hub.environment)
            if ended.code == 0:
                told = json.loads(ended.out)
                records = [reading for device in told["devices"] for reading in device["readings"]]
                self.cli_samples.append(Sample(began_t, loop.time(), _by_target(records)))
            await asyncio.sleep(CLI_EVERY_S)

    def shown(self, target: str) -> object:
        """What the latest sample showed, ``None`` for nothing."""
        latest = self.samples[-1].shown if self.samples else None
        return latest[target].value if latest and target in latest else None

    # --- judging -------------------------------------------------------------------------------------------------

    def on_readings(self) -> list[Verdict]:
        """On every relay as the plug and the thermostat show it, and on every temperature, over HTTP."""
        return [verdict for vessel in self._vessels for verdict in self._on_readings(vessel)]

    def _on_readings(self, vessel: Vessel) -> Iterable[Verdict]:
        for role, relay in _relays(vessel).items():
            yield judge_relay(f"{vessel.device_id(role)}/switch", self.samples, relay)
            yield judge_relay(f"{vessel.id}/{ACTIVE[role]}", self.samples, relay)
        fresh_s = float(vessel.settings.get("fresh_s", FRESH_S))
        for target in (f"{vessel.device_id('beer')}/temperature", f"{vessel.id}/temperature"):
            yield judge_posted(target, self.samples, vessel.probe.posted, fresh_s)

    def on_states(self) -> list[Verdict]:
        """On what a thermostat says that it does: a claim that its plug is proven on, or no claim."""
        return [
            judge_relay(
                f"{vessel.id}/state",
                [_claim(each, f"{vessel.id}/state", ACTIVE[role]) for each in self.samples],
                relay,
            )
            for vessel in self._vessels
            for role, relay in _relays(vessel).items()
        ]

    def on_cli(self) -> list[Verdict]:
        """On every relay as the command line shows it."""
        return [
            judge_relay(f"{vessel.device_id(role)}/switch", self.cli_samples, relay)
            for vessel in self._vessels
            for role, relay in _relays(vessel).items()
        ]


def wrong_acts(vessel: Vessel, t_off_s: float) -> list[str]:
    """What was done to the plugs that must not be: a heater on when it had to be off, an ON beside the other's."""
    logs = _relays(vessel)
    found = [
        f"{vessel.id}: the heater was on later than {t_off_s:g} s after {must.why}"
        for must in vessel.musts
        if logs["heater"].on_between(must.begin_t + t_off_s, must.end_t)
    ]
    found += [
        f"{vessel.id}: the {role} was told ON at {each.t:.1f}, while the {other} was on"
        for role, other in permutations(vessel.plugs, 2)
        for each in vessel.plugs[role].truth.relay_sets
        if each.value is True and logs[other].was_on(each.t)
    ]
    return found


def _relays(vessel: Vessel) -> dict[str, RelayLog]:
    return {role: RelayLog(list(plug.truth.relay)) for role, plug in vessel.plugs.items()}


def _by_target(records: Iterable[Mapping[str, Any]]) -> dict[str, Shown]:
    return {
        each["target"]: Shown(each["value"], each.get("age_s"), str(each.get("quality"))) for each in records
    }


def _claim(sample: Sample, target: str, state: str) -> Sample:
    """The state of a thermostat as a claim about a relay: it is on, or nothing is said. It has no age of its own."""
    if sample.shown is None or target not in sample.shown:
        return sample
    shown = sample.shown[target]
    said = Shown(True if shown.value == state else None, None, shown.quality)
    return Sample(sample.began_t, sample.ended_t, {target: said})
