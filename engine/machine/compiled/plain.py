"""The plain dialect: a ruleset as a Python function of one subject's facts, with lists, dicts and Python's integers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby

from strikeout.facts import Kind, Type, Value
from strikeout.ground.problems import Span
from strikeout.ground.values import INTEGER_MAX, INTEGER_MIN
from strikeout.model import Aggregate, Derivation, JoinedField, Rule, Ruleset, TriggerField

from .expressions import DURATION_FAULT, INTEGER_FAULT, TIME_FAULT
from .plan import Bounds, Index, Keys, Plan
from .steps import Steps, anchor_selection
from .writer import Names, Operand, Writer, bare, both

RESERVED = {
    *("subject", "facts", "as_of", "limit", "rows", "again", "waiting", "firings", "fact", "kind", "at", "values"),
    *("place", "step", "over", "derived", "planned", "scheduled", "fallen", "position", "end", "item", "run", "voids"),
    *("bisect_left", "bisect_right", "heappush", "heappop", "Extreme", "NEVER", "NOT_WORKED", "LONG_AGO", "tried"),
    *("min", "max", "abs", "len", "sorted", "least", "greatest", "twin", "trigger"),
    *("start_of_day", "start_of_month", "start_of_year", "add_dates", "add_months", "add_workdays"),
    *("window_of_dates", "window_of_months", "True", "False", "None"),
}


@dataclass(frozen=True, slots=True)
class Trigger:
    """The trigger of the rules being written: its place, its values and, where there are several kinds, its kind."""

    kinds: tuple[Kind, ...]
    place: str
    values: str
    kind: str
    hint: str


class Plain(Steps):
    """Writes the plain dialect: either the rules of a run, or the void rules, which are decided first."""

    def __init__(self, ruleset: Ruleset, plan: Plan, bounds: Bounds, void: bool) -> None:
        super().__init__(ruleset, plan, bounds, RESERVED)
        self.is_void = void
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
        self.out.line(f"{name} = {bare(_or_none(operand))}")

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
            return ""
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
        return "[" + ", ".join(_initial(what) for _, what in keys.fields) + "]"

    def grow(self, index: Index, record: str, own: Callable[[int], Operand], newest: str) -> None:
        """Write what an index keeps of a new fact."""
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
                    self.out.line(f"{cell}.add({bare(_or_none(operand))}, step)")

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

    # Triggers and what follows.

    def triggers(self, kinds: Sequence[Kind]) -> Iterator[None]:
        """The block in which rules of these triggers are tried."""
        hint = kinds[0].name if len(kinds) == 1 else "trigger"
        if any(kind.index in self.many for kind in kinds):
            here = [self.here(kind) for kind in kinds]
            source = here[0] if len(here) == 1 else f"sorted({' + '.join(here)})"
            names = [self.out.names.fresh(name) for name in ("trigger", f"{hint}_values", "trigger_kind")]
            self.trigger = Trigger(tuple(kinds), names[0], names[1], names[2], hint)
            self.inside_loop = True
            with self.out.block(f"for {', '.join(names)} in {source}:"):
                yield
            self.inside_loop = False
        elif not any(kind.index in self.deriving for kind in kinds):
            self.trigger = Trigger(tuple(kinds), "step", "values", "kind", hint)
            tests = [f"kind == {kind.index}" for kind in kinds]
            with self.out.block(f"if {' or '.join(tests)}:"):
                alone = kinds[0].index if len(kinds) == 1 else -1
                self.out.scopes[-1].update(self.sticky.get(alone, {}))
                yield
                if alone >= 0:
                    self.stick(alone)
        elif len(kinds) == 1:
            place, values = self.place_of(kinds[0])
            self.trigger = Trigger(tuple(kinds), place, values, "", hint)
            with self.out.block(f"if {place} >= 0:"):
                yield
        else:
            names = [self.out.names.fresh(name) for name in ("trigger", "trigger_values", "trigger_kind")]
            self.trigger = Trigger(tuple(kinds), names[0], names[1], names[2], hint)
            self.out.line(f"{names[0]} = -1")
            for kind in kinds:
                place, values = self.place_of(kind)
                with self.out.block(f"if {place} >= 0:"):
                    self.out.line(f"{', '.join(names)} = {place}, {values}, {kind.index}")
            with self.out.block(f"if {names[0]} >= 0:"):
                yield

    def stick(self, kind: int) -> None:
        """Let later blocks of the same kind use what this one has looked up."""
        found = {k: v for k, v in self.out.scopes[-1].items() if isinstance(k, tuple) and k[0] in ("field", "record")}
        self.sticky.setdefault(kind, {}).update(found)

    def place_of(self, kind: Kind) -> tuple[str, str]:
        """The variables of the only fact of a kind in a step: its place, -1 for none, and its values."""
        if kind.index not in self.places:
            names = self.out.names
            self.places[kind.index] = (names.fresh(f"{kind.name}_place"), names.fresh(f"{kind.name}_values"))
        return self.places[kind.index]

    def here(self, kind: Kind) -> str:
        """The variable of the list of a kind's facts in a step: place, values, kind."""
        if kind.index not in self.lists:
            self.lists[kind.index] = self.out.names.fresh(f"{kind.name}_here")
        return self.lists[kind.index]

    def join(self, number: int, index: Index, record: str, filtered: bool) -> str:
        """Write a joined fact's variables; the condition under which there is one."""
        alias = self.rule.joins[number].alias
        del self.joined[number:]
        name = self.out.names.fresh(alias)
        end = ""
        if filtered:
            end = self.temporary(f"bisect_left({self.cell(index, 'steps', record)}, step)", "end")
            self.out.line(f"{name} = {self.cell(index, 'facts', record)}[{end} - 1] if {end} else None")
        else:
            self.out.line(f"{name} = {self.cell(index, 'newest', record)}")
        self.joined.append((name, index, record, end))
        return f"{name} is not None"

    def stand(self, derivation: Derivation, fields: Sequence[Operand], inline: bool) -> None:
        """Write that a derived fact stands now."""
        kind, number = derivation.kind, self.plan.derivation(derivation)
        name = self.temporary(_tuple(fields), f"new_{kind.name}")
        if self.bounds.derived[kind.index] > 1:
            key = self.temporary(f"({kind.index}, {name})", "key")
            self.out.line(f"twin = derived.get({key}, -1)")
            with self.out.block("if twin >= 0:"):
                self.out.line(f"again.append((twin, {number}, {self.trigger.place}))")
            with self.out.block("else:"):
                self.out.line("place += 1")
                self.out.line(f"derived[{key}] = place")
                self.enter(kind, number, name, fields, inline)
            return
        self.out.line("place += 1")
        self.enter(kind, number, name, fields, inline)

    def enter(self, kind: Kind, number: int, name: str, fields: Sequence[Operand], inline: bool) -> None:
        """Write that a new fact stands."""
        self.out.line(f"rows.append((place, {number}, {self.trigger.place}, {name}))")
        self.mark(kind, name, "place")
        if not self.plan.of_kind(kind):
            return
        if inline:
            changing = set(self.cells.values())
            own = [f if f.code.isidentifier() and f.code not in changing else None for f in fields]

            def field(slot: int) -> Operand:
                operand = own[slot]
                if operand is None or (operand.known and operand.known != f"{operand.code} is not None"):
                    return self.value_of(kind, name, slot)
                return operand if not kind.fields[slot].known else Operand(operand.code)

            self.insert(kind, field, name)
        else:
            self.out.line(f"{self.fresh_list(kind)}.append({name})")

    def mark(self, kind: Kind, values: str, place: str) -> None:
        """Write down a fact of this step for the rules that it triggers, and that it ends the subject's run."""
        if kind.index in self.many:
            self.out.line(f"{self.here(kind)}.append(({place}, {values}, {kind.index}))")
        elif kind.index in self.placed:
            self.out.line(f"{', '.join(self.place_of(kind))} = {place}, {values}")
        if kind is self.ruleset.terminal:
            self.out.line("over = True")

    def fresh_list(self, kind: Kind) -> str:
        """The variable of the list of facts that have yet to enter the indices."""
        if kind.index not in self.fresh_lists:
            self.fresh_lists[kind.index] = self.out.names.fresh(f"{kind.name}_fresh")
        return self.fresh_lists[kind.index]

    def value_of(self, kind: Kind, values: str, slot: int) -> Operand:
        """A field of values in a variable."""
        code = f"{values}[{slot}]"
        return Operand(code) if kind.fields[slot].known else Operand(code, f"{code} is not None")

    def stand_new(self, kinds: Sequence[Kind]) -> None:
        """Write that facts derived in a stratum enter the indices."""
        for kind in kinds:
            if not self.plan.of_kind(kind):
                continue
            fresh = self.fresh_list(kind)
            with self.out.block(f"if {fresh}:"):
                name = self.out.names.fresh(f"new_{kind.name}")
                with self.out.block(f"for {name} in {fresh}:"):
                    self.insert(kind, self.own_fields(kind, name), name)
                self.out.line(f"{fresh}.clear()")

    def own_fields(self, kind: Kind, values: str) -> Callable[[int], Operand]:
        """The fields of values in a variable, each read once."""

        def own(slot: int) -> Operand:
            key = ("field", values, slot)
            name = self.out.find(key)
            if name is None:
                name = self.temporary(f"{values}[{slot}]", f"{kind.name}_{kind.fields[slot].name}")
                self.out.remember(key, name)
            return Operand(name) if kind.fields[slot].known else self.held(name)

        return own

    def schedule(self, derivation: Derivation, fields: Sequence[Operand], due: str) -> None:
        """Write that a fact is scheduled."""
        kind, number = derivation.kind, self.plan.derivation(derivation)
        name = self.temporary(_tuple(fields), f"later_{kind.name}")
        if self.bounds.scheduled[kind.index] > 1:
            key = self.temporary(f"({bare(due)}, {kind.index}, {name})", "key")
            self.out.line(f"twin = planned.get({key})")
            with self.out.block("if twin is not None:"):
                self.out.line(f"again.append((-twin, {number}, {self.trigger.place}))")
            with self.out.block("else:"):
                self.out.line("scheduled += 1")
                self.out.line(f"planned[{key}] = scheduled")
                self.push(kind, number, name, due)
            return
        self.out.line("scheduled += 1")
        self.push(kind, number, name, due)

    def push(self, kind: Kind, number: int, name: str, due: str) -> None:
        """Write that a fact waits for its instant."""
        self.out.line(
            f"heappush(waiting, ({bare(due)}, scheduled, {kind.index}, {name}, {number}, {self.trigger.place}))"
        )

    def void(self, rule: Rule) -> None:
        """Write what a void rule's trigger voids."""
        for number, target in enumerate(rule.voids):
            keys = [self.value(key) for _, key in target.by]
            known = both(*(key.known for key in keys))
            code = f"firings.append((place, {self.rule_number}, {number}, {_tuple(keys)}))"
            self.guarded_line(known, code)

    # The whole.

    def body(self) -> None:
        """Write one step."""
        bringing = [kind for kind in self.ruleset.kinds if kind.index in self.bounds.bringing]
        for kind in bringing:
            if kind.index in self.many:
                self.here(kind)
        word = "if"
        for kind in bringing:
            if self.is_void and not kind.given:
                continue
            with self.out.aside() as lines:
                only = kind.index not in self.deriving
                self.trigger = Trigger((kind,), "step", "values", "kind", kind.name)
                self.mark(kind, "values", "step")
                self.insert(kind, self.brought_fields(kind, only), "values")
                if only:
                    self.stick(kind.index)
            if lines:
                self.out.comment(kind.name)
                self.out.line(f"{word} kind == {kind.index}:")
                self.out.lines.extend(lines)
                word = "elif"
        if self.is_void:
            for triggers, group in groupby(enumerate(self.ruleset.void_rules), key=lambda pair: pair[1].triggers):
                with contextmanager(self.triggers)(triggers):
                    for number, rule in group:
                        self.rule_block(number, rule, [])
        else:
            self.strata()

    def brought_fields(self, kind: Kind, only: bool) -> Callable[[int], Operand]:
        """The fields of the fact that brings a step, under the names that rules know them by."""

        def own(slot: int) -> Operand:
            key = ("field", "step", ((kind.index, slot),))
            name = self.out.find(key)
            if name is None:
                name = self.temporary(f"values[{slot}]", f"{kind.name}_{kind.fields[slot].name}")
                self.out.remember(key, name)
            return Operand(name) if kind.fields[slot].known else self.held(name)

        return own


