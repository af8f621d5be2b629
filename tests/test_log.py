"""The log, on both of its databases: what is acknowledged lasts, what is appended stays, and the clock goes on."""

from __future__ import annotations

import functools
import itertools
import json
import os
import random
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import kill_log
import pytest
from click.testing import CliRunner, Result

import strikeout
from strikeout.cli import commands
from strikeout.log import (
    ACTIVATION,
    FACT,
    Activation,
    ActivationRefused,
    BadRecord,
    Bundle,
    ChainBroken,
    ClockError,
    Database,
    DatabaseUnavailable,
    KeyConflict,
    Log,
    LogError,
    LogExists,
    LogFull,
    NewFact,
    NoRuleset,
    UnknownBundle,
    UnknownDatabase,
    UnknownLog,
    canonical,
    new_fact,
    open_database,
    snapshot,
    sqlite_tables,
)
from strikeout.log import log as log_statements
from strikeout.log.transfer import export_lines, fact_lines, import_lines
from strikeout.reach.library import shipped_names
from strikeout.rows import BadCell, Binder

RULESET = "taobao-counterfeit"
START = 1_700_000_000_000_000
KILLS = int(os.environ.get("STRIKEOUT_KILLS", "15"))


class Clock:
    """A machine's clock that shows what it is told to."""

    def __init__(self, instant: int = START) -> None:
        self.instant = instant

    def __call__(self) -> int:
        return self.instant


def fact(key: str, subject: str = "s", **more: str | int) -> NewFact:
    """A fact of some complaint."""
    row = {"kind": "upheld", "at": "2015-01-05T00:00:00+08:00", "seller": subject, "complaint": key, **more}
    return NewFact(key, subject, canonical({"complainant": "a", "right": "r", "finding": "counterfeit", **row}))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def database(database_url: str, clock: Clock) -> Iterator[Database]:
    with open_database(database_url, clock=clock) as opened:
        yield opened


@pytest.fixture
def log(database: Database) -> Log:
    return database.create("counterfeit")


def outright(url: str, *statements: str) -> None:
    """Run statements on a database past the log, as its administrator could, with the triggers off."""
    if url.startswith("sqlite"):
        import sqlite3

        connection = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            connection.execute(statement)
        connection.close()
        return
    import psycopg

    with psycopg.connect(url, autocommit=True) as postgres:
        postgres.execute("SET session_replication_role = replica")
        for statement in statements:
            postgres.execute(statement)


def as_user(url: str, statement: str) -> str:
    """What a database says to a statement, as a program that has its address could send it."""
    if url.startswith("sqlite"):
        import sqlite3

        connection = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
        try:
            connection.execute(statement)
        except sqlite3.Error as error:
            return str(error)
        finally:
            connection.close()
        return ""
    import psycopg

    try:
        with psycopg.connect(url, autocommit=True) as postgres:
            postgres.execute(statement)
    except psycopg.Error as error:
        return str(error)
    return ""


def everything(log: Log) -> list[bytes]:
    """All records of a log, as an export has them."""
    return [record.line() for record in log.records()]


# Appending.


def test_what_is_appended_is_there(log: Log, clock: Clock) -> None:
    receipts = log.append([fact("k1"), fact("k2", "t")])
    assert [(r.position, r.duplicate) for r in receipts] == [(1, False), (2, False)]
    first, second = log.records()
    assert (first.kind, first.key, first.subject, first.content) == (FACT, "k1", "s", fact("k1").content)
    assert first.previous == "00" * 32
    assert second.previous == first.hash == receipts[0].hash
    assert first.known_at == second.known_at == receipts[0].known_at == clock.instant
    assert log.head().position == 2
    assert log.head().hash == second.hash
    assert log.record(2) == second == log.find("k2")
    assert log.record(3) is None
    assert log.find("k3") is None
    assert log.append([]) == []


def test_a_key_is_for_one_content(log: Log) -> None:
    (first,) = log.append([fact("k1", base=2)])
    (again,) = log.append([fact("k1", base=2)])
    assert again.duplicate
    assert (again.position, again.known_at, again.hash) == (1, first.known_at, first.hash)
    with pytest.raises(KeyConflict, match="position 1") as caught:
        log.append([fact("k2"), fact("k1", base=3)])
    assert (caught.value.index, caught.value.key, caught.value.position) == (1, "k1", 1)
    with pytest.raises(KeyConflict, match="earlier in the batch"):
        log.append([fact("k3"), fact("k3", base=1)])
    assert len(everything(log)) == 1, "a batch that is refused is refused whole"
    receipts = log.append([fact("k4"), fact("k1", base=2), fact("k4")])
    assert [(r.position, r.duplicate) for r in receipts] == [(2, False), (1, True), (2, True)]


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (NewFact("k", "s", canonical({"kind": "upheld", "known_at": "2015-01-05"})), "leave it out"),
        (NewFact("k", "s", b'{"kind": "upheld"}'), "canonical"),
        (NewFact("k", "s", b'{"kind":"a","kind":"a"}'), "canonical"),
        (NewFact("k", "s", b'["kind"]'), "no JSON object"),
        (NewFact("k", "s", b"{"), "no JSON"),
        (NewFact("k", "s", b'{"kind":"\xff"}'), "no JSON"),
        (NewFact("", "s", fact("k").content), "key is empty"),
        (NewFact("k" * 201, "s", fact("k").content), "longer than 200"),
        (NewFact("k\0", "s", fact("k").content), "NUL"),
        (NewFact("k\ud800", "s", fact("k").content), "surrogate"),
        (NewFact("k", "", fact("k").content), "subject is empty"),
        (NewFact("k", "s\ud800", fact("k").content), "surrogate"),
        (NewFact("k", "s" * 501, fact("k").content), "longer than 500"),
        (NewFact("k", "s", canonical({"kind": "a", "t": "x" * 1_000_001})), "longer than 1,000,000"),
    ],
)
def test_what_no_log_can_hold_is_refused(tmp_path: Path, bad: NewFact, says: str) -> None:
    with open_database(str(tmp_path / "log.db")) as database:
        log = database.create("a")
        with pytest.raises(BadRecord, match=says) as caught:
            log.append([fact("good"), bad])
        assert caught.value.index == 1
        assert everything(log) == []


