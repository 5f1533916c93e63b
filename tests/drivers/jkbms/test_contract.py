"""The JK driver keeps the contract: listening, asking, and over Bluetooth."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.link.driver import Trait
from holdfast.testing import Bench, DriverContract
from tests.drivers.jkbms.bench import JkBench, JkBleBench, JkPollingBench

if TYPE_CHECKING:
    from holdfast.simulation import VirtualLoop


class TestJkListening(DriverContract, traits=Trait.PASSIVE | Trait.MEMBERS):
    """Two packs behind a gateway, on a bus with a master."""

    def make_bench(self, loop: VirtualLoop) -> Bench:
        return JkBench(loop)


class TestJkAsking(DriverContract, traits=Trait.POLLED | Trait.MEMBERS):
    """Two packs behind a gateway, on a bus without a master."""

    def make_bench(self, loop: VirtualLoop) -> Bench:
        return JkPollingBench(loop)


class TestJkOverBluetooth(DriverContract, traits=Trait.PASSIVE | Trait.LIBRARY):
    """One battery over the radio, whose library owns the connection."""

    def make_bench(self, loop: VirtualLoop) -> Bench:
        return JkBleBench(loop)
