"""One session with one plug: one device object, a deadline of our own around every call, nothing foreign escapes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from holdfast.drivers.kasa import dead_man
from holdfast.drivers.kasa.faults import Meaning, SaidNo, as_fault, meaning_of, translated
from holdfast.drivers.kasa.options import plain_mac
from holdfast.drivers.kasa.planner import GROUP, Renew, Rewind, Switch
from holdfast.drivers.kasa.search import Search, leave
from holdfast.drivers.kasa.state import READ_S, SET_S, PlugState, plain_question, plain_state, state_of
from holdfast.drivers.kasa.ways import Kind, Way, candidates, config_of, objection, shape_objection
from holdfast.errors import (
    HoldfastError,
    LinkFault,
    LoginRefused,
    SessionLost,
    Silent,
    Unsupported,
    WrongDevice,
)
from holdfast.model import Batch, Identity

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from holdfast.drivers.kasa.library import KasaLibrary
    from holdfast.drivers.kasa.memory import PlugMemory
    from holdfast.drivers.kasa.options import KasaOptions
    from holdfast.drivers.kasa.planner import Payload

CONNECT_S: Final = 5.0
"""Two questions, behind a login two more: fact sheet section 2. A healthy plug takes well below a second."""
OPEN_S: Final = 11.5
"""Asking the address, looking everywhere, and connecting, each within its own limit, one after the other."""
BAD_READS: Final = 2
"""Reads in a row that bring nothing, after which the session is given up: one lost answer is no outage."""


class KasaPlug:
    """The four coroutines of `Library`, around python-kasa."""

    def __init__(self, library: KasaLibrary, options: KasaOptions, memory: PlugMemory) -> None:
        self._library = library
        self._options = options
        self._memory = memory
        self._search = Search(library, options)
        self._device: Any = None
        self._way = Way(options.host)
        self._is_plain = False  # the whole update could not be understood: only the bare state is asked for
        self._bad_reads = 0

    # --- reaching it ------------------------------------------------------------------------------------------------

    async def connect(self) -> Identity | None:
        """Reach the plug where and how it was last reached, look for it when that has failed, and check who it is."""
        loop = asyncio.get_running_loop()
        resting = self._memory.rest(loop.time())
        if resting is not None:
            raise resting
        try:
            async with asyncio.timeout(OPEN_S):
                await self._open()
        except LoginRefused as refusal:
            raise self._memory.refused(loop.time()) from refusal
        except LinkFault:
            self._memory.failed()
            raise
        except Exception as error:
            self._memory.failed()
            raise as_fault(translated(error, self._library, "connecting")) from error
        self._memory.connected(self._way, self._mac())
        return Identity(self._memory.mac, self._said("model"), self._said("hw_info", "sw_ver"))

    async def _open(self) -> None:
        if self._memory.is_search_due:
            await self._find()
        await self._reach(await self._ways())
        if self._options.expects_energy and self._energy() is None:
            # The library gives up a meter for an object's life when its first answer failed: fact sheet section 5.
            await self._reach((self._way,))
        if self._is_other():
            await self._go_after()

    async def _find(self) -> None:
        memory = self._memory
        memory.searched()
        host = memory.way.host if memory.way is not None else self._options.host
        way = await self._search.ask(host, memory.mac)
        if way is None and memory.mac:
            way = await self._search.look(memory.mac)
        if way is not None:
            memory.moved(way)

    async def _ways(self) -> Sequence[Way]:
        options, memory = self._options, self._memory
        if memory.way is None and options.kind is Kind.AUTO:
            way = await self._search.ask(options.host, memory.mac)
            if way is not None:
                memory.moved(way)
        if memory.way is not None:
            return (memory.way,)
        return candidates(options.kind, options.host, options.port)

    async def _reach(self, ways: Sequence[Way]) -> None:
        """The first of the ways that leads to a plug; the fault that tells most if none does."""
        faults: list[LinkFault] = []
        for way in ways:
            try:
                await self._connect(way)
            except LinkFault as fault:
                faults.append(fault)
                if isinstance(fault, Silent | Unsupported):  # another language would be met with the same
                    break
            else:
                return
        raise next((each for each in faults if isinstance(each, LoginRefused)), faults[-1])

    async def _connect(self, way: Way) -> None:
        await self.bye()
        why = objection(way.family, way.encryption)
        if why is not None:
            raise why
        try:
            async with asyncio.timeout(CONNECT_S):
                self._device = await self._library.Device.connect(
                    config=config_of(self._library, way, self._options)
                )
        except Exception as error:
            raise as_fault(translated(error, self._library, f"connecting to {way.host}")) from error
        self._way = way
        why = shape_objection(str(self._device.device_type.value))
        if why is not None:
            raise why

    def _said(self, name: str, key: str = "") -> str:
        """What the device object tells of itself; empty where its firmware made it stumble."""
        try:
            value = getattr(self._device, name)
            return str((value[key] if key else value) or "")
        except Exception:  # noqa: BLE001 - names for people, and a hardware address that is compared
            return ""

    def _mac(self) -> str:
        return plain_mac(self._said("mac"))

    def _is_other(self) -> bool:
        return bool(self._memory.mac and self._mac() != self._memory.mac)

    async def _go_after(self) -> None:
        """Another plug answers here: look for ours by its hardware address, and never switch this one."""
        stranger = self._mac() or "one without a hardware address"
        await self.bye()
        way = await self._search.look(self._memory.mac)
        if way is not None and way.host != self._way.host:
            await self._connect(way)
            if not self._is_other():
                return
            await self.bye()
        raise WrongDevice(
            f"another plug ({stranger}) answers at {self._way.host}; expected is {self._memory.mac}",
            advice="Give each plug a fixed address in the router, or correct the address or 'mac' of this one.",
        )

    # --- reading it -------------------------------------------------------------------------------------------------

    async def read(self, what: str) -> Iterable[Batch]:
        """Ask the plug. The first answer that fails to come is told, the second in a row ends the session."""
        try:
            async with asyncio.timeout(READ_S):
                state = await self._state()
        except Exception as error:
            raise self._read_failed(self._told(error, "reading the plug")) from error
        self._bad_reads = 0
        return (Batch("", GROUP, state),)

    def _read_failed(self, error: HoldfastError) -> HoldfastError:
        self._bad_reads += 1
        return as_fault(error) if self._bad_reads >= BAD_READS else error

    async def _state(self) -> PlugState:
        device, is_smart = self._device, self._way.is_smart
        state: PlugState | None = None
        if not self._is_plain:
            try:
                await device.update()
                state = state_of(device, self._energy())
            except Exception as error:
                if meaning_of(error, self._library) is not Meaning.NONSENSE:
                    raise
                self._is_plain = True
        if state is None:
            answer = await device.protocol.query(plain_question(is_smart=is_smart))
            state = plain_state(answer, is_smart=is_smart)
        if self._options.dead_man_s:
            state = state._replace(timer=await self._timer())
        return state

    def _energy(self) -> Any:
        return self._device.modules.get(self._library.Module.Energy)

    async def _timer(self) -> dead_man.Timer:
        is_smart = self._way.is_smart
        try:
            answer = await self._device.protocol.query(dead_man.question(is_smart=is_smart))
        except Exception as error:
            if meaning_of(error, self._library) not in (Meaning.NO, Meaning.NONSENSE):
                raise
            return dead_man.Timer(is_supported=False, is_smart=is_smart)
        return dead_man.timer_of(answer, is_smart=is_smart)

    # --- switching it -----------------------------------------------------------------------------------------------

    async def do(self, payload: Payload) -> None:
        """Carry out a step. Raises where it failed or may have failed; what became of it only a read tells."""
        try:
            async with asyncio.timeout(SET_S):
                await self._do(payload)
        except Exception as error:
            raise self._told(error, _DOING[type(payload)]) from error

    async def _do(self, payload: Payload) -> None:
        device, is_smart = self._device, self._way.is_smart
        match payload:
            case Switch(is_on=False):
                await device.turn_off()
            case Switch(dead_man_s=0.0):
                await device.turn_on()
            case Switch(dead_man_s=seconds) if is_smart:
                await self._arm(seconds)  # first: its timer starts when it is switched on
                await device.turn_on()
            case Switch(dead_man_s=seconds):
                why = dead_man.relay_objection(await device.protocol.query(dead_man.on_and_arming(seconds)))
                if why:
                    raise SaidNo(f"switching the plug: the plug said no: {why}")
            case Renew(dead_man_s=seconds):
                await self._arm(seconds)
            case _:  # `Rewind`
                await self._arm(payload.dead_man_s)
                await device.update()
                if device.is_on:  # it may have been switched off by hand since
                    await device.turn_on()

    async def _arm(self, seconds: float) -> None:
        """Set the timer. A plug that has none is switched all the same: its readings and a warning say so."""
        query = dead_man.arming(seconds, is_smart=self._way.is_smart)
        try:
            await self._device.protocol.query(query)
        except Exception as error:
            if meaning_of(error, self._library) not in (Meaning.NO, Meaning.NONSENSE):
                raise

    def _told(self, error: Exception, doing: str) -> HoldfastError:
        """The error of ours. A session whose login is refused all at once begins anew: it may have been forgotten."""
        if isinstance(error, HoldfastError):
            return error
        told = translated(error, self._library, doing)
        if isinstance(told, LoginRefused):
            return SessionLost(f"{doing}: the plug refused the session's login", advice=told.advice)
        return told

    # --- leaving it -------------------------------------------------------------------------------------------------

    async def bye(self) -> None:
        """Close the device object, if there is one; never fails, and takes a third of a second at most."""
        device, self._device = self._device, None
        if device is not None:
            await leave(device)


_DOING: Final = {
    Switch: "switching the plug",
    Renew: "renewing the plug's timer",
    Rewind: "renewing the plug's timer",
}
