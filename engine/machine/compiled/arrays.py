"""The dialect of arrays: a ruleset as one function of 64-bit integers in arrays, for numba.

The facts that are given lie in the columns of C: kind, at, then the fields that rules read. What is derived goes to
the columns of O: its place and its trigger's, at, derivation and kind, then its fields; what is scheduled lies in H in
the same way. N holds the nodes of keys' series, R the records of keys, T where a key's record is, `heap` what waits, X
further reasons, S counters.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import groupby

from strikeout.facts import Field, Kind, Type, Value
from strikeout.ground.problems import Span
from strikeout.model import (
    Aggregate,
    Derivation,
    JoinedField,
    Rule,
    Ruleset,
    TriggerField,
)

from . import runtime
from .expressions import DURATION_FAULT, INTEGER_FAULT, TIME_FAULT
from .plan import Bounds, Index, Plan
from .steps import Steps, anchor_selection
from .writer import Operand, Writer, bare, both

ARRAYS = "C, F, V, L, changes, local_changes, offsets, working, N, R, T, H, heap, X, S"
RESERVED = {
    *ARRAYS.split(", "),
    *("O", "J", "starts", "subjects", "counts", "as_of", "begin", "end", "number", "rejected", "rows", "base", "shift"),
    *("first", "last", "subject", "kind", "at", "step", "over", "scheduled", "planned_from", "waiting", "wrong"),
    *("faulty", "fallen", "limit", "position", "item", "again", "new", "twin", "other", "record", "voids", "found"),
    *("status", "row", "column", "mark", "here", "brought", "given", "fresh", "entered", "until", "drive", "compiled"),
    *("min", "max", "abs", "range", "NEVER", "NOT_WORKED", "True", "False", "None", "numba", "Any", "Array"),
}
PLACES, AT, WHAT, FIELDS = range(4)
"""The columns of what is derived. PLACES is its place and, in the lower half, its trigger's, or the number of what was
scheduled; WHAT is its derivation, whether it was scheduled, and its kind."""
HALF, LOWER = 32, 0xFFFFFFFF
REASON, DUE, KIND = 16, 1 << 15, (1 << 15) - 1
FAR = 1 << 40
"""What is added to the row of a derived fact where a number may also be that of a given one."""
NUMBER, ROWS, REJECTED, SCHEDULED, WAITING, AGAIN, RECORDS, MASK, WRONG, FAULTY = range(10)
SUBJECT, STATUS, FAULT, CULPRIT, MADE = range(5)
"""The columns of rejections: the subject, how its run ended, the fault, the place of the trigger, rows until then."""
FEW = 1_000
NODE_SUMS = 6
RUNTIME = {name for name in vars(runtime) if not name.startswith("_")} | {
    f"{word}{n}" for word in ("find", "seek") for n in range(201)
}
NUMBERS = ("integer", "duration")


@dataclass(slots=True)
class Layout:
    """Which column holds which field, by its name; a number that may be missing has one more, `NAME known`.

    `given` are those that rules read of given facts, in the order in which they are first asked for; `made` are those
    of the kinds that rules derive.
    """

    given: dict[str, int] = field(default_factory=dict)
    made: dict[str, int] = field(default_factory=dict)
    known: set[str] = field(default_factory=set)
    types: dict[str, Type] = field(default_factory=dict)

    @classmethod
    def of(cls, ruleset: Ruleset) -> Layout:
        """The layout of a ruleset's facts."""
        made = cls()
        derived = {derivation.kind.index for rule in ruleset.rules for _, _, derivation in rule.derivations()}
        for kind in ruleset.kinds:
            for f in kind.fields:
                made.types.setdefault(f.name, f.type)
                if f.type.name in NUMBERS and not f.known:
                    made.known.add(f.name)
        for kind in ruleset.kinds:
            for f in kind.fields if kind.index in derived else ():
                for name in (f.name, *([f"{f.name} known"] if f.name in made.known else [])):
                    made.made.setdefault(name, len(made.made))
        return made

    def read(self, name: str) -> int:
        """The column of given facts that holds a field, or whether it is there."""
        return self.given.setdefault(name, len(self.given))


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a fact lies: code of its place in the run, and of its row.

    Its source is C, a given fact's, whose row is that of the input; O, a derived one's; or B, of which either may be:
    a row from `FAR` on is then one of O.
    """

    place: str
    row: str
    source: str


@dataclass(slots=True)
class Constants:
    """The ids and texts that a ruleset writes, by number; their codes are those of the facts at hand."""

    texts: list[str] = field(default_factory=list)

    def number(self, text: str) -> int:
        """The number of a text."""
        if text not in self.texts:
            self.texts.append(text)
        return self.texts.index(text)


class Arrays(Steps):
    """Writes the dialect of arrays: either the rules of a run, or the void rules, which are decided first."""

    def __init__(
        self, ruleset: Ruleset, plan: Plan, bounds: Bounds, layout: Layout, constants: Constants, void: bool
    ) -> None:
        super().__init__(ruleset, plan, bounds, RESERVED | RUNTIME)
        self.layout = layout
        self.constants = constants
        self.is_void = void
        self.sources: dict[int, str] = {}
        sites: dict[int, int] = {}
        for rule in () if void else ruleset.rules:
            for _, _, derivation in rule.derivations():
                sites[derivation.kind.index] = sites.get(derivation.kind.index, 0) + 1
        for kind in ruleset.kinds:
            self.sources[kind.index] = "C" if kind.index not in sites else "B" if kind.given else "O"
        if void:
            self.deriving, self.many, self.placed = {}, set(), set()
        self.direct = {
            kind
            for kind, number in sites.items()
            if number == 1 and kind not in bounds.bringing and bounds.derived[kind] <= 1
        }
        self.operands: dict[int, list[Operand]] = {}
        self.seeds: dict[int, dict[object, object]] = {}
        self.trigger = Spot("", "", "C")
        self.kinds: tuple[Kind, ...] = ()
        self.joined: list[tuple[str, Index]] = []
        self.cells: dict[tuple[int, str], str] = {}
        self.rows: dict[int, str] = {}
        self.literals: dict[int, str] = {}
        self.views: dict[tuple[str, str], str] = {}
        self.first_class = 0
        self.failures = 0
        self.most = sum(bounds.derived) + 1

    # Values.

    def literal(self, type_: Type, value: Value) -> str:
        """A constant of a field's type."""
        if type_.is_enum:
            return str(type_.members.index(str(value)))
        if isinstance(value, str):
            number = self.constants.number(value)
            if number not in self.literals:
                self.literals[number] = self.out.names.fresh(f"text_{value[:20]}")
            return self.literals[number]
        return repr(value)

    def missing(self, type_: Type) -> str:
        """The missing value of a type, where a variable has to hold something."""
        return "False" if type_.name == "boolean" else "0"

    def put(self, name: str, operand: Operand) -> None:
        """Write an assignment of what may be missing."""
        self.out.line(f"{name} = {bare(operand.code)}")
        self.out.line(f"{name}_known = {bare(operand.known) or 'True'}")

    def unknown(self, name: str) -> None:
        """Write that a variable is missing, where a dialect notes that apart."""
        self.out.line(f"{name}_known = False")

    def held(self, name: str) -> Operand:
        """A variable of what may be missing, as an operand."""
        return Operand(name, f"{name}_known")

    def subject_name(self) -> Operand:
        """The subject's id."""
        return Operand("subject")

    def fail(self, site: str) -> None:
        """Write the end of a subject's run by the fault at a site."""
        wrong = int(site) << REASON | self.rule_number if site.isdigit() else f"{site} << {REASON} | {self.rule_number}"
        if self.is_void:
            self.out.line(f"S[{WRONG}] = {wrong}")
            self.out.line(f"S[{FAULTY}] = {self.trigger.place}")
            self.out.line("return 3")
            return
        self.failures += 1
        self.out.line(f"wrong = {wrong}")
        self.out.line(f"faulty = {self.trigger.place}")
        self.out.line("break")

    def full(self, which: int = 1) -> None:
        """Write that an array is too small."""
        if self.is_void:
            self.out.line(f"return {which}")
            return
        self.failures += 1
        self.out.line(f"wrong = {which}")
        self.out.line("break")

    @contextmanager
    def once(self) -> Iterator[None]:
        """A block that `break` leaves."""
        with self.leaving(), self.out.block("while True:"):
            yield

    @contextmanager
    def leaving(self) -> Iterator[None]:
        """A loop; where a run fails in it, what is around it is left, too."""
        failures = self.failures
        yield
        if self.failures > failures:
            with self.out.block("if wrong != 0:"):
                self.out.line("break")

    # Where facts lie.

    def column(self, array: str, name: str) -> str:
        """The variable of a column of C, O or H: a field's, or `at`, `kind`, `what`, `places`."""
        key = (array, name)
        if key not in self.views:
            self.views[key] = self.out.names.fresh(f"{array.lower()}_{name.strip()}")
        return self.views[key]

    def view(self, array: str, name: str) -> str:
        """Code of a column."""
        if array == "C":
            return f"C[{ {' kind': 0, ' at': 1}[name] if name[0] == ' ' else 2 + self.layout.read(name) }]"
        return f"{array}[{HEADS[name] if name[0] == ' ' else FIELDS + self.layout.made[name]}]"

    def read(self, spot: Spot, name: str) -> str:
        """Code of what a column holds of a fact."""
        if spot.source == "B":
            made = f"{self.column('O', name)}[{spot.row} - {FAR}]"
            return f"({made} if {spot.row} >= {FAR} else {self.column('C', name)}[{spot.row}])"
        return f"{self.column(spot.source, name)}[{spot.row}]"

    def spot_of(self, kind: Kind, row: str) -> Spot:
        """Where a fact lies whose row has been kept."""
        return Spot("", row, self.sources[kind.index])

    def from_spot(self, spot: Spot, name: str, always: bool, hint: str) -> Operand:
        """A field of a fact, in variables of its own."""
        type_ = self.layout.types[name]
        variable = self.out.names.fresh(hint)
        self.out.line(f"{variable} = {bare(self.read(spot, name))}")
        if type_.name in NUMBERS:
            if always:
                return Operand(variable)
            known = self.out.names.fresh(f"{variable}_known")
            self.out.line(f"{known} = {self.read(spot, f'{name} known')} != 0")
            return Operand(variable, known)
        code = f"({variable} == 1)" if type_.name == "boolean" else variable
        if always:
            return Operand(code)
        return Operand(code, f"{variable} != NEVER" if type_.name == "time" else f"{variable} >= 0")

    def trigger_field(self, expression: TriggerField) -> Operand:
        """A field of the trigger."""
        if len(self.kinds) == 1 and self.trigger.row == self.rows.get(self.kinds[0].index):
            found = self.operands.get(self.kinds[0].index)
            if found is not None:
                return found[self.kinds[0].slots[expression.name]]
        always = all(kind.fields[kind.slots[expression.name]].known for kind in self.kinds)
        key = ("field", self.trigger.row, expression.name)
        operand = self.out.find(key)
        if operand is None:
            hint = f"{self.kinds[0].name if len(self.kinds) == 1 else 'trigger'}_{expression.name}"
            operand = self.from_spot(self.trigger, expression.name, always, hint)
            self.out.remember(key, operand)
        return operand  # type: ignore[no-any-return]

    def joined_field(self, expression: JoinedField) -> Operand:
        """A field of a joined fact."""
        row, index = self.joined[expression.join]
        key = ("joined", row, expression.slot)
        found = self.out.find(key)
        if found is None:
            spot = self.spot_of(index.kind, row)
            if expression.slot < 0:
                found = Operand(self.temporary(self.read(spot, " at"), f"{row}_at"))
            else:
                f = index.kind.fields[expression.slot]
                found = self.from_spot(spot, f.name, f.known, f"{row}_{f.name}")
            self.out.remember(key, found)
        return found  # type: ignore[no-any-return]

    def sum_(self, operator: str, left: str, right: str, result: str, span: Span, message: str) -> None:
        """Write `+`, `-` or `*` of integers, checked."""
        left, right = self.short(left), self.short(right)
        if operator == "*":
            with self.out.block(f"if product_fails({left}, {right}):"):
                self.fault("overflow", message, span)
            self.out.line(f"{result} = {left} * {right}")
            return
        small = [abs(int(code)) < 2**62 for code in (left, right) if code.lstrip("-").isdigit()]
        if not (message == TIME_FAULT and small and all(small)):
            with self.out.block(f"if {_beyond(operator, left, right)}:"):
                self.fault("overflow", message, span)
        self.out.line(f"{result} = {left} {operator} {right}")

    def short(self, code: str) -> str:
        """The code, or a variable of it where it is long."""
        return code if code.isidentifier() or code.lstrip("-").isdigit() else self.temporary(code)

    def check_instant(self, name: str, span: Span) -> None:
        """Write the check that an instant lies in the years 1 to 9999."""
        zone = self.ruleset.zone
        with self.out.block(f"if {name} < {zone.earliest} or {name} > {zone.latest}:"):
            self.fault("overflow", TIME_FAULT, span)

    def contained(self, operator: str, codes: Sequence[str]) -> str:
        """`in` and `not in`."""
        tests = [f"{codes[0]} {'==' if operator == 'in' else '!='} {code}" for code in codes[1:]]
        return f"({(' or ' if operator == 'in' else ' and ').join(tests)})"

    def modulo(self, left: str, right: str) -> str:
        """`%` by what is not zero."""
        return f"modulo({left}, {right})"

    def least(self) -> str:
        """The least integer of 64 bits."""
        return "NEVER"

    def call(self, function: str, *arguments: str) -> str:
        """A call of a function of the zone or the calendar."""
        zone = self.ruleset.zone
        more = ["changes", "local_changes", "offsets"]
        if function.startswith("start_of"):
            more.append(str(zone.earliest))
        elif function != "window_of_dates":
            more += [str(zone.earliest), str(zone.latest)]
        if function == "add_workdays":
            calendar = self.ruleset.calendar
            more += ["working", str(calendar.first_day if calendar else 0)]
        return f"{function}({', '.join([*arguments, *more])})"

    # What is kept.

    def cell(self, index: Index, what: str, record: str) -> str:
        """Where something is kept for the key of a record."""
        self.plan.keep(index, what)
        if record:
            return f"R[{record}, {self.key_cells + index.keys.fields.index((index.number, what))}]"
        key = (index.number, what)
        if key not in self.cells:
            hint = what.replace("base/", "base_of_i").replace("-", "")
            self.cells[key] = self.out.names.fresh(f"{index.kind.name}_{hint}")
        return self.cells[key]

    @property
    def key_cells(self) -> int:
        """How many cells of a record are taken by where it is, its class and the key."""
        return 2 + max([len(keys.names) for keys in self.plan.classes], default=0)

    def record(self, index: Index, keys: Sequence[Operand]) -> str:
        """The record of a key, made where there is none yet; that of no key where a part is missing."""
        if not keys:
            return ""
        codes = [f"(1 if {k.code} else 0)" if k.code.startswith("(") else k.code for k in keys]
        key = ("record", index.keys.number, tuple(codes))
        found = self.out.find(key)
        if found is not None:
            return str(found)
        name = self.out.names.fresh(f"of_{'_'.join(index.keys.names)}")
        number = self.first_class + index.keys.number
        known = both(*(operand.known for operand in keys))
        with ExitStack() as stack:
            if known:
                self.out.line(f"{name} = {number}")
                stack.enter_context(self.out.block(f"if {bare(known)}:"))
            call = f"find{len(codes)}(T, R, S, {number}, {', '.join(map(bare, codes))})"
            self.out.line(f"{name} = {call}")
            with self.out.block(f"if {name} < 0:"):
                self.full()
        self.out.remember(key, name)
        return name

    def sums_of(self, index: Index) -> list[str]:
        """The slots whose running sums the nodes of an index hold."""
        return [what for what in index.kept if what.startswith("sums:")]

    def node_column(self, index: Index, what: str) -> int:
        """The first column of a node that holds a running sum or the values of an extreme."""
        self.plan.keep(index, what)
        column = NODE_SUMS
        for other in index.kept:
            if other == what:
                break
            name = other.partition(":")[0]
            column += 2 if name == "sums" else 4 if name in ("least", "most") else 0
        return column

    def node_width(self) -> int:
        """How many columns the nodes have."""
        wide = NODE_SUMS
        for index in self.plan.indices:
            widths = [2 if w.startswith("sums:") else 4 if w.startswith(("least:", "most:")) else 0 for w in index.kept]
            wide = max(wide, NODE_SUMS + sum(widths))
        return wide

    def grow(self, index: Index, record: str, own: Callable[[int], Operand], newest: str) -> None:
        """Write what an index keeps of a new fact."""
        kept = list(index.kept)
        for what in kept:
            if what.startswith("before/") and not what.startswith("before/low"):
                with self.out.block(f"if {self.cell(index, 'step', record)} != step:"):
                    for rest in self.halves(what.partition("/")[2]):
                        self.out.line(
                            f"{self.cell(index, f'before/{rest}', record)} = {self.cell(index, rest, record)}"
                        )
        for what in kept:
            name, _, slot = what.partition(":")
            operand = Operand("at") if slot == "-1" else own(int(slot)) if slot and "/" not in what else Operand("")
            cell = self.cell(index, what, record) if name not in ("sums", "least", "most") else ""
            match name:
                case "count":
                    self.out.line(f"{cell} += 1")
                case "at" | "step":
                    self.out.line(f"{cell} = {name}")
                case "newest":
                    self.out.line(f"{cell} = {newest}")
                case "first":
                    with self.out.block(f"if {cell} < 0:"):
                        self.out.line(f"{cell} = {newest}")
                case "high":
                    with self.when(operand.known):
                        self.out.line(f"{cell} += {operand.code} >> 32")
                        self.out.line(f"{self.cell(index, f'low:{slot}', record)} += {operand.code} & 4294967295")
                case "min" | "max":
                    there = self.cell(index, f"has_{name}:{slot}", record)
                    sign = "<" if name == "min" else ">"
                    test = both(operand.known, f"({there} == 0 or {operand.code} {sign} {cell})")
                    with self.out.block(f"if {bare(test)}:"):
                        self.out.line(f"{cell} = {operand.code}")
                        self.out.line(f"{there} = 1")
                case "node":
                    self.push(index, cell, own, newest)
                case _:
                    if name.startswith("base/"):
                        self.note_base(index, what, record)

    @contextmanager
    def when(self, known: str) -> Iterator[None]:
        """A block under a condition, if there is one."""
        if not known:
            yield
            return
        with self.out.block(f"if {bare(known)}:"):
            yield

    @staticmethod
    def halves(what: str) -> list[str]:
        """A total is kept as two numbers, so that only what is asked for can overflow."""
        name, _, slot = what.partition(":")
        return [f"high:{slot}", f"low:{slot}"] if name in ("total", "high") else [] if name == "low" else [what]

    def push(self, index: Index, cell: str, own: Callable[[int], Operand], newest: str) -> None:
        """Write that a key has a new node."""
        node = self.temporary(f"push_node(N, {cell}, at, step, {newest})", "node")
        with self.out.block(f"if {node} < 0:"):
            self.full()
        for what in list(index.kept):
            name, _, slot = what.partition(":")
            if name not in ("sums", "least", "most"):
                continue
            operand = Operand("at") if slot == "-1" else own(int(slot))
            column = self.node_column(index, what)
            if name == "sums":
                for half, code in ((0, f"{operand.code} >> 32"), (1, f"{operand.code} & 4294967295")):
                    more = f"({code} if {bare(operand.known)} else 0)" if operand.known else f"({code})"
                    self.out.line(f"N[{node}, {column + half}] = N[{cell}, {column + half}] + {more}")
            else:
                known = bare(operand.known) or "True"
                self.out.line(f"push_best(N, {node}, {column}, {known}, {operand.code}, {name == 'most'})")
        self.out.line(f"{cell} = {node}")

    def note_base(self, index: Index, what: str, record: str) -> None:
        """Write what another index has from before this step, which the newest fact of this one notes."""
        _, other, rest = what.split("/")
        counted = self.plan.indices[int(other)]
        step = self.cell(counted, "step", record)
        before, now = self.cell(counted, f"before/{rest}", record), self.cell(counted, rest, record)
        self.out.line(f"{self.cell(index, what, record)} = {before} if {step} == step else {now}")

    # Aggregates.

    def window_from(self, length: str, literal: bool) -> str:
        """Where a window of a duration begins."""
        return (
            f"(at - {length})"
            if literal and abs(int(length)) < 2**62
            else self.temporary(f"window_start(at, {bare(length)})", "start")
        )

    def anchor(self, index: Index, record: str, filtered: bool) -> str:
        """The step of the newest fact of an index; -1 where there is none."""
        if not filtered:
            return self.cell(index, "step", record)
        node = self.temporary(f"walk(N, {self.cell(index, 'node', record)}, 5, step - 1)", "node")
        return self.temporary(f"N[{node}, 5] if {node} > 0 else -1", "since")

    def aggregate(self, expression: Aggregate) -> Operand:
        """An aggregate."""
        index, record, filtered = self.select(expression.selection)
        anchor = self.since_base(expression, index, filtered)
        function, slot = expression.function, expression.slot if expression.slot is not None else -1
        if anchor is not None:
            self.select(anchor_selection(expression))
            self.cell(index, "step", record)
            found = []
            for what in ["count"] if function == "count" else [f"high:{slot}", f"low:{slot}"]:
                now = self.cell(index, what, record)
                self.cell(index, f"before/{what}", record)
                found.append(f"({now} - {self.cell(anchor, f'base/{index.number}/{what}', record)})")
            return Operand(found[0]) if function == "count" else self.total(expression, found[0], found[1])
        column, relation, bound, known = self.window(expression)
        if filtered or (column and function not in ("any", "none", "last")):
            return self.over_series(expression, index, record, filtered, (column, relation, bound, known))
        inside = ""
        if column == "at":
            inside = both(known, f"({self.cell(index, 'at', record)} {relation} {bound})")
        elif column == "step":
            newest = self.cell(index, "step", record)
            inside = f"({newest} >= 0 and {newest} >= {bound})"
        match function:
            case "count":
                return Operand(self.cell(index, "count", record))
            case "any":
                return Operand(inside or f"({self.cell(index, 'count', record)} > 0)")
            case "none":
                return Operand(f"(not ({inside}))" if inside else f"({self.cell(index, 'count', record)} == 0)")
            case "sum":
                high = self.cell(index, f"high:{slot}", record)
                return self.total(expression, high, self.cell(index, f"low:{slot}", record))
            case "min" | "max":
                cell = self.cell(index, f"{function}:{slot}", record)
                return Operand(cell, f"{self.cell(index, f'has_{function}:{slot}', record)} == 1")
            case _:
                cell = self.cell(index, "first" if function == "first" else "newest", record)
                return self.taken(index, slot, cell, both(inside, f"({cell} >= 0)"))

    def taken(self, index: Index, slot: int, place: str, inside: str) -> Operand:
        """The field of a fact that was found, as it is."""
        type_ = index.kind.fields[slot].type if slot >= 0 else Type("time")
        name = self.out.names.fresh("x")
        self.out.line(f"{name} = {self.missing(type_)}")
        self.out.line(f"{name}_known = False")
        with self.out.block(f"if {bare(inside)}:"):
            if slot < 0:
                self.put(name, Operand(self.read(self.spot_of(index.kind, self.short(place)), " at")))
            else:
                f = index.kind.fields[slot]
                spot = self.spot_of(index.kind, self.short(place))
                self.put(name, self.from_spot(spot, f.name, f.known, f"{index.kind.name}_{f.name}"))
        return self.held(name)

    def total(self, expression: Aggregate, high: str, low: str) -> Operand:
        """Write a total of two halves, and the check that it fits."""
        message = DURATION_FAULT if expression.type.name == "duration" else INTEGER_FAULT
        low = self.temporary(low, "low")
        high = self.temporary(f"{high} + ({low} >> 32)", "high")
        with self.out.block(f"if {high} < -2147483648 or {high} > 2147483647:"):
            self.fault("overflow", message, expression.span)
        return Operand(self.temporary(f"({high} << 32) | ({low} & 4294967295)", "total"))

    def over_series(
        self, expression: Aggregate, index: Index, record: str, filtered: bool, window: tuple[str, str, str, str]
    ) -> Operand:
        """An aggregate for which every fact of a key is kept."""
        column, relation, bound, known = window
        function, slot = expression.function, expression.slot if expression.slot is not None else -1
        head = self.temporary(self.cell(index, "node", record), "node")
        if filtered:
            self.out.line(f"{head} = walk(N, {head}, 5, step - 1)")
        outside = "0"
        if column:
            less = bare(bound) if relation == ">" else f"{bound} - 1"
            code = f"walk(N, {head}, {4 if column == 'at' else 5}, {less})"
            outside = self.temporary(f"{code} if {bare(known)} else {head}" if known else code, "outside")
        match function:
            case "count":
                return Operand(f"N[{head}, 3]" if outside == "0" else f"(N[{head}, 3] - N[{outside}, 3])")
            case "any":
                return Operand(f"({head} != {outside})")
            case "none":
                return Operand(f"({head} == {outside})")
            case "sum":
                c = self.node_column(index, f"sums:{slot}")
                return self.total(
                    expression, f"N[{head}, {c}] - N[{outside}, {c}]", f"N[{head}, {c + 1}] - N[{outside}, {c + 1}]"
                )
            case "min" | "max":
                c = self.node_column(index, f"{'least' if function == 'min' else 'most'}:{slot}")
                name = self.out.names.fresh("x")
                self.out.line(f"{name}, {name}_known = best_of(N, {head}, {outside}, {c}, {function == 'max'})")
                return self.held(name)
            case _:
                node = head
                place = self.out.names.fresh("found")
                if function == "first":
                    node = f"oldest(N, {head}, {outside})"
                self.out.line(f"{place} = N[{node}, 0] if {head} != {outside} else -1")
                return self.taken(index, slot, place, f"{place} >= 0")

    # Triggers and what follows.

    def triggers(self, kinds: Sequence[Kind]) -> Iterator[None]:
        """The block in which rules of these triggers are tried."""
        self.kinds = tuple(kinds)
        alone = kinds[0].index if len(kinds) == 1 else -1
        if not any(kind.index in self.deriving for kind in kinds):
            self.trigger = self.brought(kinds)
            with self.out.block(f"if {' or '.join(f'kind == {kind.index}' for kind in kinds)}:"):
                self.out.scopes[-1].update(self.sticky.get(alone, {}))
                yield
                if alone >= 0:
                    self.stick(alone)
        elif any(kind.index in self.many for kind in kinds):
            with self.each_trigger(kinds):
                yield
        elif alone >= 0:
            row, source = self.row_of(kinds[0]), self.sources[alone]
            place = f"{row} + shift" if source == "O" else f"({row} - {FAR} + shift if {row} >= {FAR} else step)"
            self.trigger = Spot(place, row, source)
            with self.out.block(f"if {row} >= 0:"):
                if alone in self.direct:
                    self.out.scopes[-1].update(self.seeds.get(alone, {}))
                    self.out.scopes[-1].update(self.sticky.get(alone, {}))
                yield
                if alone in self.direct:
                    self.stick(alone)
        else:
            rows = [self.row_of(kind) for kind in kinds]
            codes = [
                f"({row} + {FAR} if {row} >= 0 else -1)" if self.sources[kind.index] == "O" else row
                for row, kind in zip(rows, kinds, strict=True)
            ]
            row = self.temporary(f"max({', '.join(map(bare, codes))})", "trigger")
            self.trigger = Spot(f"({row} - {FAR} + shift if {row} >= {FAR} else step)", row, "B")
            with self.out.block(f"if {row} >= 0:"):
                yield

    @contextmanager
    def each_trigger(self, kinds: Sequence[Kind]) -> Iterator[None]:
        """The block for each fact of some kinds of which a step may hold several."""
        item = self.out.names.fresh("trigger")
        given = [kind for kind in kinds if self.sources[kind.index] != "O"]
        self.inside_loop = True
        made = self.column("O", " what")
        tests = " or ".join(f"{made}[{item}] & {KIND} == {kind.index}" for kind in kinds)
        begin = "brought"
        if given:
            begin = "brought - given" if any(self.bounds.scheduled) else "brought - 1"
            first = " or ".join(f"kind == {kind.index}" for kind in given)
            tests = f"({first}) if {item} < brought else ({tests})"
        with self.leaving(), self.out.block(f"for {item} in range({begin}, rows):"), self.out.block(f"if {tests}:"):
            row, source = item, "O"
            if given:
                row, source = self.temporary(f"here if {item} < brought else {FAR} + {item}", "trigger_row"), "B"
            self.trigger = Spot(f"{item} + shift", row, source)
            yield
        self.inside_loop = False

    def brought(self, kinds: Sequence[Kind]) -> Spot:
        """Where the fact lies that brought the step."""
        if self.is_void:
            return Spot("position", "position", "C")
        sources = {self.sources[kind.index] for kind in kinds}
        source = sources.pop() if len(sources) == 1 else "B"
        return Spot("step", "brought" if source == "O" else "here", source)

    def stick(self, kind: int) -> None:
        """Let later blocks of the same kind use what this one has looked up."""
        found = {k: v for k, v in self.out.scopes[-1].items() if isinstance(k, tuple) and k[0] in ("field", "record")}
        self.sticky.setdefault(kind, {}).update(found)

    def row_of(self, kind: Kind) -> str:
        """The variable of the row of the only fact of a kind in a step; -1 for none."""
        if kind.index not in self.rows:
            self.rows[kind.index] = self.out.names.fresh(f"{kind.name}_row")
        return self.rows[kind.index]

    def join(self, number: int, index: Index, record: str, filtered: bool) -> str:
        """Write a joined fact's variables; the condition under which there is one."""
        del self.joined[number:]
        name = self.out.names.fresh(self.rule.joins[number].alias)
        if filtered:
            node = self.temporary(f"walk(N, {self.cell(index, 'node', record)}, 5, step - 1)", "node")
            self.out.line(f"{name} = N[{node}, 0] if {node} > 0 else -1")
        else:
            self.out.line(f"{name} = {self.cell(index, 'newest', record)}")
        self.joined.append((name, index))
        return f"{name} >= 0"

    def write_row(self, array: str, row: str, kind: Kind, at: str, number: int, fields: Sequence[Operand]) -> list[str]:
        """Write a row of a derived or scheduled fact; the columns of its fields."""
        place, due = bare(self.trigger.place), array == "H"
        places = place if due else f"(rows + shift) << {HALF} | {place if place.isidentifier() else f'({place})'}"
        what = number << REASON | (DUE if due else 0) | kind.index
        for name, code in ((" places", places), (" at", at), (" what", str(what))):
            self.out.line(f"{self.column(array, name)}[{row}] = {code}")
        columns = []
        for f, operand in zip(kind.fields, fields, strict=True):
            columns.append(self.column(array, f.name))
            code, known = operand.code, operand.known
            if f.type.name == "boolean":
                code = f"(1 if {code} else 0)"
            absent = "NEVER" if f.type.name == "time" else "0" if f.type.name in NUMBERS else "-1"
            if known in (f"{code} != NEVER", f"{code} >= 0"):
                known = ""  # as it is
            elif known:
                code = absent if known == "False" else f"{code} if {bare(known)} else {absent}"
            self.out.line(f"{columns[-1]}[{row}] = {bare(code)}")
            if f.name in self.layout.known:
                columns.append(self.column(array, f"{f.name} known"))
                code = "1" if not known else "0" if known == "False" else f"1 if {bare(known)} else 0"
                self.out.line(f"{columns[-1]}[{row}] = {code}")
        return columns

    def stand(self, derivation: Derivation, fields: Sequence[Operand], inline: bool) -> None:
        """Write that a derived fact stands now."""
        kind, number = derivation.kind, self.plan.derivation(derivation)
        if self.most > FEW:
            with self.out.block(f"if rows >= {self.column('O', ' at')}.shape[0]:"):
                self.full(4)
        if kind.index in self.direct:
            fields = self.operands[kind.index] = [
                self.stable(f, operand) for f, operand in zip(kind.fields, fields, strict=True)
            ]
            if not self.inside_loop:
                visible: dict[object, object] = {}
                for scope in self.out.scopes:
                    visible |= {k: v for k, v in scope.items() if isinstance(k, tuple) and k[0] == "record"}
                self.seeds[kind.index] = visible
        columns = self.write_row("O", "rows", kind, "at", number, fields)
        if self.bounds.derived[kind.index] <= 1:
            self.enter(kind)
            return
        self.out.line("twin = -1")
        with self.out.block("for other in range(fresh, rows):"):
            same = [f"{self.column('O', ' what')}[other] & {KIND} == {kind.index}"]
            same += [f"{column}[other] == {column}[rows]" for column in columns]
            with self.out.block(f"if {' and '.join(same)}:"):
                self.out.line("twin = other")
                self.out.line("break")
        with self.out.block("if twin >= 0:"):
            self.another_reason("twin + shift", number)
        with self.out.block("else:"):
            self.enter(kind)

    def stable(self, f: Field, operand: Operand) -> Operand:
        """A derived field in variables that mean the same until the step is over."""
        changing = set(self.cells.values())

        def holds(code: str) -> bool:
            words = set(re.findall(r"[A-Za-z_]\w*", code))
            return "[" not in code and not words & changing and not (self.inside_loop and words - {"NEVER", "at"})

        code, known = operand.code, operand.known
        if f.type.name == "boolean":
            if not (holds(code) and re.fullmatch(r"\(\w+ == 1\)", code)):
                code = f"({self.temporary(f'1 if {code} else 0', 'made')} == 1)"
        elif not (holds(code) and (code.isidentifier() or code.lstrip("-").isdigit())):
            code = self.temporary(code, "made")
        return Operand(code, known if holds(known) else self.temporary(known, "made_known"))

    def another_reason(self, of: str, number: int) -> None:
        """Write that a fact, or one that is scheduled, has one more reason."""
        with self.out.block("if again >= X.shape[0]:"):
            self.full()
        for column, code in ((0, of), (1, str(number)), (2, bare(self.trigger.place))):
            self.out.line(f"X[again, {column}] = {code}")
        self.out.line("again += 1")

    def enter(self, kind: Kind) -> None:
        """Write that a new fact stands."""
        if kind.index in self.direct or (kind.index in self.placed and kind.index not in self.many):
            self.out.line(f"{self.row_of(kind)} = {self.new_row(kind, 'rows')}")
        self.out.line("rows += 1")
        if kind is self.ruleset.terminal:
            self.out.line("over = True")

    def new_row(self, kind: Kind, row: str) -> str:
        """What is kept of a row of O, to find the fact again."""
        return f"{FAR} + {row}" if self.sources[kind.index] == "B" else row

    def stand_new(self, kinds: Sequence[Kind]) -> None:
        """Write that facts derived in a stratum enter the indices."""
        kinds = [kind for kind in kinds if self.plan.of_kind(kind)]
        for kind in kinds:
            if kind.index in self.direct:
                row = self.row_of(kind)
                with self.out.block(f"if {row} >= 0:"):
                    self.out.scopes[-1].update(self.seeds.get(kind.index, {}))
                    self.insert(kind, self.operands[kind.index].__getitem__, row)
                    self.stick(kind.index)
        kinds = [kind for kind in kinds if kind.index not in self.direct]
        if not kinds:
            return
        row = self.out.names.fresh("new_row")
        with self.leaving(), self.out.block(f"for {row} in range(entered, rows):"):
            which = self.temporary(f"{self.column('O', ' what')}[{row}] & {KIND}", "which") if len(kinds) > 1 else ""
            test = which or f"{self.column('O', ' what')}[{row}] & {KIND}"
            word = "if"
            for kind in kinds:
                with self.out.block(f"{word} {test} == {kind.index}:"):
                    self.insert(kind, self.own_fields(kind, Spot("", row, "O")), self.new_row(kind, row))
                word = "elif"
        self.out.line("entered = rows")

    def insert(self, kind: Kind, own: Callable[[int], Operand], newest: str) -> None:
        """Write that a fact enters the indices of its kind; what several of them look up comes first."""
        if not self.is_void:
            asked: dict[tuple[int, tuple[int, ...]], list[Index]] = {}
            for index in self.plan.of_kind(kind):
                if index.slots and index.kept and all(kind.fields[slot].known for slot in index.slots):
                    asked.setdefault((index.keys.number, index.slots), []).append(index)
            for indices in asked.values():
                if len(indices) > 1 and indices[0].where is not None:
                    self.record(indices[0], [Operand(own(slot).code) for slot in indices[0].slots])
        super().insert(kind, own, newest)

    def own_fields(self, kind: Kind, spot: Spot) -> Callable[[int], Operand]:
        """The fields of a fact, each read once."""

        def own(slot: int) -> Operand:
            f = kind.fields[slot]
            key = ("field", spot.row, f.name)
            found = self.out.find(key)
            if found is None:
                found = self.from_spot(spot, f.name, f.known, f"{kind.name}_{f.name}")
                self.out.remember(key, found)
            return found  # type: ignore[no-any-return]

        return own

    def schedule(self, derivation: Derivation, fields: Sequence[Operand], due: str) -> None:
        """Write that a fact is scheduled."""
        kind, number = derivation.kind, self.plan.derivation(derivation)
        self.out.line("new = scheduled + 1")
        with self.out.block(f"if new >= {self.column('H', ' at')}.shape[0]:"):
            self.full()
        columns = self.write_row("H", "new", kind, bare(due), number, fields)
        with ExitStack() as stack:
            if self.bounds.scheduled[kind.index] > 1:
                self.out.line("twin = -1")
                with self.out.block("for other in range(planned_from + 1, new):"):
                    at = self.column("H", " at")
                    same = [f"{self.column('H', ' what')}[other] & {KIND} == {kind.index}", f"{at}[other] == {at}[new]"]
                    same += [f"{column}[other] == {column}[new]" for column in columns]
                    with self.out.block(f"if {' and '.join(same)}:"):
                        self.out.line("twin = other")
                        self.out.line("break")
                with self.out.block("if twin >= 0:"):
                    self.another_reason("-twin", number)
                stack.enter_context(self.out.block("else:"))
            self.out.line("scheduled = new")
            self.out.line(f"heap_push(heap, waiting, {self.column('H', ' at')}, new)")
            self.out.line("waiting += 1")

    def void(self, rule: Rule) -> None:
        """Write what a void rule's trigger voids."""
        for number, target in enumerate(rule.voids):
            keys = [self.value(key) for _, key in target.by]
            with self.when(both(*(key.known for key in keys))):
                with self.out.block("if again >= X.shape[0]:"):
                    self.full()
                codes = [f"(1 if {k.code} else 0)" if k.code.startswith("(") else k.code for k in keys]
                for column, code in enumerate(("position", str(self.rule_number), str(number), *codes)):
                    self.out.line(f"X[again, {column}] = {bare(code)}")
                self.out.line("again += 1")

    # The whole.

    def body(self) -> None:
        """Write one step."""
        word = "if"
        for kind in self.ruleset.kinds:
            if kind.index not in self.bounds.bringing or (self.is_void and not kind.given):
                continue
            with self.out.aside() as lines:
                only = kind.index not in self.deriving
                self.trigger, self.kinds = self.brought((kind,)), (kind,)
                row = self.trigger.row
                if kind.index in self.placed and kind.index not in self.many:
                    self.out.line(f"{self.row_of(kind)} = {row}")
                if kind is self.ruleset.terminal and not self.is_void:
                    self.out.line("over = True")
                self.insert(kind, self.own_fields(kind, self.trigger), row)
                if only:
                    self.stick(kind.index)
            if lines:
                self.out.comment(kind.name)
                self.out.line(f"{word} kind == {kind.index}:")
                self.out.lines.extend(lines)
                word = "elif"
        if not self.is_void:
            self.strata()
            return
        for triggers, group in groupby(enumerate(self.ruleset.void_rules), key=lambda pair: pair[1].triggers):
            with contextmanager(self.triggers)(triggers):
                for number, rule in group:
                    self.rule_block(number, rule, [])

    def templates(self, out: Writer) -> None:
        """Write the records of no key, which new ones are copied from."""
        for keys in self.plan.classes:
            record = self.first_class + keys.number
            out.line(f"R[{record}, 0] = -1")
            if keys.names:
                for place, (_, what) in enumerate(keys.fields):
                    out.line(f"R[{record}, {self.key_cells + place}] = {_initial(what)}")


HEADS = {" places": PLACES, " at": AT, " what": WHAT}


def _beyond(operator: str, left: str, right: str) -> str:
    """The test of whether a sum or difference lies beyond 64 bits, which is not computed to find out."""
    if left.lstrip("-").isdigit() and operator == "+":
        left, right = right, left
    most, least = 2**63 - 1, -(2**63)
    if right.lstrip("-").isdigit():
        added = int(right) if operator == "+" else -int(right)
        return f"{left} > {most - added}" if added > 0 else f"{left} < {least - added}"
    back = "-" if operator == "+" else "+"
    up, down = (">", "<") if operator == "+" else ("<", ">")
    return (
        f"({right} {up} 0 and {left} > {most} {back} {right}) or ({right} {down} 0 and {left} < {least} {back} {right})"
    )


def _initial(what: str) -> str:
    return {"at": "NEVER", "step": "-1", "newest": "-1", "first": "-1", "head": "-1", "tail": "-1"}.get(what, "0")
