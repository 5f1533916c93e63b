"""Drivers whose evidence is worth less than it says, or costs more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from holdfast.link.planner import Step
from holdfast.link.stream import StreamSession
from holdfast.model import Batch
from tests.link.toys import lockstep
from tests.testing.broken.driver import BrokenDriver, Relay, afresh, lamp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from holdfast.link.planner import Action, Seen, WireLog, Wish
    from holdfast.link.session import Job, Session, Sink
    from holdfast.link.stream import Dial
    from holdfast.model import Event, Stamp, Value


class Dateless(Relay):
    """Dates everything to its arrival."""

    def observed(self, batch: Batch, as_of: Stamp | None = None) -> bool:
        return self.sink.observed(batch, None)


def _dateless(dial: Dial, codec: lockstep.LineCodec, sink: Sink) -> Session:
    return StreamSession(dial, codec, Dateless(sink))


class ForgetfulSession(StreamSession):
    """Takes the next answer for the answer to the next question."""

    def forget(self, job: Job) -> None:
        if self._job is job:
            self._job = None


class WordyCodec(lockstep.LineCodec):
    """Never says that two answers are equal."""

    def _read(self, line: bytes) -> Event:
        event = super()._read(line)
        return event._replace(whole=None) if isinstance(event, Batch) else event


class LiveCodec(lockstep.LineCodec):
    """Reports the dictionary in which it keeps its state."""

    def __init__(self, password: str) -> None:
        super().__init__(password)
        self._state: dict[str, int] = {}

    def _read(self, line: bytes) -> Event:
        event = super()._read(line)
        if not isinstance(event, Batch):
            return event
        self._state.update(event.raw)
        return event._replace(raw=self._state)


def _project_state(member: str, group: str, raw: Any, before: Mapping[str, Value]) -> Mapping[str, Value]:
    return {"lamp": bool(raw["lamp"]), "level": raw["level"]}


def _counting() -> Callable[..., Iterable[Action]]:
    """A planner that counts how often it was asked."""
    asked = [0]

    def plan(wishes: Sequence[Wish], seen: Seen, sent: WireLog, now: float) -> Iterable[Action]:
        asked[0] += 1
        for wish in wishes:
            if wish.try_at <= now and asked[0] % 2:
                yield Step(wish.key, (wish.key, wish.value), (wish.key,), (wish.key,))

    return plan


BROKEN = (
    BrokenDriver(
        "everything is news",
        "dates_answers_by_their_question",
        "after it had ceased to be true",
        lamp(session=_dateless),
    ),
    BrokenDriver(
        "no debt is remembered",
        "proves_nothing_by_old_answers",
        "was verified, and at the device",
        lamp(session=ForgetfulSession),
    ),
    BrokenDriver(
        "no two answers are equal", "decodes_equal_answers_once", "were decoded", lamp(codec=WordyCodec)
    ),
    BrokenDriver(
        "a raw batch that changes",
        "keeps_its_pure_parts_pure",
        "when it was reported, and later",
        lamp(codec=LiveCodec, project=_project_state),
    ),
    BrokenDriver(
        "a planner with a memory",
        "keeps_its_pure_parts_pure",
        "the planner gave",
        afresh(lambda: lamp(planner=_counting())),
    ),
)
