"""From what was heard to values: smoothed, calibrated, and rounded once, at the very end. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from holdfast.drivers.tilt.codec import COLDEST, HOTTEST, TiltReport
from holdfast.model import Capability, Periodic, Sanity, ValueType

if TYPE_CHECKING:
    from collections.abc import Mapping
    from fractions import Fraction

    from holdfast.drivers.tilt.calibration import Calibration
    from holdfast.drivers.tilt.options import TiltOptions
    from holdfast.link.driver import Project
    from holdfast.model import Value

LIVE: Final = "live"
SIGNAL: Final = "signal"


class Sample(NamedTuple):
    """A report, and when it was heard in loop time."""

    t: float
    report: TiltReport


def capabilities(options: TiltOptions) -> list[Capability]:
    """What a Tilt tells. What no beer can have is believed once it was repeated, as suspect."""
    freshness = Periodic(options.stale_after_s)
    member = options.member
    return [
        Capability(
            key="temperature",
            type=ValueType.NUMBER,
            unit="°C",
            member=member,
            group=LIVE,
            freshness=freshness,
            sanity=_within(options.temperature, COLDEST.temperature, HOTTEST.temperature),
        ),
        Capability(
            key="gravity",
            type=ValueType.NUMBER,
            member=member,
            group=LIVE,
            freshness=freshness,
            sanity=_within(options.gravity, COLDEST.gravity, HOTTEST.gravity),
        ),
        Capability(
            key="rssi",
            type=ValueType.NUMBER,
            unit="dBm",
            member=member,
            group=SIGNAL,
            essential=False,
            freshness=freshness,
        ),
    ]


def _within(calibration: Calibration, least: Fraction, most: Fraction) -> Sanity:
    """Limits of what is measured, as they look when it is corrected: every calibration rises."""
    return Sanity(minimum=float(calibration.apply(least)), maximum=float(calibration.apply(most)))


def projection(options: TiltOptions) -> Project:
    """What turns a window of samples (oldest first), or a signal strength, into values."""

    def project(member: str, group: str, raw: Any, before: Mapping[str, Value]) -> Mapping[str, Value]:
        if group == SIGNAL:
            return {"rssi": raw}
        since_t = raw[-1].t - options.stale_after_s
        reports = [each.report for each in raw if each.t >= since_t]
        middle = options.smoothing.of
        temperature = options.temperature.apply(middle([each.temperature for each in reports]))
        gravity = options.gravity.apply(middle([each.gravity for each in reports]))
        return {"temperature": float(temperature), "gravity": float(gravity)}

    return project
