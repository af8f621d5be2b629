"""`strikeout status`: how every subject stands."""

from __future__ import annotations

import json
import sys
from collections import Counter
from dataclasses import dataclass
from typing import Any

import click
from rich.console import Console

from ..facts import INTEGER
from ..machine.timeline import SubjectRun
from ..model import Ruleset
from ..reach.writing import writing
from ..speech.outcome import Record, record, status
from .printing import MOST_ROWS, local_time, printing, show_table
from .reading import Reading, reading_options, work

MOST_PENDING = 3

HEADINGS = {
    "en": ("status", "since", "derived", "sums", "pending"),
    "zh": ("状态", "自", "推出", "合计", "待定"),
}
BELOW = {
    "en": ("{subjects}: {counts}; times of {zone}", "the first {shown} shown of {subjects}: {counts}; times of {zone}"),
    "zh": (
        "{name} {number} 个：{counts}；时间为 {zone} 当地时间",
        "以上为前 {shown} 个；{name} {number} 个：{counts}；时间为 {zone} 当地时间",
    ),
}


@dataclass(frozen=True, slots=True)
class Standing:
    """How a subject stands: its status and since when, what was derived, the sums of its integers, what is pending."""

    subject: str
    status: str
    since: str | None
    counts: dict[str, int]
    sums: dict[str, int]
    pending: list[Record]

    def as_dict(self, field: str) -> dict[str, object]:
        """The standing as JSON has it, the subject under its field's name."""
        found: dict[str, object] = {field: self.subject, "status": self.status}
        if self.since is not None:
            found["since"] = self.since
        return {**found, "counts": self.counts, "sums": self.sums, "pending": self.pending}


def standing(ruleset: Ruleset, run: SubjectRun) -> Standing:
    """How the subject of a run stands (semantics 9); kinds and fields stand in the order of their declaration."""
    found = status(ruleset, run)
    counts: Counter[int] = Counter()
    sums: dict[tuple[int, int], int] = {}
    for entry in run.conclusions:
        kind = entry.fact.kind
        counts[kind.index] += 1
        for slot, field in enumerate(kind.fields):
            value = entry.fact.values[slot]
            if field.type == INTEGER and value is not None:
                key = (kind.index, slot)
                sums[key] = sums.get(key, 0) + int(value)
    kinds = ruleset.kinds
    return Standing(
        run.subject,
        found.kind,
        None if found.since is None else ruleset.zone.format(found.since),
        {kinds[index].name: counts[index] for index in sorted(counts)},
        {f"{kinds[kind].name}.{kinds[kind].fields[slot].name}": sums[kind, slot] for kind, slot in sorted(sums)},
        [record(ruleset, pending.fact, pending.reasons[0].rule.name) for pending in run.pending],
    )


def _cells(found: Standing) -> list[str]:
    """A standing as a row for a person."""
    pending = [f"{fact['kind']} {local_time(str(fact['at']))}" for fact in found.pending[:MOST_PENDING]]
    more = [f"+{len(found.pending) - MOST_PENDING}"] if len(found.pending) > MOST_PENDING else []
    return [
        found.subject,
        found.status,
        local_time(found.since) if found.since is not None else "",
        ", ".join(f"{kind} {number}" for kind, number in found.counts.items()),
        ", ".join(f"{name} {total}" for name, total in found.sums.items()),
        ", ".join([*pending, *more]),
    ]


@click.command("status")
@reading_options
@click.option("--format", "form", type=click.Choice(["table", "jsonl"]), default="table", show_default=True)
def status_command(form: str, **options: Any) -> None:
    """Show how each subject of FACTS stands under RULESET: its status and since when, what it has, what is pending."""
    reading = Reading(**options)
    with work(reading) as found:
        model = found.ruleset.model
        rows: list[list[str]] = []
        counts: Counter[str] = Counter()
        with writing(None) as file:
            for run in found.runs():
                stands = standing(model, run)
                counts[stands.status] += 1
                if form == "jsonl":
                    file.write((json.dumps(stands.as_dict(model.subject), ensure_ascii=False) + "\n").encode())
                elif len(rows) < MOST_ROWS:
                    rows.append(_cells(stands))
            if form == "table":
                with printing(file, sys.stdout.isatty()) as console:
                    _show(console, model, rows, counts, reading.language)
    raise SystemExit(found.report())


def _show(console: Console, ruleset: Ruleset, rows: list[list[str]], counts: Counter[str], language: str) -> None:
    """Print the first rows, and how many subjects there are of each status."""
    if rows:
        headings = [ruleset.subject, *HEADINGS[language]]
        show_table(console, headings, rows, HEADINGS[language][2], first=3)
    total = counts.total()
    line = BELOW[language][total > len(rows)].format(
        subjects=f"{total:,} {ruleset.subject}{'' if total == 1 else 's'}",
        name=ruleset.subject,
        number=f"{total:,}",
        shown=len(rows),
        counts=", ".join(f"{status} {number:,}" for status, number in sorted(counts.items())),
        zone=ruleset.zone.name,
    )
    console.print(line, style="dim", markup=False)
