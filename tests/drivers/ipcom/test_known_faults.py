"""The measured faults of an earlier client, one by one, each shown absent: hub and driver against the simulated device.

The numbers are those of the list in `tests/faults/ipcom.py`, which also plants each fault to see its test fail.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import random
import subprocess
import sys
import threading
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from holdfast.app import FAMILIES
from holdfast.clock import LoopClock
from holdfast.hub.events import Kind
from holdfast.hub.hub import Hub
from holdfast.hub.site.read import read_site
from holdfast.hub.site.secret import SecretSource
from holdfast.link.core import Core
from holdfast.model import Authority, Availability, CommandState, Issuer, Quality, ReasonCode, Receipt
from holdfast.simulators.ipcom import (
    Behaviour,
    ControllerConfig,
    Drop,
    Goodbye,
    IpcomController,
    LoseWrites,
    Module,
    ModuleKind,
    Pair,
    Reset,
    Split,
    Spot,
    Stall,
    Truncate,
    WriteReply,
    WrongPassword,
)
from tests.link.house import loop

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.virtual

ME = Issuer("me", Authority.PERSON)
BLIND = Pair(down=Spot(5, 7), up=Spot(5, 8), name="blind")
CONFIG = ControllerConfig(
    modules={3: Module(ModuleKind.DIMMER), 5: Module(ModuleKind.SHUTTER)},
    pairs=(BLIND,),
    behaviour=Behaviour(accounts={"me": "secret"}),
)
OUTPUTS = {
    "kitchen": {"module": 1, "output": 1, "kind": "light"},
    "hall": {"module": 1, "output": 2, "kind": "light"},
    "boiler": {"module": 6, "output": 1, "kind": "switch"},
    "salon": {"module": 3, "output": 2, "kind": "dimmer"},
    "lamp": {"module": 5, "output": 1, "kind": "light"},
    "blind": {"kind": "cover", "up": {"module": 5, "output": 8}, "down": {"module": 5, "output": 7}},
}


@dataclass
class Home:
    """A simulated house and the hub that keeps it."""

    device: IpcomController
    hub: Hub

    def value(self, target: str) -> Any:
        return self.hub.reading(f"house/{target}").value

    async def set(self, target: str, value: object, timeout_s: float | None = None) -> Receipt:
        return await self.hub.ended(self.hub.command(f"house/{target}", value, ME, timeout_s))

    async def fresh(self, limit_s: float) -> float:
        """Seconds until a value is good again."""
        start_t = loop().time()
        while self.hub.reading("house/kitchen").quality is not Quality.GOOD:
            assert loop().time() - start_t < limit_s, self.hub.device("house").reason
            await asyncio.sleep(0.01)
        return loop().time() - start_t

    @property
    def reason(self) -> ReasonCode:
        return self.hub.device("house").reason.code


@asynccontextmanager
async def home(
    *, settle_s: float = 5.0, password: str = "secret", seed: int = 1, **behaviour: Any
) -> AsyncIterator[Home]:
    """A house that has been connected for a while, unless it cannot be."""
    config = replace(CONFIG, behaviour=replace(CONFIG.behaviour, **behaviour))
    controller = IpcomController(config, rng=random.Random(seed), host="house", port=5000)
    adapter = {"id": "lan", "driver": "ipcom", "url": "tcp://house", "username": "me", "password": password}
    options = {"modules": {3: {"kind": "dimmer", "scale": 100}, 5: {"kind": "shutter"}}}
    mapping = {
        "devices": [
            {"id": "house", "name": "House", "adapters": [adapter], "options": options, "outputs": OUTPUTS}
        ]
    }
    site = read_site(mapping, FAMILIES, secrets=SecretSource(allow_plain_secrets=True))
    clock = LoopClock(loop())
    hub = Hub(clock, core=Core(clock, rng=random.Random(seed)))
    for device in site.devices:
        hub.add(device)
    async with controller:
        hub.start()
        try:
            await asyncio.sleep(settle_s)
            yield Home(controller, hub)
        finally:
            await hub.stop()


async def test_01_reconnect_takes_the_new_key() -> None:
    """A reconnect logs in afresh and works with the key of the new session."""
    async with home(is_key_renewed=True) as house:
        for fault in (Drop(), Reset(), Goodbye()):
            await asyncio.sleep(12)
            fault.strike(house.device)
            await asyncio.sleep(0.001)
            assert await house.fresh(0.5) < 0.5
        assert (await house.set("kitchen", True)).state is CommandState.VERIFIED


async def test_02_silent_peer_is_noticed() -> None:
    """A device that keeps the socket and stops answering is stale within its deadline and left."""
    async with home() as house:
        house.device.begin(Stall())
        await asyncio.sleep(2.5)
        assert house.hub.reading("house/kitchen").quality is Quality.STALE
        assert house.reason is ReasonCode.SILENT
        assert next(iter(house.hub.links.values())).report.outage_count == 1
        house.device.end(Stall())
        assert await house.fresh(5.0) < 5.0


async def test_03_refused_during_a_reconnect_is_told_and_tried_again() -> None:
    """A login refused on reconnect, with the socket kept open, is no connection, and it is tried again."""
    async with home(is_closed_after_refusal=False) as house:
        house.device.begin(WrongPassword())
        house.device.drop_all()
        await asyncio.sleep(5)
        assert house.reason is ReasonCode.LOGIN_REFUSED
        assert house.hub.device("house").availability is Availability.OFFLINE
        house.device.end(WrongPassword())
        await asyncio.sleep(61)
        assert house.value("kitchen") is False


@pytest.mark.parametrize("refusal", [None, bytes.fromhex("7ee3")])
async def test_04_refusal_is_recognised_at_once(refusal: bytes | None) -> None:
    """Two bytes and silence are a refusal within half a second, whatever the bytes, distinct from unreachable."""
    async with home(
        settle_s=0.5, is_login_refused=True, is_closed_after_refusal=False, refusal=refusal
    ) as house:
        assert house.reason is ReasonCode.LOGIN_REFUSED
        assert "refused the user name or password" in house.hub.device("house").reason.text


async def test_05_device_off_at_start() -> None:
    """A device that is off at start is tried until it is there."""
    async with home(settle_s=20, is_listening=False) as house:
        assert house.reason is ReasonCode.UNREACHABLE
        house.device.behave(is_listening=True)
        assert await house.fresh(5.0) < 5.0


async def test_06_loss_is_told_and_nothing_old_is_kept() -> None:
    """Loss shows at once with its reason; half a message of the old session never meets the new one."""
    async with home() as house:
        await asyncio.sleep(10)
        said = []
        house.hub.stream.tap(lambda record: said.append(record) if record.kind is Kind.AVAILABILITY else None)
        house.device.begin(Truncate(1.0))
        await asyncio.sleep(0.4)
        house.device.end(Truncate(1.0))
        house.device.drop_all()
        await asyncio.sleep(0.001)
        assert said[-1].payload["availability"] is Availability.DEGRADED
        assert "closed the connection" in said[-1].payload["reason"].text
        assert house.hub.device("house").active.seen() == {}
        assert await house.fresh(0.5) < 0.5


async def test_07_the_wall_clock_does_not_matter() -> None:
    """A clock that jumps a year makes nothing stale or fresh; a wait can be cut short."""
    async with home() as house:
        house.hub.clock.step(365 * 86400)  # type: ignore[attr-defined]
        assert house.value("kitchen") is False
        house.hub.clock.step(-730 * 86400)  # type: ignore[attr-defined]
        await asyncio.sleep(3)
        assert house.value("kitchen") is False
        house.device.behave(is_listening=False)
        house.device.reset_all()
        await asyncio.sleep(300)
        house.device.behave(is_listening=True)
        house.hub.retry("house")
        assert await house.fresh(0.5) < 0.5


@pytest.mark.parametrize("seed", range(8))
async def test_08_any_session_key(seed: int) -> None:
    """Polls and their answers follow the session's own key."""
    async with home(seed=seed, session_key=random.Random(seed).randbytes(128)) as house:
        assert house.value("kitchen") is False
        assert (await house.set("kitchen", True)).state is CommandState.VERIFIED


