"""`make faults`: plant every known fault, one at a time, and print which test caught it."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

from tests.faults.planting import is_caught
from tests.faults.table import ALL, checklist


def main() -> int:
    """Print the table; 1 if a fault survived."""
    survivors: set[str] = set()
    with ThreadPoolExecutor(max_workers=2) as pool:
        for fault, (caught, line) in zip(ALL, pool.map(is_caught, ALL), strict=True):
            if not caught:
                survivors.add(fault.name)
            print(f"{'caught  ' if caught else 'SURVIVED'}  {fault.name:80}  {line}", flush=True)
    print(f"\n{len(ALL) - len(survivors)} of {len(ALL)} planted faults caught\n")
    print(checklist(survivors))
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
