"""The logins that a plug remembers, by their cookies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from holdfast.simulators.kasa.klap import SEED_SIZE, BadSeal, Handshake, Seals

if TYPE_CHECKING:
    import random

    from holdfast.simulators.kasa.firmware import Firmware
    from holdfast.simulators.kasa.klap import Account

COOKIE = "TP_SESSIONID"


@dataclass
class _Session:
    handshake: Handshake
    seals: Seals | None = None
    """``None`` until the client has proved itself."""
    served: int = 0


class NoSession(Exception):
    """There is none by that cookie, it was not proved, or the message does not belong to it."""


class Sessions:
    """At most as many as the firmware holds; the oldest goes first."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._by_cookie: dict[str, _Session] = {}

    def __len__(self) -> int:
        return sum(session.seals is not None for session in self._by_cookie.values())

    def forget(self) -> None:
        """Know none any more."""
        self._by_cookie.clear()

    def shake(self, local_seed: bytes, firmware: Firmware, account: Account) -> tuple[bytes, str]:
        """The first handshake: what to answer, and the cookie. Raises `NoSession` for a seed of another size."""
        if len(local_seed) != SEED_SIZE:
            raise NoSession
        remote_seed = self._rng.randbytes(SEED_SIZE)
        cookie = self._rng.randbytes(SEED_SIZE).hex().upper()
        handshake = Handshake(firmware.login, account, local_seed, remote_seed)
        self._by_cookie[cookie] = _Session(handshake)
        while len(self._by_cookie) > firmware.sessions:
            del self._by_cookie[next(iter(self._by_cookie))]
        return remote_seed + handshake.plug_proof(), cookie

    def prove(self, cookie: str | None, proof: bytes) -> None:
        """The second handshake. Raises `NoSession`."""
        session = self._find(cookie)
        if not session.handshake.is_proved_by(proof):
            raise NoSession
        session.seals = session.handshake.seals()

    def open(self, cookie: str | None, sealed: bytes, number: int, firmware: Firmware) -> tuple[bytes, Seals]:
        """A request in clear, and what seals its answer. Raises `NoSession`."""
        session = self._find(cookie)
        most = firmware.requests_per_session
        if session.seals is None or (most is not None and session.served >= most):
            raise NoSession
        try:
            plain = session.seals.open(sealed, number)
        except BadSeal as error:
            raise NoSession from error
        session.served += 1
        return plain, session.seals

    def _find(self, cookie: str | None) -> _Session:
        session = self._by_cookie.get(cookie or "")
        if session is None:
            raise NoSession
        return session
