"""The rows: both sides in turn, in fresh processes and on one core each, and the median of the rounds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field, replace
from statistics import median
from typing import Any

from bench.child import STEADY_HEAP, PeerGone
from bench.jkbms.environment import ROOT, PeerUnavailable, peer_python
from bench.jkbms.material import FRAME_SIZE, live_frames
from bench.jkbms.names import differences
from bench.rows import Row

SEED = 20_260
SAMPLED = 200
"""Frames whose values are compared."""
WHOLE, SLICE = FRAME_SIZE, 244
"""Bytes a notification: the whole frame, which the peer decodes fastest, or what an ATT_MTU of 247 leaves room for."""
AIM_PER_S = 30_000.0
AHEAD = 1.01
"""Ratio from which Holdfast is ahead: more than equal in the two digits that are shown."""
LIMIT_S = 300.0

OUR_WORK = (
    "Holdfast, bytes to state, does for each frame: find it among polls and replies in a stream cut into reads of 11, "
    "256 and 52 bytes; check sum and reply CRC; attribute it to a battery; sanity checks; decode all fields; state "
    "with freshness"
)
THEIR_WORK = (
    "aiobmsble does for each frame: gather notifications that begin with the frame; check the sum; decode 20 fields, "
    "sensors and cells into a dict; derive power, charge, temperature, problem. No bus, no D-Bus and radio here"
)


@dataclass(slots=True)
class Side:
    """The rounds of one side: frames a second of CPU each, what it calls itself, why it has none."""

    per_s: list[float] = field(default_factory=list)
    rounds: list[dict[str, Any]] = field(default_factory=list)
    samples: list[dict[str, Any]] = field(default_factory=list)
    words: str = ""
    missing: str = ""

    @property
    def median_per_s(self) -> float | None:
        """The figure of the side; ``None`` where it was not measured."""
        return median(self.per_s) if self.per_s else None

    def add(self, result: dict[str, Any]) -> None:
        """One more round."""
        self.words = result["words"]
        self.missing = result.get("missing", "")
        if not self.missing:
            self.per_s.append(result["frames"] / result["cpu_s"])
            self.samples = result.pop("samples") or self.samples
            self.rounds.append(result)


def rows(count: int, rounds: int) -> list[Row]:
    """Measure both sides on so many frames, so many times."""
    frames = live_frames(count, SEED)
    data = b"".join(frames)
    every = max(1, count // SAMPLED) | 1  # odd, so that each of the four batteries is among the sample
    ours, ours_in_cycle, codec, theirs, theirs_in_slices = (Side() for _ in range(5))
    try:
        python = str(peer_python())
    except PeerUnavailable as error:
        theirs.missing = theirs_in_slices.missing = str(error)
        python = ""
    for number in range(rounds):
        sampled = 0 if number else every
        codec.add(_our_round(data, side="codec", bus="live", every=sampled))
        if python:
            theirs.add(_measured(python, "bench.jkbms.peer", data, slice_size=WHOLE, every=sampled))
        ours.add(_our_round(data, side="whole job", bus="live", every=0))
        if python:
            theirs_in_slices.add(_measured(python, "bench.jkbms.peer", data, slice_size=SLICE, every=0))
        ours_in_cycle.add(_our_round(data, side="whole job", bus="whole", every=0))
    found = [
        _speed("Holdfast, bytes to state", ours, better=">=", target=AIM_PER_S, note=_words(ours)),
        _speed("Holdfast, the same in a master's whole cycle", ours_in_cycle, note=OUR_WORK),
        _speed("Holdfast, codec alone: raw numbers", codec, note=_words(codec)),
        _speed("aiobmsble, a frame a notification", theirs, note=_words(theirs)),
        _speed(f"aiobmsble, notifications of up to {SLICE} bytes", theirs_in_slices, note=THEIR_WORK),
        _ratio("Holdfast, bytes to state / aiobmsble at its fastest", ours, theirs, target=AHEAD),
        _ratio("Holdfast, codec alone / aiobmsble at its fastest", codec, theirs),
        _lost(ours, ours_in_cycle, codec),
        _compared(codec, theirs),
    ]
    return [replace(row, what=f"{row.what} (not measured)") if row.value is None else row for row in found]


def _measured(python: str, module: str, data: bytes, **options: Any) -> dict[str, Any]:
    """One round of one side. Raises `PeerGone`."""
    done = subprocess.run(
        [python, "-m", module, json.dumps(options)],
        input=data,
        stdout=subprocess.PIPE,
        timeout=LIMIT_S,
        check=False,
        cwd=ROOT,
        env=os.environ | STEADY_HEAP,
    )
    if done.returncode:
        raise PeerGone(f"{module} ended with {done.returncode}")
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def _our_round(data: bytes, **options: Any) -> dict[str, Any]:
    return _measured(sys.executable, "bench.jkbms.ours", data, **options)


def _speed(what: str, side: Side, **more: Any) -> Row:
    return Row(what, side.median_per_s, "/core-s", digits=0, raw={"rounds": side.rounds}, **more)


def _words(side: Side) -> str:
    return f"not measured: {side.missing}" if side.missing else side.words


def _ratio(what: str, ours: Side, theirs: Side, target: float | None = None) -> Row:
    mine, other = ours.median_per_s, theirs.median_per_s
    ratio = mine / other if mine and other else None
    return Row(what, ratio, "x", ">=", target, digits=2)


def _lost(*sides: Side) -> Row:
    lost = max((each["sent"] - each["frames"] for side in sides for each in side.rounds), default=None)
    return Row("frames that Holdfast did not accept", lost, "", "==", 0, digits=0)


def _compared(ours: Side, theirs: Side) -> Row:
    if not ours.samples or not theirs.samples:
        return Row("frames read differently", None, "", "==", 0, digits=0)
    found = [differences(*pair) for pair in zip(ours.samples, theirs.samples, strict=False)]
    differing = [each for each in found if each]
    note = f"first difference: {'; '.join(differing[0][:3])}" if differing else ""
    what = f"frames read differently, of {len(found)}"
    return Row(what, len(differing), "", "==", 0, digits=0, note=note, raw={"differences": differing[:10]})
