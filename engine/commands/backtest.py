"""`strikeout backtest`: what rulesets would have done to very many facts, and in what two of them part."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import click
from rich.console import Console

from .. import __version__
from ..api import load
from ..backtests.backtest import PAGE, RESULTS, SUMMARY, Result, Runner, Spec, key_of, put_in_place, run, workshop
from ..backtests.backtest_page import page
from ..backtests.backtest_rows import by_rows
from ..backtests.backtest_summary import Sheet, as_json, lines, sheets
from ..ground.problems import RunError, shorten
from ..reach.files import FORMATS, MOST_SHOWN, BadRow, _is_stream, read
from ..reach.formats import counted
from ..reach.writing import Output, refusals, writing
from . import reading
from .names import complete, ruleset_argument
from .printing import show_table
from .progress import Progress
from .terminal import DONE, REJECTED, language_option, out, parse_settings, set_option

PART_FACTS = 2_000_000
NEEDED = ("numpy", "pyarrow")
"""What backtests by columns need, of the extra `batch`."""

Open = Callable[..., "contextlib.AbstractContextManager[Runner]"]


@click.command("backtest")
@ruleset_argument
@click.argument("facts", metavar="FACTS…", nargs=-1, required=True, type=click.Path())
@click.option("--against", metavar="RULESET", shell_complete=complete, help="The ruleset to compare with.")
@set_option
@click.option(
    "--against-set",
    "against_settings",
    multiple=True,
    metavar="PARAM=VALUE",
    callback=parse_settings,
    help="Override a parameter of the ruleset to compare with; may be repeated.",
)
@click.option("--as-of", metavar="TIME", help="The instant of the runs; else the latest of the facts.")
@click.option("-o", "--output", metavar="DIR", type=click.Path(file_okay=False, path_type=Path), help="Where to write.")
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
@click.option(
    "--rejects",
    metavar="FILE",
    help="Write what cannot be used to FILE, with reasons, and run the rest; else bad rows stop the run.",
)
@click.option(
    "--ignore-columns", metavar="A,B", callback=reading.separated, help="Columns that no kind knows, to pass over."
)
@click.option("--input-format", type=click.Choice(FORMATS), help="The format of all FACTS; else by their suffixes.")
@click.option(
    "--part-facts",
    type=click.IntRange(1_000, 10**9),
    default=PART_FACTS,
    show_default=True,
    help="How many facts are run at a time, about; memory goes by it.",
)
@language_option
def backtest_command(
    ruleset: str,
    facts: tuple[str, ...],
    against: str | None,
    settings: dict[str, str],
    against_settings: dict[str, str],
    as_of: str | None,
    output: Path | None,
    form: str,
    rejects: str | None,
    ignore_columns: tuple[str, ...],
    input_format: str | None,
    part_facts: int,
    language: str,
) -> None:
    """Run RULESET over FACTS and count what it does; with --against, in what it differs from another.

    With --set alone, RULESET with these values is compared with itself as it stands. With -o, DIR gets all conclusions,
    summary.json and report.html; a run that was stopped goes on where it was when it is called again.
    """
    chosen = [(load(ruleset).with_parameters(settings), settings)]
    if against is not None or settings or against_settings:
        chosen.insert(0, (load(against or ruleset).with_parameters(against_settings), against_settings))
    if len({one.model.subject for one, _ in chosen}) > 1:
        raise RunError("the two rulesets are about different subjects")
    for path in facts:
        if _is_stream(path):
            raise RunError(f"`{shorten(path, 200)}`: a backtest reads its facts from files, which it can read again")
    reading.keep_apart(facts, None, rejects)
    _keep_results_apart(facts, output, rejects)
    instant = reading._as_of(chosen[-1][0], as_of)
    if output is not None and output.exists() and not output.is_dir():
        raise RunError(f"`{shorten(str(output), 200)}` is no folder")
    spec = Spec(
        tuple(one.program("compiled") for one, _ in chosen),
        tuple(own for _, own in chosen),
        read(*facts, ignore_columns=ignore_columns, input_format=input_format),
        instant,
        part_facts,
        __version__,
    )
    raise SystemExit(_backtest(spec, output, rejects, form, language))


def _keep_results_apart(facts: tuple[str, ...], output: Path | None, rejects: str | None) -> None:
    """Refuse to write results over what is read, or over the rejects."""
    results = {os.path.realpath(output / name) for name in RESULTS} if output is not None else set()
    for path in (*facts, *([rejects] if rejects is not None else [])):
        if os.path.realpath(path) in results:
            what = "`--rejects` names" if path == rejects else "the facts are read from"
            raise RunError(f"{what} `{shorten(path, 200)}`, where `-o` writes a result")


def _backtest(spec: Spec, output: Path | None, rejects: str | None, form: str, language: str) -> int:
    """Run a backtest and show what it came to; the exit code."""
    way, opened = choose_way()
    with contextlib.ExitStack() as stack:
        folder = output
        if folder is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="strikeout-")))
        shop = stack.enter_context(workshop(folder, key_of(spec, way) if output is not None else ""))
        file = stack.enter_context(writing(rejects)) if rejects is not None else None
        done = shop.begin()
        if done:
            click.echo(f"strikeout: going on behind {counted(len(done), 'finished part')}", err=True)

        def refuse(bad: BadRow) -> None:
            reading.write_reject(file, str(bad.place), bad.reason, bad.row)

        with _progress() as report, _kept(shop.folder, output):
            runner = stack.enter_context(opened(spec, shop.plan, done, None if file is None else refuse, report))
            made = None
            if output is not None:
                made = shop.folder / "made"
                with refusals(f"`{made}`"):
                    made.mkdir(exist_ok=True)
            result = run(spec, runner, shop, done, made)
            if made is not None:
                with refusals(f"`{made}`"):
                    _write_text(made / SUMMARY, json.dumps(as_json(result), ensure_ascii=False, indent=1) + "\n")
                    _write_text(made / PAGE, page(result, language))
        if made is not None and output is not None:
            put_in_place(made, output)
        code = _report(result, runner, file)
        _show(result, form, language)
    return code


def choose_way() -> tuple[str, Open]:
    """How to run: by columns where the extra `batch` is installed, else row by row."""
    if all(find_spec(name) is not None for name in NEEDED):
        from ..backtests.backtest_columns import by_columns

        return "columns", by_columns
    return "rows", by_rows


@contextlib.contextmanager
def _kept(parts: Path, output: Path | None) -> Iterator[None]:
    """Say, where a backtest is stopped, that the same command goes on from there."""
    try:
        yield
    except (KeyboardInterrupt, RunError):
        finished = sum(path.suffix == ".json" and path.stem.isdigit() for path in parts.iterdir())
        if output is not None and finished:
            what = counted(finished, "finished part")
            click.echo(f"strikeout: {what} kept in `{parts}`; the same command goes on from there", err=True)
        raise


@contextlib.contextmanager
def _progress() -> Iterator[Callable[[str, int, int], None]]:
    """What takes word of progress and shows it."""
    with contextlib.ExitStack() as stack:
        shown: dict[str, Progress] = {}

        def report(what: str, done: int, total: int) -> None:
            if what not in shown:
                stack.close()
                shown.clear()
                name = "reading, kB" if what == "read" else "running, facts"
                shown[what] = stack.enter_context(Progress(name))
            unit = reading.KILOBYTE if what == "read" else 1
            progress = shown[what]
            progress.total = total // unit or None
            progress.advance(done // unit - progress.done)

        yield report


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def _show(result: Result, form: str, language: str) -> None:
    """Print what a backtest came to."""
    if form == "json":
        click.echo(json.dumps(as_json(result), ensure_ascii=False, indent=1))
        return
    console = out()
    for line in lines(result, language):
        console.print(line, markup=False)
    for sheet in sheets(result, language):
        if sheet.rows:
            console.print()
            console.print(sheet.title, style="bold", markup=False)
            _show_sheet(console, sheet)


def _show_sheet(console: Console, sheet: Sheet) -> None:
    rows = [[f"{cell:,}" if isinstance(cell, int) else cell for cell in row] for row in sheet.rows]
    show_table(console, sheet.headings, rows, sheet.headings[1], first=1, numbers=sheet.numbers)


def _report(result: Result, runner: Runner, file: Output | None) -> int:
    """Say on standard error what was rejected, and write it down where that is wanted; the exit code."""
    rejected = result.whole.rejected
    if result.bad_rows:
        click.echo(f"strikeout: {counted(result.bad_rows, 'row')} cannot be used", err=True)
    number = sum(map(len, rejected))
    if number:
        told: dict[str, None] = {}
        wanted = rejected if file is not None else [sorted(subjects)[:MOST_SHOWN] for subjects in rejected]
        for place, why, row in runner.refused(wanted):
            if len(told) < MOST_SHOWN:
                told[why] = None
            reading.write_reject(file, place, why, row)
        for why in told:
            click.echo(f"strikeout: {why}", err=True)
        if number > len(told):
            click.echo(f"strikeout: … and {number - len(told):,} more rejected", err=True)
    return REJECTED if number or result.bad_rows else DONE
