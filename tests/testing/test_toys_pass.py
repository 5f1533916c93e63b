"""The four toys keep the contract, each with the traits that it declares."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.link.driver import Trait
from holdfast.testing import Bench, DriverContract
from tests.testing.benches import AdvertBench, BusBench, LibraryBench, LockstepBench

if TYPE_CHECKING:
    from holdfast.simulation import VirtualLoop


class TestLockstep(DriverContract, traits=Trait.POLLED | Trait.WRITES | Trait.LOGIN):
    """Questions and answers over a stream."""

    def make_bench(self, loop: VirtualLoop) -> Bench:
        return LockstepBench(loop)


class TestBus(DriverContract, traits=Trait.PASSIVE | Trait.MEMBERS):
    """Batteries that speak unasked."""

    def make_bench(self, loop: VirtualLoop) -> Bench:
        return BusBench(loop)


class TestLibrary(DriverContract, traits=Trait.POLLED | Trait.WRITES | Trait.LIBRARY):
    """A library that owns the socket."""

    def make_bench(self, loop: VirtualLoop) -> Bench:
        return LibraryBench(loop)


class TestAdvert(DriverContract, traits=Trait.PASSIVE | Trait.LISTENER | Trait.MEMBERS):
    """Sensors that shout."""

    def make_bench(self, loop: VirtualLoop) -> Bench:
        return AdvertBench(loop)
