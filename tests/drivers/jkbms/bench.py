"""Simulated batteries under control, as the driver contract wants them: behind a gateway, and over Bluetooth."""

from __future__ import annotations

import asyncio
import math
import random
from dataclasses import fields, replace
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from bleak.exc import BleakDeviceNotFoundError

from holdfast.drivers.jkbms.driver import JKBMS, family
from holdfast.model import Adapter, Device, ValueType
from holdfast.simulators.jkbms import (
    Alarm,
    Battery,
    BleBattery,
    Bus,
    FrameKind,
    Gateway,
    LiveFrame,
    OutletBehaviour,
    Packing,
    SettingsFrame,
    Stall,
    encode,
    reply,
)
from holdfast.simulators.jkbms.ble import LIVE_PERIOD_S
from holdfast.testing import Bench, StreamBench
from holdfast.transports.ble import dial_ble
from tests.transports.gatt import ADDRESS, FakeGatt

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from holdfast.link.driver import Family
    from holdfast.model import Capability, Value
    from holdfast.simulation import VirtualLoop
    from holdfast.simulators.jkbms import Frame, Said

HOST, PORT = "gateway", 8899
STRANGER = 9
WHOLE_UNITS = OutletBehaviour(packing=Packing(largest=1024))
"""A gateway that writes each unit of the bus in one piece: whoever connects begins with a whole one."""
RANGES = {
    "current": (-300.0, 300.0),
    "voltage": (50.0, 55.0),
    "soc": (10.0, 90.0),
    "settings/capacity": (200.0, 400.0),
}
"""Numbers behind the address that a battery can be told to change, and between what; what takes most values first."""
WORDS = ("alarms", "charging", "balancing")
"""What else can change."""
ALARMS = {0: (), int(Alarm.CELL_OVER_VOLTAGE): ("cell over voltage",)}
CONTROLS = {4: "display always on", 9: "float mode"}
"""Of the control mask, those that the simulator has set (fact sheet section 7)."""


# --- what an observer makes of frames --------------------------------------------------------------------------------


def live_truth(live: LiveFrame) -> dict[str, Value]:
    """What a live frame says by key behind the address, worked out from what the simulator meant, not from bytes."""
    cells = live.cell_voltages
    count, low, high = len(cells), min(cells), max(cells)
    cells_mv, average_mv = [_milli(each) for each in cells], _milli(live.cell_avg_v)
    pack_mv, current_ma = _milli(live.pack_voltage_v), _milli(live.pack_current_a)
    power_mw = Fraction(pack_mv * current_ma, 1000)
    size_mw = abs(math.floor(power_mw + Fraction(1, 2)))
    power_share = Fraction(_milli(live.pack_power_w) - size_mw, max(size_mw, 100_000)) * 100
    charge_share = live.soc_pct - Fraction(_milli(live.remaining_ah), _milli(live.full_ah)) * 100
    sensors = {
        "mos": live.mos_temp_c,
        "1": live.temp1_c,
        "2": live.temp2_c,
        "3": live.temp_256_c,
        "4": live.temp_258_c,
    }
    return {
        "voltage": live.pack_voltage_v,
        "current": live.pack_current_a,
        "power": math.floor(power_mw + Fraction(1, 2)) / 1000,
        "soc": live.soc_pct,
        "soh": live.soh_pct,
        "cell_min": low,
        "cell_min_at": cells.index(low) + 1,
        "cell_max": high,
        "cell_max_at": cells.index(high) + 1,
        "cell_spread": round(high - low, 3),
        "cell_average": live.cell_avg_v,
        "cell_count": count,
        "remaining_capacity": live.remaining_ah,
        "full_capacity": live.full_ah,
        "cycles": live.cycles,
        "throughput": live.cycle_ah,
        "runtime": live.runtime_s,
        "alarms": ALARMS[live.alarms],
        "charging": live.charge_mos,
        "discharging": live.discharge_mos,
        "balancing": live.balance_state != 0,
        "balance_current": live.balance_current_a,
        "heating": live.heating,
        "heat_current": live.heat_current_a,
        # Shares of a rounding step are cut off, downwards.
        "deviations/sum": (pack_mv - sum(cells_mv)) / 1000,
        "deviations/average": math.floor((average_mv - Fraction(sum(cells_mv), count)) * 10) / 10_000,
        "deviations/spread": (_milli(live.cell_delta_v) - max(cells_mv) + min(cells_mv)) / 1000,
        "deviations/power": math.floor(power_share * 10) / 10,
        "deviations/soc": math.floor(charge_share * 10) / 10,
        "deviations/voltage": (round(live.pack_voltage_v * 100) * 10 - pack_mv) / 1000,
        **{f"cells/{number}/voltage": each for number, each in enumerate(cells, 1)},
        **{f"temperatures/{name}": each for name, each in sensors.items() if each is not None},
    }


