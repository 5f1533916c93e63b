"""The driver keeps the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.link.driver import Trait
from holdfast.testing import DriverContract
from tests.drivers.push.sensor import PushBench

if TYPE_CHECKING:
    from holdfast.simulation import VirtualLoop


class TestPush(DriverContract, traits=Trait.PASSIVE | Trait.LISTENER):
    """A sender of four values."""

    def make_bench(self, loop: VirtualLoop) -> PushBench:
        return PushBench(loop)
