"""The job with damaged frames judges: it must tell a careless reader from a careful one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bench.jkbms.bus import reply
from bench.jkbms.dirty import DAMAGES, dirty_run
from bench.jkbms.material import ADDRESSES, HEAD, is_whole
from bench.jkbms.truth import truth

if TYPE_CHECKING:
    from collections.abc import Iterator

REPLIES = {reply(address, "live"): address for address in ADDRESSES}
UNSEEN = {"two bits", "spliced"}
"""What neither sum nor reply can show."""


def _careful(data: bytes) -> Iterator[tuple[int, dict[str, Any]]]:
    """Knows where an answer ends, as no real reader does, and believes sum, reply and a mask with cells."""
    frame, address = data[-308:-8], REPLIES.get(data[-8:])
    if address is not None and is_whole(frame) and any(frame[70:74]):
        yield address, truth(frame)


def _careless(data: bytes) -> Iterator[tuple[int, dict[str, Any]]]:
    """Takes whatever is behind a head, as the system did that Holdfast replaces."""
    at = data.find(HEAD)
    frame = data[at : at + 300].ljust(300, b"\0")
    if at >= 0 and any(frame[70:74]):
        yield REPLIES.get(data[-8:], 1), truth(frame)


def test_a_careful_reader_loses_nothing_and_is_fooled_by_what_fits() -> None:
    """All good frames arrive; only damage that sum and reply cannot show gets through."""
    report = dirty_run(1_000, 5, _careful)
    assert sum(report.damaged.values()) == report.good == 1_000
    assert set(report.damaged) == set(DAMAGES)
    assert report.lost == 0
    assert set(report.wrong) == UNSEEN
    assert not report.survived["one bit"] + report.survived["cut at 256"] + report.survived["all zero"]
    assert "two bits" in report.text()


def test_a_careless_reader_is_caught() -> None:
    """Wrong values of the kinds that a sum would have shown, with an example of each."""
    report = dirty_run(1_000, 5, _careless)
    assert {"one bit", "bytes dropped", "cut at 256", "junk inside"} <= set(report.wrong)
    assert all("instead of" in each for each in report.examples["junk inside"])


def test_a_deaf_reader_loses_all() -> None:
    """What is not accepted is lost, and the damaged frames are not among it."""
    report = dirty_run(50, 5, lambda _: ())
    assert report.lost == report.good == 50
    assert not report.wrong
