"""What is measured, section by section: runs the child processes and turns their figures into rows with targets."""

from __future__ import annotations

import asyncio
import math
import time
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import TYPE_CHECKING, Any

from bench.child import PeerGone, measure_in_child
from bench.machine import loops
from bench.rows import Row, Section, quantile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

START_S = 180.0
"""What a child may take beyond its measuring time: 5,000 links on a busy machine start slowly."""
SATURATED = 0.85
"""Share of its core above which the responder holds up what is measured."""
CROWDED = 0.05
"""Share of the time that a measured process had to wait for its core above which the machine was too busy."""

RATIO_TARGETS = {"asyncio": 2.0, "uvloop": 2.5}
LATE_TARGETS = {("asyncio", 1_000), ("uvloop", 5_000)}
"""Where less than 1 % late polls, and no pause above 50 ms, are promised."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How long and how much is measured."""

    links: tuple[int, ...] = (100, 1_000, 5_000)
    loops: tuple[str, ...] = ("asyncio", "uvloop")
    seconds: float = 60.0
    warm_up_s: float = 5.0
    timer: str = "ring"
    link_rounds: int = 3
    idle_s: float = 20.0
    commands: int = 200
    bursts: int = 5
    stalls: int = 5
    drops: int = 5
    resets: int = 5
    refusals: int = 3
    refusal_s: float = 20.0
    outage_s: float = 3.0
    steady_s: float = 600.0
    rounds: int = 5
    micro_links: int = 1_000
    jk_frames: int = 20_000
    jk_bus_s: float = 120.0
    store_links: int = 100
    store_s: float = 25.0
    store_orders: int = 30
    quality_days: float = 30.0


QUICK = Plan(
    links=(100,),
    seconds=1.5,
    warm_up_s=0.5,
    link_rounds=1,
    idle_s=2.0,
    commands=10,
    bursts=1,
    stalls=1,
    drops=1,
    resets=0,
    refusals=0,
    outage_s=2.0,
    steady_s=3.0,
    rounds=1,
    micro_links=100,
    jk_frames=2_000,
    jk_bus_s=20.0,
    store_s=7.0,
    store_orders=10,
    quality_days=1.0,
)
"""Everything once and briefly: shows that all of it runs, says little about speed."""


def timed(name: str, title: str, rows: Callable[[], list[Row]]) -> Section:
    """Measure a section; a failure becomes a row of its own and does not end the run."""
    began_s = time.monotonic()
    try:
        found = rows()
    except PeerGone as error:
        found = [Row(f"{name}: {error}", None, better=">=", target=0.0)]
    return Section(name, title, tuple(found), time.monotonic() - began_s)


# --- links ---------------------------------------------------------------------------------------------------


def links(plan: Plan) -> Iterator[Section]:
    """A section for each kind of loop and number of links."""
    for count in plan.links:
        for loop in loops():
            if loop in plan.loops:
                title = f"{count:,} links at 350 ms, {loop}"
                yield timed("links", title, partial(_links, plan, loop, count))


