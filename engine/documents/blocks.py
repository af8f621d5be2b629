"""What a document consists of, whatever it is written as: headings, paragraphs, lists, tables, code and pictures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Code:
    """A name or a piece of the language inside a text."""

    text: str


Text = tuple[str | Code, ...]
"""A line of text: plain words, as they are, and code. Nothing in it is markup."""


def text(*parts: str | Code | Text) -> Text:
    """A text of its parts; what is empty is left out.

    >>> text("the kind ", Code("strike"), "")
    ('the kind ', Code(text='strike'))
    """
    found: list[str | Code] = []
    for part in parts:
        found.extend(part if isinstance(part, tuple) else (part,))
    return tuple(part for part in found if part != "")


def joined(separator: str, texts: Iterable[Text]) -> Text:
    """Texts with a separator between them.

    >>> joined(", ", [("a",), (Code("b"),)])
    ('a', ', ', Code(text='b'))
    """
    found: list[str | Code] = []
    for number, part in enumerate(texts):
        if number:
            found.append(separator)
        found.extend(part)
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading: 1 is the document's title, 2 a section, 3 a part of one. `anchor` is unique in the document."""

    level: int
    text: Text
    anchor: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph."""

    text: Text


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list."""

    texts: tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class Terms:
    """Terms, each with what it stands for: one text, or several that are listed."""

    pairs: tuple[tuple[str, tuple[Text, ...]], ...]

    @classmethod
    def of(cls, pairs: Iterable[tuple[str, Sequence[Text]]]) -> Terms:
        """Terms; those that stand for nothing are left out."""
        return cls(tuple((term, tuple(texts)) for term, texts in pairs if texts))


@dataclass(frozen=True, slots=True)
class Table:
    """A table, with a caption where it does not stand right below its heading."""

    headings: tuple[str, ...]
    rows: tuple[tuple[Text, ...], ...]
    caption: str = ""

    @classmethod
    def of(cls, headings: Iterable[str], rows: Iterable[Sequence[Text]], caption: str = "") -> Table:
        """A table of rows; a column in which every cell is empty is left out."""
        heads, cells = tuple(headings), [tuple(row) for row in rows]
        kept = [place for place in range(len(heads)) if any(row[place] for row in cells)]
        return cls(
            tuple(heads[place] for place in kept),
            tuple(tuple(row[place] for place in kept) for row in cells),
            caption,
        )


@dataclass(frozen=True, slots=True)
class Listing:
    """Lines of code, as they are written."""

    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Figure:
    """A picture as SVG; what it shows stands in the document as a table too."""

    svg: str


Block = Heading | Paragraph | Bullets | Terms | Table | Listing | Figure
