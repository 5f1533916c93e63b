"""The vessels, rooms, sensors and settings that are measured, good and bad ones."""

from __future__ import annotations

from dataclasses import dataclass

from holdfast.control import EnteredBand, EnteredLimits, Role, ThermostatSettings
from holdfast.simulators.fermenter import (
    AIR,
    BELTED,
    BUCKET,
    CARBOY,
    CONICAL,
    CUPBOARD,
    FINE,
    STILL_AIR,
    TAPED,
    TILT,
    TILT_PRO,
    Ambient,
    Fermenter,
    Sensor,
    Vessel,
    Yeast,
)

COLD = Ambient(mean_c=14.0, swing_c=3.0)
"""A cellar in winter: heating is needed, and some cooling while it ferments."""
FLAT = Ambient(mean_c=20.0, swing_c=2.0)
"""A room where people live."""
WARM = Ambient(mean_c=25.0, swing_c=3.0)
"""A flat in summer: cooling is needed."""
GARAGE = Ambient(mean_c=19.0, swing_c=8.0)
"""Hot days and cold nights: both are needed every day."""
ROOMS = {COLD: "cold", FLAT: "flat", WARM: "warm", GARAGE: "garage"}

ALE = Yeast()
"""10 °P in three days at 20 °C: 0.3 W/l at its peak. All of the sugar's heat is 47 kJ a litre: several watts a litre
would be over within hours."""
WILD = Yeast(original=1.080, final=1.016, days=1.5)
"""Strong and quick: 0.9 W/l at its peak."""
YEASTS = {ALE: "", WILD: ", strong and quick"}

