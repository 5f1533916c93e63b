"""Device discovery with the real python-kasa, over real loopback sockets."""

from __future__ import annotations

import asyncio
import gc
from contextlib import AsyncExitStack
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import kasa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.drivers.kasa.discovery import discovery, target_of
from holdfast.drivers.kasa.library import KasaLibrary, load_library
from holdfast.errors import ConfigurationError, LinkFault, Unreachable
from holdfast.link.discovery import Found, Sweep
from holdfast.simulators.kasa import CLOSED, Account, Stall, Which, klap_v1, klap_v2, smart
from tests.cli.plugs import ACCOUNT, OWN_ADDRESSES, mac_of, new_answer, old_answer, own_address, station

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

# python-kasa reads certificates and time zones from disk in the loop.
pytestmark = [pytest.mark.blocking_allowed, OWN_ADDRESSES]
LOOK_S = 1.0
NOBODY = Account("", "")


async def find(*targets: str, seconds: float = LOOK_S, login: Account = NOBODY) -> list[Found]:
    """Whoever is found there."""
    sweep = Sweep(seconds=seconds, targets=targets, username=login.user, password=login.password)
    found, faults = await discovery()(sweep)
    assert faults == ()
    return list(found)


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as stack:
        yield stack


async def test_a_legacy_plug_tells_everything(stack: AsyncExitStack) -> None:
    """Its one answer is its whole state, relay and signal included; nothing is dialled."""
    plug = await stack.enter_async_context(station(1, alias="Heater"))
    (found,) = await find(plug.host)
    assert found == Found(
        driver="kasa",
        url=f"kasa://{plug.host}",
        name="Heater",
        model="HS110(EU)",
        mac=mac_of(1),
        kind="legacy",
        signal_dbm=found.signal_dbm,
        values={"switch": False},
        adapter={"kind": "legacy", "mac": mac_of(1)},
    )
    assert found.signal_dbm is not None
    assert not plug.truth.requests


@pytest.mark.parametrize(
    ("firmware", "kind"),
    [(klap_v1(ACCOUNT), "klap"), (klap_v2(ACCOUNT), "klap"), (smart(ACCOUNT), "smart")],
    ids=["klap1", "klap2", "smart"],
)
async def test_a_newer_plug_tells_its_name_to_those_with_the_login(
    stack: AsyncExitStack, firmware: Any, kind: str
) -> None:
    """Without it what it is, and that it needs one; no login is tried then."""
    plug = await stack.enter_async_context(station(2, firmware, alias="Fridge"))
    (stranger,) = await find(plug.host)
    assert (stranger.name, stranger.kind, stranger.mac, stranger.values) == ("", kind, mac_of(2), {})
    assert stranger.needs_login
    assert "login" in stranger.note
    assert not plug.truth.requests
    plug.plug.press()
    (friend,) = await find(plug.host, login=ACCOUNT)
    assert (friend.name, friend.kind, friend.note, friend.values) == ("Fridge", kind, "", {"switch": True})
    assert friend.signal_dbm is not None
    assert friend.needs_login
    assert friend.url == f"kasa://{plug.host}:{plug.port}"
    assert ACCOUNT.password not in str(friend)


async def test_a_wrong_login_is_told_and_hides_nothing_else(stack: AsyncExitStack) -> None:
    plug = await stack.enter_async_context(station(3, klap_v2(ACCOUNT)))
    (found,) = await find(plug.host, login=Account(ACCOUNT.user, "wrong"))
    assert found.is_supported
    assert found.needs_login
    assert found.mac == mac_of(3)
    assert "upper and lower case" in found.advice


async def test_a_plug_that_falls_silent_at_the_login_is_waited_for_five_seconds(
    stack: AsyncExitStack,
) -> None:
    """And told as it told itself before."""
    plug = await stack.enter_async_context(station(4, klap_v2(ACCOUNT)))
    plug.begin(Stall(which=Which.LOGIN))
    (found,) = await find(plug.host, login=ACCOUNT)
    assert found.mac == mac_of(4)
    assert "no answer in time" in found.note