@pytest.mark.parametrize("largest", [1, 7, 100])
async def test_09_split_anywhere(largest: int) -> None:
    """Snapshots that come byte by byte are all there."""
    async with home() as house:
        link = next(iter(house.hub.links.values()))
        house.device.begin(Split(largest))
        answers = link.report.answers
        await asyncio.sleep(20)
        assert link.report.answers - answers >= 0.95 * 20 / 0.35
        assert link.report.outage_count == 0


async def test_10_a_truncated_snapshot_is_never_joined_with_the_next() -> None:
    """Cut snapshots cost themselves, never the truth, and the next clean one is good."""
    async with home() as house:
        truth = {house.device.house.outputs}
        house.device.house.observe(lambda _: truth.add(house.device.house.outputs))
        house.device.begin(Truncate(0.5))
        for n in range(200):
            house.device.house.press(1, 1 + n % 2)
            await asyncio.sleep(0.1)
            for sight in house.hub.device("house").active.seen().values():
                assert sight.raw in truth
        house.device.end(Truncate(0.5))
        assert await house.fresh(3.0) < 3.0


@pytest.mark.parametrize("reply", list(WriteReply))
async def test_11_every_kind_of_write_reply(reply: WriteReply) -> None:
    """Short acknowledgements, frames, snapshots or nothing: the confirming snapshot is found at once."""
    async with home(write_reply=reply, reply_delay_s=0.004, write_reply_delay_s=0.002) as house:
        for n in range(6):
            receipt = await house.set("kitchen", n % 2 == 0)
            assert receipt.state is CommandState.VERIFIED
            assert receipt.ended_after_s is not None
            assert receipt.ended_after_s < 0.12
            await asyncio.sleep(0.3)
        assert next(iter(house.hub.links.values())).report.outage_count == 0


