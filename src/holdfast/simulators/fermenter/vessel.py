"""A vessel in a chamber: what it is made of, and how fast heat moves in it.

Four lumps with one temperature each: the heater's element and the cooler's coil (which lag behind their switches),
the air of the chamber, and the beer. Stated as heat capacities and conductances, as these can be measured: put a
known power in, and see how fast it warms and how far.

Where the figures come from, all of them by handbook values and none fitted to a control law:

* Beer: 4 kJ/(kg K), so 80 kJ/K for 20 kg, as one lump. The vessel's own wall is left out: 6 kg of glass are 5 kJ/K, a
  sixteenth of the beer, and reach its temperature within one or two minutes (some 50 W/K of free convection inside).
* Beer to chamber: 20 l show some 0.45 m² to the air. Free convection and radiation together are some 9 W/(m² K), so
  4 W/K in still air; a fan doubles that.
* Chamber: 150 l of air are only 0.2 kJ/K. What counts is the liner (4 kg of plastic, 6 kJ/K), shelves and the
  evaporator (1 to 2 kJ/K); in a large refrigerator or a freezer with the evaporator in its walls 10 to 15 kJ/K.
* Walls: a small refrigerator that uses 0.4 kWh a day leaks some 25 W at 20 K, so 1 to 1.5 W/K.
* Heater: belts and pads are sold with 25 to 40 W, tube heaters with 40 to 60 W. Cooler: small compressors take out 60
  to 110 W. The evaporator's power is taken as constant, and a refrigerator's own thermostat as never in the way.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

DAY_S = 86_400.0
BEER_J_PER_KG_K = 4000.0
"""Specific heat of wort and beer (between 3900 and 4100 J/(kg K) from 10 to 15 °P)."""


@dataclass(frozen=True, kw_only=True)
class Ambient:
    """The room over a day: a sine around its mean, warmest at ``warmest_s`` seconds after midnight."""

    mean_c: float = 20.0
    swing_c: float = 0.0
    """Half of the distance between the day's extremes."""
    warmest_s: float = 15 * 3600.0

    def at(self, second: float) -> float:
        """Temperature in °C, ``second`` seconds after a midnight."""
        if not self.swing_c:
            return self.mean_c
        return self.mean_c + self.swing_c * math.cos(2 * math.pi * (second - self.warmest_s) / DAY_S)


@dataclass(frozen=True, kw_only=True)
class Vessel:
    """All that is fixed. Powers in W, conductances in W/K, capacities in J/K, times in s."""

    name: str
    beer_kg: float
    chamber_j_per_k: float
    """The air and what warms with it: shelves, inner walls."""
    walls_w_per_k: float
    """Chamber to room."""
    beer_w_per_k: float
    """Beer to chamber."""
    heater_w: float
    heater_lag_s: float
    """Time constant of the element."""
    heater_share: float = 0.0
    """The share of the heater's power that goes into the beer directly (a belt or a wrap), 0 to 1."""
    cooler_w: float
    """Heat taken out of the chamber, not what the compressor draws."""
    cooler_lag_s: float
    """Time constant of the coil."""
    cooler_start_s: float = 20.0
    """From the switch until the compressor has built up pressure."""

    @property
    def beer_j_per_k(self) -> float:
        """Heat capacity of the beer."""
        return self.beer_kg * BEER_J_PER_KG_K

    @property
    def beer_time_s(self) -> float:
        """Time constant of the beer behind the chamber."""
        return self.beer_j_per_k / self.beer_w_per_k

    @property
    def chamber_time_s(self) -> float:
        """Time constant of the chamber between room and beer."""
        return self.chamber_j_per_k / (self.walls_w_per_k + self.beer_w_per_k)

    def __str__(self) -> str:
        return (
            f"{self.name}: beer {self.beer_kg:g} kg, time constants {self.beer_time_s / 3600:.1f} h (beer) and "
            f"{self.chamber_time_s / 60:.0f} min (chamber), heater {self.heater_w:g} W after "
            f"{self.heater_lag_s:g} s, cooler {self.cooler_w:g} W after {self.cooler_lag_s:g} s"
        )


CUPBOARD = Vessel(
    name="carboy with a belt in a cupboard",
    beer_kg=20.0,
    chamber_j_per_k=8_000.0,
    walls_w_per_k=30.0,
    beer_w_per_k=4.0,
    heater_w=30.0,
    heater_lag_s=300.0,
    heater_share=0.8,
    cooler_w=0.0,
    cooler_lag_s=60.0,
)
"""20 l with a belt around it and nothing that cools; the air is nearly the room's, the beer follows with 5.6 h."""

BELTED = Vessel(
    name="carboy with a belt in a refrigerator",
    beer_kg=20.0,
    chamber_j_per_k=8_000.0,
    walls_w_per_k=1.5,
    beer_w_per_k=8.0,
    heater_w=30.0,
    heater_lag_s=300.0,
    heater_share=0.8,
    cooler_w=80.0,
    cooler_lag_s=120.0,
)
"""20 l, the belt around the vessel and a fan in a small refrigerator: what is most often built."""

CARBOY = Vessel(
    name="carboy and tube heater in a refrigerator",
    beer_kg=20.0,
    chamber_j_per_k=8_000.0,
    walls_w_per_k=1.5,
    beer_w_per_k=8.0,
    heater_w=40.0,
    heater_lag_s=300.0,
    cooler_w=80.0,
    cooler_lag_s=120.0,
)
"""20 l in moved air, the heater in it, too: the beer follows the chamber with some 2.8 h."""

BUCKET = Vessel(
    name="small bucket with a belt",
    beer_kg=5.0,
    chamber_j_per_k=4_000.0,
    walls_w_per_k=1.0,
    beer_w_per_k=4.0,
    heater_w=20.0,
    heater_lag_s=200.0,
    heater_share=0.7,
    cooler_w=30.0,
    cooler_lag_s=90.0,
)
"""5 l with the heater around it and a small cooler: quick, some 1.4 h."""

CONICAL = Vessel(
    name="conical in a cold room",
    beer_kg=60.0,
    chamber_j_per_k=20_000.0,
    walls_w_per_k=6.0,
    beer_w_per_k=25.0,
    heater_w=150.0,
    heater_lag_s=400.0,
    cooler_w=250.0,
    cooler_lag_s=180.0,
)
"""60 l in a chamber with a unit of its own: some 2.7 h."""

STILL_AIR = Vessel(
    name="carboy in a large refrigerator with still air",
    beer_kg=20.0,
    chamber_j_per_k=15_000.0,
    walls_w_per_k=1.5,
    beer_w_per_k=4.0,
    heater_w=60.0,
    heater_lag_s=600.0,
    cooler_w=110.0,
    cooler_lag_s=180.0,
)
"""The hard one: the chamber stores more cold than the beer takes up in an hour, so any two-point control overshoots.
All its figures are at the bad end of what is sold, and of those above, at once."""

VESSELS = (CUPBOARD, BELTED, CARBOY, BUCKET, CONICAL, STILL_AIR)
