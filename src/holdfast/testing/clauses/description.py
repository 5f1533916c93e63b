"""What a driver says of itself before anything is opened."""

from __future__ import annotations

import copy
import re
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from holdfast.errors import ConfigurationError
from holdfast.link.driver import OnSilence, Trait
from holdfast.model import NotAccepted, Periodic, Setting, ValueType, accept
from holdfast.testing.clause import clause
from holdfast.testing.side import Side, on

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from holdfast.link.driver import Driver
    from holdfast.model import Capability, Device
    from holdfast.testing.stage import Stage

KEY = re.compile(r"[a-z0-9][a-z0-9_-]*(/[a-z0-9][a-z0-9_-]*)*")
JUNK: tuple[Any, ...] = (None, "", "nonsense", -1, 1e99, [], [None], {}, {"nonsense": None}, object())
"""What people, scripts and YAML put where something else belongs."""
ASTRAY = ("", "nonsense", "tcp://", "://:x", "tcp://host:99999999")
"""Addresses that lead nowhere."""


@clause()
async def describes_what_it_can_do(stage: Stage) -> None:
    """Describe each capability once, under a key that fits a target, with values that it can really take."""
    for driver in stage.drivers:
        keys = Counter(each.key for each in driver.capabilities)
        stage.require(keys, "there is no capability at all")
        stage.require_none(
            [f"{key!r} is described {count} times" for key, count in keys.items() if count > 1]
        )
        stage.require_none([f"{key!r} is no key of a target" for key in keys if not KEY.fullmatch(key)])
        for each in driver.capabilities:
            stage.require_none([f"{each.key}: {fault}" for fault in _faults(each, driver)])


def _faults(each: Capability, driver: Driver) -> Iterator[str]:
    if driver.members != {""} and each.member not in driver.members:
        yield f"its member {each.member!r} is none of the driver's"
    if each.type is ValueType.CHOICE and not each.choices:
        yield "a choice of nothing"
    if each.minimum is not None and each.maximum is not None and each.minimum >= each.maximum:
        yield f"its range is {each.minimum:g} to {each.maximum:g}"
    sanity = each.sanity
    if sanity is not None and None not in (sanity.minimum, each.minimum) and sanity.minimum > each.minimum:  # type: ignore[operator]
        yield "its sanity limits reject values of its own range"
    if sanity is not None and None not in (sanity.maximum, each.maximum) and sanity.maximum < each.maximum:  # type: ignore[operator]
        yield "its sanity limits reject values of its own range"
    if not each.writable:
        return
    if not each.verify.pauses_s:
        yield "its verify plan has no attempt"
    if any(pause_s < 0.0 for pause_s in each.verify.pauses_s):
        yield "its verify plan has a pause below 0"
    for value in (*each.urgent, *(() if each.fail_safe is None else (each.fail_safe,))):
        try:
            accept(each, value)
        except NotAccepted as error:
            yield f"its fail-safe or urgent value is not accepted: {error}"


@clause()
async def declares_what_it_is(stage: Stage) -> None:
    """Declare the traits that it has and no others: polls for POLLED, no polls for PASSIVE, a planner for WRITES."""
    for driver in stage.drivers:
        traits = driver.traits
        writable = [each.key for each in driver.capabilities if each.writable]
        stage.require(
            traits & (Trait.POLLED | Trait.PASSIVE),
            "it neither answers questions (POLLED) nor speaks unasked (PASSIVE)",
        )
        stage.require(
            bool(driver.polls) == (Trait.POLLED in traits), f"{traits}, with {len(driver.polls)} polls"
        )
        stage.require(
            bool(writable) == (Trait.WRITES in traits),
            f"{traits}, with {len(writable)} writable capabilities",
        )
        stage.require(
            bool(writable) == (driver.planner is not None), "writable capabilities and a planner go together"
        )
        if Trait.PASSIVE in traits:
            stage.require(
                not driver.polls and driver.keep_alive is None and not writable, "a passive source is asked"
            )
        members = {each.member for each in driver.capabilities}
        stage.require(
            any(members) if Trait.MEMBERS in traits else len(members) == 1,
            f"{traits}, and capabilities of the members {', '.join(sorted(members)) or 'none'}",
        )