def _milli(value: float) -> int:
    return round(value * 1000)


def settings_truth(settings: SettingsFrame) -> dict[str, Value]:
    """The same of a settings frame; what the simulator does not know reads 0."""
    values: dict[str, Value] = {"discharge_utp": 0, "discharge_utp_release": 0}
    for each in fields(settings):
        value = getattr(settings, each.name)
        values[_setting(each.name)] = int(value) if isinstance(value, bool) else value
    del values["control_mask"]
    values["controls"] = tuple(name for bit, name in CONTROLS.items() if settings.control_mask >> bit & 1)
    return {f"settings/{key}": value for key, value in values.items()}


def _setting(name: str) -> str:
    if name == "smart_sleep_h":
        return "smart_sleep_delay"
    stem, _, unit = name.rpartition("_")
    return stem if unit in {"v", "a", "ah", "c", "s", "us"} else name


class QuietBattery(Battery):
    """Nothing of what is reported of it changes but when told to; only a clock that no reading shows goes on.

    No two live frames of a real battery are equal, since it counts its seconds.
    """

    def __init__(self, address: int, **more: Any) -> None:
        super().__init__(address, seed=address, is_scripted=True, **more)
        self.ticks = 0
        self._known: dict[str, Value] = {}
        self.current_a = 10.0 + address

    def frame(self, kind: FrameKind, now: float) -> Frame:
        said = super().frame(kind, now)
        if not isinstance(said, LiveFrame):
            return said
        self.ticks += 1
        return replace(said, charge_status_s=self.ticks % 65536)

    def truth(self, key: str, now: float) -> Value:
        """What is so now, by key behind the address."""
        if not self._known:
            settings = replace(self.settings, device_address=self.address)
            self._known = live_truth(self.live(now)) | settings_truth(settings)
        return self._known[key]

    def change(self, key: str, value: Value, now: float) -> None:
        """One thing changes, and what must follow from it."""
        live = self.live(now)
        self._known = {}
        match key, value:
            case "voltage", float() | int():
                step_mv = round((value - live.pack_voltage_v) * 1000 / len(live.cell_voltages))
                cells = tuple(round(each + step_mv / 1000, 3) for each in live.cell_voltages)
                self.pin(cell_voltages=cells)
            case "current", float() | int():
                self.current_a = float(value)
            case "soc", int():
                self.pin(soc_pct=value, remaining_ah=round(live.full_ah * value / 100, 3))
            case "alarms", tuple():
                self.pin(alarms=next(bits for bits, names in ALARMS.items() if names == value))
            case "charging", bool():
                self.pin(charge_mos=value)
            case "balancing", bool():
                self.pin(balance_state=int(value))
            case "settings/capacity", float() | int():
                self.configure(capacity_ah=float(value))
            case _:
                raise AssertionError(f"{key} cannot become {value!r}")


def other(
    bench: Bench, target: str, capability: Capability, usual: Callable[[str, Capability], Value]
) -> Value:
    """Another value: numbers go up and down within `RANGES`, lists of alarms come and go."""
    if capability.type is ValueType.LIST:
        return next(names for names in ALARMS.values() if names != bench.truth(target))
    low, high = RANGES.get(target.split("/", 2)[2], (None, None))
    return usual(target, replace(capability, minimum=low, maximum=high))


# --- the bus ---------------------------------------------------------------------------------------------------------


