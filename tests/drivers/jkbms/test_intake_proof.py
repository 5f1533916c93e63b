"""Intake, both ways: captured frames and real events are believed, and seeded damage of captured frames is not."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Any

import pytest

from bench.jkbms.bounds import largest_error
from bench.jkbms.dirty import errors, said_values
from bench.jkbms.pack import Pack
from holdfast.drivers.jkbms.calls import LIVE
from holdfast.simulation import run_virtual
from holdfast.simulators.jkbms import Battery, FrameKind, encode, poll, reply
from tests.drivers.jkbms.captures import (
    FRAMES,
    STREAMS,
    changed,
    frame,
    poll_of,
    reads,
    reply_of,
    sealed,
    truth,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


CYCLE_S = 5.0
"""From one live frame of a battery to the next (fact sheet section 2)."""
ON_BUS = [
    ident
    for ident, each in FRAMES.items()
    if each["frame_type"] == 2 and each["layout"] == "32S" and "corrupt" not in ident
]
"""Captured live frames of the layout that a bus carries."""


def in_a_pack(work: Callable[[Pack], Awaitable[None]], addresses: range = range(16)) -> None:
    """Run something with an open pack."""

    async def main() -> None:
        pack = Pack(addresses)
        await pack.open()
        await work(pack)
        await asyncio.sleep(0)
        await pack.close()

    run_virtual(main(), allow_leftovers=True)


async def after(pack: Pack, seconds: float) -> None:
    """Let time pass."""
    await asyncio.sleep(seconds)


# --- what is real -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ident", STREAMS)
def test_every_captured_stream_is_believed(ident: str) -> None:
    """All live frames that can be attributed; none is suspect, and nothing is alarmed."""
    pieces = reads(ident)
    wanted = [each for each in truth(ident) if each["type"] == 2 and each["address"] is not None]

    async def work(pack: Pack) -> None:
        for piece in pieces:
            pack.feed(piece)
            for address in range(16):
                assert not pack.evidence(address).intake.suspects
            await after(pack, 0.05)
        await after(pack, 1.0)
        rejects = pack.link.report.rejects
        assert not {"sanity", "sum", "cells", "no_cells", "percent"} & rejects.keys(), rejects
        assert pack.link.report.answers >= len(wanted)
        assert not pack.told.alarms

    in_a_pack(work)


@pytest.mark.parametrize("ident", ON_BUS)
def test_every_captured_frame_is_believed(ident: str) -> None:
    """At once, for each source and firmware."""
    data = frame(ident)

    async def work(pack: Pack) -> None:
        pack.feed(poll_of(3) + data + reply_of(3))
        assert pack.evidence(3).n >= 0
        assert not pack.evidence(3).intake.suspects
        assert not pack.link.report.rejects

    in_a_pack(work)


def _step_of_load(battery: Battery) -> None:
    battery.current_a = -160.0 if battery.current_a > 0 else 40.0


def _recalibrated(battery: Battery) -> None:
    battery.soc_pct = 100.0


def _rebooted(battery: Battery) -> None:
    battery.pin(runtime_s=0)


def _warmer(battery: Battery) -> None:
    battery.pin(temp1_c=62.0, temp2_c=61.0, mos_temp_c=78.0)


def _frozen_out(battery: Battery) -> None:
    battery.pin(temp1_c=-8.5, temp2_c=-9.1, temp_256_c=-8.8, temp_258_c=-9.0)


def _emptied(battery: Battery) -> None:
    battery.soc_pct = 4.0


EVENTS = (_step_of_load, _recalibrated, _rebooted, _warmer, _frozen_out, _emptied)


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("cells", [8, 16])
def test_a_real_event_is_shown_by_its_third_frame(event: Callable[[Battery], None], cells: int) -> None:
    """However abrupt: a load step of 200 A, a recalibration, a reboot, heat and frost."""
    battery = Battery(2, cells=cells, seed=5)
    battery.current_a = 40.0
    battery.soc_pct = 60.0

    async def send(pack: Pack) -> dict[str, Any]:
        live = battery.live(pack.core.now())
        pack.feed(poll(2, FrameKind.LIVE) + encode(live) + reply(2, FrameKind.LIVE))
        await after(pack, CYCLE_S)
        return said_values(live)

    async def work(pack: Pack) -> None:
        for _ in range(3):
            said = await send(pack)
            assert not errors(said, pack.values(2))
        event(battery)
        shown = [not errors(await send(pack), pack.values(2)) for _ in range(3)]
        assert shown[-1], "not shown by its third frame"
        for _ in range(4):  # and it stays
            said = await send(pack)
            assert not errors(said, pack.values(2))

    in_a_pack(work)


def test_a_hard_day_is_believed() -> None:
    """Loads that switch by up to 200 A at random, clouds, the lot: each frame at once, none suspect."""
    rng = random.Random(9)
    battery = Battery(4, seed=3)

    async def work(pack: Pack) -> None:
        for number in range(600):
            if rng.random() < 0.3:
                battery.current_a = rng.uniform(-110.0, 90.0)
            live = battery.live(pack.core.now())
            pack.feed(poll(4, FrameKind.LIVE) + encode(live) + reply(4, FrameKind.LIVE))
            assert not errors(said_values(live), pack.values(4)), number
            assert not pack.evidence(4).intake.suspects
            await after(pack, CYCLE_S)
        assert not pack.link.report.rejects

    in_a_pack(work)


# --- what is not ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ident", ON_BUS)
def test_damaged_captures_are_rejected_or_bounded(ident: str) -> None:
    """Seeded changes of captured frames with the sum made to fit: what is shown is right, or off within the bounds."""
    rng = random.Random(ident)
    good = frame(ident)

    async def work(pack: Pack) -> None:
        evidence = pack.evidence(1)
        said: dict[str, Any] = {}
        rejected = 0
        for number in range(300):
            is_damaged = number % 3 == 2
            data = _damaged(rng, good) if is_damaged else good
            pack.feed(poll_of(1) + data + reply_of(1))
            await after(pack, CYCLE_S)
            shown = pack.values(1)
            if not is_damaged:
                said = said or dict(shown)
                assert not errors(said, shown)
                continue
            rejected += evidence.t < pack.core.now() - CYCLE_S
            for key, error in errors(said, shown).items():
                if not key.startswith(("deviations/", "cell_min_at", "cell_max_at")):
                    assert error <= largest_error("made to fit", key, said[key]), f"{key}: {shown[key]}"
            assert not evidence.intake.suspects
        assert rejected > 0

    in_a_pack(work)


def _damaged(rng: random.Random, data: bytes) -> bytes:
    """Some bytes changed, zeroed or moved, and a sum that fits."""
    kind = rng.randrange(4)
    at = rng.randrange(6, 290)
    if kind == 0:
        return changed(data, at, rng.randbytes(rng.randint(1, 8)))
    if kind == 1:
        return changed(data, at, bytes(rng.randint(2, 8)))
    if kind == 2:  # bytes lost inside, what follows has moved up
        size = rng.randint(1, 8)
        return sealed(data[:at] + data[at + size : 299] + rng.randbytes(size))
    bit = 1 << rng.randrange(8)
    return changed(data, at, bytes((data[at] ^ bit,)))


def test_all_zero_and_all_ones_are_nothing() -> None:
    """With a sum that fits, as often as they like."""
    begin = frame(ON_BUS[0])[:6]

    async def work(pack: Pack) -> None:
        for fill in (b"\0", b"\xff"):
            data = sealed(begin + fill * 293)
            for _ in range(10):
                pack.feed(poll_of(1) + data + reply_of(1))
                await after(pack, CYCLE_S)
        assert pack.evidence(1, LIVE).n < 0

    in_a_pack(work)


def test_a_sensor_that_is_not_fitted_is_not_made_up_by_damage() -> None:
    """One damaged frame gives it a temperature; the zeros of the frames behind do not make that a sensor."""
    good = changed(frame(ON_BUS[0]), 258, bytes(2))
    damaged = changed(good, 258, b"\x28\x00")

    async def work(pack: Pack) -> None:
        for data in (good, good, damaged, good, good):
            pack.feed(poll_of(1) + data + reply_of(1))
            await after(pack, CYCLE_S)
            assert "1/temperatures/4" not in pack.device.capabilities

    in_a_pack(work)
