"""`strikeout remedies`: what would undo a subject's sanctions, and what would bring the next."""

from __future__ import annotations

import json
from typing import Any

import click

from ..ahead.remedies import MOST_FACTS, remedies
from ..ahead.sanctions_ahead import next_sanctions
from ..ground.problems import RunError
from ..rows import BadCell, Binder
from ..speech.outcome import GOOD_STANDING
from .reading import Reading, reading_options, work
from .terminal import text_width


@click.command("remedies")
@reading_options
@click.option("--status", default=GOOD_STANDING, show_default=True, metavar="STATUS", help="The status wanted.")
@click.option("--undo", metavar="KIND[@AT]", help="Instead of a status, the conclusions to undo.")
@click.option("--by", metavar="TIME", help="When it must be reached; else at once, and kept while deadlines pass.")
@click.option(
    "--most",
    type=click.IntRange(1),
    default=MOST_FACTS,
    show_default=True,
    metavar="N",
    help="How many facts to add at most.",
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def remedies_command(status: str, undo: str | None, by: str | None, most: int, form: str, **options: Any) -> None:
    """Show what would give a subject a status, and what would bring it the next sanction.

    What can be done are facts that void others, such as withdrawals, and answers that the ruleset waits for, such as a
    counter-notice in time. Each set of facts shown was run and does it, and no part of it does.
    """
    reading = Reading(**options)
    if reading.subject is None:
        raise click.UsageError("say whom it is about: `--subject ID`")
    with work(reading) as given:
        model = given.ruleset.model
        for run in given.runs_of_subject():
            try:
                until = None if by is None else Binder(model).instant("--by", by)
            except BadCell as error:
                raise RunError(f"`--by`: {error.expected}") from None
            rerun = given.ruleset.rerun(run.subject)
            undoing = remedies(model, run, rerun, wanted=status, undo=undo, by=until, most=most)
            ahead = next_sanctions(model, run, rerun, most)
            if form == "json":
                more = ahead.as_dict()
                found = {**undoing.as_dict(), **{name: more[name] for name in ("next", "pending", "complete")}}
                click.echo(json.dumps(found, ensure_ascii=False, indent=2))
            else:
                width = text_width()
                click.echo(f"{undoing.text(reading.language, width)}\n\n{ahead.text(reading.language, width)}")
        code = given.report()
    raise SystemExit(code)
