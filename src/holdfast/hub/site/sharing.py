"""Adapters on one endpoint share its one session, so they must agree on how it is opened and on who gets what."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.hub.site.adapter import UNKNOWN_SECRET
from holdfast.hub.site.problems import Findings, Place, spelled

if TYPE_CHECKING:
    from collections.abc import Iterable

    from holdfast.link.driver import Driver
    from holdfast.model import Adapter


ANYBODY = "*"
"""Stands for whoever makes himself known: at most one device of a path takes strangers in."""


def check_sharing(used: Iterable[tuple[Place, Adapter, Driver]], findings: Findings) -> None:
    """Note every adapter that disagrees with the first one on its endpoint.

    Disabled ones open nothing, and a login that could not be had cannot be compared.
    """
    first: dict[tuple[str, str], tuple[Place, Adapter]] = {}
    owners: dict[tuple[str, str, str], Place] = {}
    for place, adapter, driver in used:
        if not adapter.is_enabled or UNKNOWN_SECRET in (adapter.username, adapter.password):
            continue
        endpoint = driver.endpoint
        other_place, other = first.setdefault((endpoint.scheme, endpoint.address), (place, adapter))
        shared = f"{endpoint} is shared with {spelled(other_place)}"
        if adapter.driver != other.driver:
            findings.note(place, f"{shared}, whose driver is {other.driver}", "one path speaks one language")
        elif (adapter.username, adapter.password) != (other.username, other.password):
            findings.note(place, f"{shared}, which has another login", "give both the same login")
        else:
            for member in sorted(driver.members or {ANYBODY}):
                owner = owners.setdefault((endpoint.scheme, endpoint.address, member), place[:2])
                if owner != place[:2]:
                    what = "what is heard" if member in ("", ANYBODY) else f"member {member}"
                    text = f"{what} on {endpoint} belongs to {spelled(owner)} already"
                    findings.note(place, text, "give this device a path of its own, or members of its own")
