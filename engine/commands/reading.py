"""What the commands that read facts share: their options, the run over all subjects, and what they say of it."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import click

from ..api import ENGINES, Ruleset, load
from ..ground.problems import RunError, nearest, shorten
from ..machine.timeline import SubjectRun
from ..reach.files import FORMATS, MOST_SHOWN, STANDARD_INPUT, BadRow, read
from ..reach.formats import counted
from ..reach.streaming import Intake, RefusedFact, as_row, take_in
from ..reach.writing import STANDARD_OUTPUT, Output, writing
from ..rows import BadCell, Binder
from ..speech.outcome import describe
from .names import ruleset_argument
from .progress import Progress
from .terminal import DONE, REJECTED, language_option, set_option

_Command = TypeVar("_Command", bound=Callable[..., Any])

KILOBYTE = 1_000

SUMMARY = {
    "en": (
        "given {given:,} = used {used:,} + duplicates {duplicates:,} + voided {voided:,} + later {later:,} + "
        "rejected {rejected:,}; {subjects}, {derived} derived, as of {as_of}"
    ),
    "zh": (
        "输入 {given:,} = 采用 {used:,} + 重复 {duplicates:,} + 作废 {voided:,} + 尚未发生或知悉 {later:,} + "
        "拒收 {rejected:,}；{name} {subjects_number:,} 个，推出 {derived_number:,} 条，截至 {as_of}"
    ),
}


@dataclass(frozen=True, slots=True)
class Reading:
    """What is to be read and run: the command's arguments and options."""

    ruleset: str
    facts: tuple[str, ...]
    as_of: str | None
    engine: str | None
    settings: dict[str, str]
    subject: str | None
    rejects: str | None
    ignore_columns: tuple[str, ...]
    input_format: str | None
    language: str


def reading_options(command: _Command) -> _Command:
    """The arguments RULESET and FACTS, and the options of every command that reads facts."""
    for decorate in reversed(
        (
            ruleset_argument,
            click.argument("facts", metavar="FACTS…", nargs=-1, required=True, type=click.Path(allow_dash=True)),
            click.option("--as-of", metavar="TIME", help="The instant of the run; else the latest of the facts."),
            click.option(
                "--engine", type=click.Choice(ENGINES), help="What runs the rules; else rete where it can be had."
            ),
            set_option,
            click.option("--subject", metavar="ID", help="Run only this subject."),
            click.option(
                "--rejects",
                metavar="FILE",
                help="Write what cannot be used to FILE, with reasons, and run the rest; else bad rows stop the run.",
            ),
            click.option(
                "--ignore-columns", metavar="A,B", callback=separated, help="Columns that no kind knows, to pass over."
            ),
            click.option(
                "--input-format", type=click.Choice(FORMATS), help="The format of all FACTS; else by their suffixes."
            ),
            language_option,
        )
    ):
        command = decorate(command)
    return command


def output_option(command: _Command) -> _Command:
    """The option `-o`, of a command that writes one file."""
    return click.option(
        "-o",
        "--output",
        type=click.Path(dir_okay=False, allow_dash=True),
        metavar="FILE",
        help="The file, instead of stdout.",
    )(command)


def separated(context: click.Context, option: click.Parameter, text: str | None) -> tuple[str, ...]:
    """Names that are separated by commas."""
    return tuple(name.strip() for name in (text or "").split(",") if name.strip())


