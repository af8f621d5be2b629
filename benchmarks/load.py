"""A client that loads a service: HTTP over plain sockets, and next to nothing done with the answers."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import cycle


@dataclass(slots=True)
class Figures:
    """What a stretch of load came to: answers, seconds, and how long each answer took, in seconds."""

    answers: int = 0
    seconds: float = 0.0
    taken: list[float] = field(default_factory=list)
    refused: int = 0

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self.answers / max(1e-9, self.seconds)

    def percentile(self, share: float) -> float:
        """The time within which that share was answered, in milliseconds."""
        found = sorted(self.taken)
        return 1000 * found[min(len(found) - 1, int(share * len(found)))] if found else 0.0


class Connection:
    """A connection that is kept, with one request at a time."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def post(self, path: str, body: bytes, kind: str = "") -> tuple[int, bytes]:
        """Send a body; the status and the body of the answer."""
        if self._reader is None or self._writer is None:
            self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port, limit=1 << 24)
        fields = ["Host: x", f"Content-Type: {kind or 'application/json'}", f"Content-Length: {len(body)}"]
        self._writer.write("\r\n".join([f"POST {path} HTTP/1.1", *fields, "", ""]).encode() + body)
        header = await self._reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", header)
        return int(header[9:12]), await self._reader.readexactly(int(length[1]) if length else 0)

    def close(self) -> None:
        """Close it."""
        if self._writer is not None:
            self._writer.close()


async def in_turn(work: Iterable[bytes], path: str, kind: str, ports: Sequence[int], connections: int) -> Figures:
    """Send bodies as fast as they are answered, over some connections, to each port as many."""
    figures = Figures()
    source = iter(work)

    async def worker(number: int) -> None:
        connection = Connection(ports[number % len(ports)])
        for body in source:
            begun = time.perf_counter()
            status, _ = await connection.post(path, body, kind)
            figures.taken.append(time.perf_counter() - begun)
            figures.answers += status < 300
            figures.refused += status >= 300
        connection.close()

    begun = time.perf_counter()
    await asyncio.gather(*(worker(number) for number in range(connections)))
    figures.seconds = time.perf_counter() - begun
    return figures


async def at_rate(ask: Callable[[], bytes], path: str, ports: Sequence[int], rate: float, seconds: float) -> Figures:
    """Send bodies at a rate, whether or not those before were answered: what is waited for counts as well."""
    figures = Figures()
    free: list[Connection] = []
    turns = cycle(ports)
    tasks: set[asyncio.Task[None]] = set()
    loop = asyncio.get_running_loop()

    async def one(due: float) -> None:
        connection = free.pop(0) if free else Connection(next(turns))
        status, _ = await connection.post(path, ask())
        figures.taken.append(loop.time() - due)
        figures.answers += status < 300
        figures.refused += status >= 300
        free.append(connection)

    begun = loop.time()
    for number in range(int(rate * seconds)):
        due = begun + number / rate
        wait = due - loop.time()
        if wait > 0:
            await asyncio.sleep(wait)
        task = asyncio.ensure_future(one(due))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    await asyncio.gather(*tasks)
    figures.seconds = loop.time() - begun
    for connection in free:
        connection.close()
    return figures
