"""A run that goes on as facts become known: the same as one made anew, and a journal no dearer than it must be."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from operator import attrgetter
from typing import Any

import generate
import pytest
import reference

import strikeout
from strikeout.facts import Fact, merge_duplicates
from strikeout.machine import timeline
from strikeout.machine.compiled import CompiledProgram, OngoingRun, ongoing, program
from strikeout.machine.timeline import Entry
from strikeout.speech.outcome import journal

DAY = 86_400_000_000


def told(entry: Entry) -> tuple[Any, ...]:
    """All that a conclusion says, and its triggers."""
    reasons = [(r.rule.name, r.threshold, id(r.derivation), r.trigger.place, r.trigger.fact) for r in entry.reasons]
    return entry.fact, entry.step, entry.place, entry.scheduled, reasons


def known_late(rng: random.Random, facts: Sequence[Fact]) -> list[Fact]:
    """Facts of which many become known days or months late."""
    return [replace(fact, known_at=fact.at + rng.choice((0, 0, 10**9, 10**12, 5 * 10**12))) for fact in facts]


def generated(seed: int) -> tuple[Any, list[list[Fact]]]:
    rng = random.Random(seed)
    try:
        model = strikeout.load_text(generate.ruleset(rng), name="generated").model
    except strikeout.RulesetError:
        return None, []
    histories = [generate.history(rng, model, rng.choice((6, 13, 25))) for _ in range(4)]
    return model, [known_late(rng, facts) if number % 2 else facts for number, facts in enumerate(histories)]


def subjects(facts: Sequence[Fact]) -> dict[str, list[Fact]]:
    return {s: merge_duplicates([f for f in facts if f.subject == s]) for s in sorted({f.subject for f in facts})}


def compare_without_why(
    run: OngoingRun, made: CompiledProgram, subject: str, facts: Sequence[Fact], as_of: int
) -> None:
    """What the run comes to is what one made anew comes to, with the facts that bear on the status in their order."""
    found, anew = run.conclude(), made.conclude(subject, facts, as_of)
    if found is None:
        assert anew.rejection is not None
        return
    assert replace(found, unchanged=0, derived=list(found.derived)) == anew


@pytest.mark.parametrize("seed", range(500, 524))
def test_a_run_that_goes_on_is_one_made_anew(seed: int) -> None:
    model, histories = generated(seed)
    rng = random.Random(seed)
    for facts in histories:
        made = CompiledProgram(model)
        for subject, mine in subjects(facts).items():
            run = made.begin(subject)
            for until, together in groupby(sorted(mine, key=attrgetter("from_then_on")), attrgetter("from_then_on")):
                run.go_on(list(together), until)
                anew = made.run_subject(subject, mine, until)
                assert run.rejected == (anew.rejection is not None), seed
                assert [told(e) for e in run.conclusions] == [told(e) for e in anew.conclusions], seed
                if rng.random() < 0.7:
                    compare_without_why(run, made, subject, [f for f in mine if f.from_then_on <= until], until)


def changes(model: Any, facts: Sequence[Fact], run: OngoingRun, as_of: int) -> list[tuple[Any, ...]]:
    lines = journal(facts, as_of, run)
    return [(line.at, line.sign, line.entry.fact, line.entry.reasons[0].rule.name) for line in lines]


@pytest.mark.parametrize("seed", range(540, 560))
def test_journals_are_those_of_the_reference_also_where_the_run_ends_rejected(seed: int) -> None:
    model, histories = generated(seed)
    for facts in histories:
        expected, made = reference.journal(model, facts), CompiledProgram(model)
        as_of = reference.accept(model, facts, None)[1]
        for subject, mine in subjects(facts).items():
            assert changes(model, mine, made.begin(subject), as_of) == expected[subject], seed


def test_an_input_raises_the_limit_of_scheduled_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (timeline, program, ongoing):
        monkeypatch.setattr(module, "SCHEDULED_STEPS", 2)
    text = """
{ruleset: r, version: 2015-01-01, subject: s, timezone: UTC, facts: {a: {input: true}, b: {fields: {i: integer}}},
 rules: {r: {when: a, then: {b: {i: 1, at: at + 1d}}}, q: {when: b, if: i < 6, then: {b: {i: i + 1, at: at + 1d}}}}}
"""
    model = strikeout.load_text(text).model
    facts = [Fact(model.kinds[0], day * DAY, "s", (), 0, day * DAY) for day in (0, 7)]
    run = CompiledProgram(model).begin("s")
    lines = changes(model, facts, run, 9 * DAY)
    shown = [(at // DAY, sign, fact.values[0]) for at, sign, fact, _ in lines]
    before = [(day, "+", day) for day in (1, 2, 3, 4)]
    after = [(7, "+", day) for day in (1, 2, 3, 4, 5, 6)]
    assert shown == [*before, *[(5, "-", day) for day in (1, 2, 3, 4)], *after, *[(8, "-", day) for day in range(1, 7)]]
    assert run.rejected


def test_a_withdrawal_takes_back_only_what_came_after() -> None:
    model = strikeout.load("taobao-counterfeit").model
    upheld, withdrawal = model.kinds_by_name["upheld"], model.kinds_by_name["withdrawal"]
    rng = random.Random(1)
    facts = []
    for number in range(4000):
        at = 16_500 * DAY + number * DAY // 20 + rng.randrange(1000)
        complaint = f"c{number - rng.randrange(1, 20)}" if number % 10 == 9 else f"c{number}"
        values: tuple[Any, ...] = (complaint,)
        if number % 10 != 9:
            values = (complaint, f"p{number % 700}", "r", "counterfeit", None, "information", False, 0, None)
        late = at + rng.randrange(DAY) if number % 20 == 3 else at
        facts.append(Fact(withdrawal if number % 10 == 9 else upheld, at, "s", values, 0, late))
    run = CompiledProgram(model).begin("s")
    code, taken = run._code, 0
    go_on = code._go_on

    def counted(facts: Sequence[Fact], *until: int) -> Any:
        nonlocal taken
        taken += len(facts)
        return go_on(facts, *until)

    code._go_on = counted
    lines = journal(facts, facts[-1].from_then_on, run)
    assert any(line.sign == "-" for line in lines)
    assert taken < 6 * len(facts)
