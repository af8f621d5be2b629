"""The module of the dialect of arrays, written out: its functions, and what a caller has to know to call them."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from strikeout.model import Ruleset

from . import runtime
from .arrays import Arrays
from .arrays_layout import (
    AGAIN,
    ARRAYS,
    CULPRIT,
    FAR,
    FAULT,
    FAULTY,
    FEW,
    FIELDS,
    HALF,
    KIND,
    MADE,
    MASK,
    NUMBER,
    NUMBERS,
    PLACES,
    RECORDS,
    REJECTED,
    ROWS,
    SCHEDULED,
    STATUS,
    SUBJECT,
    WAITING,
    WRONG,
    Constants,
    Layout,
)
from .plan import Bounds, Plan
from .runtime import CLASS
from .writer import Names, Writer

OF_ONE = f"{ARRAYS}, first, last, subject"
OF_MANY = f"{ARRAYS}, O, J, starts, subjects, counts, as_of, begin, end"


@dataclass(frozen=True, slots=True)
class Kernel:
    """The source of the dialect of arrays, the layout of its rows, the texts it needs codes of, widths of arrays."""

    source: str
    layout: Layout
    texts: tuple[str, ...]
    row_width: int
    record_width: int
    node_width: int
    reason_width: int


def kernel(ruleset: Ruleset, plan: Plan, void_plan: Plan, bounds: Bounds) -> Kernel:
    """Write the module of a ruleset: `drive`, which runs subjects.

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
    _written(ruleset, plan, bounds, layout, constants, False)
    writer = _written(ruleset, plan, bounds, layout, constants, False)  # now all that is kept is known
    made, functions = [writer], []
    if ruleset.void_rules:
        groups = _targets(ruleset, void_plan)
        _written(ruleset, void_plan, bounds, layout, constants, True)
        voiding = _written(ruleset, void_plan, bounds, layout, constants, True, len(plan.classes))
        functions.append(_voids(voiding, groups))
        made.append(voiding)
    functions.append(_drive(writer, made))
    keyed = [(writer, keys) for writer in made for keys in writer.plan.classes if keys.names or writer.is_void]
    records = max([writer.key_cells + len(keys.fields) for writer, keys in keyed], default=2)
    arities = sorted({len(keys.names) for _, keys in keyed} - {0})
    by = max([len(t.by) for rule in ruleset.void_rules for t in rule.voids], default=0)
    sought = sorted({len(t.by) for rule in ruleset.void_rules for t in rule.voids} - {0})
    text = "\n\n\n".join([_head(ruleset), *map(_find, arities), *map(_seek, sought), *functions])
    nodes = max(writer.node_width() for writer in made)
    return Kernel(text + "\n", layout, tuple(constants.texts), FIELDS + len(layout.made), records, nodes, 4 + by)


def _written(
    ruleset: Ruleset, plan: Plan, bounds: Bounds, layout: Layout, constants: Constants, void: bool, first_class: int = 0
) -> Arrays:
    writer = Arrays(ruleset, plan, bounds, layout, constants, void)
    writer.first_class = first_class
    writer.out.depth = 2 if void else 3
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


def _hashed(names: Sequence[str]) -> str:
    """The lines that make a word of a key: a hash, and in its lower bits the number of the class."""
    mixed = "".join(
        f"    h = ((h ^ {name} ^ ({name} >> 30)) & 1073741823) * 2654435769\n    h ^= h >> 29\n" for name in names
    )
    return f"    h = keys * 40503\n{mixed}    word = h >> {CLASS} << {CLASS} | keys\n"


def _look(names: Sequence[str]) -> str:
    """The lines that look for a key; they go on to `else` where it is not there.

    T leads from a hash to a record; an entry counts only if that record leads back, so nothing is ever cleared.
    """
    same = " and ".join(f"R[record, {2 + n}] == {name}" for n, name in enumerate(names))
    return f"""    mask = S[{MASK}]
    place = (word >> {CLASS}) & mask
    count = S[{RECORDS}]
    record = T[place]
    while record < count and R[record, 0] == place:
        if R[record, 1] == word and {same}:
            break
        place = (place + 1) & mask
        record = T[place]
    else:
"""


KEPT = "    mask = T.shape[0] + R.shape[0] + S.shape[0]  # used to the end: so numba need not count references\n"


