"""Every engine against the reference, and the laws that every run obeys, on generated rulesets and histories.

`STRIKEOUT_SEED` (0 unless given) is the first seed; a failure names the seed and the number of the history, shows both
made as small as they go, and is repeated by `STRIKEOUT_SEED=<seed> pytest tests/test_laws.py`. `STRIKEOUT_SECONDS` (90
unless given) bounds the time spent on making cases with the reference, and on comparing each engine with them, and
an eighth of it on each law; more seconds compare more cases, up to `STRIKEOUT_CASES` (2000 unless given).
"""

from __future__ import annotations

import functools
import json
import os
import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import generate
import pytest
import reference
from hypothesis import HealthCheck, given, settings, strategies

import strikeout
from strikeout.facts import Fact
from strikeout.ground.values import format_duration

ENGINES = ("rete", "compiled")
SEED = int(os.environ.get("STRIKEOUT_SEED", "0"))
SECONDS = float(os.environ.get("STRIKEOUT_SECONDS", "90"))
CASES = int(os.environ.get("STRIKEOUT_CASES", "2000"))
HISTORIES = 40
SIZES = (1, 3, 6, 9, 13, 20, 32)

Runs = dict[str, reference.SubjectRun]


@dataclass(frozen=True)
class Case:
    """A ruleset, a history and an instant; `seed` and `number` make them again."""

    seed: int
    number: int
    text: str
    ruleset: strikeout.Ruleset
    facts: list[Fact]
    as_of: int | None

    def of(self, facts: Sequence[Fact]) -> Case:
        return replace(self, facts=list(facts))

    @functools.cached_property
    def instant(self) -> int:
        """T, whatever subset of the facts is run."""
        return reference.accept(self.ruleset.model, self.facts, self.as_of)[1]

    def run(self, engine: str, facts: Sequence[Any] | None = None) -> strikeout.Outcome:
        return self.ruleset.run(self.facts if facts is None else facts, self.instant, engine)

    def __str__(self) -> str:
        model = self.ruleset.model
        lines = []
        for fact in self.facts:
            values = {f.name: v for f, v in zip(fact.kind.fields, fact.values, strict=True) if v is not None}
            late = f", known_at {model.zone.format(fact.known_at)}" if fact.known_at != fact.at else ""
            lines.append(f"{model.zone.format(fact.at)} {fact.subject} {fact.kind.name} {values} seq {fact.seq}{late}")
        as_of = "the latest" if self.as_of is None else model.zone.format(self.as_of)
        return f"seed {self.seed}, history {self.number}, as of {as_of}\n{self.text}\n" + "\n".join(lines)


@functools.lru_cache(maxsize=1000)
def load(text: str) -> strikeout.Ruleset:
    """The ruleset of a text."""
    return strikeout.load_text(text, name="generated")


def make(seed: int) -> Iterator[Case]:
    """The cases of a seed: one ruleset, many histories."""
    rng = random.Random(seed)
    text = generate.ruleset(rng)
    try:
        ruleset = load(text)
    except strikeout.RulesetError:  # How rare that is has a test of its own.
        return
    for number in range(HISTORIES):
        facts = generate.history(rng, ruleset.model, rng.choice(SIZES))
        yield Case(seed, number, text, ruleset, facts, generate.instants(rng, facts))


@functools.cache
def judged() -> list[tuple[Case, Runs]]:
    """The cases of this run with what the reference says of them."""
    found: list[tuple[Case, Runs]] = []
    until = time.monotonic() + SECONDS
    seed = SEED
    while len(found) < CASES and time.monotonic() < until:
        found += [(case, reference.run(case.ruleset.model, case.facts, case.as_of)) for case in make(seed)]
        seed += 1
    return found


def timed() -> Iterator[Case]:
    """Cases for the laws: some of each ruleset, for a while."""
    cases = judged()
    until = time.monotonic() + SECONDS / 8
    for case, _ in cases:
        if case.number % 8 == 0 and time.monotonic() < until:
            yield case


@functools.cache
def available() -> tuple[str, ...]:
    """The engines that can be had here."""
    facts = "facts: {a: {input: true}, b: {}}"
    text = f"{{ruleset: r, subject: s, timezone: UTC, {facts}, rules: {{r: {{when: a, then: b}}}}}}"
    found = []
    for name in ENGINES:
        try:
            load(text).run([], engine=name)
        except strikeout.RunError:
            continue
        found.append(name)
    return tuple(found)


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    """Each engine in turn."""
    name = str(request.param)
    if name not in available():
        pytest.skip(f"the engine `{name}` cannot be had here")
    return name


# What is compared: everything that a run says, as plain values.


def told(result: reference.SubjectRun) -> dict[str, Any]:
    """What the reference says of a subject."""
    return {
        "fault": result.fault,
        "entries": [(e.fact, e.reasons) for e in result.standing],
        "pending": [(e.fact, e.reasons) for e in result.pending],
        "voided": result.voided,
        "later": [] if result.fault else sorted(result.later, key=repr),
    }


