"""The complaint graph: who complained of whom, for which right, what became of each complaint; and its projections.

A `MultiDiGraph` whose nodes are pairs (field, id) with a `role`: `complainant`, `right` or `subject`. An edge is a
fact, from its complainant to its subject. One that is a complaint has a `state`; see `STATES`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import networkx as nx

Node = tuple[str, str]

STATES = ("counted", "merged", "pending", "not_counted", "voided")
"""What became of a complaint: it brought a conclusion of its own; it merged into an earlier one; what it brings is
scheduled; it brought nothing; it no longer holds."""


@dataclass(frozen=True, slots=True)
class Edge:
    """A fact as an edge.

    Attributes
    ----------
    subject : str
        Whom it concerns.
    complainant, right : str or None
        Who complained, for which right; None where the fact does not say.
    kind : str
        The kind of fact.
    at : int
        The instant, in microseconds since 1970 UTC.
    state : str
        One of `STATES`, or nothing where the fact is no complaint.
    name : str
        The complaint's id, where it has one.
    attributes : mapping
        What else the edge carries.
    """

    subject: str
    complainant: str | None
    right: str | None
    kind: str
    at: int
    state: str
    name: str
    attributes: Mapping[str, Any]


def complaint_graph(edges: Iterable[Edge], fields: tuple[str, str, str]) -> nx.MultiDiGraph[Node]:
    """The graph of facts.

    Parameters
    ----------
    edges : iterable of Edge
        The facts.
    fields : tuple of three str
        The names of the fields of complainant, right and subject.

    Examples
    --------
    >>> fields = ("complainant", "right", "seller")
    >>> graph = complaint_graph([Edge("s", "hong", "r", "upheld", 0, "counted", "c1", {})], fields)
    >>> list(graph.edges(data="state"))
    [(('complainant', 'hong'), ('seller', 's'), 'counted')]
    """
    import networkx as nx  # takes a tenth of a second, which `import strikeout` need not wait for

    graph: nx.MultiDiGraph[Node] = nx.MultiDiGraph(fields=fields)
    for edge in edges:
        subject = (fields[2], edge.subject)
        graph.add_node(subject, role="subject")
        source = subject
        if edge.complainant is not None:
            source = (fields[0], edge.complainant)
            graph.add_node(source, role="complainant")
        if edge.right is not None:
            graph.add_node((fields[1], edge.right), role="right")
            if edge.complainant is None:
                source = (fields[1], edge.right)
        given: dict[str, Any] = {"kind": edge.kind, "instant": edge.at}
        for name, value in (("state", edge.state), ("complaint", edge.name), ("right", edge.right)):
            if value:
                given[name] = value
        graph.add_edge(source, subject, **given, **edge.attributes)
    return graph


@dataclass(frozen=True, slots=True)
class Complaint:
    """A complaint of the graph, as measures go through them; None where there is no complainant or right."""

    complainant: str | None
    right: str | None
    subject: str
    at: int
    state: str
    data: Mapping[str, Any]


def complaints(graph: nx.MultiDiGraph[Node]) -> Iterator[Complaint]:
    """The complaints of a graph: its edges with a state."""
    for source, target, data in graph.edges(data=True):
        state = data.get("state")
        if state is not None:
            complainant = source[1] if graph.nodes[source]["role"] == "complainant" else None
            yield Complaint(complainant, data.get("right"), target[1], data["instant"], state, data)


PAIRS = {
    "complainant-subject": ("complainant", "subject"),
    "complainant-right": ("complainant", "right"),
    "right-subject": ("right", "subject"),
}


def projection(graph: nx.MultiDiGraph[Node], pair: str = "complainant-subject") -> nx.DiGraph[Node]:
    """Two of the three sides of the complaint graph, one edge for all complaints between two nodes.

    Parameters
    ----------
    graph : MultiDiGraph
        The complaint graph.
    pair : str
        `complainant-subject`, `complainant-right` or `right-subject`.

    Returns
    -------
    DiGraph
        Edges have the number of `complaints` and of each state, and the `first` and `last` instant.

    Raises
    ------
    ValueError
        Where there is no such pair.
    """
    import networkx as nx

    if pair not in PAIRS:
        raise ValueError(f"`{pair}` is no projection; known are {', '.join(f'`{name}`' for name in PAIRS)}")
    fields = dict(zip(("complainant", "right", "subject"), graph.graph["fields"], strict=True))
    found: nx.DiGraph[Node] = nx.DiGraph()
    for complaint in complaints(graph):
        ids = {"complainant": complaint.complainant, "right": complaint.right, "subject": complaint.subject}
        ends = []
        for role in PAIRS[pair]:
            name = ids[role]
            if name is not None:
                ends.append((fields[role], name))
                found.add_node(ends[-1], role=role)
        if len(ends) == 2:
            _count(found, ends[0], ends[1], complaint)
    return found


def _count(graph: nx.DiGraph[Node], source: Node, target: Node, complaint: Complaint) -> None:
    if not graph.has_edge(source, target):
        numbers = dict.fromkeys(("complaints", *STATES), 0)
        graph.add_edge(source, target, **numbers, first=complaint.at, last=complaint.at)
    data = graph.edges[source, target]
    data["complaints"] += 1
    data[complaint.state] += 1
    data["first"] = min(data["first"], complaint.at)
    data["last"] = max(data["last"], complaint.at)


def alike(graph: nx.MultiDiGraph[Node], least: int = 2, popular: int = 200) -> nx.Graph[Node]:
    """The complainants that have subjects in common: an edge where they share at least so many.

    Parameters
    ----------
    graph : MultiDiGraph
        The complaint graph.
    least : int
        How many subjects two complainants must share.
    popular : int
        A subject with more complainants than these says nothing about any two of them, and is passed over.

    Returns
    -------
    Graph
        Edges have `shared`, how many subjects both complain of, and `likeness`, their share of all that either does.
    """
    import networkx as nx

    targets: dict[Node, set[str]] = {}
    sources: dict[str, set[Node]] = {}
    field = graph.graph["fields"][0]
    for complaint in complaints(graph):
        if complaint.complainant is not None:
            source = (field, complaint.complainant)
            targets.setdefault(source, set()).add(complaint.subject)
            sources.setdefault(complaint.subject, set()).add(source)
    shared: dict[tuple[Node, Node], int] = {}
    for found in sources.values():
        if len(found) > popular:
            continue
        row = sorted(found)
        for number, one in enumerate(row):
            for other in row[number + 1 :]:
                shared[one, other] = shared.get((one, other), 0) + 1
    result: nx.Graph[Node] = nx.Graph()
    result.add_nodes_from(sorted(targets), role="complainant")
    for (one, other), number in sorted(shared.items()):
        if number >= least:
            either = len(targets[one] | targets[other])
            result.add_edge(one, other, shared=number, likeness=number / either)
    return result
