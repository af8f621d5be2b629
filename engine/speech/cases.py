"""Cases run: a ruleset over a case's facts, and where the run is not as the case expects (contract, "Case files")."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from ..facts import INTEGER, Fact, Kind, merge_duplicates
from ..gate.case_model import Case, Expectation, Figure, Pattern, Standing
from ..ground.problems import Span
from ..machine.timeline import Entry, Program, SubjectRun, run_subject
from ..model import Ruleset
from ..why.explanation import Explainer
from . import outcome
from .literals import literal
from .outcome import GOOD_STANDING, Status, record, rule_of, to_json

MOST_SHOWN = 6
"""How many facts a failure shows of those derived instead."""


SAY = {
    "nothing": (
        "用例没有任何预期，推出什么都会通过",
        "the case expects nothing, so that it would pass whatever is derived",
    ),
    "empty": ("此处没有任何预期", "this block expects nothing"),
    "run": ("预期可以运行，{when}", "expected a run {when}"),
    "fact": ("预期 `{what}`，{when}", "expected `{what}` {when}"),
    "absent": ("预期没有 `{what}`，{when}", "expected no `{what}` {when}"),
    "only": ("预期除所列之外没有 `{what}`，{when}", "expected no other `{what}` than listed, {when}"),
    "count": ("预期 `{what}` 共 {number} 项，{when}", "expected {number} of `{what}` {when}"),
    "sum": ("预期 `{what}` 合计 {number}，{when}", "expected the sum of `{what}` to be {number} {when}"),
    "status": ("预期 `{subject}` 的状态为 `{what}`，{when}", "expected the status `{what}` of `{subject}` {when}"),
    "when": ("截至 {at}", "as of {at}"),
    "derived": ("已推出：", "derived:"),
    "nearest": (
        "另有推出（最接近的在前，其 {differs} 不同）：",
        "derived instead (the nearest first; it differs in {differs}):",
    ),
    "one": ("这样的事实只推出 1 项，每项只抵一个预期", "only 1 such fact was derived, and each serves one expectation"),
    "few": (
        "这样的事实只推出 {number} 项，每项只抵一个预期",
        "only {number} such facts were derived, and each serves one expectation",
    ),
    "is": ("实为 {number}：", "it is {number}:"),
    "standing": ("实为 `{status}`", "it is `{status}`"),
    "standing since": ("实为 `{status}`，自 {since} 起", "it is `{status}` since {since}"),
    "no rule": ("`{ruleset}` 没有推出 `{kind}` 的规则", "no rule of `{ruleset}` derives `{kind}`"),
    "none": ("没有推出 `{kind}`；推出的有：{counts}", "no `{kind}` was derived; derived were {counts}"),
    "no facts": ("无", "no facts at all"),
    "more": ("… 另有 {number} 项", "… and {number} more"),
}


def say(language: str, phrase: str, **parts: object) -> str:
    """A phrase in a language, `zh` or `en`."""
    return SAY[phrase][0 if language == "zh" else 1].format(**parts)


@dataclass(frozen=True, slots=True)
class Failure:
    """One expectation that does not hold.

    `expected` says what was expected, `span` where; `found` lists what was derived instead, and `why` the reasons: of
    the nearest fact that was derived, or what kept the one expected from being derived.
    """

    expected: str
    span: Span
    found: tuple[str, ...]
    why: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """The failure as lines of text."""
        return [
            f"{self.span}: {self.expected}",
            *(f"    {line}" for line in self.found),
            *(f"      {line}" for line in self.why),
        ]


def run_case(case: Case, program: Program, language: str = "en") -> tuple[Failure, ...]:
    """Run one case.

    Parameters
    ----------
    case : Case
        The case.
    program : Program
        The case's ruleset, made ready by an engine.
    language : str
        `zh` or `en`: in which the reasons are told.

    Returns
    -------
    tuple of Failure
        What does not hold; empty where the case passes. A case that expects nothing does not.

    Examples
    --------
    >>> from strikeout.gate.case_files import read_cases
    >>> from strikeout.reach.library import Files, shipped_cases
    >>> from strikeout.machine.timeline import DirectProgram
    >>> found = read_cases(shipped_cases("alibaba-procedure"), Files())
    >>> run_case(found.cases[0], DirectProgram(found.ruleset))
    ()
    """
    if not case.expectations or all(block.is_empty for block in case.expectations):
        return (Failure(say(language, "nothing"), case.span, ()),)
    by_subject: dict[str, list[Fact]] = {}
    for fact in case.facts:
        by_subject.setdefault(fact.subject, []).append(fact)
    facts = {subject: merge_duplicates(by_subject[subject]) for subject in sorted(by_subject)}
    latest = max((fact.from_then_on for found in facts.values() for fact in found), default=0)
    failures: list[Failure] = []
    for block in case.expectations:
        if block.is_empty:
            failures.append(Failure(say(language, "empty"), block.span, ()))
            continue
        as_of = latest if block.as_of is None else block.as_of
        runs = {subject: run_subject(program, subject, found, as_of) for subject, found in facts.items()}
        failures.extend(_Comparison(case.ruleset, block, as_of, runs, language).failures())
    return tuple(failures)


class _Comparison:
    """One block of `expect` against the runs of the case's subjects."""

    def __init__(
        self, ruleset: Ruleset, block: Expectation, as_of: int, runs: dict[str, SubjectRun], language: str
    ) -> None:
        self.language = language
        self.ruleset = ruleset
        self.block = block
        self.runs = runs
        self.derived = [entry for run in runs.values() for entry in run.conclusions]
        self.when = self.say("when", at=ruleset.zone.format(as_of))

    def say(self, phrase: str, **parts: object) -> str:
        """A phrase in the language asked for."""
        return say(self.language, phrase, **parts)

    def expected(self, phrase: str, **parts: object) -> str:
        """What was expected, as of when."""
        return self.say(phrase, when=self.when, **parts)

    def failures(self) -> list[Failure]:
        """All that does not hold, in the order of the block's keys."""
        rejected = [run.rejection for run in self.runs.values() if run.rejection is not None]
        if rejected:
            lines = tuple(outcome.describe(rejection, self.ruleset) for rejection in rejected)
            return [Failure(self.expected("run"), self.block.span, lines)]
        met = assign(self.block.facts, [entry.fact for entry in self.derived])
        found = [self.missing(pattern, met) for n, pattern in enumerate(self.block.facts) if n not in met]
        for pattern in self.block.absent:
            found.extend(self.unwanted(pattern))
        found.extend(failure for figure in self.block.figures for failure in self.figure(figure))
        found.extend(self.standings())
        taken = set(met.values())
        for kind, span in self.block.only:
            extra = [e for n, e in enumerate(self.derived) if e.fact.kind is kind and n not in taken]
            if extra:
                expected = self.expected("only", what=kind.name)
                found.append(Failure(expected, span, self.shown(extra), self.why(extra[0])))
        return found

    def missing(self, pattern: Pattern, met: dict[int, int]) -> Failure:
        """A fact that was not derived, with the nearest that was."""
        expected = self.expected("fact", what=_text(pattern.span))
        alike = sorted(
            (entry for entry in self.derived if entry.fact.kind is pattern.kind),
            key=lambda entry: len(pattern.differences(entry.fact)),
        )
        if not alike:
            return Failure(expected, pattern.span, self.none_of(pattern.kind), self.why_not(pattern))
        if pattern.matches(alike[0].fact):
            number = sum(pattern.matches(entry.fact) for entry in alike)
            line = self.say("one" if number == 1 else "few", number=number)
            return Failure(expected, pattern.span, (line, *self.shown(alike[:number])), self.why(alike[0]))
        differs = [name or self.ruleset.subject for name in pattern.differences(alike[0].fact)]
        line = self.say("nearest", differs=", ".join(f"`{name}`" for name in differs))
        elsewhere = "at" in pattern.differences(alike[0].fact)
        why = (self.why_not(pattern) if elsewhere else ()) or self.why(alike[0])
        return Failure(expected, pattern.span, (line, *self.shown(alike)), why)

    def unwanted(self, pattern: Pattern) -> list[Failure]:
        """The facts that were derived and should not have been."""
        found = [entry for entry in self.derived if pattern.matches(entry.fact)]
        if not found:
            return []
        expected = self.expected("absent", what=_text(pattern.span))
        return [Failure(expected, pattern.span, (self.say("derived"), *self.shown(found)), self.why(found[0]))]

    def figure(self, figure: Figure) -> list[Failure]:
        """A count or a sum that is another."""
        kind = figure.kind
        facts = [entry for entry in self.derived if entry.fact.kind is kind]
        if figure.slot is None:
            number, type_, what, phrase = len(facts), INTEGER, kind.name, "count"
        else:
            field = kind.fields[figure.slot]
            values = [entry.fact.values[figure.slot] for entry in facts]
            number, type_, what = sum(v for v in values if isinstance(v, int)), field.type, f"{kind.name}.{field.name}"
            phrase = "sum"
        if number == figure.number:
            return []
        expected = self.expected(phrase, what=what, number=literal(self.ruleset, type_, figure.number))
        if facts:
            line = self.say("is", number=literal(self.ruleset, type_, number))
            return [Failure(expected, figure.span, (line, *self.shown(facts)))]
        why = self.why_not(Pattern(kind, None, None, (), figure.span))
        return [Failure(expected, figure.span, self.none_of(kind), why)]

    def standings(self) -> list[Failure]:
        """Statuses that are others."""
        failures = []
        for standing in self.block.standings:
            run = self.runs.get(standing.subject)
            status = Status(GOOD_STANDING, None) if run is None else outcome.status(self.ruleset, run)
            if status.kind == standing.status:
                continue
            expected = self.expected("status", what=standing.status, subject=standing.subject)
            line = self.say("standing", status=status.kind)
            if status.since is not None:
                line = self.say("standing since", status=status.kind, since=self.ruleset.zone.format(status.since))
            failures.append(Failure(expected, standing.span, (line,), self.why_status(standing, status.kind)))
        return failures

    # What was derived instead, and why.

    def shown(self, entries: Sequence[Entry]) -> tuple[str, ...]:
        """Derived facts as their JSON, the first few of many."""
        lines = [to_json(record(self.ruleset, entry.fact, rule_of(entry))) for entry in entries[:MOST_SHOWN]]
        more = [self.say("more", number=len(entries) - MOST_SHOWN)] if len(entries) > MOST_SHOWN else []
        return (*lines, *more)

    def none_of(self, kind: Kind) -> tuple[str, ...]:
        """That nothing of a kind was derived, and what was."""
        if not any(d.kind is kind for rule in self.ruleset.rules for _, _, d in rule.derivations()):
            return (self.say("no rule", ruleset=self.ruleset.name, kind=kind.name),)
        numbers: dict[str, int] = {}
        for entry in self.derived:
            numbers[entry.fact.kind.name] = numbers.get(entry.fact.kind.name, 0) + 1
        counts = ", ".join(f"{number} `{name}`" for name, number in numbers.items())
        return (self.say("none", kind=kind.name, counts=counts or self.say("no facts")),)

    def why(self, entry: Entry) -> tuple[str, ...]:
        """The reasons of a derived fact: its rules, their conditions and what was counted."""
        proof = Explainer(self.ruleset, self.runs[entry.fact.subject]).why([entry], 1)
        return tuple(proof.text(self.language).splitlines())

    def why_not(self, pattern: Pattern) -> tuple[str, ...]:
        """How far the rules got that could derive a fact: at its instant, if one was tried then, else at any."""
        subjects = [pattern.subject] if pattern.subject is not None else list(self.runs)
        if len(subjects) != 1 or subjects[0] not in self.runs or pattern.kind not in self.ruleset.derivable:
            return ()
        explainer = Explainer(self.ruleset, self.runs[subjects[0]])
        then = None if pattern.at is None else (pattern.at, pattern.at + 1)
        answer = explainer.why_not(pattern.kind, then)
        if then is not None and not any(rule.triggers for rule in answer.rules):
            answer = explainer.why_not(pattern.kind)
            if answer.derived:
                return ()
        return tuple(answer.text(self.language).splitlines())

    def why_status(self, standing: Standing, status: str) -> tuple[str, ...]:
        """What kept the status expected from being derived, else the reasons of the newest that gives the one found."""
        own = [entry for entry in self.derived if entry.fact.subject == standing.subject]
        kind = self.ruleset.kinds_by_name.get(standing.status)
        if kind is not None and not any(entry.fact.kind is kind for entry in own):
            return self.why_not(Pattern(kind, None, standing.subject, (), standing.span))
        giving = [entry for entry in own if entry.fact.kind.name == status]
        return self.why(giving[-1]) if giving else ()


def assign(patterns: Sequence[Pattern], facts: Sequence[Fact]) -> dict[int, int]:
    """Give each pattern a fact of its own, so that as many as can be have one.

    Returns
    -------
    dict
        By the pattern's place, the place of its fact.
    """
    fitting = [[n for n, fact in enumerate(facts) if pattern.matches(fact)] for pattern in patterns]
    owner: dict[int, int] = {}
    for start in range(len(patterns)):
        came_from: dict[int, int] = {}
        queue = deque([start])
        free: int | None = None
        while queue and free is None:
            wanting = queue.popleft()
            for place in fitting[wanting]:
                if place in came_from:
                    continue
                came_from[place] = wanting
                if place not in owner:
                    free = place
                    break
                queue.append(owner[place])
        given = {pattern: place for place, pattern in owner.items()}
        while free is not None:
            pattern = came_from[free]
            owner[free] = pattern
            free = given.get(pattern)
    return {pattern: place for place, pattern in owner.items()}


def _text(span: Span) -> str:
    """What was written, on one line."""
    return re.sub(r"\s+", " ", span.text).strip()
