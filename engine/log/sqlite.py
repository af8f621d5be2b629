"""The log in SQLite: a write-ahead log, synced at every commit, and triggers that refuse what is not appending."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from . import sqlite_file
from .errors import DatabaseUnavailable, LogError, LogFull, ReadOnly, UnknownDatabase
from .sqlite_file import FAULTS
from .sqlite_tables import GLANCE, INSERT, MADE, TABLES, WITH_KEYS
from .stores import SCHEMA, Answer, NewRecord

APPLICATION = 0x5354524B
"""What the header of the file says that the database is, `STRK`."""
OLDEST = (3, 37)
MOST_IDLE = 16
"""How many connections that read are kept for the next."""
CACHE, CACHE_OF_WRITER = 8_000, 64_000
"""How much of the database a connection keeps in memory, in kibibytes: one that reads, and the one that writes."""


def translated(error: Exception) -> LogError:
    """What an error of SQLite means to whoever uses a log."""
    name = getattr(error, "sqlite_errorname", "") or ""
    if name == "SQLITE_FULL":
        return LogFull("there is no room left for the database; nothing of this was appended")
    if name == "SQLITE_READONLY":
        return ReadOnly("the database can only be read from here; nothing of this was appended")
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return DatabaseUnavailable("the database is busy: another process has been writing for too long")
    if name.startswith(("SQLITE_IOERR", "SQLITE_CANTOPEN", "SQLITE_PROTOCOL", "SQLITE_NOMEM")):
        return DatabaseUnavailable(f"the database cannot be read or written: {error}")
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")) or isinstance(error, UnicodeDecodeError):
        return DatabaseUnavailable(f"the database file is damaged, or is none: {error}")
    return LogError(f"the database refuses: {error}")


class SqliteReading:
    """A transaction that reads; its connection goes back to the store."""

    def __init__(self, store: SqliteStore, connection: sqlite3.Connection) -> None:
        self._store = store
        self._connection: sqlite3.Connection | None = connection

    def rows(self, statement: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """What a statement gives."""
        if self._connection is None:
            raise LogError("the snapshot is closed")
        try:
            found = self._connection.execute(statement, parameters).fetchall()
        except FAULTS as error:
            raise translated(error) from error
        self._store.still_unchanged()
        return found

    def close(self) -> None:
        """End the transaction."""
        connection, self._connection = self._connection, None
        if connection is not None:
            self._store.give_back(connection)


class SqliteWriting:
    """The transaction that writes."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def rows(self, statement: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """What a statement gives."""
        return self._connection.execute(statement, parameters).fetchall()

    def lock(self, log: int) -> int | None:
        """The tick of a log; the transaction has the whole database for itself."""
        found = self.rows("SELECT tick FROM strikeout_log WHERE id = ?", (log,))
        return found[0][0] if found else None

    def alone(self) -> None:
        """Nothing: who writes is alone."""

    def with_keys(self, log: int, kind: str, keys: Sequence[str]) -> list[tuple[Any, ...]]:
        """Key, subject, content, position, known_at and hash of the records of a kind that have one of the keys."""
        return self.rows(WITH_KEYS, (json.dumps(keys), log, kind))

    def insert(self, log: int, records: Sequence[NewRecord]) -> None:
        """Insert records at the end of a log."""
        self._connection.executemany(
            INSERT,
            [(log, r.position, r.known_at, r.kind, r.key, r.subject, r.content, r.previous, r.hash) for r in records],
        )


class SqliteStore:
    """A log's database in a SQLite file: one connection that writes, and some that read.

    Parameters
    ----------
    path : str
        The file.
    create : bool
        Whether to make it where it is missing.
    wait : float
        How many seconds to wait for another process that writes.
    unchanging : bool
        Whether nobody writes the file while it is open.

    Raises
    ------
    UnknownDatabase
        Where the file is missing, is no log's database, or one of a later version.
    DatabaseUnavailable
        Where it cannot be opened.
    """

    kind = "sqlite"
    near = True

    def __init__(self, path: str, create: bool, wait: float, unchanging: bool = False) -> None:
        if sqlite3.sqlite_version_info < OLDEST:
            raise DatabaseUnavailable(
                f"SQLite {sqlite3.sqlite_version} is too old: the log needs {'.'.join(map(str, OLDEST))} or later"
            )
        self.url = f"sqlite:///{path}"
        self._path = path
        self._wait = int(wait * 1_000)
        self._writer_lock = threading.Lock()
        self._idle: list[sqlite3.Connection] = []
        self._idle_lock = threading.Lock()
        self._closed = False
        if not Path(path).exists() and not create:
            raise UnknownDatabase(f"there is no database `{path}`")
        unchanging = unchanging or not (create or sqlite_file.is_open_to_writers(path))
        self._unchanging = sqlite_file.state(path) if unchanging else None
        try:
            self._writer = self._connect(CACHE_OF_WRITER)
            try:
                self._prepare(create)
                self._opened = sqlite_file.identity(path)
            except BaseException:
                self._writer.close()
                raise
        except FAULTS as error:
            found = translated(error)
            name = getattr(error, "sqlite_errorname", "") or ""
            if name == "SQLITE_NOTADB":
                raise UnknownDatabase(f"`{path}` is no SQLite database") from error
            if name.startswith(("SQLITE_CANTOPEN", "SQLITE_READONLY")) and sqlite_file.is_left_open(path):
                found = DatabaseUnavailable(
                    "nothing can be written where the database lies, and it is not whole without the `-wal` and `-shm` "
                    "of who had it open: copy what there is to where it can be written, and read it there"
                )
            raise type(found)(f"`{path}`: {found}") from error

    def _connect(self, cache: int = CACHE) -> sqlite3.Connection:
        unchanging = self._unchanging is not None
        connection = sqlite3.connect(
            sqlite_file.as_unchanging(self._path) if unchanging else self._path,
            uri=unchanging,
            isolation_level=None,
            check_same_thread=False,
            timeout=self._wait / 1_000,
            cached_statements=64,
        )
        try:
            for pragma in (
                "synchronous = FULL",
                "fullfsync = 1",
                "checkpoint_fullfsync = 1",
                "recursive_triggers = ON",
                "trusted_schema = OFF",
                "temp_store = MEMORY",
                f"cache_size = -{cache}",
            ):
                connection.execute(f"PRAGMA {pragma}")
        except BaseException:
            connection.close()
            raise
        return connection

    def _prepare(self, create: bool) -> None:
        connection = self._writer
        if self._version() is None:
            if not create:
                raise UnknownDatabase(f"`{self._path}` is empty")
            mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
            if mode != "wal":
                raise DatabaseUnavailable(f"`{self._path}` lies where SQLite can keep no write-ahead log")
            connection.execute("BEGIN IMMEDIATE")
            try:
                if self._version() is None:
                    for statement in _statements(TABLES):
                        connection.execute(statement)
                    connection.execute(f"PRAGMA application_id = {APPLICATION}")
                    connection.execute(f"PRAGMA user_version = {SCHEMA}")
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
        version = self._version() or 0
        if version > SCHEMA:
            raise UnknownDatabase(
                f"`{self._path}` was made by a newer version of this program (its tables are of version {version}, "
                f"this program knows up to {SCHEMA}): use that version or a later one"
            )

    def _version(self) -> int | None:
        """The version of the tables; None in an empty database."""
        connection = self._writer
        application = connection.execute("PRAGMA application_id").fetchone()[0]
        version: int = connection.execute("PRAGMA user_version").fetchone()[0]
        if application == APPLICATION:
            return version
        if application or version or connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone():
            raise UnknownDatabase(f"`{self._path}` is a SQLite database, but none of a log")
        return None

    def read(self) -> SqliteReading:
        """A transaction that reads, to be closed."""
        try:
            connection = self._take()
            connection.execute("BEGIN")
        except FAULTS as error:
            raise translated(error) from error
        return SqliteReading(self, connection)

    @property
    def writing(self) -> bool:
        """Whether this process is just writing."""
        return self._writer_lock.locked()

    def glance(self, log: int, subject: str, after: int, most: int, size: int) -> tuple[Any, ...] | None:
        """Tick, last position, last instant and last activation of a log, and facts of a subject as JSON, shortened."""
        try:
            connection = self._take()
            try:
                found = connection.execute(GLANCE, (log, log, log, size, log, subject, after, most, log)).fetchall()
                return found[0] if found else None
            finally:
                self._put(connection)
                self.still_unchanged()
        except FAULTS as error:
            raise translated(error) from error

    def _take(self) -> sqlite3.Connection:
        """A connection that reads: that which was used last, else a new one."""
        with self._idle_lock:
            if self._closed:
                raise DatabaseUnavailable("the database is closed")
            self._still_there()
            if self._idle:
                return self._idle.pop()
        connection = self._connect()
        connection.execute("PRAGMA query_only = ON")
        return connection

    def give_back(self, connection: sqlite3.Connection) -> None:
        """Take a connection back for the next that reads."""
        try:
            connection.execute("ROLLBACK")
        except sqlite3.Error:
            connection.close()
            return
        self._put(connection)

    def _put(self, connection: sqlite3.Connection) -> None:
        with self._idle_lock:
            if not self._closed and len(self._idle) < MOST_IDLE:
                self._idle.append(connection)
                return
        connection.close()

    def write(self, work: Callable[[SqliteWriting], Answer]) -> Answer:
        """Do a piece of work and commit it, durably."""
        with self._writer_lock:
            try:
                self._open().execute("BEGIN IMMEDIATE")
                return self._commit(work)
            except FAULTS as error:
                raise translated(error) from error

    def try_write(self, work: Callable[[SqliteWriting], Answer]) -> Answer | None:
        """The same, or None where another writes."""
        if not self._writer_lock.acquire(blocking=False):
            return None
        try:
            if not self._begin_now(self._open()):
                return None
            return self._commit(work)
        except FAULTS as error:
            raise translated(error) from error
        finally:
            self._writer_lock.release()

    def _open(self) -> sqlite3.Connection:
        if self._closed:
            raise DatabaseUnavailable("the database is closed")
        return self._writer

    def _still_there(self) -> None:
        """Refuse where the file is no longer what was opened: what is written to it would be lost with it."""
        for opened, now in zip(self._opened, sqlite_file.identity(self._path), strict=True):
            if opened is not None and now != opened:
                raise DatabaseUnavailable(
                    "the database file, or the `-wal` beside it, was removed or replaced since it was opened: "
                    "nothing is read or written until this program is started anew"
                )

    def still_unchanged(self) -> None:
        """Refuse what was read as of a file that never changes, if it did."""
        if self._unchanging is not None and sqlite_file.state(self._path) != self._unchanging:
            raise DatabaseUnavailable(
                "the database was opened as one that nobody writes, and somebody writes it now: nothing is read "
                "until this program is started anew"
            )

    def _begin_now(self, connection: sqlite3.Connection) -> bool:
        connection.execute("PRAGMA busy_timeout = 0")
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if str(getattr(error, "sqlite_errorname", "")).startswith("SQLITE_BUSY"):
                return False
            raise
        finally:
            connection.execute(f"PRAGMA busy_timeout = {self._wait}")
        return True

    def _commit(self, work: Callable[[SqliteWriting], Answer]) -> Answer:
        """Do what is to be done in the transaction that has begun, and commit it; roll it back where that fails."""
        connection = self._writer
        try:
            answer = work(SqliteWriting(connection))
            self._still_there()
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                with contextlib.suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")
        return answer

    def backup(self, path: str) -> None:
        """Write a copy of one state of the database to a new file, while others read and write."""
        try:
            with contextlib.closing(self._connect()) as source:
                sqlite_file.copy(source, path)
        except FAULTS as error:
            raise translated(error) from error

    def check(self) -> list[str]:
        """What is wrong with the file: what SQLite finds, and tables, indexes and triggers that are not there."""
        reading = self.read()
        try:
            found = [str(row[0]) for row in reading.rows("PRAGMA integrity_check")]
            there = {row[0] for row in reading.rows("SELECT name FROM sqlite_master")}
        finally:
            reading.close()
        missing = [f"`{name}` is missing, which refuses changes or finds records" for name in sorted(MADE - there)]
        return ([] if found == ["ok"] else found) + missing

    def close(self) -> None:
        """Close all connections; who reads still may go on."""
        with self._idle_lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()
        with self._writer_lock:
            self._writer.close()


def _statements(script: str) -> list[str]:
    """The statements of a script, one by one: together they would commit first what was begun."""
    found, so_far = [], ""
    for line in script.splitlines(keepends=True):
        so_far += line
        if sqlite3.complete_statement(so_far):
            found.append(so_far.strip())
            so_far = ""
    return found
