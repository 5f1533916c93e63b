"""Exit codes, and which error ends with which: part of the public contract."""

from __future__ import annotations

from enum import IntEnum

from holdfast.errors import ConfigurationError, HoldfastError, HubUnreachable, UnknownTarget


class Exit(IntEnum):
    """What the shell is told."""

    DONE = 0
    FAILED = 1
    """The device or the command failed."""
    USAGE = 2
    """Wrong usage, or a site file that cannot be used."""
    NO_HUB = 3


class WrongUsage(HoldfastError):
    """The command cannot mean what it says."""


class HubRefused(HoldfastError):
    """The hub answered, and would not."""


def code_of(error: HoldfastError) -> Exit:
    """The exit code that an error ends with."""
    if isinstance(error, HubUnreachable):
        return Exit.NO_HUB
    if isinstance(error, WrongUsage | ConfigurationError | UnknownTarget):
        return Exit.USAGE
    return Exit.FAILED
