"""The same cellar with simulated plugs on the network, reached by the real python-kasa, and a judge of its own.

The judge knows the simulators' truth: relays, and what arrived. The hub is stopped and started, never killed: nobody
would close the sockets of a program that is gone.
"""

from __future__ import annotations

import asyncio
import random
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, Final, cast

from holdfast.drivers.kasa.driver import family
from holdfast.drivers.push.driver import PUSH
from holdfast.hub.events import Kind
from holdfast.hub.site.read import read_what_can_be_used
from holdfast.hub.site.secret import SecretSource
from holdfast.simulation import START_S, run_virtual
from holdfast.simulators.kasa import LEGACY, Cause, Identity, KasaPlug, Plug
from holdfast.simulators.kasa.timetable import random_timetable
from tests.drivers.kasa.real_home import RealLibrary, most_connections, station_of
from tests.fermenter.cellar import Cellar
from tests.fermenter.plugs import WatchedPlug

if TYPE_CHECKING:
    from collections.abc import Mapping

    from holdfast.drivers.kasa.library import KasaLibrary
    from holdfast.hub.events import Record
    from holdfast.hub.hub import Hub
    from holdfast.hub.site.spec import SiteSpec
    from holdfast.simulation import VirtualLoop

SHOWN_S: Final = 30.0 + 5.0 + 1.0
"""What is shown was so within three polls; a plug may itself tell the truth of 5 s ago."""
UNAWARE_S: Final = 45.0
"""A command is tried for forty seconds, so long it may go on although the relay has moved."""
UNSEEN_S: Final = 35.0
"""A run as short as this may have been seen by nobody."""
REST_S: Final = {"heater": 60.0, "fridge": 300.0}
DEAD_TIME_S: Final = 600.0
SENDS: Final = 4
OFF_S: Final = 240.0 + 25.0
QUIET_S: Final = 900.0


class StationPlug(WatchedPlug):
    """A simulated plug, as the cellar looks at plugs."""

    def __init__(self, station: KasaPlug) -> None:
        super().__init__("AA:BB:CC:00:00:00")
        self.station = station
        self._taken = 0

    @property
    def is_on(self) -> bool:
        """The relay, now."""
        changes = list(self.station.truth.relay)
        self.moves += [(change.t, change.is_on) for change in changes[self._taken :]]
        self._taken = len(changes)
        return self.station.truth.was_on(asyncio.get_running_loop().time())


class RealCellar(Cellar):
    """Two stations in place of the two fakes."""

    def __init__(self, loop: VirtualLoop, heater: KasaPlug, fridge: KasaPlug, **more: Any) -> None:
        super().__init__(loop, heater=StationPlug(heater), fridge=StationPlug(fridge), **more)
        for device, station in zip(self.site["devices"], (heater, fridge), strict=False):
            device["adapters"][0]["url"] = f"kasa://{station.host}"
        self.real = RealLibrary()

    def read(self, mapping: Mapping[str, Any]) -> SiteSpec:
        """See `Cellar`."""
        families = {"kasa": family(lambda: cast("KasaLibrary", self.real)), "push": PUSH}
        return read_what_can_be_used(mapping, families, secrets=SecretSource())


