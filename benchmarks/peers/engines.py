"""What the peers that are engines of strikeout share: facts bound to their kinds, a run, its conclusions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import strikeout
from benchmarks.samples import read_csv
from benchmarks.tally import Conclusion, Tally, number_of, tally_of
from strikeout.facts import Fact
from strikeout.rows import Binder

SHANGHAI = 8 * 3600


def load(path: Path) -> tuple[strikeout.Ruleset, list[Fact]]:
    ruleset = strikeout.load("taobao-counterfeit")
    binder = Binder(ruleset.model)
    return ruleset, [binder.fact(row) for row in read_csv(path)]


def run(engine: str, loaded: tuple[strikeout.Ruleset, list[Fact]]) -> strikeout.Outcome:
    ruleset, facts = loaded
    return ruleset.run(facts, engine=engine)


def tally(outcome: strikeout.Outcome) -> Tally:
    return tally_of(conclusions(outcome))


def conclusions(outcome: strikeout.Outcome) -> Iterator[Conclusion]:
    for subject in outcome.subjects:
        for entry in outcome.run_of(subject).conclusions:
            fact = entry.fact
            name = fact.get("complaint") or fact.subject
            yield fact.kind.name, fact.at // 10**6 + SHANGHAI, number_of(str(name)), int(fact.get("amount") or 0)
