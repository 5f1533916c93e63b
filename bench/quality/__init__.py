"""How well the thermostat keeps stated vessels, in simulated months: ``python -m bench.quality``."""
