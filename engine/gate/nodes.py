"""The nodes that a YAML text is read into: scalars, mappings and sequences that know their place.

Of a scalar every character of its text knows where it was written, also in quotes, escaped, or folded over lines.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass

from ..ground.problems import Span

_BREAKS = "\n\x85\N{LINE SEPARATOR}\N{PARAGRAPH SEPARATOR}"
_BLANKS = re.compile(rf"[ \t\r{_BREAKS}]+")
_BREAK = re.compile(rf"\r\n|[\r{_BREAKS}]")
_ESCAPED = {"x": 4, "u": 6, "U": 10}


@dataclass(frozen=True, slots=True)
class Scalar:
    """A scalar: its text, whether it was quoted (or a block), and where it stands.

    `refused` says that a problem of the scalar itself has been recorded: nothing more is to be said of it. A scalar cut
    out of another one has that one in `whole`, with the place in its text.
    """

    text: str
    quoted: bool
    span: Span
    refused: bool = False
    whole: tuple[Scalar, int] | None = None

    @property
    def is_null(self) -> bool:
        """Whether it is YAML's null: nothing, `~` or `null`, unquoted."""
        return not self.quoted and self.text in ("", "~", "null")

    def within(self, start: int, end: int) -> Span:
        """The span in the source of the characters from `start` to `end` of the text."""
        if self.whole is not None:
            outer, offset = self.whole
            return outer.within(offset + start, offset + end)
        source, base, raw = self.span.source, self.span.start, self.span.text
        if raw == self.text:
            return Span(source, base + start, base + max(start, end))
        places = _places(raw, self.text)
        if not places:
            return self.span
        first = places[min(start, len(places) - 1)][0]
        last = places[min(max(end - 1, start), len(places) - 1)][1]
        return Span(source, base + first, base + last)

    def part(self, start: int, end: int) -> Scalar:
        """The scalar cut out from `start` to `end` of the text, such as a default out of a field's type."""
        return Scalar(self.text[start:end], True, self.within(start, end), whole=(self, start))


@dataclass(frozen=True, slots=True)
class Mapping:
    """A mapping: its pairs in order, keys unique and scalar; `partial` says that a key was refused and left out."""

    pairs: tuple[tuple[Scalar, Node], ...]
    span: Span
    partial: bool = False

    def get(self, key: str) -> Node | None:
        """The node under a key."""
        return next((value for name, value in self.pairs if name.text == key), None)

    def key(self, key: str) -> Scalar | None:
        """The key itself, with its place."""
        return next((name for name, _ in self.pairs if name.text == key), None)

    def __iter__(self) -> Iterator[tuple[Scalar, Node]]:
        return iter(self.pairs)


@dataclass(frozen=True, slots=True)
class Sequence:
    """A sequence of nodes."""

    items: tuple[Node, ...]
    span: Span

    def __iter__(self) -> Iterator[Node]:
        return iter(self.items)


Node = Scalar | Mapping | Sequence


@functools.lru_cache(maxsize=32)
def _places(raw: str, text: str) -> tuple[tuple[int, int], ...]:
    """For each character of a scalar's text from where to where it was written, counted from the scalar's start."""
    style = raw[:1]
    if style in ("|", ">"):
        places = _block_places(raw, text)
    elif style in ('"', "'") and len(raw) > 1:
        places = _flow_places(raw, 1, len(raw) - 1, style)
    else:
        places = _flow_places(raw, 0, len(raw), "")
    return tuple(places) if len(places) == len(text) else ()


def _flow_places(raw: str, at: int, end: int, quote: str) -> list[tuple[int, int]]:
    """Places in a plain or quoted scalar: lines are folded, a quote is doubled, a backslash escapes."""
    places = []
    while at < end:
        if quote == '"' and raw[at] == "\\":
            following = raw[at + 1 : at + 2]
            if following and following in "\r" + _BREAKS:
                stop = _after_blanks(raw, at + 1, end)
                places.extend([(at, stop)] * (len(_BREAK.findall(raw, at + 1, stop)) - 1))
            else:
                stop = at + _ESCAPED.get(following, 2)
                places.append((at, stop))
        elif raw[at] in " \t\r" or raw[at] in _BREAKS:
            stop = _after_blanks(raw, at, end)
            breaks = len(_BREAK.findall(raw, at, stop))
            if breaks:
                places.extend([(at, stop)] * max(1, breaks - 1))
            else:
                places.extend((place, place + 1) for place in range(at, stop))
        else:
            stop = at + (2 if quote == "'" and raw[at] == "'" else 1)
            places.append((at, stop))
        at = stop
    return places


def _after_blanks(raw: str, at: int, end: int) -> int:
    found = _BLANKS.match(raw, at, end)
    return found.end() if found else at


def _block_places(raw: str, text: str) -> list[tuple[int, int]]:
    """Places in a block scalar, whose characters but blanks stand one by one below its header."""
    header = _BREAK.search(raw)
    at = header.end() if header else len(raw)
    places = []
    for character in text:
        if character in " \t\r" or character in _BREAKS:
            places.append((at, min(at + 1, len(raw))))
            continue
        at = max(raw.find(character, at), at)
        places.append((at, at + 1))
        at += 1
    return places