def _find(count: int) -> str:
    """The function that finds the record of a key of so many parts."""
    names = [f"k{n}" for n in range(count)]
    stores = "".join(f"            R[record, {2 + n}] = {name}\n" for n, name in enumerate(names))
    return f'''@compiled
def find{count}(T, R, S, keys, {", ".join(names)}):
    """The record of a key of a class, made where there is none; -1 where there is no room."""
{_hashed(names)}{_look(names)}        record = count
        if record >= R.shape[0] or 2 * record > mask:
            record = -1
        else:
            S[{RECORDS}] = record + 1
            T[place] = record
            R[record, 0] = place
            R[record, 1] = word
{stores}            for cell in range({2 + count}, R.shape[1]):
                R[record, cell] = R[keys, cell]
{KEPT}    return record'''


def _seek(count: int) -> str:
    """The function that finds the record of a key of so many parts, if there is one."""
    names = [f"k{n}" for n in range(count)]
    return f'''@compiled
def seek{count}(T, R, S, keys, {", ".join(names)}):
    """The record of a key of a class; -1 where there is none."""
{_hashed(names)}{_look(names)}        record = -1
{KEPT}    return record'''


def _columns(writer: Arrays, out: Writer) -> None:
    """Write the variables of columns, and those of the texts that a ruleset writes."""
    for (array, name), variable in writer.views.items():
        out.line(f"{variable} = {writer.view(array, name)}")
    for number, name in writer.literals.items():
        out.line(f"{name} = L[{number}]")


def _variables(writer: Arrays, out: Writer) -> None:
    """Write what a subject's run begins with."""
    for (_, what), name in writer.cells.items():
        if not what.startswith(("sums:", "least:", "most:")):
            start = {"at": "NEVER", "step": "-1", "newest": "-1", "first": "-1"}.get(what, "0")
            out.line(f"{name} = {start}")
    for index in writer.plan.indices:
        if index.fallible:
            out.line(f"where_fault_{index.number} = 0")
            out.line(f"where_fault_{index.number}_step = 0")


def _drive(writer: Arrays, made: list[Arrays]) -> str:
    """The function that runs subject after subject."""
    ruleset, body = writer.ruleset, writer.out.lines
    schedules = any(writer.bounds.scheduled)
    voiding = sorted({kind.index for rule in ruleset.void_rules for kind in rule.triggers})
    for name in (" kind", " at"):
        writer.column("C", name)
    for name in (" places", " at", " what"):
        writer.column("O", name)
    kind, at, made_at = writer.column("C", " kind"), writer.column("C", " at"), writer.column("O", " at")
    due = writer.column("H", " at") if schedules else ""
    out = Writer(Names(set()))
    out.line('@numba.njit(nogil=True, error_model="numpy", cache=True)')
    with out.block(f"def drive({OF_MANY}):"):
        out.line('"""Run subjects from `begin` on: 0 all are done; 1 a working array, or 4 O or J, is too small.')
        out.line("")
        out.line(
            "What is derived goes to O, how much of it to `counts`, and rejections to J. S says at which subject it"
        )
        out.line(
            'ends, and how much of O and J is filled; where something is too small, that subject is to be run again."""'
        )
        _columns(writer, out)
        for one in made:
            one.templates(out)
        out.line("rows = base = rejected = scheduled = waiting = again = why = 0")
        out.line("number = begin")
        out.line("wide = 15")
        with out.block("while number < end:"):
            with out.block("if rejected >= J.shape[0]:"):
                out.line("why = 4")
                out.line("break")
            out.line("base = rows")
            out.line("first = starts[number]")
            out.line("last = starts[number + 1]")
            out.line("subject = subjects[number]")
            out.line("mask = wide  # no more of T than the subject needs")
            with out.block("while mask < 2 * (last - first) and mask < T.shape[0] - 1:"):
                out.line("mask += mask + 1")
            out.line(f"S[{MASK}] = mask")
            if voiding:
                out.line("found = False")
                tests = " or ".join(f"{kind}[row] == {number}" for number in voiding)
                with out.block("for row in range(first, last):"), out.block(f"if {tests}:"):
                    out.line("found = True")
                    out.line("break")
                with out.block("if found:"):
                    out.line(f"status = voids({OF_ONE})")
                    with out.block("if status == 1:"):
                        _wider(out)
                        out.line("why = 1")
                        out.line("break")
                    with out.block("if status != 0:"):
                        _reject(out, "3", f"S[{WRONG}]", f"S[{FAULTY}]")
                        out.line("continue")
            _variables(writer, out)
            out.line(f"S[{RECORDS}] = {sum(len(one.plan.classes) for one in made)}")
            out.line("N[0, 0] = 0")
            out.line("shift = -rows")
            out.line("again = scheduled = waiting = wrong = faulty = 0")
            out.line("over = False")
            out.line("position = first")
            if schedules:
                out.line("fallen = limit = 0")
            with out.block("while True:"):
                with out.block("while position < last and F[position] != 0:"):
                    out.line("position += 1")
                if writer.most <= FEW:
                    with out.block(f"if rows + {writer.most} > {made_at}.shape[0]:"):
                        out.line("wrong = 4")
                        out.line("break")
                if schedules:
                    out.line(f"until = {at}[position] if position < last else as_of")
                    with out.block(f"if waiting > 0 and {due}[heap[0]] <= until:"):
                        _fall_due(writer, out, due)
                with out.block("elif position < last:" if schedules else "if position < last:"):
                    out.line("step = rows + shift")
                    out.line("shift += 1")
                    out.line(f"kind = {kind}[position]")
                    out.line(f"at = {at}[position]")
                    out.line("here = position")
                    out.line("brought = rows")
                    if schedules:
                        out.line("given = 1")
                    out.line("position += 1")
                with out.block("else:"):
                    out.line("break")
                if ruleset.terminal is not None:
                    with out.block("if over:"):
                        out.line("continue" if schedules else "break")
                out.line("fresh = entered = rows")
                out.line("planned_from = scheduled")
                for name in writer.rows.values():
                    out.line(f"{name} = -1")
                out.lines += body
            with out.block("if wrong != 0:"):
                with out.block("if wrong == 1 or wrong == 4:"):
                    _wider(out)
                    out.line("why = wrong")
                    out.line("break")
                _reject(out, "2", "wrong", "faulty")
                out.line("rows = base")
                out.line("continue")
            out.line("counts[number] = rows - base")
            out.line("base = rows")
            out.line("number += 1")
            out.line("wide = 15")
        for cell, name in (
            (NUMBER, "number"),
            (ROWS, "base"),
            (REJECTED, "rejected"),
            (SCHEDULED, "scheduled"),
            (WAITING, "waiting"),
            (AGAIN, "again"),
        ):
            out.line(f"S[{cell}] = {name}")
        out.line("return why")
    return "\n".join(out.lines)


