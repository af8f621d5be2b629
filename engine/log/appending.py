"""Appending by many threads: who comes while another commits is committed together with all who wait.

A sync of the disk takes milliseconds, and one is enough for all. Each batch is still all or nothing, with an instant of
its own.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from .errors import LogError
from .records import NewFact, Receipt

MOST_ROWS = 20_000
"""How many facts of several batches are committed together; a single batch may have more."""


class Waiting:
    """A batch that waits to be appended."""

    __slots__ = ("error", "leads", "ready", "receipts", "rows")

    def __init__(self, rows: Sequence[NewFact]) -> None:
        self.rows = rows
        self.receipts: list[Receipt] | None = None
        self.error: BaseException | None = None
        self.leads = False
        self.ready = threading.Event()


class Queue:
    """The batches that wait: the first of them appends for all, and then hands over to the first that came meanwhile.

    Parameters
    ----------
    write : callable
        Appends batches in one transaction, and gives each its receipts or its error.
    """

    def __init__(self, write: Callable[[Sequence[Waiting]], None]) -> None:
        self._write = write
        self._lock = threading.Lock()
        self._waiting: list[Waiting] = []
        self._led = False

    def append(self, rows: Sequence[NewFact]) -> list[Receipt]:
        """Append a batch; back once it is durable.

        Raises
        ------
        LogError
            Where it is not in the log.
        """
        own = Waiting(rows)
        with self._lock:
            self._waiting.append(own)
            own.leads, self._led = not self._led, True
        try:
            if not own.leads:
                own.ready.wait()
            if own.leads:
                self._lead()
        except BaseException:
            self._leave(own)
            raise
        if own.error is not None:
            raise own.error
        if own.receipts is None:
            raise LogError("the batch was not appended")
        return own.receipts

    def _lead(self) -> None:
        """Append what waits, and hand over."""
        with self._lock:
            taken, rows = 0, 0
            for waiting in self._waiting:
                rows += len(waiting.rows)
                if taken and rows > MOST_ROWS:
                    break
                taken += 1
            batch, self._waiting = self._waiting[:taken], self._waiting[taken:]
        try:
            self._write(batch)
        except BaseException as error:
            for waiting in batch:
                waiting.error, waiting.receipts = _again(error), None
            if not isinstance(error, Exception):
                raise
        finally:
            for waiting in batch:
                waiting.leads = False
                waiting.ready.set()
            self._hand_over()

    def _hand_over(self) -> None:
        with self._lock:
            if self._waiting:
                self._waiting[0].leads = True
                self._waiting[0].ready.set()
            else:
                self._led = False

    def _leave(self, own: Waiting) -> None:
        """Take a batch back that nobody waits for any more."""
        with self._lock:
            there = own in self._waiting
            if there:
                self._waiting.remove(own)
        if there and own.leads:
            self._hand_over()


def _again(error: BaseException) -> BaseException:
    """An error for each who waited: one exception is not to be raised by several threads."""
    if isinstance(error, LogError) and len(error.args) == 1:
        try:
            return type(error)(*error.args)
        except TypeError:
            return LogError(str(error))
    return error if isinstance(error, Exception) else LogError("the batch was not appended: the program was stopped")
