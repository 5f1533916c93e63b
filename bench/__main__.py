"""``python -m bench [NAME ...]``: measure what is named, or everything, and print a table."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from bench import sections
from bench.machine import LOOPS, in_words, loops
from bench.sections import Plan

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bench.rows import Section

NAMES = ("links", "commands", "faults", "steady", "store", "micro", "jkbms", "jkbus", "quality")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what was asked for. The exit code says whether all of it ran, never how fast it was."""
    options = _parser().parse_args(arguments)
    plan = _plan(options)
    log = sys.stderr if options.json == "-" else sys.stdout
    print(in_words(), file=log)
    if "uvloop" in plan.loops and "uvloop" not in loops():
        print("uvloop is not installed: only the stock loop is measured", file=log)
    done = []
    for section in _run(options.names or NAMES, plan):
        done.append(section)
        print(f"\n{section.text()}", end="", file=log, flush=True)
    missed = sum(row.is_ok is False for section in done for row in section.rows)
    print(f"\n{missed} targets missed" if missed else "\nall targets reached", file=log)
    if options.json:
        _write(
            options.json, json.dumps({"machine": in_words(), "sections": [each.as_dict() for each in done]})
        )
    if options.markdown:
        _write(options.markdown, "\n".join(section.markdown() for section in done))
    return int(any(row.value is None for section in done for row in section.rows))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*NAMES, []], metavar="NAME", help=", ".join(NAMES))
    parser.add_argument("--quick", action="store_true", help="everything once, in less than a minute")
    parser.add_argument("--seconds", type=float, help="measuring time of each link configuration (60)")
    parser.add_argument("--rounds", type=int, help="measurements of each, in fresh processes (3)")
    parser.add_argument("--links", type=_numbers, metavar="N,N", help="numbers of links (100,1000,5000)")
    parser.add_argument("--loop", choices=LOOPS, help="only this kind of loop")
    parser.add_argument(
        "--timer", choices=("ring", "call_at"), help="how the bare loop times its polls (ring, the cheaper)"
    )
    parser.add_argument("--commands", type=int, metavar="N", help="commands sent one by one (200)")
    parser.add_argument("--steady-seconds", type=float, metavar="S", help="length of the quiet time (600)")
    parser.add_argument("--json", metavar="FILE", help="write all figures there (-: standard output)")
    parser.add_argument("--markdown", metavar="FILE", help="write the tables there (-: standard output)")
    return parser


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in text.split(","))


def _plan(options: argparse.Namespace) -> Plan:
    given = {
        "links": options.links,
        "loops": options.loop and (options.loop,),
        "seconds": options.seconds,
        "link_rounds": options.rounds,
        "timer": options.timer,
        "commands": options.commands,
        "steady_s": options.steady_seconds,
    }
    return replace(
        sections.QUICK if options.quick else Plan(), **{key: value for key, value in given.items() if value}
    )


def _run(names: Sequence[str], plan: Plan) -> Iterator[Section]:
    for name in NAMES:
        if name not in names:
            continue
        if name == "links":
            yield from sections.links(plan)
        else:
            yield getattr(sections, name)(plan)


def _write(where: str, text: str) -> None:
    if where == "-":
        print(text)
    else:
        Path(where).write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
