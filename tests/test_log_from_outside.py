"""What the log promises, tried from outside: files taken away, bytes turned over, protection taken off."""

from __future__ import annotations

import dataclasses
import json
import os
import random
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from test_log import Clock, activation, as_user, fact

from strikeout.cli import commands
from strikeout.log import ChainBroken, Database, DatabaseUnavailable, Log, LogError, canonical, open_database
from strikeout.log.records import chained


def files(path: Path) -> list[Path]:
    """A database's file and what lies beside it."""
    return [path, *(path.with_name(path.name + end) for end in ("-wal", "-shm"))]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log.db"


@pytest.fixture
def database(path: Path) -> Iterator[Database]:
    with open_database(str(path), wait=0.2) as opened:
        yield opened


@pytest.fixture
def log(database: Database) -> Log:
    made = database.create("taobao")
    made.append_activation(activation(made, database))
    made.append([fact(f"k{number}") for number in range(2, 7)])
    return made


def strike(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(commands, ["log", *arguments])
    assert done.exception is None or isinstance(done.exception, SystemExit | LogError), done.exception
    said = str(done.exception) if isinstance(done.exception, LogError) else ""
    return done.exit_code, done.output + said


def changed(path: Path, *statements: str) -> None:
    """Change a database past the log, and put its triggers back as if nothing had been."""
    connection = sqlite3.connect(path, isolation_level=None)
    triggers = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for name, _ in triggers:
        connection.execute(f"DROP TRIGGER {name}")
    for statement in statements:
        connection.execute(statement)
    for _, sql in triggers:
        connection.execute(sql)
    connection.close()


def removed(path: Path) -> None:
    for file in files(path):
        file.unlink(missing_ok=True)


def replaced(path: Path) -> None:
    with open_database(str(path.with_name("other.db"))) as other:
        other.create("taobao")
    os.replace(path.with_name("other.db"), path)


def without_wal(path: Path) -> None:
    files(path)[1].unlink()


@pytest.mark.skipif(os.name == "nt", reason="a file in use cannot be removed there")
@pytest.mark.parametrize("harm", [removed, replaced, without_wal])
def test_nothing_is_acknowledged_into_a_file_that_is_gone(
    path: Path, database: Database, log: Log, harm: Callable[[Path], None]
) -> None:
    harm(path)
    wrong: list[Callable[[], object]] = [
        lambda: log.append([fact("lost")]),
        lambda: log.snapshot(),
        database.ping,
        lambda: database.create("b"),
    ]
    for work in wrong:
        with pytest.raises(DatabaseUnavailable, match="removed or replaced"):
            work()
    assert harm is not removed or not path.exists(), "no empty database is made in its place"


def test_a_database_that_another_process_closes_is_still_there(path: Path, log: Log) -> None:
    for number in range(3):
        with open_database(str(path)) as other:
            other.log("taobao").append([fact(f"other{number}")])
        assert not log.append([fact(f"mine{number}")])[0].duplicate
    assert log.verify().position == 12


def test_a_damaged_file_is_an_error_of_the_log(path: Path, database: Database, log: Log) -> None:
    log.append([fact(f"more{number}") for number in range(60)])
    whole = log.verify()
    database.close()
    text = path.read_bytes()
    # The names of tables, indexes and triggers, of which SQLite's messages quote what is no text any more.
    places = [text.index(name) + 3 for name in (b"strikeout_record_update", b"strikeout_key", b"append-only")]
    chance = random.Random(5)
    found = 0
    for number in range(60):
        place = places[number % 3] + number if number < 30 else chance.randrange(len(text))
        flipped = bytearray(text)
        flipped[place : place + 4] = bytes(byte ^ 0xFF for byte in flipped[place : place + 4])
        removed(path)
        path.write_bytes(flipped)
        try:
            with open_database(str(path), create=False) as opened:
                problems = opened.check()
                assert problems or opened.log("taobao").verify() == whole
                found += bool(problems)
        except LogError:
            found += 1
    assert found > 30


def test_a_trigger_or_index_that_is_gone_is_told(path: Path, log: Log) -> None:
    assert strike("verify", "--db", str(path))[0] == 0
    connection = sqlite3.connect(path)
    connection.execute("DROP TRIGGER strikeout_record_delete")
    connection.execute("DROP INDEX strikeout_record_key")
    connection.close()
    code, said = strike("verify", "--db", str(path))
    assert code == 1
    assert "`strikeout_record_delete` is missing" in said
    assert "`strikeout_record_key` is missing" in said
    assert "taobao: whole" in said


def test_protection_that_is_off_is_told_by_either_database(database_url: str) -> None:
    statement, name = {
        "sqlite": ("DROP TRIGGER strikeout_bundle_delete", "strikeout_bundle_delete"),
        "postgresql": (
            "ALTER TABLE strikeout_bundle DISABLE TRIGGER strikeout_bundle_truncate",
            "strikeout_bundle_truncate",
        ),
    }[database_url.partition(":")[0]]
    with open_database(database_url) as opened:
        opened.create("a")
        assert opened.check() == []
        assert as_user(database_url, statement) == ""
        assert any(f"`{name}` is missing" in line for line in opened.check())


def test_text_that_is_none_breaks_the_chain(path: Path, log: Log) -> None:
    changed(path, "UPDATE strikeout_record SET subject = CAST(x'ff' AS TEXT) WHERE position = 4")
    with pytest.raises(ChainBroken, match="cannot be read") as caught:
        log.verify()
    assert caught.value.position <= 4
    assert strike("verify", "--db", str(path))[0] == 1


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE strikeout_record SET kind = 'activation' WHERE position = 4",
        "UPDATE strikeout_record SET kind = 'activation', content = x'ff' WHERE position = 4",
        "UPDATE strikeout_record SET known_at = 9223372036854775807 WHERE position = 6",
        "UPDATE strikeout_log SET tick = 9223372036854775807",
        "UPDATE strikeout_bundle SET content = x'00'",
        "DELETE FROM strikeout_record WHERE position = 1",
        "UPDATE strikeout_record SET position = 9223372036854775807 WHERE position = 6",
        "UPDATE strikeout_log SET id = 7",
    ],
)
def test_what_was_changed_by_hand_brings_no_command_down(path: Path, tmp_path: Path, log: Log, statement: str) -> None:
    noted = log.head()
    changed(path, statement)
    at = ["--db", str(path), "--log", "taobao"]
    code, _ = strike("verify", *at, "--head", f"{noted.position}:{noted.hash}")
    assert code == 1 or "tick" in statement
    strike("facts", *at)
    code, said = strike("export", *at, "--output", str(tmp_path / "export.jsonl"))
    if code == 0 and "tick" not in statement and "id = 7" not in statement:
        code, said = strike("import", "--db", str(tmp_path / "new.db"), str(tmp_path / "export.jsonl"))
        assert code, said