BOTH = (Role.HEATER, Role.COOLER)
HEAT = (Role.HEATER,)
COOL = (Role.COOLER,)
PLUGS = {BOTH: "both", HEAT: "heater", COOL: "cooler"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """Limits as an owner enters them, in °C or in °F, and how that is called."""

    name: str
    limits: EnteredLimits


def shared(low: object, high: object, text: str) -> Range:
    """One band for whatever is there."""
    return Range(name=f"one band, {text}", limits=EnteredLimits(EnteredBand(low, high)))


def split(low: object, middle: object, high: object, text: str) -> Range:
    """The heater has the lower half and the cooler the upper one."""
    limits = EnteredLimits(EnteredBand(low, middle), cooling=EnteredBand(middle, high))
    return Range(name=f"halves, {text}", limits=limits)


ONE = shared(18, 20, "18 to 20 °C")
ONE_F = shared("64 °F", "68 °F", "64 to 68 °F")
HALVES = split(18, 19, 20, "18 to 20 °C")
HALVES_F = split("64 °F", "66 °F", "68 °F", "64 to 68 °F")
NARROW = split(18.5, 19, 19.5, "18.5 to 19.5 °C")
HIGHER = Range(
    name="cooling 0.5 °C higher, 18 to 20.5 °C",
    limits=EnteredLimits(EnteredBand(18, 20), cooling=EnteredBand(18.5, 20.5)),
)
DEGREE_F = shared("74 °F", "75 °F", "74 to 75 °F")
"""One degree for a sensor that tells whole degrees: a setting that was really used (fact sheet section 1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """One row. ``why`` says what keeps it from 95 %; it is empty where 95 % are expected."""

    vessel: Vessel
    room: Ambient
    sensor: Sensor
    range: Range
    plugs: tuple[Role, ...] = BOTH
    yeast: Yeast = ALE
    pitched_c: float = 22.0
    why: str = ""

    @property
    def name(self) -> str:
        """The row's name: no two have the same."""
        return (
            f"{self.vessel.name}; {self.room_name}; {self.sensor.name}; {self.plug_name}; {self.range.name}"
        )

    @property
    def room_name(self) -> str:
        """The room, and the yeast where it is no usual one."""
        return f"{ROOMS[self.room]}{YEASTS[self.yeast]}"

    @property
    def plug_name(self) -> str:
        """Which plugs there are."""
        return PLUGS[self.plugs]

    @property
    def settings(self) -> ThermostatSettings:
        """The thermostat: minimum times and dead time are the defaults."""
        return ThermostatSettings(
            limits=self.range.limits,
            sensor="beer/temperature",
            heater="heater/switch" if Role.HEATER in self.plugs else "",
            cooler="cooler/switch" if Role.COOLER in self.plugs else "",
        )

    def begin(self) -> Fermenter:
        """Wort that was pitched at midnight, somewhat too warm."""
        return Fermenter.begin(
            self.vessel, beer_c=self.pitched_c, ambient=self.room, yeast=self.yeast, sensor=self.sensor
        )


WEAK = "the heater reaches 7 °C above the room, and 10 are asked for"
WARM_BELT = "belt and air are still warm when the heater stops, and the sensor is 5 min late"
WARM_AIR = "the air is still warm when the heater stops"
COLD_AIR = "the air is still cold when the cooler stops"
PING_PONG = "heater and cooler undo each other's overshoot"
OVERLAP = "what the cooler overshoots reaches the heater's low limit"
SMALL = "0.5 °C for each is no more than what it overshoots"
QUICK = "5 l warm by almost 1 °C an hour, and the sensor is 5 min late"
HARD = "the air stores more than the beer takes up in an hour"

SETUPS = (
    # Heater only.
    Setup(vessel=CUPBOARD, room=COLD, sensor=TILT_PRO, range=ONE, plugs=HEAT),
    Setup(vessel=CUPBOARD, room=COLD, sensor=TILT, range=ONE_F, plugs=HEAT),
    Setup(vessel=CUPBOARD, room=FLAT, sensor=TILT, range=DEGREE_F, plugs=HEAT),
    Setup(vessel=CUPBOARD, room=COLD, sensor=TILT, range=DEGREE_F, plugs=HEAT, why=WEAK),
    Setup(vessel=BELTED, room=COLD, sensor=TILT_PRO, range=ONE, plugs=HEAT, why=WARM_BELT),
    Setup(vessel=CARBOY, room=COLD, sensor=TILT_PRO, range=ONE, plugs=HEAT, why=WARM_AIR),
    Setup(vessel=CARBOY, room=COLD, sensor=TILT_PRO, range=HALVES, plugs=HEAT),
    # Cooler only.
    Setup(vessel=BELTED, room=WARM, sensor=TILT_PRO, range=ONE, plugs=COOL, why=COLD_AIR),
    Setup(vessel=BELTED, room=WARM, sensor=TILT_PRO, range=HALVES, plugs=COOL),
    Setup(vessel=BELTED, room=WARM, sensor=TILT, range=HALVES_F, plugs=COOL),
    # Both, a half of the range for each.
    Setup(vessel=BELTED, room=COLD, sensor=TILT_PRO, range=HALVES),
    Setup(vessel=BELTED, room=WARM, sensor=TILT_PRO, range=HALVES),
    Setup(vessel=BELTED, room=WARM, sensor=TILT_PRO, range=HALVES, yeast=WILD),
    Setup(vessel=BELTED, room=GARAGE, sensor=TILT_PRO, range=HALVES),
    Setup(vessel=BELTED, room=GARAGE, sensor=TILT, range=HALVES_F),
    Setup(vessel=BELTED, room=GARAGE, sensor=FINE, range=HALVES),
    Setup(vessel=BELTED, room=GARAGE, sensor=TAPED, range=HALVES),
    Setup(vessel=BELTED, room=GARAGE, sensor=AIR, range=HALVES),
    Setup(vessel=BELTED, room=GARAGE, sensor=AIR, range=HALVES, yeast=WILD),
    Setup(vessel=BELTED, room=GARAGE, sensor=TILT_PRO, range=NARROW, why=SMALL),
    Setup(vessel=CARBOY, room=GARAGE, sensor=TILT_PRO, range=HALVES),
    Setup(vessel=CONICAL, room=GARAGE, sensor=TILT_PRO, range=HALVES),
    Setup(vessel=BUCKET, room=GARAGE, sensor=FINE, range=HALVES),
    Setup(vessel=BUCKET, room=WARM, sensor=TILT_PRO, range=HALVES, why=QUICK),
    # Both, with bands that overlap.
    Setup(vessel=BELTED, room=COLD, sensor=TILT_PRO, range=HIGHER),
    Setup(vessel=BELTED, room=WARM, sensor=TILT_PRO, range=HIGHER, why=OVERLAP),
    # Both on one band.
    Setup(vessel=BELTED, room=COLD, sensor=TILT_PRO, range=ONE, why=PING_PONG),
    Setup(vessel=BELTED, room=WARM, sensor=TILT_PRO, range=ONE, why=PING_PONG),
    Setup(vessel=BELTED, room=GARAGE, sensor=FINE, range=ONE, why=PING_PONG),
    Setup(vessel=BELTED, room=GARAGE, sensor=TILT, range=ONE_F, why=PING_PONG),
    Setup(vessel=BELTED, room=FLAT, sensor=TILT, range=DEGREE_F, why=PING_PONG),
    # The hard one.
    Setup(vessel=STILL_AIR, room=GARAGE, sensor=TILT, range=HALVES_F),
    Setup(vessel=STILL_AIR, room=GARAGE, sensor=TILT_PRO, range=HALVES, why=HARD),
    Setup(vessel=STILL_AIR, room=WARM, sensor=FINE, range=ONE, why=HARD),
    Setup(vessel=STILL_AIR, room=WARM, sensor=TILT_PRO, range=ONE, why=HARD),
)