class Work:
    """A run over all subjects that a command asks for; made by `work`."""

    def __init__(self, reading: Reading, ruleset: Ruleset, intake: Intake, rejects: Output | None) -> None:
        self.reading = reading
        self.ruleset = ruleset
        self.intake = intake
        self._rejects = rejects
        self._rejected: list[str] = []
        self._more = 0

    def runs(self) -> Iterator[SubjectRun]:
        """The runs of all subjects that were not rejected, by code point."""
        program = self.ruleset.program(self.reading.engine)
        refuse = None if self._rejects is None else self._refuse
        model = self.ruleset.model
        with Progress("running", self.intake.summary.given - self.intake.bad_rows) as progress:

            def report(what: str, done: int, total: int) -> None:
                progress.advance(done - progress.done)

            for run in self.intake.runs(program, refuse, report):
                if run.rejection is None:
                    yield run
                elif len(self._rejected) < MOST_SHOWN:
                    self._rejected.append(describe(run.rejection, model))
                else:
                    self._more += 1
        if self.reading.subject is not None and not self.intake.summary.subjects:
            raise RunError(f"no fact names the {model.subject} `{shorten(self.reading.subject, 60)}`")

    def runs_of_subject(self) -> list[SubjectRun]:
        """The run of the one subject asked for; none, where it was rejected.

        Raises
        ------
        RunError
            Where no fact names the subject; the nearest is named.
        """
        reading, model = self.reading, self.ruleset.model
        try:
            return list(self.runs())
        except RunError as error:
            if reading.subject is None or STANDARD_INPUT in reading.facts:
                raise
            rows = read(*reading.facts, ignore_columns=reading.ignore_columns, input_format=reading.input_format)
            hint = nearest(reading.subject, {str(row.get(model.subject) or "") for row in rows})
            raise RunError(f"{error}; {hint}" if hint else str(error)) from None

    def _refuse(self, refused: RefusedFact) -> None:
        model = self.ruleset.model
        row = as_row(model, refused.fact)
        write_reject(self._rejects, str(refused.place), describe(refused.rejection, model), row)

    def report(self) -> int:
        """Say on standard error what became of every fact; the exit code."""
        summary, model = self.intake.summary, self.ruleset.model
        for line in self._rejected:
            click.echo(f"strikeout: {line}", err=True)
        if self._more:
            click.echo(f"strikeout: … and {self._more:,} more rejected", err=True)
        if self.intake.bad_rows:
            click.echo(f"strikeout: {counted(self.intake.bad_rows, 'row')} cannot be used", err=True)
        text = SUMMARY[self.reading.language].format(
            given=summary.given,
            used=summary.used,
            duplicates=summary.duplicates,
            voided=summary.voided,
            later=summary.later,
            rejected=summary.rejected,
            name=model.subject,
            subjects=counted(summary.subjects, model.subject),
            subjects_number=summary.subjects,
            derived=counted(summary.derived, "fact"),
            derived_number=summary.derived,
            as_of=model.zone.format(self.intake.as_of) if self.intake.as_of is not None else "-",
        )
        click.echo(text, err=True)
        return REJECTED if self.intake.bad_rows or self._rejected else DONE


@contextlib.contextmanager
def work(reading: Reading, output: str | None = None) -> Iterator[Work]:
    """Read and check all that a command is to run over. Nothing is written where that fails.

    Parameters
    ----------
    reading : Reading
        The command's arguments and options.
    output : str, optional
        The file that the command will write.

    Raises
    ------
    StrikeoutError
        Where ruleset, options or facts cannot be used.
    """
    ruleset = load(reading.ruleset).with_parameters(reading.settings)
    ruleset.program(reading.engine)
    rows = read(*reading.facts, ignore_columns=reading.ignore_columns, input_format=reading.input_format)
    as_of = _as_of(ruleset, reading.as_of)
    keep_apart(reading.facts, output, reading.rejects)
    with contextlib.ExitStack() as stack:
        rejects = stack.enter_context(writing(reading.rejects)) if reading.rejects is not None else None

        def refuse(bad: BadRow) -> None:
            write_reject(rejects, str(bad.place), bad.reason, bad.row)

        with Progress("reading, kB") as progress:

            def report(what: str, done: int, total: int) -> None:
                progress.total = total // KILOBYTE or None
                progress.advance(done // KILOBYTE - progress.done)

            intake = stack.enter_context(
                take_in(
                    ruleset.model,
                    rows,
                    as_of=as_of,
                    subject=reading.subject,
                    refuse=None if rejects is None else refuse,
                    report=report,
                )
            )
        yield Work(reading, ruleset, intake, rejects)


def _as_of(ruleset: Ruleset, text: str | None) -> int | None:
    if text is None:
        return None
    try:
        return Binder(ruleset.model).instant("--as-of", text)
    except BadCell as error:
        raise RunError(f"`--as-of`: {error.expected}") from None


def keep_apart(facts: Sequence[str], output: str | None, rejects: str | None) -> None:
    """Refuse to write a file that is read, or two things to one file."""
    result = output or STANDARD_OUTPUT
    for option, path in (("-o", result), ("--rejects", rejects)):
        if path is None or path == STANDARD_OUTPUT:
            continue
        if any(name != STANDARD_INPUT and _same(path, name) for name in facts):
            raise RunError(f"`{option}` names the file `{shorten(path, 200)}`, which is read")
    if rejects is not None and (
        rejects == result or (STANDARD_OUTPUT not in (rejects, result) and _same(rejects, result))
    ):
        raise RunError("results and rejects cannot be written to the same file")


def _same(one: str, other: str) -> bool:
    """Whether two paths name one regular file, there already or not."""
    if os.path.exists(one) and os.path.exists(other):
        return os.path.isfile(one) and os.path.samefile(one, other)
    return os.path.realpath(one) == os.path.realpath(other)


def write_reject(file: Output | None, place: str, reason: str, row: object) -> None:
    """A line of the file of rejects."""
    if file is not None:
        text = json.dumps({"place": place, "reason": reason, "row": row}, ensure_ascii=False, default=str)
        # Half a surrogate pair, which stands for a byte that is no UTF-8, becomes an escape of JSON.
        file.write(text.encode("utf-8", "backslashreplace") + b"\n")
