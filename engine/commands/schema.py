"""`strikeout schema`: JSON Schemas for editors."""

from __future__ import annotations

import json

import click

from ..gate.schema import SCHEMAS, schema


@click.command("schema")
@click.argument("what", metavar=f"[{'|'.join(SCHEMAS)}]", type=click.Choice(tuple(SCHEMAS)), default="ruleset")
def schema_command(what: str) -> None:
    """Print the JSON Schema of a kind of file, so that an editor completes its keys and marks wrong ones."""
    click.echo(json.dumps(schema(what), ensure_ascii=False, indent=2))
