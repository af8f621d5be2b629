"""`strikeout push`: files of facts into a log of a service."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..ground.problems import RunError, shorten
from ..reach.files import FORMATS, BadRow, Rows, read
from ..reach.writing import STANDARD_OUTPUT, reason, writing
from .progress import Progress
from .reading import KILOBYTE, keep_apart, separated, write_reject
from .terminal import DONE, FAILED, REJECTED, language_option

if TYPE_CHECKING:
    from ..client import Client
    from ..client.pushing import Staged
    from ..model import Ruleset

KEY = "STRIKEOUT_KEY"
"""The variable of the environment that holds the key."""
MOST_IN_BATCH = 20_000
FIRST_ATTEMPTS, ATTEMPTS = 3, 10
"""How often the first request is made at most, and each after it: who was reached is waited for, a minute or more."""

SUMMARY = {
    "en": "given {given:,} = appended {appended:,} + in the log before {before:,} + rejected {rejected:,}{end}",
    "zh": "输入 {given:,} = 新增 {appended:,} + 日志中已有 {before:,} + 拒收 {rejected:,}{end}",
}
END = {"en": "; up to position {position:,}", "zh": "；至第 {position:,} 条"}


@click.command("push")
@click.argument("files", metavar="FILE…", nargs=-1, required=True, type=click.Path(allow_dash=True))
@click.option("--to", "url", metavar="URL", required=True, help="The service, such as http://127.0.0.1:8080.")
@click.option("--log", metavar="NAME", required=True, help="The log to append to.")
@click.option(
    "--key-file",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help=f"The file that holds the key; else the variable {KEY} does. It needs the scope append.",
)
@click.option(
    "--batch",
    type=click.IntRange(1, MOST_IN_BATCH),
    default=1_000,
    show_default=True,
    metavar="N",
    help="How many facts are sent at once; each batch is taken whole or not at all.",
)
@click.option(
    "--rejects",
    metavar="FILE",
    help="Write what cannot be used to FILE, with reasons, and push the rest; else bad rows stop the push.",
)
@click.option("--ignore-columns", metavar="A,B", callback=separated, help="Columns that no kind knows, to pass over.")
@click.option("--input-format", type=click.Choice(FORMATS), help="The format of all files; else by their suffixes.")
@language_option
def push_command(
    files: tuple[str, ...],
    url: str,
    log: str,
    key_file: str | None,
    batch: int,
    rejects: str | None,
    ignore_columns: tuple[str, ...],
    input_format: str | None,
    language: str,
) -> None:
    """Push the facts of files into a log of a service.

    FILES are of JSON Lines (.jsonl), CSV (.csv), both also .gz, or Parquet; - is standard input. Every row is checked
    by the ruleset in force before anything is sent. A fact's key is made of its content: a file pushed twice, or again
    after a push that broke off, is in the log once.
    """
    from ..client import Client, Retries
    from ..client.pushing import PushStopped, Staged, push

    if rejects != STANDARD_OUTPUT:
        keep_apart(files, None, rejects)
    rows = read(*files, ignore_columns=ignore_columns, input_format=input_format)
    with contextlib.ExitStack() as stack:
        client = stack.enter_context(Client(url, _key(key_file), retries=Retries(FIRST_ATTEMPTS, first=1.0)))
        staged = stack.enter_context(Staged(_ruleset(client, log)))
        client.retries = Retries(ATTEMPTS)
        _check(staged, rows, rejects)
        with Progress("pushing", staged.facts) as progress, _told(progress, staged):
            try:
                pushed = push(client, log, staged, batch, lambda done, _: progress.advance(done - progress.done))
            except PushStopped as error:
                progress.hide()
                click.echo(f"strikeout: {error}", err=True)
                raise SystemExit(FAILED) from None
        text = SUMMARY[language].format(
            given=staged.facts + staged.bad_rows,
            appended=pushed.appended,
            before=pushed.before,
            rejected=staged.bad_rows,
            end=END[language].format(position=pushed.position) if pushed.position else "",
        )
        click.echo(text, err=True)
        raise SystemExit(REJECTED if staged.bad_rows else DONE)


def _ruleset(client: Client, log: str) -> Ruleset:
    """The ruleset in force; whether there is a service is seen by this, before anything is read."""
    from ..client import ServiceUnreachable
    from ..client.pushing import ruleset_of

    try:
        return ruleset_of(client, log)
    except ServiceUnreachable as error:
        raise RunError(f"{error}; is there a service at `{client.url}`?") from None


@contextlib.contextmanager
def _told(progress: Progress, staged: Staged) -> Iterator[None]:
    """Say how far a push came that is interrupted."""
    from ..client.pushing import stopped

    try:
        yield
    except KeyboardInterrupt:
        progress.hide()
        click.echo(f"strikeout: {stopped(progress.done, staged.facts)}", err=True)
        raise


def _check(staged: Staged, rows: Rows, rejects: str | None) -> None:
    """Read and check all rows, before anything is sent."""
    with contextlib.ExitStack() as stack:
        file = None if rejects is None else stack.enter_context(writing(rejects))
        progress = stack.enter_context(Progress("checking, kB"))

        def refuse(bad: BadRow) -> None:
            write_reject(file, str(bad.place), bad.reason, bad.row)

        def report(done: int, total: int) -> None:
            progress.total = total // KILOBYTE or None
            progress.advance(done // KILOBYTE - progress.done)

        try:
            staged.take(rows, None if rejects is None else refuse, report)
        except KeyboardInterrupt:
            progress.hide()
            click.echo("strikeout: stopped while rows were checked: nothing was sent", err=True)
            raise


def _key(path: str | None) -> str | None:
    """The key: what stands in a file, else in the environment; None where there is none."""
    if path is None:
        return os.environ.get(KEY) or None
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except UnicodeDecodeError:
        raise RunError(f"cannot read `{shorten(path, 200)}`: it holds no key") from None
    except OSError as error:
        raise RunError(f"cannot read `{shorten(path, 200)}`: {reason(error)}") from None
