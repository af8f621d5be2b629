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
from itertools import groupby

from strikeout.facts import Field, Kind
from strikeout.model import Derivation, Rule

from .arrays_layout import DUE, FAR, FEW, HALF, KIND, NUMBERS, REASON, Spot
from .arrays_values import ArrayValues
from .plan import Index
from .writer import Operand, Writer, bare, both


class Arrays(ArrayValues):
    """Writes the dialect of arrays: either the rules of a run, or the void rules, which are decided first."""

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


def _initial(what: str) -> str:
    return {"at": "NEVER", "step": "-1", "newest": "-1", "first": "-1", "head": "-1", "tail": "-1"}.get(what, "0")
