"""The dialect of arrays, values: arithmetic, what indices keep, and aggregates over it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

from strikeout.facts import Type
from strikeout.ground.problems import Span
from strikeout.model import Aggregate

from .arrays_layout import NODE_SUMS, ArrayFacts
from .expressions import DURATION_FAULT, INTEGER_FAULT, TIME_FAULT
from .plan import Index
from .steps import anchor_selection
from .writer import Operand, bare, both


class ArrayValues(ArrayFacts):
    """Writes values: arithmetic, what is kept for keys, and aggregates."""

    # Arithmetic.

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
        inside = self.newest_inside(index, record, (column, relation, bound, known))
        match function:
            case "count" | "any" | "none":
                return self.how_many(function, index, record, inside)
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
