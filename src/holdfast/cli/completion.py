"""What the shell offers behind a command: devices and targets of the hub, if one answers quickly."""

from __future__ import annotations

from typer import Context  # noqa: TC002 - Typer reads the annotation

from holdfast.errors import HoldfastError


def complete_device(incomplete: str) -> list[str]:
    """Device ids that begin so."""
    return _known(incomplete, "devices", "id")


def complete_name(incomplete: str) -> list[str]:
    """Targets that begin so."""
    return _known(incomplete, "readings", "target")


def complete_controller(incomplete: str) -> list[str]:
    """Controller ids that begin so."""
    return _known(incomplete, "controllers", "id")


def complete_adapter(context: Context, incomplete: str) -> list[str]:
    """Adapters of the device that was named before."""
    from holdfast.cli.client import hub_meant

    try:
        device = hub_meant().device(str(context.params.get("device")))
    except HoldfastError:
        return []
    return [name for each in device["adapters"] if (name := str(each["id"])).startswith(incomplete)]


def _known(incomplete: str, what: str, key: str) -> list[str]:
    from holdfast.cli.client import hub_meant

    try:
        hub = hub_meant()
        records = {"devices": hub.devices, "controllers": hub.controllers, "readings": hub.readings}[what]()
    except HoldfastError:  # a shell waiting for a completion is no place for complaints
        return []
    return [name for each in records if (name := str(each.get(key))).startswith(incomplete)]
