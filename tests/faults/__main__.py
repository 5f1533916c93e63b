"""`make faults`: plant every known fault, one at a time, and print which test caught it.

``python -m tests.faults WORD...`` plants only those with one of the words in their names, and prints no lists.
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from tests.faults.planting import is_caught
from tests.faults.table import ALL, checklist

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(words: Sequence[str]) -> int:
    """Print the table; 1 if a fault survived."""
    survivors: set[str] = set()
    chosen = [fault for fault in ALL if not words or any(word in fault.name for word in words)]
    with ThreadPoolExecutor(max_workers=2) as pool:
        for fault, (caught, line) in zip(chosen, pool.map(is_caught, chosen), strict=True):
            if not caught:
                survivors.add(fault.name)
            print(f"{'caught  ' if caught else 'SURVIVED'}  {fault.name:80}  {line}", flush=True)
    print(f"\n{len(chosen) - len(survivors)} of {len(chosen)} planted faults caught\n")
    if not words:
        print(checklist(survivors))
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
