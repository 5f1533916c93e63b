"""One client's connection, as the controller lives it: login, requests, replies, end."""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
from contextlib import suppress
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol, cast

from holdfast.simulators.ipcom.behaviour import Behaviour, LoginReply, Welcome, WriteReply
from holdfast.simulators.ipcom.chance import draw_s
from holdfast.simulators.ipcom.cipher import CLEAR, LOGIN, Cipher, session_cipher
from holdfast.simulators.ipcom.house import Frame
from holdfast.simulators.ipcom.line import Outlet
from holdfast.simulators.ipcom.messages import (
    ACCEPTED_WITHOUT_KEY,
    ACK,
    CONNECT_REQUEST_SIZE,
    GOODBYE,
    KEEP_ALIVE_REPLY,
    MODULES,
    OUTPUTS,
    SET_VALUES,
    SHORT_ACK,
    FrameRequest,
    Reader,
    Request,
    Signal,
    connect_response,
    frame_ack,
    parse_connect_request,
    snapshot,
)

if TYPE_CHECKING:
    import random
    from collections import Counter

REQUEST_GAP_S = 1.0
"""Silence after which the beginning of a request is forgotten; ours, real devices are unknown."""

_LINGER_NOT = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)


class What(StrEnum):
    """What can happen to a connection, for the controller's log."""

    CONNECTED = "connected"
    TURNED_AWAY = "turned away"
    ACCEPTED = "login accepted"
    REFUSED = "login refused"
    UNREADABLE_LOGIN = "login unreadable"
    GOODBYE = "client said goodbye"
    DISMISSED = "device said goodbye"
    TIMED_OUT = "timed out"
    ENDED = "ended"


class Device(Protocol):
    """What a connection needs of the controller behind it."""

    rng: random.Random
    counts: Counter[str]

    @property
    def behaviour(self) -> Behaviour:
        """How the controller behaves now."""

    @property
    def shown(self) -> bytes:
        """The outputs as snapshots show them now."""

    def draw_key(self) -> bytes:
        """The key for a new session."""

    def receive(self, frame: Frame) -> None:
        """A write has come in."""

    def joined(self, connection: Connection) -> bool:
        """A connection is there; whether it may stay."""

    def left(self, connection: Connection) -> None:
        """A connection is gone."""

    def note(self, connection: Connection, what: What) -> None:
        """Something happened that an observer may want to know."""


