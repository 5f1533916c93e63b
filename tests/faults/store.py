"""Faults planted into the store, its keeper, and what the hub hands to it."""

from __future__ import annotations

from tests.faults.planting import PlantedFault

RUNNING = "tests/store/trouble/test_running_hub.py"
GOES_ON = f"{RUNNING}::test_a_house_goes_on_while_its_store_is_sick"

STORE: tuple[PlantedFault, ...] = (
    PlantedFault(
        name="store: an order waits for the disk",
        file="hub/hub.py",
        old="        device.desk.order(capability, order)\n        if before is not None:\n",
        new="        asyncio.get_running_loop().create_task(self.keeper.written(60.0)).add_done_callback(\n"
        "            lambda _: device.desk.order(capability, order)\n"
        "        )\n"
        "        if before is not None:\n",
        tests=(f"{RUNNING}::test_an_order_reaches_the_wire_while_the_disk_holds_its_entry",),
    ),
    PlantedFault(
        name="store: what could not be written is forgotten",
        file="hub/storekeeper.py",
        old="            self._put_back()\n",
        new="            self._under_way = {}\n",
        tests=(f"{GOES_ON}[ReadOnly]",),
    ),
    PlantedFault(
        name="store: a full disk is not tried again",
        file="hub/storekeeper.py",
        old="            await asyncio.sleep(pause_s)\n",
        new="            await asyncio.sleep(1e6)\n",
        tests=(f"{GOES_ON}[Full]",),
    ),
    PlantedFault(
        name="store: a stalled write is not told of",
        file="hub/storekeeper.py",
        old="            done, _ = await asyncio.wait({writing}, timeout=SLOW_S)\n",
        new="            done, _ = await asyncio.wait({writing})\n",
        tests=(f"{RUNNING}::test_a_stall_is_told_of_while_it_lasts",),
    ),
    PlantedFault(
        name="store: trouble is no alarm",
        file="hub/hub.py",
        old='        self.tell_alarm("hub", "store", text, is_on=not state.is_well)\n',
        new="",
        tests=(f"{GOES_ON}[Full]",),
    ),
    PlantedFault(
        name="store: a damaged file is believed",
        file="store/sqlite.py",
        old='        if found != "ok":\n',
        new="        if not found:\n",
        tests=("tests/store/test_faults.py::test_damage_where_nobody_has_looked_yet",),
    ),
    PlantedFault(
        name="store: the site is saved in two transactions",
        file="store/sql.py",
        old="        for change in reversed(own):\n",
        new='        await connection.exec_driver_sql("COMMIT")\n'
        '        await connection.exec_driver_sql("BEGIN IMMEDIATE")\n'
        "        for change in reversed(own):\n",
        tests=("tests/store/kills/test_kills.py::test_what_was_promised_is_there[apply]",),
    ),
    PlantedFault(
        name="store: open receipts of a killed run stay open",
        file="hub/hub.py",
        old="        for receipt in saved.open_receipts:\n            ended = replace(\n",
        new="        for receipt in ():\n            ended = replace(\n",
        tests=("tests/store/kills/test_kills.py::test_what_was_promised_is_there[switching]",),
    ),
)
"""Mistakes that a kill, a sick disk or a damaged file must bring to light."""