class Judge:
    """Holds what is shown and sent against the stations' truth."""

    def __init__(self, cellar: RealCellar, stations: Mapping[str, KasaPlug]) -> None:
        self.cellar = cellar
        self.stations = stations
        self.objections: list[str] = []
        self._judged = dict.fromkeys(stations, 0)
        self._sent: dict[str, list[float]] = {ident: [] for ident in stations}
        self.looks = 0

    def hear(self, hub: Hub) -> None:
        """Listen to a new hub."""
        hub.stream.tap(self._heard)

    def _heard(self, record: Record) -> None:
        if record.kind is Kind.EVENT and record.payload["kind"] in ("sent", "renewal"):
            self._sent[record.payload["device"]].append(self.cellar.loop.time())

    def objects(self, text: str) -> None:
        """Keep an objection."""
        self.objections.append(f"{self.cellar.loop.time() - START_S:.1f} s: {text}")

    def look(self) -> None:
        """Judge the present."""
        now = self.cellar.loop.time()
        for ident, station in self.stations.items():
            shown = self.cellar.value(f"{ident}/switch")
            if isinstance(shown, bool):
                self.looks += 1
                was = {station.truth.was_on(now), station.truth.was_on(now - SHOWN_S)}
                was |= {change.is_on for change in station.truth.relay if now - SHOWN_S <= change.t}
                if shown not in was:
                    self.objects(f"I1: {ident} is shown {shown}, and has not been so for {SHOWN_S:g} s")
            self._judge_sets(ident, station)

    def _judge_sets(self, ident: str, station: KasaPlug) -> None:
        commands = station.truth.relay_sets
        for command in commands[self._judged[ident] :]:
            sends = [t for t in self._sent[ident] if t <= command.t]
            since_t = sends[-1] if sends else 0.0
            sets = sum(since_t <= each.t <= command.t for each in commands)
            if sets > SENDS:
                self.objects(f"I6: {sets} commands for {ident} with one attempt")
            if command.value is True:
                self._judge_on(ident, command.t)
        self._judged[ident] = len(commands)

    def _judge_on(self, ident: str, t: float) -> None:
        other = "fridge" if ident == "heater" else "heater"
        truth = self.stations[other].truth
        if all(truth.was_on(t - back_s) for back_s in (0.0, SHOWN_S)) and not any(
            t - SHOWN_S <= change.t <= t for change in truth.relay
        ):
            self.objects(f"I2: ON for {ident} although {other} has been on for {SHOWN_S:g} s")
        if not self.stations[ident].truth.was_on(t - 0.001):
            self._rested(ident, t, REST_S[ident], ident)
        self._rested(other, t, DEAD_TIME_S, ident)

    def _rested(self, which: str, t: float, least_s: float, ident: str) -> None:
        changes = [change for change in self.stations[which].truth.relay if change.t < t]
        opened = next((change for change in reversed(changes) if not change.is_on), None)
        if opened is None or not UNAWARE_S <= t - opened.t < least_s - 1.0:
            return
        closed = next((each for each in reversed(changes) if each.is_on and each.t < opened.t), None)
        is_short = closed is not None and opened.t - closed.t < UNSEEN_S
        if closed is None or (is_short and closed.cause is not Cause.COMMAND):
            return
        self.objects(f"I6: ON for {ident}, {t - opened.t:.0f} s after {which} opened, not {least_s:g} s")


def rehearse_real(seed: int, hours: float, profile: str = "hostile") -> tuple[list[str], int]:
    """So many hours with faults of that temper, then quiet; objections, and how often something was looked at."""
    rng = random.Random(f"{seed}/real")
    found: list[str] = []
    looks = 0

    async def main(loop: VirtualLoop) -> None:
        nonlocal looks
        stations = {
            ident: station_of(
                LEGACY,
                Plug(Identity(mac=f"50:C7:BF:00:00:0{n}")),
                host=ident,
                timetable=random_timetable(rng, hours, profile),
            )
            for n, ident in enumerate(("heater", "fridge"), 1)
        }
        async with AsyncExitStack() as stack:
            for station in stations.values():
                await stack.enter_async_context(station)
            cellar = RealCellar(loop, stations["heater"], stations["fridge"], beer_c=rng.uniform(16.0, 22.0))
            judge = Judge(cellar, stations)
            await cellar.start()
            assert cellar.hub is not None
            judge.hear(cellar.hub)
            ends_t = loop.time() + hours * 3600.0 + QUIET_S
            restart_t = loop.time() + rng.uniform(0.2, 0.8) * hours * 3600.0
            muted_t = ends_t - OFF_S - 60.0
            while loop.time() < ends_t and not judge.objections:
                await asyncio.sleep(1.0)
                if loop.time() >= restart_t:
                    restart_t = ends_t
                    await cellar.stop()
                    await asyncio.sleep(20.0)
                    await cellar.start()
                    judge.hear(cellar.hub)
                cellar.is_sensing = loop.time() < muted_t
                judge.look()
                if loop.time() > muted_t + OFF_S and any(plug.is_on for plug in cellar.plugs.values()):
                    judge.objects("I3: a relay is on although nothing was sensed")
            for ident, station in stations.items():
                if most_connections(station, beyond_s=1.0) > 1:
                    judge.objects(f"I6: more than one connection to {ident}")
                if station.truth.most_in_flight > 1:
                    judge.objects(f"I6: {station.truth.most_in_flight} requests in flight to {ident}")
            await cellar.stop()
            await cellar.close()
            found.extend(judge.objections)
            looks = judge.looks

    run_virtual(main, seed=seed, settle_s=5.0, allow_leftovers=True)
    return found, looks
