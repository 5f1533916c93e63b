"""All planted faults, and the ticked list of the faults of earlier programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.faults.core import CORE
from tests.faults.ipcom import IPCOM, IPCOM_FAULTS

if TYPE_CHECKING:
    from collections.abc import Collection

    from tests.faults.planting import PlantedFault

ALL: tuple[PlantedFault, ...] = (*CORE, *IPCOM)


def checklist(survivors: Collection[str]) -> str:
    """The known faults of earlier programs, ticked where a planted one was caught."""
    lines = ["Faults of an earlier IPCom client (fact sheet, section 12):"]
    for fault in IPCOM_FAULTS:
        if fault.planted is None:
            lines.append(f"  [ ] {fault.number:2}  {fault.text}: {fault.note}")
            continue
        mark = " " if fault.planted.name in survivors else "x"
        lines.append(f"  [{mark}] {fault.number:2}  {fault.text}: {fault.planted.tests[0]}")
    return "\n".join(lines)
