"""An outcome at a glance: what was concluded, how the subjects stand, what became of the facts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..machine.timeline import SubjectRun
from ..model import Ruleset
from ..why.tree import visible
from .card import titled
from .html import card, escape, folded, moment, paragraph, table
from .outcome import GOOD_STANDING, Summary, status

WORDS = {
    "as of": ("截至 {}", "as of {}"),
    "subjects": ("{1} 共 {0:,} 个", "{1}: {0:,}"),
    "concluded": ("推出：{}", "concluded: {}"),
    "standing": ("状态：{}", "status: {}"),
    "first": ("（前 {:,} 个）", " (of the first {:,})"),
    "facts": (
        "事实：给出 {:,}，采用 {:,}，重复 {:,}，作废 {:,}，其后 {:,}，拒收 {:,}",
        "facts: {:,} given, {:,} used, {:,} duplicates, {:,} voided, {:,} later, {:,} rejected",
    ),
    "status": ("状态", "status"),
    "since": ("自", "since"),
    "conclusions": ("推出", "conclusions"),
    "pending": ("待办", "pending"),
    "severest": ("最严重的在前", "the severest first"),
    "rejected": ("拒收", "rejected"),
    "nothing": ("无", "nothing"),
}
MOST_SUBJECTS = 20
"""How many subjects are shown one by one."""
MOST_STATUSES = 10_000
"""Of how many subjects the status is looked at."""


def say(language: str, word: str, *values: object) -> str:
    """A word of an overview, in `zh` or `en`."""
    return WORDS[word][0 if language == "zh" else 1].format(*values)


@dataclass(frozen=True, slots=True)
class Overview:
    """What is told of an outcome.

    Attributes
    ----------
    ruleset : Ruleset
        The ruleset that was run.
    as_of : int or None
        The instant, in microseconds since 1970 UTC; None, where there was no fact and none was asked for.
    counts : mapping
        How many facts of each kind were derived.
    summary : Summary
        What became of every fact.
    runs : sequence of SubjectRun
        The runs, but those that were rejected.
    rejected : sequence of str
        Why each of the others was.
    """

    ruleset: Ruleset
    as_of: int | None
    counts: Mapping[str, int]
    summary: Summary
    runs: Sequence[SubjectRun]
    rejected: Sequence[str]

    def head(self, language: str) -> Iterator[str]:
        """What it is of, then what was concluded, how the subjects stand, what became of the facts."""
        ruleset = self.ruleset
        title = titled(ruleset.title, language) or ruleset.name
        at = "-" if self.as_of is None else moment(ruleset.zone.format(self.as_of))
        yield f"{title} · {say(language, 'as of', at)} ({ruleset.zone.name})"
        found = ", ".join(f"{name} {number:,}" for name, number in self.counts.items() if number)
        yield say(language, "concluded", found or say(language, "nothing"))
        looked = self.runs[:MOST_STATUSES]
        standing = Counter(status(ruleset, run).kind for run in looked)
        told = ", ".join(f"{kind} {standing[kind]:,}" for kind in sorted(standing, key=self._severity, reverse=True))
        left = say(language, "first", len(looked)) if len(self.runs) > len(looked) else ""
        yield say(language, "subjects", len(self.runs) + len(self.rejected), ruleset.subject) + (
            f" · {say(language, 'standing', told)}{left}" if told else ""
        )
        summary = self.summary
        numbers = (summary.given, summary.used, summary.duplicates, summary.voided, summary.later, summary.rejected)
        yield say(language, "facts", *numbers)

    def rows(self, language: str) -> list[dict[str, object]]:
        """How the severest subjects stand."""
        found = [(status(self.ruleset, run), run) for run in self.runs[:MOST_STATUSES]]
        found.sort(key=lambda pair: (-self._severity(pair[0].kind), pair[1].subject))
        columns = (
            self.ruleset.subject,
            *(say(language, word) for word in ("status", "since", "conclusions", "pending")),
        )
        rows: list[dict[str, object]] = []
        for standing, run in found[:MOST_SUBJECTS]:
            since = "" if standing.since is None else moment(self.ruleset.zone.format(standing.since))
            derived = sum(not entry.given for entry in run.entries)
            rows.append(dict(zip(columns, (run.subject, standing.kind, since, derived, len(run.pending)), strict=True)))
        return rows

    def html(self, language: str, conclusions: str) -> str:
        """The overview as HTML, with the conclusions, which are HTML, below it."""
        title, *more = self.head(language)
        rows = self.rows(language)
        columns = list(rows[0]) if rows else []
        pieces = [paragraph(title, *more)]
        if rows:
            caption = say(language, "severest") if len(rows) < len(self.runs) else ""
            pieces.append(table(columns, rows, len(self.runs), caption, language))
        if self.rejected:
            told = "".join(f"<li>{escape(text, 500)}</li>" for text in self.rejected[:MOST_SUBJECTS])
            label = f"{say(language, 'rejected')} ({len(self.rejected):,})"
            pieces.append(folded(label, f"<ul>{told}</ul>", opened=True))
        label = f"{say(language, 'conclusions')} ({sum(self.counts.values()):,})"
        pieces.append(folded(label, conclusions, opened=True))
        return card(title, language, *pieces)

    def lines(self, language: str) -> Iterator[str]:
        """The overview as lines."""
        yield from self.head(language)
        for row in self.rows(language):
            subject, standing, since, *_ = map(str, row.values())
            yield f"  {visible(subject)}  {standing}" + (f"  {say(language, 'since')} {since}" if since else "")
        left = len(self.runs) - MOST_SUBJECTS
        if left > 0:
            yield f"  … 另有 {left:,} 行" if language == "zh" else f"  … and {left:,} more"
        yield from (f"  {visible(text)}" for text in self.rejected[:MOST_SUBJECTS])

    def _severity(self, kind: str) -> int:
        return -1 if kind == GOOD_STANDING else self.ruleset.kinds_by_name[kind].severity
