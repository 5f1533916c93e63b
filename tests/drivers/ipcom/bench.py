"""The simulated IPCom controller under control, as the driver contract wants it."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from holdfast.drivers.ipcom.driver import IPCOM
from holdfast.model import Adapter, Device
from holdfast.simulators.ipcom import (
    Behaviour,
    ControllerConfig,
    Fault,
    IpcomController,
    LoseWrites,
    Module,
    ModuleKind,
    Pair,
    Spot,
    Stall,
)
from holdfast.testing import StreamBench

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from holdfast.model import Capability, Value
    from holdfast.simulation import VirtualLoop
    from holdfast.simulators.ipcom import Change

USER = "me"
SWITCHES = {"kitchen": Spot(1, 1), "hall": Spot(1, 2), "lamp": Spot(5, 1), "boiler": Spot(6, 1)}
DIMMERS = {"salon": Spot(3, 2), "bedroom": Spot(4, 8)}
SCALES = {3: 100, 4: 255}
COVERS = {
    "blind": Pair(down=Spot(5, 7), up=Spot(5, 8), name="blind"),
    "awning": Pair(down=Spot(7, 1), up=Spot(8, 1), name="awning"),
}
MEMORY = "/last_level"
MOTIONS = {
    (False, False): "stopped",
    (True, False): "opening",
    (False, True): "closing",
    (True, True): "blocked",
}


def _place(spot: Spot) -> dict[str, int]:
    return {"module": spot.module, "output": spot.output}


OUTPUTS: dict[str, dict[str, Any]] = {
    "kitchen": {**_place(SWITCHES["kitchen"]), "kind": "light"},
    "hall": {**_place(SWITCHES["hall"]), "kind": "light", "aliases": ["corridor"]},
    "lamp": {**_place(SWITCHES["lamp"]), "kind": "light", "name": "Lamp beside the blind"},
    "boiler": {**_place(SWITCHES["boiler"]), "kind": "switch", "fail_safe": False},
    **{key: {**_place(spot), "kind": "dimmer"} for key, spot in DIMMERS.items()},
    **{
        key: {"kind": "cover", "up": _place(pair.up), "down": _place(pair.down)}
        for key, pair in COVERS.items()
    },
}
OPTIONS = {
    "modules": {
        **{module: {"kind": "dimmer", "scale": scale} for module, scale in SCALES.items()},
        5: {"kind": "shutter"},
    }
}


class IpcomBench(StreamBench):
    """A controller with lights, a switch that must end off, dimmers of both scales, and two covers.

    One cover has both relays on one module, beside a light; the other has them on two. ``behaviour`` are fields of the
    simulator's `Behaviour`; unless told otherwise each session has a key of its own.
    """

    password: ClassVar[str] = "correct-horse-battery"
    host = "house"
    port = 5000

    def __init__(self, loop: VirtualLoop, **behaviour: Any) -> None:
        super().__init__(loop)
        self.family = IPCOM
        self.faults: list[Fault] = []
        self.usual = Behaviour(accounts={USER: self.password}, is_key_renewed=True)
        self.usual = replace(self.usual, **behaviour)
        outputs = bytearray(128)
        for spot in DIMMERS.values():
            outputs[(spot.module - 1) * 8 + spot.output - 1] = SCALES[spot.module] * 2 // 5
        config = ControllerConfig(
            modules={
                **{module: Module(ModuleKind.DIMMER, scale) for module, scale in SCALES.items()},
                5: Module(ModuleKind.SHUTTER),
            },
            pairs=tuple(COVERS.values()),
            outputs=bytes(outputs),
            behaviour=self.usual,
        )
        self.controller = IpcomController(
            config, rng=random.Random(loop.seed), host=self.host, port=self.port
        )
        self.levels = {key: self.percent(spot) for key, spot in DIMMERS.items()}
        self.controller.house.observe(self.remember)

    async def start(self) -> None:
        await self.controller.start()

    async def stop(self) -> None:
        await self.controller.stop()
        assert not self.controller.judge.violations
        assert not self.controller.counts["unreadable requests"]

    def devices(self, password: str = "") -> Sequence[Device]:
        return [self.device(password=password)]

    def device(
        self, *, password: str = "", options: Mapping[str, Any] | None = None, **outputs: Any
    ) -> Device:
        """The house, with other options or with outputs of its own."""
        adapter = Adapter(
            id="lan",
            driver=IPCOM.name,
            url=f"tcp://{self.host}:{self.port}",
            username=USER,
            password=password or self.password,
        )
        return Device(
            id="house",
            name="House",
            adapters=(adapter,),
            options=OPTIONS if options is None else options,
            outputs=outputs or OUTPUTS,
        )

    def junk(self) -> Sequence[Device]:
        relay = {"module": 1, "output": 1}
        return [
            self.device(options={"modules": {17: {"kind": "relay"}}}),
            self.device(options={"poll_s": 0.0}),
            self.device(options={"keep_alive": 30}),
            self.device(password="a password that is too long"),
            self.device(light={**relay, "kind": "dimmer"}),
            self.device(light={"module": 1, "output": 9, "kind": "light"}),
            self.device(one={**relay, "kind": "light"}, two={**relay, "kind": "light"}),
            self.device(blind={"kind": "cover", "up": relay, "down": relay}),
            self.device(blind={"kind": "cover", "up": relay}),
        ]

    # --- the house --------------------------------------------------------------------------------------------------

    def percent(self, spot: Spot) -> int:
        """The level of a dimmer's output: rounded half up, and never 0 for what is on."""
        byte, scale = self.controller.house.value(*spot), SCALES[spot.module]
        return byte and max(1, (200 * byte + scale) // (2 * scale))

    def remember(self, changes: tuple[Change, ...]) -> None:
        """Remember the levels that are not 0: what a dimmer was last, if it is off now."""
        changed = {change.spot for change in changes}
        for key, spot in DIMMERS.items():
            if spot in changed:
                self.levels[key] = self.percent(spot) or self.levels[key]

    def truth(self, target: str) -> Value:
        key = target.removeprefix("house/")
        if key.endswith(MEMORY):
            return self.levels[key.removesuffix(MEMORY)]
        if key in DIMMERS:
            return self.percent(DIMMERS[key])
        house = self.controller.house
        if key in COVERS:
            return MOTIONS[house.value(*COVERS[key].up) > 0, house.value(*COVERS[key].down) > 0]
        return house.value(*SWITCHES[key]) > 0

    def changeable(self, targets: Sequence[str]) -> Sequence[str]:
        return [target for target in targets if not target.endswith(MEMORY)]

    def other(self, target: str, capability: Capability) -> Value:
        """A cover is told words that it never reports: from rest it opens or closes, and what moves is stopped."""
        if target.removeprefix("house/") not in COVERS:
            return super().other(target, capability)
        if self.truth(target) != "stopped":
            return "stop"
        self._falling ^= {target}
        return "open" if target in self._falling else "close"

    def change(self, target: str, value: Value) -> None:
        key = target.removeprefix("house/")
        press = self.controller.house.press
        if key in COVERS:
            pair = COVERS[key]
            wanted = {pair.up: value == "open", pair.down: value == "close"}
            for spot, is_on in sorted(wanted.items(), key=lambda item: item[1]):  # off before on
                press(*spot, 255 if is_on else 0)
        elif key in DIMMERS:
            assert isinstance(value, int | float)
            spot = DIMMERS[key]
            press(*spot, round(value * SCALES[spot.module] / 100))
        else:
            press(*SWITCHES[key], 255 if value else 0)

    # --- what can happen to it --------------------------------------------------------------------------------------

    def begin(self, fault: Fault) -> None:
        """Let a fault last until `resume`."""
        self.faults.append(fault)
        self.controller.begin(fault)

    def silence(self, member: str | None = None) -> None:
        self.begin(Stall())

    def resume(self) -> None:
        super().resume()
        while self.faults:
            self.controller.end(self.faults.pop())
        self.controller.behave(reply_delay_s=self.usual.reply_delay_s)

    def lag(self, seconds: float) -> None:
        self.controller.behave(reply_delay_s=seconds)

    def writes(self) -> Sequence[float]:
        return [frame.t for frame in self.controller.frames]

    def ignore_writes(self) -> None:
        self.begin(LoseWrites(1.0))
