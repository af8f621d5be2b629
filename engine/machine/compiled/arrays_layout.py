"""The dialect of arrays, where facts lie: the columns of arrays, and code that reads a fact's fields from them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from strikeout.facts import Kind, Type, Value
from strikeout.model import JoinedField, Ruleset, TriggerField

from . import runtime
from .plan import Bounds, Index, Plan
from .steps import Steps
from .writer import Operand, bare

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
HEADS = {" places": PLACES, " at": AT, " what": WHAT}
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


class ArrayFacts(Steps):
    """Writes where facts lie, and how what is wrong is told."""

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
