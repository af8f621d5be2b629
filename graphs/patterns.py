"""Patterns in a complaint graph that are worth a look: bursts on one subject, and rings with the same targets.

They show where to look and prove nothing: a right holder may well find many copies in a week, and two right holders
may have the same counterfeiters.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .complaints import Complaint, Node, alike, complaints
from .measures import Record

if TYPE_CHECKING:
    import networkx as nx

HOUR = 3_600_000_000


def bursts(graph: nx.MultiDiGraph[Node], least: int = 3, within: int = 72 * HOUR) -> list[Record]:
    """Where one complainant hit one subject in quick succession.

    Parameters
    ----------
    graph : MultiDiGraph
        The complaint graph.
    least : int
        How many complaints make a burst.
    within : int
        The length of time, in microseconds, that holds so many: from the first of them up to, not including, its end.
        Bursts that share a complaint are one.

    Returns
    -------
    list of dict
        By the number of complaints: complainant, subject, `complaints`, `first` and `last` instant, `rights`,
        and how many are `voided` since.

    Examples
    --------
    >>> from strikeout.graphs.complaints import Edge, complaint_graph
    >>> edges = [Edge("s", "hong", "r", "upheld", at * HOUR, "counted", "", {}) for at in (0, 10, 20, 500)]
    >>> [row["complaints"] for row in bursts(complaint_graph(edges, ("complainant", "right", "seller")))]
    [3]
    """
    pairs: dict[tuple[str, str], list[Complaint]] = {}
    for complaint in complaints(graph):
        if complaint.complainant is not None:
            pairs.setdefault((complaint.complainant, complaint.subject), []).append(complaint)
    by, _, of = graph.graph["fields"]
    rows: list[Record] = []
    for (source, target), found in pairs.items():
        found.sort(key=lambda complaint: complaint.at)
        for low, high in _runs([complaint.at for complaint in found], least, within):
            part = found[low:high]
            rows.append(
                {
                    by: source,
                    of: target,
                    "complaints": len(part),
                    "first": part[0].at,
                    "last": part[-1].at,
                    "rights": len({complaint.right for complaint in part} - {None}),
                    "voided": sum(complaint.state == "voided" for complaint in part),
                }
            )
    return sorted(rows, key=lambda row: (-row["complaints"], row["first"], row[by], row[of]))


def _runs(instants: list[int], least: int, within: int) -> list[tuple[int, int]]:
    """The runs of instants, each part of `least` within a length of time; places from and up to."""
    runs: list[tuple[int, int]] = []
    for last in range(least - 1, len(instants)):
        first = last - least + 1
        if instants[last] - instants[first] >= within:
            continue
        if runs and first < runs[-1][1]:
            runs[-1] = (runs[-1][0], last + 1)
        else:
            runs.append((first, last + 1))
    return runs


def rings(graph: nx.MultiDiGraph[Node], least: int = 3, likeness: float = 0.5, popular: int = 200) -> list[Record]:
    """Complainants with the same targets: groups linked by pairs that share subjects.

    Parameters
    ----------
    graph : MultiDiGraph
        The complaint graph.
    least : int
        How many subjects a pair must share.
    likeness : float
        How large a part these must be of all that either complains of.
    popular : int
        A subject with more complainants than these is passed over.

    Returns
    -------
    list of dict
        The largest first: `complainants`, the `subjects` of which at least two of them complain, how many
        `complaints` these are, and the least `likeness` of a linked pair.
    """
    import networkx as nx

    near = alike(graph, least, popular)
    near.remove_edges_from([(a, b) for a, b, data in near.edges(data=True) if data["likeness"] < likeness])
    targets: dict[str, dict[str, int]] = {}
    for complaint in complaints(graph):
        if complaint.complainant is not None:
            row = targets.setdefault(complaint.complainant, {})
            row[complaint.subject] = row.get(complaint.subject, 0) + 1
    rows: list[Record] = []
    for group in nx.connected_components(near):
        if len(group) < 2:
            continue
        names = sorted(name for _, name in group)
        hits: dict[str, list[int]] = {}
        for name in names:
            for subject, number in targets[name].items():
                hits.setdefault(subject, []).append(number)
        common = {subject: numbers for subject, numbers in hits.items() if len(numbers) > 1}
        rows.append(
            {
                "complainants": names,
                "subjects": sorted(common),
                "complaints": sum(sum(numbers) for numbers in common.values()),
                "likeness": min(data["likeness"] for _, _, data in near.subgraph(group).edges(data=True)),
            }
        )
    return sorted(rows, key=lambda row: (-len(row["complainants"]), -len(row["subjects"]), row["complainants"]))
