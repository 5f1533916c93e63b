"""A YAML parser's complaints in the words of somebody who writes site files."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from ruamel.yaml.error import YAMLError


class _Wording(NamedTuple):
    """Where the parser says ``problem`` (while doing ``context``), people are told this.

    ``{start}`` in the advice stands for the line where the context began; with ``is_at_start`` that is the line
    to look at, and not the one where the parser gave up.
    """

    problem: str
    context: str
    text: str
    advice: str
    is_at_start: bool = False


# Looked up from the top. None repeats what stands in the file: it may be half of a password.
_WORDINGS = (
    _Wording("found character '\\t'", "", "a tab stands here", "indent with spaces"),
    _Wording(
        "that cannot start any token", "", "a value cannot begin with this character", "put it in quotes"
    ),
    _Wording(
        "found unexpected end of stream",
        "quoted scalar",
        "a quote is opened here and never closed",
        "close it",
        True,
    ),
    _Wording(
        "unknown escape character", "", "'\\' means something special in double quotes", "use single quotes"
    ),
    _Wording(
        "expected ',' or ']'", "", "a list in '[' is not closed or lacks a comma", "it begins on line {start}"
    ),
    _Wording(
        "expected ',' or '}'",
        "",
        "a mapping in '{' is not closed or lacks a comma",
        "it begins on line {start}",
    ),
    _Wording(
        "could not find expected ':'",
        "",
        "a key stands here without its colon",
        "write 'key: value', with a space behind the colon",
        True,
    ),
    _Wording(
        "mapping values are not allowed here",
        "",
        "a second 'key:' stands where only a value can",
        "check the indentation, or put text with ': ' in quotes",
    ),
    _Wording(
        "expected <block end>", "", "this line does not fit the ones above it", "check indentation and quotes"
    ),
    _Wording("sequence entries are not allowed here", "", "a '- ' cannot stand here", "begin a line with it"),
    _Wording(
        "undefined tag handle", "", "words that begin with '!' mean nothing here", "leave it out or quote it"
    ),
    _Wording("", "tag", "words that begin with '!' mean nothing here", "leave it out or quote it"),
    _Wording("", "alias", "nothing is known by this alias (a word beginning with '*')", "quote it"),
    _Wording("", "anchor", "this is no anchor (a word beginning with '&')", "quote it"),
    _Wording("", "directive", "this is no directive (a line beginning with '%')", "leave the line out"),
    _Wording("", "block scalar", "'|' and '>' begin text of several lines", "put the value in quotes"),
    _Wording("incompatible YAML document", "", "this is no version of YAML", "leave the line out"),
    _Wording(
        "expected the node content", "", "a value is missing here, or a bracket is too many", "check the line"
    ),
)
_ANYTHING = _Wording("", "", "this is not YAML", "check indentation, quotes and brackets")


def explained(fault: YAMLError, text: str) -> tuple[str, str, int]:
    """What is wrong in ``text``, what would be right, and the line."""
    position = getattr(fault, "position", None)
    if position is not None:  # a character that the reader refuses; it knows an offset and no line
        what = f"the character U+{ord(text[position]):04X} cannot stand in YAML"
        return what, "delete it", text.count("\n", 0, position) + 1
    problem = str(getattr(fault, "problem", "") or "")
    context = str(getattr(fault, "context", "") or "")
    wording = next(
        (each for each in _WORDINGS if each.problem in problem and each.context in context), _ANYTHING
    )
    end, start = _line(fault, "problem_mark", text), _line(fault, "context_mark", text)
    line = start if wording.is_at_start else end
    return wording.text, wording.advice.format(start=start or end), line or end or 1


def _line(fault: YAMLError, mark: str, text: str) -> int | None:
    """The line of a mark; the end of a file counts as its last line."""
    found = getattr(fault, mark, None)
    return None if found is None else min(found.line + 1, len(text.splitlines()) or 1)
