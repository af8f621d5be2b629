"""durable_rules without strikeout: events joined by complainant and right, a session a seller.

As its own documentation writes such a rule, the library is killed within some dozens of sellers: where the last part of
a join is false and the parts before it are true, it reads past the end of an array. So ids are integers here, and the
last part is always true; see also `engine/machine/durable.py`.
It keeps 1,024 sessions at most, hence the first sellers only.
"""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

from durable.lang import c, m, post, ruleset, when_all

from benchmarks.tally import Tally, number_of

from .handwritten import MERGE_WINDOW, Complaint
from .handwritten import load as load_all
from .three_strikes import closures
from .three_strikes import expected as expected_of

SELLERS = 1_000
COUNTERFEIT = 1
ONCE = True  # with the sessions of a second time there would be too many
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

    def close(context: Any) -> None:
        closed.setdefault(context.s.sid, context.third.at)

    with ruleset(name):
        three_strikes = when_all(
            c.first << (m.finding == COUNTERFEIT),
            c.second << (m.finding == COUNTERFEIT)
            & (m.at >= c.first.at + MERGE_WINDOW)
            & (m.complainant == c.first.complainant)
            & (m.right == c.first.right)
            & (m.one == c.first.one),
            c.third << (m.finding == COUNTERFEIT)
            & (m.at >= c.second.at + MERGE_WINDOW)
            & (m.complainant == c.first.complainant)
            & (m.right == c.first.right)
            & (m.one == c.first.one),
        )
        three_strikes(close)
    return closed


def event(number: int, act: Complaint) -> dict[str, object]:
    return {
        "id": number,
        "sid": act.seller,
        "finding": COUNTERFEIT,
        "complainant": number_of(act.complainant),
        "right": number_of(act.right.partition("-")[2]),
        "at": act.at,
        "one": 1,
    }


def tally(closed: dict[str, int]) -> Tally:
    return closures(closed)


def expected(complaints: list[Complaint]) -> Tally:
    return expected_of(complaints)