def _links(plan: Plan, loop: str, count: int) -> list[Row]:
    """Both sides in turn, in fresh processes; CPU is the median of the rounds, all else is their sum or worst."""
    bare: list[dict[str, Any]] = []
    whole: list[dict[str, Any]] = []
    for number in range(plan.link_rounds):
        seconds = plan.seconds / (3 if number else 1)
        bare.append(_measured(plan, loop, count, "bare", seconds))
        whole.append(_measured(plan, loop, count, "whole", seconds))
    bare_us, whole_us = (median(each["us_per_poll"] for each in side) for side in (bare, whole))
    is_promised = (loop, count) in LATE_TARGETS
    ratio_target, late_target, pause_target = RATIO_TARGETS[loop], 1.0, 50.0
    rows = [
        Row("CPU for 1,000 polls, bare loop", bare_us, "ms", raw={"rounds": bare}),
        Row("CPU for 1,000 polls, whole job", whole_us, "ms", raw={"rounds": whole}),
        Row(
            "whole job / bare loop",
            whole_us / bare_us,
            "x",
            "<=",
            ratio_target,
            digits=2,
            note=_trouble(bare, whole),
        ),
    ]
    for side, rounds, has_target in (("bare loop", bare, False), ("whole job", whole, is_promised)):
        late, pause_ms = _late_share(rounds) * 100, max(each["worst_s"] for each in rounds) * 1e3
        rows += [
            Row(f"late polls, {side}", late, "%", "<", late_target if has_target else None, digits=2),
            Row(f"longest pause, {side}", pause_ms, "ms", "<=", pause_target if has_target else None),
        ]
    bare_bytes, whole_bytes = (max(each["bytes_per_link"] for each in side) for side in (bare, whole))
    return [
        *rows,
        Row("memory a link, bare loop", bare_bytes / 1e3, "kB"),
        Row("memory a link, whole job", whole_bytes / 1e3, "kB", "<=", 64.0),
        Row("all links up after, whole job", max(each["ready_s"] for each in whole), "s"),
        Row("load of the responder, at most", max(map(_load, (*bare, *whole))) * 100, "%"),
    ]


def _measured(plan: Plan, loop: str, count: int, side: str, seconds: float) -> dict[str, Any]:
    return measure_in_child(
        "links",
        seconds + plan.warm_up_s + START_S,
        loop=loop,
        links=count,
        side=side,
        seconds=seconds,
        warm_up_s=plan.warm_up_s,
        timer=plan.timer,
    )


def _late_share(rounds: list[dict[str, Any]]) -> float:
    """As seen by the responder; a grid point that was skipped was late, too."""
    skipped = sum(each.get("skipped", 0) for each in rounds)
    late, polls = (sum(each["seen"][key] for each in rounds) for key in ("late", "polls"))
    return float(late + skipped) / max(1.0, float(polls + skipped))


def _load(figures: dict[str, Any]) -> float:
    return float(figures["seen"]["cpu_share"])


def _trouble(bare: list[dict[str, Any]], whole: list[dict[str, Any]]) -> str:
    """What a reader must know before believing the figures."""
    found = []
    for side, rounds in (("bare loop", bare), ("whole job", whole)):
        load, crowd = max(map(_load, rounds)), max(each["waited_s"] / each["took_s"] for each in rounds)
        losses = sum(each["losses"] for each in rounds)
        if load > SATURATED:
            found.append(f"{side}: the responder was saturated ({load:.0%} of its core)")
        if crowd > CROWDED:
            found.append(f"{side}: other programs had its core for up to {crowd:.0%} of the time")
        if losses:
            found.append(f"{side}: {losses:.0f} connections were lost")
    return "; ".join(found)


# --- one house -----------------------------------------------------------------------------------------------


def commands(plan: Plan) -> Section:
    """Commands over a real socket to a controller that answers at once."""
    return timed("commands", f"{plan.commands} commands, 250 ms apart, random phase", lambda: _commands(plan))


def _commands(plan: Plan) -> list[Row]:
    every_s = 0.25
    figures = measure_in_child(
        "commands",
        plan.idle_s + plan.commands * every_s + plan.bursts * 15.0 + START_S,
        idle_s=plan.idle_s,
        commands=plan.commands,
        every_s=every_s,
        bursts=plan.bursts,
    )
    latencies_ms = [latency_s * 1e3 for latency_s in figures["latencies_s"]]
    bursts = figures["bursts"]
    last_s = max((burst["last_s"] for burst in bursts), default=math.nan)
    return [
        Row("command to confirmation, p50", quantile(latencies_ms, 0.5), "ms", raw=figures),
        Row("command to confirmation, p99", quantile(latencies_ms, 0.99), "ms", "<", 120.0),
        Row("command to confirmation, longest", max(latencies_ms), "ms"),
        Row("commands verified", figures["ends"].get("verified", 0), "", "==", plan.commands, digits=0),
        Row("updates a second, idle", figures["idle"]["per_s"], "/s", ">=", 2.85, digits=2),
        Row("updates a second, while commanding", figures["busy"]["per_s"], "/s", ">=", 2.85, digits=2),
        Row("longest time without one, while commanding", figures["busy"]["longest_gap_s"] * 1e3, "ms"),
        Row(
            f"20 commands to 4 modules, last verified (worst of {len(bursts)})",
            last_s,
            "s",
            "<",
            1.0,
            digits=2,
        ),
        Row(
            "commands verified in bursts",
            sum(burst["ends"].get("verified", 0) for burst in bursts),
            "",
            "==",
            20 * len(bursts),
            digits=0,
        ),
    ]


