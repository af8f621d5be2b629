"""The log against a model of it that is a list: any appending, any clock, any program that ends and begins anew."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from strikeout.log import ClockError, Database, KeyConflict, Log, NewFact, canonical, open_database
from strikeout.log.tip import TOLERANCE
from strikeout.log.transfer import export_lines, import_lines

START = 1_700_000_000_000_000
QUICK = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
"""Where a sync takes no time: what is tested here is not the disk."""

FACTS = st.builds(
    lambda key, subject, base: NewFact(
        f"k{key}", subject, canonical({"kind": "upheld", "at": "2015-01-05", "seller": subject, "base": base})
    ),
    st.integers(0, 9),
    st.sampled_from(["a", "b", "红"]),
    st.integers(0, 1),
)
STEPS = st.sampled_from([0, 1, 2, 99_999, 100_001, 5_000_000, -1, -50_000, -30_000_000, -70_000_000])


class Model(RuleBasedStateMachine):
    """Two programs on one database, and the list that they should amount to."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory(prefix="so-log-", dir=QUICK)
        self.now = START
        self.facts: list[NewFact] = []
        self.known_at: list[int] = []
        self.told: dict[int, int] = {}
        self.opened: list[Database] = []
        self.logs: list[Log] = []

    def path(self) -> str:
        return str(Path(self.folder.name) / "log.db")

    def open(self) -> Database:
        return open_database(self.path(), clock=lambda: self.now)

    @initialize()
    def begin(self) -> None:
        self.opened = [self.open(), self.open()]
        self.opened[0].create("a")
        self.logs = [database.log("a") for database in self.opened]

    def teardown(self) -> None:
        try:
            if self.logs:
                self.compare()
        finally:
            for database in self.opened:
                database.close()
            self.folder.cleanup()

    @rule(step=STEPS)
    def time_passes(self, step: int) -> None:
        self.now += step

    @rule(which=st.integers(0, 1))
    def begin_anew(self, which: int) -> None:
        self.opened[which].close()
        self.opened[which] = self.open()
        self.logs[which] = self.opened[which].log("a")

    @rule(which=st.integers(0, 1), rows=st.lists(FACTS, max_size=4))
    def append(self, which: int, rows: list[NewFact]) -> None:
        there = {fact.key: place for place, fact in enumerate(self.facts)}
        fresh: list[NewFact] = []
        clash = None
        for index, row in enumerate(rows):
            known = self.facts[there[row.key]] if row.key in there else None
            known = known or next((fact for fact in fresh if fact.key == row.key), None)
            if known is None:
                fresh.append(row)
            elif known != row:
                clash = index
                break
        last = max([*self.known_at, *self.told, 0])
        if clash is not None:
            with pytest.raises(KeyConflict) as caught:
                self.logs[which].append(rows)
            assert caught.value.index == clash
            return
        if fresh and last - self.now > TOLERANCE:
            with pytest.raises(ClockError):
                self.logs[which].append(rows)
            return
        receipts = self.logs[which].append(rows)
        for fact in fresh:
            self.facts.append(fact)
        places = [self.facts.index(row) + 1 for row in rows]
        assert [receipt.position for receipt in receipts] == places
        new = {receipt.known_at for receipt in receipts if receipt.position > len(self.known_at)}
        self.known_at += [known for known in new for _ in fresh]
        assert not fresh or new == {max(self.now, last + 1)}
        seen: set[int] = set(range(1, len(self.facts) - len(fresh) + 1))
        for receipt in receipts:
            assert receipt.duplicate == (receipt.position in seen)
            assert receipt.known_at == self.known_at[receipt.position - 1]
            seen.add(receipt.position)

    @rule(which=st.integers(0, 1))
    def ask_the_clock(self, which: int) -> None:
        with self.logs[which].snapshot() as snapshot:
            told = snapshot.as_of
            assert snapshot.position == len(self.facts)
        latest = max([*self.known_at, *self.told, 0])
        assert told >= latest, "the clock goes back"
        assert told in (latest, self.now)
        assert self.now - told <= 100_000
        self.told.setdefault(told, len(self.facts))

    @rule(which=st.integers(0, 1), data=st.data())
    @precondition(lambda self: self.told)
    def decide_as_of_what_was_told(self, which: int, data: Any) -> None:
        told = data.draw(st.sampled_from(sorted(self.told)))
        with self.logs[which].snapshot(told, told) as snapshot:
            assert snapshot.position == snapshot.through == self.told[told]
            for subject in ("a", "b", "红"):
                wanted = [fact.key for fact in self.facts[: self.told[told]] if fact.subject == subject]
                found = list(snapshot.facts(subject))
                assert [record.key for record in found] == wanted
                assert snapshot.last_position(subject) == (found[-1].position if found else 0)
            subjects = {fact.subject for fact in self.facts[: self.told[told]]}
            assert snapshot.subjects() == sorted(subjects)

    @invariant()
    def the_head_is_the_last(self) -> None:
        for log in self.logs:
            assert log.head().position == len(self.facts)

    def compare(self) -> None:
        records = list(self.logs[0].records())
        assert [(r.key, r.subject, r.content) for r in records] == [(f.key, f.subject, f.content) for f in self.facts]
        assert [record.known_at for record in records] == self.known_at
        self.logs[1].verify()
        self.now = max([self.now, *self.known_at])
        copy = import_lines(self.opened[1], export_lines(self.logs[0]), "copy")
        assert [record.line() for record in copy.records()] == [record.line() for record in records]


TestModel = Model.TestCase
TestModel.settings = settings(max_examples=max(10, settings().max_examples // 3), stateful_step_count=30)
