"""What a site file may say about a Tilt, and what it is told otherwise."""

from __future__ import annotations

import sys
from fractions import Fraction
from typing import Any

import pytest

from holdfast.drivers.tilt.calibration import NONE, Offset, Points
from holdfast.drivers.tilt.codec import COLOURS
from holdfast.drivers.tilt.driver import TILT
from holdfast.drivers.tilt.options import TiltOptions, parse_options
from holdfast.drivers.tilt.smoothing import RAW, Middle, Smoothing
from holdfast.errors import ConfigurationError
from holdfast.model import Adapter, Device
from tests.drivers.tilt.bench import tilt


def parsed(url: str = "ble://red", **options: Any) -> TiltOptions:
    device = tilt("red", url, **options)
    return parse_options(device, device.adapters[0])


def refused(url: str = "ble://red", **options: Any) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as caught:
        parsed(url, **options)
    assert caught.value.advice
    return caught.value


def test_a_colour_alone_is_enough() -> None:
    assert parsed() == TiltOptions(member="red")
    assert parsed().stale_after_s == 240.0
    assert parsed().temperature == parsed().gravity == NONE
    assert parsed().smoothing == RAW


@pytest.mark.parametrize("colour", COLOURS)
def test_every_colour_is_known(colour: str) -> None:
    assert parsed(f"ble://{colour}").member == colour
    assert parsed(f"BLE://{colour.upper()}/").member == colour


def test_an_address_takes_the_place_of_the_colour() -> None:
    """In any spelling; on macOS it is a UUID."""
    for text in ("C8:00:00:00:00:01", "c8-00-00-00-00-01", "c80000000001"):
        assert parsed(f"ble://{text}").member == "C8:00:00:00:00:01"
    uuid = "0C0C6E12-1111-4222-8333-444444444444"
    assert parsed(f"ble://{uuid.lower()}").member == uuid


def test_everything_can_be_said() -> None:
    options = parsed(
        radio="hci1",
        stale_after_s=120,
        smoothing={"middle": "mean", "last": 10},
        calibration={"temperature": {"offset": -0.5}, "gravity": {"points": [[1, 0.998], [1.05, 1.052]]}},
    )
    assert options.radio == "hci1"
    assert options.stale_after_s == 120.0
    assert options.smoothing == Smoothing(Middle.MEAN, 10)
    assert options.temperature == Offset(Fraction(-1, 2))
    exact = ((Fraction(1), Fraction("0.998")), (Fraction("1.05"), Fraction("1.052")))
    assert options.gravity == Points(exact)
    assert parsed(smoothing={"last": 5}).smoothing == Smoothing(Middle.MEDIAN, 5)


def test_the_adapter_wins() -> None:
    """And is where the complaint leads."""
    adapter = Adapter(id="ble", driver="tilt", url="ble://red", options={"stale_after_s": 1})
    device = Device(id="a", name="a", adapters=(adapter,), options={"stale_after_s": 300})
    with pytest.raises(ConfigurationError) as caught:
        parse_options(device, adapter)
    assert caught.value.path == ("adapters", "ble", "stale_after_s")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "red",
        "ble://",
        "ble://white",
        "ble://red/x",
        "ble://red?x=1",
        "ble://me@red",
        "tcp://red",
        "ble://[",
        "ble://red:1",
    ],
)
def test_other_addresses_lead_nowhere(url: str) -> None:
    error = refused(url)
    assert error.path == ("url",)
    assert "ble://COLOUR" in error.advice


@pytest.mark.parametrize(
    ("options", "path"),
    [
        ({"colour": "red"}, ("colour",)),
        ({"radio": "usb"}, ("radio",)),
        ({"radio": 1}, ("radio",)),
        ({"stale_after_s": 30}, ("stale_after_s",)),
        ({"stale_after_s": 1000}, ("stale_after_s",)),
        ({"smoothing": 5}, ("smoothing",)),
        ({"smoothing": {}}, ("smoothing",)),
        ({"smoothing": {"last": 61}}, ("smoothing", "last")),
        ({"smoothing": {"last": 3, "middle": "mode"}}, ("smoothing", "middle")),
        ({"calibration": {"rssi": {}}}, ("calibration", "rssi")),
        ({"calibration": {"gravity": 1}}, ("calibration", "gravity")),
        ({"calibration": {"gravity": {}}}, ("calibration", "gravity")),
        ({"calibration": {"gravity": {"offset": 0, "points": []}}}, ("calibration", "gravity")),
        ({"calibration": {"gravity": {"offset": 0.2}}}, ("calibration", "gravity", "offset")),
        ({"calibration": {"gravity": {"offset": True}}}, ("calibration", "gravity", "offset")),
        ({"calibration": {"gravity": {"offset": "0"}}}, ("calibration", "gravity", "offset")),
        ({"calibration": {"gravity": {"offset": float("nan")}}}, ("calibration", "gravity", "offset")),
        ({"calibration": {"gravity": {"offset": float("inf")}}}, ("calibration", "gravity", "offset")),
        ({"calibration": {"temperature": {"offset": 11}}}, ("calibration", "temperature", "offset")),
        ({"calibration": {"gravity": {"points": [[1, 1]]}}}, ("calibration", "gravity", "points")),
        ({"calibration": {"gravity": {"points": [[1, 1]] * 21}}}, ("calibration", "gravity", "points")),
        ({"calibration": {"gravity": {"points": [[1, 1], 2]}}}, ("calibration", "gravity", "points", 1)),
        ({"calibration": {"gravity": {"points": [[1, 1.2], [1.1, 1.3]]}}}, ("calibration", "gravity", "points", 0)),
        ({"calibration": {"gravity": {"points": [[1, 1], [1, 1.1]]}}}, ("calibration", "gravity", "points")),
        ({"calibration": {"gravity": {"points": [[1.1, 1.1], [1, 1]]}}}, ("calibration", "gravity", "points")),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_place(options: dict[str, Any], path: tuple[str | int, ...]) -> None:
    assert refused(**options).path == ("options", *path)


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "bleak", None)
    assert "holdfast[ble]" in refused().advice


def test_tilts_of_a_radio_share_its_endpoint() -> None:
    """And those of another radio do not."""
    devices = [tilt("red"), tilt("two", "ble://C8:00:00:00:00:01"), tilt("blue", radio="hci1")]
    one, two, three = (TILT.prepare(each, each.adapters[0]).endpoint for each in devices)
    assert one == two
    assert str(one) == "ble://adverts"
    assert str(three) == "ble://adverts/hci1"
