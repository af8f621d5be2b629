"""`strikeout diff`: what changed between two rulesets, in the words of policy."""

from __future__ import annotations

import json

import click

from ..comparison.tell_policy import policy_difference
from ..gate.check import check
from ..model import Ruleset
from ..reach.library import Files, locate
from .names import complete
from .terminal import language_option, text_width


def _loaded(name: str) -> Ruleset:
    return check(locate(name), Files())


@click.command("diff")
@click.argument("before", metavar="A", shell_complete=complete)
@click.argument("after", metavar="B", shell_complete=complete)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@language_option
def diff_command(before: str, after: str, form: str, language: str) -> None:
    """Show what changed from ruleset A to B: parameters, rules, ladders, kinds, clauses, and what they decide."""
    found = policy_difference(_loaded(before), _loaded(after))
    if form == "json":
        click.echo(json.dumps(found.as_dict(), ensure_ascii=False, indent=2))
    else:
        click.echo(found.text(language, text_width()))
