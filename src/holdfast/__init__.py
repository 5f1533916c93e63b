"""Local devices that stay connected, and a state you can believe."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from holdfast._version import __version__

if TYPE_CHECKING:
    from holdfast.app import Site, open_site

__all__ = ["Site", "__version__", "open_site"]


def __getattr__(name: str) -> Any:
    # On demand, so that whoever needs only the words (a codec, `holdfast --version`) does not load the house.
    if name in ("Site", "open_site"):
        from holdfast import app

        return getattr(app, name)
    raise AttributeError(f"module 'holdfast' has no attribute {name!r}")
