"""Events of a YAML parser become plain values and their lines.

It takes the parser's events, not its values: a person's file may hold one key twice, refer to itself, or repeat
a line a million times through aliases, and each of these must end in a sentence with a line number.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ruamel.yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    DocumentStartEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
)

from holdfast.hub.site.lines import Lines
from holdfast.hub.site.plain import DEEPEST
from holdfast.hub.site.problems import Findings, Place, Problem, cut, shown
from holdfast.hub.site.scalar import resolved

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ruamel.yaml.events import Event

MOST_VALUES = 1_000_000
"""Values once all aliases are followed: 10,000 devices have fewer, six steps of ten aliases each have more."""

_TEXT_TAGS = ("!", "tag:yaml.org,2002:str")
_IDLE_TAGS = tuple(f"tag:yaml.org,2002:{kind}" for kind in ("int", "float", "bool", "null", "map", "seq"))


@dataclass(frozen=True, slots=True)
class _Node:
    """A finished value; ``size`` counts the values in it."""

    value: Any
    lines: Lines
    size: int = 1


class Composer:
    """Makes the value of one document. What is wrong with single values is noted; what is hopeless is raised."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._events: Iterator[Event] = iter(())
        self._anchors: dict[str, _Node | None] = {}

    def compose(self, events: Iterable[Event]) -> tuple[Any, Lines]:
        """The document's value and lines; an empty document is ``None``."""
        self._events = iter(events)
        root = _Node(None, Lines(1))
        documents = 0
        for event in self._events:
            if isinstance(event, DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self._note((), event, "a second document begins here", "leave out the line '---'")
                    break
            elif isinstance(event, NodeEvent):
                root = self._node(event, (), 0)
        return root.value, root.lines

    def _node(self, event: Event, place: Place, depth: int) -> _Node:
        """The value that begins with ``event``; takes the events up to its end."""
        if isinstance(event, AliasEvent):
            return self._repeated(event, place)
        anchor: str | None = event.anchor if isinstance(event, NodeEvent) else None
        if anchor:
            self._anchors[anchor] = None  # known, but not finished: whoever asks now is inside it
        tag = getattr(event, "tag", None)
        if tag is not None and tag not in (*_TEXT_TAGS, *_IDLE_TAGS):
            self._note(
                place, event, "words that begin with '!' mean nothing here", "leave it out or quote it"
            )
        if isinstance(event, ScalarEvent):
            is_word = not event.style and tag not in _TEXT_TAGS
            node = _Node(resolved(event.value) if is_word else event.value, Lines(_line(event)))
        elif depth >= DEEPEST:
            self._note(place, event, f"this is nested more than {DEEPEST} levels deep")
            raise self._findings.error()
        elif isinstance(event, MappingStartEvent):
            node = self._mapping(event, place, depth)
        else:
            node = self._list(event, place, depth)
        if anchor:
            self._anchors[anchor] = node
        return node

    def _list(self, start: Event, place: Place, depth: int) -> _Node:
        values: list[Any] = []
        lines = Lines(_line(start))
        size = 1
        while not isinstance(event := next(self._events), CollectionEndEvent):
            node = self._node(event, (*place, len(values)), depth + 1)
            lines.inside[len(values)] = Lines(_line(event), node.lines.inside)
            values.append(node.value)
            size += node.size
        return self._counted(_Node(values, lines, size), start, place)

    def _mapping(self, start: Event, place: Place, depth: int) -> _Node:
        values: dict[str | int, Any] = {}
        lines = Lines(_line(start))
        size = 1
        while not isinstance(event := next(self._events), CollectionEndEvent):
            key = self._key(event, place, depth)
            node = self._node(next(self._events), place if key is None else (*place, key), depth + 1)
            if key is None:
                continue
            if key in values:
                text = f"the key {shown(cut(key) if isinstance(key, str) else key)} stands here a second time"
                advice = f"the first is on line {lines.inside[key].line}; keep one of them"
                self._note((*place, key), event, text, advice)
                continue
            lines.inside[key] = Lines(_line(event), node.lines.inside)
            values[key] = node.value
            size += node.size
        return self._counted(_Node(values, lines, size), start, place)

    def _key(self, event: Event, place: Place, depth: int) -> str | int | None:
        key = self._node(event, place, depth + 1).value
        if key == "<<":
            self._note(place, event, "merging with '<<' is not supported", "write the keys out")
        elif isinstance(key, str) or (isinstance(key, int) and not isinstance(key, bool)):
            return key
        else:
            what = "nothing" if key is None else shown(key)
            self._note(place, event, f"{what} cannot be a key", "use text (in quotes) or a whole number")
        return None

    def _repeated(self, event: AliasEvent, place: Place) -> _Node:
        # The alias is not named: a password that begins with '*' and lacks its quotes looks like one.
        if event.anchor not in self._anchors:
            self._note(place, event, "nothing is known by this alias (a word beginning with '*')", "quote it")
            return _Node(None, Lines(_line(event)))
        node = self._anchors[event.anchor]
        if node is None:
            self._note(place, event, "this alias (a word beginning with '*') stands inside what it repeats")
            raise self._findings.error()
        return node

    def _counted(self, node: _Node, start: Event, place: Place) -> _Node:
        if node.size > MOST_VALUES:
            self._note(place, start, f"this makes more than {MOST_VALUES:,} values", "use fewer aliases")
            raise self._findings.error()
        return node

    def _note(self, place: Place, event: Event, text: str, advice: str = "") -> None:
        self._findings.add(Problem(place, text, advice, _line(event)))


def _line(event: Event) -> int:
    line: int = event.start_mark.line
    return line + 1
