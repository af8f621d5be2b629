"""The kernel alone: the generated code that numba compiles, beside the hand-written one, on columns of integers.

Both get facts that lie seller after seller, in memory, in the form that each likes best, some ten thousand at a time,
and write rows of integers into room that is used again. Time is that of the processor, of one thread.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from .runs import measure, say
from .tables import ratio, rounded, table

if TYPE_CHECKING:
    from .sections import Options

NEEDED = ("numba", "pyarrow")
SLICE = 30_000
TIMES = 7
FINDINGS = ("counterfeit", "improper_use", "general", "serious", "other_misuse")
KINDS = ("strike", "violation", "points", "closure")
DAY = 86_400
LEAST, LEAST_TO_RETE = 1 / 3, 1_000

Table = dict[str, Any]


def marketplace(facts: int, in_disorder: bool) -> Table:
    """The sample of a marketplace; ids are numbered as they come, which in disorder is by chance."""
    import numpy

    from strikeout.reach import sample

    from . import bulk

    rows = numpy.concatenate(list(bulk.blocks(facts, 0)))
    if in_disorder:
        rows = numpy.random.default_rng(1).permutation(rows)
    upheld = rows["kind"] == 0
    finding, level, special, base = (numpy.array(column)[rows["traits"]] for column in zip(*sample.TRAITS, strict=True))
    found = {
        "seller": _numbered(rows["seller"]),
        "kind": rows["kind"],
        "at": (rows["second"].astype(numpy.int64) + bulk.START * DAY - 8 * 3600) * 1_000_000,
        "complaint": _numbered(rows["complaint"]),
        "complainant": _numbered(rows["complainant"]),
        "right": _numbered(rows["complainant"].astype(numpy.int64) * 8 + rows["right"]),
        "finding": numpy.select([finding == name for name in FINDINGS], range(len(FINDINGS))),
        "level": numpy.where(level == "confirmed", 1, 0),
        "special": numpy.where(special == "true", 1, 0),
        "base": numpy.where(base == "", "0", base).astype(numpy.int64),
        "base known": numpy.where(base == "", 0, 1),
    }
    for name in ("complainant", "right", "finding", "level", "special"):
        found[name] = numpy.where(upheld, found[name], -1)
    order = numpy.lexsort((found["complaint"], found["at"], found["seller"]))
    return {name: column[order] for name, column in found.items()}


def _numbered(values: Any) -> Any:
    """The places at which values come first, in turn."""
    import numpy

    _, first, inverse = numpy.unique(values, return_index=True, return_inverse=True)
    rank = numpy.empty(len(first), numpy.int64)
    rank[numpy.argsort(first)] = numpy.arange(len(first))
    return rank[inverse]


def even(facts: int, each: int, level: int, gap: int, base: int) -> Table:
    """Sellers with so many complaints each, so many seconds apart at most, by a thousand complainants."""
    import numpy

    chance = numpy.random.default_rng(1)
    each = min(each, facts)
    facts = facts // each * each
    seller = numpy.repeat(numpy.arange(facts // each), each)
    at = numpy.cumsum(chance.integers(1, gap, facts))
    at = (at - at[::each][seller]) * 1_000_000 + 1_425_000_000_000_000
    given = {"finding": 0, "special": 0, "kind": 0, "level": level, "base": base, "base known": 1}
    return {
        "seller": seller,
        "at": at,
        "complaint": numpy.arange(facts),
        "complainant": chance.integers(0, 1_000, facts),
        "right": chance.integers(1_000, 1_010, facts),
        **{name: numpy.full(facts, value) for name, value in given.items()},
    }


MIXES: dict[str, tuple[str, Callable[[int], Table]]] = {
    "typical": ("a marketplace's, numbered by time", lambda facts: marketplace(facts, False)),
    "shuffled": ("the same, numbered by chance", lambda facts: marketplace(facts, True)),
    "strikes": ("sellers of 50, each a strike", lambda facts: even(facts, 50, 0, 600, 0)),
    "rows": ("sellers of 3, three rows each", lambda facts: even(facts, 3, 1, 600, 2)),
    "merging": ("sellers of 100,000, all within 72 hours", lambda facts: even(facts, 100_000, 0, 3, 0)),
}


def compared(facts: int) -> dict[str, Any]:
    """Both kernels on every mix, in one process."""
    found = {mix: _compared(mix, facts) for mix in MIXES}
    return {"facts": facts, "decide": sum(figures["decide"] for figures in found.values()), "mixes": found}


def _compared(mix: str, facts: int) -> dict[str, Any]:
    """Both kernels on a mix: the best of some times each, and whether every row is the same."""
    import numpy

    given = MIXES[mix][1](facts)
    facts = len(given["seller"])
    ends = numpy.append(numpy.flatnonzero(given["seller"][1:] != given["seller"][:-1]) + 1, facts)
    starts = numpy.append(0, ends)
    ours, theirs = _generated(given, starts), _handwritten(given, starts)
    kept: list[list[Any]] = [[], []]
    ours(kept[0])
    theirs(kept[1])
    columns = [[numpy.concatenate(column) for column in zip(*parts, strict=True)] for parts in kept]
    same = all(numpy.array_equal(one, other) for one, other in zip(*columns, strict=True))
    source = numpy.stack([numpy.asarray(column, numpy.int64) for column in given.values()])
    target = numpy.empty_like(source)
    times = []
    for _ in range(TIMES):
        kernel, (hand, withdrawn) = ours(None), theirs(None)
        begin = time.thread_time()
        target[:] = source
        times.append((kernel, hand, withdrawn, time.thread_time() - begin))
    best = [min(column) for column in zip(*times, strict=True)]
    figures = dict(zip(("decide", "hand", "withdrawn", "copy"), best, strict=True))
    return {"facts": facts, **figures, "rows": len(columns[0][0]), "same": same}


def _generated(given: Table, starts: Any) -> Callable[[list[Any] | None], float]:
    """The generated kernel: it keeps its rows where it is told to, and gives its seconds."""
    import numpy

    import strikeout
    from strikeout.machine.compiled import CompiledProgram
    from strikeout.machine.compiled.arrays_layout import AT, FIELDS, KIND, NUMBER, ROWS, WHAT
    from strikeout.machine.compiled.bridge import Workspace, zone_arrays
    from strikeout.machine.compiled.runtime import NEVER
    from strikeout.reach.jitted import load_kernel

    from .peers.numba_kernel import slices

    model = strikeout.load("taobao-counterfeit").model
    kernel = CompiledProgram(model).kernel()[0]
    drive = load_kernel(kernel.source, strikeout.__version__).drive
    kinds = {kind.name: kind.index for kind in model.kinds}
    facts, sellers = len(given["seller"]), len(starts) - 1
    columns = numpy.empty((2 + len(kernel.layout.given), facts), numpy.int64)
    columns[0] = numpy.array([kinds[name] for name in ("upheld", "withdrawal", "reversal")])[given["kind"]]
    columns[1] = given["at"]
    for name, cell in kernel.layout.given.items():
        columns[2 + cell] = given.get(name, NEVER)  # what is not there is a time
    flags, voids = numpy.zeros(facts, numpy.int64), numpy.zeros((facts, 2), numpy.int64)
    constants = (numpy.arange(len(kernel.texts)), *zone_arrays(model))
    room, rejections = numpy.empty((kernel.row_width, 4 * SLICE), numpy.int64), numpy.empty((1, 5), numpy.int64)
    counts, names = numpy.zeros(sellers, numpy.int64), numpy.zeros(sellers, numpy.int64)
    work = Workspace.of(kernel, 1_024)
    order = numpy.full(len(model.kinds), -1)
    order[[kinds[name] for name in KINDS]] = range(len(KINDS))
    made = kernel.layout.made

    def run(keep: list[Any] | None) -> float:
        flags[:] = 0
        begin = time.thread_time()
        for first, last in slices(starts[1:], SLICE):
            while first < last:
                arrays = (columns, flags, voids, *constants, *work.arrays.values(), room, rejections)
                why = drive(*arrays, starts, names, counts, 2**62, first, last)
                state = work.arrays["S"]
                first = int(state[NUMBER])
                if keep is not None and state[ROWS]:
                    rows = room[:, : state[ROWS]].copy()
                    kind = order[rows[WHAT] & KIND]
                    complaint = numpy.where(kind == 3, -1, rows[FIELDS + made["complaint"]])
                    amount = numpy.where(kind == 2, rows[FIELDS + made["amount"]], 0)
                    keep.append((kind, rows[AT], complaint, amount))
                if why == 1:
                    work.grow()
        return time.thread_time() - begin

    return run


def _handwritten(given: Table, starts: Any) -> Callable[[list[Any] | None], tuple[float, float]]:
    """The hand-written kernel; and, apart, the seconds in which what was withdrawn is marked."""
    import numpy

    from .peers.numba_kernel import CLOSURE, POINTS, kernel, slices, withdrawn

    ids = [given[name].astype(numpy.int32) for name in ("seller", "complaint", "complainant", "right")]
    seller, complaint, complainant, right = ids
    upheld, at = given["kind"] == 0, given["at"]
    counterfeit = ((given["finding"] == 0) & upheld).astype(numpy.int8)
    flags = [given[name].astype(numpy.int8) for name in ("level", "special", "base")]
    out = numpy.empty((4 * SLICE, 7), numpy.int64)
    complaints = int(complaint.max()) + 1

    def run(keep: list[Any] | None) -> tuple[float, float]:
        begin = time.thread_time()
        voided = withdrawn(seller, complaint, at, upheld, complaints)
        middle = time.thread_time()
        for first, last in slices(starts[1:], SLICE):
            a, b = int(starts[first]), int(starts[last])
            room = out if 3 * (b - a) < len(out) else numpy.empty((3 * (b - a) + 1, 7), numpy.int64)
            own = [column[a:b] for column in (seller, at, complaint, complainant, right, counterfeit, *flags, voided)]
            rows = kernel(starts[first : last + 1] - a, *own, room)
            if keep is not None and rows:
                found = room[:rows].copy()
                kind = found[:, 1]
                whose = numpy.where(kind == CLOSURE, -1, found[:, 3])
                keep.append((kind, found[:, 2], whose, numpy.where(kind == POINTS, found[:, 6], 0)))
        return time.thread_time() - middle, middle - begin

    return run


def section(options: Options) -> Iterator[str]:
    """Each mix: how both fare, and by how much less than a copy of the columns."""
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        yield f"Left out: `{missing[0]}` is not installed."
        return
    heads = ["kernels: facts a second", "generated", "hand-written", "with withdrawals", "memory copy"]
    heads += ["to the hand-written", f"at least {LEAST:.2f}", "rows a fact", "rows"]
    say(f"  {options.kernel:,} facts of each mix")
    found = measure(20 * options.budget, options.repeat, "kernels", facts=options.kernel)
    if found.failure:
        yield f"Not measured: {found.failure}."
        return
    rows, slowest = [], 0.0
    for mix, (title, _) in MIXES.items():
        f = found.figures["mixes"][mix]
        times = f["hand"] / f["decide"]
        seconds = (f["decide"], f["hand"], f["hand"] + f["withdrawn"], f["copy"])
        rates = [rounded(f["facts"] / max(each, 1e-9)) for each in seconds]
        reached = "yes" if times >= LEAST else "NO"
        same = "the same" if f["same"] else "DIFFERENT"
        rows.append([title, *rates, ratio(times), reached, f"{f['rows'] / f['facts']:.2f}", same])
        slowest = max(slowest, f["decide"] / f["facts"])
    yield table(heads, rows)
    if "rete" in options.engines and find_spec("durable_rules_engine") is not None:
        rete = measure(10 * options.budget, 1, "sellers", engine="rete", number=min(options.sellers), each=20)
        if not rete.failure:
            times = 1 / slowest / rete.rate
            reached = "yes" if times >= LEAST_TO_RETE else "NO"
            text = f"The slowest of these is {ratio(times)} the engine `rete` on sellers of twenty facts"
            yield f"{text}; at least {LEAST_TO_RETE:,}: {reached}."


MEASUREMENTS: dict[str, Callable[..., dict[str, Any]]] = {"kernels": compared}
