"""A million damaged frames: which wrong values get through, and which good frames are lost to their neighbours.

``python -m bench.jkbms.dirty [COUNT] [SEED]`` prints the report. Every second answer on the bus is damaged in one of
the ways that have been seen in the field or that a weak checksum lets through (fact sheet sections 1, 3 and 15). What
is accepted must equal, value by value, a frame that its battery really sent a moment ago.
"""

from __future__ import annotations

import argparse
import random
from collections import Counter, deque
from dataclasses import dataclass, field
from itertools import islice, pairwise
from typing import TYPE_CHECKING, Any

from bench.jkbms.bus import poll, reply
from bench.jkbms.material import ADDRESSES, FRAME_SIZE, HEAD, endless_frames
from bench.jkbms.names import ROUNDING
from bench.jkbms.truth import truth

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    Reader = Callable[[bytes], Iterable[tuple[int, Mapping[str, Any]]]]
    Damage = Callable[[random.Random, bytes, bytes, bytes], bytes]

WINDOW = 3
"""How many frames of a battery an accepted one may be: a reader may wait for the next unit before it decides."""
EXAMPLES = 5


@dataclass(slots=True)
class Report:
    """What became of the frames, by kind of damage; ``examples`` has the first few wrong values of each kind."""

    damaged: Counter[str] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)
    survived: Counter[str] = field(default_factory=Counter)
    """Accepted with right values all the same: the damage was behind the frame, or in bytes that mean nothing."""
    good: int = 0
    lost: int = 0
    """Good frames that were not accepted."""
    examples: dict[str, list[str]] = field(default_factory=dict)

    def text(self) -> str:
        """A plain table."""
        lines = [f"{self.good:,} good frames, {self.lost:,} of them lost"]
        lines += [
            f"{kind:>14}: {count:>9,} damaged, {self.survived[kind]:>9,} read right, {self.wrong[kind]:>7,} wrong"
            for kind, count in sorted(self.damaged.items())
        ]
        lines += [f"{kind}: {each}" for kind, found in sorted(self.examples.items()) for each in found]
        return "\n".join(lines)


@dataclass(slots=True)
class _Sent:
    values: dict[str, Any]
    kind: str
    is_seen: bool = False


def dirty_run(count: int, seed: int, read: Reader | None = None) -> Report:
    """Damage so many frames, as many good ones among them, and judge what ``read`` makes of the bus.

    ``read`` takes bytes and gives the live frames they complete; without it, it is Holdfast's (`ours.holdfast_reader`).
    """
    if read is None:
        from bench.jkbms.ours import holdfast_reader

        read = holdfast_reader()
    report = Report()
    recent: dict[int, deque[_Sent]] = {address: deque() for address in ADDRESSES}
    last_kind = ""
    for address, data, sent in _traffic(count, seed):
        if sent.kind:
            report.damaged[sent.kind] += 1
            last_kind = sent.kind
        else:
            report.good += 1
        window = recent[address]
        window.append(sent)
        if len(window) > WINDOW:
            _settle(report, window.popleft())
        for heard, values in read(data):
            _judge(report, recent.get(heard, ()), heard, values, last_kind)
    for window in recent.values():
        for left in window:
            _settle(report, left)
    return report


