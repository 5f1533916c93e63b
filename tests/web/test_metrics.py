"""Metrics: well-formed, named by the rules, never older than their deadline."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from prometheus_client.parser import text_string_to_metric_families

from holdfast.web.api.metrics import FAMILIES, MOST_SAMPLES, Moves, exposition
from tests.web.house import House, Rack, house

if TYPE_CHECKING:
    from prometheus_client.core import Metric


async def scraped(here: House) -> dict[str, Metric]:
    answer = await here.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    return {each.name: each for each in text_string_to_metric_families(answer.text)}


def value(metric: Metric, **labels: str) -> float:
    (sample,) = [each for each in metric.samples if labels.items() <= each.labels.items()]
    return float(sample.value)


async def test_names_follow_the_rules() -> None:
    """One prefix, base units, no type in the name; help in a sentence."""
    async with house(start=False) as here:
        moves = Moves(here.hub).family
    for family in (*FAMILIES, moves):
        assert re.fullmatch(r"holdfast_[a-z]+(_[a-z]+)+", family.name)
        assert not family.name.endswith(("_total", "_ms", "_milliseconds", "_percent"))
        assert family.text.endswith(".")
    assert len({family.name for family in FAMILIES}) == len(FAMILIES)


async def test_what_is_told() -> None:
    """Links, devices and readings, each with its labels; what was not believed by its code."""
    async with house() as here:
        here.rack.set(level=40, lamp=True)
        await here.command("rack/level", 50, wait=True)
        (link,) = here.hub.links.values()
        link.report.rejects['odd "code"\n'] += 2
        found = await scraped(here)
        assert set(found) == {family.name for family in FAMILIES} | {"holdfast_device_failovers"}
        assert value(found["holdfast_link_up"], endpoint="rack://rack") == 1
        assert value(found["holdfast_link_sessions"], endpoint="rack://rack") == 1
        assert value(found["holdfast_link_steps"], endpoint="rack://rack") == 1
        assert value(found["holdfast_link_rejects"], code='odd "code"\n') == 2
        assert value(found["holdfast_link_command_latency_seconds"], quantile="0.99") > 0
        assert value(found["holdfast_device_availability"], device="rack", availability="online") == 1
        assert value(found["holdfast_device_availability"], device="rack", availability="offline") == 0
        assert value(found["holdfast_device_readings"], device="rack", quality="good") == 3
        assert value(found["holdfast_reading_value"], target="rack/level", adapter="a") == 50
        assert value(found["holdfast_reading_value"], target="rack/lamp") == 1
        assert value(found["holdfast_reading_value"], target="rack/gauge/0", unit="V") == 0
        assert value(found["holdfast_reading_deadline_seconds"], target="rack/lamp") == 20
        assert value(found["holdfast_reading_age_seconds"], target="rack/lamp") >= 0
        assert value(found["holdfast_hub_open_commands"]) == 0


async def test_no_value_past_its_deadline() -> None:
    """A stale reading has an age and no value."""
    async with house() as here:
        for evidence in here.hub.device("rack").active.groups.values():
            evidence.t -= 1000.0
        found = await scraped(here)
        assert found["holdfast_reading_value"].samples == []
        assert value(found["holdfast_reading_age_seconds"], target="rack/lamp") > 1000
        assert value(found["holdfast_device_readings"], device="rack", quality="stale") == 3


async def test_metrics_of_many_are_made_in_parts() -> None:
    """Each metric is announced once, however many parts it takes, and none is long."""
    async with house(Rack(3000), start=False) as here:
        parts = list(exposition(here.hub, FAMILIES))
        assert len(parts) >= 3000 / MOST_SAMPLES
        assert all(part.count(b"\n") <= MOST_SAMPLES + 2 for part in parts)
        text = b"".join(parts).decode()
        for family in FAMILIES:
            assert text.count(f"# TYPE {family.name} ") + text.count(f"# TYPE {family.name}_total ") == 1
        deadlines = [
            each for each in text.splitlines() if each.startswith("holdfast_reading_deadline_seconds{")
        ]
        assert len(deadlines) == 3002
