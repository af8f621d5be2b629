"""The simplified policy of the peers that cannot do the whole one, said plainly: what they must conclude.

The third counterfeit by one complainant and right closes, each at least 72 hours after the last one that counted. No
levels, no points, no withdrawals.
"""

from __future__ import annotations

from collections.abc import Iterable

from benchmarks.tally import Tally, number_of, tally_of

from .handwritten import MERGE_WINDOW, STRIKE_LIMIT, Complaint


def expected(complaints: Iterable[Complaint]) -> Tally:
    """The closures that follow from complaints in order of time."""
    strikes: dict[tuple[str, str, str], tuple[int, int]] = {}
    closed: dict[str, int] = {}
    for act in complaints:
        if act.kind != "upheld" or act.finding != "counterfeit":
            continue
        key = (act.seller, act.complainant, act.right)
        count, last = strikes.get(key, (0, act.at - MERGE_WINDOW))
        if act.at - last >= MERGE_WINDOW:
            strikes[key] = (count + 1, act.at)
            if count + 1 >= STRIKE_LIMIT:
                closed.setdefault(act.seller, act.at)
    return closures(closed)


def closures(closed: dict[str, int]) -> Tally:
    """The tally of when each seller was closed."""
    return tally_of(("closure", at, number_of(seller), 0) for seller, at in closed.items())