def _traffic(count: int, seed: int) -> Iterator[tuple[int, bytes, _Sent]]:
    """Answers on the bus, each with its sender and what it really said."""
    rng = random.Random(seed)
    kinds = list(DAMAGES.items())
    frames = pairwise(endless_frames(seed))
    for number, (frame, following) in enumerate(islice(frames, 2 * count)):
        address = ADDRESSES[number % len(ADDRESSES)]
        end = reply(address, "live")
        kind, answer = "", frame + end
        # Every second answer, and in the next turn of the bus the others: each battery sends good and damaged ones.
        if (number + number // len(ADDRESSES)) % 2:
            kind, damage = kinds[rng.randrange(len(kinds))]
            answer = damage(rng, frame, end, following)
        question = poll(address, "live") if address else b""
        yield address, question + answer, _Sent(truth(frame), kind)


def _judge(
    report: Report, sent: Iterable[_Sent], heard: int, values: Mapping[str, Any], last_kind: str
) -> None:
    best: list[str] | None = None
    for each in sent:
        off = _differences(each.values, values)
        if not off:
            each.is_seen = True
            return
        best = off if best is None or len(off) < len(best) else best
    kind = last_kind or "none"
    report.wrong[kind] += 1
    found = report.examples.setdefault(kind, [])
    if len(found) < EXAMPLES:
        found.append(f"address {heard}: {'; '.join((best or ['nothing was sent'])[:3])}")


def _settle(report: Report, sent: _Sent) -> None:
    if sent.kind:
        report.survived[sent.kind] += sent.is_seen
    else:
        report.lost += not sent.is_seen


def _differences(sent: Mapping[str, Any], values: Mapping[str, Any]) -> list[str]:
    return [
        f"{key} {values[key]} instead of {value}"
        for key, value in sent.items()
        if key != "alarms" and key in values and not _is_near(value, values[key])
    ]


def _is_near(value: float, other: Any) -> bool:
    return other is not None and abs(value - other) <= ROUNDING


# --- damage ----------------------------------------------------------------------------------------------------------


def _flip(rng: random.Random, frame: bytes, end: bytes, _: bytes) -> bytes:
    return _flipped(frame, rng.randrange(8 * FRAME_SIZE)) + end


def _flip_pair(rng: random.Random, frame: bytes, end: bytes, _: bytes) -> bytes:
    """Two bits that leave the sum as it was."""
    while True:
        bit = rng.randrange(8)
        first, second = rng.sample(range(len(HEAD) + 2, FRAME_SIZE - 1), 2)
        if (frame[first] ^ frame[second]) >> bit & 1:
            return _flipped(_flipped(frame, 8 * first + bit), 8 * second + bit) + end


def _drop(rng: random.Random, frame: bytes, end: bytes, _: bytes) -> bytes:
    at = rng.randrange(FRAME_SIZE)
    return frame[:at] + frame[at + rng.randrange(1, 21) :] + end


def _cut(_: random.Random, frame: bytes, __: bytes, ___: bytes) -> bytes:
    return frame[:256]


def _junk(rng: random.Random, frame: bytes, end: bytes, _: bytes) -> bytes:
    at = rng.randrange(1, FRAME_SIZE)
    return frame[:at] + rng.randbytes(rng.randrange(1, 51)) + frame[at:] + end


def _splice(rng: random.Random, frame: bytes, end: bytes, other: bytes) -> bytes:
    """The rest of another battery's frame behind the beginning of this one, and the sum fits."""
    at = rng.randrange(len(HEAD) + 2, FRAME_SIZE - 1)
    return _summed(frame[:at] + other[at:-1]) + end


def _zeros(_: random.Random, frame: bytes, end: bytes, __: bytes) -> bytes:
    """Nothing but zeros, and the sum fits."""
    return _summed(frame[:6] + bytes(FRAME_SIZE - 7)) + end


def _bad_reply(rng: random.Random, frame: bytes, end: bytes, _: bytes) -> bytes:
    return frame + _flipped(end, rng.randrange(8 * len(end)))


def _no_reply(_: random.Random, frame: bytes, __: bytes, ___: bytes) -> bytes:
    return frame


DAMAGES: dict[str, Damage] = {
    "one bit": _flip,
    "two bits": _flip_pair,
    "bytes dropped": _drop,
    "cut at 256": _cut,
    "junk inside": _junk,
    "spliced": _splice,
    "all zero": _zeros,
    "bad reply": _bad_reply,
    "no reply": _no_reply,
}


def _flipped(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def _summed(data: bytes) -> bytes:
    return data + bytes((sum(data) & 0xFF,))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.jkbms.dirty")
    parser.add_argument("count", nargs="?", type=int, default=1_000_000, help="damaged frames (1,000,000)")
    parser.add_argument("seed", nargs="?", type=int, default=1)
    print(dirty_run(**vars(parser.parse_args())).text())
