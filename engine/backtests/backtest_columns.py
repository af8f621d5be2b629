"""Backtests by columns: parts of subjects, each read into columns, run and counted at once; needs the extra `batch`."""

from __future__ import annotations

import contextlib
import itertools
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy
import pyarrow
import pyarrow.compute

from ..bulk.columns import Columns, fields_read, in_order
from ..bulk.intake import WORKERS, Report, TakenIn, take_in
from ..bulk.kernel_runs import Jitted
from ..bulk.refused import refused_facts
from ..machine.timeline import Program
from ..model import Ruleset
from ..reach.files import BadRow
from ..reach.tables import parquet_writer, schema
from .backtest import DIFFERENCES, Part, Spec, file_of, same_facts
from .backtest_tables import Whole, differences_schema, differences_table, differences_writer, write_table
from .part_runs import REJECTED, PartRun, conclusions, jitted, run_part
from .part_tally import differences_of, tally_of
from .tally import Tally

JITTED_FROM = 100_000
"""From how many facts on a ruleset is compiled by numba, which takes seconds the first time."""


class ByColumns:
    """Runs a backtest by columns; made by `by_columns`.

    Attributes
    ----------
    as_of, bad_rows, plan
        As of `Runner`.
    """

    def __init__(self, spec: Spec, taken: Sequence[TakenIn], report: Report, plan: dict[str, Any] | None) -> None:
        self._spec = spec
        self._taken = taken
        self._report = report
        self._stopped = threading.Event()
        self._read = fields_read(spec.rulesets)
        many = sum(part.rows for part in taken[0].parts) >= JITTED_FROM
        self._programs: list[Program | Jitted] = [jitted(p, spec.version) if many else p for p in spec.programs]
        self.bad_rows = taken[0].bad_rows
        # Parts that are finished are not read again, and may hold the latest fact.
        self.as_of = self._as_of() if plan is None else plan["as_of"]
        self.plan: dict[str, Any] = {"lows": [part.low for part in taken[0].parts], "as_of": self.as_of}

    def _as_of(self) -> int:
        """The instant of the runs (semantics 3)."""
        if self._spec.as_of is not None:
            return self._spec.as_of
        found: list[int] = []
        for side, taken in enumerate(self._taken):
            found += [] if taken.latest_at is None else [taken.latest_at]
            if taken.latest_known is not None and taken.latest_known > max(found):
                # Of facts that are the same the one known first counts, which only their comparison shows.
                parts = (self._columns(side, number) for number, part in enumerate(taken.parts) if part.rows)
                found += [columns.latest() for columns in parts]
        return max(found, default=0)

    def _columns(self, side: int, number: int) -> Columns:
        return in_order(self._taken[side].parts[number].table(), self._spec.rulesets[side], self._read)

    def parts(self, folder: Path, done: Mapping[int, Part], into: Path | None) -> Iterator[tuple[int, Part]]:
        """Each part by number, once its files are written; those that are done come as they are."""
        total, so_far = sum(part.rows for part in self._taken[0].parts), 0
        numbers = iter(range(len(self._taken[0].parts)))
        waiting: deque[tuple[int, Future[tuple[Part, list[Any]]]]] = deque()
        made = None if into is None else folder
        self._stopped.clear()
        self._warm()
        with contextlib.ExitStack() as stack:
            wholes = [stack.enter_context(whole) for whole in self._wholes(into)] if into is not None else []
            pool = stack.enter_context(ThreadPoolExecutor(WORKERS))
            stack.callback(self._stopped.set)
            stack.callback(lambda: [future.cancel() for _, future in waiting])
            while True:
                # While one is put to the whole tables, the next ones run.
                for number in itertools.islice(numbers, 2 * WORKERS - len(waiting)):
                    waiting.append((number, pool.submit(self._done_or_run, made, number, done)))
                if not waiting:
                    return
                number, future = waiting.popleft()
                found, tables = future.result()
                so_far += self._taken[0].parts[number].rows
                self._report("run", so_far, total)
                yield number, found
                for place, (name, whole) in enumerate(zip(self._tables, wholes, strict=bool(wholes))):
                    if number in done:
                        whole.add(file_of(folder, number, name, "arrow"))
                    elif tables:
                        whole.add_table(tables[place])
                del future, tables

    def _warm(self) -> None:
        """Have what numba compiles compiled here, where it can be stopped, and not by two threads that wait."""
        for side, program in enumerate(self._programs):
            parts = self._taken[min(side, len(self._taken) - 1)].parts
            if isinstance(program, Jitted) and any(part.rows for part in parts):
                program.warm()

    def _check(self) -> None:
        """End the run of a part when all is stopped."""
        if self._stopped.is_set():
            raise CancelledError

    @property
    def _tables(self) -> list[str]:
        names = self._spec.names
        return [*names, DIFFERENCES] if len(names) == 2 else [*names]

    def _wholes(self, into: Path) -> Iterator[Whole]:
        """The tables of all parts."""
        for name, ruleset in zip(self._spec.names, self._spec.rulesets, strict=True):
            yield Whole(into / f"{name}.parquet", schema(ruleset), partial(parquet_writer, ruleset=ruleset))
        if len(self._spec.names) == 2:
            rulesets = self._spec.rulesets
            make = partial(differences_writer, rulesets=rulesets)
            yield Whole(into / f"{DIFFERENCES}.parquet", differences_schema(rulesets), make)

    def _done_or_run(self, folder: Path | None, number: int, done: Mapping[int, Part]) -> tuple[Part, list[Any]]:
        if number in done:
            return done[number], []
        found = self._part(folder, number) if self._taken[0].parts[number].rows else (_nothing(self._spec), [])
        for taken in self._taken:
            taken.parts[number].close()
        return found

    def _part(self, folder: Path | None, number: int) -> tuple[Part, list[Any]]:
        """Run a part, and write what it came to; its tables come as they were written."""
        spec = self._spec
        columns = [self._columns(side, number) for side in range(len(self._taken))]
        if len(columns) == 2:
            columns = _of_the_same_subjects(columns)
        elif len(spec.programs) == 2:
            columns.append(_with_kinds_of(columns[0], *spec.rulesets))
        runs: list[PartRun] = []
        tables: list[Any] = []

        def write(name: str, table: Any, into: Path) -> None:
            write_table(file_of(into, number, name, "arrow"), table)
            tables.append(table)

        whole = Part([])
        for name, program, own in zip(spec.names, self._programs, columns, strict=True):
            run = run_part(program, own, self.as_of, self._check)
            runs.append(run)
            if folder is not None:
                write(name, conclusions(program.ruleset, own, run.derived), folder)
            whole.tallies.append(tally_of(program.ruleset, own, run))
            rejected = pyarrow.array(run.status == REJECTED)
            whole.rejected.append(own.subjects.filter(rejected).to_pylist())
        if len(runs) == 2:
            whole.differences, found = differences_of(spec.rulesets, columns[0], runs)
            if folder is not None:
                write(DIFFERENCES, differences_table(spec.rulesets, found), folder)
        return whole, tables

    def refused(self, rejected: Sequence[Sequence[str]]) -> Iterator[tuple[str, str, dict[str, object]]]:
        """Place, reason and row of each fact of the subjects whose runs were rejected."""
        for program, subjects in zip(self._spec.programs, rejected, strict=True):
            if subjects:
                yield from refused_facts(program, self._spec.rows, frozenset(subjects), self.as_of)


