"""How much is taken: sizes, times, queues, and how often a key may be used."""

from __future__ import annotations

import threading
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """What the service takes at most.

    Attributes
    ----------
    body : int
        Bytes of a body.
    body_seconds : float
        Seconds in which a body must have come.
    seconds : float
        Seconds in which an answer must be found; then work is left off.
    facts : int
        Facts of one batch, and facts given inline.
    page : int
        Rows of a page.
    queue : int
        Requests that wait for each sort of work; more are refused.
    workers : int
        Threads that decide.
    rate : float
        Requests a second of one key, on average; 0 is as many as come.
    burst : float
        How many more may come at once.
    streams : int
        Streams of events at a time.
    cached_facts : int
        Facts of subjects that are kept in memory, bound and in order.
    heartbeat : float
        Seconds after which a silent stream says that it lives.
    poll : float
        Seconds between two looks for new entries of the journal.
    """

    body: int = 16 << 20
    body_seconds: float = 30.0
    seconds: float = 30.0
    facts: int = 20_000
    page: int = 1_000
    queue: int = 500
    workers: int = 4
    rate: float = 5_000.0
    burst: float = 10_000.0
    streams: int = 200
    cached_facts: int = 300_000
    heartbeat: float = 15.0
    poll: float = 0.5


class Rates:
    """How often each key was used lately: a bucket of tokens for each, which fills at the rate.

    Parameters
    ----------
    rate : float
        Tokens a second; 0 lets everything pass.
    burst : float
        Tokens that a bucket holds.

    Examples
    --------
    >>> rates = Rates(1.0, 2.0)
    >>> [rates.wait("key", at) for at in (0.0, 0.0, 0.0, 1.0)]
    [0.0, 0.0, 1.0, 0.0]
    """

    def __init__(self, rate: float, burst: float) -> None:
        self._rate, self._burst = rate, max(1.0, burst)
        self._buckets: dict[str, tuple[float, float]] = {}
        self._lock = threading.Lock()

    def wait(self, key: str, now: float) -> float:
        """Take a token of a key: 0, or the seconds until there is one.

        Parameters
        ----------
        key : str
            The key.
        now : float
            Seconds of a clock that never goes back.
        """
        if self._rate <= 0:
            return 0.0
        with self._lock:
            tokens, last = self._buckets.get(key, (self._burst, now))
            tokens = min(self._burst, tokens + (now - last) * self._rate)
            if tokens < 1.0:
                self._buckets[key] = (tokens, now)
                return (1.0 - tokens) / self._rate
            self._buckets[key] = (tokens - 1.0, now)
            return 0.0

    def empty(self, key: str, now: float) -> bool:
        """Whether a key has no token now; none is taken."""
        with self._lock:
            tokens, last = self._buckets.get(key, (self._burst, now))
            return self._rate > 0 and tokens + (now - last) * self._rate < 1.0