class LateBus(Bus):
    """Batteries that answer ``lag_s`` late, with what was true when they were asked."""

    lag_s = 0.0

    def transmit(self, data: bytes, sender: object, said: Said | None = None) -> None:
        if said is None or self.lag_s <= 0.0:
            super().transmit(data, sender, said)
        else:
            asyncio.get_running_loop().call_later(self.lag_s, super().transmit, data, sender, said)


def pack(device_id: str, *adapters: Adapter, **options: Any) -> Device:
    """A pack."""
    return Device(id=device_id, name=device_id, adapters=adapters, options=options)


def gateway_adapter(host: str = HOST, *, adapter_id: str = "gateway", **options: Any) -> Adapter:
    """The way over a gateway."""
    return Adapter(id=adapter_id, driver="jkbms", url=f"tcp://{host}:{PORT}", options=options)


class JkBench(StreamBench):
    """Two packs behind one gateway, with a master that polls them, or with nobody but ourselves to ask."""

    pace_s: ClassVar[float] = 4.7
    """A round of the slower master takes 4.5 s here."""
    host = HOST
    port = PORT
    owners: ClassVar[Mapping[str, Mapping[int, str]]] = {"one": {0: "front"}, "two": {3: "shed"}}

    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__(loop)
        self.family = JKBMS
        self.source = random.Random(loop.seed)
        self.batteries = {
            str(address): QuietBattery(address) for names in self.owners.values() for address in names
        }
        self.bus = LateBus(self.batteries.values(), rng=self.source)
        self.gateway = Gateway(
            self.bus, rng=self.source, host=self.host, port=self.port, behaviour=WHOLE_UNITS
        )
        self.stall = Stall()

    async def start(self) -> None:
        self.bus.start()
        await self.gateway.start()

    async def stop(self) -> None:
        await self.gateway.stop()
        self.bus.stop()

    def devices(self, password: str = "") -> Sequence[Device]:
        return [self.device(device_id) for device_id in self.owners]

    def device(self, device_id: str = "one", **options: Any) -> Device:
        """One of the packs, with other options."""
        named = {"batteries": dict(self.owners[device_id])}
        return pack(device_id, gateway_adapter(), **{**named, **options})

    def junk(self) -> Sequence[Device]:
        return [
            self.device(batteries={16: "far"}),
            self.device(batteries=["front"]),
            self.device(stale_after_s=10),
            self.device(polling=True, batteries={}),
            self.device(battery=1),
            self.device(minimum_members=0),
        ]

    def truth(self, target: str) -> Value:
        _, member, key = target.split("/", 2)
        return self.batteries[member].truth(key, self.loop.time())

    def changeable(self, targets: Sequence[str]) -> Sequence[str]:
        return [each for key in (*RANGES, *WORDS) for each in targets if each.split("/", 2)[2] == key]

    def other(self, target: str, capability: Capability) -> Value:
        return other(self, target, capability, super().other)

    def change(self, target: str, value: Value) -> None:
        _, member, key = target.split("/", 2)
        self.batteries[member].change(key, value, self.loop.time())

    def silence(self, member: str | None = None) -> None:
        if member is None:
            self.gateway.begin(self.stall)
        elif member == "0":  # somebody else polls in its stead
            self.bus.behave(has_master=False, has_second_master=True)
        else:
            self.bus.behave(silent=frozenset({int(member)}))

    def resume(self) -> None:
        super().resume()
        if self.stall in self.gateway.faults:
            self.gateway.end(self.stall)
        self.bus.lag_s = 0.0
        self.bus.behave(has_master=True, has_second_master=False, silent=frozenset())

    def stranger(self) -> None:
        battery = Battery(STRANGER, is_scripted=True)
        frame = encode(battery.live(self.loop.time()))
        self.say(frame + reply(STRANGER, FrameKind.LIVE))


class JkPollingBench(JkBench):
    """The same without a master: batteries from address 1 on, which speak when asked."""

    pace_s: ClassVar[float] = 0.0
    owners: ClassVar[Mapping[str, Mapping[int, str]]] = {"one": {1: "front"}, "two": {3: "shed"}}

    def device(self, device_id: str = "one", **options: Any) -> Device:
        return super().device(device_id, **{"polling": True, **options})

    def changeable(self, targets: Sequence[str]) -> Sequence[str]:
        return [target for target in super().changeable(targets) if "/settings/" not in target]

    def lag(self, seconds: float) -> None:
        self.bus.lag_s = seconds


