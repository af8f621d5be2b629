"""Problems as HTML: the lines around each, the text marked, and below the line what is wrong and what to write."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from ..ground.problems import Problem, Source
from ..speech.html import CODE, escape

MOST_PROBLEMS = 30
"""How many problems are shown."""
MOST_COLUMNS = 160
"""How many characters of a line are shown."""
AROUND = 1
"""How many lines before and after a line with a problem are shown."""

_RED, _AMBER = "#d1242f", "#bf8700"  # to be told from the ground, be it light or dark; the words say it too
_PRE = f"{CODE};margin:.2em 0;padding:.3em 0;line-height:1.5;overflow-x:auto"
_NUMBER = "display:inline-block;min-width:3em;padding-right:.8em;text-align:right;opacity:.6;user-select:none"
_TOLD = "margin:.1em 0 .3em 3.8em;padding:.1em .7em;white-space:pre-wrap;border-left:3px solid {}"


def problems_html(problems: Sequence[Problem]) -> str:
    """Problems as a piece of HTML that needs nothing else.

    Parameters
    ----------
    problems : sequence of Problem
        The problems, sorted by place, as `RulesetError` has them.

    Examples
    --------
    >>> from strikeout.ground.problems import Span
    >>> span = Span(Source("three", "rules: <b>"), 7, 10)
    >>> page = problems_html([Problem("unknown-kind", "unknown kind `<b>`", span)])
    >>> "error: unknown kind `&lt;b&gt;`" in page, "<b>`" in page
    (True, False)
    """
    shown = problems[:MOST_PROBLEMS]
    pieces = []
    for _, group in groupby(shown, key=lambda problem: id(problem.span.source)):
        found = list(group)
        source = found[0].span.source
        lines = "".join(_lines(source, found))
        pieces.append(
            f'<p style="margin:.3em 0"><code>{escape(source.name)}</code></p><pre style="{_PRE}">{lines}</pre>'
        )
    left = len(problems) - len(shown)
    more = f"<p>… and {left:,} more</p>" if left else ""
    return f'<section lang="en" aria-label="problems" role="alert">{"".join(pieces)}{more}</section>'


def _lines(source: Source, problems: Sequence[Problem]) -> Iterator[str]:
    """The lines of a source that have problems, with those around them, and below each what is wrong there."""
    texts = source.text.split("\n")
    by_line: dict[int, list[Problem]] = {}
    for problem in problems:
        by_line.setdefault(problem.span.line, []).append(problem)
    wanted = sorted({n for line in by_line for n in range(line - AROUND, line + AROUND + 1) if 0 < n <= len(texts)})
    before = wanted[0] - 1 if wanted else 0
    for number in wanted:
        if number > before + 1:
            yield f'<span style="{_NUMBER}">⋮</span>\n'
        before = number
        here = by_line.get(number, [])
        text = texts[number - 1].rstrip("\r")
        yield f'<span style="{_NUMBER}">{number}</span>{_marked(text, here)}\n'
        yield from (_told(problem) for problem in here)


def _marked(text: str, problems: Iterable[Problem]) -> str:
    """A line, or the part of a long one around the first problem, with what is wrong underlined."""
    marks = []
    for problem in problems:
        start = problem.span.column - 1
        marks.append((start, max(min(start + problem.span.end - problem.span.start, len(text)), start + 1), problem))
    first = max(0, marks[0][0] - MOST_COLUMNS // 2) if marks and len(text) > MOST_COLUMNS else 0
    last = first + MOST_COLUMNS
    made, place = ["…" if first else ""], first
    for start, end, problem in marks:
        if start < place or start >= last:
            continue
        made.append(escape(text[place:start], MOST_COLUMNS))
        colour = _AMBER if problem.warning else _RED
        style = f"text-decoration:underline wavy {colour};background:rgba(209,36,47,.13)"
        made.append(f'<span style="{style}">{escape(text[start : min(end, last)] or " ", MOST_COLUMNS)}</span>')
        place = min(end, last)
    made.append(escape(text[place:last], MOST_COLUMNS))
    return "".join(made) + ("…" if len(text) > last else "")


def _told(problem: Problem) -> str:
    """What is wrong, what to write, and the places that belong to it."""
    what = f"{'warning' if problem.warning else 'error'}: {problem.message} [{problem.code}]"
    more = [problem.hint] if problem.hint else []
    more += [f"{label}: {span}" for label, span in problem.related]
    below = "".join(f"\n{escape(text, 500)}" for text in more)
    style = _TOLD.format(_AMBER if problem.warning else _RED)
    return f'<div style="{style}"><b>{escape(what, 1_000)}</b>{below}</div>'
