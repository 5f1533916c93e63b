"""Faults of an earlier temperature controller that are the site's and the store's affair, each planted."""

from __future__ import annotations

from tests.faults.known import KnownFault
from tests.faults.planting import PlantedFault

KNOWN = "tests/faults/test_site.py"
LIVING = "tests/hub/test_living_site.py"


def _way(number: int, name: str, test: str, file: str, old: str, new: str) -> PlantedFault:
    return PlantedFault(name=f"temperature {number}: {name}", file=file, old=old, new=new, tests=(test,))


TEMPERATURE_FAULTS: tuple[KnownFault, ...] = (
    KnownFault(
        8,
        "the configuration is read again over run-time state",
        "",
        (
            _way(
                8,
                "each change begins from what was read at the start",
                f"{KNOWN}::test_temperature_08_a_change_builds_on_the_changes_before_it",
                "hub/living_site.py",
                "            mapping = change(self.mapping)\n",
                "            self.__dict__.setdefault('_first', self.mapping)\n"
                "            mapping = change(self._first)\n",
            ),
            _way(
                8,
                "whoever did not change starts anew as well",
                f"{KNOWN}::test_temperature_08_a_change_leaves_the_state_of_others_alone",
                "hub/site/plan.py",
                "        elif device != old[ident]:\n",
                "        else:\n",
            ),
        ),
    ),
    KnownFault(
        24,
        "disabled or moved while on, the plug is forgotten",
        "on a toy plug that is removed or moved; the controllers come later",
        (
            _way(
                24,
                "a plug that is on just goes",
                f"{LIVING}::test_a_plug_removed_while_on_is_switched_off_first",
                "hub/partings.py",
                "        if not unsafe or not device.attachments:\n",
                "        if True:\n",
            ),
            _way(
                24,
                "a new address, and the old plug is an orphan",
                f"{LIVING}::test_a_plug_moved_to_another_address_leaves_the_old_one_off",
                "hub/partings.py",
                "        return step.what is not What.ADAPT or is_actuator(self._hub.devices[step.device])\n",
                "        return step.what is not What.ADAPT\n",
            ),
            _way(
                24,
                "a plug whose adapter is disabled is forgotten",
                "tests/faults/test_site.py::test_temperature_24_a_plug_disabled_while_on_is_switched_off",
                "hub/site/plan.py",
                '    return {str(each.get("id")): each for each in given if each.get("enabled", True)}\n',
                '    return {str(each.get("id")): each for each in given}\n',
            ),
            _way(
                24,
                "the order outlives the hub, its plug's address does not",
                f"{LIVING}::test_a_leaving_plug_survives_the_hub",
                "hub/hub.py",
                "        self.keep(OrderEntry(order, is_released, ended_at, self.partings.raw(device.id)))\n",
                "        self.keep(OrderEntry(order, is_released, ended_at, None))\n",
            ),
        ),
    ),
)

TEMPERATURE: tuple[PlantedFault, ...] = tuple(
    planted for fault in TEMPERATURE_FAULTS for planted in fault.planted
)
