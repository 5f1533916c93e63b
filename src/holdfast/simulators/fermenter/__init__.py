"""A simulated fermenter: a vessel in a chamber, with heater, cooler, room, yeast and sensor.

    fermenter = Fermenter.begin(CARBOY, beer_c=18.0, yeast=Yeast(), sensor=TILT)
    later = fermenter.step(60.0, heater_on=True, cooler_on=False)  # the first one is as it was
    later.shown_c, later.beer_c, later.gravity

`LivingFermenter` lives along with a clock, for simulated plugs to switch.
"""

from __future__ import annotations

from holdfast.simulators.fermenter.fermenter import LONGEST_STEP_S, Fermenter
from holdfast.simulators.fermenter.living import LivingFermenter
from holdfast.simulators.fermenter.quality import Quality
from holdfast.simulators.fermenter.sensor import AIR, FINE, SENSORS, TAPED, TILT, TILT_PRO, WHOLE, Sensor
from holdfast.simulators.fermenter.vessel import (
    BELTED,
    BUCKET,
    CARBOY,
    CONICAL,
    CUPBOARD,
    STILL_AIR,
    VESSELS,
    Ambient,
    Vessel,
)
from holdfast.simulators.fermenter.yeast import DEAD, Yeast

__all__ = [
    "AIR",
    "BELTED",
    "BUCKET",
    "CARBOY",
    "CONICAL",
    "CUPBOARD",
    "DEAD",
    "FINE",
    "LONGEST_STEP_S",
    "SENSORS",
    "STILL_AIR",
    "TAPED",
    "TILT",
    "TILT_PRO",
    "VESSELS",
    "WHOLE",
    "Ambient",
    "Fermenter",
    "LivingFermenter",
    "Quality",
    "Sensor",
    "Vessel",
    "Yeast",
]
