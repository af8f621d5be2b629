"""`strikeout test`: case files run."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

import click

from ..api import ENGINES, Ruleset, default_engine
from ..gate.case_files import read_cases
from ..gate.case_model import SUFFIX, Case, CaseFile
from ..ground.problems import Problem, RulesetError, Source, Span, listing, nearest, shorten
from ..reach.library import Files, read_file, shipped_cases, shipped_names
from ..speech.cases import Failure, run_case
from .names import complete
from .progress import Progress
from .terminal import DONE, FAILED, WRONG, fail, language_option, pick, show_problems

SUMMARY = {"en": "{passed} passed, {failed} failed", "zh": "通过 {passed} 个，失败 {failed} 个"}


def _sources(path: str) -> Iterator[Source]:
    """The case files that a PATH names: a file, those of a folder and all below, or that of a shipped ruleset."""
    place = Path(path)
    if place.is_dir():
        found = sorted(place.rglob(f"*{SUFFIX}"))
        if not found:
            raise RulesetError([_unfound(path, f"no case files (`*{SUFFIX}`) in `{shorten(path, 60)}`", "")])
        for file in found:
            yield read_file(file, str(file))
        return
    source = None if place.exists() else shipped_cases(path)
    if source is not None:
        yield source
    elif place.exists() or place.suffix in (".yaml", ".yml") or "/" in path or "\\" in path:
        yield read_file(place, path)
    else:
        names = shipped_names()
        hint = nearest(path, names) or f"a case file, a folder of such, or one of {listing(names, 20)}"
        raise RulesetError([_unfound(path, f"there is no `{shorten(path, 60)}`", hint)])


def _unfound(path: str, message: str, hint: str) -> Problem:
    return Problem("unknown-name", message, Span(Source("PATH", path), 0, len(path)), hint)


def _matches(pattern: str, file: CaseFile, case: Case) -> bool:
    """Whether `-k` chooses a case: part of its name or of its ruleset's, or a pattern with `*` of the whole."""
    names = (case.name.lower(), file.ruleset.name.lower())
    wanted = pattern.lower()
    return any(wanted in name or fnmatchcase(name, wanted) for name in names)


def _show(case: Case, file: CaseFile, failures: tuple[Failure, ...], language: str) -> None:
    title = pick(case.title, language)
    head = click.style("FAILED", fg="red", bold=True) + f" {file.ruleset.name}: {case.name}"
    click.echo(head + (f" ({title})" if title else ""))
    for failure in failures:
        for line in failure.lines():
            click.echo(f"  {line}")
    click.echo()


@click.command("test")
@click.argument("paths", metavar="[PATH]...", nargs=-1, shell_complete=complete)
@click.option("--engine", type=click.Choice(ENGINES), default=default_engine, show_default="rete where it can be had")
@click.option("-k", "pattern", metavar="PATTERN", default="", help="Only cases whose name, or ruleset's, has PATTERN.")
@language_option
def test_command(paths: tuple[str, ...], engine: str, pattern: str, language: str) -> None:
    """Run case files: PATH is a file, a folder of such, or a shipped ruleset; without PATH all that ship.

    Exits with 1 where a case fails, with 2 where a case file or its ruleset has problems.
    """
    files: list[CaseFile] = []
    code = DONE
    for path in paths or [name for name in shipped_names() if shipped_cases(name) is not None]:
        try:
            for source in _sources(path):
                try:
                    files.append(read_cases(source, Files()))
                except RulesetError as error:
                    show_problems(error.problems)
                    code = WRONG
        except RulesetError as error:
            show_problems(error.problems)
            code = WRONG
    chosen = [(file, case) for file in files for case in file.cases if _matches(pattern, file, case)]
    if files and not chosen:
        hint = nearest(pattern, (case.name for file in files for case in file.cases))
        fail(f"no case matches `{shorten(pattern, 60)}`" + (f"; {hint}" if hint else ""))
    failed = 0
    rulesets: dict[int, Ruleset] = {}
    with Progress("cases", len(chosen)) as progress:
        for file, case in chosen:
            ruleset = rulesets.get(id(case.ruleset))
            if ruleset is None:
                ruleset = rulesets[id(case.ruleset)] = Ruleset(case.ruleset, file.source, Files(), {})
            failures = run_case(case, ruleset.program(engine), language)
            if failures:
                failed += 1
                progress.hide()
                _show(case, file, failures, language)
            progress.advance()
    if chosen:
        click.echo(SUMMARY[language].format(passed=len(chosen) - failed, failed=failed))
    raise SystemExit(code or (FAILED if failed else DONE))
