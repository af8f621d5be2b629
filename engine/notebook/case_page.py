"""Cases that were run, as HTML and as lines: which passed, and why the others did not."""

from __future__ import annotations

from collections.abc import Sequence

from ..speech.html import CODE, card, escape, paragraph
from .cells import CaseResult

WORDS = {
    "all": ("{} 个用例，全部通过", "{} cases, all passed"),
    "failed": ("{1} 个用例中 {0} 个未通过", "{0} of {1} cases failed"),
    "ok": ("通过", "passed"),
    "bad": ("未通过", "failed"),
}
_PRE = f"{CODE};margin:.2em 0;white-space:pre-wrap;line-height:1.4"
MOST_TEXT = 5_000
"""How many characters of what does not hold are shown of a case."""


def cases_html(results: Sequence[CaseResult], language: str) -> str:
    """Cases as a list, each with what does not hold."""
    items = []
    for result in results:
        sign, word = ("✗", "bad") if result.failures else ("✓", "ok")
        told = "\n\n".join("\n".join(failure.lines()) for failure in result.failures)
        below = f'<pre style="{_PRE}">{escape(told, MOST_TEXT)}</pre>' if told else ""
        items.append(f"<li>{sign} {_say(language, word)} · {escape(_title(result, language))}{below}</li>")
    about = _about(results, language)
    listed = f'<ul style="list-style:none;margin:0;padding:0">{"".join(items)}</ul>'
    return card(about, language, paragraph(about), listed)


def case_lines(results: Sequence[CaseResult], language: str) -> list[str]:
    """Cases as lines, each with what does not hold."""
    lines = [_about(results, language)]
    for result in results:
        lines.append(f"{'✗' if result.failures else '✓'} {_title(result, language)}")
        lines += [f"  {line}" for failure in result.failures for line in failure.lines()]
    return lines


def _say(language: str, word: str, *values: object) -> str:
    return WORDS[word][0 if language == "zh" else 1].format(*values)


def _about(results: Sequence[CaseResult], language: str) -> str:
    failed = sum(bool(result.failures) for result in results)
    return _say(language, "failed", failed, len(results)) if failed else _say(language, "all", len(results))


def _title(result: CaseResult, language: str) -> str:
    titles = dict(result.case.title)
    title = titles.get(language) or next(iter(titles.values()), "")
    return f"{result.case.name}: {title}" if title else result.case.name