async def test_a_plug_at_another_port(stack: AsyncExitStack) -> None:
    """One answer per address is heard: the second plug behind one is asked for by its port."""
    host = own_address()
    first = await stack.enter_async_context(station(5, host=host))
    second = await stack.enter_async_context(station(6, host=host, legacy_port=0))
    found = await find(host, f"{host}:{second.port}")
    assert [each.mac for each in found] == [first.plug.identity.mac, second.plug.identity.mac]
    assert [each.url for each in found] == [f"kasa://{host}", f"kasa://{host}:{second.port}"]


async def test_a_newer_plug_asked_at_another_port_is_reached_at_its_own(stack: AsyncExitStack) -> None:
    """The port replaces that of the old kind only."""
    plug = await stack.enter_async_context(station(7, klap_v2(ACCOUNT), alias="Fridge"))
    (found,) = await find(f"{plug.host}:9998", login=ACCOUNT)
    assert found.name == "Fridge"
    assert found.url == f"kasa://{plug.host}:{plug.port}"


async def test_what_asks_twice_finds_once(stack: AsyncExitStack) -> None:
    plug = await stack.enter_async_context(station(8))
    assert len(await find(plug.host, plug.host)) == 1


@pytest.mark.parametrize(
    ("sysinfo", "kind", "words"),
    [
        (
            {"children": [{"id": "00", "state": 1, "alias": "one", "on_time": 0}]},
            "strip",
            "strip, not a plug",
        ),
        ({"dev_name": "Wi-Fi Smart Dimmer", "brightness": 50}, "dimmer", "dimmer, not a plug"),
    ],
)
async def test_what_is_no_plug_is_told_in_words(
    stack: AsyncExitStack, sysinfo: dict[str, Any], kind: str, words: str
) -> None:
    host = own_address()
    door = old_answer(host, **sysinfo)
    await door.start()
    stack.push_async_callback(door.stop)
    (found,) = await find(host)
    assert not found.is_supported
    assert (found.kind, found.mac, found.name) == (kind, mac_of(99), "Somebody")
    assert words in found.note
    assert found.advice == "Use a plug with one relay and no dimmer."
    assert found.adapter == {}


async def test_firmware_that_cannot_be_spoken_to_says_what_to_do(stack: AsyncExitStack) -> None:
    """TPAP, which the library refuses, and AES, which it would take and we do not; even with a login no dial."""
    closed = await stack.enter_async_context(station(9, CLOSED))
    aes = own_address()
    door = new_answer(aes, "SMART.TAPOPLUG", "AES")
    await door.start()
    stack.push_async_callback(door.stop)
    found = await find(closed.host, aes, login=ACCOUNT)
    assert [(each.kind, each.is_supported) for each in found] == [("tpap", False), ("aes", False)]
    for each in found:
        assert "Third-Party Compatibility" in each.advice
        assert each.kind.upper() in each.note
    assert found[0].mac == mac_of(9)
    assert not closed.truth.requests


async def test_a_lamp_is_no_plug(stack: AsyncExitStack) -> None:
    host = own_address()
    door = new_answer(host, "SMART.TAPOBULB", "KLAP")
    await door.start()
    stack.push_async_callback(door.stop)
    (found,) = await find(host)
    assert not found.is_supported
    assert found.note == "SMART.TAPOBULB is not a plug"


async def test_an_answer_that_nobody_understands(stack: AsyncExitStack) -> None:
    """JSON, and no device: it is told, since somebody who looks for this plug must know."""
    host = own_address()
    door = old_answer(host, mic_type=None, type=None)
    await door.start()
    stack.push_async_callback(door.stop)
    (found,) = await find(host)
    assert not found.is_supported
    assert found.note


async def test_a_name_from_the_network_is_cut(stack: AsyncExitStack) -> None:
    """Nobody fills a person's screen."""
    host = own_address()
    door = old_answer(host, alias="x" * 5000, rssi="loud")
    await door.start()
    stack.push_async_callback(door.stop)
    (found,) = await find(host)
    assert len(found.name) == 64
    assert found.signal_dbm is None


