"""Case files: a ruleset's behaviour as facts and what is expected of them (contract, "Case files").

From YAML to cases whose kinds, fields and values are checked against the ruleset, or all that is wrong with the file.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from collections.abc import Mapping as Texts
from dataclasses import dataclass, field, replace

from ..facts import DURATION, INTEGER, TEXT, Field, Kind
from ..ground.problems import Problem, RulesetError, Source, Span, listing, nearest, shorten, sort_problems
from ..model import Ruleset
from .case_facts import CaseFacts
from .case_model import NO_STATUS, Case, CaseFile, Expectation, Figure, Standing
from .check import check
from .merge import Library, find
from .nodes import Mapping, Node, Scalar
from .read import read
from .shapes import Shapes

CASE_FILE_KEYS = ("ruleset", "title", "note", "cases")
CASE_KEYS = ("title", "note", "subject", "facts", "set", "expect")
EXPECT_KEYS = ("as_of", "facts", "absent", "count", "sum", "status", "only")


@dataclass(slots=True)
class _Rulesets:
    """The ruleset of a case file, checked once for each set of parameters that the cases ask for."""

    source: Source
    library: Library
    base: Ruleset
    made: dict[tuple[tuple[str, str], ...], Ruleset] = field(default_factory=dict)

    def with_parameters(self, overrides: Texts[str, str]) -> Ruleset:
        key = tuple(sorted(overrides.items()))
        if not key:
            return self.base
        if key not in self.made:
            self.made[key] = check(self.source, self.library, overrides)
        return self.made[key]


class _CaseParser(CaseFacts):
    """Reads the cases of one file; problems are collected, and a part that has one is left out."""

    def __init__(self, problems: list[Problem], rulesets: _Rulesets) -> None:
        super().__init__(problems, rulesets.base)
        self.rulesets = rulesets

    def case(self, name: Scalar, node: Node) -> Case | None:
        label = f"the case `{shorten(name.text, 60)}`"
        mapping = self.mapping(node, label)
        if mapping is None:
            return None
        before = self.refusals
        meant = self.keys(mapping, CASE_KEYS, label)
        subject = self.scalar(mapping.get("subject"), "`subject`")
        self.subject = subject.text if subject is not None else ""
        self.about(self.with_parameters(mapping.get("set")))
        if mapping.get("facts") is None and "facts" not in meant:
            self.problem("missing-key", f"{label} does not say `facts`", name.span, "no facts at all: `facts: []`")
        given = [self.given(item) for item in self.sequence(mapping.get("facts"), "`facts`")]
        facts = tuple(fact for fact in given if fact is not None)
        self.subjects = {fact.subject for fact in facts} | ({self.subject} if self.subject else set())
        blocks = [self.expectation(item) for item in self.items(mapping.get("expect"))]
        title = self.titles(mapping.get("title"), "`title`")
        note = self.titles(mapping.get("note"), "`note`")
        if self.refusals > before:
            return None
        expectations = tuple(block for block in blocks if block is not None)
        return Case(name.text, title, note, self.model, facts, expectations, name.span)

    def with_parameters(self, node: Node | None) -> Ruleset:
        """The ruleset with the parameters of `set`; their problems are shown where the case says them."""
        base = self.rulesets.base
        mapping = self.mapping(node, "`set`")
        texts: dict[str, str] = {}
        places: dict[str, tuple[Span, Span]] = {}
        types = {parameter.name: parameter.type for parameter in base.parameters}
        for key, value in mapping or ():
            scalar = self.scalar(value, f"the value of `{shorten(key.text, 40)}`")
            if scalar is None:
                continue
            quoted = scalar.quoted and types.get(key.text) == TEXT
            texts[key.text] = json.dumps(scalar.text, ensure_ascii=False) if quoted else scalar.text
            places[f"--set {shorten(key.text, 40)}"] = (key.span, scalar.span)
        try:
            return self.rulesets.with_parameters(texts)
        except RulesetError as error:
            for problem in error.problems:
                name, text = problem.span.source.name, problem.span.source.text
                span = places[f"--set {shorten(text, 40)}"][0] if name == "--set" else places.get(name, (None, None))[1]
                if span is not None:
                    self.problems.append(Problem(problem.code, problem.message, span, problem.hint))
                elif not problem.warning and mapping is not None:
                    self.problems.append(replace(problem, related=(*problem.related, ("as set here", mapping.span))))
        return base

    # Expectations.

    def expectation(self, node: Node) -> Expectation | None:
        mapping = self.mapping(node, "`expect`")
        if mapping is None:
            return None
        self.keys(mapping, EXPECT_KEYS, "`expect`")
        as_of = self.scalar(mapping.get("as_of"), "`as_of`")
        facts = [self.pattern(item) for item in self.sequence(mapping.get("facts"), "`facts`")]
        absent = [self.pattern(item, wide=True) for item in self.sequence(mapping.get("absent"), "`absent`")]
        return Expectation(
            as_of=None if as_of is None else self.instant("as_of", as_of),
            facts=tuple(pattern for pattern in facts if pattern is not None),
            absent=tuple(pattern for pattern in absent if pattern is not None),
            figures=(*self.counts(mapping.get("count")), *self.sums(mapping.get("sum"))),
            standings=tuple(self.standings(mapping)),
            only=tuple(self.only(mapping.get("only"))),
            span=mapping.pairs[0][0].span if mapping.pairs else mapping.span,
        )

    def figure(self, kind: Kind, slot: int | None, name: Scalar, node: Node) -> Iterable[Figure]:
        declared = kind.fields[slot] if slot is not None else Field(name.text, INTEGER, True)
        scalar = self.scalar(node, f"the number for `{name.text}`")
        if scalar is None:
            return
        number = self.value(declared, scalar)
        if isinstance(number, int):
            whole = Span(name.span.source, name.span.start, max(scalar.span.end, name.span.end))
            yield Figure(kind, slot, number, whole)

    def counts(self, node: Node | None) -> Iterable[Figure]:
        for name, value in self.mapping(node, "`count`") or ():
            kind = self.kind_named(name, name.text)
            if kind is not None:
                yield from self.figure(kind, None, name, value)

    def sums(self, node: Node | None) -> Iterable[Figure]:
        for name, value in self.mapping(node, "`sum`") or ():
            word, dot, field_name = name.text.partition(".")
            if not dot:
                message = f"`{shorten(name.text, 40)}` does not say of which field"
                self.problem("shape", message, name.span, "write `KIND.FIELD`, such as `points.amount`")
                continue
            kind = self.kind_named(name, word)
            declared = kind.field(field_name) if kind is not None else None
            if kind is not None and declared is None:
                numbers = [f.name for f in kind.fields if f.type in (INTEGER, DURATION)]
                hint = nearest(field_name, numbers) or (f"it has {listing(numbers)}" if numbers else "")
                self.problem(
                    "unknown-field", f"`{kind.name}` has no field `{shorten(field_name, 40)}`", name.span, hint
                )
            elif kind is not None and declared is not None and declared.type not in (INTEGER, DURATION):
                message = f"`{name.text}` is of type `{declared.type}`; only integers and durations have a sum"
                self.problem("type", message, name.span)
            elif kind is not None:
                yield from self.figure(kind, kind.slots[field_name], name, value)

    def standings(self, mapping: Mapping) -> Iterable[Standing]:
        node = mapping.get("status")
        if isinstance(node, Scalar) and not node.is_null:
            if not self.subject:
                message = f"the case names no {self.model.subject} whose status this is"
                hint = "give the case a `subject`, or write `status: {SUBJECT: KIND}`"
                self.problem("missing-key", message, node.span, hint)
            elif self.is_status(node):
                yield Standing(self.subject, node.text, node.span)
            return
        for name, value in self.mapping(node, "`status`") or ():
            scalar = self.scalar(value, f"the status of `{shorten(name.text, 40)}`")
            self.known_subject(name)
            if scalar is not None and self.is_status(scalar):
                yield Standing(name.text, scalar.text, scalar.span)

    def is_status(self, scalar: Scalar) -> bool:
        names = [*(kind.name for kind in self.model.kinds if kind.effect), NO_STATUS]
        if scalar.text in names:
            return True
        hint = nearest(scalar.text, names) or f"it is one of {listing(names)}"
        self.problem("unknown-kind", f"`{shorten(scalar.text, 40)}` is never a status", scalar.span, hint)
        return False

    def only(self, node: Node | None) -> Iterable[tuple[Kind, Span]]:
        for item in self.sequence(node, "`only`"):
            scalar = self.scalar(item, "a kind under `only`")
            kind = self.kind_named(scalar, scalar.text) if scalar is not None else None
            if kind is not None and scalar is not None:
                yield kind, scalar.span


def read_cases(source: Source, library: Library) -> CaseFile:
    """Read a case file and the ruleset that it is about.

    Parameters
    ----------
    source : Source
        The case file.
    library : Library
        Where the ruleset is found by its bare name: beside the case file, else among what is shipped.

    Returns
    -------
    CaseFile
        The cases, checked against the ruleset.

    Raises
    ------
    RulesetError
        With every problem of the case file, or those of the ruleset.

    Examples
    --------
    >>> from strikeout.reach.library import Files, shipped_cases
    >>> found = read_cases(shipped_cases("alibaba-procedure"), Files())
    >>> found.ruleset.name
    'alibaba-procedure'
    """
    root, problems = read(source)
    outer = Shapes(problems)
    mapping = outer.mapping(root, "a case file")
    if mapping is None:
        raise RulesetError(problems)
    start = mapping.pairs[0][0].span if mapping.pairs else mapping.span
    meant = outer.keys(mapping, CASE_FILE_KEYS, "a case file")
    title = outer.titles(mapping.get("title"), "`title`")
    outer.titles(mapping.get("note"), "`note`")
    for key in ("ruleset", "cases"):
        if mapping.get(key) is None and key not in meant:
            outer.problem("missing-key", f"the file does not say `{key}`", start)
    cases = outer.mapping(mapping.get("cases"), "`cases`")
    if cases is not None and not cases.pairs:
        outer.problem("empty", "the file has no cases", start)
    name = outer.scalar(mapping.get("ruleset"), "`ruleset`")
    found = find(library, "ruleset", name, problems) if name is not None else None
    if found is None:
        raise RulesetError(problems)
    try:
        base = check(found, library)
    except RulesetError as error:
        raise RulesetError([*problems, *error.problems]) from None
    parser = _CaseParser(problems, _Rulesets(found, library, base))
    made = [parser.case(key, node) for key, node in cases or ()]
    if problems:
        raise RulesetError(sort_problems(problems))
    return CaseFile(source, title, base, tuple(case for case in made if case is not None))
