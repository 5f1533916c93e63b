"""A rehearsal: the whole hub against a simulated house in virtual time, judged by an observer who knows the truth."""

from holdfast.simulation.rehearsal.run import Rehearsal, rehearse
from holdfast.simulation.rehearsal.verdict import Verdict

__all__ = ["Rehearsal", "Verdict", "rehearse"]