def test_any_text_comes_back_as_it_was(log: Log) -> None:
    texts = [
        "红了个红",
        "a\nb",
        '"\\',
        "\x01\x7f\u2028",
        "😀" * 100,
        "' OR 1=1 --",
        "%s ? $1",
        "\N{COMBINING ACUTE ACCENT}",
    ]
    log.append([NewFact(text, text, canonical({"kind": "upheld", "note": text})) for text in texts])
    assert [(r.key, r.subject, r.value()["note"]) for r in log.records()] == [(t, t, t) for t in texts]
    with log.snapshot() as snapshot:
        assert snapshot.subjects() == sorted(texts)
        assert all(snapshot.last_position(text) == place for place, text in enumerate(texts, 1))
    log.verify()
    longest = NewFact("长" * 200, "长" * 500, canonical({"kind": "a", "t": "长" * 300_000}))
    log.append([longest])
    assert next(iter(log.records(after=len(texts)))).content == longest.content


def test_rows_become_facts(log: Log) -> None:
    binder = Binder(strikeout.load(RULESET).model)
    row = {"kind": "upheld", "at": "2015-01-05", "seller": "s", "complaint": 7, "complainant": "a", "right": "r"}
    made = new_fact(binder, {**row, "finding": "counterfeit", "base": "", "seq": 3}, "k1")
    assert json.loads(made.content) == {
        **row,
        "at": "2015-01-05T00:00:00+08:00",
        "complaint": "7",
        "finding": "counterfeit",
        "level": "information",
        "special": False,
        "seq": 3,
    }
    assert log.append([made])[0].position == 1
    with pytest.raises(BadRecord, match="known_at"):
        new_fact(binder, {**row, "known_at": "2015-01-06"}, "k2")
    with pytest.raises(BadCell):
        new_fact(binder, {**row, "finding": "counterfit"}, "k2")


def test_logs_have_names(database: Database) -> None:
    log = database.create("one")
    database.create("two").append([fact("k1")])
    assert database.logs() == ["one", "two"]
    assert database.log("one") is log
    assert everything(log) == []
    with pytest.raises(LogExists):
        database.create("one")
    with pytest.raises(UnknownLog, match="did you mean `two`"):
        database.log("tow")
    for name in ("", "A", "a b", "a" * 65, "../a", "a\n"):
        with pytest.raises(BadRecord, match="no name of a log"):
            database.create(name)
        with pytest.raises(UnknownLog):
            database.log(name)
    database.ping()


# The clock.


def test_what_is_known_grows(log: Log, clock: Clock) -> None:
    known = [log.append([fact("k1"), fact("k2")])[0].known_at, log.append([fact("k3")])[0].known_at]
    clock.instant -= 5_000_000
    known.append(log.append([fact("k4")])[0].known_at)
    clock.instant += 10_000_000
    known.append(log.append([fact("k5")])[0].known_at)
    assert known == [START, START + 1, START + 2, START + 5_000_000]


def test_nothing_becomes_known_as_of_an_instant_that_was_told(log: Log, clock: Clock, database_url: str) -> None:
    told = log.clock()
    assert told == START
    clock.instant -= 30_000_000
    assert log.clock() == told
    with open_database(database_url, clock=clock) as other:
        theirs = other.log("counterfeit")
        assert theirs.clock() == told
        assert theirs.append([fact("k1")])[0].known_at == told + 1
    assert log.clock() == told + 1
    clock.instant = START + 50_000
    assert log.clock() == told + 1, "for a while the same instant is told"
    clock.instant = START + 200_000
    assert log.clock() == clock.instant
    assert log.append([fact("k2")])[0].known_at == clock.instant + 1


def test_a_clock_that_is_far_behind_stops_the_appending(log: Log, clock: Clock) -> None:
    log.append([fact("k1")])
    clock.instant -= 61_000_000
    for attempt in (lambda: log.append([fact("k2")]), lambda: log.append_activation(activation(log))):
        with pytest.raises(ClockError, match="61 s before the last instant"):
            attempt()
    assert log.clock() == START
    assert log.append([fact("k1")])[0].duplicate
    clock.instant += 61_000_000
    assert log.append([fact("k2")])[0].position == 2
    for nonsense in (-1, 10**18):
        clock.instant = nonsense
        with pytest.raises(ClockError):
            log.append([fact("k3")])
        assert log.clock() >= START
    assert len(everything(log)) == 2


# What the database refuses, and what a chain shows.


REFUSED = (
    "UPDATE strikeout_record SET content = content",
    "DELETE FROM strikeout_record WHERE position = 2",
    "UPDATE strikeout_bundle SET content = content",
    "DELETE FROM strikeout_bundle",
    "UPDATE strikeout_log SET tick = tick - 1",
    "UPDATE strikeout_log SET name = 'other'",
    "DELETE FROM strikeout_log",
    "DELETE FROM strikeout_key",
    "UPDATE strikeout_key SET scopes = 'author'",
)
REFUSED_BY = {
    "sqlite": (
        "INSERT OR REPLACE INTO strikeout_record SELECT * FROM strikeout_record WHERE position = 2",
        "INSERT OR REPLACE INTO strikeout_record SELECT log, 9, known_at, kind, key, subject, content, previous, hash "
        "FROM strikeout_record WHERE position = 2",
        "INSERT OR REPLACE INTO strikeout_bundle SELECT * FROM strikeout_bundle",
        "INSERT OR REPLACE INTO strikeout_log SELECT * FROM strikeout_log",
        "INSERT OR REPLACE INTO strikeout_key SELECT * FROM strikeout_key",
    ),
    "postgresql": (
        "TRUNCATE strikeout_record",
        "TRUNCATE strikeout_bundle",
        "TRUNCATE strikeout_log CASCADE",
        "TRUNCATE strikeout_key",
        "INSERT INTO strikeout_record SELECT * FROM strikeout_record WHERE position = 2 "
        "ON CONFLICT (log, position) DO UPDATE SET content = ''",
    ),
}


