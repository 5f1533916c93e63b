"""What befalls one vessel, and what has to come of it."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from holdfast.simulators.kasa import Refuse, Stall, Unplugged
from holdfast.simulators.kasa.faults import BOOT_S
from tests.cli.plugs import own_address
from tests.live.fermenter.cellar import T_OFF_S
from tests.live.fermenter.vessel import BETWEEN_C, COLD_C, HIGH_C, adapter_of
from tests.live.fermenter.waiting import until

if TYPE_CHECKING:
    from holdfast.simulators.kasa import Fault, KasaPlug
    from tests.live.fermenter.cellar import Cellar
    from tests.live.fermenter.vessel import Vessel

SEEN_S = 20.0
"""Nobody tells of a hand: the next poll does, 10 s later at the worst, and its answer, and a sample."""
DEAD_MAN_MARGIN_S = 1.0
"""The plug counts whole seconds, from when it was told."""


@dataclass(frozen=True, kw_only=True)
class Tempo:
    """How long things last. All durations in seconds.

    ``start_s``: until the heater is on for the first time; its plugs rest as if they had just stopped.
    ``resume_s``: until the heater is on again once all is well; that is reconnecting, and its rest.
    """

    settings: dict[str, Any]
    """Of every controller, over the defaults."""
    fresh_s: float
    dead_man_s: float
    rest_s: float
    """A heater's shortest rest and run."""
    post_every_s: float
    gone_s: float
    """A plug is not reachable for so long, or until its own timer ends: longer than the deadline of a reading."""
    start_s: float
    hold_s: float
    """Other troubles are looked at for so long after the first that came of them."""
    resume_s: float


async def heated(cellar: Cellar, vessel: Vessel, within_s: float) -> float:
    """Until the heater is on, and shown so."""
    switch = f"{vessel.device_id('heater')}/switch"
    return await until(
        lambda: vessel.heater.plug.is_on and cellar.watch.shown(switch) is True,
        within_s,
        f"{vessel.id} heats, and shows it",
    )


async def silent_sensor(cellar: Cellar, vessel: Vessel, tempo: Tempo) -> None:
    """The sensor posts no more: the heater goes off, stays off, and on again when the sensor is back."""
    await heated(cellar, vessel, tempo.start_s)
    vessel.probe.is_alive = False
    limit_s = tempo.fresh_s + T_OFF_S
    off_s = await until(lambda: not vessel.heater.plug.is_on, limit_s, "off without a reading")
    late_s = _now() - vessel.probe.last_t - tempo.fresh_s
    await asyncio.sleep(tempo.hold_s)
    vessel.must_be_off(vessel.probe.last_t + tempo.fresh_s, "its readings were old")
    vessel.probe.is_alive = True
    on_s = await heated(cellar, vessel, tempo.resume_s)
    cellar.tell(
        f"{vessel.id}: sensor pulled: off after {off_s:.1f} s, {late_s:.1f} s after the reading was too old; "
        f"heats {on_s:.1f} s after its return"
    )


async def gone_plug(
    cellar: Cellar,
    vessel: Vessel,
    tempo: Tempo,
    fault: Fault,
    *,
    has_hand: bool = False,
    boots_s: float = 0.0,
) -> None:
    """The heater's plug cannot be reached, in one way or another: its own timer switches it off, or a hand.

    ``has_hand``: somebody presses the button at once. ``boots_s``: it takes so long to come back.
    """
    await heated(cellar, vessel, tempo.start_s)
    heater, switch = vessel.heater, f"{vessel.device_id('heater')}/switch"
    began_t = _now()
    heater.begin(fault)
    if has_hand:
        heater.plug.press()
    async with asyncio.TaskGroup() as group:
        seen = group.create_task(
            until(
                lambda: cellar.watch.shown(switch) is None,
                T_OFF_S + SEEN_S,
                f"{vessel.id} not known any more",
            )
        )
        limit_s = tempo.dead_man_s + DEAD_MAN_MARGIN_S
        off_s = await until(lambda: not heater.plug.is_on, limit_s, f"{vessel.id} off by its own timer")
        await asyncio.sleep(max(0.0, began_t + tempo.gone_s - boots_s - _now()))
        vessel.must_be_off(began_t + tempo.dead_man_s, "its timer ended")
        heater.end(fault)
    on_s = await heated(cellar, vessel, tempo.resume_s)
    cellar.tell(
        f"{vessel.id}: {type(fault).__name__}{' and a hand' if has_hand else ''}: off after {off_s:.1f} s, "
        f"shown as not known after {seen.result():.1f} s; heats {on_s:.1f} s after all was well"
    )


