"""durable_rules as its own documentation shows it: events joined by complainant and right, a session a seller.

The library keeps 1,024 sessions at most, and fails at the next one: so this peer takes the first sellers only.
"""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

from durable.lang import c, m, post, ruleset, when_all

from benchmarks.tally import Tally
from .handwritten import MERGE_WINDOW, Complaint
from .handwritten import load as load_all
from .three_strikes import closures
from .three_strikes import expected as expected_of

SELLERS = 1_000
_runs = itertools.count()


def load(path: Path) -> list[Complaint]:
    complaints = load_all(path)
    sellers = set(itertools.islice(dict.fromkeys(act.seller for act in complaints), SELLERS))
    # What no rule reads is an error of the library.
    return [
        act for act in complaints if act.seller in sellers and act.kind == "upheld" and act.finding == "counterfeit"
    ]


def facts_of(complaints: list[Complaint]) -> int:
    """How many facts were measured."""
    return len(complaints)


def decide(complaints: list[Complaint]) -> dict[str, int]:
    name = f"three_strikes_{next(_runs)}"
    closed = make(name)
    for number, act in enumerate(complaints):
        post(name, event(number, act))
    return closed


def make(name: str) -> dict[str, int]:
    """Define the rules; gives where closures will stand: by seller, when."""
    closed: dict[str, int] = {}
    with ruleset(name):

        @when_all(
            c.first << (m.finding == "counterfeit"),
            c.second << (m.finding == "counterfeit")
            & (m.complainant == c.first.complainant)
            & (m.right == c.first.right)
            & (m.at >= c.first.at + MERGE_WINDOW),
            c.third << (m.finding == "counterfeit")
            & (m.complainant == c.first.complainant)
            & (m.right == c.first.right)
            & (m.at >= c.second.at + MERGE_WINDOW),
        )
        def close(context: Any) -> None:
            closed.setdefault(context.s.sid, context.third.at)

    return closed


def event(number: int, act: Complaint) -> dict[str, object]:
    return {
        "id": number,
        "sid": act.seller,
        "finding": act.finding,
        "complainant": act.complainant,
        "right": act.right,
        "at": act.at,
    }


def tally(closed: dict[str, int]) -> Tally:
    return closures(closed)


def expected(complaints: list[Complaint]) -> Tally:
    return expected_of(complaints)
