"""What policy people ask of a complaint graph, as lists of records: strikes, complainants, rights.

Shares are numbers from 0 to 1. Rows stand by what matters most first, then by id.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from .complaints import STATES, Complaint, Node, complaints

if TYPE_CHECKING:
    import networkx as nx

Record = dict[str, Any]


def _states(found: Iterable[Complaint]) -> Record:
    """How many complaints there are, and of each state."""
    counts = Counter(complaint.state for complaint in found)
    return {"complaints": counts.total(), **{state: counts[state] for state in STATES}}


def _grouped(graph: nx.MultiDiGraph[Node], *roles: str) -> dict[tuple[str, ...], list[Complaint]]:
    """The complaints by what they have in the roles; those that lack one are left out."""
    found: dict[tuple[str, ...], list[Complaint]] = {}
    for complaint in complaints(graph):
        ids = [getattr(complaint, role) for role in roles]
        if None not in ids:
            found.setdefault(tuple(ids), []).append(complaint)
    return found


def triples(graph: nx.MultiDiGraph[Node]) -> list[Record]:
    """Each complainant, right and subject with complaints, and how many of them counted: the strikes of the triple.

    Examples
    --------
    >>> from strikeout.graphs.complaints import Edge, complaint_graph
    >>> edges = [Edge("s", "hong", "r", "upheld", at, state, "", {}) for at, state in enumerate(["counted", "merged"])]
    >>> row = triples(complaint_graph(edges, ("complainant", "right", "seller")))[0]
    >>> row["seller"], row["counted"], row["merged"]
    ('s', 1, 1)
    """
    fields = graph.graph["fields"]
    rows = []
    for ids, found in _grouped(graph, "complainant", "right", "subject").items():
        instants = [complaint.at for complaint in found]
        numbers = {"first": min(instants), "last": max(instants)}
        rows.append({**dict(zip(fields, ids, strict=True)), **_states(found), **numbers})
    return sorted(rows, key=lambda row: (-row["counted"], -row["complaints"], *(row[field] for field in fields)))


def sellers(graph: nx.MultiDiGraph[Node]) -> list[Record]:
    """Each subject: complaints by state, of how many complainants and rights, and the most strikes of one triple."""
    field = graph.graph["fields"][2]
    most: dict[str, int] = {}
    for row in triples(graph):
        most[row[field]] = max(most.get(row[field], 0), row["counted"])
    rows = []
    for (name,), found in _grouped(graph, "subject").items():
        rows.append(
            {
                field: name,
                "most_strikes": most.get(name, 0),
                **_states(found),
                "complainants": _distinct(complaint.complainant for complaint in found),
                "rights": _distinct(complaint.right for complaint in found),
            }
        )
    return sorted(rows, key=lambda row: (-row["most_strikes"], -row["counted"], -row["complaints"], row[field]))


def complainants(graph: nx.MultiDiGraph[Node]) -> list[Record]:
    """Each complainant: complaints by state, the share that counted or merged (`success`), and the share voided.

    `voided_by` says by which kinds of fact, such as withdrawals by the complainant itself; `pending` complaints are not
    decided, and no part of `success`.
    """
    field = graph.graph["fields"][0]
    rows = []
    for (name,), found in _grouped(graph, "complainant").items():
        numbers = _states(found)
        decided = numbers["complaints"] - numbers["pending"]
        by = Counter(complaint.data["voided_by"] for complaint in found if "voided_by" in complaint.data)
        rows.append(
            {
                field: name,
                **numbers,
                "success": (numbers["counted"] + numbers["merged"]) / decided if decided else None,
                "share_voided": numbers["voided"] / numbers["complaints"],
                "voided_by": dict(sorted(by.items())),
                "sellers": _distinct(complaint.subject for complaint in found),
                "rights": _distinct(complaint.right for complaint in found),
            }
        )
    return sorted(rows, key=lambda row: (-row["complaints"], row[field]))


def rights(graph: nx.MultiDiGraph[Node]) -> list[Record]:
    """Each right: its complaints by state, by how many complainants, against how many subjects."""
    field = graph.graph["fields"][1]
    rows = []
    for (name,), found in _grouped(graph, "right").items():
        rows.append(
            {
                field: name,
                **_states(found),
                "complainants": _distinct(complaint.complainant for complaint in found),
                "sellers": _distinct(complaint.subject for complaint in found),
            }
        )
    return sorted(rows, key=lambda row: (-row["complaints"], row[field]))


def _distinct(ids: Iterable[str | None]) -> int:
    return len(set(ids) - {None})
