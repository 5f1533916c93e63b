"""The login as a conversation: what is said, what may be heard, and what each answer means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, NoReturn

from holdfast.drivers.ipcom import messages
from holdfast.drivers.ipcom.cipher import PLAIN, SINGLE_KEY, Cipher, dual_key
from holdfast.errors import InsecureRefused, LoginRefused, Nonsense, SessionLost, Silent
from holdfast.model import Heard, HeardWhy, Say

if TYPE_CHECKING:
    from collections.abc import Generator

REFUSAL_GAP_S: Final = 0.3
"""Silence after which a reply of two or three bytes is a whole one. Fact sheet: "silence for about 300 ms"."""
ANSWER_LIMIT_S: Final = 6.0
"""The vendor's app waits so long for an answer; the link's own login limit is shorter."""


class PlainMode:
    """Whether the next session of an endpoint goes without obfuscation, because the device asked for it."""

    __slots__ = ("is_on",)

    def __init__(self, *, is_on: bool = False) -> None:
        self.is_on = is_on


class Accepted(NamedTuple):
    """A login that succeeded: the cipher from here on, and what the device said of itself.

    What came behind the acceptance answers nothing and is dropped: no question has been asked yet.
    """

    cipher: Cipher
    firmware: str = ""


def log_in(request: bytes, mode: PlainMode, *, allow_plain: bool) -> Generator[Say, Heard, Accepted]:
    """Send ``request`` (not yet obfuscated) and judge the answer.

    - 135 bytes are the acceptance with a session key; they may come in pieces. A reply that begins with the very
      56 bytes just sent has these skipped (an unproven remark in an earlier client).
    - Three bytes beginning with 1, then silence, are "accepted, no key" (vendor's app; no example is known). There is
      no dual-key mode without a key, so such a session stays in single-key mode.
    - Two bytes, then silence or the end, are ``02 01`` (decoded ``0e 65``) from a device whose obfuscation is off;
      any others are a refusal.

    A plain session is opened only when the device asked for one and ``allow_plain`` is set, and only for one attempt:
    whenever a plain login fails, the next one is obfuscated again.

    Raises `LoginRefused`, `InsecureRefused`, `Silent`, `Nonsense` or `SessionLost`.
    """
    is_plain = mode.is_on
    mode.is_on = False
    cipher = PLAIN if is_plain else SINGLE_KEY
    sent = cipher.encode(request)
    answer = b""

    def enough(data: bytes) -> bool:
        return len(_without_echo(answer + data, sent)) >= messages.RESPONSE_LENGTH

    say = sent
    accepted: Accepted | None = None
    while accepted is None:
        heard = yield Say(say, enough, REFUSAL_GAP_S, ANSWER_LIMIT_S)
        say = b""
        answer += heard.data
        reply = _without_echo(answer, sent)
        if len(reply) >= messages.RESPONSE_LENGTH:
            accepted = _accept(reply, cipher, is_plain=is_plain)
            continue
        is_ended = heard.why is HeardWhy.CLOSED
        if len(reply) == messages.REFUSAL_LENGTH and (is_ended or heard.why is HeardWhy.GAP):
            _refuse(reply, mode, is_plain=is_plain, allow_plain=allow_plain)
        if is_ended:
            raise SessionLost("the device closed the connection during the login")
        if heard.why is HeardWhy.LIMIT:
            text = (
                "the device began to answer the login and did not finish"
                if reply
                else "no answer to the login"
            )
            raise Silent(
                text, advice="Check that the device is an IPCom controller and serves no other client."
            )
        is_short = len(reply) == messages.SHORT_RESPONSE_LENGTH
        if is_short and cipher.decode(reply)[0] == messages.CONNECT:
            accepted = Accepted(cipher)
    mode.is_on = is_plain
    return accepted


def _without_echo(data: bytes, sent: bytes) -> bytes:
    return data.removeprefix(sent)


def _accept(reply: bytes, cipher: Cipher, *, is_plain: bool) -> Accepted:
    try:
        response = messages.connect_response(cipher.decode(reply[: messages.RESPONSE_LENGTH]))
    except ValueError as error:
        raise Nonsense(
            f"the answer to the login cannot be understood: {error}",
            advice="Check that the device is an IPCom controller.",
        ) from None
    return Accepted(PLAIN if is_plain else dual_key(response.session_key), response.firmware)


def _refuse(reply: bytes, mode: PlainMode, *, is_plain: bool, allow_plain: bool) -> NoReturn:
    if is_plain or reply != messages.INSECURE_REPLY:
        raise LoginRefused(
            "the device refused the user name or password",
            advice="Check both; the device is asked again, but slowly.",
        )
    if not allow_plain:
        raise InsecureRefused(
            "the device asks for a login without obfuscation, which shows the password to anybody on the path",
            advice="Switch the obfuscation on in the device, or set allow_plain: true for this adapter.",
        )
    mode.is_on = True
    raise SessionLost("the device asks for a session without obfuscation; the next one is")
