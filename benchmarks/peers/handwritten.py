"""The policy as a Python programmer would write it down: one loop over each seller's complaints."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from benchmarks.samples import read_csv
from benchmarks.tally import Tally, number_of, tally_of

MERGE_WINDOW = 72 * 3600
MERGED_CAP = 12
AGGRAVATED_FROM, AGGRAVATED_POINTS = 3, 24
STRIKE_LIMIT, STRIKE_POINTS = 3, 48
CLOSING_POINTS = 48
STRIKES_FROM = int(datetime(2015, 1, 1, tzinfo=UTC).timestamp())


class Complaint(NamedTuple):
    kind: str
    at: int
    seller: str
    complaint: str
    complainant: str
    right: str
    finding: str
    confirmed: bool
    special: bool
    base: int


class Conclusion(NamedTuple):
    seller: str
    kind: str
    at: int
    complaint: str
    complainant: str
    right: str
    amount: int


def complaint_of(row: dict[str, str]) -> Complaint:
    at = int(datetime.fromisoformat(row["at"] + "+00:00").timestamp())
    return Complaint(
        row["kind"],
        at,
        row["seller"],
        row["complaint"],
        row["complainant"],
        row["right"],
        row["finding"],
        row["level"] == "confirmed",
        row["special"] == "true",
        int(row["base"] or 0),
    )


def load(path: Path) -> list[Complaint]:
    return [complaint_of(row) for row in read_csv(path)]


def decide(complaints: Sequence[Complaint]) -> list[Conclusion]:
    by_seller: dict[str, list[Complaint]] = defaultdict(list)
    for complaint in complaints:
        by_seller[complaint.seller].append(complaint)
    conclusions: list[Conclusion] = []
    for seller in sorted(by_seller):
        conclusions.extend(decide_seller(seller, by_seller[seller]))
    return conclusions


def decide_seller(seller: str, complaints: Sequence[Complaint]) -> Iterator[Conclusion]:
    """What is concluded on one seller, up to the closure."""
    withdrawn: dict[str, int] = {}
    for act in complaints:
        if act.kind != "upheld":
            withdrawn[act.complaint] = max(act.at, withdrawn.get(act.complaint, act.at))
    violations = 0
    merging: int | None = None  # since when acts of information level merge
    merging_number = merging_points = 0
    total = 0
    strikes: dict[tuple[str, str], int] = defaultdict(int)
    strike_merging: dict[tuple[str, str], int] = {}
    for act in sorted(complaints, key=lambda act: (act.at, act.complaint)):
        if act.kind != "upheld" or act.finding != "counterfeit" or act.special:
            continue
        if act.complaint in withdrawn and act.at <= withdrawn[act.complaint]:
            continue
        at, key = act.at, (act.complainant, act.right)
        makes_strike = False
        if at >= STRIKES_FROM:
            since = strike_merging.get(key)
            makes_strike = act.confirmed or since is None or at - since >= MERGE_WINDOW
            if makes_strike:
                strikes[key] += 1
                if not act.confirmed:
                    strike_merging[key] = at
                yield Conclusion(seller, "strike", at, act.complaint, *key, 0)
        opens = act.confirmed or merging is None or at - merging >= MERGE_WINDOW
        if opens:
            violations += 1
            if not act.confirmed:
                merging, merging_number, merging_points = at, violations, 0
            yield Conclusion(seller, "violation", at, act.complaint, *key, 0)
        number = violations if act.confirmed else merging_number
        if makes_strike and strikes[key] >= STRIKE_LIMIT:
            amount = STRIKE_POINTS
        elif number >= AGGRAVATED_FROM:
            amount = AGGRAVATED_POINTS if opens else 0
        elif act.confirmed:
            amount = act.base
        else:
            amount = min(act.base, MERGED_CAP - merging_points)
        if amount > 0:
            total += amount
            if not act.confirmed:
                merging_points += amount
            yield Conclusion(seller, "points", at, act.complaint, *key, amount)
        if (makes_strike and strikes[key] >= STRIKE_LIMIT) or (amount > 0 and total >= CLOSING_POINTS):
            yield Conclusion(seller, "closure", at, "", "", "", 0)
            return


def tally(conclusions: list[Conclusion]) -> Tally:
    return tally_of((c.kind, c.at, number_of(c.complaint or c.seller), c.amount) for c in conclusions)
