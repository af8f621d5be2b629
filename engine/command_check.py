"""`strikeout check`: every problem of rulesets and case files."""

from __future__ import annotations

from pathlib import Path

import click

from .case_files import read_cases
from .case_model import SUFFIX
from .check import check
from .library import Files, locate, read_file, shipped_names
from .names import complete
from .problems import Problem, RulesetError, Source
from .terminal import DONE, FAILED, WRONG, language_option, show_problems

FINE = {
    "en": ("{name}: {number} rules, {warnings}", "{name}: {number} cases, no problems"),
    "zh": ("{name}：规则 {number} 条，{warnings}", "{name}：用例 {number} 个，无问题"),
}
WARNINGS = {"en": ("no problems", "1 warning", "{} warnings"), "zh": ("无问题", "警告 1 条", "警告 {} 条")}


def _locate(name: str) -> Source:
    return read_file(Path(name), name) if name.endswith(SUFFIX) else locate(name)


def _counted(problems: tuple[Problem, ...]) -> str:
    errors = sum(not problem.warning for problem in problems)
    return f"{errors} error{'s' * (errors != 1)}"


@click.command("check")
@click.argument("rulesets", metavar="[RULESET]...", nargs=-1, shell_complete=complete)
@language_option
def check_command(rulesets: tuple[str, ...], language: str) -> None:
    """Check rulesets, or case files, and show every problem of each; without RULESET all that ship.

    Exits with 1 where there is an error, with 2 where a file cannot be read. Warnings are shown and are no error.
    """
    code = DONE
    for name in rulesets or shipped_names():
        try:
            source = _locate(name)
        except RulesetError as error:
            show_problems(error.problems)
            code = WRONG
            continue
        try:
            if source.name.endswith(SUFFIX):
                number = len(read_cases(source, Files()).cases)
                click.echo(FINE[language][1].format(name=name, number=number))
                continue
            model = check(source, Files())
        except RulesetError as error:
            show_problems(error.problems)
            click.echo(f"{name}: {_counted(error.problems)}", err=True)
            code = max(code, FAILED)
            continue
        if model.warnings:
            show_problems(model.warnings)
        few = WARNINGS[language]
        warnings = few[min(len(model.warnings), 2)].format(len(model.warnings))
        number = len(model.rules) + len(model.void_rules)
        click.echo(FINE[language][0].format(name=name, number=number, warnings=warnings))
    raise SystemExit(code)
