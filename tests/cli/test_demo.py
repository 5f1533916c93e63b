"""The demo: its site is one that anybody could write, its picture fits, its mishaps end well, and nothing stays."""

from __future__ import annotations

import asyncio
import io
import os
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from rich.console import Console

from holdfast.app import FAMILIES, run_site
from holdfast.cli.demo import TOLD, Tally
from holdfast.cli.demo_fermenter import CONTROLLER, DemoFermenter, can_have_plugs
from holdfast.cli.demo_pack import GATEWAY, MISHAPS, OPTIONS, PACK, DemoPack, can_have_serial
from holdfast.cli.demo_screen import PACK_TOLD, STORY_SHOWN, TOLD_EVERY_S, lines, picture
from holdfast.cli.demo_site import demo_controller, demo_mapping
from holdfast.clock import LoopClock
from holdfast.hub.events import Kind
from holdfast.hub.site.read import read_site
from holdfast.hub.site.secret import SecretSource
from holdfast.model import Availability, Quality
from holdfast.simulators.jkbms import Refuse
from tests.cli.house import run

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from holdfast.hub.hub import Hub
    from holdfast.hub.site.spec import SiteSpec
    from holdfast.simulators.jkbms import Fault

URL = "http://127.0.0.1:65535"
"""As long as an address gets."""
ROUND_S = sum(each.calm_s + each.lasts_s for each in MISHAPS)


@pytest.fixture(autouse=True, scope="module")
def _library() -> None:
    """The plugs' library is slow to import, which no loop should wait for."""
    assert can_have_plugs()


class Demo(NamedTuple):
    """All of it."""

    pack: DemoPack
    fermenter: DemoFermenter
    hub: Hub
    tally: Tally


def site_of(mapping: dict[str, Any]) -> SiteSpec:
    """The site, read as any other."""
    return read_site(mapping, FAMILIES, secrets=SecretSource(allow_plain_secrets=True), source="demo")


def drawn(hub: Hub, tally: Tally) -> list[str]:
    """The lines of the picture on a terminal of 80 columns."""
    paper = Console(width=80, file=io.StringIO(), force_terminal=False)
    with paper.capture() as capture:
        paper.print(picture(hub, tally, URL))
    return capture.get().rstrip("\n").split("\n")


@asynccontextmanager
async def watched() -> AsyncIterator[Demo]:
    """The whole demo in virtual time, its second way a gateway."""
    async with (
        demo_controller(seed=1) as house,
        DemoPack(seed=1, has_serial=False) as pack,
        DemoFermenter(seed=1) as fermenter,
    ):
        devices = (pack.mapping(), *fermenter.devices())
        spec = site_of(demo_mapping(house.host, house.port, *devices, controllers=[fermenter.controller()]))
        async with run_site(spec, LoopClock(asyncio.get_running_loop())) as site:
            tally = Tally(site.hub)
            site.hub.stream.tap(tally.take)
            sensing = asyncio.create_task(fermenter.sense(site.hub))
            try:
                yield Demo(pack, fermenter, site.hub, tally)
            finally:
                sensing.cancel()
                await asyncio.wait((sensing,))


@pytest.mark.skipif(
    not can_have_serial(), reason="there are no pseudo-terminals, or no library for serial ports"
)
async def test_the_site_is_valid_with_a_serial_port() -> None:
    async with DemoPack(seed=1) as pack:
        spec = site_of(demo_mapping("127.0.0.1", 5000, pack.mapping()))
        schemes = [each.endpoint.scheme for each in spec.devices[1].drivers]
        where = pack.mapping()["adapters"][1]["url"].removeprefix("serial://")
    assert [each.device.id for each in spec.devices] == ["house", PACK]
    assert schemes == ["tcp", "serial"]
    assert not await asyncio.to_thread(os.path.lexists, where)


@pytest.mark.virtual
@pytest.mark.blocking_allowed
async def test_mishaps_end_well() -> None:
    """Each one moves the pack to the second way and, when it is over, back; the pack's values never fall silent."""
    async with watched() as (pack, _, hub, tally):
        events: list[dict[str, Any]] = []
        states: list[str] = []
        hub.stream.tap(lambda record: events.append(record.payload) if record.kind is Kind.EVENT else None)
        hub.stream.tap(
            lambda record: (
                states.append(record.payload["reason"].code.value)
                if record.kind is Kind.AVAILABILITY
                else None
            )
        )
        suffering = asyncio.create_task(pack.suffer(lambda text: hub.note(TOLD, text, device=PACK)))
        await asyncio.sleep(ROUND_S + MISHAPS[0].calm_s - 1.0)
        suffering.cancel()
        await asyncio.wait((suffering,))
        story = [
            (each["before"], each["after"]) if "decision" in each else each["text"]
            for each in events
            if each.get("decision") == "moved" or each["kind"] == TOLD
        ]
        there, back = (GATEWAY, "gateway-2"), ("gateway-2", GATEWAY)
        assert story == [part for each in MISHAPS for part in (each.begins, there, each.ends, back)]
        assert len(tally.story) == STORY_SHOWN
        assert "standby" not in states, "a reserve rests only after it has handed over"
        assert hub.device(PACK).availability is Availability.ONLINE
        assert not any(each.suspect for each in hub.readings())
        for key in PACK_TOLD:
            assert hub.reading(f"{PACK}/{key}").quality is Quality.GOOD


