"""Server-sent events on the wire: headers, events, heartbeats, and the end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any

import msgspec

from .events import Follower, Told
from .problems import Refusal
from .routes import EVENTS

if TYPE_CHECKING:
    from .routes import Call

Message = MutableMapping[str, Any]

HEADERS = (
    ("content-type", EVENTS),
    ("cache-control", "no-cache, private"),
    ("x-accel-buffering", "no"),
)
RETRY = b"retry: 2000\n\n"
HEARTBEAT = b": still here\n\n"


async def stream(
    call: Call,
    scope: Message,
    receive: Callable[[], Awaitable[Message]],
    send: Callable[[Message], Awaitable[None]],
    request: str,
) -> None:
    """Send new entries of the journal, until the client leaves or the service stops.

    Raises
    ------
    Refusal
        Where there is no such log, the id is none, or too many streams are open; before anything is sent.
    """
    service = call.service
    service.on_duty()
    if service.streams >= service.limits.streams:
        raise Refusal("overloaded", "too many streams are open", headers={"Retry-After": "5"})
    queue = service.queues["follow"]
    last = call.headers.get("last-event-id")

    def begun() -> Follower:
        log = service.decider.log(call.path["log"])
        parts = service.shelf, service.histories, service.watches, service.ongoing
        made = Follower(log, *parts, call.query.get("subject"), service.on_duty)
        made.begin(last)
        return made

    service.streams += 1
    left = asyncio.ensure_future(_left(receive))
    follower: Follower | None = None
    try:
        follower = await queue.do(begun)
        headers = [(n.encode(), v.encode()) for n, v in (*HEADERS, ("x-request-id", request))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await _part(send, RETRY)
        await _follow(call, follower, left, send)
        await send({"type": "http.response.body", "body": b""})
    finally:
        service.streams -= 1
        left.cancel()
        if follower is not None:
            follower.close()


async def _follow(
    call: Call, follower: Follower, left: asyncio.Future[None], send: Callable[[Message], Awaitable[None]]
) -> None:
    service = call.service
    queue, limits = service.queues["follow"], service.limits
    spoken = time.monotonic()
    while not left.done() and not service.stopping.is_set():
        look: asyncio.Future[Told] = asyncio.ensure_future(queue.do(follower.look))
        waited: set[asyncio.Future[Any]] = {look, left}
        while not look.done():
            await asyncio.wait(waited, timeout=limits.heartbeat, return_when=asyncio.FIRST_COMPLETED)
            if left.done() and not look.done():
                look.cancel()
                return
            if not look.done():
                await _part(send, HEARTBEAT)
                spoken = time.monotonic()
        try:
            told = look.result()
        except Refusal:
            return  # The service stops, or is overloaded: the client comes again behind the last event.
        if told:
            await _part(send, b"".join([_event(id_, event) for id_, event in told]))
            spoken = time.monotonic()
            continue
        if time.monotonic() - spoken >= limits.heartbeat:
            await _part(send, HEARTBEAT)
            spoken = time.monotonic()
        await asyncio.wait({left}, timeout=limits.poll)


def _event(id_: str, event: object) -> bytes:
    return b"id: %b\nevent: journal\ndata: %b\n\n" % (id_.encode(), msgspec.json.encode(event))


async def _part(send: Callable[[Message], Awaitable[None]], body: bytes) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": True})


async def _left(receive: Callable[[], Awaitable[Message]]) -> None:
    """Wait until the client has left."""
    while (await receive())["type"] != "http.disconnect":
        pass
