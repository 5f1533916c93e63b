"""A world in memory: virtual time and a network that can fail in every way a real one does.

    async def main(loop: VirtualLoop) -> bytes:
        plug = loop.network.host("plug")
        plug.latency = Latency(base_s=0.020, jitter_s=0.010)
        server = await asyncio.start_server(answer, "plug", 9999)
        reader, writer = await asyncio.open_connection("plug", 9999)
        plug.blackhole()
        ...

    run_virtual(main, seed=7)

The same seed and the same program give the same run, on every version of Python that Holdfast supports. What
the standard library itself does in another number of turns is the exception: ``asyncio.wait_for`` starts a task
on 3.11 and none from 3.12 on, so prefer ``asyncio.timeout`` where one turn can decide.
"""

from holdfast.simulation.conditions import Latency, Split
from holdfast.simulation.host import Host, Port
from holdfast.simulation.loop import EPOCH, START_S, EndlessInstant, NothingScheduled, VirtualLoop
from holdfast.simulation.network import Network
from holdfast.simulation.run import LeftBehind, run_virtual
from holdfast.simulation.server import VirtualServer
from holdfast.simulation.world import NetworkEvent

__all__ = [
    "EPOCH",
    "START_S",
    "EndlessInstant",
    "Host",
    "Latency",
    "LeftBehind",
    "Network",
    "NetworkEvent",
    "NothingScheduled",
    "Port",
    "Split",
    "VirtualLoop",
    "VirtualServer",
    "run_virtual",
]