def test_the_database_refuses_what_is_not_appending(log: Log, database: Database, database_url: str) -> None:
    log.append_activation(activation(log, database))
    log.append([fact("k1"), fact("k2")])
    database.keys.add(b"h" * 32, ["read"], "case-system")
    before = everything(log)
    for statement in (*REFUSED, *REFUSED_BY[database.kind]):
        assert "append-only" in as_user(database_url, statement), statement
    assert everything(log) == before
    assert log.verify().position == 3
    assert [key.scopes for key in database.keys.list()] == [("read",)]


CHANGES: dict[str, tuple[Any, ...]] = {
    "content": ("UPDATE strikeout_record SET content = {other} WHERE position = 4", 4, "not what was appended"),
    "known_at": ("UPDATE strikeout_record SET known_at = known_at + 1 WHERE position = 4", 4, "not what was appended"),
    "kind": ("UPDATE strikeout_record SET kind = 'activation' WHERE position = 4", 4, "not what was appended"),
    "key": ("UPDATE strikeout_record SET key = 'other' WHERE position = 4", 4, "not what was appended"),
    "subject": ("UPDATE strikeout_record SET subject = 'other' WHERE position = 4", 4, "not what was appended"),
    "previous": ("UPDATE strikeout_record SET previous = hash WHERE position = 4", 4, "chained to another"),
    "hash": ("UPDATE strikeout_record SET hash = previous WHERE position = 4", 4, "not what was appended"),
    "first": ("DELETE FROM strikeout_record WHERE position = 1", 1, "is missing"),
    "middle": ("DELETE FROM strikeout_record WHERE position IN (4, 5)", 4, "the next that is there is at 6"),
    "moved": ("UPDATE strikeout_record SET position = 99 WHERE position = 4", 4, "is missing"),
    "closed up": (
        "DELETE FROM strikeout_record WHERE position = 4",
        "UPDATE strikeout_record SET position = 4 WHERE position = 5",
        "UPDATE strikeout_record SET position = 5 WHERE position = 6",
        4,
        "chained to another",
    ),
    "swapped": (
        "UPDATE strikeout_record SET position = 98 WHERE position = 4",
        "UPDATE strikeout_record SET position = 4 WHERE position = 5",
        "UPDATE strikeout_record SET position = 5 WHERE position = 98",
        4,
        "chained to another",
    ),
    "ruleset": ("UPDATE strikeout_bundle SET content = {other}", 1, "cannot be read"),
    "no ruleset": ("DELETE FROM strikeout_bundle", 1, "is stored"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_chain_shows_every_change(name: str, log: Log, database: Database, database_url: str) -> None:
    *statements, position, says = CHANGES[name]
    log.append_activation(activation(log, database))
    for number in range(2, 7):
        log.append([fact(f"k{number}")])
    assert log.verify().bundles == 1
    content = fact("k4", base=1).content if "record" in statements[0] else b'{"bundle":1}'
    hexed = content.hex()
    other = f"X'{hexed}'" if database.kind == "sqlite" else f"'\\x{hexed}'::bytea"
    outright(database_url, *(str(statement).replace("{other}", other) for statement in statements))
    with pytest.raises(ChainBroken, match=str(says)) as caught:
        log.verify()
    assert caught.value.position == position


def test_an_end_that_was_cut_off_needs_a_noted_head(log: Log, database_url: str) -> None:
    log.append([fact(f"k{number}") for number in range(5)])
    noted = log.head()
    assert log.verify(head=(noted.position, noted.hash)).hash == noted.hash
    middle = log.record(3)
    assert middle is not None
    assert log.verify(head=(3, middle.hash)).position == 5
    with pytest.raises(ChainBroken, match="was noted"):
        log.verify(head=(3, noted.hash))
    outright(database_url, "DELETE FROM strikeout_record WHERE position > 3")
    assert log.verify().position == 3
    with pytest.raises(ChainBroken, match="the end of the log is missing") as caught:
        log.verify(head=(noted.position, noted.hash))
    assert caught.value.position == 4


def test_a_chain_needs_nothing_but_sha256(log: Log) -> None:
    import hashlib

    log.append([fact("k1"), fact("k2", "红了个红")])
    previous = "00" * 32
    for line in everything(log):
        text, _, said = line.rpartition(b',"hash":"')
        hash = hashlib.sha256(text + b"}").hexdigest()
        assert said == hash.encode() + b'"}'
        assert json.loads(line)["previous"] == previous
        previous = hash


# Snapshots, and the rulesets in force.


@functools.cache
def bundle_named(name: str) -> Bundle:
    """The bundle of a shipped ruleset."""
    return strikeout.bundle_of(strikeout.load(name))


@functools.cache
def ruleset_of(bundle: Bundle) -> strikeout.Ruleset:
    """The ruleset of a bundle."""
    return strikeout.load_bundle(bundle)


def activation(log: Log, database: Database | None = None, from_: int = 0, name: str = RULESET) -> Activation:
    """An activation of a shipped ruleset."""
    return Activation(log.rulesets.put(bundle_named(name)), from_)


def test_a_snapshot_is_one_state(log: Log, clock: Clock) -> None:
    log.append([fact("k1", "a"), fact("k2", "b"), fact("k3", "a")])
    clock.instant += 10
    log.append([fact("k4", "a"), fact("k5", "c")])
    with log.snapshot() as snapshot:
        log.append([fact("k6", "a"), fact("k7", "d")])
        assert [record.key for record in snapshot.facts("a")] == ["k1", "k3", "k4"]
        assert [record.key for record in snapshot.facts("a", after=1)] == ["k3", "k4"]
        assert (snapshot.last_position("a"), snapshot.last_position("b"), snapshot.last_position("z")) == (4, 2, 0)
        assert snapshot.subjects() == ["a", "b", "c"]
        assert snapshot.subjects("a", 1) == ["b"]
        assert (snapshot.position, snapshot.through) == (5, 5)
        assert [record.position for record in snapshot.records(after=3)] == [4, 5]
        assert [record.position for record in snapshot.records(after=1, limit=2)] == [2, 3]
        assert list(snapshot.facts("")) == []
        assert snapshot.last_position("") == 0
        again = (snapshot.as_of, snapshot.known)
    with log.snapshot(*again) as snapshot:
        assert [record.key for record in snapshot.stored()] == ["k1", "k2", "k3", "k4", "k5"]
    with log.snapshot(as_of=START) as snapshot:
        assert (snapshot.as_of, snapshot.through, snapshot.position) == (START, 3, 7)
        assert [record.key for record in snapshot.facts("a")] == ["k1", "k3"]
        assert snapshot.subjects() == ["a", "b"]
        assert snapshot.last_position("a") == 3
    with log.snapshot(known=START) as snapshot:
        assert (snapshot.known, snapshot.position) == (START, 3)
        assert snapshot.as_of > START
        assert [record.key for record in snapshot.stored()] == ["k1", "k2", "k3"]
    with log.snapshot(as_of=START - 1) as snapshot:
        assert (snapshot.through, snapshot.subjects()) == (0, [])
    with log.snapshot(as_of=2 * START, known=2 * START) as snapshot:
        assert snapshot.as_of == 2 * START
        assert snapshot.known < START + 1_000, "nobody knows what is to come"
    with pytest.raises(LogError, match="closed"):
        snapshot.subjects()


def test_many_records_are_read_page_by_page(log: Log) -> None:
    log.append([fact(f"k{number}", f"s{number % 7}") for number in range(2_500)])
    assert [record.position for record in log.records()] == list(range(1, 2_501))
    assert [record.position for record in log.records(after=900, limit=1_200)] == list(range(901, 2_101))
    with log.snapshot() as snapshot:
        assert sum(1 for _ in snapshot.stored()) == 2_500
        assert len(snapshot.subjects()) == 7


def test_the_ruleset_in_force(log: Log, clock: Clock) -> None:
    with log.snapshot() as snapshot, pytest.raises(NoRuleset, match="the log has none"):
        snapshot.in_force()
    bundles = []
    for strikes in (3, 4, 5):
        ruleset = strikeout.load(RULESET).with_parameters({"strike_limit": strikes})
        bundles.append(log.rulesets.put(strikeout.bundle_of(ruleset)))
    known = []
    for bundle, from_ in ((0, 100), (1, 200), (2, 100)):
        clock.instant += 1_000_000
        known.append(log.append_activation(Activation(bundles[bundle], from_)).known_at)
    with log.snapshot() as snapshot:
        assert [bundles.index(snapshot.in_force(at).bundle) for at in (100, 199, 200, START)] == [2, 2, 1, 1]
        with pytest.raises(NoRuleset, match=r"the first is from 1970-01-01T00:00:00\.000100"):
            snapshot.in_force(99)
    with log.snapshot(150, known[1]) as snapshot:
        assert bundles.index(snapshot.in_force().bundle) == 0, "what was not known yet was not in force"
        assert [activated.position for activated in snapshot.activations] == [1, 2]
    with pytest.raises(UnknownBundle):
        log.append_activation(Activation("ab" * 32, 0))
    with pytest.raises(BadRecord):
        log.append_activation(Activation(bundles[0], 10**18))
    first = log.append_activation(Activation(bundles[0], 7, key="mine"))
    assert log.append_activation(Activation(bundles[0], 7, key="mine")).duplicate
    assert first.position == 4
    with pytest.raises(KeyConflict):
        log.append_activation(Activation(bundles[1], 7, key="mine"))
    with pytest.raises(BadRecord, match="does not begin"):
        log.append_activation(Activation(bundles[1], 7, key="at position 9"))
    assert log.append([fact("mine")])[0].position == 5, "keys of facts and of activations do not meet"
    assert [record.kind for record in log.records()] == [ACTIVATION] * 4 + [FACT]


SMALL = """
ruleset: small
version: 2015-01-01
subject: seller
timezone: {zone}
enums: {{finding: [{members}]}}
facts:
  upheld: {{input: true, fields: {{complaint: id, finding: finding{fields}}}}}
  {more}
  strike: {{fields: {{complaint: id}}}}
rules:
  strike: {{when: upheld, then: strike}}
"""


def small(zone: str = "UTC", members: str = "a, b", fields: str = "", more: str = "") -> strikeout.Ruleset:
    """A ruleset with these words."""
    more = more and f"{more}\n"
    return strikeout.load_text(SMALL.format(zone=zone, members=members, fields=fields, more=more))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({}, ""),
        ({"members": "a, c, b"}, ""),
        ({"fields": ", note: optional text"}, ""),
        ({"fields": ", base: integer = 2"}, ""),
        ({"more": "appeal: {input: true, fields: {complaint: id}}"}, ""),
        ({"zone": "Asia/Shanghai"}, "the time zone is `Asia/Shanghai`, not `UTC`"),
        ({"members": "a"}, "has no `b`"),
        ({"fields": ", note: text"}, "needs a field `note`"),
    ],
)
def test_a_ruleset_takes_what_those_before_it_took(tmp_path: Path, changes: dict[str, str], says: str) -> None:
    def tried(first: strikeout.Ruleset, then: strikeout.Ruleset, from_: int) -> tuple[str, ...]:
        with open_database(str(tmp_path / f"{from_}.db")) as database:
            log = database.create("a")
            log.append_activation(Activation(database.put_bundle(strikeout.bundle_of(first)), 100))
            try:
                log.append_activation(Activation(database.put_bundle(strikeout.bundle_of(then)), from_))
            except ActivationRefused as error:
                assert len(everything(log)) == 1
                return error.differences
            return ()

    changed = small(**changes)
    assert says in " ".join(tried(small(), changed, 200))
    assert bool(says) == bool(tried(small(), changed, 150))
    # The other way round: what is in force later takes what the new one takes.
    assert bool(says) == bool(tried(changed, small(), 50))
    assert tried(small(fields=", note: optional text"), small(), 201) == ("the kind `upheld` has no field `note`",)
    assert "is of type" in tried(small(fields=", n: optional text"), small(fields=", n: optional integer"), 202)[0]
    assert "is required" in tried(small(fields=", n: optional text"), small(fields=", n: text"), 203)[0]


