"""One session with one plug: one device object, a deadline of our own around every call, nothing foreign escapes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from holdfast.drivers.kasa import dead_man
from holdfast.drivers.kasa.faults import Meaning, SaidNo, Unanswered, as_fault, meaning_of, translated
from holdfast.drivers.kasa.options import plain_mac
from holdfast.drivers.kasa.planner import GROUP, Renew, Rewind, Switch
from holdfast.drivers.kasa.search import Search, leave, told_mac
from holdfast.drivers.kasa.state import (
    READ_S,
    SET_S,
    PlugState,
    plain_question,
    plain_state,
    realtime_of,
    state_of,
)
from holdfast.drivers.kasa.ways import (
    WIDE_BATCH,
    Kind,
    Way,
    candidates,
    config_of,
    objection,
    shape_objection,
)
from holdfast.drivers.kasa.witness import Witness, looked, switched
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

CONNECT_S: Final = 8.0
"""Two questions, three in the newer language, behind a login two more: fact sheet section 2. A healthy plug takes well
below a second; on a bad wireless network each may take more than one, and the library asks a silent one twice."""
OPEN_S: Final = 11.5
"""Asking the address, looking everywhere, and connecting, each within its own limit, one after the other."""
PLAIN_READS: Final = 30
"""After an update that could not be understood it is five minutes until the next."""
SHORT_READS: Final = 5
"""After an update that took too long, while the bare state did not, it is a minute until the next."""
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
        self._plain_left = (
            0  # reads for which only the bare state is asked for: the whole could not be understood
        )
        self._is_short = (
            False  # the last one took too long: now only what matters is asked for, in one question
        )
        self._bad_reads = 0
        self._witness = Witness()

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
        is_lost = self._memory.is_search_due and not await self._find()
        await self._reach(await self._ways(is_lost=is_lost))
        if self._options.expects_energy and self._energy() is None:
            # The library gives up a meter for an object's life when its first answer failed: fact sheet section 5.
            await self._reach((self._way,))
        if self._is_other():
            await self._go_after()

    async def _find(self) -> bool:
        """Look for it; whether it was found."""
        memory = self._memory
        memory.searched()
        host = memory.way.host if memory.way is not None else self._options.host
        try:
            way = await self._search.ask(host, memory.mac)
            if way is None and memory.mac:
                way = await self._search.look(memory.mac)
        except Unsupported:
            memory.ask_again()
            raise
        if way is not None:
            memory.moved(way)
        return way is not None

    async def _ways(self, *, is_lost: bool) -> Sequence[Way]:
        """What to try, the likeliest first. ``is_lost``: it was looked for in vain just now."""
        options, memory = self._options, self._memory
        if memory.way is None and options.kind is Kind.AUTO:
            way = await self._search.ask(options.host, memory.mac)
            if way is not None:
                memory.moved(way)
        if memory.way is not None:
            # One that was followed to another address may be back where the owner says that it is.
            return (
                tuple(dict.fromkeys((memory.way, memory.way.at(options.host)))) if is_lost else (memory.way,)
            )
        ways = candidates(options.kind, options.host, options.port)
        first = memory.turn % len(ways)
        return (*ways[first:], *ways[:first])

    async def _reach(self, ways: Sequence[Way]) -> None:
        """The first of the ways that leads to a plug; the fault that tells most if none does."""
        faults: list[LinkFault] = []
        silent_hosts: set[str] = set()
        for way in ways:
            if way.host in silent_hosts:
                continue
            try:
                await self._connect(way)
            except LinkFault as fault:
                faults.append(fault)
                if isinstance(
                    fault, Silent | Unsupported
                ):  # it would take the time for all others, and nobody is there
                    silent_hosts.add(way.host)
            else:
                return
            # A port that takes one language in silence may speak the next: its turn comes with the next connect.
            self._memory.turn += 1
        raise next((each for each in faults if isinstance(each, LoginRefused)), faults[-1])

    async def _connect(self, way: Way) -> None:
        await self.bye()
        why = objection(way.family, way.encryption)
        if why is not None:
            raise why
        try:
            async with asyncio.timeout(CONNECT_S):
                batch = WIDE_BATCH if way.is_smart and self._memory.is_wide_due else None
                config = config_of(self._library, way, self._options, batch)
                self._device = await self._library.Device.connect(config=config)
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
            told = self._told(error, "reading the plug")
            self._is_short = isinstance(told, Unanswered)
            raise self._read_failed(told) from error
        self._bad_reads = 0
        if self._is_short:  # it is there, and everything is too much for it
            self._is_short, self._plain_left = False, max(self._plain_left, SHORT_READS)
        if self._options.expects_energy is not False:
            t = asyncio.get_running_loop().time()
            self._witness = looked(self._witness, is_on=state.is_on, power=state.power, t=t)
        return (Batch("", GROUP, state._replace(witness=self._witness)),)

    def _read_failed(self, error: HoldfastError) -> HoldfastError:
        self._bad_reads += 1
        return as_fault(error) if self._bad_reads >= BAD_READS else error

    async def _state(self) -> PlugState:
        if self._is_short or self._plain_left > 0:
            self._plain_left -= self._plain_left > 0
            return await self._plain()
        try:
            state = await self._whole()
        except Exception as error:
            if isinstance(error, LinkFault) or meaning_of(error, self._library) is not Meaning.NONSENSE:
                raise
            self._plain_left = PLAIN_READS
            return await self._plain()
        return await self._with_timer(state) if self._options.dead_man_s else state

    async def _whole(self) -> PlugState:
        """Everything that the library asks for. Raises `KeyError` where the answer lacked the plug's state."""
        device, energy = self._device, self._energy()
        told, metered = device.sys_info, realtime_of(energy)
        await device.update()
        # What an answer lacks the library keeps from the answer before, and says nothing.
        if device.sys_info is told:
            raise KeyError("the plug's state")
        self._expect_same(device.sys_info)
        energy = self._energy()
        is_old = metered is not None and realtime_of(energy) is metered
        return state_of(device, None if is_old else energy)

    async def _plain(self) -> PlugState:
        """The bare state, and the timer, in one question."""
        device, is_smart = self._device, self._way.is_smart
        question = plain_question(is_smart=is_smart)
        if self._options.dead_man_s:
            question |= dead_man.question(is_smart=is_smart)
        answer = await device.protocol.query(question)
        self._expect_same(answer["get_device_info"] if is_smart else answer["system"]["get_sysinfo"])
        state = plain_state(answer, is_smart=is_smart)
        if self._options.dead_man_s:
            state = state._replace(timer=dead_man.timer_of(answer, is_smart=is_smart))
        return state

    def _expect_same(self, info: Any) -> None:
        """The library dials anew within a call and looks at nobody's name: the next session does, and goes after it.

        Raises `SessionLost` for another plug.
        """
        mac = told_mac(info)
        if mac and self._memory.mac and mac != self._memory.mac:
            raise SessionLost(f"another plug ({mac}) answers at {self._way.host}")

    def _energy(self) -> Any:
        return self._device.modules.get(self._library.Module.Energy)

    async def _with_timer(self, state: PlugState) -> PlugState:
        """What a whole update of a newer plug tells already; a legacy one is asked once more."""
        if self._way.is_smart:
            answer: Any = {"get_device_info": self._device.sys_info}
            return state._replace(timer=dead_man.timer_of(answer, is_smart=True))
        try:
            answer = await self._device.protocol.query(dead_man.question(is_smart=False))
        except Exception as error:
            if meaning_of(error, self._library) not in (Meaning.NO, Meaning.NONSENSE):
                raise
            answer = None
        return state._replace(timer=dead_man.timer_of(answer, is_smart=False))

    # --- switching it -----------------------------------------------------------------------------------------------

    async def do(self, payload: Payload) -> None:
        """Carry out a step. Raises where it failed or may have failed; what became of it only a read tells."""
        try:
            async with asyncio.timeout(SET_S):
                await self._do(payload)
        except Exception as error:
            raise self._told(error, _DOING[type(payload)]) from error
        finally:
            if not isinstance(payload, Renew):
                self._witness = switched(self._witness, asyncio.get_running_loop().time())

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