def _wider(out: Writer) -> None:
    """Write that a subject is run again where it did not use all of T."""
    with out.block(f"if mask < T.shape[0] - 1 and 2 * S[{RECORDS}] > mask:"):
        out.line("wide = min(4 * mask + 3, T.shape[0] - 1)")
        out.line("rows = base")
        out.line("continue")


def _reject(out: Writer, status: str, wrong: str, faulty: str) -> None:
    """Write that a subject is rejected."""
    row = ((SUBJECT, "number"), (STATUS, status), (FAULT, wrong), (CULPRIT, faulty), (MADE, "rows - base"))
    for column, code in row:
        out.line(f"J[rejected, {column}] = {code}")
    out.line("counts[number] = 0")
    out.line("rejected += 1")
    out.line("number += 1")
    out.line("wide = 15")


def _fall_due(writer: Arrays, out: Writer, due: str) -> None:
    """Write that what was scheduled falls due."""
    out.line(f"item = heap_pop(heap, waiting, {due})")
    out.line("waiting -= 1")
    out.line("fallen += 1")
    with out.block("if limit == 0:"):
        out.line("limit = 1000")
        with out.block("for row in range(first, last):"), out.block("if F[row] == 0:"):
            out.line("limit += 1000")
    with out.block("if fallen > limit:"):
        out.line("wrong = -item")
        out.line("break")
    if writer.most > FEW:
        with out.block(f"if rows >= {writer.column('O', ' at')}.shape[0]:"):
            out.line("wrong = 4")
            out.line("break")
    out.line("step = rows + shift")
    out.line(f"{writer.column('O', ' places')}[rows] = step << {HALF} | item")
    with out.block(f"for column in range({PLACES + 1}, O.shape[0]):"):
        out.line("O[column, rows] = H[column, item]")
    out.line(f"kind = {writer.column('O', ' what')}[rows] & {KIND}")
    out.line(f"at = {writer.column('O', ' at')}[rows]")
    out.line(f"here = {FAR} + rows")
    out.line("brought = rows")
    out.line("given = 0")
    out.line("rows += 1")


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
    body = writer.out.lines
    tail = Writer(Names(set()))
    tail.depth = 1
    with tail.block("if again == 0:"):
        tail.line("return 0")
    for kind, slots, number, targets in groups:
        _void_group(writer, tail, kind, slots, writer.first_class + number, targets)
    with tail.block("for row in range(first, last):"), tail.block("if F[row] == 0 and V[row, 1] >= 0:"):
        tail.line("mark = V[row, 1]")
        tail.line("F[row] = 2")
        tail.line("V[row, 0] = X[mark, 0]")
        tail.line("V[row, 1] = X[mark, 1]")
    tail.line("return 0")
    out = Writer(Names(set()))
    out.line("@compiled")
    with out.block(f"def voids({OF_ONE}):"):
        out.line('"""Mark the input facts that are voided: 0; 1 where an array is too small; 3 where it fails."""')
        kinds, at = writer.column("C", " kind"), writer.column("C", " at")
        _columns(writer, out)
        _variables(writer, out)
        out.line(f"S[{RECORDS}] = {writer.first_class + len(writer.plan.classes)}")
        out.line("N[0, 0] = 0")
        out.line("again = 0")
        with out.block("for position in range(first, last):"):
            with out.block("if F[position] == 2:"):
                out.line("F[position] = 0")
            with out.block("if F[position] != 0:"):
                out.line("continue")
            out.line("V[position, 1] = -1")
            out.line(f"kind = {kinds}[position]")
            out.line(f"at = {at}[position]")
            out.line("step = position")
            out.lines += body
        out.lines += tail.lines
    return "\n".join(out.lines)


