"""What a site file would say of the devices that were found."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Any

from holdfast.cli.discovery import variables
from holdfast.cli.words import clean
from holdfast.hub.site.write import dump_site

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from holdfast.cli.discovery import Looked
    from holdfast.hub.site.problems import Place
    from holdfast.link.discovery import Found

EXAMPLE = """\
No device was found that could be written down here. This is how they look:

devices:
  - id: heater
    name: Heater
    adapters:
      - {id: lan, driver: kasa, url: "kasa://192.168.1.71"}
  - id: tilt-red
    adapters:
      - {id: ble, driver: tilt, url: "ble://red"}
"""
"""In comments, where a look around brought nothing."""

_ADAPTER = {"tilt": "ble"}
"""What the one adapter is called; everything else is reached by the local network."""
_NOT_OF_AN_ID = re.compile(r"[^a-z0-9]+")


def devices_of(found: Sequence[Found]) -> list[dict[str, Any] | None]:
    """A site file's device for each finding, with an id of its own; ``None`` for what is not supported."""
    taken: set[str] = set()
    return [_device(each, _unique(_id(each), taken)) if each.is_supported else None for each in found]


def _device(found: Found, ident: str) -> dict[str, Any]:
    username, password = variables(found.driver)
    login = {"username": {"env": username}, "password": {"env": password}} if found.needs_login else {}
    name = clean(found.name).strip()
    return {
        "id": ident,
        **({"name": name} if name and name != ident else {}),
        "adapters": [
            {
                "id": _ADAPTER.get(found.driver, "lan"),
                "driver": found.driver,
                "url": found.url,
                **login,
                **found.adapter,
            }
        ],
    }


def _id(found: Found) -> str:
    """Made of its name in plain letters, else of its family and the end of its hardware address."""
    plain = unicodedata.normalize("NFKD", found.name).encode("ascii", "ignore").decode().lower()
    tail = found.mac.lower().replace(":", "")[-6:]
    return _NOT_OF_AN_ID.sub("-", plain).strip("-") or "-".join(filter(None, (found.driver, tail)))


def _unique(ident: str, taken: set[str]) -> str:
    number, chosen = 1, ident
    while chosen in taken:
        number += 1
        chosen = f"{ident}-{number}"
    taken.add(chosen)
    return chosen


def starter(looked: Sequence[Looked]) -> str:
    """The text of a whole site file with everything that was found."""
    found = [one for each in looked for one in each.found]
    devices = [each for each in devices_of(found) if each is not None]
    site = {"site": {"id": "home", "name": "Home"}, "devices": devices}
    head = ["Written by 'holdfast init'. Give the devices the names that you use, then run 'holdfast check'."]
    for family in dict.fromkeys(each.driver for each in found if each.needs_login and each.is_supported):
        username, password = variables(family)
        head.append(
            f"Put the login of the {family} account into {username} and {password} before Holdfast starts."
        )
    head += [f"Left out: {_named(each)}: {each.note}." for each in found if not each.is_supported]
    for each in looked:
        head += [f"{each.family}: {fault.text}. {fault.advice}".rstrip(" .") + "." for fault in each.faults]
    if not devices:
        head += ["", *EXAMPLE.splitlines()]
    comments: Mapping[Place, str] = {(): "\n".join(clean(line) for line in head)}
    return dump_site(site, comments=comments)


def _named(found: Found) -> str:
    return " ".join(filter(None, (found.name or found.model, f"at {found.url}")))
