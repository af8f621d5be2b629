"""Files of facts to parts of facts, in bounded memory: each part has all facts of the subjects of a range of ids.

Files are read and checked block by block, by some threads. While there are few facts there is one part; else they are
divided, each to the part of its subject, and what does not fit into memory is written to the disk. The files there have
no name and are gone with the process.
"""

from __future__ import annotations

import contextlib
import itertools
import tempfile
import zlib
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import IO, Any

import numpy
import pyarrow
import pyarrow.compute
import pyarrow.ipc

from ..ground.problems import FactError, RunError
from ..model import Ruleset
from ..reach.files import MOST_SHOWN, BadRow, Rows, _seekable, _why, listed
from ..reach.writing import reason
from ..rows import Binder
from .batches import AT, KNOWN_AT, SUBJECT, Batch, Batcher
from .blocks import Work
from .cells import text_parts
from .csv_blocks import CsvBlocks
from .json_blocks import JsonBlocks
from .parquet_blocks import ParquetBlocks

WORKERS = 2
PART_ROWS = 2_000_000
"""Facts in a part, about."""

KEPT = 900
"""How many bytes of divided facts are kept in memory, for each fact that a part has, before all go to the disk."""

FAN_OUT = 64
"""Into how many parts facts are divided that do not fit into one."""

DIVIDED_AT_ONCE = 1_000_000
SAMPLED = 100_000

Report = Callable[[str, int, int], None]
"""Takes word of progress: what is done, how much of it, and of how much (0 where that is not known)."""


def batches(rows: Rows, batcher: Batcher, report: Report) -> Iterator[tuple[int, Batch]]:
    """All files as batches of facts, in order, each with the number of its file.

    Parameters
    ----------
    rows : Rows
        The files.
    batcher : Batcher
        What makes facts of rows.
    report : callable
        Takes word of progress, in bytes.

    Raises
    ------
    FactError
        Where a file cannot be read, or its header is wrong.
    """
    binder = Binder(batcher.ruleset, rows.ignore_columns)
    with ThreadPoolExecutor(WORKERS) as pool:
        waiting: deque[tuple[int, Future[Batch]]] = deque()
        try:
            for file, work in works(rows, batcher, binder):
                waiting.append((file, pool.submit(_made, batcher, work)))
                if len(waiting) > 2 * WORKERS:
                    number, future = waiting.popleft()
                    yield number, future.result()
                    report("read", *rows.progress())
            while waiting:
                number, future = waiting.popleft()
                yield number, future.result()
        finally:
            for _, future in waiting:
                future.cancel()


def _made(batcher: Batcher, work: Work) -> Batch:
    return batcher.batch(work())


def works(rows: Rows, batcher: Batcher, binder: Binder) -> Iterator[tuple[int, Work]]:
    """The blocks of all files, as work to be done."""
    rows._before = 0
    for file, name in enumerate(rows._names):
        with contextlib.ExitStack() as stack:
            found: CsvBlocks | JsonBlocks | ParquetBlocks | None = None
            try:
                stream, format_ = rows._stream(file, stack)
                if format_ == "parquet":
                    rows._row_counted[file] = True
                    found = ParquetBlocks(_seekable(stream, stack), name, rows.ignore_columns, batcher.coded())
                elif format_ == "csv":
                    found = CsvBlocks(stream, name)
                else:
                    found = JsonBlocks(stream, name, batcher.types())
                problems = rows._header_problems(file, found.columns, binder)
                if problems:
                    raise FactError("\n".join(problems))
                for work in found:
                    yield file, work
            except (OSError, EOFError, zlib.error) as error:
                last = 0 if found is None else found.last
                where = f"{rows.place(file, last)}: after this row" if last else name
                raise FactError(f"{where}: {_why(error)}") from None
        rows._raw = None
        rows._before += rows._sizes[file]


