"""The machine that measures: its cores, its memory, and words for the table."""

from __future__ import annotations

import asyncio
import os
import platform
import resource
import sys
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

FILES_NEEDED = 12_000
"""Open files of the responder at 5,000 links: a listening socket and a connection each, and some to spare."""


def cores() -> list[int]:
    """The cores this process may use; empty where the system does not tell."""
    affinity = getattr(os, "sched_getaffinity", None)
    return [] if affinity is None else sorted(affinity(0))


def pin(core: int | None) -> None:
    """Stay on one core, where the system allows to say so."""
    set_affinity = getattr(os, "sched_setaffinity", None)
    if core is not None and set_affinity is not None:
        set_affinity(0, {core})


def cores_for_two() -> tuple[int | None, int | None]:
    """One core for what is measured and another for its peer; ``None``: wherever there is room."""
    available = cores()
    return (available[0], available[-1]) if len(available) > 1 else (None, None)


def raise_file_limit() -> None:
    """Allow as many open files as thousands of links need, or as many as the system lets us."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES_NEEDED if hard == resource.RLIM_INFINITY else min(FILES_NEEDED, hard)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def resident_bytes() -> int:
    """Memory of this process that lies in RAM now (its peak where only that is known)."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024
    return pages * resource.getpagesize()


def core_seconds() -> tuple[float, float]:
    """Seconds that this process has run, and that it was ready to but another one had its core (0 if unknown)."""
    try:
        ran, waited = Path("/proc/self/schedstat").read_text(encoding="ascii").split()[:2]
    except OSError:
        return 0.0, 0.0
    return int(ran) / 1e9, int(waited) / 1e9


def in_words() -> str:
    """The machine as the table names it: no host names, no paths."""
    name = _processor()
    count = len(cores()) or os.cpu_count() or 1
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    word = "core" if count == 1 else "cores"
    system = f"{platform.system()} {platform.release().split('-')[0]}"
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{name}, {count} {word}, {memory:.0f} GB, {system}, {python}, {_uvloop_words()}"


def _processor() -> str:
    name = platform.processor() or platform.machine()
    is_virtual = False
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return name
    for line in lines:
        key, _, value = line.partition(":")
        if key.strip() == "model name":
            name = value.strip()
        elif key.strip() == "flags":
            is_virtual = "hypervisor" in value.split()
    return f"{name} (virtual machine)" if is_virtual else name


# --- loops -----------------------------------------------------------------------------------------------------

LOOPS = ("asyncio", "uvloop")
"""The kinds of event loop that are measured; uvloop only where it is installed."""


def has_uvloop() -> bool:
    """Whether uvloop can be used here."""
    return find_spec("uvloop") is not None


def loops() -> list[str]:
    """The kinds of loop that can be measured here."""
    return [name for name in LOOPS if name != "uvloop" or has_uvloop()]


def _uvloop_words() -> str:
    return f"uvloop {version('uvloop')}" if has_uvloop() else "no uvloop"


def runner(loop: str) -> asyncio.Runner:
    """Something to run coroutines with, on the loop of that name."""
    if loop == "uvloop":
        import uvloop

        return asyncio.Runner(loop_factory=uvloop.new_event_loop)
    return asyncio.Runner(loop_factory=asyncio.new_event_loop)
