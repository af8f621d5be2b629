"""What the service says of its own work: a line of JSON for each request, without keys, bodies or subjects."""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Mapping
from typing import TextIO

import msgspec

from ..ground.zones import Zone


class Journal:
    """Writes lines of JSON, one for each request and for each trouble.

    Parameters
    ----------
    file : text file or None
        Where they go; nowhere, without one.
    """

    def __init__(self, file: TextIO | None) -> None:
        self._file = file
        self._lock = threading.Lock()

    def request(self, said: Mapping[str, object], seconds: float) -> None:
        """Say that a request was answered."""
        if self._file is not None:
            self._write({"event": "request", **said, "ms": round(seconds * 1000, 3)})

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

    def _write(self, line: Mapping[str, object]) -> None:
        text = msgspec.json.encode({"time": _UTC.format(time.time_ns() // 1000), **line}).decode()
        with self._lock:
            if self._file is not None:
                self._file.write(text + "\n")
                self._file.flush()


_UTC = Zone.load("UTC")