def faults(plan: Plan) -> Section:
    """The device goes wrong."""
    return timed("faults", "faults, one device", lambda: _faults(plan))


def _faults(plan: Plan) -> list[Row]:
    lasts_s = plan.refusals * (plan.refusal_s + 10.0) + (plan.stalls + plan.drops + plan.resets) * 10.0 + 60.0
    figures = measure_in_child(
        "faults",
        lasts_s + START_S,
        stalls=plan.stalls,
        drops=plan.drops,
        resets=plan.resets,
        refusals=plan.refusals,
        refusal_s=plan.refusal_s,
        outage_s=plan.outage_s,
    )
    outage = f"10 commands in an outage of {plan.outage_s:g} s"
    worst = (
        ("silent device shown stale after", "stale_s", 2.5),
        ("dropped (FIN) to fresh snapshot", "fin_s", 0.5),
        ("reset (RST) to fresh snapshot", "rst_s", 0.5),
        (f"back after the end of {plan.refusal_s:g} s of refusal", "return_s", 5.0),
    )
    rows = [
        Row(f"{what} (worst of {len(figures[key])})", max(figures[key]), "s", "<", limit_s, digits=2)
        for what, key, limit_s in worst
        if figures[key]
    ]
    verified, expired = figures["default"].get("verified", 0), figures["short"].get("expired", 0)
    return [
        *rows,
        Row(f"{outage}: verified", verified, "", "==", 10, digits=0, raw=figures),
        Row(f"{outage}, timeout 1 s: expired", expired, "", "==", 10, digits=0),
    ]


def steady(plan: Plan) -> Section:
    """A long quiet time."""
    minutes = f"{plan.steady_s / 60:g} minutes" if plan.steady_s >= 60 else f"{plan.steady_s:g} s"
    return timed("steady", f"steady for {minutes}, one device", lambda: _steady(plan))


def _steady(plan: Plan) -> list[Row]:
    warm_up_s = min(10.0, plan.steady_s / 3)
    figures = measure_in_child(
        "steady", plan.steady_s + warm_up_s + START_S, seconds=plan.steady_s, warm_up_s=warm_up_s
    )
    grown = figures["after_bytes"] - figures["before_bytes"]
    return [
        Row("sessions lost", figures["losses"], "", "==", 0, digits=0, raw=figures),
        Row("updates a second", figures["per_s"], "/s", ">=", 2.85, digits=2),
        Row("longest time without one", figures["longest_gap_s"] * 1e3, "ms"),
        Row("good data shown as late or stale", figures["not_good_share"] * 100, "% of the time", digits=2),
        Row("memory at the start", figures["before_bytes"] / 1e6, "MB"),
        Row("memory grown by the end", grown / 1e6, "MB", "<=", 0.5, digits=2),
    ]


def store(plan: Plan) -> Section:
    """The store goes wrong, and no device may notice."""
    title = f"{plan.store_links} links at 350 ms while the store fails, {plan.store_s:g} s each"
    return timed("store", title, lambda: _store(plan))


