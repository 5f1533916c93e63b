"""The Bluetooth side: commands, their replies, and frames with a counter."""

from __future__ import annotations

from holdfast.simulators.jkbms import Battery, BleBattery, Layout, LiveFrame
from holdfast.simulators.jkbms.ble import ASK_INFO, ASK_LIVE, COMMAND_REPLY, command, slices


def test_commands() -> None:
    """0x97 gives the device info, 0x96 settings and then live frames; each is acknowledged first."""
    ble = BleBattery(Battery(0))
    ack, info = ble.commands(command(ASK_INFO), 0.0)
    assert ack == COMMAND_REPLY
    assert ack.hex() == "aa5590ebc80101" + "00" * 12 + "44"
    assert (info[:5].hex(), len(info)) == ("55aaeb9003", 300)
    before = ble.is_streaming
    ack, settings, live = ble.commands(command(ASK_LIVE), 1.0)
    assert (settings[4], live[4]) == (1, 2)
    assert (before, ble.is_streaming) == (False, True)
    assert [info[5], settings[5], live[5], ble.live(2.0)[5]] == [1, 2, 3, 4]
    assert all(sum(frame[:299]) % 256 == frame[299] for frame in (info, settings, live))
    assert isinstance(ble.said[-1], LiveFrame)
    assert len(ble.said) == 4


def test_the_command_of_the_fact_sheet() -> None:
    """Twenty bytes: header, command, length, value, zeros, sum."""
    data = command(ASK_INFO)
    assert data.hex() == "aa5590eb97" + "00" * 14 + "11"
    assert len(command(0x1D, b"\x01\x02")) == 20


def test_what_is_no_command() -> None:
    """A wrong sum, a wrong size, anything else: no answer."""
    ble = BleBattery(Battery(0))
    good = command(ASK_INFO)
    for data in (b"", good[:-1], good[:-1] + b"\0", b"\0" + good[1:], good + good):
        assert list(ble.commands(data, 0.0)) == []
    assert list(ble.commands(command(0x55), 0.0)) == [COMMAND_REPLY]


def test_counter_wraps_and_slices_join() -> None:
    """Byte 5 is one byte; slices are the frame in pieces."""
    ble = BleBattery(Battery(0), counter=254)
    frames = [ble.live(float(n)) for n in range(3)]
    assert [frame[5] for frame in frames] == [255, 0, 1]
    parts = list(slices(frames[0], 20))
    assert [len(part) for part in parts] == [20] * 15
    assert b"".join(slices(frames[0])) == frames[0]


def test_old_layout() -> None:
    """A 24S battery has its cell mask at 54."""
    live = BleBattery(Battery(0), layout=Layout.S24).live(0.0)
    assert live[54:58].hex() == "ffff0000"
