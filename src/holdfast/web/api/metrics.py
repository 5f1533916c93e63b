"""Metrics for Prometheus, made from the hub's state when they are asked for.

Nothing is counted for them twice and no registry outlives the request; only moves between adapters, of which the hub
keeps no count, are counted here. The text of thousands of links is made in slices, like every long answer.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from fastapi import Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from holdfast._version import __version__
from holdfast.control import AlarmKind, Role, State
from holdfast.hub.controllers.report import ControllerReport, PlugReport, report_of
from holdfast.hub.events import Kind, Record
from holdfast.hub.hub import Hub
from holdfast.hub.ports import Trouble
from holdfast.model import Availability, Quality
from holdfast.web.api.description import answers
from holdfast.web.api.encoding import Pace, PartsAnswer
from holdfast.web.api.router import Router
from holdfast.web.api.shapes import Redundancy

QUANTILES = (0.5, 0.99)
MOVED = "moved"
"""The decision between adapters that is counted; the others move nothing."""
MOST_SAMPLES = 100
"""Samples in one part: writing one out takes some 16 us, more than finding it."""

Sample = tuple[tuple[str, ...], float] | None
"""The labels' values and the number; ``None`` where there is nothing to tell, but a rest may be due."""


class Family(NamedTuple):
    """One metric: how it is called, what it tells, and where its samples come from."""

    kind: type[GaugeMetricFamily] | type[CounterMetricFamily]
    name: str
    text: str
    labels: tuple[str, ...]
    samples: Callable[[Hub], Iterator[Sample]]


def routes(hub: Hub) -> Router:
    """The route ``/metrics``."""
    router = Router(tag="health")
    families = (*FAMILIES, Moves(hub).family)

    @router.get(
        "/metrics",
        responses=answers({"type": "string"}, media="text/plain", text="Prometheus text format"),
        summary="Metrics for Prometheus",
        description="A value that is not current is absent: no sample is ever older than its deadline.",
    )
    async def metrics() -> Response:
        return PartsAnswer(exposition(hub, families), media_type=CONTENT_TYPE_LATEST)

    return router


class _Single(Collector):
    """A collector of one metric, which is what prometheus-client can write out."""

    def __init__(self, metric: Metric) -> None:
        self._metric = metric

    def collect(self) -> Iterator[Metric]:
        """See `Collector`."""
        yield self._metric


class Moves:
    """Counts from now on how often each device of a hub moved to another adapter."""

    def __init__(self, hub: Hub) -> None:
        self._counts: Counter[str] = Counter()
        self.family = Family(
            CounterMetricFamily,
            "holdfast_device_failovers",
            "Moves from one adapter to another.",
            ("device",),
            self._samples,
        )
        hub.stream.tap(self._hear)

    def _hear(self, record: Record) -> None:
        if record.kind is Kind.EVENT and record.payload.get("decision") == MOVED:
            self._counts[record.payload["device"]] += 1

    def _samples(self, hub: Hub) -> Iterator[Sample]:
        for device_id in list(hub.devices):
            yield (device_id,), self._counts[device_id]


def exposition(hub: Hub, families: Iterable[Family]) -> Iterator[bytes]:
    """The text of these metrics in parts of bounded work."""
    for family in families:
        metric = family.kind(family.name, family.text, labels=family.labels)
        is_first = True
        pace = Pace(MOST_SAMPLES)
        for sample in family.samples(hub):
            if sample is not None:
                metric.add_metric(*sample)
            if pace.is_due():
                yield _text(metric, is_first=is_first)
                is_first = False
                metric = family.kind(family.name, family.text, labels=family.labels)
                pace.restart()
        yield _text(metric, is_first=is_first)


def _text(metric: Metric, *, is_first: bool) -> bytes:
    text: bytes = generate_latest(_Single(metric))
    if is_first:
        return text
    return b"".join(line for line in text.splitlines(keepends=True) if not line.startswith(b"#"))


