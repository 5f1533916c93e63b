"""The rehearsal in virtual time: simulate."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import TYPE_CHECKING, Annotated

import typer

from holdfast.cli import say
from holdfast.cli.exits import Exit, WrongUsage

if TYPE_CHECKING:
    from holdfast.simulation.rehearsal import PackVerdict, Verdict


def simulate(
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="The same seed is the same day.")] = 1,
    hours: Annotated[
        float, typer.Option("--hours", metavar="H", min=0.01, max=8784.0, help="Simulated hours.")
    ] = 1.0,
    profile: Annotated[
        str,
        typer.Option("--profile", metavar="NAME", help="How bad the day is: none, calm, rough or hostile."),
    ] = "rough",
    is_pack: Annotated[
        bool, typer.Option("--pack", help="A battery pack behind two gateways in place of the house.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
) -> None:
    """Play the demo house or pack in virtual time with seeded faults, judged by an observer who knows the truth."""
    import logging

    from holdfast.simulators.ipcom import PROFILES

    if profile not in PROFILES:
        raise WrongUsage(f"there is no profile {profile!r}", advice=f"Use one of {', '.join(PROFILES)}.")
    logging.getLogger("holdfast").setLevel(logging.ERROR)  # the outages are on purpose
    verdict = _pack(seed, hours, profile) if is_pack else _house(seed, hours, profile)
    if as_json:
        figures = {each.name: _plain(getattr(verdict, each.name)) for each in fields(verdict)}
        say.line(json.dumps(figures | {"is_kept": verdict.is_kept}))
    else:
        for line in verdict.lines():
            say.line(line)
        say.line("every promise was kept" if verdict.is_kept else "A PROMISE WAS BROKEN")
    if not verdict.is_kept:
        raise typer.Exit(Exit.FAILED)


def _house(seed: int, hours: float, profile: str) -> Verdict:
    from holdfast.cli.demo_site import demo_mapping
    from holdfast.simulation.rehearsal import Rehearsal, rehearse
    from holdfast.simulation.rehearsal.run import HOST, PORT
    from holdfast.simulators.ipcom import demo_house

    site = demo_mapping(HOST, PORT)
    return rehearse(Rehearsal(site=site, house=demo_house(), seed=seed, hours=hours, profile=profile))


def _pack(seed: int, hours: float, profile: str) -> PackVerdict:
    from holdfast.simulation.rehearsal import PackRehearsal, rehearse_pack

    return rehearse_pack(PackRehearsal(seed=seed, hours=hours, profile=profile))


def _plain(value: object) -> object:
    """As JSON has it: it knows no infinity and no counters."""
    return None if value == float("inf") else dict(value) if isinstance(value, dict) else value
