"""A tree of short texts, drawn with lines for a terminal, or as nested lists of HTML."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.cells import cell_len

NARROWEST = 24
"""A text is never given fewer columns than these, however deep it stands."""


LONGEST_WORD = 10
"""A run of so many characters without a space is a word, and stays whole; a longer one may be a Chinese sentence."""


@dataclass(frozen=True, slots=True)
class Branch:
    """A text, whose further lines are indented, and what stands below it."""

    text: str
    children: tuple[Branch, ...] = ()


def draw(branches: Sequence[Branch], width: int = 100) -> str:
    """The tree as lines of text, none wider than `width` columns unless a single word is.

    Parameters
    ----------
    branches : sequence of Branch
        The roots.
    width : int
        Columns; a Chinese character takes two.

    Examples
    --------
    >>> print(draw([Branch("closure", (Branch("strike c1"), Branch("strike c2")))]))
    closure
    ├─ strike c1
    └─ strike c2
    """
    lines: list[str] = []
    for root in branches:
        lines.extend(_lines(root, "", "", width))
    return "\n".join(lines)


def _lines(branch: Branch, first: str, rest: str, width: int) -> Iterator[str]:
    lead, indent = first, rest + ("│  " if branch.children else "   ")
    for text in branch.text.split("\n"):
        for line in wrap(text, *(max(width - cell_len(part), NARROWEST) for part in (lead, indent))):
            yield (lead + line).rstrip()
            lead = indent
    for number, child in enumerate(branch.children, 1):
        last = number == len(branch.children)
        yield from _lines(child, rest + ("└─ " if last else "├─ "), rest + ("   " if last else "│  "), width)


def wrap(text: str, first: int, rest: int) -> list[str]:
    """Break a text into lines of so many columns: at spaces, and between Chinese characters.

    Examples
    --------
    >>> wrap("one two three", 8, 8)
    ['one two', 'three']
    """
    lines: list[str] = []
    line, room = "", first
    for piece in _pieces(text):
        if line.strip() and cell_len(line + piece.rstrip()) > room:
            lines.append(line.rstrip())
            line, room = "", rest
            piece = piece.lstrip()
        line += piece
    lines.append(line.rstrip())
    return lines


def _pieces(text: str) -> Iterator[str]:
    """The parts of a text between which a line may end; each keeps the spaces after it."""
    for word in re.findall(r" *[^ ]+ *", text):
        piece = ""
        for character, following in zip(word, word[1:] + " ", strict=True):
            piece += character
            chinese = _wide(character) or _wide(following)
            if chinese and following not in _CLOSING and character not in _OPENING and len(word) > LONGEST_WORD:
                yield piece
                piece = ""
        if piece:
            yield piece


_CLOSING = "，。；：、）》」』”！？%· "
_OPENING = "（《「『“"


def _wide(character: str) -> bool:
    return cell_len(character) == 2


def to_html(branches: Sequence[Branch], language: str) -> str:
    """The tree as nested lists, of which those below the second level can be folded.

    Examples
    --------
    >>> to_html([Branch("a < b")], "en")
    '<div lang="en" class="strikeout-tree"><ul><li>a &lt; b</li></ul></div>'
    """
    return f'<div lang="{language}" class="strikeout-tree">{_list(branches, 0)}</div>'


def _list(branches: Sequence[Branch], level: int) -> str:
    return f"<ul>{''.join(_item(branch, level) for branch in branches)}</ul>"


def _item(branch: Branch, level: int) -> str:
    text = html.escape(branch.text).replace("\n", "<br>")
    if not branch.children:
        return f"<li>{text}</li>"
    opened = " open" if level < 4 else ""
    return f"<li><details{opened}><summary>{text}</summary>{_list(branch.children, level + 1)}</details></li>"
