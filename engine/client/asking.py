"""What requests are made of: paths, queries, bodies, pages, and answers read as types of the service."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Mapping
from typing import TypeVar
from urllib.parse import parse_qsl, quote, urlsplit

import msgspec

from ..ground.problems import FactError
from .calls import Page, Reply, Request
from .errors import UnexpectedAnswer

Instant = str | datetime.date
"""ISO 8601 text, without an offset local to the ruleset; or a datetime, or a date for its 00:00."""
Fact = Mapping[str, object]
"""A fact: `kind`, `at`, the subject's field, the kind's fields; as JSON and Python have them."""

T = TypeVar("T")
S = TypeVar("S")

_NEXT = re.compile(r'<([^>]*)>[^<]*?;\s*rel="?next\b')


def decode(body: bytes, type_: type[T]) -> T:
    """What a body of JSON holds; members that are not known are passed over.

    Raises
    ------
    UnexpectedAnswer
        Where it holds something else.
    """
    try:
        return msgspec.json.decode(body, type=type_)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise UnexpectedAnswer(f"the answer is not what the service gives here: {error}") from None


def whole(type_: type[T]) -> Callable[[Reply], T]:
    """What reads an answer as a type."""
    return lambda reply: decode(reply.content, type_)


def part_of(type_: type[S], part: Callable[[S], T]) -> Callable[[Reply], T]:
    """What reads an answer as a type, and gives a part of it."""
    return lambda reply: part(decode(reply.content, type_))


def path_of(*parts: str) -> str:
    """The path of these segments, each of which may hold any text.

    >>> path_of("logs", "a/b", "subjects", "..")
    '/v1/logs/a%2Fb/subjects/%2E%2E'
    """
    return "/v1/" + "/".join(_segment(part) for part in parts)


def _segment(part: str) -> str:
    # A subject that is called `..` is no way up.
    return part.replace(".", "%2E") if part in (".", "..") else quote(part, safe="")


def query_of(**given: Instant | int | None) -> tuple[tuple[str, str], ...]:
    """The parameters of a query that were given.

    >>> query_of(as_of=datetime.date(2015, 1, 5), known=None, limit=3)
    (('as_of', '2015-01-05'), ('limit', '3'))
    """
    return tuple((name, text_of(value)) for name, value in given.items() if value is not None)


def text_of(value: Instant | int) -> str:
    """A parameter as text."""
    return value.isoformat() if isinstance(value, datetime.date) else str(value)


def instant(value: Instant | None) -> str | None:
    """An instant as text, where one was given."""
    return None if value is None else text_of(value)


def get(answer: Callable[[Reply], T], *parts: str, **query: Instant | int | None) -> Request[T]:
    """A request that only asks."""
    return Request("GET", path_of(*parts), answer, query_of(**query))


def post(
    answer: Callable[[Reply], T], body: object, *parts: str, repeatable: bool = True, key: str | None = None
) -> Request[T]:
    """A request with a body of JSON.

    Raises
    ------
    FactError
        Where the body has something that JSON cannot say.
    """
    try:
        encoded = msgspec.json.encode(body)
    except (TypeError, ValueError, UnicodeEncodeError) as error:
        raise FactError(f"the request cannot be written as JSON: {error}") from None
    return Request("POST", path_of(*parts), answer, body=encoded, repeatable=repeatable, key=key)


def paged(path: str, query: tuple[tuple[str, str], ...], items: Callable[[Reply], list[T]]) -> Request[Page[T]]:
    """A request whose answer goes on where its link `next` leads."""

    def page(reply: Reply) -> Page[T]:
        found = _NEXT.search(reply.headers.get("link", ""))
        if found is None:
            return Page(items(reply), None)
        # Only the query is taken: behind a proxy the service may not know its own address.
        following = tuple(parse_qsl(urlsplit(found[1]).query, keep_blank_values=True))
        if following == query:
            raise UnexpectedAnswer("the answer names itself as its next page")
        return Page(items(reply), paged(path, following, items))

    return Request("GET", path, page, query)