def test_activations_that_race_are_all_checked(log: Log) -> None:
    plain, noted = (log.rulesets.put(strikeout.bundle_of(small(fields=f))) for f in ("", ", note: optional text"))
    refused = []

    def work(bundle: str) -> None:
        for _ in range(5):
            try:
                log.append_activation(Activation(bundle, 0))
            except ActivationRefused as error:
                refused.append(error)

    run_all([lambda: work(plain), lambda: work(noted)])
    order = [record.value()["bundle"] for record in log.records()]
    assert order == sorted(order, key=lambda bundle: bundle == noted), "after the wider ruleset no narrower one"
    assert len(order) + len(refused) == 10


# Rulesets as bundles.


def rows_of(log: Log, subject: str, as_of: int) -> list[dict[str, Any]]:
    with log.snapshot(as_of, as_of) as snapshot:
        return [dict(record.row()) for record in snapshot.facts(subject)]


UPHELD = [
    {
        "kind": "upheld",
        "at": day,
        "seller": "s",
        "complaint": f"c{number}",
        "complainant": "a",
        "right": "r",
        "finding": "counterfeit",
        "base": 12,
    }
    for number, day in enumerate(["2015-01-05", "2015-01-15", "2015-02-21", "2015-02-22"])
]


@pytest.mark.parametrize("name", shipped_names())
def test_a_shipped_ruleset_comes_back_from_its_texts(name: str) -> None:
    ruleset = strikeout.load(name)
    bundle = strikeout.bundle_of(ruleset)
    assert Bundle.read(bundle.content) == bundle
    again = strikeout.load_bundle(bundle)
    assert again.model.digest == ruleset.model.digest
    assert again.model.kinds_by_name.keys() == ruleset.model.kinds_by_name.keys()


