"""`strikeout deadlines`: what is scheduled, by date, and what follows if nothing is done."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from ..ahead.deadlines import deadlines
from ..ahead.tell_deadlines import Deadlines, as_dict, headings, row
from ..ahead.words_ahead import WordsAhead
from ..reach.writing import writing
from .printing import MOST_ROWS, show_table
from .reading import Reading, output_option, reading_options, work
from .terminal import out

FORMATS = ("table", "jsonl", "ics")


def format_of(output: str | None) -> str:
    """The format that a file's name asks for; a table unless it says otherwise."""
    suffix = Path((output or "").lower().removesuffix(".gz")).suffix.removeprefix(".")
    return suffix if suffix in FORMATS else "table"


@click.command("deadlines")
@reading_options
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    show_default="by the file's name, else table",
    help="What is written: a table, a line of JSON for each, or an iCalendar.",
)
@output_option
def deadlines_command(form: str | None, output: str | None, **options: Any) -> None:
    """Show what is scheduled under RULESET for the subjects of FACTS, by date, and what follows if nothing is done.

    What follows is run as if nothing more came; what could still come before a deadline and change it is shown beside.
    """
    reading = Reading(**options)
    form = form or format_of(output)
    with work(reading, output) as given:
        model, language = given.ruleset.model, reading.language
        every = [found for run in given.runs() for found in deadlines(model, run, given.ruleset.rerun(run.subject))]
        found = Deadlines(model, given.intake.as_of or 0, every)
        words = WordsAhead(model, language)
        if form == "table" and output in (None, "-"):
            console = out()
            if found:
                show_table(
                    console,
                    headings(words),
                    [row(words, one) for one in found[:MOST_ROWS]],
                    words.say("col-brings"),
                    first=3,
                )
            more = [words.say("more-lines", number=len(found) - MOST_ROWS)] if len(found) > MOST_ROWS else []
            lines = more if found else [words.say("none-pending")]
            console.print("\n".join([*lines, words.say("times", zone=model.zone.name)]), style="dim", markup=False)
        else:
            with writing(output) as file:
                if form == "jsonl":
                    for one in found:
                        file.write((json.dumps(as_dict(model, one), ensure_ascii=False) + "\n").encode())
                elif form == "ics":
                    file.write(found.to_ics(language).encode())
                else:
                    file.write((found.text(language) + "\n").encode())
        code = given.report()
    raise SystemExit(code)
