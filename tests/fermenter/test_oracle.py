"""The observer can object: a fault planted in the hub is found by the check that is there for it.

The same scripts without the fault find nothing, so that it is the fault that is found.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from holdfast.control.evidence import SensorEvidence
from holdfast.drivers.kasa.plug import KasaPlug
from holdfast.hub.controllers.ownership import Controllers
from holdfast.hub.controllers.plugs import PlugDesk
from holdfast.hub.hub import Hub
from holdfast.link.backoff import Backoff
from holdfast.link.desk import CommandDesk
from holdfast.link.device import LinkedDevice
from holdfast.simulation import run_virtual
from tests.drivers.kasa.fake_kasa import Trouble
from tests.fermenter.cellar import Cellar
from tests.fermenter.happenings import Failing, Happening, Kill, Misbehaving, Mute, Press, SaveAgain
from tests.fermenter.oracle.alarms import Alarms, Work
from tests.fermenter.oracle.display import Display, Evidence, Told
from tests.fermenter.oracle.exclusion import Exclusion
from tests.fermenter.oracle.failsafe import FailSafe, NoLockout
from tests.fermenter.oracle.latency import Latency
from tests.fermenter.oracle.oracle import Oracle
from tests.fermenter.oracle.records import Records
from tests.fermenter.oracle.rests import Rests, Wire
from tests.fermenter.run import Verdict, play
from tests.fermenter.script import SET_CALLS, Line

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast.simulation import VirtualLoop
    from tests.fermenter.oracle.check import Check

    Plant = Callable[[pytest.MonkeyPatch], object]
    Script = list[tuple[float, Happening]]

COLD, WARM = {"beer_c": 16.0}, {"beer_c": 24.0}
"""The heater is wanted from the first minute on, and goes on after ten; or the cooler."""
SOONER = {**COLD, "dead_time_s": 30}
NOTHING: Script = []
DEAF: Script = [(5.0, Failing("is silent to commands", 400.0, calls=SET_CALLS))]
SENT_IN_VAIN: Script = [
    (60.0, Failing("is silent to commands", 100.0, calls=SET_CALLS)),
    (70.0, Press("is switched on by an app", 0.0, is_on=True)),
]
DISOBEDIENT: Script = [(5.0, Misbehaving("does nothing", 400.0, ways=(("is_ignoring", True),)))]
STUCK: Script = [
    (40.0, Misbehaving("does nothing", 900.0, ident="fridge", ways=(("is_ignoring", True),))),
    (41.0, Press("is switched on by an app", 0.0, ident="fridge", is_on=True)),
]
SILENCE: Script = [(120.0, Mute("the sensor is silent", 900.0))]
LATE_SILENCE: Script = [(950.0, Mute("the sensor is silent", 900.0))]
PRESSED: Script = [(900.0, Press("is switched off by an app", 0.0, ident="fridge", is_on=False))]
AWAY: Script = [(100.0, Failing("refuses everything", 200.0, trouble=Trouble.REFUSED))]
KILLED: Script = [(400.0, Kill("the hub is killed and gone", 900.0))]
KILLED_IN_SILENCE: Script = [*LATE_SILENCE, (1400.0, Kill("the hub is killed and gone", 5.0))]
SAVED: Script = [*LATE_SILENCE, (1400.0, SaveAgain("the site is called otherwise", 0.0, name="another name"))]


def objections(script: Script, until_s: float, check: type[Check] | None, **cellar: Any) -> list[str]:
    """What one check finds; with ``None`` it is whoever plays that finds it."""
    verdict = Verdict(0, 0.0)

    async def main(loop: VirtualLoop) -> None:
        lines = []
        for at_s, happening in script:
            lines.append(Line(at_s, happening, is_end=False))
            if happening.for_s:
                lines.append(Line(at_s + happening.for_s, happening, is_end=True))
        lines.sort(key=lambda line: line.at_s)
        checks = (Alarms,) if check is None else (check,)
        await play(loop, Cellar(loop, **cellar), lines, until_s, verdict, checks)

    run_virtual(main, seed=1)
    return verdict.objections


def patched(target: Any, name: str, value: Any) -> Plant:
    """A fault that is a patch."""
    return lambda patch: patch.setattr(target, name, value)


def patched_name(path: str, value: Any) -> Plant:
    """The same, by the name of what is replaced."""
    return lambda patch: patch.setattr(path, value)


def _pump_later(self: CommandDesk) -> None:
    self._core.loop.call_later(1.0, self._pump)


async def _five_times(self: KasaPlug, payload: Any, do: Any = KasaPlug._do) -> None:
    for _ in range(5):
        await do(self, payload)


def _restore_without_alarms(self: Hub, saved: Any, leaving: Any, restore: Any = Hub.restore) -> None:
    restore(self, replace(saved, alarms=()), leaving)


def _ended_without_a_reason(self: Hub, device: Any, attempt: Any, ended: Any = Hub.attempt_ended) -> None:
    ended(self, device, replace(attempt, reason=""))


RECONFIGURE = Controllers.reconfigure


def _reconfigure_and_switch_off(self: Controllers, *args: Any) -> None:
    RECONFIGURE(self, *args)
    for controller in self:
        controller.settings = replace(controller.settings, is_enabled=False)
        controller.look()


FAULTS: dict[str, tuple[Plant, type[Check] | None, Script, float, dict[str, Any], str]] = {
    "a send in doubt is shown as known": (
        patched(CommandDesk, "is_in_doubt", lambda *args: False),
        *(Display, DEAF, 300.0, SOONER, "I1"),
    ),
    "an old reading is shown as the present": (
        patched_name(
            "holdfast.hub.controllers.readings.sensed",
            lambda hub, target: SensorEvidence(value=16.0, unit="°C", age_s=0.0),
        ),
        *(Display, SILENCE, 600.0, {}, "I1"),
    ),
    "what an order's send puts in doubt is not told": (
        patched(LinkedDevice, "shown_changed", lambda *args: None),
        *(Told, SENT_IN_VAIN, 300.0, {"enabled": False}, "I1"),
    ),
    "whatever is read proves a command": (
        patched(LinkedDevice, "shows", lambda *args: True),
        *(Evidence, DISOBEDIENT, 300.0, SOONER, "I4"),
    ),
    "the other plug is not looked at": (
        patched_name("holdfast.control.interlock._other_in_the_way", lambda *args: None),
        *(Exclusion, STUCK, 900.0, COLD, "I2"),
    ),
    "an old reading is acted upon": (
        patched(SensorEvidence, "staleness", lambda *args: ""),
        *(FailSafe, SILENCE, 1200.0, COLD, "I3"),
    ),
    "safety is not commanded": (
        patched(PlugDesk, "keep_off", lambda *args: None),
        *(FailSafe, SILENCE, 900.0, SOONER, "I3"),
    ),
    "a needed OFF is not sent": (
        patched(PlugDesk, "keep_off", lambda *args: None),
        *(NoLockout, SILENCE, 900.0, SOONER, "I5"),
    ),
    "the plug's own timer is far too long": (
        lambda patch: None,
        *(NoLockout, KILLED, 1400.0, {**SOONER, "dead_man_s": 3000}, "I5"),
    ),
    "nothing is ever heated": (
        patched_name("holdfast.control.thermostat.demand", lambda *args: False),
        *(Work, NOTHING, 1000.0, COLD, "I5"),
    ),
    "the compressor has no rest": (
        lambda patch: None,
        *(Rests, PRESSED, 1000.0, {**WARM, "cooler_min_off_s": 0}, "I6"),
    ),
    "the library sends five times": (
        patched(KasaPlug, "_do", _five_times),
        *(Wire, NOTHING, 300.0, SOONER, "I6"),
    ),
    "the desk takes a second": (
        patched(CommandDesk, "ask", _pump_later),
        *(Latency, SILENCE, 600.0, SOONER, "I8"),
    ),
    "the control cycle takes a minute": (
        patched_name("holdfast.control.thermostat._look_s", lambda *args: 60.0),
        *(Latency, NOTHING, 300.0, COLD, "I8"),
    ),
    "a restart tells alarms again": (
        patched(Hub, "restore", _restore_without_alarms),
        *(Alarms, KILLED_IN_SILENCE, 1600.0, {}, "I10"),
    ),
    "silence raises no alarm": (
        patched_name("holdfast.control.complaints._silence", lambda *args: None),
        *(Alarms, LATE_SILENCE, 1600.0, {}, "I10"),
    ),
    "saving changes what holds": (
        patched(Controllers, "reconfigure", _reconfigure_and_switch_off),
        *(None, SAVED, 1500.0, {}, "I9"),
    ),
    "results are not told": (
        patched(Hub, "attempt_ended", lambda *args: None),
        *(Records, NOTHING, 300.0, SOONER, "I11"),
    ),
    "sends are not told": (
        patched(Hub, "attempt_sent", lambda *args: None),
        *(Records, NOTHING, 300.0, SOONER, "I11"),
    ),
    "failures have no reason": (
        patched(Hub, "attempt_ended", _ended_without_a_reason),
        *(Records, DEAF, 300.0, SOONER, "I11"),
    ),
    "a lost plug is not dialled again": (
        patched(Backoff, "after_fault", lambda *args, **more: 900.0),
        *(None, AWAY, 500.0, {}, "recovery"),
    ),
    "the memory cannot be read": (
        patched_name(
            "holdfast.hub.controllers.record.to_record",
            lambda memory, to_record=None: {"started": 0, "position": {"at": 0, "spent_s": 0, "low_at": 0}},
        ),
        *(None, KILLED, 1400.0, {}, "log"),
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the check that is there for it; without the fault it finds nothing."""
    plant, check, script, until_s, cellar, number = FAULTS[name]
    plain = {key: value for key, value in cellar.items() if key in ("beer_c", "dead_time_s", "enabled")}
    # A pause of half a minute between the plugs makes for short scripts; it is no fault where only one of them works.
    assert objections(script, until_s, check, **plain) == []
    plant(monkeypatch)
    found = objections(script, until_s, check, **cellar)
    assert any(f": {number} " in text or f": {number}:" in text for text in found), found


@pytest.mark.parametrize(("answer_s", "word"), [(1.5, "requests are in flight"), (0.03, "sessions with")])
def test_two_hubs_at_once_are_found(answer_s: float, word: str) -> None:
    """A hub that goes on beside its successor shows as a second request in flight, or a second session."""
    found: list[str] = []

    async def main(loop: VirtualLoop) -> None:
        cellar = Cellar(loop)
        for plug in cellar.plugs.values():
            plug.answer_s = answer_s
        with Oracle(cellar, (Wire,)) as oracle:
            await cellar.start()
            first = cellar.life
            await asyncio.sleep(3.0)
            await cellar.start()
            for _ in range(20):
                await asyncio.sleep(1.0)
                oracle.look()
            found.extend(oracle.objections)
        cellar.kill()
        assert first is not None
        first.end()
        await cellar.close()

    run_virtual(main, seed=1)
    assert any(word in text for text in found), found
