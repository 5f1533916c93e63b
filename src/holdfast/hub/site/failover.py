"""Reads how calmly a device moves between its adapters: options that every device has, whatever its driver."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.model import FailoverTiming

if TYPE_CHECKING:
    from holdfast.hub.site.section import Section

FAILOVER_KEYS = ("minimum_stay_s", "hold_s", "probe_every_s")
"""Keys of a device's options that are not its driver's."""
LEAST_S = {"minimum_stay_s": 0.0, "hold_s": 1.0, "probe_every_s": 5.0}
"""A shorter hold proves nothing, and more frequent probes take a socket that a gateway may not have to spare."""
MOST_S = 86400.0
"""A day: what takes longer is a decision for a person."""


def read_failover(options: Section) -> FailoverTiming:
    """The timing; what does not fit is noted and replaced by the default."""
    default = FailoverTiming()
    return FailoverTiming(
        **{key: options.seconds(key, LEAST_S[key], MOST_S, getattr(default, key)) for key in FAILOVER_KEYS}
    )
