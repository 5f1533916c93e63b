"""Rehearsals: the whole hub against a simulated house or pack in virtual time, judged by who knows the truth."""

from holdfast.simulation.rehearsal.pack import PackRehearsal, PackVerdict, rehearse_pack
from holdfast.simulation.rehearsal.run import Rehearsal, rehearse
from holdfast.simulation.rehearsal.verdict import Verdict

__all__ = ["PackRehearsal", "PackVerdict", "Rehearsal", "Verdict", "rehearse", "rehearse_pack"]