def test_an_export_and_its_import_are_the_same_bytes(path: Path, tmp_path: Path, log: Log) -> None:
    log.append([fact('\u2028\U0001f600\\"', subject="\ud7ff\uffff/%00 ")])
    texts = []
    for number, source in enumerate((path, tmp_path / "new.db")):
        export = tmp_path / f"{number}.jsonl.gz"
        assert strike("export", "--db", str(source), "--output", str(export))[0] == 0
        texts.append(strike("export", "--db", str(source))[1])
        assert strike("import", "--db", str(tmp_path / "new.db"), str(export))[0] == 0
    assert texts[0] == texts[1]
    lines = texts[0].split("\n")[:-1]
    for number in (1, 2, 3, 4, len(lines) - 1):
        other = tmp_path / f"without-{number}.jsonl"
        other.write_text("\n".join(lines[:number] + lines[number + 1 :]), encoding="utf-8")
        assert strike("import", "--db", str(tmp_path / f"without-{number}.db"), str(other))[0] != 0, number


@pytest.mark.parametrize(
    "change", [{"from": None}, {"from": "x"}, {"from": 10**30}, {"bundle": 1}, {"version": []}, [1]]
)
def test_an_import_takes_no_activation_that_says_nothing(path: Path, tmp_path: Path, log: Log, change: Any) -> None:
    """Anybody can chain records: hashes that are right do not make their content so."""
    lines = strike("export", "--db", str(path))[1].split("\n")
    record = log.record(1)
    assert record is not None
    content = canonical({**record.value(), **change} if isinstance(change, dict) else change)
    place = (record.position, record.known_at, record.kind, record.key, record.subject)
    hash = chained(*place, content, bytes(32)).hex()
    lines[2] = dataclasses.replace(record, content=content, hash=hash).line().decode()
    other = tmp_path / "crafted.jsonl"
    other.write_text("\n".join([*lines[:3], json.dumps({"end": 1, "hash": hash}, separators=(",", ":"))]), "utf-8")
    code, said = strike("import", "--db", str(tmp_path / "new.db"), str(other))
    assert code != 0, said