async def test_12_goodbye_and_keep_alive_are_understood() -> None:
    """The device hears keep-alives and a goodbye in the vendor's form, and nothing that it cannot read."""
    async with home() as house:
        await asyncio.sleep(95)
        counts = house.device.counts
        assert counts["keep-alive requests"] == 3
    assert counts["client said goodbye"] == 1 or any(
        "goodbye" in str(event.what) for event in house.device.events
    )
    assert not [name for name in counts if "unreadable" in str(name) or "unknown" in str(name)]


async def test_14_no_command_is_dropped() -> None:
    """Ten commands in an outage all end verified; lost writes are sent again."""
    async with home() as house:
        house.device.begin(Stall())
        house.device.drop_all()
        receipts = [
            house.hub.command(f"house/{name}", True, ME) for name in ("kitchen", "hall", "boiler", "lamp")
        ]
        await asyncio.sleep(3)
        house.device.end(Stall())
        assert {(await house.hub.ended(each)).state for each in receipts} == {CommandState.VERIFIED}
        house.device.begin(LoseWrites(1.0))
        receipt = house.hub.command("house/kitchen", False, ME)
        await asyncio.sleep(1)
        house.device.end(LoseWrites(1.0))
        ended = await house.hub.ended(receipt)
        assert ended.state is CommandState.VERIFIED
        assert ended.attempts == 2


async def test_15_quick_commands_to_one_module_do_not_undo_each_other() -> None:
    """With 150 ms bus and 120 ms reply delay two commands in a row to one module both hold."""
    async with home(bus_delay_s=0.15, reply_delay_s=0.12) as house:
        for wanted in (True, False, True, False):
            first = house.hub.command("house/kitchen", wanted, ME)
            await asyncio.sleep(0.15)
            second = house.hub.command("house/hall", wanted, ME)
            assert {(await house.hub.ended(each)).state for each in (first, second)} == {
                CommandState.VERIFIED
            }
            await asyncio.sleep(0.7)
            assert house.device.house.value(1, 1) == house.device.house.value(1, 2) == (255 if wanted else 0)


@pytest.mark.parametrize("lead_s", [0.02, 0.1, 0.25])
async def test_16_a_wall_switch_is_not_undone(lead_s: float) -> None:
    """A switch pressed shortly before a command to its neighbour stays as pressed."""
    async with home(reply_delay_s=0.005) as house:
        undone = 0
        for n in range(30):
            pressed = house.device.house.press(1, 2)
            await asyncio.sleep(lead_s)
            await house.set("kitchen", n % 2 == 0)
            undone += house.device.house.value(1, 2) != pressed
            await asyncio.sleep(0.2 + 0.011 * n)
        assert undone == 0


