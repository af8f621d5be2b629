"""`strikeout sample`: made-up complaints to try a ruleset on."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, TypeVar

import click

from ..api import load
from ..reach.parquet import arrow
from ..reach.sample import COLUMNS, Row, check_ruleset, rows, shuffled
from ..reach.writing import STANDARD_OUTPUT, writing
from .progress import Progress

FORMATS = ("jsonl", "csv", "parquet")
MOST_FACTS = 10_000_000_000
AT_ONCE = 65_536
"""How many rows are written at once."""

_Item = TypeVar("_Item")


def format_of(name: str | None) -> str:
    """The format that a file's name asks for; JSON Lines unless it says otherwise.

    >>> format_of("facts.csv.gz")
    'csv'
    """
    suffix = Path((name or "").removesuffix(".gz")).suffix.removeprefix(".")
    return suffix if suffix in FORMATS else "jsonl"


def batches(given: Iterable[_Item]) -> Iterator[list[_Item]]:
    """The items, many at a time."""
    left = iter(given)
    while batch := list(itertools.islice(left, AT_ONCE)):
        yield batch


def write_csv(file: BinaryIO, given: Iterable[Row]) -> None:
    """Write the rows as CSV, the names of the columns first; no text of a sample needs quotes."""
    file.write(",".join(COLUMNS).encode() + b"\n")
    for batch in batches(given):
        file.write("".join([",".join(row) + "\n" for row in batch]).encode())


def write_jsonl(file: BinaryIO, given: Iterable[Row]) -> None:
    """Write the rows as JSON Lines, without what is missing; no text of a sample needs escapes."""
    shown = [f', "{name}": ' + ("%s" if name in ("special", "base") else '"%s"') for name in COLUMNS]
    for batch in batches(given):
        lines = ["".join([part % text for part, text in zip(shown, row, strict=True) if text]) for row in batch]
        file.write("".join(["{" + line[2:] + "}\n" for line in lines]).encode())


def write_parquet(file: BinaryIO, given: Iterable[Row]) -> None:
    """Write the rows as Parquet, times without an offset.

    Raises
    ------
    RunError
        Where pyarrow is not installed.
    """
    pyarrow = arrow()
    from pyarrow import csv, parquet

    types = {
        "at": pyarrow.timestamp("us"),
        "filed_at": pyarrow.date32(),
        "special": pyarrow.bool_(),
        "base": pyarrow.int64(),
    }
    schema = pyarrow.schema([(name, types.get(name, pyarrow.string())) for name in COLUMNS])
    reading = csv.ReadOptions(column_names=list(COLUMNS), use_threads=False, block_size=1 << 30)
    parsing = csv.ParseOptions(quote_char=False)
    converting = csv.ConvertOptions(column_types=schema, null_values=[""], strings_can_be_null=True)
    with parquet.ParquetWriter(file, schema) as writer:
        for batch in batches(given):
            # Arrow parses texts much faster than it takes them one by one; none of a sample needs quotes.
            text = pyarrow.BufferReader("".join([",".join(row) + "\n" for row in batch]).encode())
            writer.write_table(csv.read_csv(text, reading, parsing, converting))


WRITERS = {"jsonl": write_jsonl, "csv": write_csv, "parquet": write_parquet}


def watched(given: Iterable[Row], facts: int) -> Iterator[Row]:
    """The rows, counted on a terminal."""
    with Progress("facts", facts) as progress:
        for batch in batches(given):
            yield from batch
            progress.advance(len(batch))


@click.command("sample")
@click.option("--facts", type=click.IntRange(1, MOST_FACTS), default=10_000, show_default=True, help="How many facts.")
@click.option("--seed", type=int, default=0, show_default=True, help="Which sample: the same seed, the same facts.")
@click.option(
    "--subjects",
    type=click.IntRange(1, MOST_FACTS),
    show_default="a quarter of the facts",
    help="How many sellers they are drawn from.",
)
@click.option(
    "--ruleset", default="taobao-counterfeit", show_default=True, help="The ruleset that the facts must suit."
)
@click.option("--shuffled", "in_disorder", is_flag=True, help="In an order drawn by chance, not in that of time.")
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    show_default="by the file's name, else jsonl",
    help="What is written; a file whose name ends in `.gz` is compressed.",
)
@click.option("-o", "--output", metavar="FILE", help="The file, instead of standard output.")
def sample_command(
    facts: int,
    seed: int,
    subjects: int | None,
    ruleset: str,
    in_disorder: bool,
    form: str | None,
    output: str | None,
) -> None:
    """Write made-up complaints to try a ruleset on.

    A few sellers have very many facts and most about three; some complaints come in bursts, some are withdrawn. It may
    be as many facts as there is room for: they are written as they are made.
    """
    check_ruleset(load(ruleset).model)
    wanted = form or format_of(output)
    if wanted == "parquet" and output in (None, STANDARD_OUTPUT):
        raise click.UsageError("Parquet goes to a file only: give `-o FILE`")
    given = rows(facts, seed, subjects)
    if in_disorder:
        given = shuffled(given, facts, seed)
    with writing(output) as file:
        WRITERS[wanted](file, watched(given, facts))  # type: ignore[arg-type]