@clause()
async def puts_its_deadlines_in_order(stage: Stage) -> None:
    """Leave room between its deadlines: reply plus period below silence, silence below every reading's deadline."""
    for driver in stage.drivers:
        silence_s = driver.timing.silence_s
        groups = {(each.member, each.group): each.freshness for each in driver.capabilities}
        for poll in driver.polls:
            stage.require(poll.every_s > 0.0 and poll.reply_s > 0.0, f"{poll} has a time of 0")
            never_ages = isinstance(groups.get((poll.member, poll.group)), Setting)  # others keep the session
            stage.require(
                poll.reply_s + poll.every_s < silence_s
                or never_ages
                or driver.timing.on_silence is not OnSilence.REOPEN,
                f"poll {poll.what}: {poll.reply_s:g} + {poll.every_s:g} s is not below the {silence_s:g} s of silence",
            )
            stage.require(
                (poll.member, poll.group) in groups, f"poll {poll.what} is answered with nobody's values"
            )
        kinds: dict[tuple[str, str], Capability] = {}
        for each in driver.capabilities:
            first = kinds.setdefault((each.member, each.group), each)
            stage.require(
                first.freshness == each.freshness,
                f"{first.key} and {each.key} share a group and differ in freshness",
            )
            if isinstance(each.freshness, Periodic):
                deadline_s = each.freshness.deadline_s
                stage.require(
                    deadline_s > silence_s,
                    f"{each.key} is stale after {deadline_s:g} s, silence is {silence_s:g} s",
                )


@clause()
async def names_its_path_alike(stage: Stage) -> None:
    """Name the same path by equal endpoints each time, whatever the login, and without the login in them."""
    prepare = stage.bench.family.prepare
    for password in ("", "another-password"):
        for device, spec in zip(stage.bench.devices(password), stage.specs, strict=True):
            for adapter, before in zip(device.adapters, spec.drivers, strict=True):
                endpoint = prepare(device, adapter).endpoint
                stage.require(
                    endpoint == before.endpoint,
                    f"{endpoint} is not {before.endpoint}, one path, two names",
                )
                stage.require(
                    hash(endpoint) == hash(before.endpoint), f"{endpoint} has another hash each time"
                )
                secret = adapter.password
                stage.require(not secret or secret not in repr(endpoint), "the endpoint holds the password")
    stage.require(
        len({driver.endpoint for driver in stage.drivers}) == 1, "devices on one path have several endpoints"
    )


@clause()
async def prepares_without_a_trace(stage: Stage) -> None:
    """Prepare without touching anything, and refuse what cannot work by `ConfigurationError` and nothing else."""
    events: list[object] = []
    stage.loop.network.watchers.append(events.append)
    left = stage.watch.leftovers()
    prepare = stage.bench.family.prepare
    with on(Side.DRIVER):
        for device in stage.bench.devices():
            options = copy.deepcopy(dict(device.options))
            for adapter in device.adapters:
                prepare(device, adapter)
            stage.require(options == dict(device.options), "preparing changed the device's options")
            for damaged in _damaged(device):
                _refuses(stage, damaged, must=False)
        for device in stage.bench.junk():
            _refuses(stage, device, must=True)
    await stage.wait(1.0)
    stage.require(not events, "preparing reached for the network")
    stage.require_none(stage.conduct.tasks)
    stage.require_none([each for each in stage.watch.leftovers() if each not in left])


def _refuses(stage: Stage, device: Device, *, must: bool) -> None:
    for adapter in device.adapters:
        try:
            stage.bench.family.prepare(device, adapter)
        except ConfigurationError:
            continue
        except Exception as error:  # noqa: BLE001 - that is the question
            said = f"{type(error).__name__}: {error}"
            stage.require(
                condition=False, seen=f"options {device.options!r}, address {adapter.url!r}: {said}"
            )
        stage.require(not must, f"options that cannot work were taken: {device.options!r}")


def _damaged(device: Device) -> Iterator[Device]:
    """The device with one thing wrong at a time."""
    for options in _each_damaged(device.options):
        yield replace(device, options=options)
    for outputs in _each_damaged(device.outputs):
        yield replace(device, outputs=outputs)
    for adapter in device.adapters:
        for options in _each_damaged(adapter.options):
            yield replace(device, adapters=(replace(adapter, options=options),))
        for url in ASTRAY:
            yield replace(device, adapters=(replace(adapter, url=url),))


def _each_damaged(options: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for key in options:
        for junk in JUNK:
            yield {**options, key: junk}
        yield {other: value for other, value in options.items() if other != key}
    yield {**options, "nonsense": object()}