def test_a_bundle_decides_whatever_becomes_of_the_files(tmp_path: Path, log: Log, database: Database) -> None:
    def write(folder: Path) -> Path:
        (folder / "vocabulary").mkdir(parents=True)
        (folder / "vocabulary" / "words.yaml").write_text(
            "vocabulary: words\nfacts:\n  upheld: {input: true, fields: {complaint: id}}\n"
            "  closure: {effect: lasting, severity: 9, fields: {}}\n  strike: {fields: {complaint: id}}\n"
        )
        (folder / "base.yaml").write_text(
            "ruleset: base\nversion: 2015-01-01\nvocabulary: words\nsubject: seller\ntimezone: UTC\n"
            "parameters: {limit: 3}\nrules:\n  strike: {when: upheld, then: strike}\n"
            "  closing: {when: strike, if: count(strike) == limit, then: closure}\n"
        )
        (folder / "own.yaml").write_text("ruleset: own\nversion: 2015-01-01\nextends: base\nparameters: {limit: 2}\n")
        return folder / "own.yaml"

    path, elsewhere = write(tmp_path / "here"), write(tmp_path / "there")
    ruleset = strikeout.load(path).with_parameters({"limit": 4})
    bundle = strikeout.bundle_of(ruleset)
    assert bundle == strikeout.bundle_of(strikeout.load(elsewhere).with_parameters({"limit": 4})), "no path is in it"
    assert bundle != strikeout.bundle_of(strikeout.load(elsewhere))
    hash = database.put_bundle(bundle)
    assert hash == bundle.hash == database.put_bundle(bundle)
    log.append_activation(Activation(hash, 0))
    facts = [{"kind": "upheld", "at": f"2015-01-0{day}", "seller": "s", "complaint": f"c{day}"} for day in range(1, 6)]
    before = ruleset.run(facts, engine="compiled")
    base = path.parent / "base.yaml"
    base.write_text(base.read_text().replace("limit: 3", "limit: 1"))
    with pytest.raises(strikeout.RulesetError, match="have changed since it was loaded"):
        strikeout.bundle_of(ruleset)
    for file in (path, base, path.parent / "vocabulary" / "words.yaml"):
        file.unlink()
    database.rulesets._bundles.clear()
    after = strikeout.load_bundle(database.bundle(hash)).run(facts, engine="compiled")
    assert [dict(fact) for fact in after.facts] == [dict(fact) for fact in before.facts]
    assert after.status("s") == before.status("s") == "closure"
    assert after.journal("s") == before.journal("s")


def test_a_past_decision_is_repeated(tmp_path: Path, log: Log, clock: Clock) -> None:
    binder = Binder(strikeout.load(RULESET).model)
    log.append_activation(activation(log))
    said: dict[int, str] = {}

    def decide(as_of: int, known: int) -> str:
        with log.snapshot(as_of, known) as snapshot:
            ruleset = ruleset_of(log.rulesets.stored(snapshot.in_force().bundle))
            path = tmp_path / "facts.jsonl"
            path.write_bytes(b"".join(fact_lines(snapshot)))
        outcome = ruleset.run(strikeout.read(path), as_of=as_of, engine="compiled")
        return json.dumps([outcome.status("s"), [dict(fact) for fact in outcome.facts]])

    for number, row in enumerate(UPHELD):
        clock.instant += 1_000_000
        log.append([new_fact(binder, row, f"k{number}")])
        said[log.clock()] = decide(log.clock(), log.clock())
    stricter = strikeout.load(RULESET).with_parameters({"strike_limit": 2})
    clock.instant += 1_000_000
    log.append_activation(Activation(log.rulesets.put(strikeout.bundle_of(stricter)), 0))
    log.append([new_fact(binder, {"kind": "withdrawal", "at": "2015-02-23", "seller": "s", "complaint": "c0"}, "w")])
    assert len(set(said.values())) == 3, "the third closes, and nothing follows"
    for as_of, decision in said.items():
        assert decide(as_of, as_of) == decision
    second = list(said)[1]
    assert json.loads(said[second])[0] != "closure"
    assert json.loads(decide(second, log.clock()))[0] == "closure"


# Export, import and backup.


