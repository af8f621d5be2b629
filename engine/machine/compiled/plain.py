"""The plain dialect: a ruleset as a Python function of one subject's facts, with lists, dicts and Python's integers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby

from strikeout.facts import Kind
from strikeout.model import Derivation, Rule

from .plain_values import PlainValues, Trigger, or_none
from .plan import Index
from .writer import Operand, bare, both


class Plain(PlainValues):
    """Writes the plain dialect: either the rules of a run, or the void rules, which are decided first."""

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
            with self.out.block(f"if {' or '.join(tests)}:  # {', '.join(kind.name for kind in kinds)}"):
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
        at = ", at" if self.resumable else ""
        self.out.line(f"rows.append((place, {number}, {self.trigger.place}, {name}{at}))")
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
                self.out.line(f"{word} kind == {kind.index}:  # {kind.name}")
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


def _tuple(fields: Sequence[Operand]) -> str:
    codes = [bare(or_none(field)) for field in fields]
    return f"({codes[0]},)" if len(codes) == 1 else f"({', '.join(codes)})"
