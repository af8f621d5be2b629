"""A backtest as one page of HTML that needs nothing else: charts with the table beside each, in zh or en."""

from __future__ import annotations

import html
from collections.abc import Sequence

from .backtest import Result
from .backtest_summary import WORDS, Sheet, labels, lines, sheets, status_word
from .charts import STYLE, Series, bars, columns, width_of
from .tally import status_order

SHORT = 150
"""Cells narrower than this, in pixels, stay on one line."""

MOST_MONTHS = 240
"""How many months a chart shows, the last ones."""

_STYLE = (
    STYLE
    + """
body { margin: 2rem auto; max-width: 78rem; padding: 0 1rem; background: var(--page); color: var(--text);
  font: 15px/1.5 system-ui, "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", sans-serif; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .2em .7em; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
.number, .short { white-space: nowrap; }
.number { text-align: right; }
thead th { position: sticky; top: 0; background: var(--page); }
.beside { display: flex; flex-wrap: wrap; gap: 1.5rem; align-items: flex-start; }
.scroll { overflow: auto; max-width: 100%; }
.rows { max-height: 22rem; }
h1, h2, p { overflow-wrap: anywhere; }
@media (max-width: 40rem) { h1 { font-size: 1.4rem; } .beside { display: block; } }
@media print { .rows { max-height: none; } }
"""
)


def page(result: Result, language: str) -> str:
    """The page of a backtest.

    Parameters
    ----------
    result : Result
        What it came to.
    language : str
        `zh` or `en`.
    """
    words, names = WORDS[language], labels(result)
    title = f"{words['title']}{words['colon']}{' / '.join(names)}"
    tables = sheets(result, language)
    body = [f"<h1>{html.escape(title)}</h1>", *(f"<p>{html.escape(line)}</p>" for line in lines(result, language))]
    body.append(_section(tables[0], _statuses(result, language, tables[0].title)))
    for sheet in tables[3:]:
        body.append(_section(sheet, ""))
    body += _months(result, language)
    body += [_section(sheet, "") for sheet in tables[1:3]]
    return (
        f'<!doctype html>\n<html lang="{language}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(body)
        + "\n</body>\n</html>\n"
    )


def _section(sheet: Sheet, chart: str) -> str:
    return (
        f'<section><h2>{html.escape(sheet.title)}</h2><div class="beside">'
        + (f'<div class="scroll" tabindex="0">{chart}</div>' if chart else "")
        + f'<div class="scroll rows" tabindex="0">{_table(sheet)}</div></div></section>'
    )


def _table(sheet: Sheet) -> str:
    def cell(tag: str, text: str | int, place: int) -> str:
        shown = f"{text:,}" if isinstance(text, int) else html.escape(text)
        kind = ' class="number"' if place in sheet.numbers else ' class="short"' if width_of(shown) < SHORT else ""
        scope = ' scope="col"' if tag == "th" else ""
        return f"<{tag}{scope}{kind}>{shown}</{tag}>"

    head = "".join(cell("th", text, place) for place, text in enumerate(sheet.headings))
    rows = "".join(f"<tr>{''.join(cell('td', t, n) for n, t in enumerate(row))}</tr>" for row in sheet.rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _statuses(result: Result, language: str, title: str) -> str:
    tallies = result.whole.tallies
    shown = [n for n in status_order(result.spec.rulesets) if any(tally.statuses[n] for tally in tallies)]
    series = [
        Series(name, tuple(tally.statuses[n] for n in shown))
        for name, tally in zip(labels(result), tallies, strict=True)
    ]
    description = WORDS[language]["chart and table"]
    return bars(title, description, [status_word(n, language) for n in shown], series, "statuses")


def _months(result: Result, language: str) -> list[str]:
    """A chart and a table for each run: what was derived, by month and kind."""
    words = WORDS[language]
    found = []
    every = sorted({month for tally in result.whole.tallies for month, _ in tally.months})
    shown = _through(every)[-MOST_MONTHS:]
    for number, (name, ruleset, tally) in enumerate(
        zip(labels(result), result.spec.rulesets, result.whole.tallies, strict=True)
    ):
        kinds = [kind.name for kind in ruleset.derivable if tally.kinds[kind.name]]
        if not shown or not kinds:
            continue
        series = [Series(kind, tuple(tally.months[month, kind] for month in shown)) for kind in kinds]
        title = f"{words['months']}{words['colon']}{name}" if len(result.spec.rulesets) == 2 else words["months"]
        chart = columns(title, words["chart and table"], shown, series, f"months-{number}")
        rows: list[tuple[str | int, ...]] = [(m, *(tally.months[m, kind] for kind in kinds)) for m in every]
        found.append(_section(Sheet(title, (words["month"], *kinds), tuple(rows)), chart))
    return found


def _through(months: Sequence[str]) -> list[str]:
    """Every month from the first to the last.

    >>> _through(["2015-11", "2016-02"])
    ['2015-11', '2015-12', '2016-01', '2016-02']
    """
    if not months:
        return []
    first, last = (int(month[:4]) * 12 + int(month[5:]) - 1 for month in (months[0], months[-1]))
    return [f"{number // 12:04}-{number % 12 + 1:02}" for number in range(first, last + 1)]
