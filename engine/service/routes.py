"""What a route is: one row for each, of which the service answers and the OpenAPI document is made."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote_to_bytes

from .core import Core
from .keys import Holder
from .problems import Refusal

JSON, LINES, EVENTS, TEXT = "application/json", "application/x-ndjson", "text/event-stream", "text/plain"

MOST_TEXT = 10_000
"""How many characters a parameter may have, as an id in a fact."""


@dataclass(frozen=True, slots=True)
class Query:
    """A parameter of the query: its name, its schema, and what it says."""

    name: str
    doc: str
    schema: Mapping[str, Any] = field(default_factory=lambda: {"type": "string"})
    required: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """A request, as a handler sees it.

    Attributes
    ----------
    service : Core
        The database, the rulesets, and what is kept of subjects.
    route : Route
        The route.
    path, query : mapping
        The parameters, decoded.
    headers : mapping
        The headers, by their names in lower case.
    body : bytes
        The body.
    holder : Holder or None
        Whose key it is; None where the service is open.
    deadline : float
        When the answer must be found, in seconds of the clock that never goes back.
    """

    service: Core
    route: Route
    path: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    holder: Holder | None
    deadline: float

    def in_time(self) -> None:
        """That there is still time for an answer.

        Raises
        ------
        Refusal
            Where there is not.
        """
        self.service.in_time(self.deadline)

    def number(self, name: str, default: int, least: int, most: int) -> int:
        """A whole number of the query.

        Raises
        ------
        Refusal
            Where it is none, or lies outside.
        """
        text = self.query.get(name)
        if text is None:
            return default
        if not (text.isascii() and text.isdigit() and len(text) < 20 and least <= int(text) <= most):
            raise Refusal("bad-request", f"`{name}`: expected a number from {least} to {most:,}")
        return int(text)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a handler gives: the body, its type, status and headers, and its tag where it is not that of the body."""

    body: bytes
    status: int = 200
    type: str = JSON
    headers: tuple[tuple[str, str], ...] = ()
    tag: str = ""


Handler = Callable[[Call], Answer]


@dataclass(frozen=True, slots=True)
class Route:
    """A row of the table.

    Attributes
    ----------
    method, path : str
        The path has parameters in braces; each is one segment, percent-encoded, and may hold any text.
    scope : str
        The scope that a key needs; none, where no key is needed.
    handler : callable
        What answers, in a thread of `work`.
    work : str
        `decide`, `write` or `slow`: whose queue it stands in; nothing, where it is quick and touches no database.
    summary, doc : str
        What it does, in a line, and in more.
    answer : type or str
        The type of a JSON answer, or another media type.
    body : type, optional
        The type of the body.
    body_types : tuple of str
        The media types of the body.
    query : tuple of Query
        The parameters of the query.
    headers : tuple of Query
        The headers that it reads.
    status : int
        The status of an answer.
    refusals : tuple of str
        Codes of `problems.CODES` that are its own.
    streams : bool
        Whether it answers by a stream of events.
    quick : callable, optional
        What answers at once, without waiting, where that takes little; else it gives None, and `handler` answers.
    """

    method: str
    path: str
    scope: str
    handler: Handler
    work: str
    summary: str
    doc: str
    answer: Any
    body: Any = None
    body_types: tuple[str, ...] = (JSON,)
    query: tuple[Query, ...] = ()
    headers: tuple[Query, ...] = ()
    status: int = 200
    refusals: tuple[str, ...] = ()
    streams: bool = False
    quick: Callable[[Call], Answer | None] | None = None

    @property
    def segments(self) -> tuple[str, ...]:
        """The segments of the path."""
        return tuple(self.path.split("/")[1:])

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of the parameters of the path."""
        return tuple(re.findall(r"\{(\w+)\}", self.path))


class Table:
    """Finds the route of a path, whose segments are split before they are decoded: a subject may hold a slash."""

    def __init__(self, routes: tuple[Route, ...]) -> None:
        self.routes = routes
        self._by_length: dict[int, list[tuple[tuple[str, ...], Route]]] = {}
        for route in routes:
            self._by_length.setdefault(len(route.segments), []).append((route.segments, route))

    def find(self, method: str, raw_path: bytes) -> tuple[Route, dict[str, str]]:
        """The route of a request, and the parameters of its path.

        Raises
        ------
        Refusal
            Where there is none, or none of that method.
        """
        raw = raw_path.decode("latin-1").split("/")[1:]
        allowed: list[str] = []
        for segments, route in self._by_length.get(len(raw), ()):
            found: dict[str, str] = {}
            for wanted, given in zip(segments, raw, strict=True):
                if wanted[:1] == "{":
                    if not given:
                        break
                    found[wanted[1:-1]] = given
                elif wanted != given:
                    break
            else:
                if route.method == method or (method == "HEAD" and route.method == "GET" and not route.streams):
                    return route, {name: decoded(name, text) for name, text in found.items()}
                allowed.append(route.method)
                if route.method == "GET" and not route.streams:
                    allowed.append("HEAD")
        if allowed:
            allow = ", ".join(sorted(set(allowed)))
            raise Refusal("method", f"only {allow} is known here", headers={"Allow": allow})
        raise Refusal("not-found")


def decoded(name: str, text: str) -> str:
    """A segment of a path, decoded.

    Raises
    ------
    Refusal
        Where it is no text.
    """
    if "%" in text:
        try:
            text = unquote_to_bytes(text).decode()
        except UnicodeDecodeError:
            raise Refusal("bad-request", f"`{name}` in the path is not UTF-8") from None
    elif not text.isascii():
        try:
            text = text.encode("latin-1").decode()
        except UnicodeDecodeError:
            raise Refusal("bad-request", f"`{name}` in the path is not UTF-8") from None
    return checked(name, text)


def checked(name: str, text: str) -> str:
    """A text that a fact could hold.

    Raises
    ------
    Refusal
        Where it is too long or holds a NUL character.
    """
    if len(text) > MOST_TEXT:
        raise Refusal("bad-request", f"`{name}` is longer than {MOST_TEXT:,} characters")
    if "\0" in text:
        raise Refusal("bad-request", f"`{name}` holds a NUL character")
    return text


def query_of(route: Route, query: bytes) -> dict[str, str]:
    """The parameters of a query: each known, and given once.

    Raises
    ------
    Refusal
        Where one is unknown, missing, given twice or no text.
    """
    found: dict[str, str] = {}
    if query:
        try:
            pairs = parse_qsl(query.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=100)
        except (UnicodeDecodeError, ValueError):
            raise Refusal("bad-request", "the query cannot be read: expected NAME=VALUE, percent-encoded") from None
        known = {parameter.name for parameter in route.query}
        for name, value in pairs:
            if name not in known:
                listed = ", ".join(f"`{n}`" for n in sorted(known)) or "none"
                raise Refusal("bad-request", f"the query has an unknown parameter; known are {listed}")
            if name in found:
                raise Refusal("bad-request", f"the query gives `{name}` twice")
            found[name] = checked(name, value)
    for parameter in route.query:
        if parameter.required and parameter.name not in found:
            raise Refusal("bad-request", f"the query needs `{parameter.name}`")
        members = parameter.schema.get("enum")
        if members and parameter.name in found and found[parameter.name] not in members:
            expected = ", ".join(f"`{member}`" for member in members)
            raise Refusal("bad-request", f"`{parameter.name}`: expected one of {expected}")
    return found
