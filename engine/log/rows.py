"""From a row, as clients give it, to a fact that a log takes."""

from __future__ import annotations

from collections.abc import Mapping

from ..facts import Fact
from ..model import Ruleset
from ..rows import Binder
from ..speech.outcome import record
from .errors import BadRecord
from .records import NewFact, canonical


def content_of(ruleset: Ruleset, fact: Fact) -> bytes:
    """A fact as a log holds it: canonical JSON, what was missing filled in, without `known_at`."""
    row = record(ruleset, fact)
    if fact.seq:
        row["seq"] = fact.seq
    return canonical(row)


def new_fact(binder: Binder, row: Mapping[str, object], key: str) -> NewFact:
    """The fact that a row gives, checked against a ruleset.

    Parameters
    ----------
    binder : Binder
        Of the ruleset in force; it belongs to one thread.
    row : mapping
        Values by column, as `Binder.fact` takes them; without `known_at`.
    key : str
        The key under which it is appended.

    Raises
    ------
    BadCell
        At the first cell that cannot be used.
    BadRecord
        Where the row says its `known_at`.

    Examples
    --------
    >>> import strikeout
    >>> binder = Binder(strikeout.load("taobao-counterfeit").model)
    >>> row = {"kind": "withdrawal", "at": "2015-01-05", "seller": "s", "complaint": "c1"}
    >>> new_fact(binder, row, "k1").content.decode()
    '{"at":"2015-01-05T00:00:00+08:00","complaint":"c1","kind":"withdrawal","seller":"s"}'
    """
    if row.get("known_at") not in (None, ""):
        raise BadRecord("the fact says its `known_at`, which the log sets itself: leave it out")
    fact = binder.fact(row)
    return NewFact(key, fact.subject, content_of(binder.ruleset, fact))
