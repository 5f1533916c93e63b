"""The way to an endpoint before anything is dialled: its name, and the route there."""

from __future__ import annotations

import socket
import time
from urllib.parse import urlsplit

from holdfast.cli.phases import Phase, Verdict
from holdfast.cli.words import clean

ANY_PORT = 9
"""Choosing a route needs some port; nothing is sent there."""


def resolve(endpoint: str) -> tuple[Phase, list[str]]:
    """Look the host of ``tcp://host:port`` up; its addresses, none where there is nothing to look up."""
    name = "resolve"
    try:
        parts = urlsplit(endpoint)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host:
        return Phase(name, Verdict.SKIPPED, f"{clean(endpoint)} is no network address"), []
    begun = time.perf_counter()
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "not a proper name"
        text = f"the host name {clean(host)} is not known ({why})"
        advice = "Check the spelling, or use the address in numbers."
        return Phase(name, Verdict.FAILED, text, time.perf_counter() - begun, advice), []
    addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
    text = f"{host} needs no looking up" if host in addresses else f"{clean(host)} is {', '.join(addresses)}"
    return Phase(name, Verdict.PASSED, text, time.perf_counter() - begun), addresses


def route(addresses: list[str]) -> Phase:
    """Whether this machine knows a way to one of the addresses, and from which of its own it would go."""
    name = "route"
    if not addresses:
        return Phase(name, Verdict.SKIPPED, "no network address")
    faults = []
    for each in addresses:
        family = socket.AF_INET6 if ":" in each else socket.AF_INET
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as probe:
                probe.connect((each, ANY_PORT))  # sends nothing: the system only chooses the way
                own = probe.getsockname()[0]
        except OSError as error:
            faults.append(f"{each}: {error.strerror or error}")
        else:
            return Phase(name, Verdict.PASSED, f"{each} is reached from {own}")
    return Phase(
        name, Verdict.FAILED, "; ".join(faults), advice="Check this machine's network and the address."
    )
