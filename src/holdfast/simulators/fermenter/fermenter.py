"""The whole of it at one moment, and the next moment as a pure function of it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

from holdfast.simulators.fermenter.sensor import FINE, Sensor
from holdfast.simulators.fermenter.vessel import CARBOY, DAY_S, Ambient, Vessel
from holdfast.simulators.fermenter.yeast import DEAD, Yeast

LONGEST_STEP_S = 10.0
"""The time that is calculated at once. The quickest lump has a time constant of some four minutes, and lags are
solved exactly; at half of this a week of control comes out the same to 0.01 K."""


@dataclass(frozen=True, kw_only=True)
class Fermenter:
    """A vessel with beer, its surroundings, and the state of all. Temperatures in °C, times in s."""

    vessel: Vessel = CARBOY
    ambient: Ambient = field(default_factory=Ambient)
    yeast: Yeast = DEAD
    sensor: Sensor = FINE

    beer_c: float = 20.0
    chamber_c: float = 20.0
    sensed_c: float = 20.0
    """What the sensor has taken on, before its steps."""
    heating_w: float = 0.0
    """What the element gives off now; it lags behind the switch."""
    cooling_w: float = 0.0
    """What the coil takes out now."""
    done: float = 0.0
    """The share of the fermentation that is over."""
    second: float = 0.0
    """Since a midnight."""
    cooler_on_s: float = 0.0
    """For how long the compressor has had power."""

    @classmethod
    def begin(
        cls,
        vessel: Vessel = CARBOY,
        *,
        beer_c: float = 20.0,
        ambient: Ambient | None = None,
        yeast: Yeast = DEAD,
        sensor: Sensor = FINE,
        second: float = 0.0,
    ) -> Fermenter:
        """Everything as warm as the beer, the yeast just pitched."""
        return cls(
            vessel=vessel,
            ambient=ambient or Ambient(),
            yeast=yeast,
            sensor=sensor,
            beer_c=beer_c,
            chamber_c=beer_c,
            sensed_c=beer_c,
            done=yeast.start,
            second=second,
        )

    @property
    def ambient_c(self) -> float:
        """The room now."""
        return self.ambient.at(self.second)

    @property
    def shown_c(self) -> float:
        """What the sensor shows."""
        return self.sensor.show(self.sensed_c)

    @property
    def gravity(self) -> float:
        """Specific gravity of the beer."""
        return self.yeast.gravity(self.done)

    @property
    def yeast_w(self) -> float:
        """Heat of the fermentation now, in W."""
        return self.yeast.heat_w(self.yeast.speed(self.done, self.beer_c), self.vessel.beer_kg)

    def step(self, dt: float, *, heater_on: bool, cooler_on: bool) -> Fermenter:
        """How it will be ``dt`` seconds later if the switches stay so. Raises `ValueError` for a time gone by."""
        if not 0.0 <= dt < math.inf:
            raise ValueError("time goes forward")
        now = self
        steps = math.ceil(dt / LONGEST_STEP_S)
        for _ in range(steps):
            now = now._step(dt / steps, heater_on=heater_on, cooler_on=cooler_on)
        return now

    def _step(self, dt: float, *, heater_on: bool, cooler_on: bool) -> Fermenter:
        vessel = self.vessel
        cooler_on_s = self.cooler_on_s + dt if cooler_on else 0.0
        is_cold = cooler_on_s > vessel.cooler_start_s
        heating_w = _follow(self.heating_w, vessel.heater_w * heater_on, dt, vessel.heater_lag_s)
        cooling_w = _follow(self.cooling_w, vessel.cooler_w * is_cold, dt, vessel.cooler_lag_s)
        speed = self.yeast.speed(self.done, self.beer_c)
        to_beer_w = vessel.beer_w_per_k * (self.chamber_c - self.beer_c)
        into_beer_w = to_beer_w + vessel.heater_share * heating_w + self.yeast.heat_w(speed, vessel.beer_kg)
        into_chamber_w = (
            vessel.walls_w_per_k * (self.ambient_c - self.chamber_c)
            + (1.0 - vessel.heater_share) * heating_w
            - cooling_w
            - to_beer_w
        )
        return replace(
            self,
            heating_w=heating_w,
            cooling_w=cooling_w,
            cooler_on_s=cooler_on_s,
            done=min(self.done + speed * dt, 1.0),
            beer_c=self.beer_c + into_beer_w * dt / vessel.beer_j_per_k,
            chamber_c=self.chamber_c + into_chamber_w * dt / vessel.chamber_j_per_k,
            sensed_c=_follow(
                self.sensed_c, self.sensor.felt(self.beer_c, self.chamber_c), dt, self.sensor.lag_s
            ),
            second=(self.second + dt) % DAY_S,
        )


def _follow(value: float, target: float, dt: float, lag_s: float) -> float:
    """A first-order lag, solved for a target that stays."""
    return target + (value - target) * math.exp(-dt / lag_s) if lag_s > 0.0 else target
