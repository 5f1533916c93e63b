"""The contract as authors of other drivers meet it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from holdfast.link.driver import Trait
from holdfast.testing import ALL, Bench, BenchIncomplete, ContractBroken, DriverContract, check
from holdfast.testing.clause import named
from tests.testing.benches import AdvertBench, LockstepBench

if TYPE_CHECKING:
    from holdfast.simulation import VirtualLoop

LOCKSTEP = Trait.POLLED | Trait.WRITES | Trait.LOGIN

AUTHORS_TEST = """
from holdfast.link.driver import Trait
from holdfast.testing import DriverContract
from tests.testing.benches import BusBench


class TestMine(DriverContract, traits=Trait.PASSIVE | Trait.MEMBERS):
    def make_bench(self, loop):
        return BusBench(loop)


class TestTheirs(DriverContract, traits=Trait.PASSIVE | Trait.MEMBERS):
    def make_bench(self, loop):
        from tests.testing.broken.members import CourteousCodec
        from tests.testing.broken.driver import gateway

        return gateway(codec=CourteousCodec)(loop)
"""


def contract(traits: Trait, bench: type[Bench]) -> DriverContract:
    """A contract over a bench."""

    class Contract(DriverContract, traits=traits):
        def make_bench(self, loop: VirtualLoop) -> Bench:
            return bench(loop)

    return Contract()


def test_it_needs_nothing_but_pytest(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """An author's test class is collected and run by a bare pytest; nothing is skipped; a broken promise is told."""
    pytester.makepyfile(test_mine=AUTHORS_TEST)
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    result = pytester.runpytest_subprocess(
        "-q", "-k", "nothing or trait", "-p", "no:asyncio", "-p", "no:cacheprovider"
    )
    outcomes = result.parseoutcomes()
    assert outcomes["failed"] == 2
    assert outcomes["passed"] > 5
    assert "skipped" not in outcomes
    result.stdout.fnmatch_lines(
        [
            "*clause says_nothing is broken*",
            "*A driver must: send nothing at all*",
            "*Seen: 3 bytes were sent*",
            "FAILED test_mine.py::TestTheirs::test_every_declared_trait_is_proven*",
            "FAILED test_mine.py::TestTheirs::test_says_nothing*",
        ]
    )


def test_importing_it_imports_no_pytest() -> None:
    """`holdfast.testing` can be imported where pytest is not installed."""
    code = "import sys, holdfast.testing; sys.exit('pytest' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_only_clauses_of_its_traits_are_tests() -> None:
    """A contract has a test for each clause that its traits call for, and no other."""
    tests = {name for name in dir(contract(LOCKSTEP, LockstepBench)) if name.startswith("test_")}
    assert "test_tells_a_refused_login" in tests
    assert "test_says_nothing" not in tests
    assert {each.test_name for each in ALL if each.applies(LOCKSTEP)} < tests


def test_declared_traits_must_be_the_drivers() -> None:
    """A contract for fewer traits than the driver declares is no contract."""
    with pytest.raises(AssertionError, match="declares"):
        contract(Trait.POLLED, LockstepBench).test_traits_are_those_of_the_driver()


def test_a_trait_without_a_passing_clause_fails() -> None:
    """Taking out the one test that proves a trait fails the contract as a whole."""
    mine = contract(Trait.PASSIVE | Trait.LISTENER | Trait.MEMBERS, AdvertBench)
    mine.test_every_declared_trait_is_proven()
    type(mine).test_waits_out_silence = None  # type: ignore[attr-defined]
    with pytest.raises(AssertionError, match=r"LISTENER.* no clause proves it"):
        mine.test_every_declared_trait_is_proven()


def test_every_trait_has_a_clause() -> None:
    """There is no trait that can be declared and not be proven."""
    for trait in Trait:
        assert any(trait in each.needs for each in ALL), trait


def test_a_contract_without_traits_or_bench_says_so() -> None:
    """Forgetting either is told in words."""

    class Forgetful(DriverContract):
        """Names nothing."""

    with pytest.raises(AssertionError, match="traits="):
        Forgetful().test_every_declared_trait_is_proven()
    with pytest.raises(NotImplementedError, match="override make_bench"):
        Forgetful().test_traits_are_those_of_the_driver()


def test_a_bench_that_lacks_something_says_what() -> None:
    """What a trait needs of a bench is asked for in words, and is no failure of the driver."""

    class Bare(LockstepBench):
        def ignore_writes(self) -> None:
            Bench.ignore_writes(self)

    with pytest.raises(BenchIncomplete, match="ignore"):
        check(Bare, named("lets_only_the_device_verify"))


def test_the_same_seed_breaks_alike() -> None:
    """A failure can be played again."""

    class Dull(LockstepBench):
        def change(self, target: str, value: object) -> None:
            """Breaks its word; the driver is blamed."""

    texts = set()
    for _ in range(2):
        with pytest.raises(ContractBroken) as caught:
            check(Dull, named("proves_nothing_by_old_answers"), seed=3)
        texts.add(str(caught.value))
    assert len(texts) == 1
