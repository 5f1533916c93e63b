"""The Tilt driver keeps the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.link.driver import Trait
from holdfast.testing import Bench, DriverContract
from tests.drivers.tilt.bench import TiltBench

if TYPE_CHECKING:
    from holdfast.simulation import VirtualLoop


class TestTilts(DriverContract, traits=Trait.PASSIVE | Trait.LISTENER | Trait.MEMBERS | Trait.LIBRARY):
    """A classic by its colour and a Pro by its address."""

    def make_bench(self, loop: VirtualLoop) -> Bench:
        return TiltBench(loop)
