"""The log in PostgreSQL 15 or later, by psycopg 3 (the extra `postgres`)."""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import errors

from .errors import DatabaseUnavailable, LogError, LogFull, ReadOnly, UnknownDatabase
from .postgres_tables import INSERT, MADE, TABLES, TRIGGERS, WITH_KEYS
from .stores import SCHEMA, Answer, NewRecord

OLDEST = 150_000
MOST_IDLE = 16
"""How many connections that read are kept for the next."""
MOST_TRIES = 8
"""How often a transaction is begun anew where the database could not order it among others."""
SETTLING = 0x73747275636B
"""The lock that is held while tables, logs, keys and rulesets are made."""

DEFAULTS: Final = {
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
    "application_name": "strikeout",
}
"""How a connection is made unless the address says otherwise: one that is dead is noticed within half a minute."""

Connection: TypeAlias = "psycopg.Connection[tuple[Any, ...]]"


@functools.lru_cache(maxsize=256)
def _numbered(statement: str) -> str:
    return statement.replace("?", "%s")


def translated(error: psycopg.Error) -> LogError:
    """What an error of PostgreSQL means to whoever uses a log."""
    said = (error.diag.message_primary or str(error)).strip().splitlines()
    message = said[0] if said else "no reason is given"
    if isinstance(error, errors.DiskFull):
        return LogFull("there is no room left for the database; nothing of this was appended")
    if isinstance(error, errors.ReadOnlySqlTransaction):
        return ReadOnly("the database can only be read, as one that follows another: nothing of this was appended")
    if isinstance(error, errors.LockNotAvailable):
        return DatabaseUnavailable("the database is busy: another process has been writing for too long")
    if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return DatabaseUnavailable(f"the database cannot be reached, or the connection was lost: {message}")
    return LogError(f"the database refuses: {message}")


