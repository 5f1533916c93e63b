"""Logins: accepted, refused, unreadable, in the clear, and what is left of them on the socket."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from holdfast.simulators.ipcom import LoginReply, What
from holdfast.simulators.ipcom.cipher import CLEAR, LOGIN, session_cipher
from holdfast.simulators.ipcom.messages import RECORDED_REFUSAL
from tests.simulators.ipcom.client import GOODBYE, POLL, SNAPSHOT_SIZE, Client, login_request

if TYPE_CHECKING:
    from holdfast.simulators.ipcom import IpcomController
    from tests.simulators.ipcom.conftest import Serve

pytestmark = pytest.mark.asyncio(loop_factories=["real", "sim"])

KEY = bytes(range(128))
WRONG = login_request(password="wrong")


def happened(controller: IpcomController, connection: int = 1) -> list[What]:
    return [event.what for event in controller.events if event.connection == connection]


async def test_accepted(serve: Serve) -> None:
    """A good login gets firmware and key, and from then on polls are answered under that key."""
    controller = await serve(firmware="1.07", session_key=KEY)
    async with await Client.dial(controller) as client:
        assert await client.login() == b"\x01\x02" + b"1.07" + b"\x01" + KEY
        assert await client.poll() == bytes(128)
        assert controller.sessions == 1
        assert happened(controller) == [What.CONNECTED, What.ACCEPTED]


async def test_a_login_in_pieces(serve: Serve) -> None:
    """The device waits for all 56 bytes, and takes a poll right behind them for one."""
    controller = await serve(session_key=KEY)
    async with await Client.dial(controller) as client:
        wire = LOGIN.encode(login_request())
        client.send_raw(wire[:20])
        assert await client.silence(0.05)
        client.send_raw(wire[20:] + session_cipher(KEY).encode(POLL))
        await client.take(135)
        client.cipher = session_cipher(KEY)
        assert (await client.hear(SNAPSHOT_SIZE))[:2] == POLL


@pytest.mark.parametrize("request_plain", [WRONG, login_request("nobody")])
async def test_refused(serve: Serve, request_plain: bytes) -> None:
    """A wrong password or user gets a goodbye under the key the session would have had, then the end."""
    controller = await serve(session_key=KEY)
    async with await Client.dial(controller) as client:
        client.send_raw(LOGIN.encode(request_plain))
        assert await client.rest() == session_cipher(KEY).encode(GOODBYE)
    assert happened(controller)[:2] == [What.CONNECTED, What.REFUSED]


async def test_refused_with_the_socket_left_open(serve: Serve) -> None:
    """The device may stay connected after a refusal; it is deaf and mute until the login's time is up."""
    controller = await serve(refusal=RECORDED_REFUSAL, is_closed_after_refusal=False, login_timeout_s=0.6)
    async with await Client.dial(controller) as client:
        client.send_raw(LOGIN.encode(WRONG))
        assert await client.take(2) == b"\x7e\xe3"
        client.send_raw(LOGIN.encode(login_request()))
        assert await client.silence(0.05)
        assert await client.rest() == b""
        assert controller.sessions == 0
    assert What.TIMED_OUT in happened(controller)


async def test_unreadable(serve: Serve) -> None:
    """A login under an old session key cannot be read, and is refused."""
    controller = await serve(session_key=KEY)
    async with await Client.dial(controller) as client:
        client.send_raw(session_cipher(KEY).encode(login_request()))
        assert len(await client.rest()) == 2
    assert What.UNREADABLE_LOGIN in happened(controller)


async def test_no_login_at_all(serve: Serve) -> None:
    """Who connects and says nothing is dropped when the time for the login is up."""
    controller = await serve(login_timeout_s=0.05)
    async with await Client.dial(controller) as client:
        assert await client.rest() == b""
    assert happened(controller)[:2] == [What.CONNECTED, What.TIMED_OUT]


async def test_obfuscation_off(serve: Serve) -> None:
    """A device with the obfuscation off answers a masked login with a plain goodbye, a plain one in the clear."""
    controller = await serve(is_obfuscated=False)
    async with await Client.dial(controller) as client:
        client.send_raw(LOGIN.encode(login_request()))
        assert await client.rest() == b"\x02\x01"
    async with await Client.dial(controller) as client:
        assert (await client.login(cipher=CLEAR))[:7] == b"\x01\x024.21\x01"
        assert await client.poll() == bytes(128)
    async with await Client.dial(controller) as client:
        client.send_raw(WRONG)
        assert await client.rest() == b"\x02\x01"


async def test_a_key_of_its_own_for_each_session(serve: Serve) -> None:
    """Keys are the controller's own unless they are drawn anew for every session."""
    controller = await serve()
    keys = []
    for is_renewed in (False, False, True, True):
        controller.behave(is_key_renewed=is_renewed)
        async with await Client.with_session(controller) as client:
            assert await client.poll() == bytes(128)
            keys.append(client.key)
    assert keys[0] == keys[1]
    assert len(set(keys)) == 3


async def test_the_login_may_be_echoed(serve: Serve) -> None:
    """With the echo on, the request's own 56 bytes come before the answer."""
    controller = await serve(is_login_echoed=True)
    async with await Client.dial(controller) as client:
        wire = LOGIN.encode(login_request())
        client.send_raw(wire)
        assert await client.take(56) == wire
        assert LOGIN.decode(await client.take(135))[:2] == b"\x01\x02"


@pytest.mark.parametrize("is_obfuscated", [True, False])
async def test_accepted_without_a_key(serve: Serve, is_obfuscated: bool) -> None:
    """The three-byte welcome gives no key: the session goes on in the mode of its login."""
    controller = await serve(login_reply=LoginReply.WITHOUT_KEY, is_obfuscated=is_obfuscated)
    async with await Client.dial(controller) as client:
        client.cipher = LOGIN if is_obfuscated else CLEAR
        client.send(login_request())
        assert (await client.hear(3))[:2] == b"\x01\x02"
        assert await client.poll() == bytes(128)


async def test_a_slow_login(serve: Serve) -> None:
    """The answer to a login can be delayed."""
    controller = await serve(login_delay_s=0.4)
    async with await Client.dial(controller) as client:
        client.send_raw(LOGIN.encode(login_request()))
        assert await client.silence(0.05)
        assert len(await client.take(135)) == 135
