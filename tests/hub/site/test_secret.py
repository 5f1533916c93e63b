"""Passwords come from the environment or a file, and go nowhere else."""

from __future__ import annotations

import dataclasses
import os
import traceback
from pathlib import Path
from typing import Any

import pytest

from holdfast.hub.site import SecretSource, SiteError, SiteSpec, load_site, read_site
from tests.hub.site.toy import FAMILIES

MARKER = "hunter2-marker"


def site(adapter: dict[Any, Any], **device: Any) -> dict[str, Any]:
    whole = {"id": "lan", "driver": "toy", "url": "toy://one", **adapter}
    return {"devices": [{"id": "house", "adapters": [whole], **device}]}


def read(mapping: dict[str, Any], **source: Any) -> SiteSpec:
    return read_site(mapping, FAMILIES, secrets=SecretSource(**source))


def login(spec: SiteSpec) -> tuple[str, str]:
    [adapter] = spec.devices[0].device.adapters
    return adapter.username, adapter.password


def complaint(mapping: dict[str, Any], **source: Any) -> str:
    with pytest.raises(SiteError) as caught:
        read(mapping, **source)
    [problem] = caught.value.problems
    assert problem.path[:4] == ("devices", 0, "adapters", 0)
    return f"{problem.path[4]}: {problem.text}; {problem.advice}".removesuffix("; ")


def test_from_the_environment() -> None:
    """Both halves of a login may come from there."""
    mapping = site({"username": {"env": "USER_NAME"}, "password": {"env": "PASS_WORD"}})
    assert login(read(mapping, environ={"USER_NAME": "me", "PASS_WORD": MARKER})) == ("me", MARKER)


def test_from_the_own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process's own environment is the default."""
    monkeypatch.setenv("HOLDFAST_TEST_PASSWORD", MARKER)
    assert login(read(site({"password": {"env": "HOLDFAST_TEST_PASSWORD"}}))) == ("", MARKER)


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_from_a_file(tmp_path: Path, end: str) -> None:
    """The line end that every editor adds is not part of the password; blanks are."""
    (tmp_path / "pass").write_bytes(f" {MARKER} {end}".encode())
    assert login(read(site({"password": {"file": "pass"}}), folder=tmp_path)) == ("", f" {MARKER} ")
    assert login(read(site({"password": {"file": str(tmp_path / "pass")}}))) == ("", f" {MARKER} ")


