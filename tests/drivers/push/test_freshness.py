"""How old a posted reading is, in a hub in virtual time: by when it was observed, never by when it came."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.drivers.push.driver import PUSH
from holdfast.errors import UnknownTarget
from holdfast.hub.deliveries import NotListening, NotPushed, deliver, deliver_document, slot_of
from holdfast.hub.site.spec import DeviceSpec
from holdfast.model import Adapter, Availability, Quality
from holdfast.simulation import VirtualLoop, run_virtual
from tests.drivers.push.sensor import TEMPERATURE, post_office, push_device
from tests.link.house import hub_of, loop, spec
from tests.link.toys.advert import ADVERT

if TYPE_CHECKING:
    from collections.abc import Mapping

pytestmark = pytest.mark.virtual

T = "chamber/temperature"
ONE: Mapping[str, Mapping[str, Any]] = {"temperature": TEMPERATURE}


async def test_a_reading_comes_and_grows_old() -> None:
    """Good, late from half its deadline on, then stale and still there as last known; the session stays."""
    async with post_office(loop(), push_device(capabilities=ONE)) as here:
        await asyncio.sleep(1)
        assert here.post(T, 19.25).why is None
        reading = here.hub.reading(T)
        assert (reading.value, reading.quality, reading.unit, reading.age_s) == (
            19.25,
            Quality.GOOD,
            "°C",
            0.0,
        )
        assert here.hub.device("chamber").availability is Availability.ONLINE
        await asyncio.sleep(130)
        assert here.hub.reading(T).quality is Quality.LATE
        await asyncio.sleep(115)
        reading = here.hub.reading(T)
        assert (reading.value, reading.quality, reading.last_known) == (None, Quality.STALE, 19.25)
        assert here.hub.device("chamber").availability is Availability.OFFLINE
        assert here.post(T, 19.5).why is None
        assert here.hub.reading(T).quality is Quality.GOOD
        (link,) = here.hub.links.values()
        assert link.report.sessions == 1


async def test_an_old_timestamp_is_not_fresh() -> None:
    """Its age counts from when it was observed: late at once, stale when its own deadline passes."""
    async with post_office(loop(), push_device(capabilities=ONE)) as here:
        await asyncio.sleep(1)
        assert here.post(T, 19.0, age_s=200.0).why is None
        reading = here.hub.reading(T)
        assert reading.quality is Quality.LATE
        assert reading.age_s == pytest.approx(200.0)
        assert reading.observed_at is not None
        assert (here.clock.now() - reading.observed_at).total_seconds() == pytest.approx(200.0)
        await asyncio.sleep(41)
        assert here.hub.reading(T).quality is Quality.STALE


async def test_older_than_its_deadline_is_last_known_only() -> None:
    """It is taken, and never current, not for a moment: nobody was told otherwise either."""
    async with post_office(loop(), push_device(capabilities=ONE)) as here:
        await asyncio.sleep(1)
        assert here.post(T, 18.0, age_s=3600.0).why is None
        reading = here.hub.reading(T)
        assert (reading.value, reading.quality, reading.last_known) == (None, Quality.STALE, 18.0)
        assert here.hub.device("chamber").availability is Availability.OFFLINE
        await asyncio.sleep(300)
        assert here.hub.reading(T).quality is Quality.STALE
        assert here.post(T, 18.5, age_s=60.0).why is None
        assert here.hub.reading(T).value == 18.5


async def test_what_is_overtaken_changes_nothing() -> None:
    """Readings kept by the sender and sent too late, out of order."""
    async with post_office(loop(), push_device(capabilities=ONE)) as here:
        await asyncio.sleep(1)
        assert here.post(T, 19.0, age_s=30.0).why is None
        late = here.post(T, 25.0, age_s=60.0)
        assert late.why is not None
        assert late.why.code == "overtaken"
        reading = here.hub.reading(T)
        assert reading.value == 19.0
        assert reading.age_s == pytest.approx(30.0)
        for age_s in (20.0, 10.0, 0.0):
            assert here.post(T, 20.0, age_s=age_s).why is None
        assert here.hub.reading(T).age_s == pytest.approx(0.0)


@pytest.mark.parametrize(("age_s", "code"), [(-4.0, None), (-6.0, "future"), (3.7e7, "too_old"), (3e7, None)])
async def test_clocks_that_differ(age_s: float, code: str | None) -> None:
    """A little ahead counts as now; more, or decades behind, is a clock that is wrong."""
    async with post_office(loop(), push_device(capabilities=ONE)) as here:
        await asyncio.sleep(1)
        why = here.post(T, 19.0, age_s=age_s).why
        assert (None if why is None else why.code) == code
        if age_s == -4.0:
            assert here.hub.reading(T).age_s == 0.0
        if code is not None:
            assert here.hub.reading(T).quality is Quality.UNKNOWN


async def test_the_hubs_clock_may_step() -> None:
    """Readings without a time go on whatever the wall clock does; those with one go by it."""
    async with post_office(loop(), push_device(capabilities=ONE)) as here:
        await asyncio.sleep(1)
        for step_s in (-3600.0, 7200.0, -3600.0):
            here.clock.step(step_s)
            assert here.post(T, 19.0 + step_s / 7200).why is None
            assert here.hub.reading(T).quality is Quality.GOOD
            await asyncio.sleep(5)


async def test_each_ages_by_itself() -> None:
    """What is posted for one capability makes no other one fresh."""
    async with post_office(loop()) as here:
        await asyncio.sleep(1)
        for target, value in (
            (T, 19.0),
            ("chamber/door", False),
            ("chamber/mode", "eco"),
            ("chamber/note", "x"),
        ):
            assert here.post(target, value).why is None
        await asyncio.sleep(50)
        assert here.post(T, 19.0).why is None
        await asyncio.sleep(15)
        assert here.hub.reading("chamber/door").quality is Quality.STALE
        assert here.hub.reading(T).quality is Quality.GOOD
        assert here.hub.device("chamber").availability is Availability.DEGRADED


async def test_an_extreme_proves_itself_by_coming_again() -> None:
    """Three readings, not three sendings of one: then it is shown, as suspect."""
    async with post_office(loop(), push_device(capabilities=ONE)) as here:
        await asyncio.sleep(1)
        assert here.post(T, 20.0).why is None
        for _ in range(2):
            await asyncio.sleep(60)
            for age_s in (0.0, 0.0, 0.01):  # its answer was lost, and lost again
                why = here.post(T, 75.0, age_s=age_s).why
                assert why is not None
                assert why.code == "sanity"
        assert here.hub.reading(T).value == 20.0
        await asyncio.sleep(60)
        assert here.post(T, 75.0).why is None
        reading = here.hub.reading(T)
        assert (reading.value, reading.suspect) == (75.0, True)
        assert here.post(T, 20.0).why is None
        assert not here.hub.reading(T).suspect


async def test_sent_again_is_told_the_same() -> None:
    """A retry of what was believed is believed, and moves nothing."""
    async with post_office(loop(), push_device(capabilities=ONE)) as here:
        await asyncio.sleep(1)
        assert here.post(T, 20.0, age_s=10.0).why is None
        await asyncio.sleep(5)
        assert here.post(T, 20.0, age_s=15.0).why is None
        assert here.hub.reading(T).age_s == pytest.approx(15.0)
        (link,) = here.hub.links.values()
        assert link.report.answers == 1


async def test_the_wrong_type_is_counted() -> None:
    """It is rejected like any nonsense, and is no sign of life."""
    async with post_office(loop()) as here:
        await asyncio.sleep(1)
        for _ in range(4):
            why = here.post("chamber/door", 1).why
            assert why is not None
            assert why.code == "type"
            await asyncio.sleep(5)
        (link,) = here.hub.links.values()
        assert link.report.rejects["type"] >= 1
        assert here.hub.reading("chamber/door").quality is Quality.UNKNOWN


async def test_after_a_sleep_of_the_machine() -> None:
    """What was known is stale; the first reading after it is told to come again rather than lost without a word."""
    async with post_office(loop(), push_device(capabilities=ONE)) as here:
        await asyncio.sleep(1)
        assert here.post(T, 20.0).why is None
        here.clock.sleep(3600.0)
        why = here.post(T, 21.0).why
        assert why is not None
        assert why.code == "not_listening"
        await asyncio.sleep(1)
        assert here.post(T, 21.0).why is None
        reading = here.hub.reading(T)
        assert (reading.value, reading.quality) == (21.0, Quality.GOOD)


async def test_whoever_is_not_there() -> None:
    """No such target; a device that is asked by the hub; one that does not listen yet."""
    async with post_office(loop(), push_device(capabilities=ONE)) as here:
        with pytest.raises(NotListening):
            slot_of(here.hub, T)
        await asyncio.sleep(1)
        with pytest.raises(UnknownTarget):
            slot_of(here.hub, "chamber/humidity")
        with pytest.raises(UnknownTarget):
            slot_of(here.hub, "cellar/temperature")
        with pytest.raises(NotPushed):
            deliver_document(here.hub, "chamber", "tilt", {})
    async with hub_of(spec("red", "advert", "red")) as hub:
        with pytest.raises(NotPushed):
            slot_of(hub, "red/temperature")


async def test_what_another_adapter_has() -> None:
    """A device with a radio and a sender: only what the sender has declared can be posted."""
    adapters = (Adapter(id="radio", driver="advert", url="red"), Adapter(id="in", driver="push", priority=2))
    device = replace(push_device(capabilities={"humidity": {"deadline_s": 600}}), adapters=adapters)
    mixed = DeviceSpec(device, (ADVERT.prepare(device, adapters[0]), PUSH.prepare(device, adapters[1])))
    async with hub_of(mixed) as hub:
        await asyncio.sleep(200)  # nothing is heard by radio, so the reserve is needed
        with pytest.raises(NotPushed, match="another adapter of chamber has it"):
            slot_of(hub, T)
        assert deliver(hub, slot_of(hub, "chamber/humidity"), 55).why is None
        assert hub.reading("chamber/humidity").value == 55


async def test_an_ispindel() -> None:
    """Its document's values each become a reading; what the device does not have is left."""
    document = {
        "temperature": 68,
        "temp_units": "F",
        "gravity": 1.05,
        "battery": 3.9,
        "RSSI": -60,
        "angle": "x",
    }
    capabilities = {**ONE, "gravity": {"unit": "°P", "deadline_s": 900}, "angle": {"deadline_s": 900}}
    pill = push_device("pill", {}, {"format": "ispindel"})
    async with post_office(loop(), push_device(capabilities=capabilities), pill) as here:
        await asyncio.sleep(1)
        codes = {
            each.target: None if each.why is None else each.why.code
            for each in deliver_document(here.hub, "chamber", "ispindel", document)
        }
        assert codes == {T: None, "chamber/gravity": "unit", "chamber/angle": "type"}
        assert here.hub.reading(T).value == 20.0
        found = deliver_document(here.hub, "pill", "ispindel", document)
        assert [each.target for each in found if each.why is None] == [
            "pill/temperature",
            "pill/gravity",
            "pill/battery",
            "pill/rssi",
        ]
        assert here.hub.device("pill").availability is Availability.ONLINE


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.floats(0.0, 200.0),  # pause before it
            st.one_of(st.none(), st.floats(-20.0, 500.0), st.just(60.0)),  # age
            st.one_of(st.floats(-20.0, 60.0), st.floats(), st.booleans(), st.text(max_size=3)),
        ),
        max_size=12,
    )
)
def test_nothing_old_is_ever_current(posts: list[tuple[float, float | None, Any]]) -> None:
    """Whatever is posted in whatever order: a current value was observed within its deadline, and is a number."""

    async def play(loop: VirtualLoop) -> None:
        async with post_office(loop, push_device(capabilities=ONE)) as here:
            await asyncio.sleep(1)
            seen: list[tuple[float, Any]] = []
            for pause_s, age_s, value in posts:
                await asyncio.sleep(pause_s)
                if here.post(T, value, age_s).why is None:
                    seen.append((loop.time() - max(0.0, age_s or 0.0), value))
                for wait_s in (0.0, 0.5):
                    await asyncio.sleep(wait_s)
                    reading = here.hub.reading(T)
                    if reading.value is not None:
                        observed_t = max(t for t, shown in seen if shown == reading.value)
                        assert loop.time() - observed_t < 240.0 + 0.001
                        assert isinstance(reading.value, int | float)
                        assert not isinstance(reading.value, bool)

    run_virtual(play)
