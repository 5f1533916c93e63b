"""Live frames of four simulated batteries, made before anything is measured and by nobody's codec.

Every frame differs from all others: the batteries walk, a few millivolts and a few milliamperes at a time. Offsets and
units are those of the JK fact sheet, sections 3, 6 and 7. The same seed gives the same bytes on every Python.
"""

from __future__ import annotations

import random
from itertools import islice
from struct import pack_into
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

FRAME_SIZE = 300
HEAD = b"\x55\xaa\xeb\x90"
SETTINGS, LIVE, INFO = 1, 2, 3
CELLS = 16
ADDRESSES = (1, 2, 3, 0)
"""The order of a master's cycle: the slaves, then itself. Frame ``n`` of the material is of address ``n % 4``."""
SOFTWARE = b"15.17"
"""From version 15 on a frame tells its charge state, too, and a decoder has the most to do."""

_STEP_S = 5
"""A battery has one live frame each four to seven seconds (fact sheet section 2)."""
_FULL_MAH = 280_000
_UNFITTED = -2000
"""What a sensor that is not there reads, in tenths of a degree."""
_ALARM_BITS = (0, 4, 5, 9, 11, 12)
"""Below 16: the peer looks no further."""
_FROM_MASTER, _FROM_SLAVE = 0, 5
_SENSORS_ALL = 0xFF


def live_frames(count: int, seed: int) -> list[bytes]:
    """So many live frames, each with the right sum, in the order of the bus."""
    return list(islice(endless_frames(seed), count))


def endless_frames(seed: int) -> Iterator[bytes]:
    """The same without an end."""
    batteries = [_Battery(address, random.Random(seed * 16 + address)) for address in ADDRESSES]
    while True:
        for battery in batteries:
            yield battery.next_frame()


def settings_frame(address: int) -> bytes:
    """The settings of a battery; they stay as they are."""
    frame = _blank(SETTINGS, address)
    limits_mv = (3_350, 2_800, 3_000, 3_650, 3_550, 10, 3_450, 2_900, 3_450, 3_375, 2_700)
    currents = (100_000, 30, 60, 150_000, 300, 60, 60, 2_000)
    temperatures = (600, 550, 650, 600, 0, 50, 800, 700)
    pack_into("<34i", frame, 6, *limits_mv, *currents, *temperatures, CELLS, 1, 1, 1, _FULL_MAH, 1_500, 3_400)
    pack_into("<I", frame, 270, address)
    return _closed(frame)


def info_frame() -> bytes:
    """What a battery says of itself over BLE when asked: model, versions, name."""
    frame = _blank(INFO, 1)
    pack_into("<16s8s8s", frame, 6, b"JK-PB2A16S20P", b"15A", SOFTWARE)
    pack_into("<16s", frame, 46, b"bench")
    pack_into("<16s", frame, 86, b"0123456789")
    return _closed(frame)


def is_whole(frame: bytes | bytearray) -> bool:
    """Whether this is one data frame with the right sum."""
    return len(frame) == FRAME_SIZE and frame.startswith(HEAD) and sum(frame[:-1]) & 0xFF == frame[-1]


def _blank(kind: int, address: int) -> bytearray:
    frame = bytearray(FRAME_SIZE)
    frame[:4] = HEAD
    frame[4] = kind
    frame[5] = _FROM_SLAVE if address else _FROM_MASTER
    return frame


def _closed(frame: bytearray) -> bytes:
    frame[-1] = sum(frame[:-1]) & 0xFF
    return bytes(frame)


