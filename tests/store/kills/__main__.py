"""``python -m tests.store.kills --work apply --seed 0 --kills 50``: kill so many, and say what was found.

``--url`` names a database that suffers all of it (a server's); without it files in a temporary folder do. ``--break``
plants a fault first.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.store.kills.broken import BROKEN
from tests.store.kills.changes import Apply, Edits
from tests.store.kills.migrating import Migrations
from tests.store.kills.nursery import Nursery
from tests.store.kills.switching import Switching

if TYPE_CHECKING:
    from tests.store.kills.work import Work

WORKS: dict[str, type[Work]] = {each.name: each for each in (Apply, Edits, Migrations, Switching)}


def main() -> None:
    """Raises `AssertionError` with the seed at the first loss."""
    parser = argparse.ArgumentParser(prog="python -m tests.store.kills", description=__doc__)
    parser.add_argument("--work", choices=WORKS, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--url", default="")
    parser.add_argument("--break", dest="broken", choices=BROKEN)
    options = parser.parse_args()
    work = WORKS[options.work]()
    if options.broken:
        BROKEN[options.broken]()
    with tempfile.TemporaryDirectory(prefix="holdfast-kills-") as folder:
        nursery = Nursery(work, Path(folder), options.url)
        nursery.run(options.seed, options.kills)
    print(f"{work.name} from seed {options.seed}: {nursery.kills} kills, {nursery.promises} promises kept")


if __name__ == "__main__":
    main()
