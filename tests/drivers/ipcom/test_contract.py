"""The IPCom driver keeps the contract, with the simulated controller in its various moods."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.link.driver import Trait
from holdfast.simulators.ipcom import WriteReply
from holdfast.testing import Bench, DriverContract
from tests.drivers.ipcom.bench import IpcomBench

if TYPE_CHECKING:
    from holdfast.simulation import VirtualLoop


class TestIpcom(DriverContract, traits=Trait.POLLED | Trait.WRITES | Trait.LOGIN):
    """A controller that answers at once."""

    def make_bench(self, loop: VirtualLoop) -> Bench:
        return IpcomBench(loop)


class TestIpcomOnASlowBus(TestIpcom, traits=TestIpcom.traits):
    """A controller that takes its time, says nothing to writes, and whose modules follow late."""

    def make_bench(self, loop: VirtualLoop) -> Bench:
        return IpcomBench(
            loop, reply_delay_s=0.02, bus_delay_s=0.3, write_reply=WriteReply.NONE, login_delay_s=0.1
        )


class TestIpcomThatAnswersWithSnapshots(TestIpcom, traits=TestIpcom.traits):
    """A controller that answers a write with what was so before it, and keeps its key."""

    def make_bench(self, loop: VirtualLoop) -> Bench:
        return IpcomBench(loop, reply_delay_s=0.004, write_reply=WriteReply.SNAPSHOT, is_key_renewed=False)
