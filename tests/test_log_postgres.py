"""What goes wrong between a log and its PostgreSQL server: a clear error, nothing lost, no false acknowledgement."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import postgresql_server
import pytest

from strikeout.log import (
    Database,
    DatabaseUnavailable,
    Log,
    LogError,
    LogFull,
    NewFact,
    ReadOnly,
    canonical,
    open_database,
)
from strikeout.log.tip import machine_clock

psycopg = pytest.importorskip("psycopg") if not postgresql_server.NEEDED else __import__("psycopg")


def fact(key: str) -> NewFact:
    """A fact."""
    return NewFact(key, "s", canonical({"kind": "upheld", "at": "2015-01-05T00:00:00+08:00", "seller": "s"}))


class Clock:
    """The machine's clock, which does something else as well, once, while a batch is appended."""

    def __init__(self) -> None:
        self.then: Callable[[], object] | None = None

    def __call__(self) -> int:
        then, self.then = self.then, None
        if then is not None:
            then()
        return machine_clock()


@pytest.fixture
def url(postgres: postgresql_server.Server) -> str:
    return postgres.url()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def database(url: str, clock: Clock) -> Iterator[Database]:
    with open_database(url, clock=clock, wait=0.5) as opened:
        yield opened


@pytest.fixture
def log(database: Database) -> Log:
    made = database.create("a")
    made.append([fact("k0")])
    return made


def run(url: str, *statements: str) -> list[Any]:
    """Run statements on a connection of their own; what the last one gives."""
    with psycopg.connect(url, autocommit=True) as connection:
        *first, last = statements
        for statement in first:
            connection.execute(statement)
        cursor = connection.execute(last)
        return list(cursor.fetchall()) if cursor.description else []