def filled(log: Log, database: Database, number: int = 30) -> Log:
    log.append_activation(activation(log))
    for start in range(0, number, 10):
        log.append([fact(f"k{place}", f"s{place % 4}", note="红") for place in range(start, start + 10)])
    return log


def test_an_import_has_the_same_hashes(tmp_path: Path, log: Log, database: Database, database_url: str) -> None:
    lines = list(export_lines(filled(log, database)))
    assert next(json.loads(line) for line in lines) == {"log": "counterfeit", "strikeout_log": 1}
    for url in (str(tmp_path / "copy.db"), database_url):
        with open_database(url) as other:
            copy = import_lines(other, lines, "copy")
            assert everything(copy) == everything(log)
            assert copy.verify().bundles == 1
            assert list(export_lines(copy))[1:] == lines[1:]
            import_lines(other, lines, "copy")
            assert copy.head() == log.head(), "once more changes nothing"
            assert copy.append([fact("k3", "s3", note="红")])[0].duplicate
            assert copy.append([fact("new")])[0].known_at > log.head().known_at


def test_an_import_that_was_stopped_goes_on(tmp_path: Path, log: Log, database: Database) -> None:
    lines = list(export_lines(filled(log, database)))
    with open_database(str(tmp_path / "copy.db")) as other:
        with pytest.raises(BadRecord, match="breaks off after position 17"):
            import_lines(other, lines[:19])
        copy = import_lines(other, lines)
        assert everything(copy) == everything(log)


def change(line: bytes) -> bytes:
    return line.replace("红".encode(), "绿".encode())


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda lines: [*lines[:9], change(lines[9]), *lines[10:]], "not what was appended"),
        (lambda lines: [*lines[:9], *lines[10:]], "is missing"),
        (lambda lines: [*lines[:9], lines[10], lines[9], *lines[11:]], "is missing"),
        (lambda lines: [*lines[:9], lines[9].replace(b'"key"', b' "key"'), *lines[10:]], "not written as"),
        (lambda lines: [*lines[:9], b"{}\n", *lines[10:]], "line 10 is no line"),
        (lambda lines: [*lines[:9], b"nonsense\n", *lines[10:]], "line 10 is no line"),
        (lambda lines: lines[1:], "the first line says so"),
        (lambda lines: lines[:-1], "breaks off"),
        (lambda lines: [*lines, lines[9]], "after its end"),
        (lambda lines: [], "nothing to import"),
        (lambda lines: [lines[0], lines[1].replace(b"strike", b"strake", 1), *lines[2:]], "ruleset"),
        (lambda lines: [lines[0].replace(b":1", b":2"), *lines[1:]], "newer version"),
        (lambda lines: [*lines[:-2], lines[-1]], "the export ends at"),
    ],
)
def test_an_export_that_was_changed_is_refused(
    tmp_path: Path, spoil: Callable[[list[bytes]], list[bytes]], says: str
) -> None:
    with open_database(str(tmp_path / "log.db")) as database:
        lines = list(export_lines(filled(database.create("a"), database)))
    with open_database(str(tmp_path / "copy.db")) as other, pytest.raises(LogError, match=says):
        import_lines(other, spoil(lines))


def test_an_import_does_not_go_behind_what_was_told(tmp_path: Path, log: Log, database: Database, clock: Clock) -> None:
    lines = list(export_lines(filled(log, database)))
    clock.instant += 1_000_000
    other = database.create("other")
    other.clock()
    with pytest.raises(ClockError, match="import into a new log"):
        import_lines(database, lines, "other")
    clock.instant -= 100_000_000
    with pytest.raises(ClockError, match="the machine's clock is behind"):
        import_lines(database, lines, "another")
    third = database.create("third")
    third.append([fact("k")])
    with pytest.raises(ChainBroken, match="another record"):
        import_lines(database, lines, "third")


def test_a_backup_is_one_state(tmp_path: Path, log: Log, database: Database) -> None:
    filled(log, database)
    copy = tmp_path / "backup.db"
    if database.kind != "sqlite":
        with pytest.raises(LogError, match="pg_dump"):
            database.backup(str(copy))
        return
    stop = threading.Event()

    def work() -> None:
        for number in itertools.count():
            if stop.is_set():
                return
            log.append([fact(f"more {number} {place}") for place in range(3)])

    thread = threading.Thread(target=work)
    thread.start()
    try:
        for number in range(3):
            path = tmp_path / f"backup{number}.db"
            database.backup(str(path))
            with open_database(str(path), create=False) as other:
                found = other.log("counterfeit")
                assert other.check() == []
                assert (found.verify().position - 31) % 3 == 0, "no batch is there in half"
                log.verify(head=(found.head().position, found.head().hash))
    finally:
        stop.set()
        thread.join()
    with pytest.raises(LogError, match="exists already"):
        database.backup(str(tmp_path / "backup0.db"))
    with pytest.raises(LogError, match=r"cannot be written|cannot be read or written"):
        database.backup(str(tmp_path / "nowhere" / "backup.db"))


# Many at once.


def run_all(work: Sequence[Callable[[], object]]) -> None:
    """Run pieces of work in threads, and raise the first error."""
    errors: list[Exception] = []

    def guarded(piece: Callable[[], object]) -> None:
        try:
            piece()
        except Exception as error:  # noqa: BLE001
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(piece,)) for piece in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def test_a_hundred_clients_with_the_same_keys(log: Log) -> None:
    keys = [f"k{number}" for number in range(20)]
    receipts: dict[str, set[tuple[int, int, str]]] = {key: set() for key in keys}
    fresh: list[str] = []

    def client(number: int) -> None:
        order = random.Random(number).sample(keys, len(keys))
        for start in range(0, len(order), 5):
            for key, receipt in zip(
                order[start : start + 5], log.append([fact(key) for key in order[start : start + 5]]), strict=True
            ):
                receipts[key].add((receipt.position, receipt.known_at, receipt.hash))
                if not receipt.duplicate:
                    fresh.append(key)

    run_all([lambda number=number: client(number) for number in range(100)])  # type: ignore[misc]
    assert sorted(fresh) == sorted(keys), "each is new to one client"
    assert all(len(found) == 1 for found in receipts.values()), "all get the same receipt"
    assert sorted(record.key for record in log.records()) == sorted(keys)
    log.verify()