# --- the hub ------------------------------------------------------------------------------------------------------


def _build(hub: Hub) -> Iterator[Sample]:
    yield (__version__,), 1.0


def _started(hub: Hub) -> Iterator[Sample]:
    if hub.started_at is not None:
        yield (), hub.started_at.timestamp()


def _records(hub: Hub) -> Iterator[Sample]:
    yield (), hub.stream.seq


def _alarms(hub: Hub) -> Iterator[Sample]:
    yield (), len(hub.alarms)


def _open_commands(hub: Hub) -> Iterator[Sample]:
    yield (), sum(not receipt.state.is_end for receipt in hub.receipts.values())


# --- the store ----------------------------------------------------------------------------------------------------


def _store_up(hub: Hub) -> Iterator[Sample]:
    if hub.keeper is not None:
        yield (), float(hub.keeper.state.is_well)


def _store_waiting(hub: Hub) -> Iterator[Sample]:
    if hub.keeper is not None:
        yield (), hub.keeper.state.waiting


def _store_dropped(hub: Hub) -> Iterator[Sample]:
    if hub.keeper is not None:
        yield (), hub.keeper.state.dropped


def _store_trouble(hub: Hub) -> Iterator[Sample]:
    if hub.keeper is not None:
        now = hub.keeper.state.trouble
        for word in Trouble:
            yield (word.value,), float(word is now)


# --- devices and readings -----------------------------------------------------------------------------------------


def _availability(hub: Hub) -> Iterator[Sample]:
    for device in list(hub.devices.values()):
        for word in Availability:
            yield (device.id, word.value), float(device.availability is word)


def _readings_by_quality(hub: Hub) -> Iterator[Sample]:
    for device_id in list(hub.devices):
        if device_id not in hub.devices:
            continue
        counts = dict.fromkeys(Quality, 0)
        for reading in hub.readings(device_id):
            counts[reading.quality] += 1
            yield None
        for quality, count in counts.items():
            yield (device_id, quality.value), count


def _values(hub: Hub) -> Iterator[Sample]:
    for reading in hub.readings():
        if isinstance(reading.value, bool | int | float):
            yield (reading.target, reading.unit, reading.adapter), float(reading.value)
        else:
            yield None


def _ages(hub: Hub) -> Iterator[Sample]:
    for reading in hub.readings():
        yield None if reading.age_s is None else ((reading.target,), reading.age_s)


def _deadlines(hub: Hub) -> Iterator[Sample]:
    for reading in hub.readings():
        deadline_s = reading.deadline_s
        yield None if deadline_s is None or math.isinf(deadline_s) else ((reading.target,), deadline_s)


def _standing_orders(hub: Hub) -> Iterator[Sample]:
    for device in list(hub.devices.values()):
        yield (device.id,), float(device.has_open_order)


def _redundancy(hub: Hub) -> Iterator[Sample]:
    for device in list(hub.devices.values()):
        state, _ = device.redundancy()
        for word in Redundancy:
            yield (device.id, word.value), float(word == state)


def _active(hub: Hub) -> Iterator[Sample]:
    for device in list(hub.devices.values()):
        for attachment in device.attachments:
            yield (device.id, attachment.adapter.id), float(attachment.is_active)


# --- controllers --------------------------------------------------------------------------------------------------


def _reports(hub: Hub) -> Iterator[ControllerReport]:
    for controller in hub.controllers:
        yield report_of(hub, controller)


def _plugs(hub: Hub) -> Iterator[tuple[tuple[str, str], PlugReport]]:
    for each in _reports(hub):
        for role in Role:
            plug = each.of(role)
            if plug is not None:
                yield (each.id, role.value), plug


def _controller_states(hub: Hub) -> Iterator[Sample]:
    for each in _reports(hub):
        for state in State:
            yield (each.id, state.value), float(state is each.state)


