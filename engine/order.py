"""The order of rules inside a step: strata, and how each rule reads each kind (semantics 5).

It is computed from what rules read and derive, never from the file.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from .model import Aggregate, Rule, rule_expressions, selections, walk

if TYPE_CHECKING:
    import networkx as nx

Node = tuple[str, int | str]


class Circle(Exception):
    """Rules that trigger each other in circles at one instant: of each circle the names, in its order."""

    def __init__(self, circles: Iterable[tuple[str, ...]]) -> None:
        self.circles = tuple(circles)
        super().__init__("; ".join(", ".join(names) for names in self.circles))


def kinds_read(rule: Rule) -> frozenset[int]:
    """The kinds that a rule aggregates, joins or names in `since`, by their index."""
    found = {join.selection.kind.index for join in rule.joins}
    for expression in rule_expressions(rule):
        for node in walk(expression):
            if isinstance(node, Aggregate):
                found.update(selection.kind.index for selection in selections(node))
    return frozenset(found)


def kinds_derived_now(rule: Rule) -> frozenset[int]:
    """The kinds that a rule derives in the step itself, by their index; what `at:` schedules is not among them."""
    return frozenset(d.kind.index for _, _, d in rule.derivations() if d.at is None)


def strata(rules: Iterable[Rule]) -> dict[str, tuple[int, frozenset[int]]]:
    """The stratum of each rule, and the kinds that it reads backward.

    Parameters
    ----------
    rules : iterable of Rule
        The rules of one ruleset, void rules apart.

    Returns
    -------
    dict
        By the rule's name: the length of the longest chain of rules that it must wait for, and the indices of the
        kinds of which it sees earlier steps only.

    Raises
    ------
    Circle
        Where rules trigger each other in a circle.
    """
    import networkx as nx  # takes a tenth of a second, which `import strikeout` need not wait for

    every = {rule.name: rule for rule in rules}
    reads = {name: kinds_read(rule) for name, rule in every.items()}
    derives = {name: kinds_derived_now(rule) for name, rule in every.items()}
    graph: nx.DiGraph[Node] = nx.DiGraph()
    for name, rule in every.items():
        graph.add_node(("rule", name))
        graph.add_edges_from((("kind", kind.index), ("rule", name)) for kind in rule.triggers)
        graph.add_edges_from((("rule", name), ("kind", index)) for index in derives[name])
        graph.add_nodes_from(("kind", index) for index in reads[name])
    circles = _circles(graph)
    if circles:
        raise Circle(circles)

    above, below = _reach(graph), _reach(graph.reverse(copy=False))
    forward: dict[str, set[int]] = {name: set() for name in every}
    backward: dict[str, set[int]] = {name: set() for name in every}
    neutral: list[tuple[int, str]] = []
    for name, rule in every.items():
        node: Node = ("rule", name)
        own = {kind.index for kind in rule.triggers}
        for index in reads[name]:
            if index in own or above[node] >> index & 1:
                forward[name].add(index)
            elif below[node] >> index & 1:
                backward[name].add(index)
            else:
                neutral.append((index, name))
    with_neutral = graph.copy()
    with_neutral.add_edges_from((("kind", index), ("rule", name)) for index, name in neutral)
    component = {node: n for n, nodes in enumerate(nx.strongly_connected_components(with_neutral)) for node in nodes}
    for index, name in neutral:
        on_a_circle = component["kind", index] == component["rule", name]
        (backward if on_a_circle else forward)[name].add(index)

    waits: nx.DiGraph[str] = nx.DiGraph()
    waits.add_nodes_from(every)
    deriving: dict[int, list[str]] = {}
    for name, indices in derives.items():
        for index in indices:
            deriving.setdefault(index, []).append(name)
    for name, rule in every.items():
        for index in {kind.index for kind in rule.triggers} | forward[name]:
            waits.add_edges_from((other, name) for other in deriving.get(index, ()))
    level: dict[str, int] = {}
    for name in nx.topological_sort(waits):
        level[name] = max((level[other] + 1 for other in waits.predecessors(name)), default=0)
    return {name: (level[name], frozenset(backward[name])) for name in every}


def _circles(graph: nx.DiGraph[Node]) -> list[tuple[str, ...]]:
    """One circle of each set of rules that lead to each other, each from its first name on, sorted."""
    import networkx as nx

    found = []
    for nodes in nx.strongly_connected_components(graph):
        if len(nodes) > 1:
            names = [str(node[1]) for node, _ in nx.find_cycle(graph.subgraph(nodes)) if node[0] == "rule"]
            start = names.index(min(names))
            found.append(tuple(names[start:] + names[:start]))
    return sorted(found)


def _reach(graph: nx.DiGraph[Node]) -> dict[Node, int]:
    """For each node of a graph without circles the kinds from which a path leads to it: a bit for each index."""
    import networkx as nx

    reach: dict[Node, int] = {}
    for node in nx.topological_sort(graph):
        reach[node] = 0
        for before in graph.predecessors(node):
            reach[node] |= reach[before] | (1 << before[1] if isinstance(before[1], int) else 0)
    return reach
