"""The service as an ASGI application: who comes in, how much is taken, where it waits, and what is said of it."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import secrets
import time
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from pathlib import Path
from typing import Any

import msgspec
from starlette.responses import Response

from .. import __version__
from .. import log as logs
from ..ground.problems import StrikeoutError
from .core import Core
from .keys import Door, Holder, allow
from .limits import Limits, Rates
from .openapi import document
from .problems import MEDIA_TYPE, Refusal, refusal_of
from .records import Journal
from .routes import JSON, LINES, Answer, Call, Route, Table, query_of
from .streams import stream
from .table import ROUTES
from .types import Fault

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

LINES_OF_JSON = (LINES, "application/jsonl")
UNREAD = 65_536
"""How many bytes of a body are passed over where none is expected."""
SECURITY = (
    ("cache-control", "no-cache, private"),
    ("x-content-type-options", "nosniff"),
)


class Gone(Exception):
    """That the client left before it had sent everything."""


class Service:
    """The service, an ASGI application.

    Parameters
    ----------
    database : strikeout.log.Database
        Where the logs lie; it belongs to the caller.
    rulesets : Path, optional
        A folder of rulesets, beside those that ship.
    limits : Limits, optional
        What is taken at most.
    journal : Journal, optional
        Where a line is written for each request.
    """

    def __init__(
        self,
        database: logs.Database,
        rulesets: Path | None = None,
        limits: Limits | None = None,
        journal: Journal | None = None,
    ) -> None:
        self.limits = limits or Limits()
        self.core = Core(database, rulesets, self.limits, __version__)
        self.core.document = msgspec.json.encode(document(ROUTES, __version__))
        self.metrics = self.core.metrics
        self.journal = journal or Journal(None)
        self.door = Door(database.keys, time.monotonic)
        self.rates = Rates(self.limits.rate, self.limits.burst)
        self.table = Table(ROUTES)
        self._name, self._numbers = secrets.token_hex(4), itertools.count(1)

    def stop(self) -> None:
        """End the streams and say that the service is about to stop; what is being worked on is finished."""
        self.core.stop()

    def close(self) -> None:
        """End the threads."""
        self.core.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or take part in the life of the server."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        if scope["type"] != "http":
            return
        begun = time.perf_counter()
        said = _Said(f"{self._name}{next(self._numbers):x}", scope["method"])
        try:
            await self._answered(scope, receive, send, said)
        except Gone:
            said.status = 499
        finally:
            seconds = time.perf_counter() - begun
            self.metrics.request(said.route, said.method, said.status, seconds)
            self.journal.request(said.as_dict(), seconds)

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self.core.stopping.clear()
                await send({"type": "lifespan.startup.complete"})
            else:
                self.stop()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _answered(self, scope: Scope, receive: Receive, send: Send, said: _Said) -> None:
        started = False

        async def sending(message: MutableMapping[str, Any]) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            try:
                await self._answer(scope, receive, sending, said)
            except StrikeoutError as error:
                raise self._refusal(error) from error
        except Refusal as refusal:
            said.status, said.code = refusal.status, refusal.code
            self.metrics.count("refused_total", labels=f'code="{refusal.code}"')
            if refusal.status >= 500:
                self.journal.trouble(said.as_dict(), refusal.__cause__ or refusal)
            if not started:
                await self._send_refusal(refusal, scope, receive, sending, said)
        except (Gone, asyncio.CancelledError):
            raise
        except Exception as error:  # noqa: BLE001  (whatever it is, the client is told so, and not what it was)
            said.status, said.code = 500, "unexpected"
            self.journal.trouble(said.as_dict(), error)
            if not started:
                await self._send_refusal(Refusal("unexpected"), scope, receive, sending, said)

    @staticmethod
    async def _send_refusal(refusal: Refusal, scope: Scope, receive: Receive, send: Send, said: _Said) -> None:
        headers = {**refusal.headers, "x-request-id": said.request, **dict(SECURITY)}
        if not said.whole:
            headers["connection"] = "close"  # What else the client sends is not read.
        body = b"" if said.method == "HEAD" else refusal.body(said.request)
        await Response(body, refusal.status, headers, MEDIA_TYPE)(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send, said: _Said) -> None:
        raw_path = scope.get("raw_path") or scope["path"].encode("utf-8", "surrogateescape")
        try:
            route, path = self.table.find(scope["method"], raw_path)
        except Refusal:
            said.whole = False
            raise
        said.route, said.log = route.path, path.get("log", "")
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        said.whole = "content-length" not in headers and "transfer-encoding" not in headers
        if len(headers) < len(scope["headers"]):
            headers = _joined(scope["headers"], said)
        holder = await self._holder(route, headers)
        said.key = holder.name if holder is not None else ""
        wait = self.rates.wait(said.key, time.monotonic()) if route.scope else 0.0
        if wait:
            raise Refusal("rate", headers={"Retry-After": str(max(1, round(wait)))})
        query = query_of(route, scope.get("query_string", b""))
        body = await self._body(route, headers, receive, said)
        deadline = time.monotonic() + self.limits.seconds
        call = Call(self.core, route, path, query, headers, body, holder, deadline)
        if route.streams:
            said.status = 200
            await stream(call, scope, receive, send, said.request)
            return
        answer = None if route.quick is None else route.quick(call)
        if answer is None:
            answer = await self._worked(call) if route.work else route.handler(call)
        said.status = await self._send(answer, call, scope, receive, send, said)

    async def _worked(self, call: Call) -> Answer:
        """What a handler answers, in a thread; when it takes too long, that is said, and it is left to itself."""
        try:
            async with asyncio.timeout(self.limits.seconds + 1.0):
                return await self.core.queues[call.route.work].do(lambda: self._handled(call))
        except TimeoutError:
            raise Refusal("too-long", f"no answer was found in {self.limits.seconds:g} seconds") from None

    def _handled(self, call: Call) -> Answer:
        if time.monotonic() > call.deadline:
            raise Refusal("overloaded", "the request has waited too long", headers={"Retry-After": "1"})
        return call.route.handler(call)

    async def _holder(self, route: Route, headers: dict[str, str]) -> Holder | None:
        """Who asks; that the key covers what is asked is checked."""
        if not route.scope:
            return None
        header = headers.get("authorization", "")
        known, holder = self.door.known(header)
        if not known:
            holder = await self.core.queues["decide"].do(lambda: self.door.enter(header))
        allow(holder, route.scope)
        return holder

    async def _body(self, route: Route, headers: dict[str, str], receive: Receive, said: _Said) -> bytes:
        """The body, up to the limits of size and time."""
        length = headers.get("content-length", "0")
        most = self.limits.body if route.body is not None else UNREAD
        if length.isdigit() and int(length) > most:
            raise self._too_large(most)
        if route.body is not None:
            media = headers.get("content-type", JSON).partition(";")[0].strip().lower()
            if media not in route.body_types and not (LINES in route.body_types and media in LINES_OF_JSON):
                raise Refusal("media-type", f"expected a body of {' or '.join(route.body_types)}")
            if headers.get("content-encoding", "identity").strip().lower() not in ("identity", ""):
                raise Refusal("media-type", "the body is compressed or otherwise encoded: send it as it is")
        elif said.whole:
            return b""
        try:
            async with asyncio.timeout(self.limits.body_seconds):
                found = await _received(receive, most)
        except TimeoutError:
            raise Refusal("too-slow", f"the body did not come in {self.limits.body_seconds:g} seconds") from None
        if found is None:
            raise self._too_large(most)
        said.whole = True
        return found

    @staticmethod
    def _too_large(most: int) -> Refusal:
        return Refusal("too-large", f"the body has more than {most:,} bytes")

    async def _send(self, answer: Answer, call: Call, scope: Scope, receive: Receive, send: Send, said: _Said) -> int:
        """Send an answer; where the client has it already, only that."""
        headers = [("x-request-id", said.request), *SECURITY, *answer.headers]
        status, body = answer.status, answer.body
        if call.route.method == "GET" and status == 200:
            tag = f'"{answer.tag or hashlib.blake2b(body, digest_size=16).hexdigest()}"'
            headers.append(("etag", tag))
            if _matches(call.headers.get("if-none-match", ""), tag):
                status, body = 304, b""
        raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        if status != 304:
            raw.append((b"content-type", answer.type.encode("latin-1")))
            raw.append((b"content-length", str(len(body)).encode()))
        await send({"type": "http.response.start", "status": status, "headers": raw})
        await send({"type": "http.response.body", "body": b"" if said.method == "HEAD" else body})
        return status

    @staticmethod
    def _refusal(error: StrikeoutError) -> Refusal:
        """What an error of the library, or of the log, means to a client."""
        for kind, code, headers in _LOG_ERRORS:
            if isinstance(error, kind):
                errors = []
                if isinstance(error, logs.KeyConflict):
                    errors = [Fault(detail=str(error), index=error.index, pointer=f"/{error.index}/key")]
                return Refusal(code, str(error), errors, headers)
        return refusal_of(error)


_AGAIN = {"Retry-After": "1"}
_LOG_ERRORS: tuple[tuple[type[StrikeoutError], str, dict[str, str]], ...] = (
    (logs.UnknownLog, "no-such-log", {}),
    (logs.LogExists, "exists", {}),
    (logs.UnknownBundle, "no-such-ruleset", {}),
    (logs.KeyConflict, "conflict", {}),
    (logs.NoRuleset, "not-in-force", {}),
    (logs.LogFull, "full", {}),
    (logs.BadRecord, "facts", {}),
    (logs.ClockError, "database", _AGAIN),
    (logs.LogError, "database", _AGAIN),
)


class _Said:
    """What the line about a request says; nothing of what it holds, and no key."""

    __slots__ = ("code", "key", "log", "method", "request", "route", "status", "whole")

    def __init__(self, request: str, method: str) -> None:
        self.request = request
        self.method = method if method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS") else "OTHER"
        self.route = self.log = self.key = self.code = ""
        self.status = 0
        self.whole = True

    def as_dict(self) -> dict[str, object]:
        """What is said, by name."""
        found = {"request": self.request, "method": self.method, "route": self.route, "status": self.status}
        more = {"log": self.log, "key": self.key, "code": self.code}
        return {**found, **{name: value for name, value in more.items() if value}}


async def _received(receive: Receive, most: int) -> bytes | None:
    """The whole body; None, where it is too large."""
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Gone
        part = message.get("body", b"")
        size += len(part)
        if size > most:
            return None
        parts.append(part)
        if not message.get("more_body", False):
            return b"".join(parts)


ONCE = frozenset({"authorization", "content-encoding", "content-type", "idempotency-key", "last-event-id"})
"""Headers that two readers would understand differently if they were given twice."""


def _joined(raw: Iterable[tuple[bytes, bytes]], said: _Said) -> dict[str, str]:
    """Headers of which some are given several times: their values as one list (RFC 9110, section 5.3)."""
    found: dict[str, str] = {}
    for name, value in ((n.decode("latin-1"), v.decode("latin-1")) for n, v in raw):
        if name in found and name in ONCE:
            said.whole = False
            raise Refusal("bad-request", f"the header `{name}` is given twice")
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


def _matches(header: str, tag: str) -> bool:
    """Whether a header `If-None-Match` names a tag."""
    return header.strip() == "*" or tag in [part.strip().removeprefix("W/") for part in header.split(",")]