class Connection(asyncio.Protocol):
    """From accept to close. ``number`` counts the controller's connections from 1."""

    def __init__(self, device: Device, number: int) -> None:
        self.number = number
        self._device = device
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport
        self._outlet: Outlet
        self._login = bytearray()
        self._cipher = LOGIN
        self._reader: Reader | None = None
        self._unserved: list[bytes] = []
        self._shown: bytes | None = None
        self._snapshot = b""
        self._is_over = False
        self._heard_at = 0.0
        self._watchdog: asyncio.TimerHandle | None = None

    @property
    def has_session(self) -> bool:
        """Whether a login was accepted and the session still lives."""
        return self._reader is not None and not self._is_over

    # --- what the event loop calls -----------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has connected."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by inheritance
        self._outlet = Outlet(self._transport, lambda: self._device.behaviour.line, self._device.rng)
        self._heard_at = self._loop.time()
        welcome = self._device.behaviour.welcome
        if not self._device.joined(self) or welcome is Welcome.DROP:
            self._device.note(self, What.TURNED_AWAY)
            self.drop()
        elif welcome is Welcome.RESET:
            self._device.note(self, What.TURNED_AWAY)
            self.reset()
        else:
            self._device.note(self, What.CONNECTED)
            self.review()

    def data_received(self, data: bytes) -> None:
        """Bytes from the client, split anywhere."""
        if self._is_over:
            return
        if self._device.behaviour.is_stalled:
            self._unserved.append(data)
            return
        now = self._loop.time()
        reader = self._reader
        if reader is None:
            self._heard_at = now
            self._hear_login(data)
            return
        if reader.has_partial and now - self._heard_at > REQUEST_GAP_S:
            reader.drop_partial()
        self._heard_at = now
        self._serve(reader, data)

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone, whoever ended it."""
        self._finish()
        self._device.note(self, What.ENDED)
        self._device.left(self)

    # --- what the controller and its faults do -----------------------------------------------------------

    def drop(self) -> None:
        """Close with a FIN; what was not sent yet never is."""
        self._finish()
        self._transport.close()

    def reset(self) -> None:
        """Close with an RST: on a real socket the peer's next read fails."""
        self._finish()
        sock = self._transport.get_extra_info("socket")
        if sock is not None:
            with suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
        self._transport.abort()

    def cut_off(self) -> None:
        """Close without waiting for the client to read what was sent."""
        self._finish()
        self._transport.abort()

    def say_goodbye(self) -> None:
        """End the session with a word of it."""
        if self.has_session:
            self._device.note(self, What.DISMISSED)
            self._outlet.send(self._cipher.encode(GOODBYE))
            self._end()

    def send_snapshot(self) -> None:
        """A snapshot that nobody asked for."""
        if self.has_session:
            self._outlet.send(self._snapshot_wire())

    def blurt(self) -> None:
        """Noise that nobody asked for."""
        if self.has_session:
            self._outlet.blurt()

    def review(self) -> None:
        """The behaviour may have changed: watch for the time-out that applies now."""
        self._unwatch()
        behaviour = self._device.behaviour
        limit_s = behaviour.idle_timeout_s if self.has_session else behaviour.login_timeout_s
        if limit_s is not None and not behaviour.is_stalled and not self._transport.is_closing():
            self._watchdog = self._loop.call_at(self._heard_at + limit_s, self._time_out, self._heard_at)

    def stall(self) -> None:
        """From now on nothing is answered, not even what was asked before."""
        self._outlet.clear()

    def resume(self, *, answers_late: bool) -> None:
        """Go on after a stall, with or without the requests that came meanwhile."""
        unserved, self._unserved = self._unserved, []
        if answers_late:
            for data in unserved:
                self.data_received(data)

    # --- login -------------------------------------------------------------------------------------------

    def _hear_login(self, data: bytes) -> None:
        self._login += data
        if len(self._login) < CONNECT_REQUEST_SIZE:
            return
        wire = bytes(self._login[:CONNECT_REQUEST_SIZE])
        following = bytes(self._login[CONNECT_REQUEST_SIZE:])
        self._login.clear()
        behaviour = self._device.behaviour
        cipher = LOGIN if behaviour.is_obfuscated else CLEAR
        request = parse_connect_request(cipher.decode(wire))
        key = self._device.draw_key()
        if request is None:
            self._refuse(key, What.UNREADABLE_LOGIN)
        elif behaviour.is_login_refused or behaviour.accounts.get(request.username) != request.password:
            self._refuse(key, What.REFUSED)
        else:
            self._accept(cipher, wire, key)
            if following and self._reader is not None:
                self._serve(self._reader, following)

    def _accept(self, cipher: Cipher, request: bytes, key: bytes) -> None:
        behaviour = self._device.behaviour
        delay_s = draw_s(self._device.rng, behaviour.login_delay_s)
        if behaviour.is_login_echoed:
            self._outlet.send(request, delay_s, is_login=True)
        if behaviour.login_reply is LoginReply.WITHOUT_KEY:
            self._outlet.send(cipher.encode(ACCEPTED_WITHOUT_KEY), delay_s, is_login=True)
        else:
            self._outlet.send(
                cipher.encode(connect_response(behaviour.firmware, key)), delay_s, is_login=True
            )
            if behaviour.is_obfuscated:
                cipher = session_cipher(key)
        self._cipher = cipher
        self._reader = Reader(cipher)
        self._outlet.begin(cipher)
        self._device.note(self, What.ACCEPTED)
        self.review()

    def _refuse(self, key: bytes, what: What) -> None:
        behaviour = self._device.behaviour
        cipher = session_cipher(key) if behaviour.is_obfuscated else CLEAR
        refusal = behaviour.refusal if behaviour.refusal is not None else cipher.encode(GOODBYE)
        self._device.note(self, what)
        self._outlet.send(refusal, draw_s(self._device.rng, behaviour.login_delay_s), is_login=True)
        if behaviour.is_closed_after_refusal:
            self._end()
        else:
            self._is_over = True

    # --- session -----------------------------------------------------------------------------------------

    def _serve(self, reader: Reader, data: bytes) -> None:
        requests = reader.feed(data)
        if len(requests) > 1:
            self._device.counts["glued requests"] += 1
            if not self._device.behaviour.is_segment_split:
                requests = requests[:1]
                reader.drop_partial()
        for request in requests:
            if not self._is_over:
                self._answer(request)

    def _answer(self, request: Request) -> None:
        device = self._device
        if not self._outlet.is_idle:
            device.counts["crossed requests"] += 1
        if request is Signal.POLL:
            device.counts["polls"] += 1
            self._outlet.send(self._snapshot_wire(), draw_s(device.rng, device.behaviour.reply_delay_s))
        elif isinstance(request, FrameRequest):
            self._take(request)
        elif request is Signal.KEEP_ALIVE:
            device.counts["keep-alive requests"] += 1
            if device.behaviour.is_keep_alive_answered:
                self._outlet.send(self._cipher.encode(KEEP_ALIVE_REPLY))
        elif request is Signal.GOODBYE:
            device.counts["goodbyes"] += 1
            device.note(self, What.GOODBYE)
            self.drop()
        else:
            device.counts["unreadable requests"] += 1

    def _take(self, request: FrameRequest) -> None:
        device, behaviour = self._device, self._device.behaviour
        module = request.to - behaviour.base_address + 1
        is_for_us = behaviour.bus is None or request.bus == behaviour.bus
        is_write = len(request.data) == 1 + OUTPUTS and request.data[0] == SET_VALUES
        if not (is_for_us and is_write and 1 <= module <= MODULES):
            device.counts["frames ignored"] += 1
            return
        device.counts["writes"] += 1
        device.receive(Frame(self._heard_at, module, request.data[1:], self.number))
        reply = self._write_reply(behaviour.write_reply, request)
        if reply:
            self._outlet.send(reply, draw_s(device.rng, behaviour.write_reply_delay_s))

    def _write_reply(self, kind: WriteReply, request: FrameRequest) -> bytes:
        if kind is WriteReply.SNAPSHOT:
            return self._snapshot_wire()
        plain = {
            WriteReply.SHORT_ACK: SHORT_ACK,
            WriteReply.ACK: ACK,
            WriteReply.FRAME: frame_ack(request.bus, request.to),
        }.get(kind, b"")
        return self._cipher.encode(plain)

    def _snapshot_wire(self) -> bytes:
        shown = self._device.shown
        if shown is not self._shown:
            self._shown = shown
            self._snapshot = self._cipher.encode(snapshot(shown))
        return self._snapshot

    # --- end ---------------------------------------------------------------------------------------------

    def _end(self) -> None:
        """Close once everything said is sent, and hear nothing more."""
        self._is_over = True
        self._outlet.close()

    def _finish(self) -> None:
        self._is_over = True
        self._outlet.clear()
        self._unserved.clear()
        self._unwatch()

    def _unwatch(self) -> None:
        if self._watchdog is not None:
            self._watchdog.cancel()
            self._watchdog = None

    def _time_out(self, heard_at: float) -> None:
        # One timer instead of one per request: if something was heard since it was set, it is set again.
        if self._heard_at != heard_at:
            self.review()
        else:
            self._device.note(self, What.TIMED_OUT)
            self.drop()