def test_batches_that_are_committed_together_are_refused_alone(log: Log) -> None:
    log.append([fact("taken", base=1)])
    refused, taken = [], []

    def client(number: int) -> None:
        for turn in range(5):
            rows = [fact(f"{number} {turn} {place}") for place in range(3)]
            bad = (number + turn) % 3 == 0
            try:
                log.append([*rows, fact("taken", base=2)] if bad else rows)
                taken.append((number, turn))
            except KeyConflict:
                refused.append((number, turn))
            with log.snapshot() as snapshot:
                assert snapshot.position >= len(taken)

    run_all([lambda number=number: client(number) for number in range(12)])  # type: ignore[misc]
    assert len(refused) == 20
    assert len(taken) == 40
    records = list(log.records(after=1))
    assert len(records) == 120
    batches = [list(group) for _, group in itertools.groupby(records, lambda record: record.known_at)]
    assert [len(batch) for batch in batches] == [3] * 40, "each batch is known at an instant of its own"
    assert all(len({tuple(r.key.split()[:2]) for r in batch}) == 1 for batch in batches)
    log.verify()


PROCESS = """
import sys
from strikeout.log import NewFact, canonical, open_database
url, number = sys.argv[1], int(sys.argv[2])
def fact(key):
    return NewFact(key, "s", canonical({"kind": "upheld", "at": "2015-01-05", "seller": "s"}))
with open_database(url) as database:
    log = database.log("counterfeit")
    sys.stdin.readline()
    for turn in range(15):
        log.append([fact(f"same {turn}"), fact(f"same {turn + 1}")])
        log.append([fact(f"own {number} {turn}")])
        print(log.clock(), flush=True)
"""


