"""Site files: YAML 1.2 with a line number for everything. Needs the extra ``hub``, and only when called."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from holdfast.hub.site.problems import Findings, Problem, SiteError
from holdfast.hub.site.read import read_site
from holdfast.hub.site.secret import SecretSource
from holdfast.hub.site.syntax import explained

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from ruamel.yaml.events import Event

    from holdfast.hub.site.problems import Locate
    from holdfast.hub.site.spec import SiteSpec
    from holdfast.link.driver import Family

LARGEST_FILE = 16_000_000
"""Bytes; a device takes about 500, a hub carries some thousands."""


@dataclass(frozen=True, slots=True)
class YamlFile:
    """What a YAML file holds, in plain values, and where. ``source`` is the file as the person named it."""

    value: Any
    locate: Locate
    source: str


def load_site(
    path: Path, families: Mapping[str, Family], *, environ: Mapping[str, str] | None = None
) -> SiteSpec:
    """Read and check a site file; raises `SiteError` with every problem and its line.

    Secrets come from ``environ`` (the process's own by default) or from files, whose relative paths start at
    the site file's folder; passwords in the file itself are refused. Blocks: call it in a thread.
    """
    file = load_yaml(path)
    folder = path.parent
    secrets = SecretSource(folder=folder) if environ is None else SecretSource(folder=folder, environ=environ)
    return read_site(file.value, families, secrets=secrets, locate=file.locate, source=file.source)


def load_yaml(path: Path) -> YamlFile:
    """Read any YAML file; raises `SiteError` for a file that cannot be read, is empty or is no proper YAML."""
    source = str(path)
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_FILE + 1)
    except FileNotFoundError:
        raise _hopeless(source, "there is no such file", "check the name and the folder") from None
    except (OSError, ValueError) as fault:
        why = (isinstance(fault, OSError) and fault.strerror) or "not a usable path"
        raise _hopeless(source, f"the file cannot be read ({why})") from None
    if len(data) > LARGEST_FILE:
        raise _hopeless(source, f"the file has more than {LARGEST_FILE:,} bytes")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        line = data.count(b"\n", 0, fault.start) + 1
        raise _hopeless(source, "the file is not UTF-8 text", "save it as UTF-8", line) from None
    return parse_yaml(text, source)


def parse_yaml(text: str, source: str) -> YamlFile:
    """The same for text that has been read already."""
    try:
        from ruamel.yaml.error import YAMLError

        from holdfast.hub.site.compose import Composer
    except ModuleNotFoundError:
        advice = "pip install 'holdfast[hub]'"
        raise _hopeless(source, "reading YAML needs the extra 'hub'", advice) from None
    findings = Findings(source)
    try:
        value, lines = Composer(findings).compose(_events(text, source))
    except YAMLError as fault:
        what, advice, line = explained(fault, text)
        raise _hopeless(source, what, advice, line) from None
    findings.raise_any()
    if value is None:
        raise _hopeless(source, "there is nothing in this file", "begin with the keys site and devices", 1)
    return YamlFile(value, lines, source)


def _events(text: str, source: str) -> Iterator[Event]:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    line = 1
    try:
        for event in YAML(typ="safe", pure=True).parse(text):
            line = event.start_mark.line + 1
            yield event
    except (YAMLError, SiteError):
        raise
    except Exception:  # noqa: BLE001  the parser trips over some directives and escapes
        raise _hopeless(source, "this is not YAML", "look from this line on", line) from None


def _hopeless(source: str, text: str, advice: str = "", line: int | None = None) -> SiteError:
    return SiteError([Problem((), text, advice, line)], source)
