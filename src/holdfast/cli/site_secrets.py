"""What the logs must never say."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from holdfast.hub.site.spec import DeviceSpec


def secrets_of(devices: Iterable[DeviceSpec]) -> Iterable[str]:
    """Every password of these devices."""
    return [adapter.password for each in devices for adapter in each.device.adapters]
