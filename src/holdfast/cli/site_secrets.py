"""What the logs must never say."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from holdfast.hub.site.spec import SiteSpec


def secrets_of(spec: SiteSpec) -> Iterable[str]:
    """Every password of a site."""
    return [adapter.password for each in spec.devices for adapter in each.device.adapters]
