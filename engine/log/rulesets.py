"""The rulesets of a database, each with all its texts, by the hash of these."""

from __future__ import annotations

import threading

from ..ground.problems import quoted
from ..model import Ruleset
from .bundle import Bundle, model_of
from .errors import UnknownBundle
from .stores import Store, Writing, read


class Rulesets:
    """The rulesets that are stored in a database; those asked for are remembered. Made by `Database`.

    Parameters
    ----------
    store : Store
        The database.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._bundles: dict[str, Bundle] = {}
        self._models: dict[str, Ruleset] = {}
        self._lock = threading.Lock()

    def put(self, bundle: Bundle) -> str:
        """Store a ruleset's texts; those that are stored already stay as they are.

        Returns
        -------
        str
            The bundle's hash.
        """
        content, hash = bundle.content, bundle.hash

        def work(writing: Writing) -> None:
            writing.alone()
            if not writing.rows("SELECT 1 FROM strikeout_bundle WHERE hash = ?", (bytes.fromhex(hash),)):
                writing.rows("INSERT INTO strikeout_bundle VALUES (?, ?)", (bytes.fromhex(hash), content))

        if not self.has(hash):
            self._store.write(work)
        return hash

    def has(self, hash: str) -> bool:
        """Whether a ruleset of that hash is stored."""
        return bool(read(self._store, "SELECT 1 FROM strikeout_bundle WHERE hash = ?", (_bytes(hash),)))

    def bundle(self, hash: str) -> Bundle:
        """The ruleset of a hash.

        Raises
        ------
        UnknownBundle
            Where none is stored.
        """
        with self._lock:
            found = self._bundles.get(hash)
        if found is None:
            bundle = self.stored(hash)
            with self._lock:
                found = self._bundles.setdefault(hash, bundle)
        return found

    def stored(self, hash: str) -> Bundle:
        """The same, read anew from the database."""
        rows = read(self._store, "SELECT content FROM strikeout_bundle WHERE hash = ?", (_bytes(hash),))
        if not rows:
            raise UnknownBundle(f"no ruleset of the hash {quoted(hash)} is stored")
        bundle = Bundle.read(bytes(rows[0][0]))
        if bundle.hash != hash:
            raise UnknownBundle(f"the ruleset stored under the hash {quoted(hash)} has been changed")
        return bundle

    def model(self, hash: str) -> Ruleset:
        """The checked ruleset of a hash.

        Raises
        ------
        UnknownBundle
            Where none is stored.
        RulesetError
            Where it cannot be used.
        """
        with self._lock:
            found = self._models.get(hash)
        if found is None:
            model = model_of(self.bundle(hash))
            with self._lock:
                found = self._models.setdefault(hash, model)
        return found


def _bytes(hash: str) -> bytes:
    """A hash in hexadecimal as bytes; nothing that any is, where it is none."""
    try:
        return bytes.fromhex(hash)
    except ValueError:
        return b""
