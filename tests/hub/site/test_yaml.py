"""Site files as YAML: what words mean, on which line they stand, and what is said about broken files."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from holdfast.hub.site import SiteError, load_site, load_yaml, parse_yaml
from tests.hub.site.toy import FAMILIES


def complaints(text: str) -> list[str]:
    with pytest.raises(SiteError) as caught:
        parse_yaml(text, "site.yaml")
    return str(caught.value).splitlines()


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("on", "on"),
        ("yes", "yes"),
        ("Off", "Off"),
        ("n", "n"),
        ("true", True),
        ("False", False),
        ("", None),
        ("~", None),
        ("null", None),
        ("12", 12),
        ("-012", -12),
        ("0o17", 15),
        ("0x1F", 31),
        ("1_000", "1_000"),
        ("12:30", "12:30"),
        ("18.0", 18.0),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("-.inf", float("-inf")),
        ("2026-01-01", "2026-01-01"),
        ("'12'", "12"),
        ('"on"', "on"),
        ("!!str 12", "12"),
        ("! 12", "12"),
        ("!!int 12", 12),
        ("74 °F", "74 °F"),
        ("1" * 5000, "1" * 5000),
        ("=", "="),
    ],
)
def test_words_mean_what_yaml_1_2_says(word: str, value: object) -> None:
    """The core schema and nothing else: no `yes`, no dates, no base 60."""
    found = parse_yaml(f"key: {word}\n", "site.yaml").value["key"]
    assert found == value
    assert type(found) is type(value)


def test_a_newer_or_older_directive_changes_no_meaning() -> None:
    """`yes` is text even where the file says that it is YAML 1.1."""
    assert parse_yaml("%YAML 1.1\n---\nkey: yes\n", "site.yaml").value == {"key": "yes"}


def test_keys_may_be_numbers() -> None:
    """`modules:` and `batteries:` count things."""
    assert parse_yaml("{6: a, '6': b, 0x7: c}\n", "site.yaml").value == {6: "a", "6": "b", 7: "c"}


def test_every_value_knows_its_line() -> None:
    """A value stands on the line of its key; what is missing stands where it should be."""
    file = parse_yaml(
        """\
# a comment
site:
  name: >
    two
    lines
devices:
- id: a
  modules: {6: {kind: x}}
- &b
  id: b
- [1,
   2]
- *b
""",
        "site.yaml",
    )
    assert {path: file.locate(path) for path in LINES} == LINES
    assert file.value["site"] == {"name": "two lines\n"}
    assert file.value["devices"][1] == file.value["devices"][3] == {"id": "b"}


LINES: dict[tuple[str | int, ...], int] = {
    (): 2,
    ("site",): 2,
    ("site", "name"): 3,
    ("site", "missing"): 2,
    ("devices",): 6,
    ("devices", 0): 7,
    ("devices", 0, "id"): 7,
    ("devices", 0, "modules", 6, "kind"): 8,
    ("devices", 0, "missing", 5): 7,
    ("devices", 1): 9,
    ("devices", 1, "id"): 10,
    ("devices", 2, 0): 11,
    ("devices", 2, 1): 12,
    ("devices", 3): 13,
    ("devices", 3, "id"): 10,
    ("devices", 4): 6,
}


SECOND_KEY = (
    "a second 'key:' stands where only a value can; check the indentation, or put text with ': ' in quotes"
)
NO_TAG = "words that begin with '!' mean nothing here; leave it out or quote it"
NO_ALIAS = "nothing is known by this alias (a word beginning with '*'); quote it"
NO_KEY = "cannot be a key; use text (in quotes) or a whole number"
QUOTE_IT = "a value cannot begin with this character; put it in quotes"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "1: there is nothing in this file; begin with the keys site and devices"),
        ("# nothing\n---\n", "1: there is nothing in this file; begin with the keys site and devices"),
        ("a:\n\tb: 1\n", "2: a tab stands here; indent with spaces"),
        (
            "a: 1\na: 2\n",
            "2: a: the key 'a' stands here a second time; the first is on line 1; keep one of them",
        ),
        (
            "a:\n- b: 1\n  b: 2\n",
            "3: a[0].b: the key 'b' stands here a second time; the first is on line 2; keep one of them",
        ),
        (
            "{6: 1,\n6: 2}\n",
            "2: [6]: the key 6 stands here a second time; the first is on line 1; keep one of them",
        ),
        ("a: b: c\n", f"1: {SECOND_KEY}"),
        ("a: 1\n  b: 2\n", f"2: {SECOND_KEY}"),
        ("a: [1, 2\nb: 3\n", "2: a list in '[' is not closed or lacks a comma; it begins on line 1"),
        ("a: {b: 1\nc: 2\n", "2: a mapping in '{' is not closed or lacks a comma; it begins on line 1"),
        ("a: [1,\n2,", "2: a value is missing here, or a bracket is too many; check the line"),
        ("a: 1\nb: 'x\nc: 2\n", "2: a quote is opened here and never closed; close it"),
        ('a: "C:\\q"\n', "1: '\\' means something special in double quotes; use single quotes"),
        (
            "a: 1\nb:2\nc: 3\n",
            "2: a key stands here without its colon; write 'key: value', with a space behind the colon",
        ),
        ("- a\nb: 1\n", "2: this line does not fit the ones above it; check indentation and quotes"),
        ("a: - b\n", "1: a '- ' cannot stand here; begin a line with it"),
        ("a: }\n", "1: a value is missing here, or a bracket is too many; check the line"),
        ("a: @b\n", f"1: {QUOTE_IT}"),
        ("a: %b\n", f"1: {QUOTE_IT}"),
        ("a: !b c\n", f"1: a: {NO_TAG}"),
        ("a: !b!c d\n", f"1: {NO_TAG}"),
        ("a: !<\n", f"1: {NO_TAG}"),
        ("a: *b\n", f"1: a: {NO_ALIAS}"),
        ("a: * b\n", f"1: {NO_ALIAS}"),
        ("a: & b\n", "1: this is no anchor (a word beginning with '&'); quote it"),
        ("a: >b\n", "1: '|' and '>' begin text of several lines; put the value in quotes"),
        ("a: &b [*b]\n", "1: a[0]: this alias (a word beginning with '*') stands inside what it repeats"),
        ("a: &b {c: 1}\nd:\n  <<: *b\n", "3: d: merging with '<<' is not supported; write the keys out"),
        ("true: 1\n", f"1: true {NO_KEY}"),
        ("1.5: 1\n", f"1: 1.5 {NO_KEY}"),
        ("? [a]\n: 1\n", f"1: a list {NO_KEY}"),
        ("a:\n  : 1\n", f"2: a: nothing {NO_KEY}"),
        ("a: 1\n---\nb: 2\n", "2: a second document begins here; leave out the line '---'"),
        ("%YAML 3.0\n---\na: 1\n", "1: this is no version of YAML; leave the line out"),
        ("%FOO\n%YAML x\n", "2: this is no directive (a line beginning with '%'); leave the line out"),
        ("a: 1\nb: \x01\n", "2: the character U+0001 cannot stand in YAML; delete it"),
        ("a: 1\nb: \x00\n", "2: the character U+0000 cannot stand in YAML; delete it"),
        ('a: 1\nb: "\\UFFFFFFFF"\n', "2: this is not YAML; look from this line on"),
    ],
)
def test_each_broken_file_has_its_own_sentence(text: str, expected: str) -> None:
    """File and line, what is wrong, what would be right."""
    assert complaints(text) == [f"site.yaml:{expected}"]


def test_several_mistakes_in_one_file() -> None:
    """What does not stop the parser is collected."""
    assert complaints("a: 1\na: 2\nb: !c d\nfalse: 1\n") == [
        "site.yaml:2: a: the key 'a' stands here a second time; the first is on line 1; keep one of them",
        f"site.yaml:3: b: {NO_TAG}",
        f"site.yaml:4: false {NO_KEY}",
    ]


def test_nesting_without_end() -> None:
    """A file of brackets is no stack overflow."""
    [complaint] = complaints("[" * 5000)
    assert complaint.endswith("[0][0][0]: this is nested more than 32 levels deep")


def test_a_billion_laughs() -> None:
    """Aliases of aliases are counted, not followed."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    assert complaints("\n".join(lines)) == [
        "site.yaml:6: a5: this makes more than 1,000,000 values; use fewer aliases"
    ]


