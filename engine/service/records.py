"""What the service says of its own work: a line of JSON for each request, without keys, bodies or subjects."""

from __future__ import annotations

import threading
import time
import traceback
from collections import deque
from collections.abc import Mapping
from typing import TextIO

import msgspec

from ..ground.zones import Zone

SOON = 0.05
"""Seconds after which lines that are written aside are written."""


class Journal:
    """Writes lines of JSON, one for each request and for each trouble.

    Parameters
    ----------
    file : text file or None
        Where they go; nowhere, without one.
    aside : bool
        Whether a thread writes the lines of requests, soon after: a disk that is busy then holds up no answer.
    """

    def __init__(self, file: TextIO | None, aside: bool = False) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._lines: deque[str] = deque()
        self._aside = aside and file is not None
        self._closed = threading.Event()
        if self._aside:
            threading.Thread(target=self._keep_writing, name="strikeout-journal", daemon=True).start()

    def _keep_writing(self) -> None:
        while not self._closed.wait(SOON):
            self._write_out()

    def close(self) -> None:
        """Write what has not been written; from now on lines are written at once."""
        self._aside = False
        self._closed.set()
        self._write_out()

    def request(self, said: Mapping[str, object], seconds: float) -> None:
        """Say that a request was answered."""
        if self._file is not None:
            self._write({"event": "request", **said, "ms": round(seconds * 1000, 3)}, self._aside)

    def trouble(self, said: Mapping[str, object], error: BaseException) -> None:
        """Say what went wrong: the sort of error, and where in the code; its text may hold what a client sent."""
        if self._file is not None:
            where = traceback.extract_tb(error.__traceback__)[-8:]
            places = [f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in where]
            self._write({"event": "trouble", **said, "error": type(error).__name__, "trace": places})

    def event(self, event: str, **more: object) -> None:
        """Say that something happened to the service itself."""
        if self._file is not None:
            self._write({"event": event, **more})

    def _write(self, line: Mapping[str, object], later: bool = False) -> None:
        text = msgspec.json.encode({"time": _UTC.format(time.time_ns() // 1000), **line}).decode()
        self._lines.append(text + "\n")
        if not later:
            self._write_out()

    def _write_out(self) -> None:
        """Write the lines that wait, in order."""
        with self._lock:
            text = "".join([self._lines.popleft() for _ in range(len(self._lines))])
            if text and self._file is not None:
                self._file.write(text)
                self._file.flush()


_UTC = Zone.load("UTC")
