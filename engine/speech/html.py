"""Answers as small pieces of HTML that need nothing else: every text escaped, colours taken from the page."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence

# Lines and shades are half transparent, so that they suit a light page and a dark one.
_TABLE = "border-collapse:collapse;font-variant-numeric:tabular-nums;color:inherit"
_CELL = "padding:.2em .7em;border-bottom:1px solid rgba(127,127,127,.35);text-align:left;vertical-align:top"
_HEAD = f"{_CELL};border-bottom-width:2px;background:rgba(127,127,127,.12)"


def table(columns: Sequence[str], rows: Iterable[Mapping[str, object]], total: int) -> str:
    """Rows as a table, with a line below that says how many more there are.

    Parameters
    ----------
    columns : sequence of str
        The columns in order; those that no row fills are left out.
    rows : iterable of mapping
        The rows to show, values by column.
    total : int
        How many rows there are in all.

    Examples
    --------
    >>> "&lt;b&gt;" in table(["seller", "kind"], [{"seller": "<b>"}], 1)
    True
    """
    shown = list(rows)
    filled = [column for column in columns if any(row.get(column) is not None for row in shown)]
    head = "".join(f'<th scope="col" style="{_HEAD}">{html.escape(column)}</th>' for column in filled)
    body = "".join(
        "<tr>" + "".join(f'<td style="{_CELL}">{_text(row.get(column))}</td>' for column in filled) + "</tr>"
        for row in shown
    )
    below = f"<p>… and {total - len(shown):,} more</p>" if total > len(shown) else ""
    if not shown:
        return "<p>none</p>"
    return f'<table style="{_TABLE}"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{below}'


def paragraph(*texts: str) -> str:
    """Texts as one paragraph, the first of them bold, empty ones left out.

    Examples
    --------
    >>> paragraph("a & b", "", "c")
    '<p><b>a &amp; b</b><br>c</p>'
    """
    first, *more = [html.escape(text) for text in texts if text] or [""]
    return f"<p>{'<br>'.join([f'<b>{first}</b>', *more])}</p>"


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return html.escape(str(value))
