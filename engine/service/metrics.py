"""Counts and durations, as text that Prometheus reads."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Callable

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""The upper bounds of the classes of durations, in seconds."""

HELP = {
    "requests_total": "Requests, by route, method and status.",
    "request_seconds": "How long requests took, by route.",
    "facts_appended_total": "Facts appended; those that were there before are not counted.",
    "decisions_total": "Decisions made.",
    "runs_total": "Runs of subjects made for decisions.",
    "reused_total": "Decisions for which the last run of the subject still held.",
    "refused_total": "Requests refused, by code.",
    "queue": "Requests that wait or are worked on, by sort of work.",
    "streams": "Streams of events that are open.",
    "cached_facts": "Facts of subjects kept in memory.",
    "cached_subjects": "Subjects kept in memory.",
}
"""What each name means."""


class Metrics:
    """What has happened since the service began; gauges are asked when somebody reads.

    Examples
    --------
    >>> metrics = Metrics()
    >>> metrics.count("facts_appended_total", 3)
    >>> print(metrics.text().splitlines()[2])
    strikeout_facts_appended_total 3
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[tuple[str, str], int] = {}
        self._durations: dict[str, list[float]] = {}
        self._gauges: dict[tuple[str, str], Callable[[], float]] = {}

    def count(self, name: str, number: int = 1, labels: str = "") -> None:
        """Count something; `labels` are as Prometheus writes them, such as `code="rate"`."""
        with self._lock:
            self._counts[name, labels] = self._counts.get((name, labels), 0) + number

    def request(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count a request, and how long it took."""
        labels = f'route="{route}",method="{method}",status="{status}"'
        with self._lock:
            self._counts["requests_total", labels] = self._counts.get(("requests_total", labels), 0) + 1
            found = self._durations.get(route)
            if found is None:
                found = self._durations[route] = [0.0] * (len(BOUNDS) + 2)
            found[bisect_left(BOUNDS, seconds)] += 1
            found[-1] += seconds

    def gauge(self, name: str, value: Callable[[], float], labels: str = "") -> None:
        """Let a value be asked whenever somebody reads."""
        self._gauges[name, labels] = value

    def text(self) -> str:
        """All of it in the text format of Prometheus."""
        with self._lock:
            counts = dict(self._counts)
            durations = {route: list(found) for route, found in self._durations.items()}
        lines: list[str] = []
        for name in HELP:
            rows = [
                f"strikeout_{name}{_braced(labels)} {number}" for (n, labels), number in counts.items() if n == name
            ]
            rows += [
                f"strikeout_{n}{_braced(labels)} {_number(ask())}"
                for (n, labels), ask in self._gauges.items()
                if n == name
            ]
            if name == "request_seconds":
                rows = [row for route, found in durations.items() for row in _histogram(route, found)]
            if rows:
                kind = "histogram" if name == "request_seconds" else "counter" if name.endswith("_total") else "gauge"
                lines += [f"# HELP strikeout_{name} {HELP[name]}", f"# TYPE strikeout_{name} {kind}", *rows]
        return "\n".join(lines) + "\n"


def _braced(labels: str) -> str:
    return f"{{{labels}}}" if labels else ""


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else f"{value:.6f}"


def _histogram(route: str, found: list[float]) -> list[str]:
    rows, total = [], 0.0
    for bound, number in zip((*map(str, BOUNDS), "+Inf"), found[:-1], strict=True):
        total += number
        rows.append(f'strikeout_request_seconds_bucket{{route="{route}",le="{bound}"}} {_number(total)}')
    rows.append(f'strikeout_request_seconds_sum{{route="{route}"}} {found[-1]:.6f}')
    rows.append(f'strikeout_request_seconds_count{{route="{route}"}} {_number(total)}')
    return rows
