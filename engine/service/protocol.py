"""HTTP on a connection, with an end to what a client may send before its request is known: in size, and in time."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MOST_HEAD = 65_536
"""How many bytes the line and the headers of a request may have."""

TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


class Protocol(HttpToolsProtocol):
    """A connection on which a request must be known within some time, and some bytes."""

    head_seconds = 30.0

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._head = 0
        self._known = False
        self._patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first request."""
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing more."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on, unless the head of the request has no end."""
        if self._known:
            super().data_received(data)
            return
        if self._patience is None:
            self._wait()
        self._head += len(data)
        super().data_received(data)
        if not self._known and self._head > MOST_HEAD and not self.transport.is_closing():
            self.transport.write(TOO_LARGE)
            self.transport.close()

    def on_headers_complete(self) -> None:
        """The request is known; what comes now is its body."""
        self._known = True
        self._stop_waiting()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """What comes now is the next request."""
        self._known, self._head = False, 0
        super().on_message_complete()

    def _wait(self) -> None:
        self._patience = self.loop.call_later(self.head_seconds, self._lose_patience)

    def _stop_waiting(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _lose_patience(self) -> None:
        if not self._known and not self.transport.is_closing():
            self.transport.close()


def patient(seconds: float) -> type[Protocol]:
    """The protocol, with the seconds within which a request must be known."""
    return type("Protocol", (Protocol,), {"head_seconds": seconds})
