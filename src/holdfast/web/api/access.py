"""Who may come in, and as whom they command."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self

from holdfast.errors import ConfigurationError
from holdfast.model import Authority, Issuer

if TYPE_CHECKING:
    from collections.abc import Iterable

SHORTEST_TOKEN = 8
"""Characters. Shorter ones can be tried out over a network; what `ADVICE` makes has 43."""
LARGEST_FILE = 65536
"""Bytes: a thousand tokens, and an end to reading what is not a token file."""
ADVICE = 'Make a token with: python3 -c "import secrets; print(secrets.token_urlsafe(32))"'

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}")
_AUTHORITIES = {"": Authority.AUTOMATION, "person": Authority.PERSON}
"""What stands between name and token of those who may command."""
SENDS = "sends="
"""What stands there for one that may only send, followed by its target."""
_SENDS = re.compile(SENDS + r"[a-z0-9][a-z0-9_-]*(/[a-z0-9][a-z0-9_-]*)*")
_TOKEN = re.compile(r"[!-9;-~]+")  # printable ASCII without the colon, as it travels in a header


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sent a request: ``name`` goes into the record, ``authority`` decides precedence.

    ``sends_only``: a sender, good for posting readings of this target (or of all of a device) and for nothing else.
    """

    name: str
    authority: Authority
    sends_only: str = ""

    @property
    def issuer(self) -> Issuer:
        """The caller as a command's issuer."""
        return Issuer(self.name, self.authority)

    def may_send(self, target: str) -> bool:
        """Whether readings of a target, or of a whole device, may come from here."""
        return self.sends_only in ("", target, target.partition("/")[0])


@dataclass(frozen=True, slots=True)
class _Entry:
    caller: Caller
    digest: bytes = field(repr=False)


class Tokens:
    """The tokens of a hub. Only their digests are kept, so that no dump or log can show one."""

    def __init__(
        self, entries: Iterable[tuple[str, Authority, str]], senders: Iterable[tuple[str, str, str]] = ()
    ) -> None:
        """``entries``: name, authority and token of each; ``senders``: name, target and token of each."""
        self._entries = (
            *(_Entry(Caller(name, authority), _digest(token)) for name, authority, token in entries),
            *(
                _Entry(Caller(name, Authority.AUTOMATION, target), _digest(token))
                for name, target, token in senders
            ),
        )

    def __repr__(self) -> str:
        return f"<Tokens of {', '.join(entry.caller.name for entry in self._entries) or 'nobody'}>"

    def __len__(self) -> int:
        return len(self._entries)

    def caller(self, token: str) -> Caller | None:
        """Whose token this is. Takes the same time whether and wherever it is found."""
        wanted = _digest(token)
        found: Caller | None = None
        for entry in self._entries:
            if hmac.compare_digest(entry.digest, wanted):
                found = entry.caller
        return found

    @classmethod
    def from_file(cls, path: str | os.PathLike[str]) -> Self:
        """Read one token a line; raises `ConfigurationError`.

        A line reads ``name:token``, ``name:person:token`` or ``name:sends=TARGET:token``. A ``person`` commands with a
        person's authority, any other token with an automation's; one that ``sends`` posts readings of that target or
        device and does nothing else. Empty lines and lines that begin with ``#`` are skipped. Errors name the file and
        the line, never what stands in it.
        """
        name = os.fspath(path)
        lines: list[tuple[str, str, str]] = []
        for number, text in enumerate(_text(name).splitlines(), start=1):
            line = text.strip()
            if not line or line.startswith("#"):
                continue
            lines.append(_entry(line, f"{name}, line {number}", lines))
        if not lines:
            raise ConfigurationError(f"the token file {name} holds no token", advice=ADVICE)
        return cls(
            [(who, _AUTHORITIES[kind], token) for who, kind, token in lines if kind in _AUTHORITIES],
            [
                (who, kind.removeprefix(SENDS), token)
                for who, kind, token in lines
                if kind not in _AUTHORITIES
            ],
        )


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()


def _text(name: str) -> str:
    try:
        with Path(name).open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            data = file.read(LARGEST_FILE + 1)
    except FileNotFoundError:
        raise ConfigurationError(f"the token file {name} does not exist") from None
    except (OSError, ValueError) as fault:
        why = (isinstance(fault, OSError) and fault.strerror) or "not a usable path"
        raise ConfigurationError(f"the token file {name} cannot be read ({why})") from None
    if os.name == "posix" and mode & (stat.S_IROTH | stat.S_IWOTH):
        raise ConfigurationError(
            f"everybody on this machine can read or write the token file {name}",
            advice=f"Run: chmod 600 {name}",
        )
    if len(data) > LARGEST_FILE:
        raise ConfigurationError(f"the token file {name} holds more than {LARGEST_FILE} bytes")
    try:
        return data.decode()
    except UnicodeDecodeError:
        # Not chained: the decoder's error carries the bytes.
        raise ConfigurationError(f"the token file {name} is not UTF-8 text") from None


def _entry(line: str, where: str, before: Iterable[tuple[str, str, str]]) -> tuple[str, str, str]:
    """Name, kind and token of a line."""
    parts = [part.strip() for part in line.split(":")]
    name, kind, token = parts[0], ":".join(parts[1:-1]), parts[-1]
    if len(parts) not in (2, 3) or not (kind in _AUTHORITIES or _SENDS.fullmatch(kind)):
        raise ConfigurationError(
            f"{where}: a line reads name:token, name:person:token or name:{SENDS}device/capability:token"
        )
    if not _NAME.fullmatch(name):
        raise ConfigurationError(f"{where}: a name has up to 32 letters, digits, '.', '_' and '-'")
    if len(token) < SHORTEST_TOKEN:
        raise ConfigurationError(
            f"{where}: the token has fewer than {SHORTEST_TOKEN} characters", advice=ADVICE
        )
    if not _TOKEN.fullmatch(token):
        raise ConfigurationError(
            f"{where}: the token has characters that cannot be sent in a header", advice=ADVICE
        )
    for other_name, _, other_token in before:
        if other_name == name:
            raise ConfigurationError(f"{where}: there is another token by this name")
        if other_token == token:
            raise ConfigurationError(f"{where}: this token stands on another line too")
    return name, kind, token