@pytest.mark.virtual
@pytest.mark.blocking_allowed
async def test_a_mishap_ends_with_the_demo() -> None:
    """Whoever stops it in the middle of one leaves the gateway whole."""
    async with watched() as (pack, *_):
        suffering = asyncio.create_task(pack.suffer(lambda text: None))
        await asyncio.sleep(MISHAPS[0].calm_s + 1.0)
        during: tuple[Fault, ...] = pack.gateway.faults
        suffering.cancel()
        await asyncio.wait((suffering,))
        assert during == (MISHAPS[0].fault,)
        assert pack.gateway.faults == ()


@pytest.mark.virtual
@pytest.mark.blocking_allowed
async def test_the_picture_fits() -> None:
    """80 columns and 24 lines, always as many, from the first moment and with everything gone wrong."""
    async with watched() as (pack, _, hub, tally):
        before = drawn(hub, tally)
        suffering = asyncio.create_task(pack.suffer(lambda text: hub.note(TOLD, text, device=PACK)))
        await asyncio.sleep(MISHAPS[0].calm_s - 1.0)
        calm = drawn(hub, tally)
        await asyncio.sleep(5.0)
        moved = drawn(hub, tally)
        suffering.cancel()
        await asyncio.wait((suffering,))
        for each in (pack.gateway, pack.second):
            each.begin(Refuse())
        await asyncio.sleep(OPTIONS["stale_after_s"] * 2)
        dead = drawn(hub, tally)
        for screen in (before, calm, moved, dead):
            assert len(screen) == 24
            assert max(map(len, screen)) <= 80
        assert calm[0].endswith(URL)
        assert any(line.startswith("Fermenter: ") and "beer 18." in line for line in calm)
        assert "Pack (pack-1): online through gateway" in calm
        assert "Pack (pack-1): online through gateway-2" in moved
        assert any("gateway -> gateway-2: gateway is lost" in line for line in moved)
        (row,) = [line for line in calm if line.startswith("pack ")]
        assert " % " in row
        assert " good " in row
        (row,) = [line for line in dead if line.startswith("pack ")]
        assert " % " not in row
        assert "stale" in row
        assert any(line.startswith("Pack (pack-1): offline") for line in dead)


@pytest.mark.virtual
@pytest.mark.blocking_allowed
async def test_the_fermenter_lives() -> None:
    """It is heated within its limits by the real library, kept off while its sensor is silent, and told."""
    async with watched() as (_, fermenter, hub, _):
        suffering = asyncio.create_task(
            fermenter.suffer(lambda text: hub.note(TOLD, text, device=CONTROLLER))
        )
        states = set()
        for _ in range(150):
            await asyncio.sleep(1.0)
            states.add(hub.reading(f"{CONTROLLER}/state").value)
            assert 17.0 <= fermenter.now.beer_c <= 19.8
            assert not (fermenter.heater.plug.is_on and fermenter.fridge.plug.is_on)
        suffering.cancel()
        await asyncio.wait((suffering,))
        assert {"heating", "idle", "safety: no reading", "safety: plug unreachable"} <= states


@pytest.mark.virtual
@pytest.mark.blocking_allowed
async def test_the_lines_of_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    """The pack is told of now and then, with its adapter; its events at once."""
    async with watched() as (_, _, hub, tally):
        telling = asyncio.create_task(lines(hub, tally, URL))
        await asyncio.sleep(0.0)
        hub.note(TOLD, "a plug is pulled", device=PACK)
        await asyncio.sleep(TOLD_EVERY_S * 4)
        telling.cancel()
        await asyncio.wait((telling,))
        said = capsys.readouterr().out.splitlines()
        pack = [line for line in said if "pack-1, through gateway: " in line]
        assert 3 <= len(pack) <= 5
        assert "%, " in pack[-1].replace(" %", "%")
        assert any(line.endswith("pack-1: a plug is pulled") for line in said)
        assert any(line.endswith("house is online") for line in said)
        assert not any("pack-1/" in line for line in said)
        assert 3 <= len([line for line in said if "fermenter: beer" in line]) <= 6


@pytest.mark.xdist_group("cli")
@pytest.mark.blocking_allowed
def test_nothing_is_left_behind(tmp_path: Path) -> None:
    """Neither the simulated serial port nor its folder."""
    done = run("demo", "--seconds", "2", HOLDFAST_LOOP="asyncio", TMPDIR=str(tmp_path))
    assert (done.code, done.err) == (0, "")
    assert "pack-1 is online" in done.out
    assert list(tmp_path.iterdir()) == []
