"""The comparison of what was written and what was shown can fail: each kind of difference is seen."""

from __future__ import annotations

from typing import Any

import pytest

from bench.jkbms.live import TCP, Outcome

Frames = list[dict[str, Any]]


def live(address: int, runtime_s: int, **more: Any) -> dict[str, Any]:
    return {"address": address, "kind": "live", "runtime_s": runtime_s, "soc_pct": 50, **more}


def settings(address: int) -> dict[str, Any]:
    return {"address": address, "kind": "settings"}


WRITTEN = [live(0, 10), settings(0), live(1, 20), settings(1), live(0, 15), settings(0)]
SHOWN = [live(0, 10), live(1, 20), live(0, 15)]


def outcome(shown: Frames, *, counted: int = 6, written: Frames = WRITTEN) -> Outcome:
    return Outcome(TCP, written, shown, {"frames": {"live": counted - 3, "settings": 3}})


def test_all_is_there() -> None:
    """What was written before the first frame that is shown does not count."""
    whole = outcome(SHOWN)
    assert (whole.before(), whole.missed(), whole.lost(), whole.strange()) == (0, 0, 0, [])
    late = outcome(SHOWN, written=[live(3, 5), settings(3), *WRITTEN])
    assert (late.before(), late.missed(), late.lost(), late.strange()) == (1, 0, 0, [])


@pytest.mark.parametrize(
    ("shown", "lost", "strange"),
    [
        ([], 3, 0),
        (SHOWN[:2], 1, 0),
        ([SHOWN[0], SHOWN[2]], 1, 0),
        ([SHOWN[0], SHOWN[2], SHOWN[1]], 1, 0),
        ([SHOWN[0], live(2, 20), SHOWN[2]], 1, 1),
        ([SHOWN[0], live(1, 20, soc_pct=51), SHOWN[2]], 1, 1),
        ([*SHOWN, live(0, 15)], 0, 1),
    ],
    ids=["nothing", "last lost", "middle lost", "order", "wrong battery", "wrong value", "one too many"],
)
def test_a_difference_is_seen(shown: Frames, lost: int, strange: int) -> None:
    """Whatever is not shown as it was written."""
    found = outcome(shown)
    assert len(found.strange()) == strange
    assert (found.lost() > 0) == (lost > 0)


def test_a_frame_that_was_not_counted() -> None:
    """Settings show nothing new, so only the counters tell of them."""
    assert outcome(SHOWN, counted=5).missed() == 1
