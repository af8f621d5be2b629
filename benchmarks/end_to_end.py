"""Whole backtests from a Parquet file of text ids, beside merely reading the file and dictionary-encoding its texts."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .runs import Measured, growth, measure, say
from .samples import sample_file
from .tables import ratio, rounded, table

if TYPE_CHECKING:
    from .sections import Options

NEEDED = ("numpy", "pyarrow")
COMPILED_FROM, JUDGED_FROM, LARGEST = 100_000, 10_000_000, 100_000_000
"""From how many facts on numba compiles, a ratio is held against `MOST`; and the facts of the file of `--large`."""

POLICY = "taobao-counterfeit"
ROWS: tuple[tuple[str, str, Mapping[str, Any]], ...] = (
    ("read and dictionary-encode, pyarrow", "encode", {}),
    ("`strikeout backtest`, counts", "backtest", {"conclusions": False}),
    ("`strikeout backtest -o`, with all conclusions", "backtest", {"conclusions": True}),
    ("the same against another value, `--set`", "backtest", {"conclusions": True, "set": ["strike_limit=2"]}),
)
MOST = {"by time": 2.5, "shuffled": 5.0}
"""How many times the time of the first row a backtest with its conclusions may take at most."""


def encode(path: str, facts: int) -> dict[str, Any]:
    """Read a file and dictionary-encode its columns of texts."""
    start, used = time.perf_counter(), time.process_time()
    import pyarrow
    import pyarrow.parquet

    whole = pyarrow.parquet.read_table(path)
    for name in whole.column_names:
        if pyarrow.types.is_string(whole.schema.field(name).type):
            whole.column(name).dictionary_encode()
    return {"facts": facts, "decide": time.perf_counter() - start, "processor": time.process_time() - used}


def backtest(path: str, facts: int, conclusions: bool, set: list[str] | None = None) -> dict[str, Any]:
    """The command, from the file to the results."""
    start, used = time.perf_counter(), time.process_time()
    from strikeout.cli import commands

    with tempfile.TemporaryDirectory(prefix="strikeout-benchmarks-", dir=Path(path).parent) as folder:
        arguments = ["backtest", POLICY, path, "--format", "json"]
        arguments += ["-o", str(Path(folder, "out"))] if conclusions else []
        for setting in set or ():
            arguments += ["--set", setting]
        try:
            commands(arguments, standalone_mode=False)
        except SystemExit as end:
            if end.code:
                raise
        return {"facts": facts, "decide": time.perf_counter() - start, "processor": time.process_time() - used}


def section(options: Options) -> Iterator[str]:
    """Each row on files of more and more facts, by time and shuffled; ratios are to the first row of the same file."""
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        yield f"Left out: `{missing[0]}` is not installed."
        return
    sizes = (*options.parquet, *((LARGEST,) if options.large else ()))
    heads = ["end to end: seconds for", *(f"{size:,} facts" for size in sizes)]
    heads += ["facts a second", "to reading", "at most", "growth", "processor s", "peak MB"]
    for order, in_disorder in (("by time", False), ("shuffled", True)):
        rows = []
        first: list[Measured] = []
        for name, what, asked in ROWS:
            found: list[Measured] = []
            for size in sizes:
                path = sample_file(options.folder, size, "parquet", options.seed, in_disorder)
                say(f"  {order}, {name}: {size:,} facts")
                # Without a second run, the first would hold the time that numba takes to compile.
                repeat = options.repeat if size < COMPILED_FROM else max(options.repeat, 2) if size < LARGEST else 1
                found.append(measure(40 * options.budget, repeat, what, path=str(path.resolve()), facts=size, **asked))
                say(f"    {found[-1].failure or f'{found[-1].seconds:.2f} s'}")
                if found[-1].failure:
                    break
            first = first or found
            most = MOST[order] if asked == {"conclusions": True} else None
            rows.append([f"{name}, {order}", *cells(found, len(sizes), first, most)])
        yield table(heads, rows)


def cells(found: list[Measured], sizes: int, first: list[Measured], most: float | None) -> list[str]:
    """A row's cells."""
    seconds = [m.failure or f"{m.seconds:.2f}" for m in found] + [""] * (sizes - len(found))
    good = [m for m in found if not m.failure]
    if not good:
        return [*seconds, "", "", "", "", "", ""]
    same = [m for m in first if not m.failure and m.figures["facts"] == good[-1].figures["facts"]]
    times = good[-1].seconds / same[0].seconds if same else 0.0
    limit = ""
    if most is not None and same and good[-1].figures["facts"] >= JUDGED_FROM:
        limit = f"{most:g} ×: {'yes' if times <= most else 'NO'}"
    exponent = f"{growth(good[-2], good[-1]):.2f}" if len(good) > 1 else ""
    last = good[-1]
    more = [rounded(last.rate), ratio(times) if times else "", limit, exponent]
    return [*seconds, *more, f"{last.figures['processor']:.1f}", f"{last.figures['peak']:,}"]


MEASUREMENTS: dict[str, Callable[..., dict[str, Any]]] = {"encode": encode, "backtest": backtest}
