"""A fault script, drawn from a seed: what happens when to plugs, sensor, settings, people, hub, clock and store."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

from tests.drivers.kasa.fake_kasa import Trouble
from tests.fermenter.cellar import SENSOR, SPARE_SENSOR
from tests.fermenter.happenings import (
    Acknowledge,
    BadStore,
    ClockStep,
    Enter,
    Failing,
    Happening,
    Kill,
    Misbehaving,
    Mute,
    Press,
    Pretence,
    Reboot,
    Rebuffing,
    SaveAgain,
    SessionLost,
    SiteSays,
    Sleep,
    Stop,
    TakeOver,
)

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator, Sequence

FOR_EVER_S: Final = 1800.0
"""As long as "for ever" lasts in a run of hours: three times the lease and the plug's own timer."""
READ_CALLS: Final = ("update", "plain", "timer")
SET_CALLS: Final = ("on", "off", "on+arm", "arm")
LOW, HIGH = 18.0, 20.0
USUAL: Final = (("low", LOW), ("high", HIGH))

PLUG: Final[Sequence[Happening]] = (
    *(Failing("refuses everything", s, trouble=Trouble.REFUSED) for s in (0.4, 15.0, FOR_EVER_S)),
    *(Failing("is silent", s) for s in (8.0, 30.0, FOR_EVER_S)),
    *(Failing("is silent to reads", s, calls=READ_CALLS) for s in (8.0, 30.0, FOR_EVER_S)),
    *(Failing("is silent to commands", s, calls=SET_CALLS) for s in (8.0, 30.0, FOR_EVER_S)),
    Failing("is silent, and calls do not let go of it", 30.0, is_stubborn=True),
    *(Failing("resets every connection", s, trouble=Trouble.RESET) for s in (5.0, 60.0)),
    Failing("answers with garbage", 40.0, trouble=Trouble.GARBLED),
    Failing("says no to everything", 40.0, trouble=Trouble.SAYS_NO),
    *(Misbehaving("acts and never answers", s, ways=(("acts_without_answer", True),)) for s in (30.0, 300.0)),
    *(Misbehaving("acts and resets", s, ways=(("resets_after_acting", True),)) for s in (30.0, 300.0)),
    *(Misbehaving(f"does nothing {n} times", 300.0, ways=(("ignores_next", n),)) for n in (1, 2)),
    Misbehaving("does nothing", FOR_EVER_S, ways=(("is_ignoring", True),)),
    *(Misbehaving(f"acts {s:g} s late", 600.0, ways=(("late_s", s),)) for s in (1.0, 5.0)),
    Misbehaving("takes 2 s for each answer", 120.0, ways=(("answer_s", 2.0),)),
    Reboot("reboots, its relay restored", 8.0, is_restored=True),
    Reboot("reboots, its relay off", 8.0, is_restored=False),
    *(SessionLost(f"loses {n} sessions", 5.0, calls=n) for n in (1, 3)),
    *(Rebuffing("refuses the login", s) for s in (20.0, 300.0)),
)
HAND: Final[Sequence[Happening]] = (
    *(Press("its button is pressed", 0.0, ident=ident) for ident in ("heater", "fridge")),
    *(Press("is switched on by an app", 0.0, ident=ident, is_on=True) for ident in ("heater", "fridge")),
    *(Press("is switched off by an app", 0.0, ident=ident, is_on=False) for ident in ("heater", "fridge")),
    *(
        TakeOver(f"is taken over, {'on' if is_on else 'off'},", s, ident=ident, is_on=is_on)
        for ident in ("heater", "fridge")
        for is_on in (True, False)
        for s in (60.0, 600.0)
    ),
    *(Acknowledge("a person acknowledges swapped plugs", 0.0) for _ in range(4)),
)
SENSOR_FAULTS: Final[Sequence[Happening]] = (
    *(Mute("the sensor is silent", s) for s in (230.0, 250.0, 250.0, 3600.0)),
    *(
        Pretence(f"the sensor sends {value!r}", s, value=value)
        for value in (math.nan, None, "warm", 1000.0, -273.0, True)
        for s in (12.0, 300.0)
    ),
    *(
        Pretence(f"the sensor is {by:+g} K off", s, shift=by)
        for by in (3.0, -3.0, 8.0, -8.0)
        for s in (60.0, 900.0)
    ),
)


def _says(s: float, **says: object) -> SiteSays:
    usually = {"low": LOW, "high": HIGH, "enabled": True, "heating_enabled": True, "cooling_enabled": True}
    back = {key: usually.get(key, SENSOR) for key in says}
    return SiteSays(f"the site says {says}", s, says=tuple(says.items()), usually=tuple(back.items()))