class Part:
    """The facts of a range of subjects: from `low` on (from the first, where it is empty), up to the next part's."""

    def __init__(self, low: str, schema: Any) -> None:
        self.low = low
        self.rows = 0
        self._schema = schema
        self._kept: list[Any] = []
        self._file: IO[bytes] | None = None
        self._writer: Any = None

    def add(self, batch: Any, spill: bool) -> None:
        """Put in facts, where blank columns may be left out; on the disk, if they are to spill."""
        self.rows += batch.num_rows
        if spill:
            self._write(batch)
        else:
            self._kept.append(batch)

    def spill(self) -> None:
        """Write to the disk what is kept in memory."""
        for batch in self._kept:
            self._write(batch)
        self._kept.clear()

    def _write(self, batch: Any) -> None:
        with _disk():
            if self._writer is None:
                self._file = tempfile.TemporaryFile(prefix="strikeout-")  # noqa: SIM115
                options = pyarrow.ipc.IpcWriteOptions(compression="lz4")
                self._writer = pyarrow.ipc.new_stream(self._file, self._schema, options=options)
            self._writer.write_batch(filled(batch, self._schema))

    def finish(self) -> None:
        """Write what is left to the disk."""
        if self._writer is not None:
            with _disk():
                self._writer.close()
                self._writer = None

    def batches(self) -> Iterator[Any]:
        """The facts, as they were put in, with all columns."""
        for batch in self._kept:
            yield filled(batch, self._schema)
        if self._file is not None:
            self._file.seek(0)
            yield from pyarrow.ipc.open_stream(self._file)

    def table(self) -> Any:
        """The facts as one table."""
        return pyarrow.Table.from_batches(list(self.batches()), schema=self._schema)

    def close(self) -> None:
        """Let go of memory and disk."""
        self._kept.clear()
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.close()
            self._file = None


def filled(batch: Any, schema: Any) -> Any:
    """A batch with the blank columns that it lacks."""
    if batch.num_columns == len(schema):
        return batch
    rows, own = batch.num_rows, set(batch.schema.names)
    blank = {kind: _blank(kind, rows) for kind in {field.type for field in schema if field.name not in own}}
    columns = [batch.column(field.name) if field.name in own else blank[field.type] for field in schema]
    return pyarrow.record_batch(columns, schema=schema)


def _blank(kind: Any, rows: int) -> Any:
    return pyarrow.repeat("", rows) if kind == pyarrow.string() else pyarrow.nulls(rows, kind)


def _is_blank(column: Any) -> bool:
    """Whether a chunked column holds nothing: nulls, or empty texts."""
    if column.type != pyarrow.string():
        return bool(column.null_count == len(column))
    ends = [text_parts(chunk)[0][[0, -1]] for chunk in column.chunks if len(chunk)]
    return all(first == last for first, last in ends)


@contextlib.contextmanager
def _disk() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        folder = tempfile.gettempdir()
        message = f"cannot write to the temporary folder `{folder}` (set TMPDIR for another): {reason(error)}"
        raise RunError(message) from None


