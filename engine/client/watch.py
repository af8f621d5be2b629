"""A stream of journal entries that goes on where it broke off: what it asks for, and what it takes."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ..service.types import Event
from .asking import decode
from .calls import Reply, Request, may_help
from .connection import Connection, load_httpx
from .errors import ServiceUnreachable, UnexpectedAnswer, refusal
from .event_stream import EventStream
from .of_subjects import events
from .retries import seconds_of

if TYPE_CHECKING:
    import httpx

QUIET = 60.0
"""Seconds after which a stream that sends nothing, not even that it lives, is taken to be lost."""
MEDIA_TYPE = "text/event-stream"


class JournalEvent(Event, kw_only=True):
    """A new entry of the journal, with the id behind which a stream goes on."""

    id: str


class Watch:
    """Follows the events of a log over any number of connections.

    Parameters
    ----------
    connection : Connection
        How the service is reached.
    log : str
        The log.
    subject : str or None
        The subject; None for all.
    after : str
        The id behind which to begin; nothing for now.
    """

    def __init__(self, connection: Connection, log: str, subject: str | None, after: str) -> None:
        self._connection = connection
        self._request: Request[None] = events(log, subject)
        self._stream = EventStream(after)
        self._made = 0
        self._pause = 0.0

    def arguments(self) -> dict[str, Any]:
        """What httpx is to ask for."""
        self._stream.restart()
        found = self._connection.arguments(self._request)
        found["headers"]["Accept"] = MEDIA_TYPE
        if self._stream.last_id:
            found["headers"]["Last-Event-ID"] = self._stream.last_id
        found["timeout"] = load_httpx().Timeout(self._connection.timeout, read=QUIET)
        return found

    def opened(self, reply: httpx.Response) -> bool:
        """Whether the answer is a stream of events; else it is to be read whole, and `refuse` told."""
        return reply.status_code == 200 and str(reply.headers.get("content-type")).startswith(MEDIA_TYPE)

    def refuse(self, reply: Reply) -> None:
        """Take an answer that is no stream.

        Raises
        ------
        ServiceError
            Where it is of no use to ask again.
        UnexpectedAnswer
            Where it says nothing of why.
        """
        if 200 <= reply.status_code < 300:
            raise UnexpectedAnswer("the answer is no stream of events")
        after = seconds_of(reply.headers.get("retry-after"), time.time())
        refused = refusal(reply.status_code, reply.content, after)
        self._made += 1
        pause = self._connection.retries.pause(self._made, random.random(), after) if may_help(refused) else None
        if pause is None:
            raise refused
        self._pause = pause

    def feed(self, chunk: bytes) -> Iterator[JournalEvent]:
        """The entries that are complete with these bytes."""
        self._made = 0
        for event in self._stream.feed(chunk):
            found = decode(event.data.encode(), Event)
            yield JournalEvent(
                id=event.id,
                subject=found.subject,
                at=found.at,
                sign=found.sign,
                fact=found.fact,
                ruleset=found.ruleset,
            )

    def lost(self, error: httpx.RequestError) -> None:
        """Take that the connection failed or broke.

        Raises
        ------
        ServiceUnreachable
            Where it failed too often.
        """
        self._made += 1
        pause = self._connection.retries.pause(self._made, random.random())
        if pause is None:
            reason = self._connection.lost(error).reason
            raise ServiceUnreachable(f"the stream of events is lost, after `{self._stream.last_id}`: {reason}")
        self._pause = pause

    def pause(self) -> float:
        """How many seconds to wait before the next connection."""
        pause, self._pause = self._pause, 0.0
        return max(pause, self._connection.retries.first if self._stream.retry is None else self._stream.retry)
