"""Requests that append facts, and that export them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from ..ground.problems import FactError
from ..service import types
from .asking import Fact, decode, paged, part_of, path_of, post, query_of
from .calls import Page, Reply, Request
from .errors import UnexpectedAnswer
from .keys import content_key, json_row


def append(log: str, fact: Fact, key: str | None = None) -> Request[types.Receipt]:
    """Append a fact to a log. It is durable once this returns, and taken once however often it is sent.

    Parameters
    ----------
    log : str
        The log.
    fact : mapping
        `kind`, `at`, the subject's field and the kind's fields; no `known_at`, which the log sets.
    key : str, optional
        The idempotency key, of 1 to 200 characters; else a hash of the content (see `content_key`).

    Returns
    -------
    Receipt
        Its position and hash, since when it is known, and whether it was there before.

    Raises
    ------
    Conflict
        Where the key was used for another fact.
    Unprocessable
        Where the fact does not fit the ruleset in force.
    """
    receipts = _receipts(1)
    return post(lambda reply: receipts(reply)[0], _new_fact(fact, key), "logs", log, "facts")


def _new_fact(fact: Fact, key: str | None) -> dict[str, object]:
    return {"key": content_key(fact) if key is None else key, "fact": json_row(fact)}


def append_many(log: str, facts: Iterable[Fact], keys: Sequence[str] | None = None) -> Request[list[types.Receipt]]:
    """Append facts to a log in one transaction: all of them or none.

    Parameters
    ----------
    log : str
        The log.
    facts : iterable of mapping
        The facts, as `append` takes them.
    keys : sequence of str, optional
        Their idempotency keys, one each; else hashes of their contents.

    Returns
    -------
    list of Receipt
        One for each, in the same order.

    Raises
    ------
    Conflict
        Where a key was used for another fact.
    Unprocessable
        Where facts do not fit the ruleset in force; `problem.errors` says which, by `index` from 0.
    """
    rows = list(facts)
    if keys is not None and len(keys) != len(rows):
        raise FactError(f"{len(rows):,} facts have {len(keys):,} keys; expected one each")
    body = [_new_fact(row, None if keys is None else keys[number]) for number, row in enumerate(rows)]
    return post(_receipts(len(rows)), body, "logs", log, "facts")


def append_lines(log: str, lines: bytes, number: int) -> Request[list[types.Receipt]]:
    """Append facts that are written already: so many lines of JSON, each with `key` and `fact`."""
    path = path_of("logs", log, "facts")
    return Request("POST", path, _receipts(number), body=lines, media_type="application/x-ndjson")


def _receipts(number: int) -> Callable[[Reply], list[types.Receipt]]:
    def receipts(found: types.Receipts) -> list[types.Receipt]:
        if len(found.receipts) != number:
            raise UnexpectedAnswer(f"{number:,} facts were sent, and {len(found.receipts):,} were acknowledged")
        return found.receipts

    return part_of(types.Receipts, receipts)


def export(log: str, after: int = 0, limit: int | None = None) -> Request[Page[types.LoggedFact]]:
    """The records of a log by position, with all that their hashes are made of.

    Parameters
    ----------
    log : str
        The log.
    after : int
        The position behind which to begin.
    limit : int, optional
        How many records to ask for at once; all are given in any case.
    """

    def records(reply: Reply) -> list[types.LoggedFact]:
        return [decode(line, types.LoggedFact) for line in reply.content.split(b"\n") if line.strip()]

    return paged(path_of("logs", log, "facts"), query_of(after=after or None, limit=limit), records)


def export_rows(log: str, after: int = 0, limit: int | None = None) -> Request[Page[types.Record]]:
    """The facts of a log as rows that `strikeout run` reads, `known_at` among them; else as `export`."""

    def rows(reply: Reply) -> list[types.Record]:
        return [decode(line, types.Record) for line in reply.content.split(b"\n") if line.strip()]

    return paged(path_of("logs", log, "facts"), query_of(after=after or None, limit=limit, format="rows"), rows)