# --- Bluetooth -------------------------------------------------------------------------------------------------------


class CountingGatt(FakeGatt):
    """Counts the calls that run at once."""

    running = 0
    most_running = 0

    async def call(self, name: str) -> None:
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            await super().call(name)
        finally:
            self.running -= 1


class BlePeer:
    """A battery behind a fake radio: each connection is a life of its own, with live frames every half second."""

    def __init__(self, battery: Battery, loop: asyncio.AbstractEventLoop) -> None:
        self.battery = battery
        self.gatt = CountingGatt(call_s=0.001, heard=self.heard)
        self.is_silent = False
        self._loop = loop
        self._life: BleBattery | None = None
        self._owner: object = None
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        self._timer = self._loop.call_later(LIVE_PERIOD_S, self.start)
        if self._life is not None and self._life.is_streaming and self._is_heard():
            self.gatt.notify(self._life.live(self._loop.time()))

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def heard(self, data: bytes) -> None:
        if self._owner is not self.gatt.connected or self._life is None:
            self._owner, self._life = self.gatt.connected, BleBattery(self.battery)
        for unit in self._life.commands(data, self._loop.time()):
            if not self.is_silent:
                self.gatt.notify(unit)

    def _is_heard(self) -> bool:
        return not self.is_silent and self._owner is self.gatt.connected and self.gatt.is_subscribed


def ble_adapter(battery: int = 1, **options: Any) -> Adapter:
    """The way over the radio."""
    return Adapter(id="ble", driver="jkbms", url=f"ble://{ADDRESS}", options={"battery": battery, **options})


def ble_family(gatt: FakeGatt) -> Family:
    """The family with a fake radio."""
    return family(partial(dial_ble, client_factory=gatt.client))


class JkBleBench(Bench):
    """One battery over Bluetooth."""

    pace_s: ClassVar[float] = LIVE_PERIOD_S

    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__(loop)
        self.battery = QuietBattery(1)
        self.peer = BlePeer(self.battery, loop)
        self.family = ble_family(self.peer.gatt)

    async def start(self) -> None:
        self.peer.start()

    async def stop(self) -> None:
        self.resume()
        self.peer.stop()

    def devices(self, password: str = "") -> Sequence[Device]:
        return [pack("one", ble_adapter())]

    def junk(self) -> Sequence[Device]:
        return [
            pack("one", ble_adapter(16)),
            pack("one", ble_adapter(polling=True)),
            pack("one", ble_adapter(), batteries={0: "front"}),
        ]

    def truth(self, target: str) -> Value:
        return self.battery.truth(target.split("/", 2)[2], self.loop.time())

    def changeable(self, targets: Sequence[str]) -> Sequence[str]:
        return [
            each
            for key in ("current", "voltage", "soc", *WORDS)
            for each in targets
            if each.endswith(f"1/{key}")
        ]

    def other(self, target: str, capability: Capability) -> Value:
        return other(self, target, capability, super().other)

    def change(self, target: str, value: Value) -> None:
        self.battery.change(target.split("/", 2)[2], value, self.loop.time())

    def silence(self, member: str | None = None) -> None:
        self.peer.is_silent = True

    def refuse(self) -> None:
        gatt = self.peer.gatt
        gatt.faults["connect"] = BleakDeviceNotFoundError(ADDRESS, "was not found")
        if gatt.connected is not None:
            gatt.drop()

    def hold(self) -> None:
        gatt = self.peer.gatt
        gatt.released = asyncio.Event()
        gatt.is_deaf = True
        gatt.hangs = {"connect", "start_notify", "write", "disconnect"}
        self.peer.is_silent = True  # so that something is called at all

    def resume(self) -> None:
        self.peer.gatt.faults.clear()
        self.peer.gatt.release()
        self.peer.is_silent = False

    def calls_at_once(self) -> int:
        return self.peer.gatt.most_running