@contextlib.contextmanager
def by_columns(
    spec: Spec,
    plan: dict[str, Any] | None,
    done: Mapping[int, Part],
    refuse: Callable[[BadRow], None] | None,
    report: Report,
) -> Iterator[ByColumns]:
    """Read and check all facts; the first half of a backtest.

    Parameters
    ----------
    spec : Spec
        What the backtest is made of.
    plan : dict or None
        How the facts were divided before.
    done : mapping
        The parts that are finished.
    refuse : callable, optional
        Takes each bad row; without it, bad rows are an error.
    report : callable
        Takes word of progress.
    """
    lows = None if plan is None else plan["lows"][1:]
    options: dict[str, Any] = {"refuse": refuse, "report": report, "part_rows": spec.part_facts, "skipped": done}
    rulesets = spec.rulesets
    with contextlib.ExitStack() as stack:
        taken = [stack.enter_context(take_in(rulesets[0], spec.rows, lows=lows, **options))]
        if len(rulesets) == 2 and not same_facts(*rulesets):
            # The same rows are other facts: of other kinds, or with other defaults.
            lows = [part.low for part in taken[0].parts][1:]
            taken.append(stack.enter_context(take_in(rulesets[1], spec.rows, lows=lows, **options)))
        yield ByColumns(spec, taken, report, plan)


def _with_kinds_of(columns: Columns, own: Ruleset, other: Ruleset) -> Columns:
    """Columns with the kinds' indices of another ruleset that has the same given kinds."""
    names = [kind.name for kind in own.kinds]
    places = numpy.array([other.kinds_by_name[n].index if n in other.kinds_by_name else -1 for n in names])
    return replace(columns, kind=places[columns.kind])


def _of_the_same_subjects(columns: Sequence[Columns]) -> list[Columns]:
    """Columns of other rows, made to number their subjects alike."""
    if columns[0].subjects.equals(columns[1].subjects):
        return list(columns)
    whole = pyarrow.compute.unique(pyarrow.concat_arrays([own.subjects for own in columns]))
    whole = whole.take(pyarrow.compute.sort_indices(whole))
    found = []
    for own in columns:
        counts = numpy.zeros(len(whole), numpy.int64)
        counts[pyarrow.compute.index_in(own.subjects, value_set=whole).to_numpy()] = numpy.diff(own.starts)
        found.append(replace(own, subjects=whole, starts=numpy.concatenate(([0], numpy.cumsum(counts)))))
    return found


def _nothing(spec: Spec) -> Part:
    return Part([Tally() for _ in spec.programs], rejected=[[] for _ in spec.programs])