def answered(outcome: strikeout.Outcome, subject: str) -> dict[str, Any]:
    """What an engine says of a subject."""
    run = outcome._runs[subject]
    fault = run.rejection

    def reasons(entry: Any) -> list[tuple[str, Fact]]:
        return [(reason.rule.name, reason.trigger.fact) for reason in entry.reasons]

    return {
        "fault": (fault.code, fault.rule.name, fault.fact) if fault else None,
        "entries": [] if fault else [(e.fact, reasons(e)) for e in run.entries],
        "pending": [] if fault else [(p.fact, reasons(p)) for p in run.pending],
        "voided": {} if fault else {v.fact: (v.by, v.rule.name) for v in run.voided},
        "later": [] if fault else sorted(run.later, key=repr),
    }


def difference(case: Case, engine: str, expected: Runs | None = None) -> str:
    """What an engine says otherwise than the reference, or nothing."""
    model = case.ruleset.model
    expected = reference.run(model, case.facts, case.as_of) if expected is None else expected
    outcome = case.ruleset.run(case.facts, case.as_of, engine)
    if outcome.subjects != list(expected):
        return f"subjects {outcome.subjects}, expected {list(expected)}"
    for subject, result in expected.items():
        wanted, found = told(result), answered(outcome, subject)
        for part in wanted:
            if wanted[part] != found[part]:
                return f"{part} of {subject}:\n  found    {shown(found[part])}\n  expected {shown(wanted[part])}"
        if result.fault is None:
            status = outcome.status_of(subject)
            if (status.kind, status.since) != reference.status(model, result):
                return f"status of {subject}: found {status}, expected {reference.status(model, result)}"
    records = reference.as_jsonl_records(model, expected)
    if lines(outcome) != [json.dumps(record, ensure_ascii=False) for record in records]:
        return f"records:\n  found    {lines(outcome)}\n  expected {records}"
    return "" if outcome.summary.adds_up() else f"the summary does not add up: {outcome.summary}"


def shown(part: Any) -> str:
    """A part of an answer, its facts short."""
    if isinstance(part, Fact):
        return f"{part.kind.name}{part.values}@{part.at}"
    if isinstance(part, list | tuple):
        return "[" + ", ".join(shown(one) for one in part) + "]"
    return (
        "{" + ", ".join(f"{shown(k)}: {shown(v)}" for k, v in part.items()) + "}"
        if isinstance(part, dict)
        else str(part)
    )


def lines(outcome: strikeout.Outcome) -> list[str]:
    """The conclusions as JSON Lines."""
    return [json.dumps(fact.as_dict(), ensure_ascii=False) for fact in outcome.facts]


def smallest(case: Case, engine: str) -> str:
    """A failing case made small, with what differs."""

    def again(text: str, facts: list[Fact]) -> Case | None:
        try:
            ruleset = load(text)
        except strikeout.RulesetError:
            return None
        kinds = ruleset.model.kinds_by_name
        return replace(case, text=text, ruleset=ruleset, facts=[replace(f, kind=kinds[f.kind.name]) for f in facts])

    def fails(text: str, facts: list[Fact]) -> bool:
        smaller = again(text, facts)
        return smaller is not None and bool(difference(smaller, engine))

    if not fails(case.text, case.facts):
        return str(case)
    small = again(*generate.reduce(case.text, case.facts, fails))
    return f"{small}\n\n{difference(small, engine) if small else ''}"


def test_engines_agree_with_the_reference(engine: str) -> None:
    cases = judged()
    until = time.monotonic() + SECONDS
    compared = 0
    for case, expected in cases:
        if time.monotonic() > until:
            break
        if difference(case, engine, expected):
            pytest.fail(smallest(case, engine), pytrace=False)
        compared += 1
    assert compared


@given(strategies.integers(0, 99), generate.chance())
@settings(suppress_health_check=[*HealthCheck])
def test_engines_agree_where_hypothesis_looks(seed: int, chance: random.Random) -> None:
    text = generate.ruleset(random.Random(f"hypothesis {seed}"))
    try:
        ruleset = load(text)
    except strikeout.RulesetError:
        return
    facts = generate.history(chance, ruleset.model, chance.choice((1, 2, 4, 8)))
    case = Case(seed, 0, text, ruleset, facts, generate.instants(chance, facts))
    assert not difference(case, "compiled"), str(case)


def test_generated_rulesets_are_valid_and_their_rules_fire() -> None:
    rules: set[tuple[int, str]] = set()
    fired: set[tuple[int, str]] = set()
    for case, runs in judged():
        rules |= {(case.seed, rule.name) for rule in case.ruleset.model.rules}
        fired |= {(case.seed, r) for run in runs.values() for e in run.conclusions for r, _ in e.reasons}
    assert len(fired) * 2 > len(rules)
    seeds = {case.seed for case, _ in judged()}
    assert len(seeds) * 100 >= (max(seeds) - SEED + 1) * 97


# The laws.


