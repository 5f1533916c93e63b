"""Drivers that spoil commands."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from holdfast.link.planner import Refuse, Step, Wait, one_wish_one_step
from holdfast.link.stream import StreamSession
from holdfast.model import Batch
from tests.link.toys import lockstep
from tests.testing.broken.driver import BrokenDriver, Relay, afresh, lamp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from holdfast.link.planner import Action, Seen, WireLog, Wish
    from holdfast.link.session import End, Job, Session, Sink
    from holdfast.link.stream import Dial
    from holdfast.model import Stamp

PATIENCE_S = 2.0


class ContraryCodec(lockstep.LineCodec):
    """Sends the opposite of what is wanted."""

    def encode(self, payload: Any) -> bytes:
        key, value = payload
        return super().encode((key, not value if key == "lamp" else 100 - value))


class Optimist(Relay):
    """Takes an acknowledgement for the deed."""

    def __init__(self, sink: Sink) -> None:
        super().__init__(sink)
        self._known: dict[str, int] = {}

    def observed(self, batch: Batch, as_of: Stamp | None = None) -> bool:
        self._known.update(batch.raw)
        return super().observed(batch, as_of)

    def finished(self, job: Job, end: End, text: str = "") -> None:
        super().finished(job, end, text)
        if job.is_step:
            key, value = job.payload
            self.sink.observed(Batch("", "live", tuple((self._known | {key: int(value)}).items())))


def _optimistic(dial: Dial, codec: lockstep.LineCodec, sink: Sink) -> Session:
    return StreamSession(dial, codec, Optimist(sink))


class RepeatingCodec(lockstep.LineCodec):
    """Says everything twice, to be sure."""

    def encode(self, payload: Any) -> bytes:
        return super().encode(payload) * 2


ALL_URGENT = tuple(replace(each, urgent=(True, False, *range(101))) for each in lockstep.CAPABILITIES)


def _step(wish: Wish, *, is_urgent: bool = False) -> Step:
    return Step(wish.key, (wish.key, wish.value), (wish.key,), (wish.key,), is_urgent=is_urgent)


def _once(wishes: Sequence[Wish], seen: Seen, sent: WireLog, now: float) -> Iterable[Action]:
    """Tries once and leaves it at that."""
    return [_step(wish) for wish in wishes if wish.sends == 0]


def _hurried(wishes: Sequence[Wish], seen: Seen, sent: WireLog, now: float) -> Iterable[Action]:
    """Finds everything urgent."""
    return [_step(wish, is_urgent=True) if wish.try_at <= now else Wait(wish.try_at) for wish in wishes]


def _impatient(wishes: Sequence[Wish], seen: Seen, sent: WireLog, now: float) -> Iterable[Action]:
    """Refuses what it could not do at once."""
    late = [
        Refuse(wish.key, "too late") for wish in wishes if not wish.sends and now - wish.issued.t > PATIENCE_S
    ]
    return late or one_wish_one_step(wishes, seen, sent, now)


def _faithful() -> Callable[..., Iterable[Action]]:
    """A planner that serves the first wish it ever heard for a key until it is done."""
    first: dict[str, Wish] = {}

    def plan(wishes: Sequence[Wish], seen: Seen, sent: WireLog, now: float) -> Iterable[Action]:
        open_keys = {wish.key for wish in wishes}
        for key in first.keys() - open_keys:
            del first[key]
        kept = [first.setdefault(wish.key, wish)._replace(try_at=wish.try_at) for wish in wishes]
        return list(one_wish_one_step(kept, seen, sent, now))

    return plan


BROKEN = (
    BrokenDriver("the opposite is sent", "carries_out_commands", "ended failed", lamp(codec=ContraryCodec)),
    BrokenDriver(
        "an acknowledgement is the deed",
        "lets_only_the_device_verify",
        "was verified, and at the device",
        lamp(session=_optimistic),
    ),
    BrokenDriver("one attempt only", "tries_as_often_as_planned", "was tried 1 times", lamp(planner=_once)),
    BrokenDriver(
        "everything twice", "sends_each_step_once", "arrived at the device", lamp(codec=RepeatingCodec)
    ),
    BrokenDriver(
        "everything is urgent",
        "keeps_its_spacing",
        "200 ms are promised",
        lamp(planner=_hurried, capabilities=ALL_URGENT),
    ),
    BrokenDriver(
        "what waited is refused",
        "keeps_commands_through_an_outage",
        "ended refused: too late",
        lamp(planner=_impatient),
    ),
    BrokenDriver(
        "the first wish is served",
        "serves_the_newest_wish",
        "the newer command, ended",
        afresh(lambda: lamp(planner=_faithful())),
    ),
)
