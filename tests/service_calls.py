"""How tests ask the service: in this process as an ASGI application, or as a process of its own over HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import http.client
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from strikeout.log import Database
from strikeout.service.app import Service
from strikeout.service.limits import Limits

JSON = "application/json"
LINES = "application/x-ndjson"
QUICK = dataclasses.replace(Limits(), rate=0.0, poll=0.01, workers=2)

DAY = 86_400_000_000
JANUARY = 1_420_416_000_000_000  # 2015-01-05T08:00:00+08:00


class Clock:
    """The machine's clock, as a test sets it, in microseconds since 1970 UTC."""

    def __init__(self, now: int = JANUARY) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now


@dataclasses.dataclass(frozen=True)
class Reply:
    """An answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Loop:
    """An event loop in a thread of its own, so that tests can wait for what goes on in it."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()

    def do(self, work: Any, seconds: float = 60.0) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(seconds)

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()


class Asked:
    """The service in this process.

    `key` is sent with every request that names none.
    """

    def __init__(self, service: Service, loop: Loop, key: str = "") -> None:
        self.service, self.loop, self.key = service, loop, key

    def __call__(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        kind: str | None = JSON,
    ) -> Reply:
        sent = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        return self.parts(method, path, [sent], headers, kind)

    def parts(
        self,
        method: str,
        path: str,
        parts: list[bytes] | None,
        headers: Mapping[str, str] | None = None,
        kind: str | None = JSON,
    ) -> Reply:
        """Send a body in parts; None never sends anything, and an empty part stands for one that does not come."""
        given = {} if kind is None else {"content-type": kind}
        if parts:
            given["transfer-encoding"] = "chunked"
        if self.key:
            given["authorization"] = f"Bearer {self.key}"
        given |= {name.lower(): value for name, value in (headers or {}).items()}
        raw, _, query = path.partition("?")
        scope = {
            "type": "http",
            "method": method,
            "path": raw,
            "raw_path": raw.encode(),
            "query_string": query.encode(),
            "headers": [(n.encode("latin-1"), v.encode("latin-1")) for n, v in given.items()],
        }
        waiting = None if parts is None else list(parts)

        async def receive() -> dict[str, Any]:
            if not waiting:
                await asyncio.sleep(3600)
            assert waiting is not None
            part = waiting.pop(0)
            return {"type": "http.request", "body": part, "more_body": bool(waiting)}

        return self.loop.do(self._sent(scope, receive))  # type: ignore[no-any-return]

    async def _sent(self, scope: Any, receive: Any) -> Reply:
        messages: list[Any] = []

        async def send(message: Any) -> None:
            messages.append(message)

        await self.service(scope, receive, send)
        found = {name.decode(): value.decode() for name, value in messages[0]["headers"]}
        return Reply(messages[0]["status"], found, b"".join(m.get("body", b"") for m in messages[1:]))

    def events(self, path: str, number: int, last: str = "", seconds: float = 20.0) -> list[tuple[str, Any]]:
        """The first events of a stream, each with its id; fewer, where no more come in time."""
        raw, _, query = path.partition("?")
        headers = [(b"last-event-id", last.encode())] if last else []
        if self.key:
            headers.append((b"authorization", f"Bearer {self.key}".encode()))
        scope = {
            "type": "http",
            "method": "GET",
            "path": raw,
            "raw_path": raw.encode(),
            "query_string": query.encode(),
            "headers": headers,
        }
        text = bytearray()
        enough = threading.Event()
        gone = asyncio.Event()

        async def receive() -> dict[str, Any]:
            await gone.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            text.extend(message.get("body", b""))
            if text.count(b"\ndata: ") >= number:
                enough.set()

        future = asyncio.run_coroutine_threadsafe(self._streamed(scope, receive, send), self.loop.loop)
        enough.wait(seconds)
        self.loop.loop.call_soon_threadsafe(gone.set)
        future.result(20)
        return read_events(bytes(text))[:number]

    async def _streamed(self, scope: Any, receive: Any, send: Any) -> None:
        await self.service(scope, receive, send)


def read_events(text: bytes) -> list[tuple[str, Any]]:
    """The events in the text of a stream, each with its id."""
    found = []
    for block in text.decode().split("\n\n"):
        lines = dict(line.partition(": ")[::2] for line in block.split("\n") if ": " in line)
        if "data" in lines:
            found.append((lines["id"], json.loads(lines["data"])))
    return found


@contextlib.contextmanager
def asked(database: Database, loop: Loop, limits: Limits = QUICK, **more: Any) -> Iterator[Asked]:
    """The service in this process, over a database."""
    service = Service(database, limits=limits, **more)
    try:
        yield Asked(service, loop)
    finally:
        service.close()


def of(log: str, subject: str, rest: str = "") -> str:
    """The path of a subject."""
    return f"/v1/logs/{log}/subjects/{quote(subject, safe='')}{rest}"


def upheld(seller: str, number: int, at: str, **more: Any) -> dict[str, Any]:
    """A complaint that was upheld."""
    return {
        "kind": "upheld",
        "at": at,
        "seller": seller,
        "complaint": f"c{number}",
        "complainant": "阿红",
        "right": "红了个红",
        "finding": "counterfeit",
        "base": 2,
        **more,
    }


class Reached:
    """The service at a port of this machine."""

    port = 0

    def connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)

    def ask(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Reply:
        connection = self.connection()
        try:
            sent = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
            connection.request(method, path, sent, {"Content-Type": JSON, **(headers or {})})
            answer = connection.getresponse()
            return Reply(answer.status, {n.lower(): v for n, v in answer.getheaders()}, answer.read())
        finally:
            connection.close()


class Process(Reached):
    """The service as a process of its own."""

    def __init__(self, url: str, *options: str) -> None:
        command = [sys.executable, "-m", "strikeout", "serve", "--db", url, "--port", "0", *options]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE)
        self.lines: list[bytes] = []
        self._listening = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.lines.append(line)
            if b'"listening"' in line:
                self.port = json.loads(line)["port"]
                self._listening.set()
        self._listening.set()

    def wait(self) -> Process:
        """Wait until it listens."""
        self._listening.wait(60)
        assert self.port, b"".join(self.lines).decode()
        return self

    def end(self, seconds: float = 40.0) -> int:
        """Ask it to stop, and wait for it; its exit code."""
        if self.process.poll() is None:
            self.process.terminate()
        code = self.process.wait(seconds)
        self._reader.join(10)
        if self.process.stderr is not None:
            self.process.stderr.close()
        return code

    def kill(self) -> None:
        """Kill it without a warning."""
        self.process.kill()
        self.end()

    def __enter__(self) -> Process:
        return self.wait()

    def __exit__(self, *error: object) -> None:
        self.end()


def until(condition: Any, seconds: float = 20.0) -> None:
    """Wait for a condition."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)