def test_no_such_file(tmp_path: Path) -> None:
    """The file is named as the person named it."""
    path = tmp_path / "sita.yaml"
    with pytest.raises(SiteError) as caught:
        load_site(path, FAMILIES)
    assert str(caught.value) == f"{path}: there is no such file; check the name and the folder"


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(SiteError) as caught:
        load_yaml(tmp_path)
    assert str(caught.value) == f"{tmp_path}: the file cannot be read (Is a directory)"


def test_no_usable_path() -> None:
    with pytest.raises(SiteError) as caught:
        load_yaml(Path("a\0b"))
    assert str(caught.value) == "a\0b: the file cannot be read (not a usable path)"


def test_not_utf_8(tmp_path: Path) -> None:
    """A file saved with an old editor names the line of its first wrong letter."""
    path = tmp_path / "site.yaml"
    path.write_bytes("a: 1\nb: 20 °C\n".encode("latin-1"))
    with pytest.raises(SiteError) as caught:
        load_yaml(path)
    assert str(caught.value) == f"{path}:2: the file is not UTF-8 text; save it as UTF-8"


def test_too_large(tmp_path: Path) -> None:
    """Somebody named a disk image."""
    path = tmp_path / "site.yaml"
    with path.open("wb") as file:
        file.truncate(16_000_001)
    with pytest.raises(SiteError) as caught:
        load_yaml(path)
    assert str(caught.value) == f"{path}: the file has more than 16,000,000 bytes"


def test_a_byte_order_mark_and_windows_line_ends_are_fine(tmp_path: Path) -> None:
    """Notepad writes both."""
    path = tmp_path / "site.yaml"
    path.write_bytes("\ufeffdevices: []\r\nsite: {id: cabin}\r\n".encode())
    assert load_site(path, FAMILIES).id == "cabin"


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """One line that names the extra, and no traceback of imports."""
    monkeypatch.setitem(sys.modules, "ruamel.yaml.error", None)
    assert complaints("a: 1\n") == [
        "site.yaml: reading YAML needs the extra 'hub'; pip install 'holdfast[hub]'"
    ]


_PIECES = [
    *"ab1:-?*&!%@`'\"|>#{}[],\n\t \\~<=.",
    "\n  ",
    "- ",
    ": ",
    "%YAML 1.",
    "\\U",
    "---\n",
    "...\n",
    "<<",
    "\x85",
    "\0",
]


@given(st.lists(st.sampled_from(_PIECES), max_size=30).map("".join) | st.text(max_size=30))
@example("%YAML 1.0\n---\n")
@example('"\\UFFFFFFFF"')
def test_any_text_is_a_value_or_a_site_error(text: str) -> None:
    """Nothing of the parser escapes, and a line that is named exists."""
    try:
        file = parse_yaml(text, "site.yaml")
    except SiteError as fault:
        for problem in fault.problems:
            assert problem.line is not None
            assert 1 <= problem.line <= len(text.splitlines()) + 1
    else:
        assert file.value is not None