async def test_nobody_answers() -> None:
    assert await find(own_address()) == []


async def test_a_place_where_nobody_can_be_asked_is_told_beside_the_others(stack: AsyncExitStack) -> None:
    plug = await stack.enter_async_context(station(10))
    found, faults = await discovery()(Sweep(seconds=LOOK_S, targets=("nowhere.invalid", plug.host)))
    assert [each.mac for each in found] == [mac_of(10)]
    assert [each.text for each in faults] == ["the host name nowhere.invalid is not known"]


async def test_nowhere_to_look_is_a_fault() -> None:
    with pytest.raises(Unreachable, match=r"nowhere\.invalid is not known"):
        await discovery()(Sweep(seconds=LOOK_S, targets=("nowhere.invalid",)))


async def test_no_network_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library would log it, and wait for nobody."""
    monkeypatch.setattr("holdfast.drivers.kasa.discovery.socket.socket", _Unreachable)
    with pytest.raises(Unreachable, match=r"nobody can be asked at 127\.0\.0\.1: Network is unreachable"):
        await discovery()(Sweep(seconds=LOOK_S, targets=("127.0.0.1",)))


class _Unreachable:
    """A socket without a network."""

    def __init__(self, *arguments: object) -> None:
        """Nothing is opened."""

    def __enter__(self) -> _Unreachable:
        return self

    def __exit__(self, *exc: object) -> None:
        """Nothing to close."""

    def setblocking(self, flag: bool) -> None:
        """Nothing to set."""

    def setsockopt(self, *arguments: object) -> None:
        """Nothing to set."""

    def connect(self, address: object) -> None:
        raise OSError(101, "Network is unreachable")


def library_with(discover: Any) -> KasaLibrary:
    """The installed library but for its discovery."""
    parts: dict[str, Any] = {
        name: getattr(kasa, name) for name in vars(KasaLibrary) if hasattr(kasa, name) and name[0] != "_"
    }
    parts["Discover"] = SimpleNamespace(discover=discover)
    return cast("KasaLibrary", SimpleNamespace(**parts))


async def test_a_library_that_fails_is_told_in_our_words() -> None:
    """Nothing foreign escapes."""

    async def discover(**arguments: object) -> None:
        raise kasa.KasaException("boom")

    with pytest.raises(LinkFault, match="boom"):
        await discovery(lambda: library_with(discover))(Sweep(seconds=LOOK_S, targets=("127.0.0.1",)))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ("system", "get_sysinfo", "result", "mac", "alias", "model", "device_model", "rssi", "relay_state",
                 "mgt_encrypt_schm", "encrypt_type", "device_type")
            ),
            inner,
            max_size=4,
        )
    ),
)  # fmt: skip


class _Garbled:
    """A device object that stumbles over what its plug said."""

    config = kasa.DeviceConfig(host="127.0.0.1")
    left = 0

    @property
    def device_type(self) -> object:
        raise KeyError("type")

    async def disconnect(self) -> None:
        _Garbled.left += 1


@given(answer=JSON, is_taken=st.booleans(), is_refused=st.booleans())
async def test_whatever_answers_is_told_in_some_way(answer: Any, is_taken: bool, is_refused: bool) -> None:
    """Anybody on the network can answer anything: nothing escapes, and every object is closed."""
    _Garbled.left = 0

    async def discover(**told: Any) -> dict[str, Any]:
        for raw in (None, {}, {"meta": None}, {"meta": {"ip": "127.0.0.1"}}):
            told["on_discovered_raw"](raw)
        told["on_discovered_raw"]({"meta": {"ip": "127.0.0.1"}, "discovery_response": answer})
        if is_refused:
            await told["on_unsupported"](
                kasa.UnsupportedDeviceError("no", discovery_result=answer, host="127.0.0.1")
            )
        return {"127.0.0.1": _Garbled()} if is_taken else {}

    (found,), faults = await discovery(lambda: library_with(discover))(
        Sweep(seconds=LOOK_S, targets=("127.0.0.1",))
    )
    assert faults == ()
    assert found.url == "kasa://127.0.0.1"
    assert not found.is_supported
    assert found.note
    assert all(len(each) <= 64 for each in (found.name, found.model, found.kind))
    assert _Garbled.left == is_taken


async def test_an_old_thing_that_is_no_plug(stack: AsyncExitStack) -> None:
    """It says what it is, and the library knows no such thing."""
    host = own_address()
    door = old_answer(host, mic_type="IOT.TOASTER")
    await door.start()
    stack.push_async_callback(door.stop)
    (found,) = await find(host)
    assert (found.is_supported, found.note) == (False, "IOT.TOASTER is not a plug")


async def test_a_refusal_without_a_host_is_found_by_its_hardware_address() -> None:
    """The library names the host in some cases only."""
    answer = {
        "result": {
            "mac": mac_of(1),
            "device_type": "SMART.TAPOHUB",
            "mgt_encrypt_schm": {"encrypt_type": "KLAP"},
        }
    }

    async def discover(**told: Any) -> dict[str, Any]:
        told["on_discovered_raw"]({"meta": {"ip": "127.0.0.1"}, "discovery_response": answer})
        await told["on_unsupported"](kasa.UnsupportedDeviceError("no", host="127.0.0.2"))
        await told["on_unsupported"](kasa.UnsupportedDeviceError("no", discovery_result=answer["result"]))
        return {}

    (found,), _ = await discovery(lambda: library_with(discover))(
        Sweep(seconds=LOOK_S, targets=("127.0.0.1",))
    )
    assert found.note == "SMART.TAPOHUB is not a plug"


async def test_without_the_extra() -> None:
    def load() -> KasaLibrary:
        raise ConfigurationError("Kasa plugs need the extra 'kasa'")

    with pytest.raises(ConfigurationError, match="extra 'kasa'"):
        await discovery(load)(Sweep(seconds=LOOK_S))


async def test_nothing_is_left_open(stack: AsyncExitStack, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every device object is closed, those that were looked into and those that were not; cut short, too."""
    library = load_library()
    made: list[Any] = []
    left: list[Any] = []
    real_init, real_leave = library.Device.__init__, library.Device.disconnect

    def init(device: Any, *arguments: Any, **named: Any) -> None:
        made.append(device)
        real_init(device, *arguments, **named)

    async def disconnect(device: Any) -> None:
        left.append(device)
        await real_leave(device)

    monkeypatch.setattr(library.Device, "__init__", init)
    monkeypatch.setattr(library.Device, "disconnect", disconnect)
    plugs = [
        await stack.enter_async_context(each)
        for each in (station(11), station(12, klap_v2(ACCOUNT)), station(13, smart(ACCOUNT)))
    ]
    await find(*(each.host for each in plugs), login=ACCOUNT)
    assert len(made) == 5  # the two with a login once more
    assert {id(each) for each in made} == {id(each) for each in left}
    for _ in range(100):
        if not any(each.truth.connections for each in plugs):
            break
        await asyncio.sleep(0.01)
    assert not any(each.truth.connections for each in plugs)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await find(own_address(), seconds=30.0)
    gc.collect()  # a socket that nobody closed warns here, and warnings are errors


@pytest.mark.parametrize(
    ("text", "target"),
    [("192.168.1.255", ("192.168.1.255", None)), ("plug.home:9998", ("plug.home", 9998))],
)
def test_targets(text: str, target: tuple[str, int | None]) -> None:
    assert target_of(text) == target


@pytest.mark.parametrize(
    "text", ["", ":1", "a:b", "a:0", "a:99999", "me@a", "kasa://a", "a/b", "[::1", "a?b", "a#b"]
)
def test_targets_that_are_none(text: str) -> None:
    with pytest.raises(ConfigurationError, match="is nobody to ask"):
        target_of(text)
