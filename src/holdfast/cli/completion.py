"""What the shell offers behind a command: devices and targets of the hub, if one answers quickly."""

from __future__ import annotations

from holdfast.errors import HoldfastError


def complete_device(incomplete: str) -> list[str]:
    """Device ids that begin so."""
    return _known(incomplete, "devices", "id")


def complete_name(incomplete: str) -> list[str]:
    """Targets that begin so."""
    return _known(incomplete, "readings", "target")


def _known(incomplete: str, what: str, key: str) -> list[str]:
    from holdfast.cli.client import hub_meant

    try:
        hub = hub_meant()
        records = hub.devices() if what == "devices" else hub.readings()
    except HoldfastError:  # a shell waiting for a completion is no place for complaints
        return []
    return [name for each in records if (name := str(each.get(key))).startswith(incomplete)]
