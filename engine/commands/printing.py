"""Tables for a person: as wide as the terminal, or as wide as they need to be where there is none."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Collection, Iterator, Sequence
from io import StringIO

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..reach.writing import Output
from .terminal import out

MOST_ROWS = 100
"""How many rows a table shows."""

_UNBOUNDED = 100_000


def visible(text: str) -> str:
    r"""A text with what cannot be seen escaped, so that it cannot take hold of a terminal.

    >>> print(visible("a\x1b[2Jb"))
    a\x1b[2Jb
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def local_time(text: str) -> str:
    """A time as output has it, for a person: without offset, and seconds only where they are not zero.

    >>> local_time("2015-01-05T09:30:00+08:00"), local_time("2015-01-05T09:30:15.500000+08:00")
    ('2015-01-05 09:30', '2015-01-05 09:30:15.500000')
    """
    day, _, clock = text.partition("T")
    clock = clock.rpartition("+")[0] or clock.rpartition("-")[0] or clock
    return f"{day} {clock.removesuffix(':00') if clock.count(':') == 2 else clock}"


@contextlib.contextmanager
def printing(file: Output, terminal: bool) -> Iterator[Console]:
    """A console: the terminal where there is one, else a page that is written to a file."""
    if terminal:
        yield out()
        return
    page = StringIO()
    yield Console(file=page, highlight=False, soft_wrap=True, width=_UNBOUNDED)
    file.write(page.getvalue().encode())


def show_table(
    console: Console,
    headings: Sequence[str],
    rows: Sequence[Sequence[str]],
    folded: str,
    first: int,
    last: int = 0,
    numbers: Collection[int] = (),
) -> None:
    """Print rows as a table.

    Columns that are empty throughout are left out. Where the terminal is too narrow for them all, those in the middle
    become one, with their headings beside the values.

    Parameters
    ----------
    console : Console
        Where to.
    headings : sequence of str
        The headings.
    rows : sequence of sequence of str
        The cells.
    folded : str
        The heading of the column that those in the middle become.
    first, last : int
        How many columns at either end stay as they are.
    numbers : collection of int
        The columns that hold numbers, by their places.
    """
    filled = [n for n in range(len(headings)) if n < first or any(row[n] for row in rows)]
    cells = [[visible(row[n]) for n in filled] for row in rows]
    table = _table([headings[n] for n in filled], cells, [n in numbers for n in filled])
    wide = Console(width=_UNBOUNDED)
    width = wide.measure(table).maximum
    if not console.is_terminal:
        console.width = max(width, 1)
    elif width > console.width:
        end = len(headings) - last
        middle = [n for n in filled if first <= n < end]
        if len(middle) > 1:
            beside = [
                ", ".join(f"{headings[n]} {visible(row[n])}" for n in middle if row[n])  # as in `complaint c1, base 2`
                for row in rows
            ]
            table = _table(
                [*headings[:first], folded, *headings[end:]],
                [
                    [*map(visible, row[:first]), text, *map(visible, row[end:])]
                    for row, text in zip(rows, beside, strict=True)
                ],
            )
    if console.is_terminal:
        console.print(table)
        return
    with console.capture() as capture:
        console.print(table)
    console.print("\n".join(line.rstrip() for line in capture.get().splitlines()), markup=False)


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]], numbers: Sequence[bool] = ()) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for heading, number in itertools.zip_longest(headings, numbers, fillvalue=False):
        table.add_column(Text(str(heading)), overflow="fold", justify="right" if number else "left")
    for row in rows:
        table.add_row(*map(Text, row))
    return table
