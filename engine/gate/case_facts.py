"""The facts of a case file: those given, through the checks of any row, and those expected, as patterns."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..facts import Fact, Field, Kind, Value
from ..ground.problems import Problem, Span, listing, nearest, shorten
from ..model import Ruleset
from ..rows import BadCell, Binder
from .case_model import Pattern
from .nodes import Mapping, Node, Scalar, Sequence
from .shapes import Shapes

BESIDE = ("at", "known_at", "seq")
"""What stands beside the kind of a given fact, with the subject's field; of these a derived fact has only `at`."""


@dataclass(frozen=True, slots=True)
class _Row:
    """A fact as written: its kind, the key that names it, what stands beside the kind, and the kind's fields."""

    kind: Kind
    key: Scalar
    beside: dict[str, Scalar]
    fields: dict[str, Scalar]


class CaseFacts(Shapes):
    """Reads the facts of one case after the other; problems are collected, and a fact that has one is left out.

    Attributes
    ----------
    model : Ruleset
        The ruleset of the case, with the case's parameters.
    subject : str
        The subject of facts that name none; empty where the case names none either.
    subjects : set of str
        The subjects of the facts given.
    """

    def __init__(self, problems: list[Problem], model: Ruleset) -> None:
        super().__init__(problems)
        self.subject = ""
        self.subjects: set[str] = set()
        self.about(model)

    def about(self, model: Ruleset) -> None:
        """Read facts of this ruleset from now on."""
        self.model = model
        self.binder = Binder(model)

    def kind_named(self, scalar: Scalar, name: str) -> Kind | None:
        """The kind of that name; a problem at the scalar where there is none."""
        kind = self.model.kinds_by_name.get(name)
        if kind is None:
            names = [k.name for k in self.model.kinds]
            hint = nearest(name, names) or f"known are {listing(names, 20)}"
            message = f"`{shorten(name, 40)}` is no kind of `{self.model.name}`"
            self.problem("unknown-kind", message, scalar.span, hint)
        return kind

    def sequence(self, node: Node | None, what: str) -> tuple[Node, ...]:
        """The items of a list; what is no list is a problem."""
        if node is None or (isinstance(node, Scalar) and node.is_null):
            return ()
        if isinstance(node, Sequence):
            return node.items
        self.problem("shape", f"{what} must be a list", node.span, "start each entry with `- `")
        return ()

    def cells(self, mapping: Iterable[tuple[Scalar, Node]]) -> dict[str, Scalar]:
        """The values by their keys; one that is no scalar is a problem, and stands as refused."""
        found: dict[str, Scalar] = {}
        for key, node in mapping:
            if isinstance(node, Scalar):
                found[key.text] = node
            else:
                message = f"the value of `{shorten(key.text, 40)}` must be one word, number or text"
                self.problem("shape", message, node.span)
                found[key.text] = Scalar("", True, node.span, refused=True)
        return found

    def row(self, node: Node, known: Iterable[Kind]) -> _Row | None:
        """A fact as written; `known` are the kinds to suggest where it names none of the ruleset's."""
        if not isinstance(node, Mapping):
            hint = "such as `{at: 2015-01-05, KIND: {FIELD: VALUE}}`"
            self.problem("shape", "a fact must be a mapping with its kind as a key", node.span, hint)
            return None
        outside = (*BESIDE, self.model.subject)
        beside = [(key, value) for key, value in node if key.text in outside]
        others = [(key, value) for key, value in node if key.text not in outside]
        for key, _ in others:
            if key.text not in self.model.kinds_by_name:
                names = [kind.name for kind in known]
                hint = nearest(key.text, [*names, *outside]) or f"known are {listing(names, 20)}"
                message = f"`{shorten(key.text, 40)}` is no kind of `{self.model.name}`"
                self.problem("unknown-kind", message, key.span, hint)
        named = [(key, value) for key, value in others if key.text in self.model.kinds_by_name]
        if not others:
            self.problem("missing-key", "the fact names no kind", node.span, "such as `{at: 2015-01-05, KIND: {}}`")
        if len(named) > 1:
            self.problem("shape", "an entry names one kind of fact", named[1][0].span, "write several as a list")
        if len(named) != 1:
            return None
        key, value = named[0]
        kind = self.model.kinds_by_name[key.text]
        mapping = self.mapping(value, f"the fields of `{kind.name}`")
        if mapping is None:
            return None
        for name, _ in mapping:
            if kind.field(name.text) is None:
                names = [field.name for field in kind.fields]
                hint = nearest(name.text, names) or (
                    f"its fields are {listing(names)}" if names else "it has no fields"
                )
                hint = f"`{name.text}` stands beside the kind" if name.text in outside else hint
                message = f"`{kind.name}` has no field `{shorten(name.text, 40)}`"
                self.problem("unknown-field", message, name.span, hint)
        fields = self.cells((name, inner) for name, inner in mapping if kind.field(name.text) is not None)
        return _Row(kind, key, self.cells(beside), fields)

    def bad_cell(self, error: BadCell, span: Span) -> None:
        """A cell that cannot be used, in the words of `rows`."""
        expected, _, hint = error.expected.partition("; ")
        if expected.startswith("missing: "):
            message = expected.removeprefix("missing: ")
        elif error.value:
            message = f"`{error.column}`: `{error.value}`{', ' if expected.startswith('expected') else ' '}{expected}"
        else:
            message = f"`{error.column}`: {expected}"
        self.problem("fact", message, span, hint)

    def given(self, node: Node) -> Fact | None:
        """A fact given by the case, through the same checks as a row of a file; every bad cell is found."""
        found = self.row(node, (kind for kind in self.model.kinds if kind.given))
        if found is None:
            return None
        cells = {**found.beside, **found.fields}
        row: dict[str, str | None] = {"kind": found.kind.name}
        row.update({name: _text(scalar) for name, scalar in cells.items()})
        wrong = False
        for name in [name for name, scalar in cells.items() if self.is_refused(scalar)]:
            wrong = True
            row[name] = _acceptable(found.kind.field(name), name)
        while True:
            try:
                fact = self.binder.fact(row, self.subject or None)
            except BadCell as error:
                wrong = True
                cell = cells.get(error.column)
                self.bad_cell(error, found.key.span if cell is None or cell.is_null else cell.span)
                if error.column == "kind":
                    return None
                row[error.column] = _acceptable(found.kind.field(error.column), error.column)
            else:
                return None if wrong else fact

    def pattern(self, node: Node, wide: bool = False) -> Pattern | None:
        """A fact expected, or not expected; a bare kind is of the case's subject or, where `wide`, of any."""
        if isinstance(node, Scalar) and not node.is_null:
            kind = self.kind_named(node, node.text)
            return None if kind is None else Pattern(kind, None, None if wide else self.subject or None, (), node.span)
        found = self.row(node, self.model.derivable)
        if found is None:
            return None
        before = self.refusals
        for name in ("known_at", "seq"):
            if name in found.beside:
                message = f"what is derived has no `{name}`"
                self.problem("unknown-key", message, found.beside[name].span, "only given facts have one")
        values: list[tuple[int, Value]] = []
        for slot, declared in enumerate(found.kind.fields):
            if declared.name in found.fields:
                values.append((slot, self.value(declared, found.fields[declared.name])))
        at = self.instant("at", found.beside["at"]) if "at" in found.beside else None
        subject: str | None = self.subject
        if self.model.subject in found.beside:
            scalar = found.beside[self.model.subject]
            subject = _text(scalar)
            self.known_subject(scalar)
        if self.refusals > before:
            return None
        return Pattern(found.kind, at, subject or None, tuple(values), node.span)

    def value(self, declared: Field, scalar: Scalar) -> Value:
        """A value of a field's type; None where it is missing or wrong."""
        if self.is_refused(scalar):
            return None
        try:
            return self.binder.typed(declared, _text(scalar))
        except BadCell as error:
            self.bad_cell(error, scalar.span)
            return None

    def instant(self, column: str, scalar: Scalar) -> int | None:
        """An instant, local to the ruleset where it has no offset."""
        if self.is_refused(scalar):
            return None
        try:
            return self.binder.instant(column, _text(scalar))
        except BadCell as error:
            self.bad_cell(error, scalar.span)
            return None

    def known_subject(self, scalar: Scalar) -> None:
        """See that some fact names the subject: what is expected of any other holds of every ruleset."""
        subject = scalar.text
        if subject not in self.subjects and self.subjects:
            message = f"no fact of the case names the {self.model.subject} `{shorten(subject, 40)}`"
            hint = nearest(subject, self.subjects) or f"the case names {listing(sorted(self.subjects))}"
            self.problem("unknown-name", message, scalar.span, hint)


def _text(scalar: Scalar) -> str | None:
    return None if scalar.is_null else scalar.text


def _acceptable(declared: Field | None, column: str) -> str | None:
    """A cell that `Binder` takes, in place of one that it did not, so that it goes on to the next."""
    if declared is None:
        return {"at": "2000-01-01", "known_at": None, "seq": None}.get(column, "x")
    if declared.type.members:
        return declared.type.members[0]
    plain = {"integer": "0", "boolean": "false", "time": "2000-01-01", "duration": "0s"}
    return plain.get(declared.type.name, "x")