class Parts:
    """Divides facts by their subjects. What is put in stays in memory until it is more than a part may have.

    Parameters
    ----------
    schema : pyarrow.Schema
        That of the batches.
    part_rows : int
        How many facts a part has, about.
    lows : sequence of str, optional
        Where the parts begin, but the first; else they are chosen by the facts that come first.
    skipped : collection of int
        The numbers of parts that are not needed.
    """

    def __init__(
        self,
        schema: Any,
        part_rows: int = PART_ROWS,
        lows: Sequence[str] | None = None,
        skipped: Collection[int] = (),
    ) -> None:
        self._schema = schema
        self._part_rows = part_rows
        self._skipped = frozenset(skipped)
        self._fixed = lows is not None
        self._parts = [Part(low, schema) for low in ["", *(lows or ())]]
        self._waiting: list[Any] = []
        self._rows = 0
        self._pool = ThreadPoolExecutor(1)
        self._dividing: Future[None] | None = None
        self._kept = 0
        self._spilling = False

    def add(self, batch: Any) -> None:
        """Put in facts."""
        self._waiting.append(batch)
        self._rows += batch.num_rows
        divided = len(self._parts) > 1
        if self._rows >= (min(DIVIDED_AT_ONCE, self._part_rows) if divided else self._part_rows):
            if not divided and not self._fixed:
                sample = sampled(self._waiting, self._rows)
                self._parts = [Part(low, self._schema) for low in ["", *bounds(sample, FAN_OUT)]]
            self._hand_on()

    def _hand_on(self) -> None:
        """Have what waits divided, while more is read."""
        waiting, self._waiting, self._rows = self._waiting, [], 0
        self._divided()
        self._dividing = self._pool.submit(self._divide, waiting)

    def _divided(self) -> None:
        """Wait until what was handed on is divided."""
        dividing, self._dividing = self._dividing, None
        if dividing is not None:
            dividing.result()

    def _divide(self, waiting: Sequence[Any]) -> None:
        """Put facts into their parts."""
        table = pyarrow.Table.from_batches(waiting, schema=self._schema)
        table = table.select([name for name in table.column_names if not _is_blank(table.column(name))])
        for batch in table.combine_chunks().to_batches():
            numbers = numbers_of(batch.column(SUBJECT), [part.low for part in self._parts[1:]])
            order = numpy.argsort(numbers, kind="stable")
            ends = numpy.cumsum(numpy.bincount(numbers, minlength=len(self._parts)))
            divided = batch.take(pyarrow.array(order))
            for number, (start, end) in enumerate(itertools.pairwise([0, *ends.tolist()])):
                if end > start and number not in self._skipped:
                    part = self._parts[number]
                    part.add(divided.slice(start, end - start), self._spilling)
            self._kept += divided.nbytes
        if self._kept > KEPT * self._part_rows and not self._spilling:
            self._spilling = True
            for part in self._parts:
                part.spill()

    def finish(self) -> list[Part]:
        """The parts by their subjects, to be closed one by one; empty ones only where it was said where parts begin."""
        if (len(self._parts) > 1 or self._skipped) and self._waiting:
            self._hand_on()
        self._divided()
        self._pool.shutdown()
        for batch in self._waiting:
            self._parts[0].add(batch, spill=False)
        self._waiting, self._rows = [], 0
        found: list[Part] = []
        for part in self._parts:
            part.finish()
            found += self._small(part) if part.rows or self._fixed else []
        return found

    def _small(self, part: Part) -> list[Part]:
        """A part, or where it is much too large and can be divided, the parts of it."""
        if self._fixed or part.rows <= 2 * self._part_rows:
            return [part]
        lows = bounds(sampled(part.batches(), part.rows), -(-part.rows * 3 // (2 * self._part_rows)))
        lows = [low for low in lows if low > part.low]
        if not lows:
            return [part]
        smaller = Parts(self._schema, self._part_rows)
        smaller._spilling = True
        smaller._parts = [Part(low, self._schema) for low in [part.low, *lows]]
        for batch in part.batches():
            smaller.add(batch)
        part.close()
        return smaller.finish()

    def close(self) -> None:
        """Let go of memory and disk."""
        self._pool.shutdown()
        for part in self._parts:
            part.close()


def sampled(given: Iterable[Any], rows: int) -> list[str]:
    """Some subjects of batches, evenly spread and sorted."""
    step = max(1, rows // SAMPLED)
    found: list[str] = []
    for batch in given:
        places = pyarrow.array(numpy.arange(len(found) % step, batch.num_rows, step))
        found += batch.column(SUBJECT).take(places).to_pylist()
    return sorted(found)


def bounds(sample: Sequence[str], parts: int) -> list[str]:
    """Where so many parts begin, the first left out, so that each has about as many of a sorted sample.

    >>> bounds(["a", "b", "c", "d", "e", "f"], 3)
    ['c', 'e']
    """
    found = (sample[len(sample) * number // parts] for number in range(1, parts)) if sample else ()
    return [low for low in dict.fromkeys(found) if low > sample[0]]


def numbers_of(subjects: Any, lows: Sequence[str]) -> Any:
    """The number of the part of each subject; `lows` are where the parts begin, but the first.

    What follows the beginning that all `lows` share is compared by eight bytes; only where that does not decide, whole.

    >>> numbers_of(pyarrow.array(["shop-1", "shop-17", "ship", "shop-2"]), ["shop-15", "shop-2"]).tolist()
    [0, 1, 0, 2]
    """
    if not lows or not len(subjects):
        return numpy.zeros(len(subjects), numpy.int16)
    alike = (one == other for one, other in zip(lows[0], lows[-1], strict=False))
    shared = lows[0][: sum(itertools.takewhile(bool, alike))]
    heads = _heads(subjects, len(shared.encode()))
    edges = _heads(pyarrow.array(lows, pyarrow.string()), len(shared.encode()))
    numbers = numpy.searchsorted(edges, heads, "right").astype(numpy.int16)
    doubtful = (numbers > 0) & (edges[numbers - 1] == heads)
    if shared:
        doubtful |= ~pyarrow.compute.starts_with(subjects, shared).to_numpy(zero_copy_only=False)
    places = numpy.flatnonzero(doubtful)
    if len(places):
        some = subjects.take(pyarrow.array(places))
        numbers[places] = 0
        for low in lows:
            numbers[places] += pyarrow.compute.greater_equal(some, low).to_numpy(zero_copy_only=False)
    return numbers


def _heads(texts: Any, skipped: int) -> Any:
    """The eight bytes behind the first few of each text as a number that is ordered as they are; 0 behind the end."""
    offsets, data = text_parts(texts)
    ends = offsets[1:].astype(numpy.int64)
    starts = numpy.minimum(offsets[:-1].astype(numpy.int64) + skipped, ends)
    data = numpy.concatenate((data[: offsets[-1]], numpy.zeros(8, numpy.uint8)))
    found = numpy.ndarray(len(data) - 7, ">u8", data, strides=(1,))[starts].astype(numpy.uint64)
    beyond = numpy.maximum(8 - (ends - starts), 0).astype(numpy.uint64) * numpy.uint64(8)
    half = beyond // numpy.uint64(2)  # A shift by all 64 bits at once is none.
    return found >> half >> half << half << half


class TakenIn:
    """All facts, read and checked and divided by subjects; made by `take_in`.

    Attributes
    ----------
    given, bad_rows : int
        How many rows there were, and how many of them were bad.
    latest_at, latest_known : int or None
        The latest `at` and the latest instant at which a fact became known, before duplicates are merged.
    parts : list of Part
        The parts, by their subjects.
    """

    def __init__(self) -> None:
        self.given = 0
        self.bad_rows = 0
        self.latest_at: int | None = None
        self.latest_known: int | None = None
        self.parts: list[Part] = []

    def __enter__(self) -> TakenIn:
        return self

    def __exit__(self, *error: object) -> None:
        for part in self.parts:
            part.close()

    def _count(self, facts: Any) -> None:
        self.given += facts.num_rows
        if facts.num_rows:
            at = pyarrow.compute.max(facts.column(AT)).as_py()
            known = pyarrow.compute.max(facts.column(KNOWN_AT)).as_py()
            self.latest_at = at if self.latest_at is None else max(self.latest_at, at)
            if known is not None:
                self.latest_known = known if self.latest_known is None else max(self.latest_known, known)


def take_in(
    ruleset: Ruleset,
    rows: Rows,
    *,
    refuse: Callable[[BadRow], None] | None = None,
    report: Report = lambda what, done, total: None,
    part_rows: int = PART_ROWS,
    lows: Sequence[str] | None = None,
    skipped: Collection[int] = (),
) -> TakenIn:
    """Read and check all facts. The answer is to be used by `with`.

    Parameters
    ----------
    ruleset : Ruleset
        Whose kinds the facts are of.
    rows : Rows
        The files.
    refuse : callable, optional
        Takes each bad row; without it, bad rows are an error.
    report : callable, optional
        Takes word of progress, in bytes.
    part_rows : int
        How many facts a part has, about.
    lows : sequence of str, optional
        Where the parts begin, but the first; else they are chosen.
    skipped : collection of int
        The numbers of parts that are not needed, and will be empty.

    Raises
    ------
    FactError
        Where a file cannot be read; and, without `refuse`, where rows are bad, with the first twenty.
    RunError
        Where the disk is full.
    """
    batcher = Batcher(ruleset, rows.ignore_columns)
    rows.check(Binder(ruleset, rows.ignore_columns))
    found = TakenIn()
    parts = Parts(batcher.schema, part_rows, lows, skipped)
    shown: list[str] = []
    try:
        for file, batch in batches(rows, batcher, report):
            found._count(batch.facts)
            found.given += len(batch.bad)
            found.bad_rows += len(batch.bad)
            for bad in batch.bad_rows(rows, file) if refuse is not None or len(shown) < MOST_SHOWN else ():
                if refuse is not None:
                    refuse(bad)
                elif len(shown) < MOST_SHOWN:
                    shown.append(str(bad))
            if batch.facts.num_rows and not shown:
                parts.add(batch.facts)
        if shown:
            raise FactError(listed(shown, found.bad_rows, found.given))
        found.parts = parts.finish()
    except BaseException:
        parts.close()
        raise
    return found
