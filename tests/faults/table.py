"""All planted faults, and the ticked lists of the faults of earlier programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.faults.core import CORE
from tests.faults.ipcom import IPCOM, IPCOM_FAULTS
from tests.faults.jkbms import JKBMS, JKBMS_FAULTS
from tests.faults.store import STORE
from tests.faults.temperature import TEMPERATURE, TEMPERATURE_FAULTS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from tests.faults.known import KnownFault
    from tests.faults.planting import PlantedFault

ALL: tuple[PlantedFault, ...] = (*CORE, *STORE, *IPCOM, *JKBMS, *TEMPERATURE)

CHECKLISTS: dict[str, tuple[KnownFault, ...]] = {
    "Faults of an earlier IPCom client (fact sheet, section 12):": IPCOM_FAULTS,
    "Faults of an earlier system for JK batteries (fact sheet, section 15):": JKBMS_FAULTS,
    "Faults of an earlier temperature controller (fact sheet, section 9):": TEMPERATURE_FAULTS,
}


def checklist(survivors: Collection[str]) -> str:
    """The known faults of earlier programs, ticked where everything that was planted of one was caught."""
    return "\n".join(
        line for title, faults in CHECKLISTS.items() for line in (title, *_ticked(faults, survivors))
    )


def _ticked(faults: Collection[KnownFault], survivors: Collection[str]) -> Iterator[str]:
    for fault in faults:
        if not fault.planted:
            yield f"  [ ] {fault.number:2}  {fault.text}: {fault.note}"
            continue
        mark = " " if any(planted.name in survivors for planted in fault.planted) else "x"
        tests = ", ".join(dict.fromkeys(test for planted in fault.planted for test in planted.tests))
        note = f" ({fault.note})" if fault.note else ""
        yield f"  [{mark}] {fault.number:2}  {fault.text}: {tests}{note}"