def end_connections(url: str) -> None:
    """End all other connections, as an administrator or a failing network would."""
    run(url, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND usename <> ''")


def keys(log: Log) -> list[str]:
    """The keys that the log has, once its chain was verified."""
    log.verify()
    return [record.key for record in log.records()]


def test_a_connection_lost_between_batches_is_made_anew(log: Log, url: str) -> None:
    log.clock()
    end_connections(url)
    assert log.append([fact("k1")])[0].position == 2
    end_connections(url)
    assert keys(log) == ["k0", "k1"]


def test_a_connection_lost_within_a_batch_is_an_error(log: Log, url: str, clock: Clock) -> None:
    clock.then = lambda: end_connections(url)
    with pytest.raises(DatabaseUnavailable, match="the connection was lost"):
        log.append([fact("k1"), fact("k2")])
    assert keys(log) == ["k0"]
    assert [receipt.duplicate for receipt in log.append([fact("k1"), fact("k2")])] == [False, False]
    assert keys(log) == ["k0", "k1", "k2"]


ON_COMMIT = """
CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN {what}; RETURN NEW; END $$;
CREATE CONSTRAINT TRIGGER fail AFTER INSERT ON strikeout_record DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION fail()
"""


def test_a_connection_lost_at_the_commit_is_no_acknowledgement(log: Log, url: str) -> None:
    run(url, ON_COMMIT.format(what="PERFORM pg_terminate_backend(pg_backend_pid())"))
    with pytest.raises(DatabaseUnavailable, match="send it again with the same keys"):
        log.append([fact("k1"), fact("k2")])
    run(url, "DROP TRIGGER fail ON strikeout_record")
    there = keys(log)
    assert there in (["k0"], ["k0", "k1", "k2"])
    assert [r.duplicate for r in log.append([fact("k1"), fact("k2")])] == [len(there) > 1] * 2
    assert keys(log) == ["k0", "k1", "k2"]


def test_what_cannot_be_ordered_is_done_anew(log: Log, url: str) -> None:
    run(
        url,
        "CREATE SEQUENCE tries",
        ON_COMMIT.format(what="IF nextval('tries') < 4 THEN RAISE EXCEPTION USING ERRCODE = '40001'; END IF"),
    )
    assert log.append([fact("k1")])[0].position == 2
    assert run(url, "SELECT last_value FROM tries") == [(4,)]
    run(url, "ALTER SEQUENCE tries RESTART WITH -1000000 MINVALUE -1000000")
    with pytest.raises(DatabaseUnavailable, match="busy"):
        log.append([fact("k2")])
    run(url, "DROP TRIGGER fail ON strikeout_record")
    assert log.append([fact("k2")])[0].position == 3
    assert keys(log) == ["k0", "k1", "k2"]


@pytest.mark.parametrize("deferred", [True, False])
def test_a_full_disk_loses_nothing(log: Log, url: str, deferred: bool) -> None:
    made = ON_COMMIT.format(what="RAISE EXCEPTION USING ERRCODE = '53100'")
    if not deferred:
        made = made.replace("CONSTRAINT", "").replace("DEFERRABLE INITIALLY DEFERRED", "")
    run(url, made)
    with pytest.raises(LogFull, match="nothing of this was appended"):
        log.append([fact("k1"), fact("k2")])
    assert log.append([fact("k0")])[0].duplicate
    run(url, "DROP TRIGGER fail ON strikeout_record")
    assert log.append([fact("k1"), fact("k2")])[0].position == 2
    assert keys(log) == ["k0", "k1", "k2"]


def test_a_server_that_follows_another_is_read(log: Log, url: str) -> None:
    """There nothing can be written, the clock neither: it stands still, and what it says stays true."""
    told = log.clock()
    with open_database(f"{url}%20-cdefault_transaction_read_only%3Don", create=False) as following:
        same = following.log("a")
        assert same.verify() == log.verify()
        assert told <= same.clock() <= log.clock()
        with pytest.raises(ReadOnly, match="can only be read"):
            same.append([fact("k1")])
    assert keys(log) == ["k0"]


def test_a_server_that_is_stopped_and_started(
    log: Log, database: Database, url: str, postgres: postgresql_server.Server
) -> None:
    log.clock()
    postgres.stop("immediate")
    try:
        for attempt in (lambda: log.append([fact("k1")]), log.clock, database.ping, lambda: open_database(url)):
            with pytest.raises(DatabaseUnavailable, match="cannot be reached"):
                attempt()
    finally:
        postgres.start()
    assert keys(log) == ["k0"]
    assert log.append([fact("k1")])[0].position == 2
    assert keys(log) == ["k0", "k1"]


def test_a_writer_that_holds_on_is_not_waited_for_forever(log: Log, url: str) -> None:
    with psycopg.connect(url) as other:
        other.execute("SELECT * FROM strikeout_log FOR UPDATE")
        with pytest.raises(DatabaseUnavailable, match="busy"):
            log.append([fact("k1")])
        assert log.clock() > 0, "who reads does not wait"
        other.rollback()
    assert log.append([fact("k1")])[0].position == 2


def test_who_waits_for_another_sees_what_it_appended(url: str, clock: Clock, log: Log) -> None:
    with open_database(url, wait=20) as other:
        theirs = other.log("a")
        begun = threading.Event()
        receipts = []

        def late() -> None:
            begun.wait()
            receipts.extend(theirs.append([fact("k1"), fact("k2")]))

        thread = threading.Thread(target=late)
        thread.start()

        def wait_until_blocked() -> None:
            begun.set()
            while not run(url, "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"):
                pass

        clock.then = wait_until_blocked
        assert log.append([fact("k1")])[0].position == 2
        thread.join()
    assert [(receipt.position, receipt.duplicate) for receipt in receipts] == [(2, True), (3, False)]
    assert keys(log) == ["k0", "k1", "k2"]


def test_a_database_that_would_not_last_or_not_hold_all_text_is_refused(
    postgres: postgresql_server.Server, url: str
) -> None:
    run(url, "CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1'")
    with pytest.raises(LogError, match="LATIN1"):
        open_database(url.replace("/postgres?", "/latin?"))
    with pytest.raises(LogError, match="no tables"):
        open_database(postgres.url(), create=False)
    with pytest.raises(DatabaseUnavailable) as caught:
        open_database("postgresql://user:secret@localhost:1/none?connect_timeout=2")
    assert "secret" not in str(caught.value)


def test_what_is_acknowledged_is_on_the_disk_whatever_the_settings(url: str) -> None:
    with open_database(f"{url}%20-csynchronous_commit%3Doff") as database:
        assert database.store._writer.execute("SHOW synchronous_commit").fetchone() == ("on",)  # type: ignore[attr-defined]
        assert "options" not in database.url
