"""Faults of the earlier controller that its users had reported: numbers 1 to 20 of the fact sheet's section 9."""

from __future__ import annotations

from tests.faults.known import KnownFault
from tests.faults.temperature.way import CONTROL, PROGRAM, SITE, WHOLE, way

PLUGS = "hub/controllers/plugs.py"
THERMOSTAT = "hub/controllers/thermostat.py"
MIDPOINT = (
    "    middle = (low + high) / 2\n"
    "    return was_demanded and (temperature < middle if role is Role.HEATER else temperature > middle)\n"
)

REPORTED: tuple[KnownFault, ...] = (
    KnownFault(
        1,
        "a failed OFF counts as OFF, so the next one looks superfluous",
        planted=(
            way(
                1,
                "what failed is believed to be off",
                f"{WHOLE}::test_01_a_failed_off_is_tried_until_it_works",
                PLUGS,
                "            case CommandState.FAILED | CommandState.EXPIRED:\n",
                "            case CommandState.FAILED | CommandState.EXPIRED:\n"
                "                self._done = (receipt.value, math.inf)\n"
                "                self.keep_off = lambda cause: None\n",
            ),
        ),
    ),
    KnownFault(
        2,
        "failed commands are rate-limited",
        planted=(
            way(
                2,
                "a failed OFF waits as long as one that succeeded",
                f"{WHOLE}::test_02_what_failed_is_not_held_up[False]",
                "link/wishes.py",
                "        return pause_s(self.sends)\n",
                "        return max(12.0, pause_s(self.sends))\n",
            ),
            way(
                2,
                "a failed ON waits as long as one that succeeded",
                f"{WHOLE}::test_02_what_failed_is_not_held_up[True]",
                PLUGS,
                "            case CommandState.FAILED | CommandState.EXPIRED:\n",
                "            case CommandState.FAILED | CommandState.EXPIRED:\n"
                "                self._done = (receipt.value, now.steady_s)\n",
            ),
        ),
    ),
    KnownFault(
        3,
        "a lost result leaves a command pending for ever, and blocks all others",
        planted=(
            way(
                3,
                "what never returned is under way for ever",
                f"{WHOLE}::test_03_a_lost_result_blocks_nothing",
                "link/desk.py",
                "            wish.note_end(now, error)\n",
                "            if not error:\n                wish.note_end(now, error)\n",
            ),
        ),
    ),
    KnownFault(
        4,
        "a command that is pending for 10 s is assumed to have succeeded",
        planted=(
            way(
                4,
                "it is shown as if it had",
                f"{WHOLE}::test_04_what_nobody_confirmed_is_not_shown",
                "link/device.py",
                "        value = evidence.values[capability.key]\n",
                "        value = evidence.values[capability.key]\n"
                "        pending = self.desk.commands.get(capability.key)\n"
                "        if pending is not None and now > pending.first_sent_t + 10.0:\n"
                "            value, quality = pending.value, GOOD\n",
            ),
            way(
                4,
                "its receipt says that it had",
                f"{WHOLE}::test_04_what_nobody_confirmed_is_not_shown",
                "link/desk.py",
                "        self._end(command, CommandState.FAILED, text)\n",
                "        self._end(command, CommandState.VERIFIED, text)\n",
            ),
        ),
    ),
    KnownFault(
        5,
        "superfluous is what a remembered state says, not a verified one",
        planted=(
            way(
                5,
                "what was commanded last is taken for what is",
                f"{WHOLE}::test_05_what_was_done_before_is_not_what_is_so",
                PLUGS,
                "        if command is None and device.reading(capability).value is is_on:\n",
                "        if command is None and self._done[0] is is_on:\n",
            ),
        ),
    ),
    KnownFault(
        6,
        "ON is sent again in each cycle",
        planted=(
            way(
                6,
                "an ON is never superfluous",
                f"{WHOLE}::test_06_an_on_is_sent_once",
                PLUGS,
                "        if command is None and device.reading(capability).value is is_on:\n",
                "        if command is None and not is_on and device.reading(capability).value is is_on:\n",
            ),
            way(
                6,
                "what is refused is given again at once",
                f"{WHOLE}::test_06_what_is_refused_is_not_asked_again_at_once",
                PLUGS,
                "                self._again_s = now.steady_s + REFUSED_AGAIN_S\n",
                "",
            ),
        ),
    ),
    KnownFault(
        7,
        "without a high limit OFF is never wanted; later both limits were zero",
        planted=(
            way(
                7,
                "a missing limit is never reached",
                f"{WHOLE}::test_07_without_a_limit_both_are_off",
                "control/limits.py",
                '            raise ValueError(f"the {which}{name} limit is missing")\n',
                '            ends.append(10**12 if name == "high" else -(10**12))\n            continue\n',
            ),
            way(
                7,
                "a missing limit is zero",
                f"{WHOLE}::test_07_without_a_limit_both_are_off[no low]",
                "control/limits.py",
                '            raise ValueError(f"the {which}{name} limit is missing")\n',
                "            ends.append(0)\n            continue\n",
            ),
        ),
    ),
    KnownFault(
        8,
        "the configuration is read again over run-time state",
        planted=(
            way(
                8,
                "each change begins from what was read at the start",
                f"{SITE}::test_temperature_08_a_change_builds_on_the_changes_before_it",
                "hub/living_site.py",
                "            mapping = change(self.mapping)\n",
                "            self.__dict__.setdefault('_first', self.mapping)\n"
                "            mapping = change(self._first)\n",
            ),
            way(
                8,
                "whoever did not change starts anew as well",
                f"{SITE}::test_temperature_08_a_change_leaves_the_state_of_others_alone",
                "hub/site/plan.py",
                "        elif device != old[ident]:\n",
                "        else:\n",
            ),
        ),
    ),
    KnownFault(
        9,
        "switched off, it stops telling and heats on",
        planted=(
            way(
                9,
                "who decides nothing does nothing",
                f"{CONTROL}::test_disabled_means_off",
                THERMOSTAT,
                "        for role in self.settings.roles:\n            self._carry_out(role, decision, now)\n",
                "        for role in self.settings.roles if self.settings.is_enabled else ():\n"
                "            self._carry_out(role, decision, now)\n",
            ),
        ),
    ),
    KnownFault(
        10,
        "without a sensor it heats on any number that was left over",
        planted=(
            way(
                10,
                "the last reading outlives its sensor",
                f"{WHOLE}::test_10_without_a_sensor_nothing_left_over_heats",
                "control/scene.py",
                "    reading = evidence.reading\n"
                "    if not settings.sensor:\n"
                '        return "no sensor is assigned", None\n',
                '    reading = evidence.reading or _temperature.__dict__.get("left")\n'
                '    _temperature.__dict__["left"] = reading\n',
            ),
        ),
    ),
    KnownFault(
        11,
        "another sensor takes the place of a silent one, and trust lasts as long as display",
        planted=(
            way(
                11,
                "whoever was heard last is gone by",
                f"{WHOLE}::test_11_another_sensor_is_no_substitute",
                THERMOSTAT,
                "            reading=sensed(hub, settings.sensor) if settings.sensor else None,\n",
                "            reading=min(\n"
                "                filter(None, (sensed(hub, settings.sensor), sensed(hub, 'other/temperature'))),\n"
                "                key=lambda each: each.age_s,\n"
                "                default=None,\n"
                "            ),\n",
            ),
            way(
                11,
                "half an hour is fresh",
                f"{WHOLE}::test_11_how_long_it_is_shown_is_not_how_long_it_is_trusted",
                "control/settings.py",
                "FRESH_S: Final = 240.0\n",
                "FRESH_S: Final = 1800.0\n",
            ),
        ),
    ),
    KnownFault(
        12,
        "control looks as often as the log is written, every 15 minutes",
        planted=(
            way(
                12,
                "between two entries of the log nobody looks",
                f"{CONTROL}::test_a_decision_reaches_the_wire_at_once",
                THERMOSTAT,
                "        now = instant(self._hub.clock)\n"
                "        for role in self.settings.roles:\n"
                "            self.plugs.of(role).settle(",
                "        now = instant(self._hub.clock)\n"
                "        if self.decision is not None and self.decision.state not in STOPPED:\n"
                "            looked_s = self.__dict__.setdefault('_looked_s', now.steady_s)\n"
                "            if 0 < now.steady_s - looked_s < 900:\n"
                "                self._timer = self._hub.core.loop.call_later(10.0, self.look)\n"
                "                return\n"
                "            self._looked_s = now.steady_s\n"
                "        for role in self.settings.roles:\n"
                "            self.plugs.of(role).settle(",
            ),
        ),
    ),
    KnownFault(
        13,
        "who is silent is shown as live for hours",
        planted=(
            way(
                13,
                "what was once heard is good for half a day",
                "tests/drivers/tilt/test_listening.py::test_values_are_stale_after_the_fresh_limit",
                "drivers/tilt/values.py",
                "    freshness = Periodic(options.stale_after_s)\n",
                "    freshness = Periodic(43_200.0)\n",
            ),
        ),
    ),
    KnownFault(
        14,
        "an alarm at the limit that was to be exceeded",
        planted=tuple(
            way(
                14,
                f"{name}, {where}",
                test,
                "control/complaints.py",
                f"    if temperature {sign} limits.{limit}:\n        raised[",
                f"    if temperature {sign}= limits.{limit}:\n        raised[",
            )
            for name, sign, limit in (
                ("already at the low one", "<", "heating.low"),
                ("already at the high one", ">", "cooling.high"),
            )
            for where, test in (
                ("in the law", "tests/control/test_safety.py::test_excursions_are_told_once_and_strictly"),
                ("in a hub", f"{WHOLE}::test_14_at_a_limit_nothing_is_exceeded"),
            )
        ),
    ),
    KnownFault(
        15,
        "the test of a plug goes another way than control, and proves nothing",
        "with real sockets: tests/cli/test_exercise.py::test_through_a_hub",
        planted=(
            way(
                15,
                "each call has a connection of its own",
                f"{WHOLE}::test_15_a_test_goes_the_way_of_control",
                "drivers/kasa/plug.py",
                "        device, is_smart = self._device, self._way.is_smart\n        match payload:\n",
                "        device, is_smart = self._device, self._way.is_smart\n"
                "        config = config_of(self._library, self._way, self._options)\n"
                "        device = await self._library.Device.connect(config=config)\n"
                "        match payload:\n",
            ),
        ),
    ),
    KnownFault(
        16,
        "errors are not written",
        planted=(
            way(
                16,
                "nobody tells them",
                f"{WHOLE}::test_16_errors_are_written",
                "hub/hub.py",
                "        if attempt.outcome is not None and attempt.outcome.is_failure:\n",
                "        if False:\n",
            ),
            way(
                16,
                "nobody hears them",
                f"{WHOLE}::test_16_errors_are_written",
                "cli/error_log.py",
                "    hub.stream.tap(error_log.hear)\n",
                "",
            ),
            way(
                16,
                "the program has no log for them",
                f"{PROGRAM}::test_16_the_program_writes_errors",
                "cli/serve.py",
                "            errors_logged(hub, start.folder, secrets),\n",
                "",
            ),
        ),
    ),
    KnownFault(
        19,
        "switching off half-way between the limits",
        planted=tuple(
            way(19, where, test, "control/law.py", "    return was_demanded\n", MIDPOINT)
            for where, test in (
                ("in the law", "tests/control/test_law.py::test_the_table"),
                ("in a hub", f"{CONTROL}::test_it_heats_up_to_the_high_limit"),
            )
        ),
    ),
    KnownFault(
        20,
        "every Tilt is taken for the assigned one",
        planted=(
            way(
                20,
                "any temperature will do",
                f"{WHOLE}::test_20_other_sensors_leave_no_trace_in_control",
                "hub/controllers/evidence.py",
                "        reading = hub.reading(target)\n",
                "        reading = min(\n"
                "            (each for device in list(hub.devices) for each in hub.readings(device)\n"
                "             if each.target.endswith('/temperature') and each.age_s is not None),\n"
                "            key=lambda each: each.age_s,\n"
                "            default=hub.reading(target),\n"
                "        )\n",
            ),
            way(
                20,
                "any colour will do",
                "tests/drivers/tilt/test_listening.py::test_a_colour_never_takes_the_place_of_another",
                "drivers/tilt/session.py",
                "        elif roll.is_claimed(colour):\n",
                '        elif colour == "blue":\n'
                '            self._tell("red", samples)\n'
                "        elif roll.is_claimed(colour):\n",
            ),
        ),
    ),
)
