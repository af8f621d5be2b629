"""Server-sent events out of bytes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

MOST_IN_LINE = 16_000_000
"""How many bytes a line of a stream may have."""


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """One event of a stream: its id, by which the stream can be resumed behind it, its name and its text."""

    id: str
    name: str
    data: str


class EventStream:
    r"""Takes a stream of server-sent events as bytes, however they are cut, and gives the events.

    Attributes
    ----------
    last_id : str
        The id of the last event; a stream is resumed behind it.
    retry : float or None
        After how many seconds to connect again, where the stream said so.

    Examples
    --------
    >>> stream = EventStream()
    >>> list(stream.feed(b": a comment\n\nid: 3\ndata: {}")), list(stream.feed(b"\r\n\r\n"))
    ([], [ServerEvent(id='3', name='message', data='{}')])
    >>> stream.last_id
    '3'
    """

    def __init__(self, last_id: str = "") -> None:
        self.last_id = last_id
        self.retry: float | None = None
        self._begin()

    def _begin(self) -> None:
        self._rest = b""
        self._after_return = False
        self._id = self.last_id
        self._name = ""
        self._data: list[str] = []

    def restart(self) -> None:
        """Forget the event that was under way: the connection is a new one."""
        self._begin()

    def feed(self, chunk: bytes) -> Iterator[ServerEvent]:
        """The events that are complete with these bytes."""
        for line in self._lines(chunk):
            if line:
                self._field(line)
                continue
            data, name = self._data, self._name
            self._data, self._name = [], ""
            self.last_id = self._id
            if data:
                yield ServerEvent(self._id, name or "message", "\n".join(data))

    def _lines(self, chunk: bytes) -> Iterator[str]:
        if self._after_return and chunk:
            chunk = chunk.removeprefix(b"\n")
        if chunk:
            self._after_return = chunk.endswith(b"\r")
        *lines, rest = (self._rest + chunk).replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        self._rest = rest
        if len(rest) > MOST_IN_LINE:
            raise ValueError(f"a line of the stream is longer than {MOST_IN_LINE:,} bytes")
        for line in lines:
            yield line.decode(errors="replace")

    def _field(self, line: str) -> None:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
        elif name == "id" and "\0" not in value:
            self._id = value
        elif name == "event":
            self._name = value
        elif name == "retry" and value.isascii() and value.isdigit() and len(value) < 9:
            self.retry = int(value) / 1000
