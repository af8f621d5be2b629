"""The module of the dialect of arrays, written out: its functions, and what a caller has to know to call them."""

from __future__ import annotations

import inspect
from dataclasses import dataclass

from strikeout.model import Ruleset

from . import runtime
from .arrays import (
    AGAIN,
    ARRAYS,
    AT,
    DERIVATION,
    DERIVED,
    FIELDS,
    KIND,
    ORIGIN,
    PLACES,
    RECORDS,
    RULE,
    SCHEDULED,
    SITE,
    TRIGGER,
    WAITING,
    Arrays,
    Constants,
    Layout,
    names_read,
)
from .plan import Bounds, Plan
from .writer import Names, Writer

PARAMETERS = f"{ARRAYS}, first, last, as_of, subject"


@dataclass(frozen=True, slots=True)
class Kernel:
    """The source of the dialect of arrays, the layout of its rows, the texts it needs codes of, widths of arrays."""

    source: str
    layout: Layout
    texts: tuple[str, ...]
    record_width: int
    node_width: int
    reason_width: int


def kernel(ruleset: Ruleset, plan: Plan, void_plan: Plan, bounds: Bounds) -> Kernel:
    """Write the module of a ruleset: `decide` for one subject, `drive` for many.

    Parameters
    ----------
    ruleset : Ruleset
        The ruleset.
    plan, void_plan : Plan
        Empty plans, but for the derivations of the first.
    bounds : Bounds
        What one step can hold.
    """
    layout, constants = Layout.of(ruleset), Constants()
    functions, made = [], []
    for void, own in ((True, void_plan), (False, plan)):
        if void and not ruleset.void_rules:
            continue
        groups = _targets(ruleset, own) if void else []
        _written(ruleset, own, bounds, layout, constants, void)
        writer = _written(ruleset, own, bounds, layout, constants, void)  # now all that is kept is known
        functions.append(_voids(writer, groups) if void else _run(writer))
        made.append(writer)
    records = max(writer.key_cells + max([len(k.fields) for k in writer.plan.classes], default=0) for writer in made)
    arities = sorted({len(k.names) for writer in made for k in writer.plan.classes} - {0})
    keys = max([len(t.by) for rule in ruleset.void_rules for t in rule.voids], default=0)
    text = "\n\n\n".join([_head(ruleset), *map(_find, arities), *functions, _decide(ruleset), _DRIVE])
    nodes = max(writer.node_width() for writer in made)
    return Kernel(text + "\n", layout, tuple(constants.texts), max(records, 2), nodes, 3 + keys)


def _written(ruleset: Ruleset, plan: Plan, bounds: Bounds, layout: Layout, constants: Constants, void: bool) -> Arrays:
    writer = Arrays(ruleset, plan, bounds, layout, constants, void)
    writer.out.depth = 2
    writer.body()
    return writer


def _head(ruleset: Ruleset) -> str:
    name = f"{ruleset.name} {ruleset.version}".replace("\\", "\\\\").replace('"', "'")
    helpers = inspect.getsource(runtime).partition("from typing import Any\n")[2].strip()
    helpers = helpers.replace("\ndef ", "\n@compiled\ndef ")
    return (
        f'"""{name}: its rules as functions of arrays, compiled by numba."""\n\n'
        "from typing import Any\n\nimport numba\n\n"
        'compiled = numba.njit(nogil=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)\n\n'
        + helpers
    )


def _find(count: int) -> str:
    """The function that finds the record of a key of so many parts.

    T leads from a hash to a record; an entry counts only if that record leads back, so nothing is ever cleared.
    """
    names = [f"k{n}" for n in range(count)]
    same = " and ".join(f"R[record, {2 + n}] == {name}" for n, name in enumerate(names))
    mixed = "".join(
        f"    h = ((h ^ {name} ^ ({name} >> 30)) & 1073741823) * 2654435769\n    h ^= h >> 29\n" for name in names
    )
    stores = "".join(f"    R[record, {2 + n}] = {name}\n" for n, name in enumerate(names))
    return f'''@compiled
def find{count}(T, R, S, keys, {", ".join(names)}):
    """The record of a key of a class, made where there is none; -1 where there is no room."""
    h = keys * 40503
{mixed}    mask = T.shape[0] - 1
    place = h & mask
    count = S[{RECORDS}]
    while True:
        record = T[place]
        if record >= count or R[record, 0] != place:
            break
        if R[record, 1] == keys and {same}:
            return record
        place = (place + 1) & mask
    record = count
    if record >= R.shape[0] or 2 * record >= T.shape[0]:
        return -1
    S[{RECORDS}] = record + 1
    T[place] = record
    R[record, 0] = place
    R[record, 1] = keys
{stores}    for cell in range({2 + count}, R.shape[1]):
        R[record, cell] = R[keys, cell]
    return record'''


