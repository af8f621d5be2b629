"""Measurements from outside: each in a process of its own, with a limit of time, and the best of several."""

from __future__ import annotations

import json
import math
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


def say(text: str) -> None:
    """Tell how far it is, apart from the tables."""
    print(text, file=sys.stderr, flush=True)


@dataclass(frozen=True, slots=True)
class Measured:
    """What a measurement gave: its figures, or why there are none."""

    figures: dict[str, Any] = field(default_factory=dict)
    failure: str = ""

    @property
    def rate(self) -> float:
        """Facts per second."""
        return float(self.figures["facts"]) / max(1e-9, self.seconds)

    @property
    def seconds(self) -> float:
        """Seconds to decide."""
        return float(self.figures["decide"])


def measure(limit: float, repeat: int, what: str, **asked: object) -> Measured:
    """Run a measurement some times and take the quickest; the first failure ends it.

    Parameters
    ----------
    limit : float
        Seconds that one may take, all in all.
    repeat : int
        How many times.
    what : str
        A key of `measure.MEASUREMENTS`.
    asked : object
        What it takes.
    """
    best = Measured(failure="not measured")
    for _ in range(repeat):
        found = _once(limit, {"what": what, **asked})
        if found.failure:
            return found
        if best.failure or found.seconds < best.seconds:
            best = found
    return best


def _once(limit: float, asked: dict[str, object]) -> Measured:
    command = [sys.executable, "-m", "benchmarks.measure", json.dumps(asked)]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=limit, check=False)
    except subprocess.TimeoutExpired:
        return Measured(failure=f"over {limit:g} s")
    if done.returncode < 0:
        return Measured(failure=f"killed by {signal.Signals(-done.returncode).name}")
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        return Measured(failure=lines[-1][:160])
    return Measured(json.loads(done.stdout.strip().splitlines()[-1]))


def growth(small: Measured, large: Measured) -> float:
    """The exponent by which time grows with the facts: 1 is linear, 2 quadratic."""
    facts = large.figures["facts"] / small.figures["facts"]
    return math.log(large.seconds / small.seconds) / math.log(facts) if facts > 1 else math.nan
