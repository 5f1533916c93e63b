"""Faults of the earlier controller's latest version, found by reading or measured: numbers 21 to 38."""

from __future__ import annotations

from tests.faults.known import KnownFault
from tests.faults.temperature.way import CHANGES, LIVING, PROGRAM, SITE, WHOLE, way

RESTING = "tests/control/test_times.py::test_the_shortest_rest"

REMAINING: tuple[KnownFault, ...] = (
    KnownFault(
        21,
        "an OFF without an answer is taken for done, and never sent again",
        planted=(
            way(
                21,
                "it is shown as done",
                f"{WHOLE}::test_21_a_silent_off_is_not_assumed",
                "link/desk.py",
                "            wish.note_end(now, error)\n",
                "            wish.note_end(now, error)\n"
                "            if error and isinstance(wish, OpenOrder):\n"
                "                wish.order = replace(wish.order, is_verified=True)\n"
                "                self._device.evidence_of(step.member, 'live').values[wish.key] = wish.value\n"
                "                self.doubts.pop(wish.key, None)\n",
            ),
            way(
                21,
                "it is sent once",
                f"{WHOLE}::test_21_a_silent_off_is_not_assumed[sets]",
                "link/wishes.py",
                "        return pause_s(self.sends)\n",
                "        return math.inf\n",
            ),
        ),
    ),
    KnownFault(
        22,
        "an ON without an answer is shown as done for ever",
        planted=(
            way(
                22,
                "what is wanted is what is shown",
                f"{WHOLE}::test_22_a_silent_on_is_not_assumed",
                "hub/controllers/readings.py",
                "            return replace(device.reading(switch), target=target)\n",
                "            value = decision is not None and decision.is_wanted(_ROLES[capability.key])\n"
                "            return _own(hub, target, capability, value)\n",
            ),
        ),
    ),
    KnownFault(
        23,
        "the cooler starts, again and again, against a heater that cannot be switched off",
        planted=(
            way(
                23,
                "unknown counts as off",
                f"{WHOLE}::test_23_a_heater_that_stays_on_keeps_the_cooler_off",
                "control/interlock.py",
                "    if not sight.is_off:\n",
                "    if sight.is_on:\n",
            ),
            way(
                23,
                "wanted off counts as off",
                f"{WHOLE}::test_23_a_heater_that_stays_on_keeps_the_cooler_off[ignores]",
                "control/interlock.py",
                "    if not sight.is_off:\n",
                "    if sight.past.is_wanted:\n",
            ),
        ),
    ),
    KnownFault(
        24,
        "disabled or moved while on, the plug is forgotten",
        planted=(
            way(
                24,
                "heating is disabled, and nobody switches the heater off",
                f"{CHANGES}::test_a_heater_that_is_given_up_while_silent[mode]",
                "control/thermostat.py",
                "    if not scene.settings.modes.of(role):\n        return _Plan(Output.SAFETY_OFF)\n",
                "    if not scene.settings.modes.of(role):\n        return _Plan(Output.RELEASED)\n",
            ),
            way(
                24,
                "the heater has a new address, and its old plug heats on",
                f"{WHOLE}::test_24_a_heater_given_another_address_is_seen_off_at_the_old_one",
                "hub/partings.py",
                "        if not unsafe or not device.attachments:\n",
                "        if True:\n",
            ),
            way(
                24,
                "the thermostat goes, and its heater stays on",
                f"{CHANGES}::test_a_heater_that_is_given_up_while_silent[controller]",
                "hub/partings.py",
                '            self._hub.order(target, value, "it was not off when its owner went")\n',
                "",
            ),
            way(
                24,
                "a plug that is on just goes",
                f"{LIVING}::test_a_plug_removed_while_on_is_switched_off_first",
                "hub/partings.py",
                "        if not unsafe or not device.attachments:\n",
                "        if True:\n",
            ),
            way(
                24,
                "a new address, and the old plug is an orphan",
                f"{LIVING}::test_a_plug_moved_to_another_address_leaves_the_old_one_off",
                "hub/partings.py",
                "        return step.what is not What.ADAPT or is_actuator(self._hub.devices[step.device])\n",
                "        return step.what is not What.ADAPT\n",
            ),
            way(
                24,
                "a plug whose adapter is disabled is forgotten",
                f"{SITE}::test_temperature_24_a_plug_disabled_while_on_is_switched_off",
                "hub/site/plan.py",
                '    return {str(each.get("id")): each for each in given if each.get("enabled", True)}\n',
                '    return {str(each.get("id")): each for each in given}\n',
            ),
            way(
                24,
                "the order outlives the hub, its plug's address does not",
                f"{LIVING}::test_a_leaving_plug_survives_the_hub",
                "hub/hub.py",
                "        self.keep(OrderEntry(order, is_released, ended_at, self.partings.raw(device.id)))\n",
                "        self.keep(OrderEntry(order, is_released, ended_at, None))\n",
            ),
        ),
    ),
    KnownFault(
        25,
        "the button of a plug is never noticed",
        planted=(
            way(
                25,
                "it is only asked when it was told something",
                f"{WHOLE}::test_25_the_button_is_noticed",
                "drivers/kasa/driver.py",
                '        polls=[Poll("state", "", GROUP, POLL_S, REPLY_S)],\n',
                '        polls=[Poll("state", "", GROUP, 3600.0, REPLY_S)],\n',
            ),
        ),
    ),
    KnownFault(
        26,
        "a healthy plug waits for a sick one",
        planted=(
            way(
                26,
                "one queue for all plugs",
                f"{WHOLE}::test_26_a_sick_plug_holds_up_no_other",
                "link/coro.py",
                '        end, text = End.OK, ""\n        try:\n            if job.is_step:\n',
                "        queue = CoroSession.__init__.__dict__.setdefault('queue', asyncio.Lock())\n"
                "        await queue.acquire()\n"
                "        asyncio.current_task().add_done_callback(lambda task: queue.release())\n"
                '        end, text = End.OK, ""\n        try:\n            if job.is_step:\n',
            ),
        ),
    ),
    KnownFault(
        27,
        "the set call has no deadline, and its error no text",
        planted=(
            way(
                27,
                "the library may take as long as it likes",
                f"{WHOLE}::test_27_a_call_has_an_end_and_a_reason",
                "drivers/kasa/state.py",
                "SET_S: Final = 5.0\n",
                "SET_S: Final = 23.0\n",
            ),
            way(
                27,
                "a bare time-out says nothing",
                f"{WHOLE}::test_27_a_call_has_an_end_and_a_reason",
                "link/attempts.py",
                '        return f"{text}, after {took_s:.1f} s"\n',
                '        return ""\n',
            ),
            way(
                27,
                "the driver has no deadline of its own",
                f"{WHOLE}::test_27_a_call_has_an_end_and_a_reason",
                "drivers/kasa/plug.py",
                "            async with asyncio.timeout(SET_S):\n",
                "            async with asyncio.timeout(None):\n",
            ),
        ),
    ),
    KnownFault(
        28,
        "the time of the last reading is that of looking at it",
        planted=(
            way(
                28,
                "every look makes it new",
                f"{WHOLE}::test_28_a_reading_is_as_old_as_it_is",
                "hub/controllers/readings.py",
                "        source,\n        target=target,\n",
                "        replace(source, observed_at=hub.clock.now(), age_s=0.0),\n        target=target,\n",
            ),
        ),
    ),
    KnownFault(
        29,
        "while a new sensor may be silent, the old one's temperature drives the plugs",
        planted=(
            way(
                29,
                "grace is for switching, too",
                f"{CHANGES}::test_another_sensor_is_waited_for",
                "control/scene.py",
                "    missing, temperature = _temperature(settings, evidence)\n",
                "    missing, temperature = _temperature(settings, evidence)\n"
                "    kept = _temperature.__dict__\n"
                "    if missing and evidence.assigned_s is not None and evidence.assigned_s < 900:\n"
                '        missing, temperature = kept.get("left", (missing, temperature))\n'
                '    kept["left"] = (missing, temperature)\n',
            ),
        ),
    ),
    KnownFault(
        34,
        "a text made of a missing temperature raises inside the listener",
        planted=(
            way(
                34,
                "the event says how warm it was",
                f"{WHOLE}::test_34_a_safety_off_is_told_without_a_temperature",
                "hub/controllers/ownership.py",
                '        text = f"the {role} is {word}"\n',
                "        warmth = self._hub.reading(f'{owner.id}/temperature').value * 9 / 5 + 32\n"
                '        text = f"the {role} is {word}" if warmth else ""\n',
            ),
        ),
    ),
    KnownFault(
        36,
        "kinds of events that nobody listed are dropped",
        planted=(
            way(
                36,
                "only what is listed is told",
                f"{WHOLE}::test_36_no_kind_of_event_is_dropped",
                "hub/hub.py",
                "        record = self.stream.publish(\n            Kind.EVENT, (kind, self.stream.seq)",
                '        if kind in ("stopped", "swapped", "start-up"):\n'
                "            return\n"
                "        record = self.stream.publish(\n            Kind.EVENT, (kind, self.stream.seq)",
            ),
        ),
    ),
    KnownFault(
        37,
        "at its start it ends every process with its file's name in the command line",
        planted=(
            way(
                37,
                "whoever may be another hub is ended",
                f"{PROGRAM}::test_37_no_process_is_ended_by_its_name",
                "cli/serve.py",
                "    hub = Hub(SystemClock(asyncio.get_running_loop()), name=spec.name)\n",
                "    hub = Hub(SystemClock(asyncio.get_running_loop()), name=spec.name)\n"
                "    if False:  # this copy is never run, but it must not be able to do it either\n"
                '        os.system("pkill -f holdfast-has-no-such-program")\n',
            ),
        ),
    ),
    KnownFault(
        38,
        "the compressor's rest can be configured and has no effect",
        planted=(
            way(
                38,
                "what is configured is not looked at",
                f"{WHOLE}::test_38_the_compressor_rests",
                "control/settings.py",
                '        cooler_min_off_s=section.seconds("cooler_min_off_s", 0, 3600, COOLER_MIN_OFF_S),\n',
                "",
            ),
            *(
                way(
                    38,
                    f"nobody waits for it, {where}",
                    test,
                    "control/interlock.py",
                    "        left_s = settings.min_off_s.of(role) - _run_s(own.past.off_since, now)\n",
                    "        left_s = 0.0\n",
                )
                for where, test in (
                    ("in the law", RESTING),
                    ("in a hub", f"{WHOLE}::test_38_the_compressor_rests"),
                )
            ),
        ),
    ),
)
