"""The site file of a takeover."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.hub.site.earlier.plainly import spelled_out
from holdfast.hub.site.write import dump_site

if TYPE_CHECKING:
    from holdfast.hub.site.earlier.fermenter.takeover import Takeover


def site_text(takeover: Takeover, source: str) -> str:
    """The site file. What it has no room for stands at its end, as comments; ``source`` is the folder's name."""
    folder = "".join(each if each.isprintable() else "?" for each in source)
    head = (
        f"Made by 'holdfast import fermenter {folder}'.\nA comment marks what is to be decided or filled in."
    )
    text = dump_site(takeover.mapping, comments={**takeover.comments, (): head})
    if not takeover.notes:
        return text
    notes = [f"# - {each.text}: {spelled_out(each.data)}" for each in takeover.notes]
    return "\n".join([text, "# Kept from the earlier configuration; a site has no room for it:", *notes, ""])
