"""Keys: made once and shown once, kept as hashes, each with the scopes that it covers.

A key itself is compared with nothing. It is hashed, in a time that does not depend on what it is, and only hashes are
looked up: whoever learns from the time that a look takes how far a hash agrees has learned nothing of the key. What was
found is compared with the hash once more, in constant time.

**Who tries keys** costs little. Each key that is not remembered is a look into the database, of which there are only so
many a second; beyond that, a key is looked up only if it is among all that are valid, which are read every two seconds.
So what is tried in vain is refused where the request is read, and whoever has a valid key is let in as ever.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass

from .. import log as logs
from .limits import Rates
from .problems import Refusal

SCOPES = ("append", "read", "author")

PREFIX = "so_"
REMEMBERED = 2.0
"""Seconds for which a key that was found is not looked up again: so long a revoked one may still be used."""
MOST_REMEMBERED = 10_000
LOOKS, LOOKS_AT_ONCE = 20.0, 100.0
"""How many keys that are not remembered are looked up in a second, and at once."""

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
        self._looks = Rates(LOOKS, LOOKS_AT_ONCE)
        self._valid: tuple[float, frozenset[bytes]] = (-REMEMBERED, frozenset())
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
        """Whether the holder is known without looking into the database, and who it is; None, where it is open.

        Raises
        ------
        Refusal
            Where it is known that there is no holder, or too many keys are tried.
        """
        key = _key(header)
        now = self._clock()
        if key is None:
            looked, found = self._open
            if not found:
                raise _no_key()
            return now - looked < REMEMBERED, None
        hashed = digest(key)
        known = self._found.get(hashed)
        if known is not None and now - known[0] < REMEMBERED:
            return True, Holder(known[1].name, known[1].scopes)
        if self._looks.wait("", now):
            looked, valid = self._valid
            if now - looked < REMEMBERED and hashed not in valid:
                raise _too_many()
        return False, None

    def enter(self, header: str) -> Holder | None:
        """The holder of the key in a header `Authorization`; None, where the database is open.

        Raises
        ------
        Refusal
            Where there is no key, it is unknown or revoked, or too many are tried.
        """
        key = _key(header)
        if key is None:
            if self.open():
                return None
            raise _no_key()
        hashed = digest(key)
        now = self._clock()
        if self._looks.empty("", now) and hashed not in self._all_valid(now):
            raise _too_many()
        found = self._keys.find(hashed)
        if found is None or found.revoked_at is not None:
            self._found.pop(hashed, None)
            raise Refusal("bad-key", headers=CHALLENGE)
        with self._lock:
            if len(self._found) >= MOST_REMEMBERED:
                self._found.clear()
            self._found[hashed] = (now, found)
        return Holder(found.name, found.scopes)

    def _all_valid(self, now: float) -> frozenset[bytes]:
        """The hashes of all keys that are valid, read every two seconds at most."""
        with self._lock:
            looked, valid = self._valid
            if now - looked >= REMEMBERED:
                valid = self._keys.valid()
                self._valid = (now, valid)
            return valid


def allow(holder: Holder | None, scope: str) -> None:
    """That a holder may do what needs a scope.

    Raises
    ------
    Refusal
        Where the key does not cover it.
    """
    if holder is not None and scope not in holder.scopes:
        raise Refusal("scope", f"this needs a key of the scope `{scope}`", headers=CHALLENGE)


def _no_key() -> Refusal:
    return Refusal("no-key", "the header `Authorization: Bearer KEY` is missing", headers=CHALLENGE)


def _too_many() -> Refusal:
    return Refusal("rate", "too many keys are tried that are not known", headers={"Retry-After": "1"})


def _key(header: str) -> str | None:
    scheme, _, key = header.partition(" ")
    return key.strip() if scheme.lower() == "bearer" and key.strip() else None