def test_a_clock_that_jumps_acknowledges_nothing_out_of_order(path: Path) -> None:
    clock = Clock()
    chance = random.Random(3)
    start = clock.instant
    acknowledged: list[tuple[str, int]] = []
    with open_database(str(path), clock=clock) as opened:
        log = opened.create("a")
        told = 0
        for number in range(300):
            clock.instant = start + number * 1_000_000 + chance.choice((0, 0, 5, -30_000_000, 40_000_000, -(10**15)))
            if chance.random() < 0.3:
                told = log.snapshot().as_of
            try:
                receipt = log.append([fact(f"k{number}")])[0]
            except LogError:
                continue
            assert receipt.known_at > told, "nothing becomes known as of an instant that was told"
            acknowledged.append((f"k{number}", receipt.known_at))
        assert 100 < len(acknowledged) < 300
        assert [(record.key, record.known_at) for record in log.records()] == acknowledged
        assert acknowledged == sorted(acknowledged, key=lambda one: one[1])
        log.verify()


def test_a_copy_is_whole_while_appends_go_on(path: Path, tmp_path: Path, log: Log) -> None:
    for number in range(3):
        log.append([fact(f"before{number}")])
        head = log.head()
        copy = tmp_path / f"copy{number}.db"
        code, said = strike("backup", "--db", str(path), str(copy))
        assert code == 0
        assert f"{head.position}:{head.hash}" in said
        log.append([fact(f"after{number}")])
        with open_database(str(copy), create=False) as opened:
            assert opened.log("taobao").verify(head=(head.position, head.hash)).position == head.position
    assert not list(tmp_path.glob("*.part"))


def test_a_file_that_is_none_of_a_log_is_left_as_it_is(tmp_path: Path, path: Path, log: Log) -> None:
    for name, text in (("empty.db", b""), ("text.db", b"hello " * 500), ("cut.db", (path.read_bytes() * 2)[:3_000])):
        other = tmp_path / name
        other.write_bytes(text)
        code, said = strike("verify", "--db", str(other))
        assert code != 0, said
        assert other.read_bytes() == text
    newer = tmp_path / "newer.db"
    assert strike("backup", "--db", str(path), str(newer))[0] == 0
    connection = sqlite3.connect(newer)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    assert "newer version" in strike("verify", "--db", str(newer))[1]


def test_facts_of_a_log_hold_what_was_appended(path: Path, log: Log) -> None:
    code, said = strike("facts", "--db", str(path), "--as-of", "9999-12-30")
    assert code == 0
    rows = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    assert [row["complaint"] for row in rows] == [f"k{number}" for number in range(2, 7)]
