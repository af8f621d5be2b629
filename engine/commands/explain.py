"""`strikeout explain`: why a subject has its status, why a fact was concluded, or why a kind was not."""

from __future__ import annotations

import json
import re
import sys
from typing import Any

import click

from ..ahead.acts import Rerun
from ..machine.timeline import SubjectRun
from ..model import Ruleset
from ..speech.outcome import status
from ..why.explanation import Explainer, Proof, WhyNot
from ..why.questions import Question, not_there, nothing_concluded, sanctions
from .reading import Reading, reading_options, work
from .terminal import DONE, FAILED, text_width

MOST_FACTS = 20
"""How many facts, the newest, are explained where a question fits more."""

_COLOURS = (
    (re.compile(r"(?<=[ ])✓(?= )"), "green"),
    (re.compile(r"✗(?= )"), "red"),
    (re.compile(r"\[\d+\](?= )"), "cyan"),
)


def _answer(
    model: Ruleset, run: SubjectRun, rerun: Rerun, fact: str | None, why_not: str | None
) -> tuple[Proof | WhyNot, int]:
    """The answer to what a command line asks, and the exit code: a fact that was not derived is a check that failed.

    Raises
    ------
    RunError
        Where there is nothing to explain.
    """
    explainer = Explainer(model, run, rerun)
    if why_not is not None:
        asked = Question.of(model, why_not)
        return explainer.why_not(asked.kind, asked.at), DONE
    if fact is None:
        entries = sanctions(run)
        if not entries:
            raise nothing_concluded(model, run)
        return explainer.why(entries[-MOST_FACTS:], status=status(model, run)), DONE
    question = Question.of(model, fact)
    entries = question.among(model, run)
    if entries:
        return explainer.why(entries[-MOST_FACTS:]), DONE
    missing = not_there(model, run, question)
    if not missing.ask:
        raise missing
    click.echo(f"strikeout: {missing}", err=True)
    return explainer.why_not(question.kind, question.at), FAILED


def _painted(text: str) -> str:
    """The text with colours, where it goes to a terminal."""
    if not sys.stdout.isatty():
        return text
    for pattern, colour in _COLOURS:
        text = pattern.sub(lambda found, fg=colour: click.style(found.group(), fg=fg, bold=True), text)  # type: ignore[misc]
    return text


@click.command("explain")
@reading_options
@click.option("--fact", metavar="KIND[@AT]", help="Explain this fact, or all of the kind; a date means that day.")
@click.option("--why-not", metavar="KIND[@AT]", help="Say what is missing for this kind.")
@click.option(
    "--depth", type=click.IntRange(1), metavar="N", help="How many conclusions deep; else down to the inputs."
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def explain_command(fact: str | None, why_not: str | None, depth: int | None, form: str, **options: Any) -> None:
    """Explain a subject's status, one of its facts, or what is missing for one: the tree of reasons.

    Without --fact and --why-not, every sanction of the subject is explained. Each conclusion comes with its rule,
    clause and line, the parts of its condition with their values, and the facts counted (✓) and not counted (✗).

    Where the fact of --fact was not derived, what is missing for it is said instead, and the exit code is 1.
    """
    reading = Reading(**options)
    if fact is not None and why_not is not None:
        raise click.UsageError("`--fact` and `--why-not` are two questions: ask one")
    if reading.subject is None:
        raise click.UsageError("say whom it is about: `--subject ID`")
    with work(reading) as given:
        model = given.ruleset.model
        runs = given.runs_of_subject()
        if not runs:
            raise SystemExit(given.report())
        (run,) = runs
        answer, code = _answer(model, run, given.ruleset.rerun(run.subject), fact, why_not)
        if form == "json":
            click.echo(json.dumps(answer.as_dict(), ensure_ascii=False, indent=2))
        else:
            width = text_width()
            shown = answer.text(reading.language, width, depth) if isinstance(answer, Proof) else ""
            click.echo(_painted(shown or answer.text(reading.language, width)))
        reported = given.report()
        raise SystemExit(code or reported)
