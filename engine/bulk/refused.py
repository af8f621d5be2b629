"""The facts of subjects whose runs are rejected: the files are read anew, and what names these subjects is kept."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

import numpy
import pyarrow
import pyarrow.compute

from ..facts import ID
from ..ground.values import Zone
from ..machine.timeline import Program
from ..reach.files import Rows
from ..reach.formats import Malformed
from ..reach.spool import BUDGET
from ..reach.streaming import Intake, RefusedFact, _encode, as_row
from ..rows import BadCell, Binder
from ..speech.outcome import describe
from .batches import Batcher
from .blocks import Block
from .cells import convert
from .intake import works


def refused_facts(
    program: Program, rows: Rows, subjects: Collection[str], as_of: int
) -> Iterator[tuple[str, str, dict[str, object]]]:
    """Place, reason and row of each fact of some subjects whose runs are rejected; the files are read anew.

    Parameters
    ----------
    program : Program
        The ruleset.
    rows : Rows
        The files.
    subjects : collection of str
        The subjects.
    as_of : int
        The instant of the runs.
    """
    ruleset = program.ruleset
    binder = Binder(ruleset, rows.ignore_columns)
    wanted = pyarrow.array(sorted(subjects), pyarrow.string())
    with Intake(ruleset, rows, None, BUDGET) as intake:
        intake.as_of = as_of
        for file, work in works(rows, Batcher(ruleset, rows.ignore_columns), binder):
            block = work()
            for row in block.raw(_named(block, ruleset.subject, wanted, ruleset.zone)):
                if isinstance(row, Malformed):
                    continue
                number, names, cells = row
                try:
                    kind, at, subject, values, seq, known_at = binder.header(names).bind(cells)
                except BadCell:
                    continue
                if subject in subjects:
                    intake._spool.add(subject, _encode((kind.index, at, seq, known_at, values, file, number)))
        found: list[RefusedFact] = []
        for _ in intake.runs(program, found.append):
            for refused in found:
                reason_of = describe(refused.rejection, ruleset)
                yield str(refused.place), reason_of, {**as_row(ruleset, refused.fact)}
            found.clear()


def _named(block: Block, column: str, wanted: Any, zone: Zone) -> list[int]:
    """The rows of a block that may name one of some subjects."""
    if block.columns is None or column not in block.columns:
        return list(range(block.rows))
    cells = convert(block.columns[column], ID, zone)
    named = pyarrow.compute.is_in(cells.values, value_set=wanted).to_numpy(zero_copy_only=False)
    if cells.odd is not None:
        named = named | cells.odd
    found: list[int] = numpy.flatnonzero(named).tolist()
    return found
