"""What a thermometer or a hydrometer shows, in the beer or near it: late, in steps, and perhaps off."""

from __future__ import annotations

import math
from dataclasses import dataclass

F_PER_C = 9.0 / 5.0
F_AT_ZERO_C = 32.0


@dataclass(frozen=True, kw_only=True)
class Sensor:
    """``step`` is what it tells apart, in its own unit; ``lag_s`` its time constant where it is.

    ``air_share`` tells where that is: 0 in the beer, 1 in the air of the chamber, between them on the vessel's wall.
    """

    name: str
    step: float
    is_fahrenheit: bool = False
    lag_s: float = 300.0
    offset_c: float = 0.0
    air_share: float = 0.0

    def felt(self, beer_c: float, chamber_c: float) -> float:
        """The temperature in °C of its place."""
        return beer_c + self.air_share * (chamber_c - beer_c)

    def show(self, sensed_c: float) -> float:
        """The reading in °C for what the sensor itself has taken on."""
        true_c = sensed_c + self.offset_c
        value = true_c * F_PER_C + F_AT_ZERO_C if self.is_fahrenheit else true_c
        shown = math.floor(value / self.step + 0.5) * self.step
        return (shown - F_AT_ZERO_C) / F_PER_C if self.is_fahrenheit else shown


TILT = Sensor(name="Tilt, whole °F", step=1.0, is_fahrenheit=True)
"""A classic Tilt (temperature fact sheet section 1). Its time constant is assumed: a tube of some 100 g in still liquid
takes minutes."""

TILT_PRO = Sensor(name="Tilt Pro, tenths of °F", step=0.1, is_fahrenheit=True)

WHOLE = Sensor(name="whole °C", step=1.0)

FINE = Sensor(name="probe, 1/16 °C", step=1.0 / 16.0, lag_s=60.0)
"""A DS18B20 in a thermowell."""

TAPED = Sensor(name="probe taped to the vessel", step=1.0 / 16.0, lag_s=120.0, air_share=0.2)
"""Bare on a plastic wall: some 10 W/(m² K) from the air's side, some 50 through wall and film of beer. Under a pad of
foam the share would be below 0.1."""

AIR = Sensor(name="probe in the air", step=1.0 / 16.0, lag_s=120.0, air_share=1.0)

SENSORS = (TILT, TILT_PRO, WHOLE, FINE, TAPED, AIR)