def _variables(writer: Arrays, out: Writer) -> None:
    for number, name in writer.literals.items():
        out.line(f"{name} = L[{number}]")
    for (_, what), name in writer.cells.items():
        if not what.startswith(("sums:", "least:", "most:")):
            start = {"at": "NEVER", "step": "-1", "newest": "-1", "first": "-1"}.get(what, "0")
            out.line(f"{name} = {start}")
    for index in writer.plan.indices:
        if index.fallible:
            out.line(f"where_fault_{index.number} = 0")
            out.line(f"where_fault_{index.number}_step = 0")
    for keys in writer.plan.classes:
        out.line(f"R[{keys.number}, 0] = -1")
    writer.templates(out)


def _take(writer: Arrays, out: Writer, rules: tuple[object, ...]) -> None:
    """Write that an input fact becomes the entry at `place`, with the fields that rules read."""
    ruleset = writer.ruleset
    read = names_read(ruleset, ruleset.void_rules if writer.is_void else ruleset.rules)
    out.line("kind = C[0, position]")
    out.line("at = C[1, position]")
    out.line(f"E[place, {KIND}] = kind")
    out.line(f"E[place, {AT}] = at")
    out.line(f"E[place, {ORIGIN}] = position")
    out.line(f"E[place, {DERIVATION}] = -1")
    by_columns: dict[tuple[int, ...], list[int]] = {}
    for kind in ruleset.kinds:
        if kind.given:
            by_columns.setdefault(tuple(writer.given_columns(kind, read[kind.index])), []).append(kind.index)
    word = "if"
    for columns, kinds in by_columns.items():
        if not columns:
            continue
        tests = " or ".join(f"kind == {kind}" for kind in kinds)
        with out.block(f"{word} {tests}:"):
            for column in columns:
                out.line(f"E[place, {FIELDS + column}] = C[{2 + column}, position]")
        word = "elif"


def _run(writer: Arrays) -> str:
    body, ruleset = writer.out.lines, writer.ruleset
    out = Writer(Names(set()))
    schedules = any(writer.bounds.scheduled)
    out.line("@compiled")
    with out.block(f"def run({PARAMETERS}):"):
        out.line('"""One subject\'s run: 0; 1 where an array is too small; 2 where it fails."""')
        _variables(writer, out)
        out.line("place = -1")
        out.line("again = scheduled = waiting = taken = 0")
        out.line("over = False")
        out.line("position = first")
        if schedules:
            out.line("fallen = 0")
            out.line("limit = 1000")
            with out.block("for row in range(first, last):"), out.block("if F[row] == 0:"):
                out.line("limit += 1000")
        with out.block("while True:"):
            with out.block("while position < last and F[position] != 0:"):
                out.line("position += 1")
            if schedules:
                out.line("until = C[1, position] if position < last else as_of")
                with out.block("if waiting > 0 and H[heap[0], 1] <= until:"):
                    out.line("item = heap_pop(heap, waiting, H)")
                    out.line("waiting -= 1")
                    out.line("fallen += 1")
                    with out.block("if fallen > limit:"):
                        out.line(f"S[{SITE}] = 0")
                        out.line(f"S[{RULE}] = item")
                        out.line(f"S[{PLACES}] = place + 1")
                        out.line("return 2")
                    out.line("place += 1")
                    with out.block("if place >= E.shape[0]:"):
                        out.line("return 1")
                    with out.block("for column in range(E.shape[1]):"):
                        out.line("E[place, column] = H[item, column]")
                    out.line(f"E[place, {ORIGIN}] = -item")
                    out.line(f"kind = E[place, {KIND}]")
                    out.line(f"at = E[place, {AT}]")
            with out.block("elif position < last:" if schedules else "if position < last:"):
                out.line("place += 1")
                with out.block("if place >= E.shape[0]:"):
                    out.line("return 1")
                _take(writer, out, ruleset.rules)
                out.line("position += 1")
                out.line("taken += 1")
            with out.block("else:"):
                out.line("break")
            if ruleset.terminal is not None:
                with out.block("if over:"):
                    out.line("continue" if schedules else "break")
            out.line("step = entered = place")
            out.line("planned_from = scheduled")
            for name in writer.places.values():
                out.line(f"{name} = -1")
            out.lines += body
        for cell, name in (
            (PLACES, "place + 1"),
            (SCHEDULED, "scheduled"),
            (WAITING, "waiting"),
            (AGAIN, "again"),
            (DERIVED, "place + 1 - taken"),
        ):
            out.line(f"S[{cell}] = {name}")
        out.line("return 0")
    return "\n".join(out.lines)


