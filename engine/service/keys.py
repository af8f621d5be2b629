"""Keys: made once and shown once, kept as hashes, each with the scopes that it covers.

A key itself is compared with nothing. It is hashed, in a time that does not depend on what it is, and only hashes are
looked up: whoever learns from the time that a look takes how far a hash agrees has learned nothing of the key.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass

from .. import log as logs
from .problems import Refusal

SCOPES = ("append", "read", "author")

PREFIX = "so_"
REMEMBERED = 2.0
"""Seconds for which a key that was found is not looked up again: so long a revoked one may still be used."""
MOST_REMEMBERED = 10_000

CHALLENGE = {"WWW-Authenticate": 'Bearer realm="strikeout"'}


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose key a request has: the name under which it was made, and its scopes."""

    name: str
    scopes: tuple[str, ...]


def new_key() -> str:
    """A new key: 256 bits drawn by chance, which nobody can guess."""
    return PREFIX + secrets.token_urlsafe(32)


def digest(key: str) -> bytes:
    """What is kept of a key. A key is drawn by chance, so that one pass of SHA-256 is enough.

    >>> digest("so_x").hex()[:8]
    'ee5d878d'
    """
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()


class Door:
    """Who comes in: finds the holder of a key, and whether keys are asked for at all.

    A database in which no key was ever made is open; the service then listens on the loopback only.

    Parameters
    ----------
    keys : strikeout.log.Keys
        The keys of the database.
    clock : callable
        Seconds of a clock that never goes back.
    """

    def __init__(self, keys: logs.Keys, clock: Callable[[], float]) -> None:
        self._keys, self._clock = keys, clock
        self._found: dict[bytes, tuple[float, logs.Key]] = {}
        self._open = (-REMEMBERED, True)
        self._lock = threading.Lock()

    def open(self) -> bool:
        """Whether no key was ever made."""
        looked, found = self._open
        now = self._clock()
        if found and now - looked >= REMEMBERED:
            found = not self._keys.list()
            self._open = (now, found)
        return found

    def known(self, header: str) -> tuple[bool, Holder | None]:
        """Whether the holder is known without looking into the database, and who it is; None, where it is open."""
        key = _key(header)
        now = self._clock()
        if key is None:
            looked, found = self._open
            return found and now - looked < REMEMBERED, None
        known = self._found.get(digest(key))
        if known is None or now - known[0] >= REMEMBERED:
            return False, None
        return True, Holder(known[1].name, known[1].scopes)

    def enter(self, header: str) -> Holder | None:
        """The holder of the key in a header `Authorization`; None, where the database is open.

        Raises
        ------
        Refusal
            Where there is no key, or it is unknown or revoked.
        """
        key = _key(header)
        if key is None:
            if self.open():
                return None
            raise Refusal("no-key", "the header `Authorization: Bearer KEY` is missing", headers=CHALLENGE)
        hashed = digest(key)
        found = self._keys.find(hashed)
        if found is None or found.revoked_at is not None:
            self._found.pop(hashed, None)
            raise Refusal("bad-key", headers=CHALLENGE)
        with self._lock:
            if len(self._found) >= MOST_REMEMBERED:
                self._found.clear()
            self._found[hashed] = (self._clock(), found)
        return Holder(found.name, found.scopes)


def allow(holder: Holder | None, scope: str) -> None:
    """That a holder may do what needs a scope.

    Raises
    ------
    Refusal
        Where the key does not cover it.
    """
    if holder is not None and scope not in holder.scopes:
        raise Refusal("scope", f"this needs a key of the scope `{scope}`", headers=CHALLENGE)


def _key(header: str) -> str | None:
    scheme, _, key = header.partition(" ")
    return key.strip() if scheme.lower() == "bearer" and key.strip() else None
