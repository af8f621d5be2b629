"""`strikeout log`: what a log holds, whether it is whole, and how it is moved and copied."""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, TypeVar

import click

from ..ground.problems import RunError, shorten
from ..ground.values import ArithmeticFault, Instant, Zone
from ..log import ChainBroken, Database, Log, open_database
from ..log.transfer import export_lines, fact_lines, import_lines
from ..reach.writing import reason, writing
from .progress import Progress
from .terminal import DONE, FAILED, fail

_Command = TypeVar("_Command", bound=Callable[..., Any])

STANDARD_INPUT = "-"


def database_option(command: _Command) -> _Command:
    """The option `--db`."""
    return click.option(
        "--db",
        "url",
        metavar="URL",
        required=True,
        envvar="STRIKEOUT_DB",
        help="A file, sqlite:///FILE or postgresql://…; else that of STRIKEOUT_DB.",
    )(command)


def log_option(command: _Command) -> _Command:
    """The option `--log`."""
    return click.option(
        "--log", "name", metavar="NAME", help="The log; may be left out where the database has one only."
    )(command)


def output_option(command: _Command) -> _Command:
    """The option `--output`."""
    return click.option(
        "-o",
        "--output",
        metavar="FILE",
        type=click.Path(dir_okay=False, allow_dash=True),
        help="The file, instead of stdout; one that ends in .gz is compressed.",
    )(command)


def chosen(database: Database, name: str | None) -> Log:
    """The log of a name; without one, the only log of the database."""
    if name is not None:
        return database.log(name)
    names = database.logs()
    if len(names) != 1:
        fail("say which `--log`: " + (", ".join(f"`{name}`" for name in names) or "the database has none"))
    return database.log(names[0])


@click.group("log")
def log_command() -> None:
    """Verify, export, import and back up logs of facts and of the rulesets in force."""


def _noted(context: click.Context, option: click.Parameter, text: str | None) -> tuple[int, str] | None:
    if text is None:
        return None
    position, _, hash = text.partition(":")
    if not (position.isascii() and position.isdigit() and len(position) < 19 and len(hash) == 64):
        raise click.BadParameter(f"`{shorten(text, 80)}` is not of the form POSITION:HASH", context, option)
    return int(position), hash.lower()


@log_command.command("verify")
@database_option
@log_option
@click.option(
    "--head",
    metavar="POSITION:HASH",
    callback=_noted,
    help="A head that was noted before: shows also whether the end was cut off since.",
)
def verify_command(url: str, name: str | None, head: tuple[int, str] | None) -> None:
    """Check that nothing of a log was changed, removed or put elsewhere since it was appended.

    Every record is hashed anew and compared with the next. Prints the head, to be noted where nobody who can write to
    the database can change it: with it, a later check tells also whether the end is still there.
    """
    with open_database(url, create=False) as database:
        wrong = database.check()
        for line in wrong:
            click.echo(f"the database: {line}", err=True)
        code = FAILED if wrong else DONE
        for log in [chosen(database, name)] if name is not None or head is not None else _all(database):
            try:
                with Progress("records") as progress:
                    found = log.verify(_advancing(progress), head)
            except ChainBroken as error:
                click.echo(f"{log.name}: {error}")
                code = FAILED
            else:
                bundles = f", {found.bundles} rulesets" if found.bundles else ""
                click.echo(
                    f"{log.name}: whole, {found.position:,} records{bundles}; head {found.position}:{found.hash}"
                )
    raise SystemExit(code)


def _all(database: Database) -> list[Log]:
    return [database.log(name) for name in database.logs()]


def _advancing(progress: Progress) -> Callable[[int, int], None]:
    def report(done: int, total: int) -> None:
        progress.total = total
        progress.advance(done - progress.done)

    return report


@log_command.command("export")
@database_option
@log_option
@output_option
def export_command(url: str, name: str | None, output: str | None) -> None:
    """Write a log as JSON Lines: its records with their hashes, and the texts of its rulesets."""
    with open_database(url, create=False) as database:
        log = chosen(database, name)
        with writing(output) as file, Progress("records", log.head().position) as progress:
            for line in export_lines(log):
                file.write(line)
                progress.advance()