def _initial(what: str) -> str:
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


def _or_none(operand: Operand) -> str:
    if not operand.known or operand.known == f"{operand.code} is not None":
        return operand.code
    return "None" if operand.known == "False" else f"({operand.code} if {bare(operand.known)} else None)"


def _tuple(fields: Sequence[Operand]) -> str:
    codes = [bare(_or_none(field)) for field in fields]
    return f"({codes[0]},)" if len(codes) == 1 else f"({', '.join(codes)})"


def source(ruleset: Ruleset, plan: Plan, void_plan: Plan, bounds: Bounds) -> str:
    """The source of the plain module of a ruleset: `run`, and `voids` where it has void rules."""
    text = _function(ruleset, plan, bounds, False)
    if ruleset.void_rules:
        text = f"{_function(ruleset, void_plan, bounds, True)}\n\n\n{text}"
    head = f'"""{ruleset.name} {ruleset.version}: its rules as a function of one subject\'s facts."""\n\n'
    return head.replace("\\", "\\\\") + text + "\n"


def _function(ruleset: Ruleset, plan: Plan, bounds: Bounds, void: bool) -> str:
    schedules = not void and any(bounds.scheduled)
    made = _written(ruleset, plan, bounds, void)
    made = _written(ruleset, plan, bounds, void)  # now all that is kept is known
    body, out = made.out.lines, Writer(Names(set()))
    made.out = out
    parameters = "subject, facts, firings" if void else "subject, facts, as_of, limit, rows, again, waiting"
    with out.block(f"def {'voids' if void else 'run'}({parameters}):"):
        for number, table in made.tables.items():
            keys = plan.classes[number]
            out.line(f"{table} = {{}}")
            out.line(f"{table}_missing = {made.initial(keys)}")
        for (_, what), cell in made.cells.items():
            out.line(f"{cell} = {_initial(what)}")
        for index in plan.indices:
            if index.fallible:
                out.line(f"where_fault_{index.number} = 0")
                out.line(f"where_fault_{index.number}_step = 0")
        for fresh in made.fresh_lists.values():
            out.line(f"{fresh} = []")
        out.line("place = -1")
        if not void:
            out.line("over = False")
        twins, plans = any(n > 1 for n in bounds.derived), any(n > 1 for n in bounds.scheduled)
        out.lines += [
            f"    {name} = {{}}" for name, used in (("derived", twins), ("planned", plans)) if used and not void
        ]
        head = "for fact in facts:"
        if schedules:
            out.line("scheduled = fallen = position = 0")
            out.line("end = len(facts)")
            head = "while True:"
        with out.block(head):
            if schedules:
                _due(out)
            else:
                out.line("kind = fact.kind.index")
                out.line("at = fact.at")
                out.line("values = fact.values")
            if not schedules:
                out.line("place += 1")
            out.line("step = place")
            if not void:
                if ruleset.terminal is not None:
                    with out.block("if over:"):
                        out.line("continue")
                for name, used in (("derived", twins), ("planned", plans)):
                    if used:
                        with out.block(f"if {name}:"):
                            out.line(f"{name}.clear()")
                for place, _ in made.places.values():
                    out.line(f"{place} = -1")
                for here in made.lists.values():
                    out.line(f"{here} = []")
            out.lines += body
        out.line("return None")
    return "\n".join(out.lines)


def _written(ruleset: Ruleset, plan: Plan, bounds: Bounds, void: bool) -> Plain:
    made = Plain(ruleset, plan, bounds, void)
    made.out.depth = 2
    made.body()
    return made


def _due(out: Writer) -> None:
    """Write which comes next: what falls due, at one instant before inputs, or an input fact (semantics 4)."""
    with out.block("if waiting and waiting[0][0] <= (facts[position].at if position < end else as_of):"):
        out.line("item = heappop(waiting)")
        out.line("fallen += 1")
        with out.block("if fallen > limit:"):
            out.line("return 0, 0, item")
        out.line("place += 1")
        out.line("at, _, kind, values, _, _ = item")
        out.line("rows.append((place, item))")
    with out.block("elif position < end:"):
        out.line("fact = facts[position]")
        out.line("position += 1")
        out.line("place += 1")
        out.line("kind = fact.kind.index")
        out.line("at = fact.at")
        out.line("values = fact.values")
    with out.block("else:"):
        out.line("break")