class PostgresReading:
    """A transaction that reads one state of the database; its connection goes back to the store."""

    def __init__(self, store: PostgresStore, connection: Connection) -> None:
        self._store = store
        self._connection: Connection | None = connection

    def rows(self, statement: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """What a statement gives."""
        if self._connection is None:
            raise LogError("the snapshot is closed")
        try:
            found: list[tuple[Any, ...]] = self._connection.execute(
                _numbered(statement), parameters, binary=True
            ).fetchall()
        except psycopg.Error as error:
            raise translated(error) from error
        return found

    def close(self) -> None:
        """End the transaction."""
        connection, self._connection = self._connection, None
        if connection is not None:
            self._store.give_back(connection)


class PostgresWriting:
    """The transaction that writes."""

    def __init__(self, connection: Connection, wait: bool) -> None:
        self._connection, self._wait = connection, wait

    def rows(self, statement: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """What a statement gives."""
        cursor = self._connection.execute(_numbered(statement), parameters, binary=True)
        found: list[tuple[Any, ...]] = cursor.fetchall() if cursor.description else []
        return found

    def lock(self, log: int) -> int | None:
        """The tick of a log, whose row is locked until the transaction ends; None where it is not had."""
        skip = "" if self._wait else " SKIP LOCKED"
        # The records are read by a statement of their own: it sees what was committed while this one waited.
        found = self.rows(f"SELECT tick FROM strikeout_log WHERE id = ? FOR UPDATE{skip}", (log,))
        return found[0][0] if found else None

    def alone(self) -> None:
        """Wait until nobody else makes logs or keys, or stores rulesets."""
        self.rows("SELECT pg_advisory_xact_lock(?)", (SETTLING,))

    def with_keys(self, log: int, kind: str, keys: Sequence[str]) -> list[tuple[Any, ...]]:
        """Key, subject, content, position, known_at and hash of the records of a kind that have one of the keys."""
        cursor = self._connection.execute(WITH_KEYS, (list(keys), log, kind), binary=True)
        found: list[tuple[Any, ...]] = cursor.fetchall()
        return found

    def insert(self, log: int, records: Sequence[NewRecord]) -> None:
        """Insert records at the end of a log."""
        columns = [
            [r.position for r in records],
            [r.known_at for r in records],
            [r.kind for r in records],
            [r.key for r in records],
            [r.subject for r in records],
            [r.content for r in records],
            [r.previous for r in records],
            [r.hash for r in records],
        ]
        self._connection.execute(INSERT, (log, *columns), binary=True)


class PostgresStore:
    """A log's database in PostgreSQL: one connection that writes, and some that read.

    Parameters
    ----------
    url : str
        The address, `postgresql://…`; the tables are made in the first schema of its search path.
    create : bool
        Whether to make the tables where they are missing.
    wait : float
        How many seconds to wait for others that write.

    Raises
    ------
    UnknownDatabase
        Where the tables are missing, or of a later version.
    DatabaseUnavailable
        Where the server cannot be reached.
    """

    kind = "postgresql"
    near = False

    def __init__(self, url: str, create: bool, wait: float) -> None:
        self.url = _without_password(url)
        self._address, self._wait = url, max(1, int(wait * 1_000))
        self._writer_lock = threading.Lock()
        self._idle: list[Connection] = []
        self._idle_lock = threading.Lock()
        self._closed = False
        try:
            self._writer: Connection = self._connect()
        except psycopg.Error as error:
            raise translated(error) from None
        try:
            self._prepare(create)
        except psycopg.Error as error:
            self._writer.close()
            raise translated(error) from error
        except BaseException:
            self._writer.close()
            raise

    def _connect(self) -> Connection:
        given = psycopg.conninfo.conninfo_to_dict(self._address)
        missing: dict[str, Any] = {name: value for name, value in DEFAULTS.items() if name not in given}
        connection: Connection = psycopg.connect(self._address, autocommit=True, **missing)
        try:
            # What is acknowledged is on the disk, whatever the server's settings say of this.
            connection.execute(
                "SELECT set_config('synchronous_commit', 'on', false) "
                "WHERE current_setting('synchronous_commit') = 'off'"
            )
            connection.execute(f"SET lock_timeout = {self._wait}")
            connection.execute("SET idle_in_transaction_session_timeout = '300s'")
            connection.execute("SET client_min_messages = error")
        except BaseException:
            connection.close()
            raise
        return connection

    def _prepare(self, create: bool) -> None:
        connection = self._writer
        if connection.info.server_version < OLDEST:
            raise UnknownDatabase("the log needs PostgreSQL 15 or later")
        (encoding,), (fsync,) = (
            connection.execute(f"SHOW {name}").fetchone() or ("",) for name in ("server_encoding", "fsync")
        )
        if encoding != "UTF8":
            raise UnknownDatabase(f"the database holds text in {encoding}: the log needs one in UTF8")
        if fsync != "on":
            raise DatabaseUnavailable("the server runs with `fsync` off, and would lose what it has acknowledged")
        version = self._version()
        if version is None and create:
            with connection.transaction():
                connection.execute("SELECT pg_advisory_xact_lock(%s)", (SETTLING,))
                if self._version() is None:
                    connection.execute(TABLES)
                    connection.execute("INSERT INTO strikeout_schema VALUES (%s)", (SCHEMA,))
            version = self._version()
        if version is None:
            raise UnknownDatabase("the database has no tables of a log")
        if version > SCHEMA:
            raise UnknownDatabase(
                f"the database was made by a newer version of this program (its tables are of version {version}, "
                f"this program knows up to {SCHEMA}): use that version or a later one"
            )

    def _version(self) -> int | None:
        """The version of the tables; None where there are none."""
        found = self._writer.execute("SELECT to_regclass('strikeout_schema') IS NOT NULL").fetchone()
        if not found or not found[0]:
            return None
        row = self._writer.execute("SELECT max(version) FROM strikeout_schema").fetchone()
        return row[0] if row else None

    def read(self) -> PostgresReading:
        """A transaction that reads one state, to be closed."""
        for last in (False, True):
            with self._idle_lock:
                if self._closed:
                    raise DatabaseUnavailable("the database is closed")
                connection = self._idle.pop() if self._idle else None
            fresh = connection is None
            try:
                if connection is None:
                    connection = self._connect()
                connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            except psycopg.OperationalError as error:
                if connection is not None:
                    connection.close()
                if fresh or last:
                    raise translated(error) from error
                self._forget_idle()  # The server may have been started anew; then all that were kept are dead.
            except psycopg.Error as error:
                raise translated(error) from error
            else:
                return PostgresReading(self, connection)
        raise DatabaseUnavailable("the database cannot be reached")

    @property
    def writing(self) -> bool:
        """Whether this process is just writing."""
        return self._writer_lock.locked()

    def glance(self, log: int, subject: str, after: int, most: int, size: int) -> tuple[Any, ...] | None:
        """Nothing: each look waits for the server."""
        return None

    def _forget_idle(self) -> None:
        with self._idle_lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def give_back(self, connection: Connection) -> None:
        """Take a connection back for the next that reads."""
        try:
            connection.execute("ROLLBACK")
        except psycopg.Error:
            connection.close()
            return
        with self._idle_lock:
            if not self._closed and len(self._idle) < MOST_IDLE:
                self._idle.append(connection)
                return
        connection.close()

    def write(self, work: Callable[[PostgresWriting], Answer]) -> Answer:
        """Do a piece of work and commit it, durably; anew where it could not be ordered among others."""
        with self._writer_lock:
            return self._do(work, wait=True)

    def try_write(self, work: Callable[[PostgresWriting], Answer]) -> Answer | None:
        """The same, or None where another thread writes; the work's `lock` gives None where another process does."""
        if not self._writer_lock.acquire(blocking=False):
            return None
        try:
            return self._do(work, wait=False)
        finally:
            self._writer_lock.release()

    def _do(self, work: Callable[[PostgresWriting], Answer], wait: bool) -> Answer:
        for left in reversed(range(MOST_TRIES)):
            try:
                return self._transact(self._begun(), work, wait)
            except (errors.SerializationFailure, errors.DeadlockDetected) as error:
                if not left:
                    raise DatabaseUnavailable("the database is busy: others write all the time") from error
            except psycopg.Error as error:
                raise translated(error) from error
        raise DatabaseUnavailable("the database is busy")

    def _begun(self) -> Connection:
        """The connection that writes, in a transaction; a new one where the old one was lost while nothing was done."""
        if self._closed:
            raise DatabaseUnavailable("the database is closed")
        if not self._writer.closed:
            try:
                self._writer.execute("BEGIN")
            except psycopg.OperationalError:
                self._writer.close()
            else:
                return self._writer
        self._writer = self._connect()
        self._writer.execute("BEGIN")
        return self._writer

    def _transact(self, connection: Connection, work: Callable[[PostgresWriting], Answer], wait: bool) -> Answer:
        try:
            answer = work(PostgresWriting(connection, wait))
        except BaseException:
            with contextlib.suppress(psycopg.Error):
                connection.execute("ROLLBACK")
            if connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
                connection.close()
            raise
        try:
            said = connection.execute("COMMIT").statusmessage
        except psycopg.OperationalError as error:
            if not connection.closed:  # The server says that it was not committed.
                raise
            raise DatabaseUnavailable(
                "the connection to the database was lost while the batch was being committed, and whether it is in the "
                "log is not known: send it again with the same keys"
            ) from error
        except BaseException:
            connection.close()
            raise
        if said != "COMMIT":
            raise LogError("the database did not commit")
        return answer

    def backup(self, path: str) -> None:
        """Nothing: PostgreSQL has programs of its own for this."""
        raise LogError("a PostgreSQL database is backed up with `pg_dump`, or with `pg_basebackup` and archived WAL")

    def check(self) -> list[str]:
        """Which triggers that refuse changes are not there or off; `pg_amcheck` is for the files."""
        reading = self.read()
        try:
            there = {row[0] for row in reading.rows(TRIGGERS)}
        finally:
            reading.close()
        return [f"`{name}` is missing or off, which refuses changes" for name in sorted(MADE - there)]

    def close(self) -> None:
        """Close all connections; who reads still may go on."""
        with self._idle_lock:
            self._closed = True
        self._forget_idle()
        with self._writer_lock:
            self._writer.close()


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    place = parts.netloc
    if "@" in place:
        user, _, host = place.rpartition("@")
        place = f"{user.partition(':')[0]}@{host}"
    return urlunsplit((parts.scheme, place, parts.path, "", ""))