@contextmanager
def _reading(path: str) -> Iterator[BinaryIO]:
    if path == STANDARD_INPUT:
        yield sys.stdin.buffer
        return
    try:
        with gzip.open(path) if path.lower().endswith(".gz") else open(path, "rb") as file:
            yield file  # type: ignore[misc]
    except (OSError, EOFError) as error:
        said = reason(error) if isinstance(error, OSError) else "it breaks off"
        raise RunError(f"cannot read `{shorten(path, 200)}`: {said}") from None


@log_command.command("import")
@database_option
@click.option("--log", "name", metavar="NAME", help="The log's name; else as it was exported.")
@click.argument("path", metavar="FILE", type=click.Path(dir_okay=False, allow_dash=True))
def import_command(url: str, name: str | None, path: str) -> None:
    """Import an export into a new log: the same records, the same hashes.

    An import that was stopped is gone on with by the same command.
    """
    with open_database(url) as database, _reading(path) as file, Progress("records") as progress:
        log = import_lines(database, file, name, lambda done: progress.advance(done - progress.done))
        head = log.head()
    click.echo(f"{log.name}: {head.position:,} records; head {head.position}:{head.hash}")


@log_command.command("backup")
@database_option
@click.argument("path", metavar="FILE", type=click.Path(dir_okay=False))
def backup_command(url: str, path: str) -> None:
    """Copy a SQLite database to a new file while it is in use; the copy is of one instant."""
    with open_database(url, create=False) as database:
        database.backup(path)
    with open_database(path, create=False, unchanging=True) as copy:
        for log in _all(copy):
            head = log.head()
            click.echo(f"{log.name}: {head.position:,} records; head {head.position}:{head.hash}")


@log_command.command("facts")
@database_option
@log_option
@output_option
@click.option("--as-of", metavar="TIME", help="Facts known by then; else by the log's clock.")
@click.option("--known", metavar="TIME", help="Facts that became known up to then; else all.")
@click.option("--subject", metavar="ID", help="Only this subject.")
def facts_command(
    url: str, name: str | None, output: str | None, as_of: str | None, known: str | None, subject: str | None
) -> None:
    """Write the facts of a log as JSON Lines with `known_at`, as `strikeout run` reads them.

    Which instant they are as of is said on standard error: `strikeout run --as-of` it decides as the service does.
    """
    with open_database(url, create=False) as database:
        log = chosen(database, name)
        zone = _zone(log)
        with log.snapshot(_instant(zone, "--as-of", as_of), _instant(zone, "--known", known)) as snapshot:
            number = 0
            with writing(output) as file, Progress("facts") as progress:
                for line in fact_lines(snapshot, subject):
                    number += 1
                    file.write(line)
                    progress.advance()
        said = (f"{number:,} facts", f"as of {zone.format(snapshot.as_of)}", f"known {zone.format(snapshot.known)}")
        click.echo(", ".join(said), err=True)


def _zone(log: Log) -> Zone:
    """The time zone of the log's rulesets, UTC where it has none."""
    with log.snapshot(as_of=0, known=log.head().known_at) as snapshot:
        last = snapshot.activations[-1:]
    return log.rulesets.model(last[0].bundle).zone if last else Zone.load("UTC")


def _instant(zone: Zone, option: str, text: str | None) -> Instant | None:
    if text is None:
        return None
    try:
        return zone.parse(text)
    except (ValueError, ArithmeticFault) as error:
        raise RunError(f"`{option}`: {error}") from None


@log_command.command("activations")
@database_option
@log_option
@click.option("--format", "form", type=click.Choice(["text", "jsonl"]), default="text", show_default=True)
def activations_command(url: str, name: str | None, form: str) -> None:
    """List the rulesets of a log: since when each is known, from when on it is in force, and its hash."""
    with open_database(url, create=False) as database:
        log = chosen(database, name)
        zone = _zone(log)
        with log.snapshot(as_of=0, known=log.head().known_at) as snapshot:
            activations = snapshot.activations
        for activated in activations:
            model = database.model(activated.bundle)
            row = {
                "position": activated.position,
                "known_at": zone.format(activated.known_at),
                "from": zone.format(activated.from_),
                "ruleset": model.name,
                "version": model.version,
                "hash": activated.bundle,
            }
            if form == "jsonl":
                click.echo(json.dumps(row, ensure_ascii=False))
            else:
                begins, known = f"from {row['from']}", f"known since {row['known_at']}"
                click.echo(f"{activated.position}: {model.name} {model.version} {begins}, {known}, {activated.bundle}")
