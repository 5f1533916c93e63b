"""Looking around with every family that can, all at once; one that cannot costs the others nothing."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from holdfast.cli.exits import Exit, WrongUsage, code_of
from holdfast.errors import HoldfastError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from holdfast.link.discovery import Discover, Found, Sweep
    from holdfast.link.driver import Family


class Looked(NamedTuple):
    """What came of one family's look."""

    family: str
    found: Sequence[Found] = ()
    faults: Sequence[HoldfastError] = ()
    """Why it could not look, or not everywhere."""
    has_looked: bool = True


def families_meant(wanted: Sequence[str], known: Mapping[str, Family]) -> dict[str, Discover]:
    """The families to look with, all that can if none is named; raises `WrongUsage`."""
    able = {name: family.discover for name, family in known.items() if family.discover is not None}
    for name in wanted:
        if name not in able:
            why = "cannot look around" if name in known else "is no family"
            raise WrongUsage(f"{name!r} {why}", advice=f"Use one of {', '.join(able)}.")
    return {name: look for name, look in able.items() if not wanted or name in wanted}


def variables(family: str) -> tuple[str, str]:
    """The environment variables that hold a family's login, such as ``KASA_USERNAME`` and ``KASA_PASSWORD``."""
    return f"{family.upper()}_USERNAME", f"{family.upper()}_PASSWORD"


def with_login(sweep: Sweep, family: str, environ: Mapping[str, str] = os.environ) -> Sweep:
    """The sweep with the family's login out of the environment, unless it has one."""
    if sweep.username or sweep.password:
        return sweep
    username, password = (environ.get(each, "") for each in variables(family))
    return replace(sweep, username=username, password=password)


async def look_around(families: Mapping[str, Discover], sweep: Sweep) -> list[Looked]:
    """What each family found, in their order."""
    return list(
        await asyncio.gather(
            *(_look(name, discover, with_login(sweep, name)) for name, discover in families.items())
        )
    )


async def _look(family: str, discover: Discover, sweep: Sweep) -> Looked:
    try:
        found, faults = await discover(sweep)
    except HoldfastError as error:
        return Looked(family, faults=(error,), has_looked=False)
    return Looked(family, found, faults)


def exit_of(looked: Sequence[Looked]) -> Exit:
    """Done if one family could look, whatever it found; else what the failures have in common."""
    if any(each.has_looked for each in looked):
        return Exit.DONE
    codes = {code_of(fault) for each in looked for fault in each.faults}
    return codes.pop() if len(codes) == 1 else Exit.FAILED


def found_record(found: Found, site: Mapping[str, Any] | None) -> dict[str, Any]:
    """A finding as JSON; ``site`` is the device that a site file would have."""
    return {
        "driver": found.driver,
        "url": found.url,
        "name": found.name,
        "model": found.model,
        "mac": found.mac,
        "kind": found.kind,
        "signal_dbm": found.signal_dbm,
        "values": dict(found.values),
        "is_supported": found.is_supported,
        "needs_login": found.needs_login,
        "note": found.note,
        "advice": found.advice,
        "site": site,
    }


def fault_records(looked: Iterable[Looked]) -> list[dict[str, str]]:
    """Who could not look, or not everywhere, and why."""
    return [
        {"family": each.family, "text": fault.text, "advice": fault.advice}
        for each in looked
        for fault in each.faults
    ]
