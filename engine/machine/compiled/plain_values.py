"""Values in the plain dialect, what it keeps of a subject's facts, and aggregates over that."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from strikeout.facts import Kind, Type, Value
from strikeout.ground.problems import Span
from strikeout.ground.values import INTEGER_MAX, INTEGER_MIN
from strikeout.model import Aggregate, JoinedField, Ruleset, TriggerField

from .expressions import DURATION_FAULT, INTEGER_FAULT, TIME_FAULT
from .plan import Bounds, Index, Keys, Plan
from .steps import Steps, anchor_selection
from .writer import Operand, bare, both

IMPORTS = {
    "bisect": ("bisect_left", "bisect_right"),
    "heapq": ("heappop", "heappush"),
    "strikeout.machine.compiled.helpers": ("LONG_AGO", "NEVER", "NOT_WORKED", "Extreme"),
}
"""What generated code imports, as far as it uses it."""

GIVEN = (
    *("start_of_day", "start_of_month", "start_of_year", "add_dates", "add_months", "add_workdays"),
    *("window_of_dates", "window_of_months"),
)
"""What generated code is given: the times of its zone and its calendar (`helpers.arithmetic`)."""

RESERVED = {
    *("subject", "facts", "as_of", "limit", "rows", "again", "waiting", "firings", "fact", "kind", "at", "values"),
    *("place", "step", "over", "derived", "planned", "scheduled", "fallen", "position", "end", "item", "run", "voids"),
    *(name for names in IMPORTS.values() for name in names),
    *GIVEN,
    *("min", "max", "abs", "len", "sorted", "least", "greatest", "twin", "trigger", "tried"),
    *("True", "False", "None"),
    *("of_all", "trail", "marks", "taken", "go_on"),
}


@dataclass(frozen=True, slots=True)
class Trigger:
    """The trigger of the rules being written: its place, its values and, where there are several kinds, its kind."""

    kinds: tuple[Kind, ...]
    place: str
    values: str
    kind: str
    hint: str


class PlainValues(Steps):
    """Writes values of the rules of a run, or of the void rules, which are decided first.

    Where it is to be `resumable`, what is kept lies in records alone, and the code leaves a trail by which every
    step can be undone.
    """

    def __init__(self, ruleset: Ruleset, plan: Plan, bounds: Bounds, void: bool, resumable: bool = False) -> None:
        super().__init__(ruleset, plan, bounds, RESERVED)
        self.is_void = void
        self.resumable = resumable
        self.schedules = not void and any(bounds.scheduled)
        if void:
            self.deriving, self.many, self.placed = {}, set(), set()
            self.triggering = {kind.index for rule in ruleset.void_rules for kind in rule.triggers}
        else:
            self.at_once = self.find_at_once()
        self.trigger = Trigger((), "place", "values", "", "")
        self.joined: list[tuple[str, Index, str, str]] = []
        self.cells: dict[tuple[int, str], str] = {}
        self.tables: dict[int, str] = {}
        self.places: dict[int, tuple[str, str]] = {}
        self.lists: dict[int, str] = {}
        self.fresh_lists: dict[int, str] = {}

    # Values.

    def literal(self, type_: Type, value: Value) -> str:
        """A constant of a field's type."""
        return repr(value)

    def missing(self, type_: Type) -> str:
        """The missing value of a type, where a variable has to hold something."""
        return "None"

    def put(self, name: str, operand: Operand) -> None:
        """Write an assignment of what may be missing."""
        self.out.line(f"{name} = {bare(or_none(operand))}")

    def held(self, name: str) -> Operand:
        """A variable of what may be missing, as an operand."""
        return Operand(name, f"{name} is not None")

    def subject_name(self) -> Operand:
        """The subject's id."""
        return Operand("subject")

    def fail(self, site: str) -> None:
        """Write the end of a subject's run by the fault at a site."""
        self.out.line(f"return {site}, {self.rule_number}, {self.trigger.place}")

    def trigger_field(self, expression: TriggerField) -> Operand:
        """A field of the trigger."""
        slots = dict(expression.slots)
        own = {kind.index: slots[kind.index] for kind in self.trigger.kinds}
        known = all(kind.fields[own[kind.index]].known for kind in self.trigger.kinds)
        key = ("field", self.trigger.place, tuple(own.items()))
        name = self.out.find(key)
        if name is None:
            values = self.trigger.values
            code = f"{values}[{next(iter(own.values()))}]"
            if len(set(own.values())) > 1:
                for kind, slot in list(own.items())[1:]:
                    code = f"{values}[{slot}] if {self.trigger.kind} == {kind} else ({code})"
            name = self.out.names.fresh(f"{self.trigger.hint}_{expression.name}")
            self.out.line(f"{name} = {code}")
            self.out.remember(key, name)
        return Operand(name) if known else self.held(name)

    def joined_field(self, expression: JoinedField) -> Operand:
        """A field of a joined fact."""
        values, index, record, end = self.joined[expression.join]
        if expression.slot < 0:
            if end:
                return Operand(f"{self.cell(index, 'ats', record)}[{end} - 1]")
            return Operand(self.cell(index, "at", record))
        field = index.kind.fields[expression.slot]
        key = ("joined", values, expression.slot)
        name = self.out.find(key)
        if name is None:
            name = self.out.names.fresh(f"{values}_{field.name}")
            self.out.line(f"{name} = {values}[{expression.slot}]")
            self.out.remember(key, name)
        return Operand(name) if field.known else self.held(name)

    def sum_(self, operator: str, left: str, right: str, result: str, span: Span, message: str) -> None:
        """Write `+`, `-` or `*` of integers, checked."""
        self.out.line(f"{result} = {left} {operator} {right}")
        if message == TIME_FAULT:
            return
        with self.out.block(f"if not {INTEGER_MIN} <= {result} <= {INTEGER_MAX}:"):
            self.fault("overflow", message, span)

    def check_instant(self, name: str, span: Span) -> None:
        """Write the check that an instant lies in the years 1 to 9999."""
        zone = self.ruleset.zone
        with self.out.block(f"if not {zone.earliest} <= {name} <= {zone.latest}:"):
            self.fault("overflow", TIME_FAULT, span)

    # What is kept.

    def cell(self, index: Index, what: str, record: str) -> str:
        """Where something is kept for the key of a record."""
        self.plan.keep(index, what)
        if record:
            return f"{record}[{index.keys.fields.index((index.number, what))}]"
        key = (index.number, what)
        if key not in self.cells:
            self.cells[key] = self.out.names.fresh(f"{index.kind.name}_{what.replace('base/', 'base_of_i')}")
        return self.cells[key]

    def record(self, index: Index, keys: Sequence[Operand]) -> str:
        """The record of a key, made where there is none yet; that of no key where a part is missing."""
        if not keys:
            return "of_all" if self.resumable else ""
        number = index.keys.number
        if number not in self.tables:
            self.tables[number] = self.out.names.fresh("by_" + "_".join(index.keys.names))
        table = self.tables[number]
        key = ("record", number, tuple(operand.code for operand in keys))
        name = self.out.find(key)
        if name is not None:
            return str(name)
        codes = [operand.code for operand in keys]
        known = both(*(operand.known for operand in keys))
        name = self.out.names.fresh(f"of_{'_'.join(index.keys.names)}")
        code = codes[0] if len(codes) == 1 else f"({', '.join(codes)})"
        initial = self.initial(index.keys)
        if not known:
            self.find_record(name, table, code, initial)
        else:
            self.out.line(f"{name} = {table}_missing")
            with self.out.block(f"if {bare(known)}:"):
                self.find_record(name, table, code, initial)
        self.out.remember(key, name)
        return name

    def find_record(self, name: str, table: str, code: str, initial: str) -> None:
        """Write the look-up of a record."""
        if not code.isidentifier():
            code = self.temporary(code, "key")
        self.out.line(f"{name} = {table}.get({code})")
        with self.out.block(f"if {name} is None:"):
            self.out.line(f"{name} = {table}[{code}] = {initial}")

    @staticmethod
    def initial(keys: Keys) -> str:
        """A new record of a class."""
        return "[" + ", ".join(initial(what) for _, what in keys.fields) + "]"

    def grow(self, index: Index, record: str, own: Callable[[int], Operand], newest: str) -> None:
        """Write what an index keeps of a new fact."""
        if self.resumable:
            fields = index.keys.fields
            series = [
                str(place) for place, (number, what) in enumerate(fields) if number == index.number and grows(what)
            ]
            self.out.line(
                f"trail.append(({record}, {record}[:], ({''.join(f'{place}, ' for place in series).rstrip()})))"
            )
        for what in list(index.kept):
            name, _, rest = what.partition("/")
            if name == "before":  # what there was before the newest fact's step
                newest_step = self.cell(index, "step", record)
                with self.out.block(f"if {newest_step} != step:"):
                    self.out.line(f"{self.cell(index, what, record)} = {self.cell(index, rest, record)}")
        for what in list(index.kept):
            if what.startswith("before/"):
                continue
            cell = self.cell(index, what, record)
            name, _, slot = what.partition(":")
            if what.startswith("base/"):
                self.note_base(index, what, record)
                continue
            operand = Operand("at") if slot == "-1" else own(int(slot)) if slot else Operand("")
            match name:
                case "count":
                    self.out.line(f"{cell} += 1")
                case "at" | "step":
                    self.out.line(f"{cell} = {name}")
                case "newest":
                    self.out.line(f"{cell} = {newest}")
                case "first":
                    with self.out.block(f"if {cell} is None:"):
                        self.out.line(f"{cell} = {newest}")
                case "total":
                    self.guarded_line(operand.known, f"{cell} += {operand.code}")
                case "min" | "max":
                    sign = "<" if name == "min" else ">"
                    test = both(operand.known, f"({cell} is None or {operand.code} {sign} {cell})")
                    with self.out.block(f"if {bare(test)}:"):
                        self.out.line(f"{cell} = {operand.code}")
                case "ats" | "steps":
                    self.out.line(f"{cell}.append({name[:-1]})")
                case "facts":
                    self.out.line(f"{cell}.append({newest})")
                case "sums":
                    code = f"{cell}[-1] + {operand.code}"
                    if operand.known:
                        code = f"{code} if {bare(operand.known)} else {cell}[-1]"
                    self.out.line(f"{cell}.append({code})")
                case _:
                    self.out.line(f"{cell}.append({bare(or_none(operand))})")

    def note_base(self, index: Index, what: str, record: str) -> None:
        """Write what another index has from before this step, which the newest fact of this one notes."""
        _, other, rest = what.split("/")
        counted = self.plan.indices[int(other)]
        step, now = self.cell(counted, "step", record), self.cell(counted, rest, record)
        before = self.cell(counted, f"before/{rest}", record)
        self.out.line(f"{self.cell(index, what, record)} = {before} if {step} == step else {now}")

    def guarded_line(self, known: str, text: str) -> None:
        """Write a line, under a condition if there is one."""
        if not known:
            self.out.line(text)
            return
        with self.out.block(f"if {bare(known)}:"):
            self.out.line(text)

    # Aggregates.

    def window_from(self, length: str, literal: bool) -> str:
        """Where a window of a duration begins."""
        return f"(at - {length})"

    def anchor(self, index: Index, record: str, filtered: bool) -> str:
        """The step of the newest fact of an index; -1 where there is none."""
        if not filtered:
            return self.cell(index, "step", record)
        steps = self.cell(index, "steps", record)
        end = self.temporary(f"bisect_left({steps}, step)", "end")
        return self.temporary(f"{steps}[{end} - 1] if {end} else -1", "since")

    def aggregate(self, expression: Aggregate) -> Operand:
        """An aggregate."""
        index, record, filtered = self.select(expression.selection)
        anchor = self.since_base(expression, index, filtered)
        if anchor is not None:
            self.select(anchor_selection(expression))
            what = "count" if expression.function == "count" else f"total:{expression.slot}"
            now, _ = self.cell(index, what, record), self.cell(index, "step", record)
            self.cell(index, f"before/{what}", record)
            code = f"({now} - {self.cell(anchor, f'base/{index.number}/{what}', record)})"
            return Operand(code) if what == "count" else self.total(expression, code)
        column, relation, bound, known = self.window(expression)
        function, slot = expression.function, expression.slot if expression.slot is not None else -1
        if filtered or (column and function not in ("any", "none", "last")):
            return self.over_series(expression, index, record, filtered, (column, relation, bound, known))
        inside = self.newest_inside(index, record, (column, relation, bound, known))
        match function:
            case "count" | "any" | "none":
                return self.how_many(function, index, record, inside)
            case "sum":
                return self.total(expression, self.cell(index, f"total:{slot}", record))
            case "min" | "max":
                cell = self.cell(index, f"{function}:{slot}", record)
                return Operand(cell, f"{cell} is not None")
            case _:
                what = "first" if function == "first" else "newest"
                fact = self.cell(index, what, record)
                code = f"{fact}[{slot}]"
                if slot < 0:
                    code = self.cell(index, "at" if function == "last" else "min:-1", record)
                return self.taken(index, slot, code, inside or f"{fact} is not None")

    def taken(self, index: Index, slot: int, code: str, inside: str) -> Operand:
        """The field of a fact that was found, as it is."""
        name = self.temporary(f"{code} if {bare(inside)} else None")
        return self.held(name)

    def total(self, expression: Aggregate, code: str) -> Operand:
        """Write the check of a total."""
        name = self.temporary(code, "total")
        message = DURATION_FAULT if expression.type.name == "duration" else INTEGER_FAULT
        with self.out.block(f"if not {INTEGER_MIN} <= {name} <= {INTEGER_MAX}:"):
            self.fault("overflow", message, expression.span)
        return Operand(name)

    def over_series(
        self, expression: Aggregate, index: Index, record: str, filtered: bool, window: tuple[str, str, str, str]
    ) -> Operand:
        """An aggregate for which every fact of a key is kept."""
        column, relation, bound, known = window
        function, slot = expression.function, expression.slot if expression.slot is not None else -1
        if filtered:
            end = self.temporary(f"bisect_left({self.cell(index, 'steps', record)}, step)", "end")
        else:
            end = f"len({self.cell(index, 'ats' if column == 'at' else 'steps', record)})"
        low = "0"
        if column:
            series = self.cell(index, f"{column}s", record)
            low = f"{'bisect_right' if relation == '>' else 'bisect_left'}({series}, {bare(bound)})"
        if known:
            low = f"({low} if {bare(known)} else {end})"
        if function in ("count", "any", "none"):
            if function == "count":
                return Operand(end if low == "0" else f"max({end} - {low}, 0)" if filtered else f"({end} - {low})")
            return Operand(f"({end} > {low})" if function == "any" else f"({end} <= {low})")
        if not low.isdigit():
            low = self.temporary(low, "low")
        if function == "sum":
            sums = self.cell(index, f"sums:{slot}", record)
            return self.total(expression, f"{sums}[{end}] - {sums}[{low}] if {end} > {low} else 0")
        if function in ("min", "max"):
            extreme = self.cell(index, f"{'least' if function == 'min' else 'most'}:{slot}", record)
            return self.held(self.temporary(f"{extreme}.best({low}, {end})"))
        place = low if function == "first" else f"{end} - 1"
        code = f"{self.cell(index, 'ats' if slot < 0 else 'facts', record)}[{place}]"
        return self.taken(index, slot, code if slot < 0 else f"{code}[{slot}]", f"{end} > {low}")


def initial(what: str) -> str:
    """What is kept before the first fact."""
    name = what.partition(":")[0].partition("/")[0]
    return {
        "before": "0",
        "base": "0",
        "count": "0",
        "at": "LONG_AGO",
        "step": "-1",
        "newest": "None",
        "first": "None",
        "total": "0",
        "min": "None",
        "max": "None",
        "ats": "[]",
        "steps": "[]",
        "facts": "[]",
        "sums": "[0]",
        "least": "Extreme(min)",
        "most": "Extreme(max)",
    }[name]


def or_none(operand: Operand) -> str:
    """Code of what may be missing."""
    if not operand.known or operand.known == f"{operand.code} is not None":
        return operand.code
    return "None" if operand.known == "False" else f"({operand.code} if {bare(operand.known)} else None)"


def grows(what: str) -> bool:
    """Whether something is kept of every fact."""
    return initial(what)[0] in "[E"
