"""Threads for each sort of work, so that what takes long does not hold up what is quick; each queue has its end."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from .problems import Refusal

Given = TypeVar("Given")


class Queue:
    """Threads for one sort of work, and how many requests wait for them or are worked on.

    Parameters
    ----------
    name : str
        The sort of work.
    threads : int
        How many threads.
    most : int
        How many may wait and be worked on at a time.
    """

    def __init__(self, name: str, threads: int, most: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=f"strikeout-{name}")
        self.name, self.most, self.threads = name, most, threads
        self.length = 0
        self._lock = threading.Lock()

    async def do(self, work: Callable[[], Given]) -> Given:
        """Do something in a thread. Whoever stops waiting leaves it to itself; until it is done, it counts.

        Raises
        ------
        Refusal
            Where too many wait.
        """
        with self._lock:
            if self.length >= self.most:
                raise Refusal("overloaded", "too many requests wait for an answer", headers={"Retry-After": "1"})
            self.length += 1
        future = self._pool.submit(work)
        future.add_done_callback(self._done)
        return await asyncio.wrap_future(future)

    def _done(self, _: object) -> None:
        with self._lock:
            self.length -= 1

    def close(self) -> None:
        """End the threads, once their work is done."""
        self._pool.shutdown(wait=True, cancel_futures=True)
