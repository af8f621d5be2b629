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


_HIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff]")


def visible(text: str) -> str:
    r"""A text in which nothing moves the cursor, ends the line, turns its direction or hides; such things are escaped.

    Examples
    --------
    >>> print(visible("a\x1b[2Jb"))
    a\x1b[2Jb
    """
    return _HIDDEN.sub(lambda hidden: hidden[0].encode("unicode_escape").decode(), text)


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
        for line in wrap(visible(text), *(max(width - cell_len(part), NARROWEST) for part in (lead, indent))):
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


MOST_ITEMS = 500
"""How many texts of a tree a page shows."""
MOST_TEXT = 1_000
"""How many characters of a text a page shows."""
# The texts of items stand under each other, whether or not these can be folded. Notebooks have rules of their own.
_STYLE = (
    "<style>.strikeout-tree{overflow-wrap:anywhere;line-height:1.5}"
    ".strikeout-tree ul{list-style:none!important;margin:0 0 0 .3em!important;padding:0 0 0 .7em!important;"
    "border-left:1px solid rgba(127,127,127,.35)}"
    ".strikeout-tree>ul{margin:0!important;padding:0!important;border:0}"
    ".strikeout-tree li{padding-left:1em;margin:0!important}.strikeout-tree li>details{margin-left:-1em}</style>"
)


def to_html(branches: Sequence[Branch], language: str, most: int = MOST_ITEMS) -> str:
    """The tree as nested lists, of which those below the second level can be folded.

    Parameters
    ----------
    branches : sequence of Branch
        The roots.
    language : str
        The language of the texts, `zh` or `en`.
    most : int
        How many texts are shown; where there are more, a last line says how many.

    Examples
    --------
    >>> page = to_html([Branch("a < b")], "en")
    >>> page.startswith('<div lang="en" class="strikeout-tree"'), "a &lt; b</li>" in page
    (True, True)
    """
    left = [most]
    made = _list(branches, 0, left)
    more = max(0, -left[0])
    told = (f"… 另有 {more:,} 行" if language == "zh" else f"… and {more:,} more") if more else ""
    below = f"<p>{told}</p>" if told else ""
    return f'<div lang="{language}" class="strikeout-tree">{_STYLE}{made}{below}</div>'


def _list(branches: Sequence[Branch], level: int, left: list[int]) -> str:
    items = "".join(_item(branch, level, left) for branch in branches)
    return f"<ul>{items}</ul>" if items else ""


def _item(branch: Branch, level: int, left: list[int]) -> str:
    left[0] -= 1
    if left[0] < 0:
        left[0] -= sum(1 for _ in _below(branch))
        return ""
    text = branch.text if len(branch.text) <= MOST_TEXT else branch.text[:MOST_TEXT] + "…"
    text = "<br>".join(html.escape(visible(line)) for line in text.split("\n"))
    children = _list(branch.children, level + 1, left)
    if not children:
        return f"<li>{text}</li>"
    opened = " open" if level < 4 else ""
    return f"<li><details{opened}><summary>{text}</summary>{children}</details></li>"


def _below(branch: Branch) -> Iterator[Branch]:
    for child in branch.children:
        yield child
        yield from _below(child)
