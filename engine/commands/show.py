"""`strikeout show`: a ruleset as a document."""

from __future__ import annotations

import click

from ..gate.check import check
from ..reach.library import Files, locate
from ..speech.document import document
from .names import ruleset_argument
from .terminal import language_option, set_option


@click.command("show")
@ruleset_argument
@set_option
@language_option
def show_command(ruleset: str, settings: dict[str, str], language: str) -> None:
    """Show a ruleset as a document in Markdown: parameters, kinds of fact, rules, and the order in which they run."""
    click.echo(document(check(locate(ruleset), Files(), settings), language), nl=False)
