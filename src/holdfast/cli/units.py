"""Temperatures in the unit in which the site's owner reads them. Inside, and in JSON, all is °C."""

from __future__ import annotations

from typing import Final

CELSIUS: Final = "°C"
FAHRENHEIT: Final = "°F"
UNITS: Final = {"celsius": CELSIUS, "fahrenheit": FAHRENHEIT}
"""By what a site file calls them."""


def temperature(celsius: float, unit: str) -> str:
    """A temperature in words, to a hundredth: ``64.4 °F``."""
    number = celsius if unit == CELSIUS else celsius * 9 / 5 + 32
    return f"{round(number, 2) + 0.0:g} {unit}"  # + 0.0: no minus before a zero