def test_relative_to_the_site_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever Holdfast was started, a relative path means the same file."""
    folder = tmp_path / "etc"
    folder.mkdir()
    (folder / "pass").write_text(f"{MARKER}\n")
    (folder / "site.yaml").write_text(
        "devices: [{id: house, adapters: [{id: lan, driver: toy, url: 'toy://one', password: {file: pass}}]}]\n"
    )
    monkeypatch.chdir(tmp_path)
    assert login(load_site(Path("etc/site.yaml"), FAMILIES)) == ("", MARKER)


def test_plain_text_from_programs_only() -> None:
    """A program has its own place for secrets; a file is copied and shared."""
    mapping = site({"username": "me", "password": MARKER})
    assert login(read(mapping, allow_plain_secrets=True)) == ("me", MARKER)
    assert complaint(mapping) == (
        "password: a password must not stand in a site file; write password: {env: NAME} or password: {file: PATH}"
    )


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ({"env": "NO_SUCH"}, "the environment variable NO_SUCH is not set; set it before Holdfast starts"),
        ({"env": "EMPTY"}, "the environment variable EMPTY is empty"),
        ({"env": "LINES"}, "the environment variable LINES holds more than one line"),
        ({"env": "BYTES"}, "the environment variable BYTES is not UTF-8 text"),
        (
            {"env": f"{MARKER}!"},
            "this is not the name of an environment variable; use letters, digits and _, such as IPCOM_PASSWORD",
        ),
        ({"env": ""}, "the name behind 'env:' is missing; write password: {env: NAME}"),
        ({"env": 5}, "the name behind 'env:' is missing; write password: {env: NAME}"),
        (
            {"file": "no/such"},
            "the file 'no/such' does not exist; a relative path starts at the site file's folder",
        ),
        ({"file": "."}, "the file '.' cannot be read (Is a directory)"),
        ({"file": "a\0b"}, "the file 'a\\x00b' cannot be read (not a usable path)"),
        ({"file": "empty"}, "the file 'empty' is empty"),
        ({"file": "lines"}, "the file 'lines' holds more than one line"),
        ({"file": "bytes"}, "the file 'bytes' is not UTF-8 text"),
        ({"file": "large"}, "the file 'large' holds more than 4096 bytes"),
        (
            {"env": "A", "file": "b"},
            "this is not a way to find a secret; write password: {env: NAME} or password: {file: PATH}",
        ),
        ({}, "this is not a way to find a secret; write password: {env: NAME} or password: {file: PATH}"),
        (
            {MARKER: MARKER},
            "this is not a way to find a secret; write password: {env: NAME} or password: {file: PATH}",
        ),
        (
            [MARKER],
            "this is not a way to find a secret; write password: {env: NAME} or password: {file: PATH}",
        ),
        (None, "this is not a way to find a secret; write password: {env: NAME} or password: {file: PATH}"),
        (1234, "this is not a way to find a secret; write password: {env: NAME} or password: {file: PATH}"),
    ],
)
def test_a_secret_that_cannot_be_had(tmp_path: Path, form: object, expected: str) -> None:
    """The variable or file is named, the value never."""
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "lines").write_text(f"{MARKER}\n{MARKER}\n")
    (tmp_path / "bytes").write_bytes(MARKER.encode() + b"\xff")
    (tmp_path / "large").write_text(MARKER * 1000)
    environ = {"EMPTY": "", "LINES": f"{MARKER}\n{MARKER}", "BYTES": f"{MARKER}\udcff"}
    said = complaint(site({"password": form}), environ=environ, folder=tmp_path)
    assert said == f"password: {expected}"
    assert MARKER not in said


def test_numbers_need_quotes() -> None:
    """YAML reads 0042 as 42: the person must say which text is meant."""
    assert complaint(site({"username": 42})) == (
        "username: text is expected here, not a number; put it in quotes"
    )
    assert complaint(site({"password": 42}), allow_plain_secrets=True) == (
        "password: text is expected here, not a number; put it in quotes"
    )


@pytest.mark.parametrize(
    "mapping",
    [
        site({"password": MARKER}),
        site({"username": "me", "password": [MARKER]}),
        site({"pass-word": MARKER}),
        site({f"password:{MARKER}": None}),
        site({f"pass-word {MARKER}": None}),
        site({}, password=MARKER),
        site({}, **{f"password:{MARKER}": None}),
        site({"url": f"toy://me:{MARKER}@one"}),
        site({"url": f"toy://me:{MARKER}/x@one?y"}),
        site({"url": f"toy://me:x?{MARKER}@one"}),
        site({"url": f"toy://{MARKER}@one"}),
        site({"password": {"env": "PASS_WORD"}}, options={"fault": "bug"}),
        site({"password": {"env": "PASS_WORD"}, "token": 1}),
        site({"password": {"env": "PASS_WORD"}}, outputs={"kitchen": {"module": 17}}),
        {"devices": [MARKER]},
        {"devices": [{"id": "house", "adapters": [MARKER]}]},
    ],
    ids=range(16),
)
def test_no_complaint_repeats_a_secret(mapping: dict[str, Any]) -> None:
    """Whatever was mistyped or mishandled, the password stays out of messages, reprs and tracebacks."""
    with pytest.raises(SiteError) as caught:
        read(mapping, environ={"PASS_WORD": MARKER})
    fault = caught.value
    assert MARKER not in repr(fault) + str(fault) + repr(fault.problems) + repr(fault.args)
    assert MARKER not in "".join(traceback.format_exception(fault))


@pytest.mark.parametrize(
    "text",
    [
        f"devices: [{{password: *{MARKER}}}]",
        f"devices: [{{password: !{MARKER}}}]",
        f"devices: [{{password: !{MARKER}!x y}}]",
        f"devices: [{{password: @{MARKER}}}]",
        f"devices: [{{password: &{MARKER}!}}]",
        f"devices: [{{password: %{MARKER}}}]",
        f"devices: [{{password: '{MARKER}}}]",
        f'devices: [{{password: "\\q{MARKER}"}}]',
        f"devices: [{{password: {MARKER}: x}}]",
        f"devices: [{{password:{MARKER}, password:{MARKER}}}]",
        f"devices: [{{password:{MARKER}: !x y}}]",
        f"devices: [{{password:{MARKER}}}]",
        f"password: |{MARKER}\n",
        f"password: {MARKER}\n\tx: y\n",
        f"password: {MARKER}\x01\n",
    ],
)
def test_no_complaint_about_yaml_repeats_a_secret(tmp_path: Path, text: str) -> None:
    """A password that needed quotes breaks the file; the message about it does not show it."""
    path = tmp_path / "site.yaml"
    path.write_text(text)
    with pytest.raises(SiteError) as caught:
        load_site(path, FAMILIES)
    assert MARKER not in str(caught.value) + repr(caught.value)
    assert MARKER not in "".join(traceback.format_exception(caught.value))


def test_no_repr_shows_a_secret() -> None:
    """Specs and sources end up in logs and diagnostics."""
    source = SecretSource(environ={"PASS_WORD": MARKER})
    spec = read_site(
        site({"username": {"env": "PASS_WORD"}, "password": {"env": "PASS_WORD"}}), FAMILIES, secrets=source
    )
    driver = dataclasses.replace(spec.devices[0].drivers[0], options=MARKER)
    spec = dataclasses.replace(spec, devices=(dataclasses.replace(spec.devices[0], drivers=(driver,)),))
    assert MARKER not in repr(spec) + repr(source) + str(spec)
    assert str(os.environ) not in repr(SecretSource())
