"""`strikeout list`: the rulesets that ship."""

from __future__ import annotations

import json

import click
from rich import box
from rich.table import Table

from ..gate.check import check
from ..gate.read import Mapping, read
from ..reach.library import Files, locate, shipped_cases, shipped_names
from .terminal import language_option, out, pick

HEADINGS = {
    "en": ("ruleset", "title", "version", "rules", "cases"),
    "zh": ("规则集", "标题", "版本", "规则", "用例"),
}


def _cases(name: str) -> int:
    """How many cases ship with a ruleset."""
    source = shipped_cases(name)
    root = read(source)[0] if source is not None else None
    cases = root.get("cases") if isinstance(root, Mapping) else None
    return len(cases.pairs) if isinstance(cases, Mapping) else 0


@click.command("list")
@click.option("--format", "form", type=click.Choice(["table", "jsonl"]), default="table", show_default=True)
@language_option
def list_command(form: str, language: str) -> None:
    """List the rulesets that ship, with their titles, versions, and numbers of rules and cases."""
    rows: list[tuple[str, str, str, int, int]] = []
    for name in shipped_names():
        model = check(locate(name), Files())
        rules = len(model.rules) + len(model.void_rules)
        rows.append((name, pick(model.title, language), model.version, rules, _cases(name)))
    if form == "jsonl":
        for row in rows:
            click.echo(json.dumps(dict(zip(HEADINGS["en"], row, strict=True)), ensure_ascii=False))
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for number, heading in enumerate(HEADINGS[language]):
        table.add_column(heading, justify="right" if number > 2 else "left", no_wrap=number != 1)
    for row in rows:
        table.add_row(*(str(cell) for cell in row))
    console = out()
    if not console.is_terminal:
        console.width = 1_000
        console.width = console.measure(table).maximum
    console.print(table)