class _Battery:
    """One battery and where its walk has led it."""

    def __init__(self, address: int, rng: random.Random) -> None:
        self._rng = rng
        self._address = address
        self._base_mv = 3_300 + 7 * address
        self._offsets_mv = [rng.randrange(-6, 7) for _ in range(CELLS)]
        self._current_ma = 1_000 * (address + 1)
        self._remaining_mah = 150_000 + 20_000 * address
        self._runtime_s = 1_000_000 + 100_000 * address
        self._throughput_mah = 40_000_000 + 1_000_000 * address
        self._temperatures = [231 + address, 204 + address, 207 + address, 198 + address, 201 + address]
        self._resistances = [rng.randrange(60, 75) for _ in range(CELLS)]
        self._template = _blank(LIVE, address)
        pack_into("<I", self._template, 70, (1 << CELLS) - 1)
        pack_into("<B", self._template, 190, 99)
        pack_into("<4B", self._template, 198, 1, 1, 0, 1)
        pack_into("<B", self._template, 214, _SENSORS_ALL)
        pack_into("<2B", self._template, 274, 0, 0)

    def next_frame(self) -> bytes:
        """A step, and the frame that reports it."""
        cells_mv = self._walk()
        rng, frame = self._rng, bytearray(self._template)
        pack_mv = sum(cells_mv)
        highest_mv, lowest_mv = max(cells_mv), min(cells_mv)
        mos, first, second, third, fourth = self._temperatures
        pack_into(f"<{CELLS}H", frame, 6, *cells_mv)
        pack_into("<2H", frame, 74, round(pack_mv / CELLS), highest_mv - lowest_mv)
        pack_into("<2B", frame, 78, cells_mv.index(highest_mv), cells_mv.index(lowest_mv))
        pack_into(f"<{CELLS}H", frame, 80, *self._resistances)
        pack_into("<hIII", frame, 144, mos, 0, pack_mv, abs(pack_mv * self._current_ma) // 1_000)
        pack_into("<ihh", frame, 158, self._current_ma, first, second)
        alarms = 1 << rng.choice(_ALARM_BITS) if rng.random() < 0.03 else 0
        balance_state = rng.choice((0, 0, 0, 1, 2))
        balance_ma = (0, 1, -1)[balance_state] * rng.randrange(400, 1_200)
        soc_pct = self._remaining_mah * 100 // _FULL_MAH
        pack_into("<IhBB", frame, 166, alarms, balance_ma, balance_state, soc_pct)
        cycles = self._throughput_mah // _FULL_MAH
        pack_into("<iIII", frame, 174, self._remaining_mah, _FULL_MAH, cycles, self._throughput_mah)
        pack_into("<I", frame, 194, self._runtime_s)
        is_heating = rng.random() < 0.05
        frame[198] = rng.random() > 0.02
        frame[199] = rng.random() > 0.02
        frame[215] = is_heating
        pack_into("<Hh", frame, 234, pack_mv // 10, is_heating * 3_100)
        pack_into("<3h", frame, 254, mos, third, fourth if self._address else _UNFITTED)
        pack_into("<II", frame, 266, self._runtime_s // 600, 86_400 - self._runtime_s % 3_600)
        pack_into("<HB", frame, 278, self._runtime_s % 3_600, self._runtime_s // 3_600 % 3)
        return _closed(frame)

    def _walk(self) -> list[int]:
        rng = self._rng
        self._runtime_s += _STEP_S
        self._base_mv = _between(3_200, self._base_mv + rng.randrange(-1, 2), 3_400)
        # The load of a house is noise; a slight pull to the middle keeps the battery from its ends.
        pull_ma = (_FULL_MAH // 2 - self._remaining_mah) // 1_000
        self._current_ma = _between(-90_000, self._current_ma + rng.randrange(-800, 801) + pull_ma, 90_000)
        moved_mah = self._current_ma * _STEP_S // 3_600
        self._remaining_mah = _between(10_000, self._remaining_mah + moved_mah, _FULL_MAH - 1_000)
        self._throughput_mah += abs(moved_mah)
        moved = rng.randrange(len(self._temperatures))
        self._temperatures[moved] = _between(-50, self._temperatures[moved] + rng.randrange(-1, 2), 450)
        drop_mv = self._current_ma // 10_000
        return [self._base_mv + drop_mv + offset + rng.randrange(-2, 3) for offset in self._offsets_mv]


def _between(low: int, value: int, high: int) -> int:
    return max(low, min(high, value))
