"""Values of unknown origin as plain text, numbers and lists, and without secrets."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from holdfast.hub.site.plain import DEEPEST, WIDEST_BITS

MASK: Final = "***"
_SECRET: Final = re.compile(
    r"(^|_)(pin|pass\w*|pwd|secrets?|tokens?|\w*key|credentials?|user(name)?|login)(_|$)", re.IGNORECASE
)
_LOGIN_IN_URL: Final = re.compile(r"(?<=://)[^/@\s]*@")


def mapping(raw: object) -> Mapping[Any, Any]:
    """The mapping, or an empty one where none stands."""
    return raw if isinstance(raw, Mapping) else {}


def items(raw: object) -> list[Any]:
    """The list's items; none where no list stands."""
    return list(raw) if isinstance(raw, list | tuple) else []


def line(raw: object) -> str:
    """One line of text that a site may hold; empty for nothing."""
    if raw is None or isinstance(raw, Mapping | list | tuple) or _is_endless(raw):
        return ""
    return " ".join("".join(each if each.isprintable() else " " for each in str(raw)).split())


def whole(raw: object) -> int | None:
    """A whole number, also one that stands in quotes."""
    if isinstance(raw, str) and re.fullmatch(r"[+-]?[0-9]{1,9}", raw.strip(), re.ASCII):
        return int(raw)
    return raw if isinstance(raw, int) and not isinstance(raw, bool) and not _is_endless(raw) else None


def flag(raw: object) -> bool | None:
    """True or false, also as SQLite (0 and 1) and people write them."""
    if isinstance(raw, str):
        return {"1": True, "true": True, "0": False, "false": False}.get(raw.strip().lower())
    return bool(raw) if isinstance(raw, bool | int) and raw in (0, 1) else None


def masked(raw: object, depth: int = 0) -> Any:
    """A copy without secrets, fit for JSON: PINs, passwords, keys and logins inside addresses are replaced."""
    if depth > DEEPEST or _is_endless(raw):
        return "…"
    if isinstance(raw, Mapping):
        return {
            str(key): MASK if _SECRET.search(str(key)) and value is not None else masked(value, depth + 1)
            for key, value in raw.items()
        }
    if isinstance(raw, list | tuple):
        return [masked(each, depth + 1) for each in raw]
    if raw is None or isinstance(raw, bool | int | float):
        return raw
    return _LOGIN_IN_URL.sub(f"{MASK}@", str(raw))


def spelled_out(raw: object) -> str:
    """Data as JSON on one line without anything invisible."""
    text = json.dumps(masked(raw), ensure_ascii=False)
    return "".join(each if each.isprintable() else json.dumps(each)[1:-1] for each in text)


def _is_endless(raw: object) -> bool:
    """Whether it is a number that Python would refuse to print, and nobody meant."""
    return isinstance(raw, int) and raw.bit_length() > WIDEST_BITS
