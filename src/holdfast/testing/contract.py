"""The contract as a test class: inherit it, name the traits, supply a bench."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from holdfast.simulation import run_virtual
from holdfast.testing.check import check
from holdfast.testing.clause import NONE, Clause, ContractBroken, applying
from holdfast.testing.clauses import ALL

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast.link.driver import Trait
    from holdfast.simulation import VirtualLoop
    from holdfast.testing.bench import Bench


class DriverContract:
    """Everything that a driver with certain traits promises, one test a clause, each in virtual time.

        class TestPlug(DriverContract, traits=Trait.POLLED | Trait.WRITES):
            def make_bench(self, loop):
                return PlugBench(loop)

    The tests are plain methods, named after their clauses: pytest finds them, and needs no plugin to run them. Clauses
    of other traits get no test, so nothing is skipped. ``seed`` chooses the run; the same seed gives the same run.
    """

    traits: ClassVar[Trait] = NONE
    seed: ClassVar[int] = 0

    def make_bench(self, loop: VirtualLoop) -> Bench:
        """A new bench in this loop; to be overridden."""
        raise NotImplementedError("a driver contract needs a bench: override make_bench")

    def __init_subclass__(cls, traits: Trait | None = None, **more: Any) -> None:
        super().__init_subclass__(**more)
        if traits is None:
            return
        cls.traits = traits
        for each in applying(traits):
            if each.test_name not in vars(cls):
                setattr(cls, each.test_name, _test(each))

    def test_traits_are_those_of_the_driver(self) -> None:
        """The traits named here are those that the driver declares."""
        declared: list[Trait] = []

        async def look(loop: VirtualLoop) -> None:
            bench = self.make_bench(loop)
            for device in bench.devices():
                declared.extend(bench.family.prepare(device, adapter).traits for adapter in device.adapters)

        run_virtual(look)
        if set(declared) != {self.traits}:
            raise AssertionError(
                f"the driver declares {declared[0]}, its contract was asked for with {self.traits}"
            )

    def test_every_declared_trait_is_proven(self) -> None:
        """Each trait has a clause that the driver passes, also when tests of clauses were taken out."""
        if not self.traits:
            raise AssertionError(
                "a driver declares at least one trait, and its contract names them: traits=…"
            )
        for trait in self.traits:
            if not any(
                self._passes(each) for each in ALL if trait in each.needs and each.applies(self.traits)
            ):
                raise AssertionError(f"{trait} is declared, and no clause proves it")

    def _passes(self, each: Clause) -> bool:
        test = getattr(self, each.test_name, None)
        if test is None:
            return False
        try:
            test()
        except ContractBroken:
            return False
        return True


def _test(each: Clause) -> Callable[[DriverContract], None]:
    def test(self: DriverContract) -> None:
        __tracebackhide__ = True
        check(self.make_bench, each, seed=self.seed)

    test.__name__ = each.test_name
    test.__qualname__ = f"DriverContract.{each.test_name}"
    test.__doc__ = f"A driver must: {each.must}"
    return test
