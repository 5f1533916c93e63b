"""Server-sent events: lines in, events out. Pure, as far as the command line needs the format."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Sent(NamedTuple):
    """One event of a stream. A comment (a hub's sign of life) has no kind."""

    kind: str
    data: str
    id: str


COMMENT = Sent("", "", "")


def events(lines: Iterable[bytes]) -> Iterator[Sent]:
    """The events of a stream, comments included; what the stream ends in the middle of is dropped."""
    kind, ident = "message", ""
    data: list[str] = []
    for raw in lines:
        line = raw.decode("utf-8", "replace").rstrip("\r\n")
        if not line:
            if data:
                yield Sent(kind, "\n".join(data), ident)
            kind, data = "message", []
            continue
        name, _, text = line.partition(":")
        text = text.removeprefix(" ")
        if not name:
            yield COMMENT
        elif name == "event":
            kind = text
        elif name == "data":
            data.append(text)
        elif name == "id":
            ident = text