def test_two_processes_on_one_database(log: Log, database_url: str) -> None:
    here = Path(__file__).parent
    command = [sys.executable, "-c", PROCESS, database_url]
    processes = [
        subprocess.Popen([*command, str(n)], cwd=here, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for n in (0, 1)
    ]
    said = [threading.Thread(target=process.communicate, args=(b"go\n",)) for process in processes]
    for thread in said:
        thread.start()
    for thread in said:
        thread.join()
    assert [process.returncode for process in processes] == [0, 0]
    keys = [record.key for record in log.records()]
    wanted = [f"same {turn}" for turn in range(16)] + [f"own {n} {turn}" for n in (0, 1) for turn in range(15)]
    assert sorted(keys) == sorted(wanted)
    log.verify()


def test_processes_that_are_killed_lose_nothing(
    database_url: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = None if database_url.startswith("sqlite") else request.getfixturevalue("postgres")
    monkeypatch.setattr(kill_log, "SERVER_KILLED", 10)
    seen = kill_log.many_kills(database_url, KILLS, 20150101, server)
    assert seen.kills == KILLS
    assert seen.facts > 10
    assert seen.resent > 0


# What goes wrong.


def test_a_newer_database_is_refused(log: Log, database: Database, database_url: str) -> None:
    newer = "PRAGMA user_version = 2" if database.kind == "sqlite" else "UPDATE strikeout_schema SET version = 2"
    outright(database_url, newer)
    with pytest.raises(UnknownDatabase, match="newer version of this program"):
        open_database(database_url)


def test_what_is_no_database_of_a_log_is_refused(tmp_path: Path) -> None:
    import sqlite3

    other = sqlite3.connect(tmp_path / "other.db")
    other.execute("CREATE TABLE a (b)")
    other.close()
    (tmp_path / "text.db").write_text("what is no database at all, but text\n" * 100)
    (tmp_path / "empty.db").touch()
    unknown = UnknownDatabase
    for path, error, says in (
        (str(tmp_path / "other.db"), unknown, "none of a log"),
        (str(tmp_path / "text.db"), unknown, "is no SQLite database"),
        (str(tmp_path / "none.db"), unknown, "there is no database"),
        (str(tmp_path / "empty.db"), unknown, "is empty"),
        (str(tmp_path / "nowhere" / "log.db"), unknown, "there is no database"),
        ("mysql://localhost/log", DatabaseUnavailable, "`mysql` is no database"),
        (":memory:", DatabaseUnavailable, "would not last"),
        ("", DatabaseUnavailable, "names no file"),
        ("sqlite://", DatabaseUnavailable, "names no file"),
    ):
        with pytest.raises(error, match=says):
            open_database(path, create=False)
    with pytest.raises(DatabaseUnavailable, match="cannot be read or written"):
        open_database(str(tmp_path / "nowhere" / "log.db"))
    assert not (tmp_path / "none.db").exists()


def test_what_is_closed_says_so(log: Log, database: Database) -> None:
    database.close()
    for attempt in (lambda: log.append([fact("k")]), log.clock, database.ping, database.logs):
        with pytest.raises(DatabaseUnavailable, match="is closed"):
            attempt()


def test_keys_are_stored_hashed_and_revoked_once(database: Database, clock: Clock) -> None:
    key = database.keys.add(b"a" * 32, ["append", "read"], "case-system")
    assert database.keys.find(b"a" * 32) == key
    assert database.keys.find(b"b" * 32) is None
    assert (key.scopes, key.created_at, key.revoked_at) == (("append", "read"), START, None)
    for hash, name in ((b"a" * 32, "other"), (b"b" * 32, "case-system")):
        with pytest.raises(LogExists):
            database.keys.add(hash, ["read"], name)
    with pytest.raises(BadRecord):
        database.keys.add(b"c" * 32, ["read write"], "spaced")
    database.keys.add(b"d" * 32, [], "analyst")
    clock.instant += 5
    assert database.keys.revoke("case-system").revoked_at == START + 5
    clock.instant += 5
    assert database.keys.revoke("case-system").revoked_at == START + 5
    assert [(k.name, k.revoked_at) for k in database.keys.list()] == [("analyst", None), ("case-system", START + 5)]
    with pytest.raises(LogError, match="did you mean `analyst`"):
        database.keys.revoke("analist")


def test_a_full_disk_loses_nothing(tmp_path: Path) -> None:
    with open_database(str(tmp_path / "log.db")) as database:
        log = filled(database.create("a"), database)
        before = everything(log)
        writer: Any = database.store._writer  # type: ignore[attr-defined]
        pages = writer.execute("PRAGMA page_count").fetchone()[0]
        writer.execute(f"PRAGMA max_page_count = {pages + 3}")
        with pytest.raises(LogFull, match="nothing of this was appended"):
            log.append([fact(f"big{number}", note="x" * 500) for number in range(200)])
        assert everything(log) == before
        assert log.verify().position == 31
        assert log.append([fact("k1", "s1", note="红")])[0].duplicate
        writer.execute(f"PRAGMA max_page_count = {pages + 3_000}")
        assert log.append([fact(f"big{number}", note="x" * 500) for number in range(200)])[0].position == 32
        log.verify()


@pytest.mark.parametrize(
    "statement",
    [
        sqlite_tables.WITH_KEYS,
        log_statements.ACTIVATIONS,
        snapshot.OF_SUBJECT,
        snapshot.LAST_OF_SUBJECT,
        snapshot.SUBJECTS,
    ],
)
def test_no_statement_goes_through_all_records(tmp_path: Path, statement: str) -> None:
    import sqlite3

    open_database(str(tmp_path / "log.db")).close()
    connection = sqlite3.connect(tmp_path / "log.db")
    plan = connection.execute(f"EXPLAIN QUERY PLAN {statement}", [0] * statement.count("?")).fetchall()
    connection.close()
    searches = [step[3] for step in plan if "strikeout_record" in step[3] or " r " in step[3]]
    assert searches
    assert all(re.search(r"\(log=\? AND (key|subject|position)[=>]\?", search) for search in searches), plan


def test_a_writer_that_holds_on_is_not_waited_for_forever(tmp_path: Path) -> None:
    import sqlite3

    path = tmp_path / "log.db"
    with open_database(str(path), wait=0.2) as database:
        log = database.create("a")
        told = log.clock()
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(DatabaseUnavailable, match="busy"):
            log.append([fact("k")])
        assert log.clock() >= told, "who reads does not wait"
        other.execute("ROLLBACK")
        other.close()
        assert log.append([fact("k")])[0].position == 1


# The commands.


def strike(*arguments: str) -> Result:
    return CliRunner().invoke(commands, ["log", *arguments])


def test_the_commands(tmp_path: Path, log: Log, database: Database, database_url: str) -> None:
    filled(log, database)
    at = ["--db", database_url]
    found = strike("verify", *at)
    head = log.head()
    assert found.exit_code == 0
    assert found.stdout == f"counterfeit: whole, 31 records, 1 rulesets; head 31:{head.hash}\n"
    assert strike("verify", *at, "--head", f"31:{head.hash}").exit_code == 0
    assert strike("verify", *at, "--head", f"30:{head.hash}").exit_code == 1
    assert strike("verify", *at, "--head", "nonsense").exit_code == 2

    export = tmp_path / "export.jsonl.gz"
    assert strike("export", *at, "-o", str(export)).exit_code == 0
    copy = f"sqlite:///{tmp_path / 'copy.db'}"
    found = strike("import", "--db", copy, str(export))
    assert (found.exit_code, found.stdout) == (0, f"counterfeit: 31 records; head 31:{head.hash}\n")

    backup = tmp_path / "backup.db"
    found = strike("backup", "--db", copy, str(backup))
    assert (found.exit_code, found.stdout) == (0, f"counterfeit: 31 records; head 31:{head.hash}\n")

    found = strike("activations", *at)
    assert f"1: {RULESET} " in found.stdout
    assert "from 1970-01-01T08:00:00+08:00" in found.stdout
    row = json.loads(strike("activations", *at, "--format", "jsonl").stdout)
    assert (row["position"], row["ruleset"], row["hash"]) == (1, RULESET, activation(log).bundle)

    database.create("second")
    assert "say which `--log`: `counterfeit`, `second`" in strike("export", *at).stderr
    outright(database_url, "DELETE FROM strikeout_record WHERE position = 7")
    found = strike("verify", *at)
    assert found.exit_code == 1
    assert "counterfeit: position 7: the record is missing" in found.stdout
    assert "second: whole, 0 records" in found.stdout


def test_the_facts_that_a_log_writes_are_run(tmp_path: Path, log: Log, clock: Clock, database_url: str) -> None:
    binder = Binder(strikeout.load(RULESET).model)
    log.append_activation(activation(log))
    for number, row in enumerate(UPHELD):
        clock.instant += 1_000_000
        log.append([new_fact(binder, row, f"k{number}"), new_fact(binder, {**row, "seller": "t"}, f"t{number}")])
    zone = binder.ruleset.zone
    path, options = tmp_path / "facts.jsonl", ["--db", database_url, "--log", "counterfeit"]
    found = strike("facts", *options, "-o", str(path))
    assert found.exit_code == 0
    told = found.stderr.rpartition(" ")[2].strip()
    assert found.stderr == f"8 facts, as of {told}, known {told}\n"
    run = CliRunner().invoke(commands, ["run", RULESET, str(path), "--as-of", told, "--format", "jsonl"])
    assert run.exit_code == 0
    with log.snapshot() as snapshot:
        rows = [record.row() for record in snapshot.stored()]
    outcome = strikeout.load(RULESET).run(rows, as_of=told)
    assert [json.loads(line) for line in run.stdout.splitlines()] == [dict(fact) for fact in outcome.facts]
    earlier = zone.format(clock.instant - 1_000_000)
    lines = strike("facts", *options, "--as-of", earlier, "--subject", "t").stdout.splitlines()
    assert [json.loads(line)["complaint"] for line in lines] == ["c0", "c1", "c2"]
    assert json.loads(lines[0])["known_at"].endswith("+00:00")
    assert strike("facts", *options, "--known", earlier).stdout.count("\n") == 6
    found = CliRunner().invoke(commands, ["log", "facts", *options, "--as-of", "yesterday"])
    assert "`--as-of`" in str(found.exception)
