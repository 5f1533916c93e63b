"""``python -m bench.quality [DAYS]``: keep every setup for so many days and print the table of the docs."""

from __future__ import annotations

import argparse

from bench.quality.month import MONTH_DAYS
from bench.quality.setups import SETUPS
from bench.quality.table import head, line, measured


def main() -> None:
    """Print each row as soon as its time is over."""
    parser = argparse.ArgumentParser(prog="python -m bench.quality", description=__doc__)
    parser.add_argument(
        "days", nargs="?", type=float, default=MONTH_DAYS, help="simulated days of each row (30)"
    )
    options = parser.parse_args()
    print(head())
    for setup, kept in measured(SETUPS, options.days):
        print(line(setup, kept), flush=True)


if __name__ == "__main__":
    main()
