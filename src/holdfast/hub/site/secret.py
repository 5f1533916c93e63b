"""Where passwords come from: the environment or a file, never an argument and never the site file itself."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from holdfast.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

LARGEST_FILE = 4096
"""Bytes of a secret's file: more than any password, and an end to reading ``/dev/zero``."""

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretSource:
    """Reveals ``{env: NAME}`` and ``{file: PATH}``; errors name the variable or file, never the value.

    Relative paths start at ``folder``, the site file's own. ``allow_plain_secrets`` also accepts a password
    as plain text: right for a mapping made by a program, wrong for a file that people copy and share.
    """

    environ: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)
    folder: Path = field(default_factory=Path)
    allow_plain_secrets: bool = False

    def from_environment(self, name: str) -> str:
        """The variable's value; raises `ConfigurationError` when there is none."""
        if not _VARIABLE.fullmatch(name):
            # Not repeated: somebody may have put the password where its variable's name belongs.
            raise ConfigurationError(
                "this is not the name of an environment variable",
                advice="use letters, digits and _, such as IPCOM_PASSWORD",
            )
        value = self.environ.get(name)
        if value is None:
            raise ConfigurationError(
                f"the environment variable {name} is not set", advice="set it before Holdfast starts"
            )
        if not value:
            raise ConfigurationError(f"the environment variable {name} is empty")
        return _checked(value, f"the environment variable {name}")

    def from_file(self, name: str) -> str:
        """The file's text without the line end behind it; raises `ConfigurationError` when there is none."""
        what = f"the file {name!r}"
        try:
            with (self.folder / Path(name).expanduser()).open("rb") as file:
                data = file.read(LARGEST_FILE + 1)
        except FileNotFoundError:
            raise ConfigurationError(
                f"{what} does not exist", advice="a relative path starts at the site file's folder"
            ) from None
        except (OSError, ValueError, RuntimeError) as fault:
            # ValueError: a NUL in the name. RuntimeError: "~" where nobody has a home.
            why = (isinstance(fault, OSError) and fault.strerror) or "not a usable path"
            raise ConfigurationError(f"{what} cannot be read ({why})") from None
        if len(data) > LARGEST_FILE:
            raise ConfigurationError(f"{what} holds more than {LARGEST_FILE} bytes")
        # Decoded so that it cannot fail: the decoder's error would carry the bytes. `_checked` sees the rest.
        value = data.decode(errors="surrogateescape").rstrip("\r\n")
        if not value:
            raise ConfigurationError(f"{what} is empty")
        return _checked(value, what)


def _checked(value: str, what: str) -> str:
    if "\n" in value or "\r" in value:
        raise ConfigurationError(f"{what} holds more than one line")
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise ConfigurationError(f"{what} is not UTF-8 text")
    return value
