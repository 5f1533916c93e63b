"""Looking by UDP, on its own."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.drivers.kasa.options import KasaOptions
from holdfast.drivers.kasa.search import Search, leave, mac_of
from holdfast.drivers.kasa.ways import Way
from holdfast.errors import Unsupported
from tests.drivers.kasa.fake_kasa import FakeDevice, FakeKasa, FakePlug, open_objects

MAC = "AA:BB:CC:00:00:01"
OTHER = "AA:BB:CC:00:00:02"


def search(**plugs: FakePlug) -> Search:
    """A search on a network with these plugs."""
    return Search(FakeKasa(plugs), KasaOptions(host="a"))


@pytest.mark.virtual
async def test_one_is_asked() -> None:
    """What it is; not if it is another, and not if it is silent."""
    plug = FakePlug(MAC, encryption="KLAP", login_version=2)
    network = search(a=plug)
    assert await network.ask("a", MAC) == Way("a", encryption="KLAP", login_version=2)
    assert await network.ask("a", "") is not None
    assert await network.ask("a", OTHER) is None
    assert await network.ask("b", MAC) is None
    assert plug.open_objects == 0


@pytest.mark.virtual
async def test_all_are_asked() -> None:
    """By hardware address; every device object is closed."""
    plugs = {"a": FakePlug(MAC), "b": FakePlug(OTHER, encryption="KLAP")}
    network = search(**plugs)
    assert await network.look(OTHER) == Way("b", encryption="KLAP")
    assert await network.look("AA:BB:CC:00:00:03") is None
    assert open_objects(plugs.values()) == 0


@pytest.mark.virtual
async def test_an_unsupported_one_counts_only_if_it_is_ours() -> None:
    """Another one's strange firmware is no news."""
    network = search(a=FakePlug(MAC, family="SMART.KASAPLUG", encryption="TPAP"), b=FakePlug(OTHER))
    with pytest.raises(Unsupported, match="TPAP"):
        await network.look(MAC)
    assert await network.look(OTHER) == Way("b")
    with pytest.raises(Unsupported, match="TPAP"):
        await network.ask("a", MAC)


@pytest.mark.virtual
async def test_a_strange_answer_to_all_is_nobody_s() -> None:
    """Discovery that tells neither where nor who: that plug is not found, and nothing escapes into the library."""
    plug = FakePlug(MAC, family="SMART.KASAPLUG", encryption="TPAP")
    library = FakeKasa({"a": plug})
    true = library.Discover.discover

    async def strange(**options: object) -> object:
        note = options["on_discovered_raw"]
        assert callable(note)
        for raw in ({}, None, {"meta": None}):
            note(raw)
        return await true(**options)

    library.Discover.discover = strange
    assert await Search(library, KasaOptions(host="a")).look(OTHER) is None


@pytest.mark.virtual
async def test_a_network_without_udp_finds_nothing() -> None:
    """No route, no permission: a search that fails is no fault of the plug."""
    library = FakeKasa({})

    async def fails(*args: object, **options: object) -> None:
        raise OSError(101, "Network is unreachable")

    async def finds_nobody(*args: object, **options: object) -> None:
        return None

    library.Discover.discover = library.Discover.discover_single = fails
    network = Search(library, KasaOptions(host="a"))
    assert await network.ask("a", MAC) is None
    assert await network.look(MAC) is None
    library.Discover.discover_single = finds_nobody
    assert await network.ask("a", MAC) is None


@pytest.mark.virtual
async def test_closing_never_fails() -> None:
    """Whatever the device object does."""
    device = FakeDevice(FakePlug(), None)

    async def fails() -> None:
        raise RuntimeError("boom")

    device.disconnect = fails  # type: ignore[method-assign]
    await leave(device)


@pytest.mark.parametrize(
    "answer",
    [
        {"system": {"get_sysinfo": {"mac": MAC}}},
        {"system": {"get_sysinfo": {"mic_mac": "AABBCC000001"}}},
        {"result": {"mac": "aa-bb-cc-00-00-01"}},
    ],
)
def test_the_hardware_address_in_answers(answer: object) -> None:
    """Old and new."""
    assert mac_of(answer) == MAC


@given(
    st.recursive(st.none() | st.text(), lambda e: st.dictionaries(st.sampled_from(["system", "result"]), e))
)
def test_any_answer(answer: object) -> None:
    """Whatever comes by UDP, nothing escapes."""
    assert mac_of(answer) == ""
