"""`strikeout whatif`: what would be otherwise with other facts, parameters or rules."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace

import click

from ..api import load
from ..ground.problems import FactError
from ..reach.files import FORMATS, read
from ..speech.outcome import describe
from .names import ruleset_argument
from .reading import separated
from .terminal import DONE, REJECTED, language_option, set_option, text_width


def added(texts: tuple[str, ...]) -> Iterator[Mapping[str, object]]:
    """The facts that `--add` gives: of a file, or written as JSON."""
    for text in texts:
        if not text.lstrip().startswith(("{", "[")):
            yield from read(text)
            continue
        try:
            found = json.loads(text)
        except ValueError as error:
            raise FactError(f"`--add`: this is no JSON: {error}") from None
        for fact in found if isinstance(found, list) else [found]:
            if not isinstance(fact, dict):
                raise FactError("`--add`: expected a fact as an object of JSON, or a list of such")
            yield fact


def removed(context: click.Context, option: click.Parameter, texts: tuple[str, ...]) -> list[dict[str, str]]:
    """What `--remove` names: fields with their values."""
    found = []
    for text in texts:
        fields: dict[str, str] = {}
        for part in text.split(","):
            name, equals, value = part.partition("=")
            if not equals or not name.strip():
                raise click.BadParameter(f"`{part.strip()}` is not of the form FIELD=VALUE", context, option)
            fields[name.strip()] = value.strip()
        found.append(fields)
    return found


@click.command("whatif")
@ruleset_argument
@click.argument("facts", metavar="FACTS…", nargs=-1, required=True, type=click.Path(allow_dash=True))
@click.option("--add", multiple=True, metavar="FILE|JSON", help="Facts to add; may be repeated.")
@click.option(
    "--remove",
    multiple=True,
    metavar="FIELD=VALUE,…",
    callback=removed,
    help="Remove the facts that have all these values; may be repeated.",
)
@set_option
@click.option("--against", metavar="RULESET", help="Run this ruleset instead.")
@click.option("--subject", metavar="ID", help="Show only this subject.")
@click.option("--as-of", metavar="TIME", help="The instant of both runs; else the latest of the facts.")
@click.option("--ignore-columns", metavar="A,B", callback=separated, help="Columns that no kind knows, to pass over.")
@click.option("--input-format", type=click.Choice(FORMATS), help="The format of all FACTS; else by their suffixes.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@language_option
def whatif_command(
    ruleset: str,
    facts: tuple[str, ...],
    add: tuple[str, ...],
    remove: list[dict[str, str]],
    settings: dict[str, str],
    against: str | None,
    subject: str | None,
    as_of: str | None,
    ignore_columns: tuple[str, ...],
    input_format: str | None,
    form: str,
    language: str,
) -> None:
    """Show what would be otherwise if facts came or went, parameters were others, or another ruleset applied.

    RULESET is run over FACTS twice, as they are and as supposed. Each conclusion gained (+) or lost (−) comes with why
    the other run lacks it.
    """
    if not (add or remove or settings or against):
        raise click.UsageError("say what is to be otherwise: `--add`, `--remove`, `--set` or `--against`")
    rows = read(*facts, ignore_columns=ignore_columns, input_format=input_format)
    outcome = load(ruleset).run(rows, as_of=as_of, engine="compiled")
    found = outcome.what_if(added(add), remove, dict(settings), against, as_of)
    if subject is not None:
        if subject not in outcome.subjects and not any(one.subject == subject for one in found.subjects):
            outcome.run_of(subject)
        found = replace(found, subjects=tuple(one for one in found.subjects if one.subject == subject), total=1)
    if form == "json":
        click.echo(json.dumps(found.as_dict(), ensure_ascii=False, indent=2))
    else:
        click.echo(found.text(language, text_width()))
    rejected = outcome.rejected if subject is None else {}
    for why in rejected.values():
        click.echo(f"strikeout: {describe(why, outcome.ruleset.model)}", err=True)
    raise SystemExit(REJECTED if rejected else DONE)