def _void_group(
    writer: Arrays, out: Writer, kind: int, slots: tuple[int, ...], number: int, targets: list[tuple[int, int]]
) -> None:
    """Write that the facts of some targets are marked with the first firing that voids them.

    Firings are chained by their keys; facts come in order of time, so that one that is over for a fact is over for all
    that follow.
    """
    declared = writer.ruleset.kinds[kind]
    head, tail = writer.key_cells, writer.key_cells + 1
    kinds, at = writer.column("C", " kind"), writer.column("C", " at")
    following = 3 + len(slots)
    out.comment(f"{declared.name} by {', '.join(declared.fields[slot].name for slot in slots)}")
    if not slots:
        out.line(f"record = {number}")
        out.line(f"R[record, {head}] = -1")
    with out.block("for mark in range(again):"):
        tests = [f"(X[mark, 1] == {rule} and X[mark, 2] == {place})" for rule, place in targets]
        with out.block(f"if {' or '.join(tests)}:"):
            if slots:
                keys = ", ".join(f"X[mark, {3 + n}]" for n in range(len(slots)))
                out.line(f"record = find{len(slots)}(T, R, S, {number}, {keys})")
                with out.block("if record < 0:"):
                    out.line("return 1")
            out.line(f"X[mark, {following}] = -1")
            with out.block(f"if R[record, {head}] < 0:"):
                out.line(f"R[record, {head}] = mark")
            with out.block("else:"):
                out.line(f"X[R[record, {tail}], {following}] = mark")
            out.line(f"R[record, {tail}] = mark")
    with out.block("for row in range(first, last):"):
        tests = ["F[row] == 0", f"{kinds}[row] == {kind}"]
        for slot in slots:
            f = declared.fields[slot]
            if not f.known:
                column = writer.column("C", f"{f.name} known" if f.type.name in NUMBERS else f.name)
                word = "!= 0" if f.type.name in NUMBERS else "!= NEVER" if f.type.name == "time" else ">= 0"
                tests.append(f"{column}[row] {word}")
        with out.block(f"if {' and '.join(tests)}:"), ExitStack() as stack:
            if slots:
                keys = ", ".join(f"{writer.column('C', declared.fields[slot].name)}[row]" for slot in slots)
                out.line(f"record = seek{len(slots)}(T, R, S, {number}, {keys})")
                stack.enter_context(out.block("if record >= 0:"))
            out.line(f"mark = R[record, {head}]")
            with out.block(f"while mark >= 0 and {at}[X[mark, 0]] < {at}[row]:"):
                out.line(f"mark = X[mark, {following}]")
            out.line(f"R[record, {head}] = mark")
            with out.block("if mark >= 0 and (V[row, 1] < 0 or mark < V[row, 1]):"):
                out.line("V[row, 1] = mark")
