"""Reads one adapter of a device, its login included."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from holdfast.errors import ConfigurationError
from holdfast.hub.site.problems import kind_of, shown
from holdfast.hub.site.section import Section, closest
from holdfast.model import Adapter, Standby

if TYPE_CHECKING:
    from collections.abc import Mapping

    from holdfast.hub.site.secret import SecretSource
    from holdfast.link.driver import Family

ADAPTER_KEYS = ("id", "driver", "url", "username", "password", "priority", "standby", "enabled")
"""What every adapter may say; its other keys are options of its driver."""

UNKNOWN_SECRET = "?"  # noqa: S105  no secret
"""Stands in for one that could not be had, so that the driver is still asked about the rest."""
_LOGIN_IN_URL = re.compile(r"[^:/?#]*://[^/?@:]*(:.*)?@.*")
"""``tcp://me@host`` or ``tcp://me:password@host``, where the password may hold anything."""


def read_adapter(section: Section, families: Mapping[str, Family], secrets: SecretSource) -> Adapter | None:
    """The adapter, or ``None`` if what is left of it would only make its driver complain about nothing."""
    section.has("id", "give each adapter of a device an id of its own, such as 'lan'")
    section.has("driver", f"name one of: {', '.join(families)}")
    ident = section.ident("id")
    driver = _driver(section, families)
    url = _url(section)
    adapter = Adapter(
        id=ident or "",
        driver=driver or "",
        url=url or "",
        priority=section.whole("priority", 1, "use 1 for the adapter to prefer, 2 for the next"),
        standby=Standby(section.choice("standby", list(Standby), Standby.COLD)),
        is_enabled=section.flag("enabled", True),
        username=_secret(section, "username", secrets, is_plain_allowed=True),
        password=_secret(section, "password", secrets, is_plain_allowed=secrets.allow_plain_secrets),
        options=section.others(ADAPTER_KEYS),
    )
    return None if ident is None or driver is None or url is None else adapter


def _driver(section: Section, families: Mapping[str, Family]) -> str | None:
    name = section.text("driver")
    if name is None or name in families:
        return name
    meant = closest(name, list(families))
    advice = f"known drivers: {', '.join(families)}" if families else "no driver is installed"
    if meant:
        advice = f"did you mean {meant!r}? {advice}"
    section.note("driver", f"{shown(name)} is not a driver", advice)
    return None


def _url(section: Section) -> str | None:
    if "url" not in section.raw:
        return ""
    url = section.text("url")
    if url is not None and _LOGIN_IN_URL.fullmatch(url):
        # Addresses are shown everywhere; a login inside one would be, too.
        section.note("url", "this address holds a login", "move it to the keys username and password")
        return None
    return url


def _secret(section: Section, key: str, secrets: SecretSource, *, is_plain_allowed: bool) -> str:
    """A revealed secret. Nothing noted here repeats what stands in the place of one."""
    if key not in section.raw:
        return ""
    form = section.raw[key]
    if isinstance(form, str) and is_plain_allowed:
        return form
    advice = f"write {key}: {{env: NAME}} or {key}: {{file: PATH}}"
    if isinstance(form, str):
        section.note(key, "a password must not stand in a site file", advice)
    elif isinstance(form, bool | int | float) and is_plain_allowed:
        section.note(key, f"text is expected here, not {kind_of(form)}", "put it in quotes")
    elif not isinstance(form, dict) or len(form) != 1 or not set(form) <= {"env", "file"}:
        section.note(key, "this is not a way to find a secret", advice)
    else:
        return _revealed(section, key, secrets, form)
    return UNKNOWN_SECRET


def _revealed(section: Section, key: str, secrets: SecretSource, form: Mapping[str | int, object]) -> str:
    [(kind, name)] = form.items()
    if not isinstance(name, str) or not name:
        section.note(key, f"the name behind '{kind}:' is missing", f"write {key}: {{{kind}: NAME}}")
        return UNKNOWN_SECRET
    try:
        return secrets.from_environment(name) if kind == "env" else secrets.from_file(name)
    except ConfigurationError as fault:
        section.note(key, fault.text, fault.advice)
        return UNKNOWN_SECRET
