"""Token files: what they may hold, and that no error and no repr shows a token."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from holdfast.errors import ConfigurationError
from holdfast.model import Authority
from holdfast.web.api import access
from holdfast.web.api.access import Tokens

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "a-secret-of-some-length"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "tokens"
    path.touch(mode=0o600)
    return path


def test_names_and_authorities(file: Path) -> None:
    """Two kinds of lines; comments and empty ones are skipped."""
    file.write_text(f"# who\n\n robot : {SECRET}\nanna:person:another-of-hers\n")
    tokens = Tokens.from_file(file)
    assert len(tokens) == 2
    robot, anna = tokens.caller(SECRET), tokens.caller("another-of-hers")
    assert robot is not None
    assert (robot.issuer.name, robot.issuer.authority) == ("robot", Authority.AUTOMATION)
    assert anna is not None
    assert (anna.name, anna.authority) == ("anna", Authority.PERSON)
    assert tokens.caller("") is None
    assert tokens.caller(SECRET + "x") is None
    assert tokens.caller("\udcff") is None


def test_no_token_is_kept_or_shown(file: Path) -> None:
    """Only digests, and only names in the repr."""
    file.write_text(f"robot:{SECRET}\n")
    tokens = Tokens.from_file(str(file))
    assert repr(tokens) == "<Tokens of robot>"
    assert SECRET not in repr(tokens._entries)
    assert repr(Tokens([])) == "<Tokens of nobody>"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "holds no token"),
        ("# nothing\n", "holds no token"),
        (f"{SECRET}\n", "line 1: a line reads"),
        (f"ok:{SECRET}\nrobot:admin:{SECRET}x\n", "line 2: a line reads"),
        (f"a:person:x:{SECRET}\n", "line 1: a line reads"),
        (f"a b:{SECRET}\n", "line 1: a name has"),
        (f":{SECRET}\n", "line 1: a name has"),
        ("robot:short\n", "line 1: the token has fewer"),
        ("robot:with a blank in it\n", "line 1: the token has characters"),
        ("robot:sëcret-of-mine\n", "line 1: the token has characters"),
        (f"a:{SECRET}\na:{SECRET}x\n", "line 2: there is another token by this name"),
        (f"a:{SECRET}\nb:{SECRET}\n", "line 2: this token stands on another line"),
    ],
)
def test_bad_files(file: Path, text: str, what: str) -> None:
    """Each error names the file and the line, and never the token."""
    file.write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        Tokens.from_file(file)
    assert what in str(caught.value)
    assert str(file) in str(caught.value)
    for secret in (SECRET, "short", "blank", "sëcret"):
        assert secret not in f"{caught.value.text.replace(str(file), '')} {caught.value.advice}"


def test_unreadable_files(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Missing, a folder, too large, not text."""
    with pytest.raises(ConfigurationError, match="does not exist"):
        Tokens.from_file(file.with_name("nothing"))
    with pytest.raises(ConfigurationError, match="cannot be read"):
        Tokens.from_file(file.parent)
    with pytest.raises(ConfigurationError, match="not a usable path"):
        Tokens.from_file("a\0b")
    file.write_bytes(b"robot:\xff\xfe-secret-bytes")
    with pytest.raises(ConfigurationError, match="not UTF-8") as caught:
        Tokens.from_file(file)
    assert caught.value.__cause__ is None
    monkeypatch.setattr(access, "LARGEST_FILE", 10)
    with pytest.raises(ConfigurationError, match="more than 10 bytes"):
        Tokens.from_file(file)


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX")
@pytest.mark.parametrize("mode", [0o604, 0o644, 0o602])
def test_files_open_to_everybody(file: Path, mode: int) -> None:
    """Refused, with the command that mends it."""
    file.write_text(f"robot:{SECRET}\n")
    file.chmod(mode)
    with pytest.raises(ConfigurationError) as caught:
        Tokens.from_file(file)
    assert "everybody" in str(caught.value)
    assert "chmod 600" in caught.value.advice
    file.chmod(0o640)
    assert len(Tokens.from_file(file)) == 1
