"""The keys that let clients in: only hashes of them are stored."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ..ground.problems import nearest, quoted
from .errors import BadRecord, LogError, LogExists
from .records import check_text
from .stores import Store, Writing

COLUMNS = "name, scopes, created_at, revoked_at"
VALID = "SELECT hash FROM strikeout_key WHERE revoked_at IS NULL"


@dataclass(frozen=True, slots=True)
class Key:
    """A key that was given out: its name, what it may do, when it was made and revoked (microseconds of UTC)."""

    name: str
    scopes: tuple[str, ...]
    created_at: int
    revoked_at: int | None


def _key(row: tuple[Any, ...]) -> Key:
    name, scopes, created_at, revoked_at = row
    return Key(name, tuple(scopes.split()), created_at, revoked_at)


class Keys:
    """The keys of a database, each found by its hash. Made by `Database`.

    Parameters
    ----------
    store : Store
        The database.
    now : callable
        The machine's clock, in microseconds since 1970 UTC.
    """

    def __init__(self, store: Store, now: Callable[[], int]) -> None:
        self._store, self._now = store, now

    def add(self, hash: bytes, scopes: Sequence[str], name: str) -> Key:
        """Store a key.

        Parameters
        ----------
        hash : bytes
            The hash of the key's text.
        scopes : sequence of str
            What it may do: words without spaces.
        name : str
            By whom it is used; each name once.

        Raises
        ------
        LogExists
            Where there is a key of that name or hash.
        """
        check_text("name of the key", name, 200)
        if any(not scope or scope.split() != [scope] for scope in scopes):
            raise BadRecord("a scope is a word without spaces")
        key = Key(name, tuple(scopes), self._now(), None)

        def work(writing: Writing) -> None:
            writing.alone()
            if writing.rows("SELECT 1 FROM strikeout_key WHERE name = ? OR hash = ?", (name, hash)):
                raise LogExists(f"there is a key {quoted(name)} already")
            row = (name, hash, " ".join(scopes), key.created_at)
            writing.rows("INSERT INTO strikeout_key (name, hash, scopes, created_at) VALUES (?, ?, ?, ?)", row)

        self._store.write(work)
        return key

    def find(self, hash: bytes) -> Key | None:
        """The key of that hash, revoked ones too; None where there is none.

        What the database found is compared once more, in a time that does not depend on where it would differ.
        """
        found = self._read(f"SELECT {COLUMNS}, hash FROM strikeout_key WHERE hash = ?", (hash,))
        return next((_key(row[:-1]) for row in found if hmac.compare_digest(bytes(row[-1]), hash)), None)

    def valid(self) -> frozenset[bytes]:
        """The hashes of all keys that are not revoked."""
        return frozenset(bytes(row[0]) for row in self._read(VALID, ()))

    def list(self) -> list[Key]:
        """All keys, by name."""
        return sorted(map(_key, self._read(f"SELECT {COLUMNS} FROM strikeout_key", ())), key=lambda key: key.name)

    def revoke(self, name: str) -> Key:
        """Revoke a key; one that is revoked stays as it is.

        Raises
        ------
        LogError
            Where there is none of that name.
        """
        instant = self._now()

        def work(writing: Writing) -> Key:
            found = writing.rows(f"SELECT {COLUMNS} FROM strikeout_key WHERE name = ?", (name,))
            if not found:
                names = [row[0] for row in writing.rows("SELECT name FROM strikeout_key")]
                hint = nearest(name, names)
                raise LogError(f"unknown key {quoted(name)}" + (f"; {hint}" if hint else ""))
            if found[0][3] is None:
                writing.rows("UPDATE strikeout_key SET revoked_at = ? WHERE name = ?", (instant, name))
            return _key((*found[0][:3], instant if found[0][3] is None else found[0][3]))

        return self._store.write(work)

    def _read(self, statement: str, parameters: tuple[object, ...]) -> Sequence[tuple[Any, ...]]:
        reading = self._store.read()
        try:
            return reading.rows(statement, parameters)
        finally:
            reading.close()