async def test_17_both_relays_are_never_on() -> None:
    """Opposite commands from several issuers, in any haste, never drive both relays; the reversal rests."""
    async with home(bus_delay_s=0.3) as house:
        rng = random.Random(3)
        issuers = [ME, Issuer("other"), Issuer("automation", Authority.AUTOMATION)]
        for _ in range(120):
            house.hub.command("house/blind", rng.choice(["open", "close", "stop"]), rng.choice(issuers))
            if rng.random() < 0.3:
                house.hub.command("house/lamp", rng.random() < 0.5, ME)
            await asyncio.sleep(rng.choice([0.0, 0.05, 0.2, 0.6, 2.0]))
        await asyncio.sleep(12)
        assert not house.device.judge.violations
        assert len(house.device.judge.reversals) >= 3
        assert house.device.judge.smallest_gap_s >= 0.5


async def test_17_both_on_by_hand_is_ended_and_told() -> None:
    """Hands on the wall can start both: they are switched off at once, alarmed, and only stop is taken meanwhile."""
    async with home() as house:
        house.device.house.press(5, 7, 255)
        house.device.house.press(5, 8, 255)
        await asyncio.sleep(0.45)
        assert house.device.house.value(5, 7) == house.device.house.value(5, 8) == 0
        alarms = [record for record in house.hub.stream.recent() if record.kind is Kind.ALARM]
        assert "both of its relays are on" in alarms[0].payload["text"]
        await asyncio.sleep(1)
        assert not house.hub.alarms


async def test_18_writes_keep_their_spacing() -> None:
    """Frames are 200 ms apart, and twenty commands to four modules take four frames in under a second."""
    async with home(reply_delay_s=0.003) as house:
        names = ["kitchen", "hall", "boiler", "salon", "lamp"]
        start_t = loop().time()
        receipts = [house.hub.command(f"house/{name}", True, ME) for name in names for _ in range(4)]
        ends = [(await house.hub.ended(each)).state for each in receipts]
        assert ends.count(CommandState.VERIFIED) == 5
        assert ends.count(CommandState.SUPERSEDED) == 15
        assert loop().time() - start_t < 1.0
        times = [frame.t for frame in house.device.frames]
        assert len(times) == 4
        assert min(later - earlier for earlier, later in itertools.pairwise(times)) >= 0.199


async def test_19_the_other_seven_outputs_stay() -> None:
    """Switching one output of a module leaves the others as they are."""
    async with home() as house:
        for output in (2, 3, 5, 8):
            house.device.house.press(1, output, 255)
        await asyncio.sleep(1)
        await house.set("kitchen", True)
        await house.set("kitchen", False)
        assert [house.device.house.value(1, output) for output in range(1, 9)] == [
            0,
            255,
            255,
            0,
            255,
            0,
            0,
            255,
        ]


async def test_20_no_module_number_is_special() -> None:
    """Module 6 may hold relays and module 3 dimmers; "on" restores the last level."""
    async with home() as house:
        await house.set("boiler", True)
        assert house.device.house.value(6, 1) == 255
        await house.set("salon", 37)
        await house.set("salon", 0)
        receipt = await house.set("salon", True)
        assert receipt.state is CommandState.VERIFIED
        assert house.device.house.value(3, 2) == 37
        assert house.value("salon") == 37


def test_21_importing_changes_no_logging() -> None:
    """No handler is installed by an import, and logger names carry no host or port."""
    code = "import logging, holdfast, holdfast.app; print(len(logging.root.handlers), logging.root.level)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["0", str(logging.WARNING)]


async def test_22_one_thread_and_no_slow_listener() -> None:
    """A link makes no thread, and a listener that never reads stops nothing."""
    threads = threading.active_count()
    async with home() as house:
        lazy = house.hub.stream.latest()
        journal = house.hub.stream.journal(length=3)
        house.device.house.observe(lambda _: None)
        for n in range(50):
            house.device.house.press(1, 1 + n % 2)
            await asyncio.sleep(0.4)
        assert threading.active_count() == threads
        assert next(iter(house.hub.links.values())).report.outage_count == 0
        assert lazy.take() is not None
        journal.close()
        lazy.close()


async def test_a_wall_switch_is_shown_within_a_poll() -> None:
    """A hundred presses at random times: each is shown within a poll and a bit."""
    async with home() as house:
        lags: list[float] = []
        rng = random.Random(1)
        for _ in range(100):
            pressed = bool(house.device.house.press(1, 1))
            start_t = loop().time()
            while house.value("kitchen") is not pressed:  # noqa: ASYNC110 - time is virtual
                await asyncio.sleep(0.01)
            lags.append(loop().time() - start_t)
            await asyncio.sleep(rng.uniform(0.1, 5))
        assert max(lags) <= 0.4