def test_order_of_facts_is_irrelevant(engine: str) -> None:
    for case in timed():
        shuffled = random.Random(case.number).sample(case.facts, len(case.facts))
        assert lines(case.run(engine, shuffled)) == lines(case.run(engine)), str(case)


def test_order_of_rules_is_irrelevant(engine: str) -> None:
    for case in timed():
        if case.number == 0:
            turned = load(generate.reorder(case.text, random.Random(case.seed)))
            kinds = turned.model.kinds_by_name
            facts = [replace(fact, kind=kinds[fact.kind.name]) for fact in case.facts]
            assert lines(turned.run(facts, case.instant, engine)) == lines(case.run(engine)), str(case)


def test_duplicates_change_nothing(engine: str) -> None:
    for case in timed():
        later = [replace(fact, known_at=fact.known_at + 1) for fact in case.facts]
        twice, once = case.run(engine, [*later, *case.facts]), case.run(engine)
        assert lines(twice) == lines(once), str(case)
        assert twice.summary.duplicates == once.summary.duplicates + len(case.facts)


def test_subjects_do_not_meet(engine: str) -> None:
    for case in timed():
        alone = []
        for subject in sorted({fact.subject for fact in case.facts}):
            alone += lines(case.run(engine, [fact for fact in case.facts if fact.subject == subject]))
        assert lines(case.run(engine)) == alone, str(case)


def test_withdrawing_is_as_if_never_made(engine: str) -> None:
    for case in timed():
        outcome = case.run(engine)
        voided = {v.fact for run in outcome._runs.values() for v in run.voided}
        bare = generate.without_voids(case.text)
        if voided and bare and not outcome.rejected:
            never = load(bare)
            kinds = never.model.kinds_by_name
            accepted, _ = reference.accept(case.ruleset.model, case.facts, None)
            left = [fact for facts in accepted.values() for fact in facts if fact not in voided]
            facts = [replace(fact, kind=kinds[fact.kind.name]) for fact in left]
            assert lines(never.run(facts, case.instant, engine)) == lines(outcome), str(case)


def test_journals_are_those_of_the_reference(engine: str) -> None:
    for case in timed():
        model, outcome = case.ruleset.model, case.run(engine)
        expected = reference.journal(model, case.facts, case.as_of)
        for subject in outcome.subjects:
            if subject not in outcome.rejected:
                found = [
                    (c.at, c.sign, c.conclusion.entry.fact, c.conclusion.rules[0]) for c in outcome.journal(subject)
                ]
                assert found == [(model.zone.format(t), *rest) for t, *rest in expected[subject]], str(case)


def test_folding_the_journal_gives_the_run(engine: str) -> None:
    for case in timed():
        outcome = case.run(engine)
        for subject in outcome.subjects:
            if subject in outcome.rejected:
                continue
            facts = [fact for fact in case.facts if fact.subject == subject]
            journal = outcome.journal(subject)
            instants = sorted({max(fact.at, fact.known_at) for fact in facts})
            for instant in [t for t in instants if t <= outcome.as_of][:6]:
                folded: Counter[str] = Counter()
                for change in journal:
                    if case.ruleset.model.zone.parse(change.at) <= instant:
                        folded[repr(change.conclusion)] += 1 if change.sign == "+" else -1
                then = case.ruleset.run(facts, instant, engine)
                assert +folded == Counter(lines(then)), str(case)
                assert not -folded, str(case)


def test_splitting_the_work_changes_no_byte(engine: str) -> None:
    for case in timed():
        subjects = sorted({fact.subject for fact in case.facts})
        halves = [set(subjects[::2]), set(subjects[1::2])]
        parts = [case.run(engine, [f for f in case.facts if f.subject in half]) for half in halves]
        together = sorted((line for part in parts for line in lines(part)), key=lambda line: json.loads(line)["seller"])
        assert together == lines(case.run(engine)), str(case)


def test_printing_then_parsing_is_identity(engine: str) -> None:
    for case in timed():
        rows = [json.loads(json.dumps(row(case, fact), ensure_ascii=False)) for fact in case.facts]
        assert lines(case.run(engine, rows)) == lines(case.run(engine)), str(case)


def row(case: Case, fact: Fact) -> dict[str, object]:
    """An input fact as a line of a facts file has it."""
    zone = case.ruleset.model.zone
    found: dict[str, object] = {"kind": fact.kind.name, "at": zone.format(fact.at), "seller": fact.subject}
    found |= {"known_at": zone.format(fact.known_at), "seq": fact.seq}
    for f, value in zip(fact.kind.fields, fact.values, strict=True):
        if isinstance(value, int) and f.type.name == "time":
            found[f.name] = zone.format(value)
        elif isinstance(value, int) and f.type.name == "duration":
            found[f.name] = format_duration(value)
        elif value is not None:
            found[f.name] = value
    return found


def test_engines_give_the_same_bytes() -> None:
    for case in timed():
        assert len({"\n".join(lines(case.run(name))) for name in available()}) == 1, str(case)
