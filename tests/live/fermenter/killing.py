"""The hub is killed with heaters on, and started again."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from holdfast.simulators.kasa import Cause, Refuse
from tests.live.fermenter.cellar import T_OFF_S
from tests.live.fermenter.stories import DEAD_MAN_MARGIN_S, heated
from tests.live.fermenter.waiting import until

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.live.fermenter.cellar import Cellar
    from tests.live.fermenter.stories import Tempo
    from tests.live.fermenter.vessel import Vessel

OWED_S = 25.0
"""An OFF that is owed reaches a plug so long after it can be reached. Source: fact sheet on control, section 10, I5:
a cycle of 10 s, and 15 s."""
AWAY_S = 5.0
"""A plug's door stays closed for so long after the restart."""


async def killed(
    cellar: Cellar, armed: Sequence[Vessel], kept_on: Vessel, not_there: Vessel, tempo: Tempo
) -> None:
    """The plugs of ``armed`` switch themselves off; the other two are still on when the hub is back.

    Those it switches off first, whatever it would like, and ``not_there`` as soon as it can be reached. Then all of
    them are heated again, and nobody helps.
    """
    loop = asyncio.get_running_loop()
    everyone = [*armed, kept_on, not_there]
    await asyncio.gather(*(heated(cellar, each, tempo.start_s) for each in everyone))
    killed_t = await cellar.hub.kill()
    limit_s = tempo.dead_man_s + DEAD_MAN_MARGIN_S
    await until(lambda: not any(each.heater.plug.is_on for each in armed), limit_s, "off by their own timers")
    for each in armed:
        change = each.heater.truth.relay[-1]
        assert change.cause is Cause.TIMER, change
        assert change.t - killed_t <= limit_s, (
            f"{each.id}: off {change.t - killed_t:.1f} s after the hub was killed"
        )
        cellar.tell(f"{each.id}: off by its own timer {change.t - killed_t:.1f} s after the hub was killed")
    assert kept_on.heater.plug.is_on
    assert not_there.heater.plug.is_on

    closed = Refuse()
    not_there.heater.begin(closed)
    await cellar.hub.start()
    back_t = loop.time()
    second = asyncio.create_task(cellar.hub.second(), name="second hub")
    await asyncio.sleep(AWAY_S)
    not_there.heater.end(closed)
    open_t = loop.time()
    for each, since_t, within_s in ((kept_on, back_t, T_OFF_S), (not_there, open_t, OWED_S)):
        off_t = await _first_off(each, killed_t, since_t + within_s - loop.time())
        cellar.tell(f"{each.id}: off {off_t - since_t:.1f} s after it could be reached again")
    await asyncio.gather(*(heated(cellar, each, tempo.resume_s) for each in everyone))
    cellar.tell(f"all heat {loop.time() - back_t:.1f} s after the hub was there again")
    for each in everyone:
        first = next(command for command in each.heater.truth.relay_sets if command.t > killed_t)
        assert first.value is False, f"{each.id}: the first command after the restart is ON"

    refused = await second
    assert refused.code != 0, refused
    assert "another hub (pid " in refused.err, refused


async def stopped(cellar: Cellar, vessels: Sequence[Vessel]) -> None:
    """A hub that is asked to stop leaves nothing on."""
    loop = asyncio.get_running_loop()
    began_t = loop.time()
    await cellar.hub.stop()
    cellar.tell(f"stopped within {loop.time() - began_t:.1f} s")
    for each in vessels:
        assert not any(plug.plug.is_on for plug in each.plugs.values()), each.id


async def _first_off(vessel: Vessel, killed_t: float, within_s: float) -> float:
    """When the heater was off first after the hub was killed."""

    def off_t() -> float:
        return next(
            (each.t for each in vessel.heater.truth.relay if each.t > killed_t and not each.is_on), 0.0
        )

    await until(off_t, within_s, f"{vessel.id} off after the restart")
    return off_t()
