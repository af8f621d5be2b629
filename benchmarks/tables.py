"""Tables in Markdown, aligned so that they can be read as text, too."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table; all columns but the first are aligned to the right."""
    widths = [max(width(row[place]) for row in (heads, *rows)) for place in range(len(heads))]
    lines = [line(heads, widths), "| " + " | ".join(rule(place, widths[place]) for place in range(len(heads))) + " |"]
    return "\n".join([*lines, *(line(row, widths) for row in rows)])


def line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = []
    for place, (cell, wide) in enumerate(zip(cells, widths, strict=True)):
        blanks = " " * (wide - width(cell))
        padded.append(blanks + cell if place else cell + blanks)
    return "| " + " | ".join(padded) + " |"


def rule(place: int, wide: int) -> str:
    return "-" * (wide - 1) + ":" if place else "-" * wide


def width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def rounded(number: float) -> str:
    """A number to two or three digits that count."""
    if number >= 1000:
        digits = 10 ** (len(str(int(number))) - 3)
        return f"{round(number / digits) * digits:,}"
    return f"{number:.3g}"


def ratio(number: float) -> str:
    """A ratio to two or three digits."""
    return f"{rounded(number)} ×"
