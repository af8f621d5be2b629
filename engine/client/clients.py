"""The two clients of a service: one whose methods wait, one whose methods are awaited."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Generator
from types import TracebackType
from typing import TYPE_CHECKING, TypeVar

from .calls import Awaiting, Blocking, Lost, Reply, Request, Step, dialogue
from .connection import TIMEOUT, Connection, load_httpx
from .requests import Requests
from .retries import Retries
from .watch import JournalEvent, Watch

if TYPE_CHECKING:
    import httpx

T = TypeVar("T")


class Client(Connection, Requests, Blocking):
    """A client of a service whose methods wait for their answers; it may be used from many threads.

    What is asked is asked again where the connection fails or breaks, or the service is busy (429, 503): appending is
    safe to repeat, since every fact has an idempotency key. A fact that was given none has a hash of its content.

    Parameters
    ----------
    url : str
        The address of the service, such as `http://127.0.0.1:8080`.
    key : str, optional
        The key, as `strikeout key new` prints it.
    timeout : float
        Seconds in which an answer must begin, and go on.
    retries : Retries, optional
        How often a request is made, and how long is waited between.
    http : httpx.Client, optional
        What makes the connections, with its certificates, proxies and limits; else one with the defaults of httpx,
        which takes proxies from the environment. One that is given is not closed.

    Raises
    ------
    RunError
        Where httpx is not installed, which comes with the extra `client`.
    ClientError
        Where the address or the key can be none.

    Examples
    --------
    >>> from strikeout.client import Client
    >>> def report(client: Client) -> None:
    ...     fact = {"kind": "withdrawal", "at": "2015-01-05", "seller": "xiaoming", "complaint": "c1"}
    ...     receipt = client.append("orders", fact)
    ...     decision = client.decide("orders", "xiaoming")
    ...     print(receipt.position, decision.status, decision.as_of)
    """

    def __init__(
        self,
        url: str,
        key: str | None = None,
        *,
        timeout: float = TIMEOUT,
        retries: Retries | None = None,
        http: httpx.Client | None = None,
    ) -> None:
        super().__init__(url, key, timeout=timeout, retries=retries)
        self._own = http is None
        self._http: httpx.Client = load_httpx().Client() if http is None else http

    def __enter__(self) -> Client:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        if self._own:
            self._http.close()

    def send(self, request: Request[T]) -> T:
        """Make a request and wait for what it answers.

        Raises
        ------
        ServiceError
            Where the service refuses it.
        ServiceUnreachable
            Where no answer comes.
        """
        steps = dialogue(request, self.retries)
        came: Reply | Lost | None = None
        try:
            step = next(steps)
            while True:
                came = self._do(step)
                step = steps.send(came)
        except StopIteration as end:
            answer: T = end.value
            return answer

    def _do(self, step: Step) -> Reply | Lost | None:
        if not isinstance(step, Request):
            time.sleep(step)
            return None
        try:
            reply: Reply = self._http.request(**self.arguments(step))
        except load_httpx().RequestError as error:
            return self.lost(error)
        return reply

    def events(self, log: str, subject: str | None = None, after: str = "") -> Generator[JournalEvent]:
        """New entries of the journal as they come, without end; a connection that breaks is made again.

        Parameters
        ----------
        log : str
            The log.
        subject : str, optional
            The subject; else all.
        after : str, optional
            The id of the last event seen: the stream goes on behind it. Else it begins now.

        Raises
        ------
        ServiceError
            Where the service refuses the stream.
        ServiceUnreachable
            Where it cannot be reached again.
        """
        watch = Watch(self, log, subject, after)
        while True:
            try:
                with self._http.stream(**watch.arguments()) as reply:
                    if watch.opened(reply):
                        for chunk in reply.iter_bytes():
                            yield from watch.feed(chunk)
                    else:
                        reply.read()
                        watch.refuse(reply)
            except load_httpx().RequestError as error:
                watch.lost(error)
            time.sleep(watch.pause())


class AsyncClient(Connection, Requests, Awaiting):
    """A client of a service whose methods are awaited, under asyncio; otherwise as `Client`.

    Parameters
    ----------
    url, key, timeout, retries
        As for `Client`.
    http : httpx.AsyncClient, optional
        What makes the connections; one that is given is not closed.

    Examples
    --------
    >>> from strikeout.client import AsyncClient
    >>> async def standing(client: AsyncClient, seller: str) -> str:
    ...     return (await client.decide("orders", seller)).status
    """

    def __init__(
        self,
        url: str,
        key: str | None = None,
        *,
        timeout: float = TIMEOUT,
        retries: Retries | None = None,
        http: httpx.AsyncClient | None = None,
    ) -> None:
        super().__init__(url, key, timeout=timeout, retries=retries)
        self._own = http is None
        self._http: httpx.AsyncClient = load_httpx().AsyncClient() if http is None else http

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        if self._own:
            await self._http.aclose()

    async def send(self, request: Request[T]) -> T:
        """Make a request and await what it answers; as `Client.send`."""
        steps = dialogue(request, self.retries)
        came: Reply | Lost | None = None
        try:
            step = next(steps)
            while True:
                came = await self._do(step)
                step = steps.send(came)
        except StopIteration as end:
            answer: T = end.value
            return answer

    async def _do(self, step: Step) -> Reply | Lost | None:
        if not isinstance(step, Request):
            await asyncio.sleep(step)
            return None
        try:
            reply: Reply = await self._http.request(**self.arguments(step))
        except load_httpx().RequestError as error:
            return self.lost(error)
        return reply

    async def events(self, log: str, subject: str | None = None, after: str = "") -> AsyncGenerator[JournalEvent]:
        """New entries of the journal as they come, without end; as `Client.events`."""
        watch = Watch(self, log, subject, after)
        while True:
            try:
                async with self._http.stream(**watch.arguments()) as reply:
                    if watch.opened(reply):
                        async for chunk in reply.aiter_bytes():
                            for event in watch.feed(chunk):
                                yield event
                    else:
                        await reply.aread()
                        watch.refuse(reply)
            except load_httpx().RequestError as error:
                watch.lost(error)
            await asyncio.sleep(watch.pause())
