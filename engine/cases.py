"""Cases run: a ruleset over a case's facts, and where the run is not as the case expects (contract, "Case files")."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from . import outcome
from .case_model import Case, Expectation, Figure, Pattern, Standing
from .explanation import Explainer
from .facts import Fact, Kind, merge_duplicates
from .model import Ruleset
from .outcome import GOOD_STANDING, Status, record, rule_of, to_json
from .problems import Span
from .tell import Teller
from .timeline import Entry, Program, SubjectRun, run_subject
from .tree import draw

MOST_SHOWN = 6
"""How many facts a failure shows of those derived instead."""


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
    >>> from strikeout.case_files import read_cases
    >>> from strikeout.library import Files, shipped_cases
    >>> from strikeout.timeline import DirectProgram
    >>> found = read_cases(shipped_cases("alibaba-procedure"), Files())
    >>> run_case(found.cases[0], DirectProgram(found.ruleset))
    ()
    """
    if not case.expectations or all(block.is_empty for block in case.expectations):
        return (Failure("the case expects nothing, so that it would pass whatever is derived", case.span, ()),)
    by_subject: dict[str, list[Fact]] = {}
    for fact in case.facts:
        by_subject.setdefault(fact.subject, []).append(fact)
    facts = {subject: merge_duplicates(by_subject[subject]) for subject in sorted(by_subject)}
    latest = max((fact.from_then_on for found in facts.values() for fact in found), default=0)
    failures: list[Failure] = []
    for block in case.expectations:
        if block.is_empty:
            failures.append(Failure("this block expects nothing", block.span, ()))
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
        self.when = f"as of {ruleset.zone.format(as_of)}"

    def failures(self) -> list[Failure]:
        """All that does not hold, in the order of the block's keys."""
        rejected = [run.rejection for run in self.runs.values() if run.rejection is not None]
        if rejected:
            lines = tuple(outcome.describe(rejection, self.ruleset) for rejection in rejected)
            return [Failure(f"expected a run {self.when}", self.block.span, lines)]
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
                expected = f"expected no other `{kind.name}` than listed, {self.when}"
                found.append(Failure(expected, span, self.shown(extra), self.why(extra[0])))
        return found

    def missing(self, pattern: Pattern, met: dict[int, int]) -> Failure:
        """A fact that was not derived, with the nearest that was."""
        expected = f"expected `{_text(pattern.span)}` {self.when}"
        alike = sorted(
            (entry for entry in self.derived if entry.fact.kind is pattern.kind),
            key=lambda entry: len(pattern.differences(entry.fact)),
        )
        if not alike:
            return Failure(expected, pattern.span, self.none_of(pattern.kind), self.why_not(pattern))
        if pattern.matches(alike[0].fact):
            number = sum(pattern.matches(entry.fact) for entry in alike)
            what = "fact was" if number == 1 else "facts were"
            line = f"only {number} such {what} derived, and each serves one expectation"
            return Failure(expected, pattern.span, (line, *self.shown(alike[:number])), self.why(alike[0]))
        differs = [name or self.ruleset.subject for name in pattern.differences(alike[0].fact)]
        line = f"derived instead (the nearest first; it differs in {', '.join(f'`{name}`' for name in differs)}):"
        elsewhere = "at" in pattern.differences(alike[0].fact)
        why = (self.why_not(pattern) if elsewhere else ()) or self.why(alike[0])
        return Failure(expected, pattern.span, (line, *self.shown(alike)), why)

    def unwanted(self, pattern: Pattern) -> list[Failure]:
        """The facts that were derived and should not have been."""
        found = [entry for entry in self.derived if pattern.matches(entry.fact)]
        if not found:
            return []
        expected = f"expected no `{_text(pattern.span)}` {self.when}"
        return [Failure(expected, pattern.span, ("derived:", *self.shown(found)), self.why(found[0]))]

    def figure(self, figure: Figure) -> list[Failure]:
        """A count or a sum that is another."""
        kind = figure.kind
        facts = [entry for entry in self.derived if entry.fact.kind is kind]
        if figure.slot is None:
            number, what = len(facts), f"`{kind.name}`"
        else:
            values = [entry.fact.values[figure.slot] for entry in facts]
            number = sum(value for value in values if isinstance(value, int))
            what = f"the sum of `{kind.name}.{kind.fields[figure.slot].name}`"
        if number == figure.number:
            return []
        expected = (
            f"expected {figure.number} of {what}" if figure.slot is None else f"expected {what} to be {figure.number}"
        )
        if facts:
            return [Failure(f"{expected} {self.when}", figure.span, (f"it is {number}:", *self.shown(facts)))]
        why = self.why_not(Pattern(kind, None, None, (), figure.span))
        return [Failure(f"{expected} {self.when}", figure.span, self.none_of(kind), why)]

    def standings(self) -> list[Failure]:
        """Statuses that are others."""
        failures = []
        for standing in self.block.standings:
            run = self.runs.get(standing.subject)
            status = Status(GOOD_STANDING, None) if run is None else outcome.status(self.ruleset, run)
            if status.kind == standing.status:
                continue
            expected = f"expected the status `{standing.status}` of `{standing.subject}` {self.when}"
            since = f" since {self.ruleset.zone.format(status.since)}" if status.since is not None else ""
            why = self.why_status(standing, status.kind)
            failures.append(Failure(expected, standing.span, (f"it is `{status.kind}`{since}",), why))
        return failures

    # What was derived instead, and why.

    def shown(self, entries: Sequence[Entry]) -> tuple[str, ...]:
        """Derived facts as their JSON, the first few of many."""
        lines = [to_json(record(self.ruleset, entry.fact, rule_of(entry))) for entry in entries[:MOST_SHOWN]]
        return (*lines, f"… and {len(entries) - MOST_SHOWN} more") if len(entries) > MOST_SHOWN else tuple(lines)

    def none_of(self, kind: Kind) -> tuple[str, ...]:
        """That nothing of a kind was derived, and what was."""
        if not any(d.kind is kind for rule in self.ruleset.rules for _, _, d in rule.derivations()):
            return (f"no rule of `{self.ruleset.name}` derives `{kind.name}`",)
        numbers: dict[str, int] = {}
        for entry in self.derived:
            numbers[entry.fact.kind.name] = numbers.get(entry.fact.kind.name, 0) + 1
        counts = ", ".join(f"{number} `{name}`" for name, number in numbers.items())
        return (f"no `{kind.name}` was derived; derived were {counts or 'no facts at all'}",)

    def why(self, entry: Entry) -> tuple[str, ...]:
        """The reasons of a derived fact: its rules, their conditions and what was counted."""
        proof = Explainer(self.ruleset, self.runs[entry.fact.subject]).why([entry], 1)
        branches = Teller(self.ruleset, self.language).proof(proof)
        return tuple(draw(branches[1 : 1 + len(proof.roots)]).splitlines())

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
        return tuple(draw(Teller(self.ruleset, self.language).why_not(answer)[1:]).splitlines())

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