def _controller_temperatures(hub: Hub) -> Iterator[Sample]:
    for each in _reports(hub):
        value = each.temperature.value
        yield ((each.id,), float(value)) if isinstance(value, int | float) else None


def _controller_limits(hub: Hub) -> Iterator[Sample]:
    for each in _reports(hub):
        for name, band in (("heating", each.limits.heating), ("cooling", each.limits.cooling)):
            if band is not None:
                yield (each.id, name, "low"), band.low
                yield (each.id, name, "high"), band.high


def _controller_plugs(hub: Hub) -> Iterator[Sample]:
    for labels, plug in _plugs(hub):
        value = None if plug.verified is None else plug.verified.value
        now = ("on" if value else "off") if isinstance(value, bool) else "unknown"
        for word in ("on", "off", "unknown"):
            yield (*labels, word), float(word == now)


def _controller_orders(hub: Hub) -> Iterator[Sample]:
    for labels, plug in _plugs(hub):
        yield labels, float(plug.order is not None)


def _controller_alarms(hub: Hub) -> Iterator[Sample]:
    for each in _reports(hub):
        active = {alarm.kind for alarm in each.alarms}
        for kind in AlarmKind:
            yield (each.id, kind.value), float(kind in active)


# --- links --------------------------------------------------------------------------------------------------------


def _live(hub: Hub) -> Iterator[Sample]:
    for link in list(hub.links.values()):
        yield (str(link.endpoint),), float(link.has_session and link.state == "live")


def _count(name: str) -> Callable[[Hub], Iterator[Sample]]:
    """A counter of the link report."""

    def samples(hub: Hub) -> Iterator[Sample]:
        for link in list(hub.links.values()):
            yield (str(link.endpoint),), getattr(link.report, name)

    return samples


def _rejects(hub: Hub) -> Iterator[Sample]:
    for link in list(hub.links.values()):
        for code, count in sorted(link.report.rejects.items()):
            yield (str(link.endpoint), code), count


def _spread(name: str) -> Callable[[Hub], Iterator[Sample]]:
    """Quantiles of a distribution of the link report."""

    def samples(hub: Hub) -> Iterator[Sample]:
        for link in list(hub.links.values()):
            for q in QUANTILES:
                seconds = getattr(link.report, name).quantile(q)
                if seconds is not None:
                    yield (str(link.endpoint), f"{q:g}"), seconds

    return samples


GAUGE, COUNTER = GaugeMetricFamily, CounterMetricFamily
_LINK = ("endpoint",)

