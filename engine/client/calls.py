"""Requests as data, and how one description of a request serves the client that waits and the one that awaits."""

from __future__ import annotations

import functools
import random
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, ParamSpec, Protocol, TypeVar, overload

from .errors import ServiceError, ServiceUnreachable, refusal
from .retries import AGAIN, Retries, seconds_of

P = ParamSpec("P")
T = TypeVar("T")
Answer = TypeVar("Answer")


class Reply(Protocol):
    """An answer of HTTP, wholly read."""

    @property
    def status_code(self) -> int:
        """The status code."""

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers, by their names in any case."""

    @property
    def content(self) -> bytes:
        """The body."""


@dataclass(frozen=True, slots=True)
class Request(Generic[T]):
    """A request: what is sent, and what its answer means.

    `path` stands below the service's address, with its parts quoted. `repeatable` says whether it may be sent again
    where it is not known whether it was done: what appends is, by its idempotency keys. `key` is that of the request
    as a whole.
    """

    method: str
    path: str
    answer: Callable[[Reply], T]
    query: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    media_type: str = "application/json"
    repeatable: bool = True
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A part of a long answer, and the request for the next."""

    items: list[T]
    next: Request[Page[T]] | None


@dataclass(frozen=True, slots=True)
class Lost:
    """That no answer came, and why; `sent` where the service may have got the request."""

    reason: str
    sent: bool


Step = Request[Any] | float
"""What a dialogue wants next: a request made, or so many seconds waited."""


def dialogue(request: Request[T], retries: Retries) -> Generator[Step, Reply | Lost | None, T]:
    """A request made until it is answered or refused: gives what to do next, and takes what came of it.

    Parameters
    ----------
    request : Request
        The request.
    retries : Retries
        How often to make it, and how long to wait between.

    Raises
    ------
    ServiceError
        Where the service refused it.
    ServiceUnreachable
        Where no answer came.
    """
    made = 0
    while True:
        got = yield request
        made += 1
        if got is None or isinstance(got, Lost):
            lost = got or Lost("none was given", sent=True)
            pause = retries.pause(made, random.random()) if request.repeatable or not lost.sent else None
            if pause is None:
                raise ServiceUnreachable(_lost(lost, made))
        elif 200 <= got.status_code < 300:
            return request.answer(got)
        else:
            refused = refusal(got.status_code, got.content, seconds_of(got.headers.get("retry-after"), time.time()))
            again = may_help(refused) and (request.repeatable or refused.status in (429, 503))
            pause = retries.pause(made, random.random(), refused.retry_after) if again else None
            if pause is None:
                raise refused
        yield pause


def may_help(refused: ServiceError) -> bool:
    """Whether asking again may help; what took the service too long takes it too long again."""
    return refused.status in AGAIN and refused.problem.code != "too-long"


def _lost(lost: Lost, made: int) -> str:
    tried = f" in {made} attempts" if made > 1 else ""
    unsure = "" if not lost.sent else "; whether the request was done is not known"
    return f"no answer from the service{tried}: {lost.reason}{unsure}"


class Blocking(ABC):
    """A client whose methods wait for their answers."""

    @abstractmethod
    def send(self, request: Request[T]) -> T:
        """Make a request and wait for what it answers."""


class Awaiting(ABC):
    """A client whose methods are awaited."""

    @abstractmethod
    async def send(self, request: Request[T]) -> T:
        """Make a request and await what it answers."""


class Call(Generic[P, T]):
    """A method of both clients: the description of a request, which the one sends and waits for, the other awaits."""

    def __init__(self, describe: Callable[P, Request[T]]) -> None:
        self._describe = describe
        self.__doc__ = describe.__doc__

    @overload
    def __get__(self, client: None, owner: type) -> Call[P, T]: ...
    @overload
    def __get__(self, client: Blocking, owner: type) -> Callable[P, T]: ...
    @overload
    def __get__(self, client: Awaiting, owner: type) -> Callable[P, Awaitable[T]]: ...
    def __get__(self, client: Blocking | Awaiting | None, owner: type) -> Any:
        if client is None:
            return self

        @functools.wraps(self._describe)
        def call(*arguments: P.args, **options: P.kwargs) -> Any:
            return client.send(self._describe(*arguments, **options))

        return call


class Pages(Generic[P, T]):
    """A method of both clients that gives what is spread over many pages, one item after another."""

    def __init__(self, describe: Callable[P, Request[Page[T]]]) -> None:
        self._describe = describe
        self.__doc__ = describe.__doc__

    @overload
    def __get__(self, client: None, owner: type) -> Pages[P, T]: ...
    @overload
    def __get__(self, client: Blocking, owner: type) -> Callable[P, Iterator[T]]: ...
    @overload
    def __get__(self, client: Awaiting, owner: type) -> Callable[P, AsyncIterator[T]]: ...
    def __get__(self, client: Blocking | Awaiting | None, owner: type) -> Any:
        if client is None:
            return self

        @functools.wraps(self._describe)
        def call(*arguments: P.args, **options: P.kwargs) -> Any:
            first = self._describe(*arguments, **options)
            return _all(client, first) if isinstance(client, Blocking) else _all_awaited(client, first)

        return call


def _all(client: Blocking, request: Request[Page[T]] | None) -> Iterator[T]:
    while request is not None:
        page = client.send(request)
        yield from page.items
        request = page.next


async def _all_awaited(client: Awaiting, request: Request[Page[T]] | None) -> AsyncIterator[T]:
    while request is not None:
        page = await client.send(request)
        for item in page.items:
            yield item
        request = page.next
