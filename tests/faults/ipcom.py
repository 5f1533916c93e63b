"""The faults measured in an earlier IPCom client, each with the test that shows ours without it, and planted once."""

from __future__ import annotations

from tests.faults.known import KnownFault
from tests.faults.planting import PlantedFault

KNOWN = "tests/drivers/ipcom/test_known_faults.py"


def _known(number: int, text: str, test: str, file: str, old: str, new: str) -> KnownFault:
    where = test if test.startswith("tests/") else f"{KNOWN}::{test}"
    planted = PlantedFault(name=f"ipcom {number}: {text}", file=file, old=old, new=new, tests=(where,))
    return KnownFault(number, text, planted=(planted,))


IPCOM_FAULTS: tuple[KnownFault, ...] = (
    _known(
        1,
        "reconnecting keeps the old session key",
        "test_01_reconnect_takes_the_new_key",
        "drivers/ipcom/codec.py",
        "        self.begin(accepted.cipher)\n",
        "        self._options.__class__.kept = getattr(self._options.__class__, 'kept', accepted.cipher)\n"
        "        self.begin(self._options.__class__.kept)\n",
    ),
    _known(
        2,
        "a silent peer is never noticed",
        "test_02_silent_peer_is_noticed",
        "link/link.py",
        "        self.fail(self.silence(now))",
        "        pass",
    ),
    _known(
        3,
        "refused on reconnect, it stays connected and never retries",
        "test_03_refused_during_a_reconnect_is_told_and_tried_again",
        "link/supervisor.py",
        "            wait_s = self.backoff.after_refusal(now, self._order_cap_s if has_order else REFUSED_CAP_S)\n",
        "            wait_s = 1e9\n",
    ),
    _known(
        4,
        "a refusal looks like a time-out",
        "test_04_refusal_is_recognised_at_once",
        "drivers/ipcom/login.py",
        "REFUSAL_GAP_S: Final = 0.3",
        "REFUSAL_GAP_S: Final = 5.0",
    ),
    _known(
        5,
        "a device that is off at start is given up",
        "test_05_device_off_at_start",
        "link/supervisor.py",
        "        while True:\n            await self._pause(wait_s)",
        "        for _ in range(2):\n            await self._pause(wait_s)",
    ),
    _known(
        6,
        "loss is not told, and old state is kept",
        "test_06_loss_is_told_and_nothing_old_is_kept",
        "link/device.py",
        "            self.listener.availability_changed(self)\n",
        "            pass\n",
    ),
    _known(
        7,
        "limits follow the wall clock",
        "test_07_the_wall_clock_does_not_matter",
        "link/device.py",
        "        quality = evidence.quality_at(now)\n        if quality.is_current and",
        "        quality = evidence.quality_at(core.clock.now().timestamp() - 1767225600.0 + 1000.0)\n"
        "        if quality.is_current and",
    ),
    _known(
        8,
        "the poll is a constant of one installation",
        "test_08_any_session_key",
        "drivers/ipcom/codec.py",
        "        return self._cipher.encode(_ANSWERS[what])",
        "        return bytes.fromhex('79db')",
    ),
    _known(
        9,
        "splitting a snapshot loses it",
        "test_09_split_anywhere",
        "drivers/ipcom/codec.py",
        "        self._buffer += data\n",
        "        self._buffer = data\n",
    ),
    _known(
        10,
        "a truncated snapshot is joined with the next",
        "tests/drivers/ipcom/test_stream_invariants.py",
        "drivers/ipcom/plausibility.py",
        "        if not wrong or not self.is_on:",
        "        if True:",
    ),
    _known(
        11,
        "short replies ruin what follows",
        "tests/drivers/ipcom/test_stream_invariants.py",
        "drivers/ipcom/codec.py",
        "        at = self._buffer.find(self._head, 1)",
        "        at = 0",
    ),
    _known(
        12,
        "the device never hears a goodbye",
        "test_12_goodbye_and_keep_alive_are_understood",
        "drivers/ipcom/codec.py",
        "        return self._cipher.encode(messages.GOODBYE)",
        "        return messages.GOODBYE",
    ),
    _known(
        13,
        "an over-long name shifts the login",
        "tests/drivers/ipcom/test_messages.py::test_connect_request_counts_bytes",
        "drivers/ipcom/messages.py",
        "    if len(data) > room:",
        "    if False:",
    ),
    _known(
        14,
        "commands are dropped while disconnected, lost writes go unnoticed",
        "test_14_no_command_is_dropped",
        "link/wishes.py",
        "        self.try_at = now + self.pause_s()",
        "        self.try_at = math.inf",
    ),
    _known(
        15,
        "a second command undoes the first",
        "test_15_quick_commands_to_one_module_do_not_undo_each_other",
        "drivers/ipcom/planner.py",
        "        return wish.sends > 0 or self._is_due(wish)",
        "        return self._is_due(wish)",
    ),
    _known(
        16,
        "a stale write undoes a wall switch",
        "test_16_a_wall_switch_is_not_undone",
        "drivers/ipcom/planner.py",
        "        self._first_asked_n = min(waiting, default=-1)",
        "        self._first_asked_n = -1",
    ),
    _known(
        17,
        "nothing keeps both relays from running, or a motor from being reversed at once",
        "test_17_both_relays_are_never_on",
        "drivers/ipcom/interlock.py",
        " + self._limits.dead_time_s",
        "",
    ),
    _known(
        18,
        "writes are not spaced",
        "test_18_writes_keep_their_spacing",
        "drivers/ipcom/driver.py",
        "SPACING_S: Final = 0.2",
        "SPACING_S: Final = 0.0",
    ),
    _known(
        19,
        "the other seven outputs are zeroed",
        "test_19_the_other_seven_outputs_stay",
        "drivers/ipcom/planner.py",
        "values = bytearray(self._state[start : start + OUTPUTS])",
        "values = bytearray(OUTPUTS)",
    ),
    _known(
        20,
        "on means full, and module 6 is special",
        "test_20_no_module_number_is_special",
        "drivers/ipcom/planner.py",
        "        if last is None or not self._house.restores_level",
        "        if True or not self._house.restores_level",
    ),
    _known(
        21,
        "importing the library configures logging",
        "test_21_importing_changes_no_logging",
        "app.py",
        "FAMILIES: Mapping",
        "import logging\nlogging.basicConfig()\nFAMILIES: Mapping",
    ),
    _known(
        22,
        "a slow listener stops reception",
        "test_22_one_thread_and_no_slow_listener",
        "hub/events.py",
        '        lost = last.payload["lost"] + 1 if last.kind is Kind.GAP else 2',
        "        raise OverflowError",
    ),
    _known(
        23,
        "a missing site file is an empty one",
        "tests/hub/site/test_yaml.py::test_no_such_file",
        "hub/site/yaml.py",
        '        raise _hopeless(source, "there is no such file", "check the name and the folder") from None',
        "        return parse_yaml('devices: []', source)",
    ),
    KnownFault(
        24,
        "one process and login a command, password in arguments",
        "comes with the Home Assistant integration",
    ),
    KnownFault(
        25, "a missing device reads as off; values drift", "comes with the Home Assistant integration"
    ),
    KnownFault(
        26,
        "private names and passwords in the public history",
        "by construction: no real house is anywhere in it; secrets come from environment and files only "
        "(tests/test_repository.py, tests/hub/site/test_secret.py)",
    ),
    KnownFault(
        27,
        "tests need the real house",
        "by construction: every test runs against simulators, golden vectors or captures, and no socket leaves "
        "loopback (tests/conftest.py)",
    ),
)

IPCOM: tuple[PlantedFault, ...] = tuple(planted for fault in IPCOM_FAULTS for planted in fault.planted)