FAMILIES: tuple[Family, ...] = (
    Family(GAUGE, "holdfast_build_info", "The running version.", ("version",), _build),
    Family(GAUGE, "holdfast_hub_start_time_seconds", "When the hub started, in Unix time.", (), _started),
    Family(COUNTER, "holdfast_hub_records", "Records written to the event stream.", (), _records),
    Family(GAUGE, "holdfast_hub_alarms", "Alarms that are on.", (), _alarms),
    Family(GAUGE, "holdfast_hub_open_commands", "Commands that have not ended.", (), _open_commands),
    Family(GAUGE, "holdfast_store_up", "1 while what happens is written down.", (), _store_up),
    Family(GAUGE, "holdfast_store_waiting", "Entries that are not written yet.", (), _store_waiting),
    Family(COUNTER, "holdfast_store_dropped", "Events that could not be kept.", (), _store_dropped),
    Family(GAUGE, "holdfast_store_trouble", "1 for what ails the store.", ("trouble",), _store_trouble),
    Family(
        GAUGE,
        "holdfast_device_availability",
        "1 for what the device is.",
        ("device", "availability"),
        _availability,
    ),
    Family(
        GAUGE, "holdfast_device_readings", "Readings by quality.", ("device", "quality"), _readings_by_quality
    ),
    Family(
        GAUGE,
        "holdfast_device_standing_order",
        "1 while one waits to be verified.",
        ("device",),
        _standing_orders,
    ),
    Family(
        GAUGE,
        "holdfast_device_redundancy",
        "1 for what the device's reserves are.",
        ("device", "redundancy"),
        _redundancy,
    ),
    Family(
        GAUGE, "holdfast_adapter_active", "1 for the adapter that serves.", ("device", "adapter"), _active
    ),
    Family(
        GAUGE,
        "holdfast_reading_value",
        "Current values; absent where none is.",
        ("target", "unit", "adapter"),
        _values,
    ),
    Family(GAUGE, "holdfast_reading_age_seconds", "Age of the evidence, current or not.", ("target",), _ages),
    Family(
        GAUGE, "holdfast_reading_deadline_seconds", "Age at which a value is stale.", ("target",), _deadlines
    ),
    Family(
        GAUGE,
        "holdfast_controller_state",
        "1 for what the controller does.",
        ("controller", "state"),
        _controller_states,
    ),
    Family(
        GAUGE,
        "holdfast_controller_temperature_celsius",
        "What it goes by; absent where nothing may be acted upon.",
        ("controller",),
        _controller_temperatures,
    ),
    Family(
        GAUGE,
        "holdfast_controller_limit_celsius",
        "The limits in force; absent where they cannot be used.",
        ("controller", "band", "limit"),
        _controller_limits,
    ),
    Family(
        GAUGE,
        "holdfast_controller_plug",
        "1 for what the plug itself reports.",
        ("controller", "role", "state"),
        _controller_plugs,
    ),
    Family(
        GAUGE,
        "holdfast_controller_standing_order",
        "1 while one keeps the plug off.",
        ("controller", "role"),
        _controller_orders,
    ),
    Family(
        GAUGE, "holdfast_controller_alarm", "1 while it is on.", ("controller", "kind"), _controller_alarms
    ),
    Family(GAUGE, "holdfast_link_up", "1 while evidence comes.", _LINK, _live),
    Family(COUNTER, "holdfast_link_dials", "Tries to open a session.", _LINK, _count("dials")),
    Family(COUNTER, "holdfast_link_sessions", "Sessions opened.", _LINK, _count("sessions")),
    Family(COUNTER, "holdfast_link_outages", "Sessions lost.", _LINK, _count("outage_count")),
    Family(COUNTER, "holdfast_link_polls", "Polls sent.", _LINK, _count("polls")),
    Family(
        COUNTER, "holdfast_link_unanswered_polls", "Polls without an answer.", _LINK, _count("unanswered")
    ),
    Family(
        COUNTER, "holdfast_link_skipped_polls", "Polls not sent for want of time.", _LINK, _count("skipped")
    ),
    Family(COUNTER, "holdfast_link_answers", "Answers believed.", _LINK, _count("answers")),
    Family(COUNTER, "holdfast_link_changes", "Answers that changed a value.", _LINK, _count("changes")),
    Family(COUNTER, "holdfast_link_steps", "Writes sent to devices.", _LINK, _count("steps")),
    Family(COUNTER, "holdfast_link_received_bytes", "Bytes received.", _LINK, _count("bytes_in")),
    Family(COUNTER, "holdfast_link_sent_bytes", "Bytes sent.", _LINK, _count("bytes_out")),
    Family(
        COUNTER,
        "holdfast_link_strangers",
        "Whole messages of members that nobody configured.",
        _LINK,
        _count("strangers"),
    ),
    Family(COUNTER, "holdfast_link_rejects", "What was not believed.", (*_LINK, "code"), _rejects),
    Family(
        GAUGE,
        "holdfast_link_poll_lateness_seconds",
        "How late polls went out, since the start.",
        (*_LINK, "quantile"),
        _spread("lateness"),
    ),
    Family(
        GAUGE,
        "holdfast_link_command_latency_seconds",
        "From command to verification, since the start.",
        (*_LINK, "quantile"),
        _spread("latency"),
    ),
)
"""Every metric there is but `Moves`."""
