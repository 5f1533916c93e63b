"""The faults measured in an earlier system for JK batteries, each with tests that show ours without it, and planted.

One fault may have been several mistakes; each that somebody could make again is planted by itself.
"""

from __future__ import annotations

from tests.faults.known import KnownFault
from tests.faults.planting import PlantedFault

KNOWN = "tests/drivers/jkbms/test_known_faults.py"
SITE = "tests/faults/test_site.py"
TAKEOVER = "tests/hub/site/earlier/test_solarhub.py"
DRIVER = "drivers/jkbms"


def _known(number: int, text: str, *ways: PlantedFault, note: str = "") -> KnownFault:
    return KnownFault(number, text, note, ways)


def _way(number: int, name: str, test: str, file: str, old: str, new: str) -> PlantedFault:
    return PlantedFault(
        name=f"jkbms {number}: {name}", file=file, old=old, new=new, tests=(f"{KNOWN}::{test}",)
    )


def _site_way(number: int, name: str, test: str, file: str, old: str, new: str) -> PlantedFault:
    return PlantedFault(name=f"jkbms {number}: {name}", file=file, old=old, new=new, tests=(test,))


JKBMS_FAULTS: tuple[KnownFault, ...] = (
    _known(
        1,
        "reads that give up in a pause of the bus throw away what comes next",
        _way(
            1,
            "what comes after a pause of 0.1 s is thrown away",
            "test_01_no_whole_frame_is_lost_in_the_pauses_of_the_bus",
            "link/stream.py",
            "            self._sink.heard(data, is_secret=self._is_hiding)\n",
            "            before_t, self._last_heard_t = self._last_heard_t, self._loop.time()\n"
            "            if self._is_ready and self._last_heard_t - before_t > 0.1:\n"
            "                return\n",
        ),
        note="by construction no thread reads and no read has a time limit: the loop hands the bytes over",
    ),
    _known(
        2,
        "end of stream, errors and time-outs are all no bytes",
        _way(
            2,
            "the end of the stream is nothing",
            "test_02_the_end_of_the_stream_is_no_silence",
            "link/stream.py",
            "        if self._is_ready and not self._is_mute:\n            self._sink.lost(fault)\n",
            "        pass\n",
        ),
    ),
    _known(
        3,
        "a reconnect goes on with the old socket",
        _way(
            3,
            "a session is used again",
            "test_03_every_reconnect_is_a_new_connection",
            "link/link.py",
            "        session = drivers[0].connect(drivers, self.sink)\n",
            "        session = getattr(self, 'kept', None) or drivers[0].connect(drivers, self.sink)\n"
            "        self.kept = session\n",
        ),
        _way(
            3,
            "the old socket is left open",
            "test_13_who_was_once_heard_is_not_alive_for_ever",
            "link/supervisor.py",
            "        self._abort(session)\n        if self._opening is not None and not self._opening.done():\n"
            "            await asyncio.wait({self._opening})\n"
            "            if not self._opening.cancelled():\n"
            "                self._opening.exception()  # nobody waits for its outcome any more\n"
            "        self._opening = None\n"
            "        try:\n            await session.close(goodbye=False)\n",
            "        try:\n            pass\n",
        ),
    ),
    _known(
        4,
        "a cut frame is decoded as far as it goes",
        _way(
            4,
            "what is missing of a frame is filled up",
            "test_04_a_cut_frame_is_not_decoded",
            f"{DRIVER}/framer.py",
            '        """The unit that begins here and its size."""\n',
            "        if buffer.startswith(HEADER, at) and 250 < len(buffer) - at < FRAME_LENGTH:\n"
            "            data = buffer[at:].ljust(299, b'\\0')\n"
            "            data += bytes((sum(data) & 0xFF,))\n"
            "            poll = self._before.call if type(self._before) is Poll else None\n"
            "            return FRAME_LENGTH, Frame(data, data[4], self._offset, None, False, poll)\n",
        ),
    ),
    _known(
        5,
        "data frames have no checksum",
        _way(
            5,
            "the sum is not looked at",
            "test_05_damage_is_no_voltage",
            f"{DRIVER}/framer.py",
            "        if byte_sum(data) != data[-1]:\n",
            "        if False:\n",
        ),
        _way(
            5,
            "whatever has a good sum is believed",
            "test_05_damage_is_no_voltage",
            f"{DRIVER}/driver.py",
            "        check=check,\n",
            "",
        ),
        _way(
            5,
            "cells need not add up to the pack",
            "test_a_frame_spliced_of_two_is_not_believed",
            f"{DRIVER}/checks.py",
            "    if abs(total_mv - pack_mv) > pack_mv * SUM_SHARE:\n",
            "    if False:\n",
        ),
    ),
    _known(
        6,
        "a poll cut by a read loses its address",
        _way(
            6,
            "the first bytes of a cut unit are lost",
            "test_06_a_poll_cut_by_a_read_keeps_its_address",
            f"{DRIVER}/framer.py",
            "        self._buffer = buffer[at:]\n",
            "        self._buffer = buffer[at:] if len(buffer) - at > 10 else b''\n",
        ),
    ),
    _known(
        7,
        "a CRC that fits is searched for over every length",
        _way(
            7,
            "any length whose CRC fits is a unit",
            "test_07_no_length_is_searched_for_a_crc_that_fits",
            f"{DRIVER}/framer.py",
            "        data = buffer[at : at + POLL_LENGTH]\n",
            "        from holdfast.drivers.jkbms import calls\n"
            "        for size in range(8, min(512, len(buffer) - at) + 1):\n"
            "            if buffer[at + 1 : at + 3] == b'\\x10\\x16' and not calls.crc16(buffer[at : at + size]):\n"
            "                return size, Waste('call', buffer[at : at + size])\n"
            "        data = buffer[at : at + POLL_LENGTH]\n",
        ),
    ),
    _known(
        8,
        "a frame is of whoever was polled last, and 15 is the master",
        _way(
            8,
            "battery 15 is renamed 0",
            "test_08_the_master_and_a_battery_15_are_two",
            f"{DRIVER}/attribution.py",
            "    return reply.address\n",
            "    return reply.address % 15\n",
        ),
        _way(
            8,
            "the master's own frame is of battery 15, which was polled last",
            "test_08_who_was_polled_last_is_not_who_spoke",
            f"{DRIVER}/attribution.py",
            "poll.address == LAST_POLLED",
            "False",
        ),
        _way(
            8,
            "the poll goes before the reply",
            "test_08_who_was_polled_last_is_not_who_spoke",
            f"{DRIVER}/attribution.py",
            "        return address_by_reply(frame)\n",
            "        return frame.poll.address if frame.poll else address_by_reply(frame)\n",
        ),
    ),
    _known(
        9,
        "addresses beyond the number of batteries are booked on another",
        _way(
            9,
            "an address is a place in a list",
            "test_09_addresses_need_not_count_from_zero",
            f"{DRIVER}/codec.py",
            "        counters.batteries.add(address)\n",
            "        counters.batteries.add(address)\n        address = min(address, 3)\n",
        ),
    ),
    _known(
        10,
        "a frame before any poll is battery 0's",
        _way(
            10,
            "who did not say who it is, is 0",
            "test_10_a_frame_before_any_poll_is_nobodys",
            f"{DRIVER}/attribution.py",
            "    if poll is None or frame.is_reply_bad:\n        return None\n",
            "    if poll is None or frame.is_reply_bad:\n        return 0\n",
        ),
    ),
    _known(
        11,
        "wrong divisors, bits and offsets; absent sensors; power without sign",
        _way(
            11,
            "throughput is divided by 100",
            "test_11_numbers_are_what_they_are",
            f"{DRIVER}/capabilities.py",
            "live.cycle_mah / 1000",
            "live.cycle_mah / 100",
        ),
        _way(
            11,
            "control bits are off by one",
            "test_11_numbers_are_what_they_are",
            f"{DRIVER}/settings.py",
            '    "special charger",\n',
            '    "special charger",\n    "?",\n',
        ),
        _way(
            11,
            "resistances stand where the other layout has them",
            "test_11_resistances_stand_where_the_layout_has_them",
            f"{DRIVER}/live.py",
            'At(80, "H"',
            'At(64, "H"',
        ),
        _way(
            11,
            "byte 200 says whether it balances",
            "test_11_balancing_is_told_by_172_and_not_by_200",
            f"{DRIVER}/capabilities.py",
            "live.balance_state != 0",
            "live.precharging != 0",
        ),
        _way(
            11,
            "a sensor that is not fitted has -200 degrees",
            "test_11_numbers_are_what_they_are",
            f"{DRIVER}/live.py",
            "NOT_FITTED_DC: Final = -2000",
            "NOT_FITTED_DC: Final = -2001",
        ),
        _way(
            11,
            "power has no sign",
            "test_11_numbers_are_what_they_are",
            f"{DRIVER}/live.py",
            'At(158, "i"',
            'At(158, "I"',
        ),
        note="wire resistances of the settings are not read at all: their place and unit are disputed",
    ),
    _known(
        12,
        "the number of cells is configured; frames of type 3 pile up",
        _way(
            12,
            "every battery has 16 cells",
            "test_12_cells_are_as_many_as_the_frame_says",
            f"{DRIVER}/live.py",
            "        count = mask.bit_length()\n",
            "        mask, count = 0xFFFF, 16\n",
        ),
        _way(
            12,
            "frames are kept",
            "test_12_frames_do_not_pile_up",
            f"{DRIVER}/codec.py",
            "        address = self._whose(frame)\n",
            "        address = self._whose(frame)\n        self.kept = [*getattr(self, 'kept', []), frame]\n",
        ),
    ),
    _known(
        13,
        "once heard, a battery is connected for ever; before that, too",
        _way(
            13,
            "once heard is fresh",
            "test_13_who_was_once_heard_is_not_alive_for_ever",
            f"{DRIVER}/capabilities.py",
            "LIVE, Periodic(options.stale_after_s))",
            "LIVE, Setting())",
        ),
        _way(
            13,
            "a value that grows old is shown as it was, and nobody is told",
            "test_13_who_was_once_heard_is_not_alive_for_ever",
            "link/evidence.py",
            "        if self.quality is not STALE:\n            self._arm()\n",
            "",
        ),
        _way(
            13,
            "discovery never ends",
            "test_13_the_grace_of_discovery_ends",
            "link/link.py",
            "        limit_t = self.opened_t + self.patience_s\n",
            "        limit_t = self.opened_t + 1e6\n",
        ),
        _way(
            13,
            "the kernel is asked whether the peer lives",
            "test_13_no_socket_is_asked_whether_it_lives",
            "link/stream.py",
            "        self._is_ready = True\n",
            "        self._is_ready = self._transport.get_extra_info('peername') is not None\n",
        ),
    ),
    _known(
        14,
        "old values carry the present time",
        _way(
            14,
            "a value is as old as the question",
            "test_14_values_carry_the_time_of_their_frame",
            "link/device.py",
            "        age_s = max(0.0, now - evidence.seen_t())\n",
            "        age_s = 0.0\n",
        ),
        _way(
            14,
            "while one battery speaks, all are fresh",
            "test_14_values_carry_the_time_of_their_frame",
            "link/evidence.py",
            "        self.follows_session = False\n",
            "        self.follows_session = True\n",
        ),
        _way(
            14,
            "a sum of those that are left",
            "test_14_no_sum_is_silently_partial",
            "link/device.py",
            "least = len(parts) if aggregate.minimum_members is None else aggregate.minimum_members",
            "least = 1",
        ),
    ),
    _known(
        15,
        "failover waits for errors that cannot come, goes only down, and ends at the end of the list",
        _way(
            15,
            "only an error is a reason",
            "test_15_silence_moves_the_pack_and_it_wraps_round",
            "link/failover.py",
            "            if not active.has_session and active.vain:\n"
            '                self._move(rival, f"{active.id} is lost and could not be reached again")\n'
            "            elif better_s >= SETTLE_S:\n",
            "            if False:\n",
        ),
        _way(
            15,
            "only down the list",
            "test_15_silence_moves_the_pack_and_it_wraps_round",
            "link/failover.py",
            "if each is not active and each.delivers]",
            "if rank[each.id] > rank[active.id] and each.delivers]",
        ),
        _way(
            15,
            "never back up",
            "test_15_silence_moves_the_pack_and_it_wraps_round",
            "link/failover.py",
            "        elif rival.delivers_s >= self.timing.hold_s:\n",
            "        elif False:\n",
        ),
        _way(
            15,
            "at the end of the list it gives up",
            "test_15_the_end_of_the_list_is_not_the_end",
            "link/failover.py",
            "        return [turn, active, *reserves]\n",
            "        return [active]\n",
        ),
        _way(
            15,
            "a look from outside decides",
            "test_15_asking_decides_nothing",
            "link/device.py",
            "        essential = current = 0\n",
            "        essential = current = 0\n"
            "        if self.choice is not None and self.active.doubt_s(now) is not None:\n"
            "            self.choice.activate(self.attachments[-1].adapter.id, is_pinned=False)\n",
        ),
    ),
    _known(
        16,
        "the old one is closed before the new one works; a closed one stays active",
        _way(
            16,
            "the old one is closed first",
            "test_16_the_old_one_is_kept_until_the_new_one_delivers",
            "link/failover.py",
            "        return [turn, active]\n",
            "        return [turn]\n",
        ),
        _way(
            16,
            "who connects serves",
            "test_16_the_old_one_is_kept_until_the_new_one_delivers",
            "link/attachment.py",
            "is_fresh = each.life == link.life and each.quality_at(now).is_current",
            "is_fresh = link.has_session",
        ),
        _way(
            16,
            "what failed is not dialled again",
            "test_16_after_total_failure_nothing_that_is_closed_serves",
            "link/supervisor.py",
            "            wait_s = self.backoff.after_fault(now, has_order=has_order)\n",
            "            wait_s = 1e9\n",
        ),
    ),
    _known(
        17,
        "the caller guesses what is inside an adapter",
        _way(
            17,
            "a session is looked into",
            "test_17_nobody_guesses_what_is_inside_an_adapter",
            "link/choice.py",
            "            has_session=link.has_session,\n",
            "            has_session=hasattr(link.session, '_transport'),\n",
        ),
        note="by construction a session is a declared protocol, and mypy is strict about it",
    ),
    _known(
        18,
        "a pack whose gateway is down at start is dropped for good",
        _way(
            18,
            "two tries, and that was it",
            "test_18_a_pack_whose_gateways_are_down_at_start_is_kept",
            "link/supervisor.py",
            "        while True:\n            await self._pause(wait_s)",
            "        for _ in range(2):\n            await self._pause(wait_s)",
        ),
    ),
    _known(
        19,
        "priority and enabled are kept twice",
        _site_way(
            19,
            "they are read for the order, and lost",
            f"{SITE}::test_19_what_a_pack_says_of_its_adapters_decides",
            "store/rows.py",
            "        adapter = {**_said(row, _ADAPTER), **_said(use, _USE)}\n",
            "        adapter = {**_said(row, _ADAPTER)}\n",
        ),
        _site_way(
            19,
            "of two that differ one is chosen",
            f"{TAKEOVER}::test_rank_and_state_that_differ_are_told_and_left_open",
            "hub/site/earlier/solarhub/choices.py",
            "    if len({value for _, value in understood}) > 1:\n",
            "    if False:\n",
        ),
    ),
    _known(
        20,
        "one bad row drops the whole hierarchy",
        _site_way(
            20,
            "a cell that cannot be read raises",
            f"{SITE}::test_20_one_bad_row_costs_one_device",
            "store/rows.py",
            "            self._note(row, table, column, whose, str(fault))\n            return {}\n",
            "            raise\n",
        ),
        _site_way(
            20,
            "an adapter of another device raises",
            f"{TAKEOVER}::test_an_adapter_of_something_else_disables_only_itself",
            "hub/site/earlier/solarhub/rows.py",
            "    if device and device != pack:\n",
            "    if device and device != pack:\n        raise ValueError(device)\n",
        ),
    ),
    _known(
        21,
        "without a YAML list the set-up is aborted",
        _site_way(
            21,
            "a line of the log counts the devices of the file",
            f"{SITE}::test_21_the_store_alone_is_enough",
            "cli/opening.py",
            "    found = await store.site()\n    if given is None:\n",
            "    found = await store.site()\n    log.info('%d', len(given['devices']))\n    if given is None:\n",
        ),
    ),
    _known(
        22,
        "a battery is an index here and a key there",
        _way(
            22,
            "a place names the battery by its place in a list",
            "test_22_a_battery_has_one_name_everywhere",
            f"{DRIVER}/pack.py",
            """    return f"{member}/cells/{parts[member][f'{member}/cell_max_at']}\"""",
            """    return f"{list(parts).index(member)}/cells/{parts[member][f'{member}/cell_max_at']}\"""",
        ),
        _way(
            22,
            "the codec names batteries otherwise",
            "test_22_a_battery_has_one_name_everywhere",
            f"{DRIVER}/codec.py",
            "_MEMBERS: Final = [str(address) for address in range(16)]",
            "_MEMBERS: Final = [f'battery {address}' for address in range(16)]",
        ),
    ),
    _known(
        23,
        "what was published cannot be imported",
        _way(
            23,
            "a module is missing",
            "test_23_every_module_can_be_imported_by_itself",
            "simulators/ipcom/__init__.py",
            "from __future__ import annotations\n",
            "from __future__ import annotations\n\nimport holdfast.simulators.ipcom.extras\n",
        ),
    ),
    _known(
        24,
        "silence is detected, and the reconnect is not understood",
        _way(
            24,
            "silence ends a session and begins none",
            "test_24_silence_is_followed_by_recovery_over_tcp",
            "link/supervisor.py",
            "            link.cue(Cue.FAULT)\n",
            "            await link.core.loop.create_future()\n",
        ),
        _way(
            24,
            "a serial port cannot be opened a second time",
            "test_24_silence_is_followed_by_recovery_over_a_serial_port",
            f"{DRIVER}/driver.py",
            "            return port.dial()\n",
            "            port, options.__class__.first = getattr(options.__class__, 'first', port), None\n"
            "            return port.dial()\n",
        ),
    ),
    _known(
        25,
        "data stop after minutes or hours with the socket open",
        _way(
            25,
            "an open socket is believed",
            "test_25_data_that_stop_with_the_socket_open_are_noticed",
            "link/link.py",
            "        self.fail(self.silence(now))",
            "        pass",
        ),
    ),
    _known(
        26,
        "a battery that is off holds up the rest",
        _way(
            26,
            "a question without answer keeps the bus",
            "test_26_a_battery_that_is_off_holds_no_poll_up",
            "link/link.py",
            '        self.ended(job, End.TIMEOUT, "no answer")\n',
            "        pass\n",
        ),
        _way(
            26,
            "an adapter delivers only while every battery speaks",
            "test_26_a_battery_that_is_off_holds_nobody_up",
            "link/attachment.py",
            "        return frozenset(member for member, is_fresh in verdicts.items() if is_fresh)\n",
            "        return frozenset(verdicts) if all(verdicts.values()) else frozenset()\n",
        ),
    ),
)

JKBMS: tuple[PlantedFault, ...] = tuple(planted for fault in JKBMS_FAULTS for planted in fault.planted)
