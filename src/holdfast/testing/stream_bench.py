"""The parts of a bench that every device behind a simulated TCP port has in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from holdfast.simulation import Split
from holdfast.testing.bench import Bench

if TYPE_CHECKING:
    from holdfast.simulation import Port


class StreamBench(Bench):
    """A bench whose devices listen on one port of the simulated network.

    `resume` ends what this class began; a subclass extends it with what it began itself. `silence` is left to the
    subclass: a silent device must still be able to `say` garbage, so it is the device that falls silent, not the wire.
    """

    host: ClassVar[str]
    port: ClassVar[int]

    @property
    def place(self) -> Port:
        """The port on the simulated network."""
        return self.loop.network.host(self.host).port(self.port)

    def resume(self) -> None:
        """See `Bench`."""
        self.place.restore()
        self.place.split = self.place.window_bytes = None

    def refuse(self) -> None:
        """See `Bench`."""
        self.place.refuse()
        self.place.reset_all()

    def reset(self) -> None:
        """See `Bench`."""
        self.place.reset_all()

    def finish(self) -> None:
        """See `Bench`."""
        self.place.finish_all()

    def say(self, data: bytes) -> None:
        """See `Bench`."""
        for connection in self.place.connections():
            if connection.server is not None and not connection.server.is_closing():
                connection.server.write(data)

    def split(self) -> None:
        """See `Bench`."""
        self.place.split = Split(largest=1)

    def clog(self) -> None:
        """See `Bench`."""
        self.place.window_bytes = 1
        self.place.mute()
