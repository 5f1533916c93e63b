"""Tests for drivers, ours and other people's: the contract, and the bench that an author supplies.

    class TestPlug(DriverContract, traits=Trait.POLLED | Trait.WRITES | Trait.LIBRARY):
        def make_bench(self, loop):
            return PlugBench(loop)

See `DriverContract`, and `Bench` for what a bench must be able to do.
"""

from holdfast.testing.bench import Bench, BenchIncomplete
from holdfast.testing.check import check
from holdfast.testing.clause import Clause, ContractBroken
from holdfast.testing.clauses import ALL
from holdfast.testing.contract import DriverContract
from holdfast.testing.stream_bench import StreamBench

__all__ = [
    "ALL",
    "Bench",
    "BenchIncomplete",
    "Clause",
    "ContractBroken",
    "DriverContract",
    "StreamBench",
    "check",
]
