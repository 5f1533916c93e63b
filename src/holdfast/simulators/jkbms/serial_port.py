"""A serial adapter on the bus: a pseudo-terminal that programs open like any other serial device.

It needs a real event loop and a system with pseudo-terminals.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from holdfast.simulators.jkbms.outlet import Outlet, Piece

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator

    from holdfast.simulators.jkbms.behaviour import OutletBehaviour
    from holdfast.simulators.jkbms.bus import Bus
    from holdfast.simulators.jkbms.timetable import Timetable
    from holdfast.simulators.jkbms.truth import Receiver

READ_BYTES = 4096

LINK_NAME = "jkbms"
"""Name of the link in a folder of its own, unless a path is given."""


class _Pty(NamedTuple):
    ours: int
    theirs: int


class SerialPort(Outlet):
    """A pseudo-terminal in raw mode. ``path`` is a link to it that stays the same over `drop_all` and the like.

    It cannot know whether anyone has it open: like a kernel it keeps some 4 KiB for whoever opens it next, and
    loses what does not fit. So there is one receiver from each plugging in to the next unplugging. Faults
    that close connections pull the adapter out of its socket; unless they last it is back at once, as
    another device behind the same path. A silent `Reboot` leaves it open and mute.
    """

    def __init__(
        self,
        bus: Bus,
        *,
        rng: random.Random,
        path: Path | None = None,
        behaviour: OutletBehaviour | None = None,
        timetable: Timetable | None = None,
    ) -> None:
        super().__init__(bus, rng=rng, behaviour=behaviour, timetable=timetable)
        self._path = path
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._pty: _Pty | None = None
        self._receiver: Receiver | None = None
        self._is_forgotten = False
        self._plugging: asyncio.Task[None] | None = None

    # --- life ---------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Plug it in and listen to the bus. Raises `OSError` if there is no pseudo-terminal to be had."""
        if self._is_running:
            raise RuntimeError("the serial port is running")
        if self._path is None:
            self._folder = await asyncio.to_thread(tempfile.TemporaryDirectory, prefix="holdfast-")
            self._path = Path(self._folder.name) / LINK_NAME
        self._begin()
        if self.behaviour.is_listening:
            await self._plug()

    async def stop(self) -> None:
        """Pull it out; the link goes, too."""
        if not self._is_running:
            return
        self._cease()
        if self._plugging is not None:
            await asyncio.wait((self._plugging,))
        self._unplug()
        self._troubles.end_all()
        await asyncio.to_thread(self.path.unlink, missing_ok=True)
        folder, self._folder = self._folder, None
        if folder is not None:
            self._path = None
            await asyncio.to_thread(folder.cleanup)

    async def __aenter__(self) -> SerialPort:
        await self.start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.stop()

    @property
    def path(self) -> Path:
        """What to open. Raises `RuntimeError` before the start if no path was given."""
        if self._path is None:
            raise RuntimeError("the serial port is not running")
        return self._path

    @property
    def is_plugged(self) -> bool:
        """Whether there is a device behind the path."""
        return self._pty is not None

    # --- what faults do -----------------------------------------------------------------------------------

    def drop_all(self) -> None:
        """Pull it out and, if it may, plug it in again."""
        self._unplug()
        self._reconsider()

    def reset_all(self) -> None:
        """The same: a serial port knows no other end."""
        self.drop_all()

    def forget_all(self) -> None:
        """From now on it is open and mute, until the fault that did this is over."""
        self._is_forgotten = True

    # --- inside -------------------------------------------------------------------------------------------

    def _write(self, piece: Piece) -> Iterator[Receiver]:
        pty, receiver = self._pty, self._receiver
        if pty is None or receiver is None:
            return
        is_mute = self.behaviour.is_stalled or self._is_forgotten
        written = 0
        if not is_mute:
            with suppress(BlockingIOError):  # nobody reads, and the kernel's buffer is full
                written = os.write(pty.ours, piece.data)
        if written == len(piece.data):
            yield receiver
        else:
            receiver.miss(len(piece.data) - written, piece.end)

    def _read(self) -> None:
        if self._pty is not None:
            with suppress(BlockingIOError):
                self.send_to_bus(os.read(self._pty.ours, READ_BYTES))

    def _reconsider(self) -> None:
        if not self._is_running:
            return
        if self.behaviour.is_listening:
            self._is_forgotten = False
            if self._pty is None and self._plugging is None:
                loop = asyncio.get_running_loop()
                self._plugging = loop.create_task(self._plug(), name="jkbms simulator: plug in")
        elif not self._is_forgotten and self._pty is not None:
            # Whether it is pulled out or falls silent, the fault says at once.
            asyncio.get_running_loop().call_soon(self._unplug_unless_forgotten)

    def _unplug_unless_forgotten(self) -> None:
        if not (self._is_forgotten or self.behaviour.is_listening):
            self._unplug()

    async def _plug(self) -> None:
        try:
            pty = await asyncio.to_thread(_open, self.path)
        finally:
            self._plugging = None
        self._pty = pty
        self._receiver = self._new_receiver()
        asyncio.get_running_loop().add_reader(pty.ours, self._read)
        if not self._is_running:
            self._unplug()

    def _unplug(self) -> None:
        pty, self._pty = self._pty, None
        if pty is not None:
            loop = asyncio.get_running_loop()
            loop.remove_reader(pty.ours)
            os.close(pty.ours)
            os.close(pty.theirs)
        if self._receiver is not None:
            self._receiver.left_at = asyncio.get_running_loop().time()
            self._receiver = None


def _open(link: Path) -> _Pty:
    import tty  # not on Windows

    ours, theirs = os.openpty()
    try:
        tty.setraw(theirs)
        os.set_blocking(ours, False)
        made = link.with_name(f"{link.name}.new")
        made.unlink(missing_ok=True)
        made.symlink_to(os.ttyname(theirs))
        made.replace(link)
    except BaseException:
        os.close(ours)
        os.close(theirs)
        raise
    return _Pty(ours, theirs)
