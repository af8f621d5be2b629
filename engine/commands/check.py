"""`strikeout check`: every problem of rulesets and case files."""

from __future__ import annotations

from pathlib import Path

import click

from ..gate.case_files import read_cases
from ..gate.case_model import SUFFIX
from ..gate.check import check
from ..ground.problems import Problem, RulesetError, Source
from ..reach.library import Files, locate, read_file, shipped_names
from .names import complete
from .terminal import DONE, FAILED, WRONG, language_option, show_problems

WORDS: dict[str, dict[str, tuple[str, ...]]] = {
    "en": {
        "rules": ("no rules", "1 rule", "{} rules"),
        "cases": ("no cases", "1 case", "{} cases"),
        "errors": ("no errors", "1 error", "{} errors"),
        "warnings": ("no problems", "1 warning", "{} warnings"),
    },
    "zh": {
        "rules": ("无规则", "规则 1 条", "规则 {} 条"),
        "cases": ("无用例", "用例 1 个", "用例 {} 个"),
        "errors": ("无错误", "错误 1 处", "错误 {} 处"),
        "warnings": ("无问题", "警告 1 处", "警告 {} 处"),
    },
}


FINE = {"en": "{name}: {number}, {problems}", "zh": "{name}：{number}，{problems}"}


def _number(language: str, what: str, number: int) -> str:
    """So many of something, in words."""
    return WORDS[language][what][min(number, 2)].format(number)


def _locate(name: str) -> Source:
    return read_file(Path(name), name) if name.endswith(SUFFIX) else locate(name)


def _check(source: Source, language: str) -> tuple[str, tuple[Problem, ...]]:
    """How much a file holds, and what it is warned of.

    Raises
    ------
    RulesetError
        Where it has errors.
    """
    if source.name.endswith(SUFFIX):
        return _number(language, "cases", len(read_cases(source, Files()).cases)), ()
    model = check(source, Files())
    return _number(language, "rules", len(model.rules) + len(model.void_rules)), model.warnings


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
            number, warnings = _check(source, language)
        except RulesetError as error:
            show_problems(error.problems)
            errors = sum(not problem.warning for problem in error.problems)
            click.echo(f"{name}: {_number(language, 'errors', errors)}", err=True)
            code = max(code, FAILED)
            continue
        if warnings:
            show_problems(warnings)
        problems = _number(language, "warnings", len(warnings))
        click.echo(FINE[language].format(name=name, number=number, problems=problems))
    raise SystemExit(code)