SETTINGS: Final[Sequence[Happening]] = (
    _says(120.0, low=HIGH, high=LOW),
    _says(120.0, low=None),
    _says(120.0, high=None),
    _says(120.0, low=None, high=None),
    _says(120.0, low="warm"),
    _says(120.0, high=math.nan),
    _says(120.0, low=19.0, high=19.0),
    _says(900.0, low=16.0, high=17.0),
    _says(900.0, low=21.0, high=22.0),
    _says(600.0, low="66 °F", high="67 °F"),
    _says(400.0, heating_enabled=False),
    _says(400.0, cooling_enabled=False),
    _says(300.0, enabled=False),
    _says(300.0, sensor=SPARE_SENSOR),
    _says(1200.0, sensor=SPARE_SENSOR),
    *(
        Enter(f"a person enters low {v!r}", 600.0, key="low", value=v, usually=LOW)
        for v in (15.0, 19.5, 21.0, "x", None)
    ),
    *(
        Enter(f"a person enters high {v!r}", 600.0, key="high", value=v, usually=HIGH)
        for v in (18.5, 23.0, math.nan)
    ),
    *(Enter("a person switches it off", s, key="enabled", value=False, usually=True) for s in (20.0, 400.0)),
)
SAVING: Final[Sequence[Happening]] = (
    SaveAgain("the site is saved again", 0.0),
    SaveAgain("the site is called otherwise", 0.0, name="another name"),
    SaveAgain("the site is called as before", 0.0, name="the cellar"),
)
HUB: Final[Sequence[Happening]] = (
    *(Kill("the hub is killed and gone", s) for s in (0.5, 5.0, 60.0, 300.0, 900.0)),
    *(Kill("the machine reboots and is gone", s, is_reboot=True) for s in (40.0, 900.0)),
    *(Stop("the hub is stopped and gone", s) for s in (1.0, 60.0)),
)
CLOCK: Final[Sequence[Happening]] = (
    *(ClockStep(f"the clock is set by {s:+g} s", 0.0, by_s=s) for s in (3600.0, -3600.0)),
    *(Sleep(f"the machine sleeps for {s:g} s", 0.0, asleep_s=s) for s in (20.0, 300.0, 4000.0)),
)
STORE: Final[Sequence[Happening]] = (
    *(BadStore("the store fails", s) for s in (5.0, 60.0, 600.0)),
    *(BadStore(f"the store takes {d:g} s", 120.0, delay_s=d) for d in (0.2, 1.2, 3.0)),
)


class Line(NamedTuple):
    """One line of the script: a happening begins, or ends, so many seconds into the run."""

    at_s: float
    happening: Happening
    is_end: bool

    def __str__(self) -> str:
        return f"{self.at_s:9.3f} s: {'over: ' if self.is_end else ''}{self.happening}"


class Track(NamedTuple):
    """What happens one after the other, with quiet between."""

    kinds: Sequence[Happening]
    quiet_s: float
    """The mean of the quiet."""

    def lines(self, rng: random.Random, until_s: float) -> Iterator[Line]:
        """Lines until that time; what has begun ends by then."""
        at_s = rng.expovariate(1.0 / self.quiet_s)
        while at_s < until_s:
            happening = rng.choice(self.kinds)
            yield Line(at_s, happening, is_end=False)
            end_s = min(at_s + happening.for_s, until_s)
            if happening.for_s:
                yield Line(end_s, happening, is_end=True)
            at_s = end_s + rng.expovariate(1.0 / self.quiet_s)


def _of(ident: str) -> Sequence[Happening]:
    return [replace(each, ident=ident) for each in PLUG]  # type: ignore[call-arg]  # all of them are plug faults


def dense() -> list[Track]:
    """Something is always wrong."""
    return [
        Track(_of("heater"), 150.0),
        Track(_of("fridge"), 150.0),
        Track(HAND, 500.0),
        Track(SENSOR_FAULTS, 900.0),
        Track(SETTINGS, 900.0),
        Track(SAVING, 1500.0),
        Track(HUB, 1500.0),
        Track(CLOCK, 3000.0),
        Track(STORE, 1500.0),
    ]


def sparse() -> list[Track]:
    """A week in which each part has some trouble every day."""
    return [track._replace(quiet_s=track.quiet_s * 40.0) for track in dense()]


def draw(rng: random.Random, tracks: Sequence[Track], until_s: float) -> list[Line]:
    """The script, in order."""
    lines = [line for track in tracks for line in track.lines(rng, until_s)]
    return sorted(lines, key=lambda line: line.at_s)
