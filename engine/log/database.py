"""Databases of logs: how one is opened, and the logs, rulesets and keys in it."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from urllib.parse import unquote

from ..ground.problems import quoted
from ..ground.values import Instant
from ..model import Ruleset
from .bundle import Bundle
from .errors import BadRecord, DatabaseUnavailable, LogExists, UnknownLog
from .keys import Keys
from .log import Log
from .rulesets import Rulesets
from .stores import Store, Writing, read
from .tip import machine_clock

NAME = re.compile("[a-z0-9-]{1,64}")
WAIT = 10.0
"""How many seconds to wait for others that write."""


def open_database(
    url: str,
    create: bool = True,
    *,
    clock: Callable[[], Instant] = machine_clock,
    wait: float = WAIT,
    unchanging: bool = False,
) -> Database:
    """Open a database of logs.

    Parameters
    ----------
    url : str
        A path or `sqlite:///PATH` (an absolute path makes four slashes), or `postgresql://…`, for which the extra
        `postgres` is needed.
    create : bool
        Whether to make the database file, or the tables in PostgreSQL, where they are missing.
    clock : callable
        The machine's clock, in microseconds since 1970 UTC.
    wait : float
        How many seconds to wait for other processes that write.
    unchanging : bool
        Whether nobody writes the file while it is open, as a copy: then SQLite needs no room beside it to read it.
        Without `create` this is so as well where nothing can be written.

    Returns
    -------
    Database
        To be closed, or used by `with`; it may be used from many threads.

    Raises
    ------
    UnknownDatabase
        Where there is none, none of a log, or one of a newer version.
    DatabaseUnavailable
        Where it cannot be reached.

    Examples
    --------
    >>> import tempfile
    >>> from strikeout.log import NewFact, canonical
    >>> with tempfile.TemporaryDirectory() as folder, open_database(f"{folder}/log.db") as database:
    ...     log = database.create("counterfeit")
    ...     fact = NewFact("k1", "s", canonical({"kind": "withdrawal", "at": "2015-01-05", "seller": "s"}))
    ...     first, again = log.append([fact])[0], log.append([fact])[0]
    >>> first.position, again.duplicate, first.known_at == again.known_at
    (1, True, True)
    """
    scheme, separator, rest = url.partition("://")
    store: Store
    if scheme in ("postgresql", "postgres") and separator:
        try:
            from .postgres import PostgresStore
        except ImportError as error:
            raise DatabaseUnavailable(
                f"PostgreSQL needs the extra `postgres`: pip install 'strikeout[postgres]' ({error})"
            ) from None
        store = PostgresStore(url, create, wait)
    else:
        if scheme == "sqlite" and separator:
            path = unquote(rest.removeprefix("/"))
        elif separator:
            raise DatabaseUnavailable(f"{quoted(scheme)} is no database; known are `sqlite` and `postgresql`")
        else:
            path = url
        if not path or path == ":memory:" or "\0" in path:
            raise DatabaseUnavailable(f"{quoted(url)} names no file, and a log in memory would not last")
        from .sqlite import SqliteStore

        store = SqliteStore(path, create, wait, unchanging)
    return Database(store, clock)


class Database:
    """A database of logs; made by `open_database`.

    Attributes
    ----------
    keys : Keys
        The keys that let clients in.
    rulesets : Rulesets
        The rulesets that the logs put in force.
    """

    def __init__(self, store: Store, now: Callable[[], Instant] = machine_clock) -> None:
        self.store, self.now = store, now
        self.keys, self.rulesets = Keys(store, now), Rulesets(store)
        self._logs: dict[str, Log] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> Database:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<strikeout database {self.url}>"

    @property
    def url(self) -> str:
        """Where the database is, without the password."""
        return self.store.url

    @property
    def kind(self) -> str:
        """`sqlite` or `postgresql`."""
        return self.store.kind

    def close(self) -> None:
        """Close all connections."""
        self.store.close()

    def ping(self) -> None:
        """Ask the database for something small.

        Raises
        ------
        DatabaseUnavailable
            Where it does not answer.
        """
        read(self.store, "SELECT 1")

    # Logs.

    def logs(self) -> list[str]:
        """The names of the logs, sorted."""
        return sorted(row[0] for row in read(self.store, "SELECT name FROM strikeout_log"))

    def log(self, name: str) -> Log:
        """The log of a name.

        Raises
        ------
        UnknownLog
            Where there is none; the nearest name is suggested.
        """
        with self._lock:
            found = self._logs.get(name)
        if found is not None:
            return found
        rows = read(self.store, "SELECT id FROM strikeout_log WHERE name = ?", (name,)) if NAME.fullmatch(name) else []
        if not rows:
            raise UnknownLog(name, self.logs())
        return self._made(name, rows[0][0])

    def create(self, name: str) -> Log:
        """Make a log.

        Parameters
        ----------
        name : str
            Small letters, digits and `-`, 64 at most.

        Raises
        ------
        LogExists
            Where there is one of that name.
        BadRecord
            Where the name cannot be.
        """
        if not NAME.fullmatch(name):
            raise BadRecord(f"{quoted(name)} is no name of a log: small letters, digits and `-`, 64 at most")
        instant = self.now()

        def work(writing: Writing) -> int:
            writing.alone()
            if writing.rows("SELECT 1 FROM strikeout_log WHERE name = ?", (name,)):
                raise LogExists(f"there is a log {quoted(name)} already")
            number: int = writing.rows("SELECT coalesce(max(id), 0) + 1 FROM strikeout_log")[0][0]
            writing.rows("INSERT INTO strikeout_log VALUES (?, ?, ?, 0)", (number, name, instant))
            return number

        return self._made(name, self.store.write(work))

    def _made(self, name: str, number: int) -> Log:
        with self._lock:
            return self._logs.setdefault(name, Log(self.store, self.now, self.rulesets, name, number))

    # Rulesets.

    def put_bundle(self, bundle: Bundle) -> str:
        """Store a ruleset's texts, and give their hash; those that are stored already stay as they are."""
        return self.rulesets.put(bundle)

    def bundle(self, hash: str) -> Bundle:
        """The ruleset of a hash.

        Raises
        ------
        UnknownBundle
            Where none is stored.
        """
        return self.rulesets.bundle(hash)

    def model(self, hash: str) -> Ruleset:
        """The checked ruleset of a hash.

        Raises
        ------
        UnknownBundle
            Where none is stored.
        RulesetError
            Where it cannot be used.
        """
        return self.rulesets.model(hash)

    # The whole.

    def backup(self, path: str) -> None:
        """Write a copy of the database to a new file while it is in use (SQLite); it is of one instant.

        Raises
        ------
        LogError
            Where it cannot be written, or the database is one that others copy.
        """
        self.store.backup(path)

    def check(self) -> list[str]:
        """What is wrong with the files of the database, as far as the database can tell."""
        return self.store.check()
