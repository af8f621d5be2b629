"""Answers as small pieces of HTML that need nothing else: every text escaped, colours taken from the page."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping, Sequence

CODE = "font-family:var(--jp-code-font-family,ui-monospace,monospace);background:transparent;color:inherit"
"""How code looks, in a notebook and elsewhere."""
MOST_TEXT = 300
"""How many characters of a text a cell shows."""

SHORT = 32
"""A text of so many characters is not broken into lines."""

# Lines and shades are half transparent, so that they suit a light page and a dark one. The rules name the class of
# these tables alone, and win over those that notebooks have for all.
_LINE = "rgba(127,127,127,.35)"
_STYLE = (
    "<style>table.strikeout{border-collapse:collapse;font-variant-numeric:tabular-nums;color:inherit;margin:.3em 0}"
    "table.strikeout caption{text-align:left}"
    "table.strikeout th,table.strikeout td{padding:.2em .7em;text-align:left!important;vertical-align:top;"
    f"max-width:40em;border:0;border-bottom:1px solid {_LINE};overflow-wrap:break-word;white-space:normal}}"
    "table.strikeout td.short,table.strikeout td.short code{white-space:nowrap}"
    "table.strikeout th{border-bottom-width:2px;background:rgba(127,127,127,.12)}</style>"
)
_TIME = re.compile(r"([\d-]{10})T(\d\d:\d\d):(\d\d(?:\.\d+)?)[+-]\d\d:\d\d(?::\d\d)?")
_CARD = f"border:1px solid {_LINE};border-radius:6px;padding:.5em 1em .7em;margin:.3em 0;max-width:72em"


def table(
    columns: Sequence[str],
    rows: Iterable[Mapping[str, object]],
    total: int,
    caption: str = "",
    language: str = "en",
    codes: Sequence[str] = (),
) -> str:
    """Rows as a table, with a line below that says how many more there are.

    Parameters
    ----------
    columns : sequence of str
        The columns in order; those that no row fills are left out.
    rows : iterable of mapping
        The rows to show, values by column.
    total : int
        How many rows there are in all.
    caption : str
        What the table is of.
    language : str
        `zh` or `en`: of what is said below.
    codes : sequence of str
        The columns whose texts are set as code.

    Examples
    --------
    >>> "&lt;b&gt;" in table(["seller", "kind"], [{"seller": "<b>"}], 1)
    True
    """
    shown = list(rows)
    if not shown:
        return f"<p>{'无' if language == 'zh' else 'none'}</p>"
    filled = [column for column in columns if any(row.get(column) not in (None, "") for row in shown)]
    head = "".join(f'<th scope="col">{escape(column)}</th>' for column in filled)
    body = "".join(
        "<tr>" + "".join(_td(row.get(column), column in codes) for column in filled) + "</tr>" for row in shown
    )
    named = f"<caption>{escape(caption)}</caption>" if caption else ""
    more = total - len(shown)
    told = f"… 另有 {more:,} 行" if language == "zh" else f"… and {more:,} more"
    below = f'<p style="margin:.2em 0">{told}</p>' if more > 0 else ""
    made = f'<table class="strikeout">{named}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
    return f'<div style="overflow-x:auto">{_STYLE}{made}</div>{below}'


def paragraph(*texts: str) -> str:
    """Texts as one paragraph, the first of them bold, empty ones left out.

    Examples
    --------
    >>> paragraph("a & b", "", "c")
    '<p style="margin:.3em 0"><b>a &amp; b</b><br>c</p>'
    """
    first, *more = [escape(text, 2_000) for text in texts if text] or [""]
    return f'<p style="margin:.3em 0">{"<br>".join([f"<b>{first}</b>", *more])}</p>'


def card(label: str, language: str, *pieces: str) -> str:
    """Pieces of HTML with a line around them.

    Parameters
    ----------
    label : str
        What the card is of, for those who do not see it.
    language : str
        The language of its texts.
    *pieces : str
        HTML.

    Examples
    --------
    >>> card("a", "en", "<p>b</p>").endswith("<p>b</p></section>")
    True
    """
    return f'<section lang="{language}" aria-label="{escape(label)}" style="{_CARD}">{"".join(pieces)}</section>'


def folded(summary: str, content: str, opened: bool = False) -> str:
    """A piece of HTML that can be folded away.

    Examples
    --------
    >>> folded("a", "<p>b</p>")
    '<details><summary>a</summary><p>b</p></details>'
    """
    return f"<details{' open' if opened else ''}><summary>{escape(summary)}</summary>{content}</details>"


def escape(text: str, most: int = MOST_TEXT) -> str:
    """A text as HTML, cut where it is long.

    Examples
    --------
    >>> escape("<script>"), escape("abc", 2)
    ('&lt;script&gt;', 'ab…')
    """
    return html.escape(text if len(text) <= most else text[:most] + "…")


def moment(text: object) -> str:
    """A time of a record as a person reads it: without the offset, without what is zero at its end.

    Examples
    --------
    >>> moment("2015-01-05T00:00:00+08:00"), moment("2015-01-05T10:30:00+08:00")
    ('2015-01-05', '2015-01-05 10:30')
    """
    found = _TIME.fullmatch(str(text))
    if found is None:
        return str(text)
    day, minute, second = found.groups()
    if second != "00":
        return f"{day} {minute}:{second}"
    return day if minute == "00:00" else f"{day} {minute}"


def _td(value: object, code: bool) -> str:
    text = _text(value)
    short = ' class="short"' if 0 < len(text) <= SHORT else ""
    return f"<td{short}>{f'<code>{text}</code>' if code and text else text}</td>"


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return escape(str(value))
