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
    """Rules that trigger each other in a circle at one instant: their names, in the circle's order."""

    def __init__(self, rules: tuple[str, ...]) -> None:
        self.rules = rules
        super().__init__(", ".join(rules))


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
    _refuse_circles(graph)

    forward: dict[str, set[int]] = {name: set() for name in every}
    backward: dict[str, set[int]] = {name: set() for name in every}
    neutral: list[tuple[int, str]] = []
    for name, rule in every.items():
        above = nx.ancestors(graph, ("rule", name))
        below = nx.descendants(graph, ("rule", name))
        own = {kind.index for kind in rule.triggers}
        for index in reads[name]:
            if index in own or ("kind", index) in above:
                forward[name].add(index)
            elif ("kind", index) in below:
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


def _refuse_circles(graph: nx.DiGraph[Node]) -> None:
    import networkx as nx

    try:
        circle = nx.find_cycle(graph)
    except nx.NetworkXNoCycle:
        return
    names = [str(node[1]) for node, _ in circle if node[0] == "rule"]
    start = names.index(min(names))
    raise Circle(tuple(names[start:] + names[:start]))
