"""`strikeout graph`: pictures of runs and rulesets, as a page, SVG or PNG, or the graph behind them."""

from __future__ import annotations

from typing import Any

import click

from ..api import load
from ..reach.drawing import FORMATS, Drawing, format_of
from ..reach.drawings import OF_ONE, VIEWS, draw_complaints, draw_firings, draw_rules, draw_timeline
from ..reach.writing import STANDARD_OUTPUT, writing
from .reading import Reading, Work, reading_options, work
from .terminal import DONE


def _view(view: str | None, form: str, subject: str | None) -> str:
    """The view that is asked for; untold, a subject's timeline (as a graph its firings), else all complaints."""
    chosen = view or ("complaints" if subject is None else "firings" if form == "graphml" else "timeline")
    if chosen in OF_ONE and subject is None:
        raise click.UsageError(f"the view `{chosen}` is of one subject: `--subject ID`")
    if chosen == "timeline" and form == "graphml":
        raise click.UsageError("a timeline is no graph: take `--view firings` or `--view complaints`")
    return chosen


def _draw(view: str, given: Work, reading: Reading) -> Drawing:
    model = given.ruleset.model
    if view == "complaints":
        return draw_complaints(model, given.runs(), reading.language, given.intake.as_of, reading.subject)
    runs = given.runs_of_subject()
    if not runs:
        # Its run was rejected, and the report says why.
        raise SystemExit(given.report())
    return {"timeline": draw_timeline, "firings": draw_firings}[view](model, runs[0], reading.language)


@click.command("graph")
@reading_options
@click.option(
    "-o", "--output", metavar="FILE", required=True, help="The file; `.html`, `.svg`, `.png` or `.graphml` says what."
)
@click.option(
    "--view",
    type=click.Choice(VIEWS),
    show_default="timeline with --subject, else complaints",
    help="What is drawn: a subject's timeline or firings, complaints, or how the rules hang together.",
)
@click.option(
    "--format", "form", type=click.Choice(FORMATS), show_default="by the file's suffix", help="What is written."
)
def graph_command(output: str, view: str | None, form: str | None, **options: Any) -> None:
    """Draw what RULESET made of FACTS: complaints, or with --subject a timeline or the rules that fired.

    An HTML page has the picture and below it the same as tables. Nothing is fetched from anywhere. The view `rules`
    needs no FACTS.
    """
    reading = Reading(**options)
    wanted = form or format_of(output)
    chosen = _view(view, wanted, reading.subject)
    if chosen == "rules":
        model = load(reading.ruleset).with_parameters(reading.settings).model
        _write(draw_rules(model, reading.language).encode(wanted), output)
        raise SystemExit(DONE)
    if not reading.facts:
        raise click.UsageError("Missing argument 'FACTS…'.")
    with work(reading, output) as given:
        _write(_draw(chosen, given, reading).encode(wanted), output)
        raise SystemExit(given.report())


def _write(made: bytes, output: str) -> None:
    with writing(None if output == STANDARD_OUTPUT else output) as file:
        file.write(made)


for _parameter in graph_command.params:
    if _parameter.name == "facts":
        # The view `rules` has none.
        _parameter.required = False