def _store(plan: Plan) -> list[Row]:
    from bench.store import CONDITIONS  # only here: the rest of the run need not carry a database

    found = {
        condition: measure_in_child(
            "store",
            plan.store_s + plan.warm_up_s + START_S,
            links=plan.store_links,
            condition=condition,
            seconds=plan.store_s,
            warm_up_s=plan.warm_up_s,
        )
        for condition in CONDITIONS
    }
    rows = []
    for condition, figures in found.items():
        crowd = figures["waited_s"] / figures["took_s"]
        note = f"store {condition}: other programs had its core for {crowd:.0%} of the time"
        rows += [
            Row(f"poll lateness p99, store {condition}, at most", figures["lateness"]["p99_s"] * 1e3, "ms", "<=", 50.0,
                raw=figures, note=note if crowd > CROWDED else ""),
            Row(f"late polls (over 50 ms), store {condition}", _late_share([figures]) * 100, "%", "<", 1.0, digits=2),
            Row(f"longest pause, store {condition}", figures["seen"]["worst_s"] * 1e3, "ms"),
        ]  # fmt: skip
        if figures["told_s"]:
            words = len(figures["told_s"])
            what = f"the stream tells of it after, store {condition} (worst of {words})"
            rows.append(Row(what, max(figures["told_s"]), "s", "<", 2.0, digits=2))
    orders = measure_in_child("orders", plan.store_orders * 4.0 + START_S, orders=plan.store_orders)
    for condition in ("well", "stalled"):
        samples_ms = [each * 1e3 for each in orders[f"{condition}_s"]]
        what = f"standing order to verified, store {condition}"
        rows += [
            Row(f"{what}, p50", quantile(samples_ms, 0.5), "ms", raw=orders),
            Row(f"{what}, longest", max(samples_ms), "ms", "<", 120.0),
        ]
    return rows


def micro(plan: Plan) -> Section:
    """Single parts, without sockets."""

    def rows() -> list[Row]:
        from bench import micro as parts  # only here: the rest of the run need not carry hub and driver

        return parts.rows(plan.rounds, plan.micro_links)

    return timed("micro", "single parts, without sockets", rows)


def jkbms(plan: Plan) -> Section:
    """JK frames, beside another library's decoder."""

    def rows() -> list[Row]:
        from bench.jkbms import (
            section as jk,
        )  # only here: the rest of the run need not know of a second Python

        return jk.rows(plan.jk_frames, plan.rounds)

    return timed("jkbms", f"{plan.jk_frames:,} JK live frames, CPU time, median of {plan.rounds}", rows)


def jkbus(plan: Plan) -> Section:
    """A full bus at its real speed."""
    title = (
        f"16 JK batteries on a bus at its real speed for {plan.jk_bus_s:g} s, over TCP and over a serial line"
    )
    return timed("jkbus", title, lambda: _jkbus(plan))


def _jkbus(plan: Plan) -> list[Row]:
    from bench.jkbms import live  # only here: the rest of the run need not know of it

    rows = []
    for outcome in asyncio.run(live.run(plan.jk_bus_s)):
        written = len(outcome.expected())
        rows += [
            Row(f"{outcome.path}: whole frames written to the hub", written, "", ">=", 1, digits=0),
            Row(f"{outcome.path}: of them not counted", outcome.missed(), "", "==", 0, digits=0),
            Row(f"{outcome.path}: live frames that no reading showed", outcome.lost(), "", "==", 0, digits=0),
            Row(f"{outcome.path}: readings that nobody wrote so", len(outcome.strange()), "", "==", 0, digits=0),
            Row(f"{outcome.path}: CPU of the hub", outcome.cpu_share * 100, "% of a core", "<", 1.0, digits=2,
                raw=outcome.figures),
        ]  # fmt: skip
    return rows


def quality(plan: Plan) -> Section:
    """How well the thermostat keeps simulated vessels."""

    def rows() -> list[Row]:
        from bench.quality import section as kept  # only here: the rest of the run need not know of vessels

        return kept.rows(plan.quality_days)

    return timed("quality", f"time inside the wanted range, {plan.quality_days:g} simulated days", rows)