Group = tuple[int, tuple[int, ...], int, list[tuple[int, int]]]
"""Targets of void rules that are found alike: the kind, its slots, the class of keys, and rule and number of each."""


def _targets(ruleset: Ruleset, plan: Plan) -> list[Group]:
    groups: dict[tuple[int, tuple[int, ...]], Group] = {}
    for number, rule in enumerate(ruleset.void_rules):
        for place, target in enumerate(rule.voids):
            slots = tuple(slot for slot, _ in target.by)
            if (target.kind.index, slots) not in groups:
                names = tuple(f"void {len(groups)} {target.kind.fields[slot].name}" for slot in slots)
                keys = plan.keys(names)
                keys.fields += [(-1, "head"), (-1, "tail")]
                groups[target.kind.index, slots] = (target.kind.index, slots, keys.number, [])
            groups[target.kind.index, slots][3].append((number, place))
    return list(groups.values())


def _voids(writer: Arrays, groups: list[Group]) -> str:
    body, ruleset = writer.out.lines, writer.ruleset
    out = Writer(Names(set()))
    out.line("@compiled")
    with out.block(f"def voids({PARAMETERS}):"):
        out.line('"""Mark the input facts that are voided: 0; 1 where an array is too small; 3 where it fails."""')
        _variables(writer, out)
        out.line("place = -1")
        out.line("again = 0")
        with out.block("for position in range(first, last):"):
            with out.block("if F[position] != 0:"):
                out.line("continue")
            out.line("place += 1")
            with out.block("if place >= E.shape[0]:"):
                out.line("return 1")
            _take(writer, out, ruleset.void_rules)
            out.line("step = place")
            out.lines += [line.replace("return 2", "return 3") if line.strip() == "return 2" else line for line in body]
        with out.block("if again == 0:"):
            out.line("return 0")
        for kind, slots, number, targets in groups:
            _void_group(writer, out, kind, slots, number, targets)
        with out.block("for row in range(place + 1):"):
            out.line(f"mark = E[row, {DERIVATION}]")
            with out.block("if mark >= 0:"):
                out.line(f"used = E[row, {ORIGIN}]")
                out.line("F[used] = 2")
                out.line(f"V[used, 0] = E[X[mark, 0], {ORIGIN}]")
                out.line("V[used, 1] = X[mark, 1]")
        out.line("return 0")
    return "\n".join(out.lines)


