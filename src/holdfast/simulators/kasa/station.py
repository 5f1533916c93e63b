"""The plug on the network: its doors, its connections, and faults on a timetable.

It runs on any asyncio event loop, on real sockets or in memory: all time is the loop's, all randomness comes
from the one `random.Random` it is given.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from holdfast.simulators.kasa.access import Access
from holdfast.simulators.kasa.behaviour import Behaviour, Handling, Welcome
from holdfast.simulators.kasa.chance import draw_s
from holdfast.simulators.kasa.connection import Connection, Deal
from holdfast.simulators.kasa.discovery import answer_legacy, answer_newer
from holdfast.simulators.kasa.door import TcpDoor, UdpDoor
from holdfast.simulators.kasa.faults import BOOT_S
from holdfast.simulators.kasa.firmware import LEGACY, Encryption
from holdfast.simulators.kasa.iot import IotLanguage
from holdfast.simulators.kasa.legacy import LegacyConnection
from holdfast.simulators.kasa.plug import Plug, Shown
from holdfast.simulators.kasa.sessions import Sessions
from holdfast.simulators.kasa.smart import SmartLanguage
from holdfast.simulators.kasa.timetable import Timetable
from holdfast.simulators.kasa.trouble import Troubles
from holdfast.simulators.kasa.truth import Part, SetCommand, Truth, Which, WireRequest
from holdfast.simulators.kasa.web import WebConnection

if TYPE_CHECKING:
    from holdfast.simulators.kasa.access import Json, Language
    from holdfast.simulators.kasa.door import Door
    from holdfast.simulators.kasa.faults import Fault
    from holdfast.simulators.kasa.firmware import Firmware
    from holdfast.simulators.kasa.klap import Account
    from holdfast.simulators.kasa.timetable import Moment

CLOSE_LIMIT_S = 0.2
"""How long stopping waits for clients that read nothing before it cuts them off."""


class KasaPlug:
    """A plug that can be reached at ``host`` and ``port`` between `start` and `stop`.

    ``legacy_port`` serves TCP and UDP, ``http_port`` KLAP, ``discovery_port`` the newer discovery; 0 takes any
    free one, and without a ``discovery_port`` the newer question stays unheard. Which of them are open depends
    on the firmware; one that becomes legacy only later needs a ``legacy_port`` to be found there over UDP.
    """

    def __init__(
        self,
        plug: Plug | None = None,
        firmware: Firmware = LEGACY,
        *,
        rng: random.Random,
        host: str = "127.0.0.1",
        legacy_port: int = 0,
        http_port: int = 0,
        discovery_port: int | None = None,
        timetable: Timetable | None = None,
    ) -> None:
        self.plug = plug or Plug()
        self.host = host
        # One source each, so that what one part draws does not shift what another part gets.
        self._rng, session_rng = (random.Random(rng.getrandbits(64)) for _ in range(2))
        self.sessions = Sessions(session_rng)
        self._timetable = timetable or Timetable()
        self._base = Behaviour(firmware=firmware)
        self._troubles = Troubles(self._base, self, self._reconsider)
        self._legacy = TcpDoor(host, legacy_port, lambda: LegacyConnection(self, self._next_number()))
        self._web = TcpDoor(host, http_port, lambda: WebConnection(self, self._next_number()))
        self._legacy_discovery = UdpDoor(host, legacy_port, self._found_by_legacy)
        self._discovery = None
        if discovery_port is not None:
            self._discovery = UdpDoor(host, discovery_port, self._found_by_newer)
        self._connections: dict[int, Connection] = {}
        self._numbered = 0
        self._is_running = False
        self._all_gone: asyncio.Future[None] | None = None
        self._moments: deque[Moment] = deque()
        self._started_at = 0.0
        self._next_moment: asyncio.TimerHandle | None = None
        self._booting: asyncio.TimerHandle | None = None
        self._late: set[asyncio.TimerHandle] = set()

    def __repr__(self) -> str:
        return f"<KasaPlug {self.host}:{self.port} {self.firmware.encryption} {self.plug!r}>"

    # --- life ---------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Listen and begin the timetable. Raises `OSError` if a port cannot be had."""
        if self._is_running:
            raise RuntimeError("the plug is running")
        self._is_running = True
        try:
            for door in self._wanted():
                if door is self._legacy_discovery:
                    door.port = self._legacy.port  # UDP and TCP share the number
                await door.start()
        except BaseException:
            self._is_running = False
            await self._shut()
            raise
        self.plug.start()
        self._started_at = asyncio.get_running_loop().time()
        self._moments = deque(self._timetable.moments())
        self._await_moment()

    async def stop(self) -> None:
        """Leave: no connection, timer or task is left. The relay stays as it is. It may be started again."""
        if not self._is_running:
            return
        self._is_running = False
        for timer in (self._next_moment, self._booting, *self._late):
            if timer is not None:
                timer.cancel()
        self._late.clear()
        self.plug.stop()
        await self._shut()
        await self._close_all()
        self._troubles.end_all()
        if not self.is_there:  # it was booting
            self._booting = None
            self._boot(restores_relay=False)

    async def __aenter__(self) -> KasaPlug:
        await self.start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.stop()

    # --- what it looks like ---------------------------------------------------------------------------------------

    @property
    def port(self) -> int:
        """Where its door is, by its present firmware."""
        return self._legacy.port if self.firmware.encryption is Encryption.XOR else self._web.port

    @property
    def truth(self) -> Truth:
        """What an outside observer may know."""
        return self.plug.truth

    @property
    def firmware(self) -> Firmware:
        """What it speaks now."""
        return self._troubles.now.firmware

    @property
    def account(self) -> Account:
        """What logins are checked against now."""
        other = self._troubles.now.account
        return self.firmware.account if other is None else other

    @property
    def is_there(self) -> bool:
        """Whether it has power and has booted."""
        return self._troubles.now.is_there

    @property
    def faults(self) -> tuple[Fault, ...]:
        """The faults that last at present, used up or not."""
        return self._troubles.faults

    # --- faults -----------------------------------------------------------------------------------------------------

    def begin(self, fault: Fault) -> None:
        """Let a fault begin, to last until `end`."""
        self._troubles.begin(fault)

    def end(self, fault: Fault) -> None:
        """Let a fault end that has begun; `ValueError` if it has not."""
        self._troubles.end(fault)

    def strike(self, fault: Fault) -> None:
        """Let a fault happen that is only a moment: a button, a reboot, a lost session."""
        fault.strike(self)

    def drop_all(self) -> None:
        """Close every connection with a FIN."""
        for connection in self._everyone():
            connection.drop()

    def reset_all(self) -> None:
        """Close every connection with an RST."""
        for connection in self._everyone():
            connection.reset()

    def forget_sessions(self) -> None:
        """Know no login any more."""
        self.sessions.forget()

    def reboot(self, down_s: float, *, restores_relay: bool) -> None:
        """Lose power for so long; no connection is closed, as nobody is there to do it."""
        self.unplug()
        self._boot_in(down_s, restores_relay=restores_relay)

    def unplug(self) -> None:
        """Lose power until `plug_in`."""
        if self._booting is not None:
            self._booting.cancel()
            self._booting = None
        if self.plug.has_power:
            self.plug.cut_power()
        self.sessions.forget()
        for timer in self._late:
            timer.cancel()
        self._late.clear()
        for connection in self._everyone():
            if not connection.is_forgotten:
                connection.forget()
                self.truth.left(_now())
        self._rebase(is_there=False)

    def plug_in(self, *, restores_relay: bool) -> None:
        """Have power again, and boot."""
        if self._is_running:
            self._boot_in(BOOT_S, restores_relay=restores_relay)
        else:
            self._boot(restores_relay=restores_relay)

    # --- what its connections call ------------------------------------------------------------------------------------

    def joined(self, connection: Connection) -> Welcome:
        """A connection is there; what becomes of it."""
        self._connections[connection.number] = connection
        self.truth.joined(_now())
        if not self._is_running:
            return Welcome.DROP
        if not (self._troubles.now.is_listening and self.is_there):
            return Welcome.RESET
        return self._troubles.now.welcome

    def left(self, connection: Connection) -> None:
        """A connection is gone."""
        self._connections.pop(connection.number, None)
        if not connection.is_forgotten:
            self.truth.left(_now())
        if not self._connections and self._all_gone is not None and not self._all_gone.done():
            self._all_gone.set_result(None)

    def serve(self, number: int, text: bytes) -> Deal | None:
        """A request in clear; ``None`` if it is no JSON object."""
        try:
            request: Json | None = json.loads(text)
        except (ValueError, RecursionError):
            return None
        if not isinstance(request, dict):
            return None
        language = self._language
        wishes = language.wishes(request)
        which = Which.SET if wishes else Which.READ
        now = _now()
        self.truth.arrived(WireRequest(now, number, which))
        self.truth.sets.extend(SetCommand(now, number, wish.part, wish.value) for wish in wishes)
        handling = self._troubles.handle(which)
        answer = language.answer(request, self._access(handling)) if handling.is_done else {}
        return self._deal(handling, json.dumps(answer, separators=(",", ":")).encode())

    def admit(self, number: int) -> Deal:
        """A step of a login, or a request that cannot be read for want of one."""
        self.truth.arrived(WireRequest(_now(), number, Which.LOGIN))
        return self._deal(self._troubles.handle(Which.LOGIN), b"")

    def settled(self, requests: int) -> None:
        """So many requests were answered, or will never be."""
        self.truth.settled(requests)

    def garbage(self, size: int) -> bytes:
        """Bytes that mean nothing."""
        return self._rng.randbytes(size)

    # --- inside -----------------------------------------------------------------------------------------------------

    @property
    def _language(self) -> Language:
        return SmartLanguage() if self.firmware.family.is_smart else IotLanguage()

    def _next_number(self) -> int:
        self._numbered += 1
        return self._numbered

    def _everyone(self) -> tuple[Connection, ...]:
        return tuple(self._connections.values())

    def _deal(self, handling: Handling, answer: bytes) -> Deal:
        return Deal(answer, handling, draw_s(self._rng, handling.reply_delay_s))

    def _access(self, handling: Handling) -> Access:
        behaviour = self._troubles.now
        own = self.plug.identity
        return Access(
            plug=self.plug,
            identity=own if behaviour.mac is None else replace(own, mac=behaviour.mac),
            firmware=behaviour.firmware,
            show=lambda: self._show(handling.lag_s),
            switch=lambda is_on: self._switch(is_on, handling),
            sets_timer=Part.TIMER in handling.effect,
            error_code=handling.error_code,
            left_out=behaviour.left_out,
        )

    def _show(self, lag_s: float) -> Shown:
        shown = self.plug.show()
        if lag_s > 0.0:
            changes = self.truth.relay
            at_first = not changes[0].is_on if changes else self.plug.is_on
            shown = replace(shown, is_on=self.truth.was_on(_now() - lag_s, at_first=at_first))
        return shown

    def _switch(self, is_on: bool, handling: Handling) -> None:
        if Part.RELAY not in handling.effect:
            return
        delay_s = draw_s(self._rng, handling.relay_delay_s)
        if delay_s <= 0.0:
            self.plug.switch(is_on)
            return

        def move() -> None:
            self._late.discard(timer)
            self.plug.switch(is_on)

        timer = asyncio.get_running_loop().call_later(delay_s, move)
        self._late.add(timer)

    def _found_by_legacy(self, datagram: bytes) -> bytes | None:
        return answer_legacy(datagram, self._access(Handling()))

    def _found_by_newer(self, datagram: bytes) -> bytes | None:
        return answer_newer(datagram, self._access(Handling()), self.host, self.port)

    def _rebase(self, **changes: Any) -> None:
        self._base = replace(self._base, **changes)
        self._troubles.rebase(self._base)

    def _boot_in(self, down_s: float, *, restores_relay: bool) -> None:
        def boot() -> None:
            self._booting = None
            self._boot(restores_relay=restores_relay)

        self._booting = asyncio.get_running_loop().call_later(down_s, boot)

    def _boot(self, *, restores_relay: bool) -> None:
        self.plug.restore_power(restores_relay=restores_relay)
        self._rebase(is_there=True)

    def _reconsider(self) -> None:
        if not self._is_running:
            return
        wanted = self._wanted()
        for door in self._doors:
            door.want(door in wanted)

    @property
    def _doors(self) -> list[Door]:
        every = (self._legacy, self._legacy_discovery, self._web, self._discovery)
        return [door for door in every if door is not None]

    def _wanted(self) -> list[Door]:
        now = self._troubles.now
        wanted: list[Door | None] = []
        match now.firmware.encryption:
            case Encryption.XOR:
                wanted = [self._legacy if now.is_listening else None, self._legacy_discovery]
            case Encryption.KLAP:
                wanted = [self._web if now.is_listening else None, self._discovery]
            case Encryption.TPAP:
                wanted = [self._discovery]
        return [door for door in wanted if door is not None and now.is_there]

    async def _shut(self) -> None:
        for door in self._doors:
            await door.stop()

    async def _close_all(self) -> None:
        for _ in range(3):  # what the server has accepted appears within so many turns of the loop
            await asyncio.sleep(0)
        for close in (Connection.drop, Connection.cut_off):
            if self._connections:
                self._all_gone = asyncio.get_running_loop().create_future()
                for connection in self._everyone():
                    close(connection)
                await asyncio.wait((self._all_gone,), timeout=CLOSE_LIMIT_S)

    def _await_moment(self) -> None:
        if self._moments:
            due = self._started_at + self._moments[0].at_s
            self._next_moment = asyncio.get_running_loop().call_at(due, self._live_moment)

    def _live_moment(self) -> None:
        moment = self._moments.popleft()
        if moment.is_end:
            self.end(moment.fault)
        elif moment.is_lasting:
            self.begin(moment.fault)
        else:
            self.strike(moment.fault)
        self._await_moment()


def _now() -> float:
    return asyncio.get_running_loop().time()
