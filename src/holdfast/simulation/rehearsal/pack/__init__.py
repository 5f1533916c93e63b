"""A rehearsal of a battery pack with two ways to its bus, both of them bad."""

from holdfast.simulation.rehearsal.pack.run import PackRehearsal, rehearse_pack
from holdfast.simulation.rehearsal.pack.verdict import PackVerdict

__all__ = ["PackRehearsal", "PackVerdict", "rehearse_pack"]
