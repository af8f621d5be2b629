"""`strikeout run`: what a ruleset concludes from facts."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from ..facts import TIME, Type
from ..machine.timeline import Entry
from ..model import Ruleset
from ..reach.parquet import arrow
from ..reach.tables import WRITERS, Writer, columns
from ..reach.writing import STANDARD_OUTPUT, Output, writing
from ..speech.outcome import Record, record, rule_of
from .printing import MOST_ROWS, local_time, printing, show_table
from .reading import Reading, output_option, reading_options, work

FORMATS = ("table", *WRITERS)

HEADINGS = {
    "en": {"kind": "kind", "at": "at", "rule": "rule", "fields": "fields"},
    "zh": {"kind": "事实", "at": "时间", "rule": "规则", "fields": "字段"},
}
BELOW = {
    "en": ("{number} conclusions; times of {zone}", "{number} conclusions, the first {shown} shown; times of {zone}"),
    "zh": (
        "共 {number} 条结论；时间为 {zone} 当地时间",
        "共 {number} 条结论，以上为前 {shown} 条；时间为 {zone} 当地时间",
    ),
}


class TableOfConclusions:
    """The first conclusions as a table for a person, and how many there are."""

    def __init__(self, file: Output, terminal: bool, ruleset: Ruleset, language: str) -> None:
        self._file, self._terminal, self._ruleset, self._language = file, terminal, ruleset, language
        self._shown: list[Record] = []
        self._number = 0

    def add(self, entries: Iterable[Entry]) -> None:
        """Take the conclusions of a subject."""
        for entry in entries:
            self._number += 1
            if len(self._shown) < MOST_ROWS:
                self._shown.append(record(self._ruleset, entry.fact, rule_of(entry)))

    def finish(self) -> None:
        """Print the table."""
        types = columns(self._ruleset)
        words = HEADINGS[self._language]
        headings = [words.get(name, name) if type_ in (None, TIME) and name in words else name for name, type_ in types]
        rows = [[_text(found.get(name), type_) for name, type_ in types] for found in self._shown]
        more = self._number > len(rows)
        line = BELOW[self._language][more].format(
            number=f"{self._number:,}", shown=len(rows), zone=self._ruleset.zone.name
        )
        with printing(self._file, self._terminal) as console:
            if rows:
                show_table(console, headings, rows, words["fields"], first=3, last=1)
            console.print(line, style="dim", markup=False)


def _text(value: str | int | bool | None, type_: Type | None) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return local_time(str(value)) if type_ == TIME else str(value)


def format_of(output: str | None) -> str:
    """The format that a file's name asks for; a table unless it says otherwise."""
    suffix = Path((output or "").lower().removesuffix(".gz")).suffix.removeprefix(".")
    return suffix if suffix in WRITERS else "table"


def _writer(form: str, output: Output, path: str | None, ruleset: Ruleset, language: str) -> Writer:
    if form != "table":
        return WRITERS[form](output, ruleset)  # type: ignore[arg-type]
    terminal = path in (None, STANDARD_OUTPUT) and sys.stdout.isatty()
    return TableOfConclusions(output, terminal, ruleset, language)


@click.command("run")
@reading_options
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    show_default="by the file's name, else table",
    help="What is written.",
)
@output_option
def run_command(form: str | None, output: str | None, **options: Any) -> None:
    """Run RULESET over FACTS and print what follows.

    FACTS are files of JSON Lines (.jsonl), CSV (.csv), both also .gz, or Parquet; - is standard input.
    """
    reading = Reading(**options)
    form = form or format_of(output)
    if form == "parquet":
        arrow()
    with work(reading, output) as found, writing(output) as file:
        writer = _writer(form, file, output, found.ruleset.model, reading.language)
        for run in found.runs():
            writer.add(run.conclusions)
        writer.finish()
    raise SystemExit(found.report())
