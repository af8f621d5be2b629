"""How far a long command has come, shown on a terminal once two seconds have passed."""

from __future__ import annotations

import sys
import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

PATIENCE = 2.0
"""Seconds before anything is shown."""


class Progress:
    """Counts what is done; on standard error where that is a terminal, else silent.

    Parameters
    ----------
    what : str
        What is counted, shown before the bar.
    total : int, optional
        How many there are, where that is known.

    Examples
    --------
    >>> with Progress("cases", 2) as progress:
    ...     progress.advance()
    """

    def __init__(self, what: str, total: int | None = None) -> None:
        self.what = what
        self.total = total
        self.done = 0
        self._started = time.monotonic()
        self._bar: Bar | None = None
        self._wanted = sys.stderr.isatty()

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.hide()

    def advance(self, number: int = 1) -> None:
        """So many more are done."""
        self.done += number
        if not self._wanted or time.monotonic() - self._started < PATIENCE:
            return
        if self._bar is None:
            columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
            self._bar = Bar(*columns, console=Console(file=sys.stderr), transient=True)
            self._bar.add_task(self.what, total=self.total)
            self._bar.start()
        self._bar.update(self._bar.task_ids[0], completed=self.done)

    def hide(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
