"""The rehearsal in virtual time: simulate."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

from holdfast.cli import say
from holdfast.cli.exits import Exit, WrongUsage


def simulate(
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="The same seed is the same day.")] = 1,
    hours: Annotated[
        float, typer.Option("--hours", metavar="H", min=0.01, max=8784.0, help="Simulated hours.")
    ] = 1.0,
    profile: Annotated[
        str,
        typer.Option("--profile", metavar="NAME", help="How bad the day is: none, calm, rough or hostile."),
    ] = "rough",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
) -> None:
    """Play the demo house in virtual time with seeded faults, judged by an observer who knows the truth."""
    import logging

    from holdfast.cli.demo_site import demo_mapping
    from holdfast.simulation.rehearsal import Rehearsal, rehearse
    from holdfast.simulation.rehearsal.run import HOST, PORT
    from holdfast.simulators.ipcom import PROFILES, demo_house

    if profile not in PROFILES:
        raise WrongUsage(f"there is no profile {profile!r}", advice=f"Use one of {', '.join(PROFILES)}.")
    logging.getLogger("holdfast").setLevel(logging.ERROR)  # the outages are on purpose
    site = demo_mapping(HOST, PORT)
    verdict = rehearse(Rehearsal(site=site, house=demo_house(), seed=seed, hours=hours, profile=profile))
    if as_json:
        figures = asdict(verdict) | {"is_kept": verdict.is_kept, "ends": dict(verdict.ends)}
        if verdict.smallest_reversal_s == float("inf"):
            figures["smallest_reversal_s"] = None
        say.line(json.dumps(figures))
    else:
        for line in verdict.lines():
            say.line(line)
        say.line("every promise was kept" if verdict.is_kept else "A PROMISE WAS BROKEN")
    if not verdict.is_kept:
        raise typer.Exit(Exit.FAILED)