async def refused(cellar: Cellar, vessel: Vessel, tempo: Tempo) -> None:
    """Its door is closed."""
    await gone_plug(cellar, vessel, tempo, Refuse())


async def unanswered(cellar: Cellar, vessel: Vessel, tempo: Tempo) -> None:
    """It takes connections and questions and answers none."""
    await gone_plug(cellar, vessel, tempo, Stall(), has_hand=True)


async def unplugged(cellar: Cellar, vessel: Vessel, tempo: Tempo) -> None:
    """Out of the wall: connections stay half open, and its relay comes back as it was."""
    await gone_plug(cellar, vessel, tempo, Unplugged(), boots_s=BOOT_S)


async def button(cellar: Cellar, vessel: Vessel, tempo: Tempo) -> None:
    """A hand presses the button: off while it should heat, and on while it should not."""
    switch, plug = f"{vessel.device_id('heater')}/switch", vessel.heater.plug
    vessel.probe.shows_c = COLD_C
    await heated(cellar, vessel, tempo.start_s)
    plug.press()
    on_s = await until(lambda: plug.is_on, SEEN_S + tempo.rest_s + T_OFF_S, "on again after a hand")
    await heated(cellar, vessel, SEEN_S)
    await asyncio.sleep(tempo.rest_s)
    vessel.probe.shows_c = HIGH_C
    await until(lambda: not plug.is_on, T_OFF_S + tempo.rest_s + tempo.post_every_s, "off when it is warm")
    vessel.probe.shows_c = BETWEEN_C
    await until(lambda: cellar.watch.shown(switch) is False, SEEN_S, "shown off")
    await asyncio.sleep(2 * tempo.post_every_s)
    began_t = _now()
    plug.press()
    off_s = await until(lambda: not plug.is_on, T_OFF_S, "off again after a hand")
    await asyncio.sleep(tempo.hold_s)
    vessel.must_be_off(began_t, "a hand switched it on")
    vessel.probe.shows_c = COLD_C
    cold_s = await heated(cellar, vessel, tempo.resume_s)
    cellar.tell(
        f"{vessel.id}: a hand: on again after {on_s:.1f} s, off again after {off_s:.1f} s; "
        f"heats {cold_s:.1f} s after it is cold"
    )


async def wrong_address(cellar: Cellar, vessel: Vessel, tempo: Tempo, spare: KasaPlug) -> None:
    """A person mistypes the heater's address: another plug's first, then one where nobody answers; and mends it."""
    await heated(cellar, vessel, tempo.start_s)
    await mistyped(cellar, vessel, tempo, adapter_of(spare), "another plug's address")
    assert spare.truth.relay_sets == [], "another plug was switched"
    assert spare.truth.timer_sets == [], "another plug's timer was set"
    with socket.create_server((own_address(), 0)) as nobody:  # dials get through, and nothing is ever read
        host, port = nobody.getsockname()
        wrong = {**adapter_of(vessel.heater), "url": f"kasa://{host}:{port}"}
        await mistyped(cellar, vessel, tempo, wrong, "nobody's address")


async def mistyped(cellar: Cellar, vessel: Vessel, tempo: Tempo, wrong: dict[str, Any], what: str) -> None:
    """The heater that has left the site goes off, and is the vessel's again as soon as its address is right."""
    switch, device = f"{vessel.device_id('heater')}/switch", vessel.device_id("heater")
    began_t = _now()
    async with asyncio.TaskGroup() as group:
        group.create_task(cellar.hub.put_adapter(device, wrong))
        off_s = await until(lambda: not vessel.heater.plug.is_on, T_OFF_S, f"{vessel.id} off: {what}")
    await until(lambda: cellar.watch.shown(switch) is None, SEEN_S, f"{vessel.id} not known: {what}")
    await asyncio.sleep(tempo.hold_s)
    reason = (await asyncio.to_thread(cellar.hub.client.device, device))["reason"]
    vessel.must_be_off(began_t, f"it got {what}")
    await cellar.hub.put_adapter(device, adapter_of(vessel.heater))
    on_s = await heated(cellar, vessel, tempo.resume_s)
    devices = await asyncio.to_thread(cellar.hub.client.devices)
    left = [each["id"] for each in devices if each["id"].startswith(f"{device}-")]
    assert left == [], f"{what} left something behind: {left}"
    cellar.tell(
        f"{vessel.id}: {what}: off after {off_s:.1f} s ({reason['code']}: {reason['text']}); "
        f"heats {on_s:.1f} s after it was put right"
    )


def _now() -> float:
    return asyncio.get_running_loop().time()
