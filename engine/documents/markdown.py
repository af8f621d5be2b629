"""Documents as Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from .blocks import Block, Bullets, Code, Figure, Heading, Listing, Paragraph, Table, Terms, Text

_SPECIAL = re.compile(r"([\\`*\[\]<>])|&(?=#?\w+;)|(?<!\w)_|_(?!\w)")
_AT_START = re.compile(r"^(#|[-+=~]|\d+[.)])")


def markdown(blocks: Iterable[Block]) -> str:
    r"""A document as Markdown. Texts are escaped, so that they read as they are; pictures are left out.

    Examples
    --------
    >>> from .blocks import text
    >>> print(markdown([Heading(1, text("A *policy*"), "top"), Paragraph(text("of ", Code("a|b")))]), end="")
    # A \*policy\*
    <BLANKLINE>
    of `a|b`
    """
    return "\n".join(line for block in blocks for line in _lines(block)).rstrip() + "\n"


def _lines(block: Block) -> Iterator[str]:
    match block:
        case Heading(level=level, text=text):
            yield f"{'#' * level} {inline(text)}"
        case Paragraph(text=text):
            yield _AT_START.sub(r"\\\1", inline(text))
        case Bullets(texts=texts):
            yield from (f"- {inline(text)}" for text in texts)
        case Terms(pairs=pairs):
            for term, texts in pairs:
                if len(texts) == 1:
                    yield f"- **{inline((term,))}**: {inline(texts[0])}"
                else:
                    yield f"- **{inline((term,))}**:"
                    yield from (f"  - {inline(text)}" for text in texts)
        case Table():
            yield from _table(block)
        case Listing(lines=lines):
            fence = "```" if not any("```" in line for line in lines) else "~~~~"
            yield fence
            yield from lines
            yield fence
        case Figure():
            return
    yield ""


def _table(table: Table) -> Iterator[str]:
    if table.caption:
        yield inline((table.caption,))
        yield ""
    yield f"| {' | '.join(_cell((heading,)) for heading in table.headings)} |"
    yield f"|{'|'.join(' --- ' for _ in table.headings)}|"
    for row in table.rows:
        yield f"| {' | '.join(_cell(cell) for cell in row)} |"


def _cell(text: Text) -> str:
    return inline(text).replace("|", "\\|")


def inline(text: Text) -> str:
    r"""A line of text.

    >>> inline(("a <b> and ", Code("c_d")))
    'a \\<b\\> and `c_d`'
    """
    return "".join(_code(part.text) if isinstance(part, Code) else _plain(part) for part in text)


def _plain(text: str) -> str:
    return _SPECIAL.sub(lambda found: f"\\{found.group()}", re.sub(r"\s+", " ", text))


def _code(text: str) -> str:
    shown = " ".join(text.split())
    if "`" not in shown:
        return f"`{shown}`"
    return f"`` {shown} ``" if "``" not in shown else _plain(shown)
