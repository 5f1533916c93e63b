"""Where secrets' files lie, once a site leaves the folder of its file."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

SECRETS = ("username", "password")


def with_absolute_secrets(site: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """A copy of the site whose ``{file: PATH}`` no longer depend on where the site file lies."""
    changed = deepcopy(dict(site))
    for device in changed.get("devices") or ():
        for adapter in (device.get("adapters") or ()) if isinstance(device, dict) else ():
            for key in SECRETS:
                form = adapter.get(key) if isinstance(adapter, dict) else None
                if isinstance(form, dict) and isinstance(form.get("file"), str):
                    form["file"] = str((folder / Path(form["file"]).expanduser()).absolute())
    return changed
