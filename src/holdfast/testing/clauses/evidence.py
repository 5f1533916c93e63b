"""What a driver's evidence is worth: its date, its purity, its price."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from holdfast.hub.site.spec import DeviceSpec
from holdfast.link.driver import Trait
from holdfast.model import CommandState, ValueType
from holdfast.testing.clause import NO_STREAM, clause

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from holdfast.link.driver import Driver
    from holdfast.link.planner import Action, Planner, Seen, WireLog, Wish
    from holdfast.model import Reject, Value
    from holdfast.simulation import NetworkEvent
    from holdfast.testing.stage import Stage

LAGS = (0.0, 0.6, 1.2, 1.6)
"""How late a device answers, in reply deadlines: at once, within it, past it."""
LATE = (1.2, 1.6)
"""Past its deadline, in reply deadlines."""
ALLOWED_MORE = 3
"""Answers decoded beyond the different ones: those around the opening."""


@clause(needs=Trait.POLLED)
async def dates_answers_by_their_question(stage: Stage) -> None:
    """Stamp an answer with its question: what is dated to a moment was true at that moment or later."""
    rounds = stage.driver.polls[0]
    target = _best_witness(stage)
    too_young: list[str] = []

    def compare(report: str) -> None:
        if report not in ("observed", "same"):
            return
        device, capability = stage.hub.resolve(target)
        evidence = device.evidence_of(capability.member, capability.group)
        if capability.key not in evidence.values:
            return
        value = evidence.values[capability.key]
        gone_t = stage.truth_log.last_true(target, value)
        if gone_t < evidence.t - 1e-6:
            too_young.append(
                f"{target} = {value!r} was dated {evidence.t - gone_t:.3f} s after it had ceased to be true"
            )

    for lag in LAGS:
        async with stage.running():
            await stage.online()
            stage.bench.lag(lag * rounds.reply_s)
            stage.conduct.listeners.append(compare)
            for _ in range(40):
                stage.change(target)
                await stage.wait(stage.loop.random.uniform(0.05, 1.0) * rounds.every_s)
            stage.conduct.listeners.remove(compare)
            stage.bench.resume()
            stage.require_none([f"{each}, with answers after {lag:g} reply deadlines" for each in too_young])


def _best_witness(stage: Stage) -> str:
    """A number, if there is one: it takes more values than a switch, so each tells its own time."""
    targets = stage.changeable
    numbers = [each for each in targets if stage.capability(each).type is ValueType.NUMBER]
    return (numbers or targets)[0]


@clause(needs=Trait.POLLED | Trait.WRITES)
async def proves_nothing_by_old_answers(stage: Stage) -> None:
    """Take an answer to an old question for nothing newer: it never verifies a command given after it was asked."""
    poll = stage.driver.polls[0]
    async with stage.running():
        await stage.online()
        stage.require(stage.settable, "the contract knows no command that asks for what is so already")
        target = stage.settable[0]
        for phase in range(12):
            wanted = stage.bench.truth(target)
            late_s = LATE[phase % len(LATE)] * poll.reply_s
            stage.bench.lag(late_s)
            await stage.wait(poll.every_s * (1 + phase / 12))
            stage.change(target)
            stage.bench.ignore_writes()
            receipt = await stage.ended(stage.command(target, wanted, 2 * (poll.every_s + late_s)))
            stage.require(
                receipt.state is not CommandState.VERIFIED,
                f"{target} = {wanted!r} was verified, and at the device it is {stage.bench.truth(target)!r}",
            )
            stage.bench.resume()
            await stage.until(stage.is_online, stage.recovery_s)


@clause(needs=Trait.POLLED, without=NO_STREAM)
async def decodes_equal_answers_once(stage: Stage) -> None:
    """Give the wire bytes of an answer (`Batch.whole`), so that an equal one costs a comparison and no decoding."""
    runs = [0]
    often = min(stage.driver.polls, key=lambda poll: poll.every_s).group
    payloads: set[bytes] = set()
    here = stage.loop.network.here.address

    def counting(driver: Driver) -> Driver:
        def project(member: str, group: str, raw: Any, before: Mapping[str, Value]) -> Mapping[str, Value]:
            runs[0] += group == often
            return driver.project(member, group, raw, before)

        return replace(driver, project=project)

    def watch(event: NetworkEvent) -> None:
        if event.what == "data" and event.target[0] == here:
            payloads.add(event.data)

    async with stage.running(_with(stage, counting)):
        await stage.online()
        stage.loop.network.watchers.append(watch)
        runs[0] = 0
        await stage.wait(40 * min(poll.every_s for poll in stage.driver.polls))
        most = len(payloads) + ALLOWED_MORE
        stage.require(
            runs[0] <= most, f"{runs[0]} answers were decoded, though only {len(payloads)} of them differed"
        )


def _with(stage: Stage, change: Callable[[Driver], Driver]) -> Sequence[DeviceSpec]:
    return [DeviceSpec(spec.device, tuple(change(driver) for driver in spec.drivers)) for spec in stage.specs]


@clause()
async def keeps_its_pure_parts_pure(stage: Stage) -> None:
    """Write check, project, shows and planner as pure functions, and never change a raw batch once it is reported."""
    seen: list[str] = []
    raws: list[tuple[Any, Any]] = []

    async with stage.running(_with(stage, lambda driver: _twice(driver, seen, raws))):
        await stage.online()
        for target in stage.changeable:
            stage.change(target)
            await stage.wait(stage.pace_s(target))
        for target in stage.writable:
            for _ in range(2):
                stage.command(target, stage.bench.other(target, stage.capability(target)))
                await stage.wait(stage.round_s)
    stage.require_none(seen)
    changed = [
        f"a raw batch was {before!r} when it was reported, and later {raw!r}"
        for raw, before in raws
        if raw != before
    ]
    stage.require_none(changed)


def _twice(driver: Driver, seen: list[str], raws: list[tuple[Any, Any]]) -> Driver:
    """The driver with every pure part asked twice."""

    def check(member: str, group: str, raw: Any, before: Any) -> Reject | None:
        raws.append((raw, copy.deepcopy(raw)))
        first, second = driver.check(member, group, raw, before), driver.check(member, group, raw, before)
        _compare("check", first, second)
        return first

    def project(member: str, group: str, raw: Any, before: Mapping[str, Value]) -> Mapping[str, Value]:
        known = dict(before)
        first = dict(driver.project(member, group, raw, before))
        _compare("project", first, dict(driver.project(member, group, raw, known)))
        _compare("project changed the values before, which", known, dict(before))
        return first

    def shows(key: str, wanted: Value, shown: Value) -> bool:
        first = driver.shows(key, wanted, shown)
        _compare("shows", first, driver.shows(key, wanted, shown))
        return first

    def _compare(what: str, first: object, second: object) -> None:
        if first != second:
            seen.append(f"{what} gave {first!r} and then {second!r} for the same question")

    planner = driver.planner
    return replace(
        driver,
        check=check,
        project=project,
        shows=shows,
        planner=None if planner is None else _asked_twice(planner, _compare),
    )


def _asked_twice(planner: Planner, compare: Callable[[str, object, object], None]) -> Planner:
    def plan(wishes: Sequence[Wish], seen: Seen, sent: WireLog, now: float) -> Iterable[Action]:
        first = list(planner(wishes, seen, sent, now))
        compare("the planner", first, list(planner(wishes, seen, sent, now)))
        return first

    return plan