def _void_group(
    writer: Arrays, out: Writer, kind: int, slots: tuple[int, ...], number: int, targets: list[tuple[int, int]]
) -> None:
    """Write that the facts of some targets are marked with the first firing that voids them."""
    declared = writer.ruleset.kinds[kind]
    head, tail = writer.key_cells, writer.key_cells + 1

    def find(keys: list[str]) -> None:
        out.line(f"record = find{len(keys)}(T, R, S, {number}, {', '.join(keys)})" if keys else f"record = {number}")
        if keys:
            with out.block("if record < 0:"):
                out.line("return 1")

    out.comment(f"{declared.name} by {', '.join(declared.fields[slot].name for slot in slots)}")
    with out.block("for row in range(place + 1):"):
        tests = [f"E[row, {KIND}] == {kind}"]
        for slot in slots:
            f = declared.fields[slot]
            if not f.known:
                cell = FIELDS + writer.layout.cells[f.name]
                number_cell = writer.layout.known.get(f.name)
                tests.append(
                    f"E[row, {FIELDS + number_cell}] != 0"
                    if number_cell is not None
                    else f"E[row, {cell}] {'!= NEVER' if f.type.name == 'time' else '>= 0'}"
                )
        with out.block(f"if {' and '.join(tests)}:"):
            find([f"E[row, {FIELDS + writer.layout.cells[declared.fields[slot].name]}]" for slot in slots])
            out.line(f"E[row, {TRIGGER}] = -1")
            with out.block(f"if R[record, {head}] < 0:"):
                out.line(f"R[record, {head}] = row")
            with out.block("else:"):
                out.line(f"E[R[record, {tail}], {TRIGGER}] = row")
            out.line(f"R[record, {tail}] = row")
    with out.block("for mark in range(again):"):
        tests = [f"(X[mark, 1] == {rule} and X[mark, 2] == {place})" for rule, place in targets]
        with out.block(f"if {' or '.join(tests)}:"):
            find([f"X[mark, {3 + n}]" for n in range(len(slots))])
            out.line(f"row = R[record, {head}]")
            with out.block(f"while row >= 0 and E[row, {AT}] <= E[X[mark, 0], {AT}]:"):
                with out.block(f"if E[row, {DERIVATION}] < 0 or mark < E[row, {DERIVATION}]:"):
                    out.line(f"E[row, {DERIVATION}] = mark")
                out.line(f"row = E[row, {TRIGGER}]")
            out.line(f"R[record, {head}] = row")


def _decide(ruleset: Ruleset) -> str:
    voiding = sorted({kind.index for rule in ruleset.void_rules for kind in rule.triggers})
    out = Writer(Names(set()))
    out.line("@compiled")
    with out.block(f"def decide({PARAMETERS}):"):
        out.line('"""One subject\'s run, voids first; see `run` and `voids`."""')
        if voiding:
            out.line("found = False")
            tests = " or ".join(f"C[0, row] == {kind}" for kind in voiding)
            with out.block("for row in range(first, last):"), out.block(f"if {tests}:"):
                out.line("found = True")
                out.line("break")
            with out.block("if found:"):
                with out.block("for row in range(first, last):"), out.block("if F[row] == 2:"):
                    out.line("F[row] = 0")
                out.line(f"status = voids({PARAMETERS})")
                with out.block("if status != 0:"):
                    out.line("return status")
        out.line(f"return run({PARAMETERS})")
    return "\n".join(out.lines)


_DRIVE = f'''@numba.njit(nogil=True, error_model="numpy", cache=True)
def decide_one({PARAMETERS}):
    """`decide`, for callers in Python."""
    return decide({PARAMETERS})


@numba.njit(nogil=True, error_model="numpy", cache=True)
def drive({ARRAYS}, starts, subjects, as_of, begin, end, O, J):
    """Run subjects from `begin` on; what was derived goes to O, after subject and place, and rejections to J.

    Gives the subject that it came to, why (0 all are done, 1 a working array or 4 O or J is too small), and how much
    of O and J is filled.
    """
    rows = rejected = 0
    for number in range(begin, end):
        status = decide({ARRAYS}, starts[number], starts[number + 1], as_of, subjects[number])
        if status == 1:
            return number, 1, rows, rejected
        if status != 0:
            if rejected >= J.shape[0]:
                return number, 4, rows, rejected
            J[rejected, 0] = number
            J[rejected, 1] = status
            J[rejected, 2] = S[{SITE}]
            J[rejected, 3] = S[{RULE}]
            rejected += 1
            continue
        places = S[{PLACES}]
        if rows + places > O.shape[0]:
            return number, 4, rows, rejected
        if S[{DERIVED}] == 0:
            continue
        for place in range(places):
            if E[place, {DERIVATION}] >= 0:
                O[rows, 0] = number
                O[rows, 1] = place
                for column in range(E.shape[1]):
                    O[rows, 2 + column] = E[place, column]
                rows += 1
    return end, 0, rows, rejected'''
