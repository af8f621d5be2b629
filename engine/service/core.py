"""What every answer is made with: the database, the rulesets, what is kept of subjects, the limits and the queues."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from .. import log as logs
from .decisions import Decider
from .events import Watches
from .histories import Histories
from .journals import OngoingRuns
from .limits import Limits
from .metrics import Metrics
from .problems import Refusal
from .queues import Queue
from .shelf import Shelf

PART = 5
"""How much less is kept of the runs with which streams go on than of facts: one so manieth, in facts."""
WRITERS = 16
"""Threads that append: nearly all of the time they wait for the disk, and those that wait share one sync of it."""


class Core:
    """The parts of a service, without the wire.

    Parameters
    ----------
    database : strikeout.log.Database
        Where the logs lie; it belongs to the caller.
    rulesets : Path or None
        A folder of rulesets, beside those that ship.
    limits : Limits
        What is taken at most.
    version : str
        The version of the service.
    """

    def __init__(self, database: logs.Database, rulesets: Path | None, limits: Limits, version: str) -> None:
        self.database, self.limits, self.version = database, limits, version
        self.metrics = Metrics()
        self.shelf = Shelf(database, rulesets)
        self.histories = Histories(limits.cached_facts)
        self.decider = Decider(database, self.shelf, self.histories)
        self.watches, self.ongoing = Watches(), OngoingRuns(limits.cached_facts // PART)
        self.stopping = threading.Event()
        self.streams = 0
        self.queues = {
            "decide": Queue("decide", limits.workers, limits.queue),
            "write": Queue("write", WRITERS, limits.queue),
            "slow": Queue("slow", 2, limits.queue),
            "follow": Queue("follow", 2, max(limits.queue, 2 * limits.streams)),
        }
        self.document = b""
        self._gauges()

    def _gauges(self) -> None:
        for name, queue in self.queues.items():
            self.metrics.gauge("queue", lambda queue=queue: queue.length, f'work="{name}"')  # type: ignore[misc]
        histories = self.histories
        self.metrics.gauge("streams", lambda: self.streams)
        self.metrics.gauge("cached_facts", lambda: histories.facts)
        self.metrics.gauge("cached_subjects", lambda: len(histories))
        self.metrics.gauge("runs_total", lambda: histories.runs)
        self.metrics.gauge("reused_total", lambda: histories.reused)

    def crowded(self) -> bool:
        """Whether some queue is full."""
        return any(queue.length >= queue.most for queue in self.queues.values())

    def in_time(self, deadline: float) -> None:
        """That there is still time for an answer.

        Raises
        ------
        Refusal
            Where there is not.
        """
        if time.monotonic() > deadline:
            raise Refusal("too-long", f"no answer was found in {self.limits.seconds:g} seconds; ask for less")

    def on_duty(self) -> None:
        """That the service is not about to stop.

        Raises
        ------
        Refusal
            Where it is.
        """
        if self.stopping.is_set():
            raise Refusal("stopping", headers={"Retry-After": "2"})

    def stop(self) -> None:
        """End the streams; what is being worked on is finished."""
        self.stopping.set()

    def close(self) -> None:
        """End the threads."""
        self.stop()
        for queue in self.queues.values():
            queue.close()
