"""The graph view of one subject: complainants, rights and the subject, with an edge for each fact.

The graph is a networkx `MultiDiGraph` whose nodes are pairs (field, id). Each fact is one edge, from its complainant
(else its first id, else the subject) to the subject, and carries the fact. Counts, sums, windows and questions for the
newest fact are answered from series, one for each key of an index, which grow with each fact and never scan the edges.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import networkx as nx

Node = tuple[str, str]


class Edge(Protocol):
    """What the view needs of a fact: its instant in microseconds and the values of its fields."""

    @property
    def at(self) -> int:
        """The instant."""

    @property
    def values(self) -> tuple[str | int | bool | None, ...]:
        """The values of its fields, None where missing."""


@dataclass(frozen=True, slots=True)
class Index:
    """What a series holds: the facts of one kind for which `where` holds, by the values in `keys`.

    A `where` that fails on a fact gives the exception, for whoever asks about the fact to raise.
    `sums` and `extremes` are the slots whose running sums, and whose least and greatest values, are asked for.
    """

    kind: int
    keys: tuple[int, ...]
    where: Callable[[Edge], bool | Exception] | None
    sums: tuple[int, ...] = ()
    extremes: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class KindShape:
    """How a kind stands in the graph: the slot and the field's name of the edge's source, and of other ids."""

    source: tuple[int, str] | None
    others: tuple[tuple[int, str], ...] = ()


class Series:
    """The facts of one index and key, in the order in which they stand."""

    __slots__ = ("ats", "extremes", "facts", "merged", "stacks", "steps", "sums")

    def __init__(self, index: Index) -> None:
        self.ats: list[int] = []
        self.steps: list[int] = []
        self.facts: list[Edge] = []
        self.sums: dict[int, list[int]] = {slot: [0] for slot in index.sums}
        self.extremes = index.extremes
        self.stacks: list[tuple[list[int], list[int]]] = [([], []) for _ in index.extremes]
        self.merged = 0

    def add(self, fact: Edge, step: int) -> None:
        """Append a fact."""
        self.ats.append(fact.at)
        self.steps.append(step)
        self.facts.append(fact)
        for slot, sums in self.sums.items():
            value = fact.at if slot < 0 else fact.values[slot]
            sums.append(sums[-1] + value if isinstance(value, int) else sums[-1])

    def end(self, step: int) -> int:
        """How many of the facts stand before a step."""
        if not self.steps or self.steps[-1] < step:
            return len(self.steps)
        return bisect_left(self.steps, step)

    def total(self, slot: int, low: int, high: int) -> int:
        """The sum of a field over the facts from place `low` up to `high`; missing ones are skipped."""
        sums = self.sums[slot]
        return sums[high] - sums[low] if high > low else 0

    def extreme(self, number: int, low: int, high: int) -> int | None:
        """The least or greatest value of an extreme's field from place `low` up to `high`; missing ones are skipped.

        Facts of earlier steps lie on a stack of candidates, each better than all after it; those of the newest step are
        looked at one by one, as a question may be asked as of before the step.
        """
        if high <= low:
            return None
        function, slot = self.extremes[number]
        best = min if function == "min" else max
        newest = self.end(self.steps[-1])
        if self.merged < newest:
            self._merge(newest)
        places, values = self.stacks[number]
        found: int | None = None
        if low < self.merged:
            first = bisect_left(places, low)
            found = values[first] if first < len(places) else None
        for fact in self.facts[max(low, self.merged) : high]:
            value = fact.at if slot < 0 else fact.values[slot]
            if isinstance(value, int):
                found = value if found is None else best(found, value)
        return found

    def _merge(self, newest: int) -> None:
        for (function, slot), (places, values) in zip(self.extremes, self.stacks, strict=True):
            for place in range(self.merged, newest):
                fact = self.facts[place]
                value = fact.at if slot < 0 else fact.values[slot]
                if not isinstance(value, int):
                    continue
                while values and (value <= values[-1] if function == "min" else value >= values[-1]):
                    values.pop()
                    places.pop()
                places.append(place)
                values.append(value)
        self.merged = newest


class GraphView:
    """The facts of one subject as a graph, with the indices that answer a ruleset's questions.

    Parameters
    ----------
    subject : tuple of str and str
        The subject's node: the field's name and the id.
    indices : sequence of Index
        What will be asked for.
    shapes : sequence of KindShape
        By the kind's index, how its facts stand in the graph.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> view = GraphView(("seller", "s"), [Index(0, (0,), None)], [KindShape((0, "complainant"))])
    >>> view.add(0, SimpleNamespace(at=5, values=("hong",)), step=1)
    >>> view.series(0, ("hong",)).ats, list(view.graph.edges)
    ([5], [(('complainant', 'hong'), ('seller', 's'), 0)])
    """

    __slots__ = ("_by_kind", "_series", "_shapes", "faults", "graph", "indices", "subject")

    def __init__(self, subject: Node, indices: Sequence[Index], shapes: Sequence[KindShape]) -> None:
        import networkx as nx  # takes a tenth of a second, which `import strikeout` need not wait for

        self.graph: nx.MultiDiGraph[Node] = nx.MultiDiGraph()
        self.graph.add_node(subject)
        self.subject = subject
        self.indices = indices
        self.faults: list[list[tuple[int, Exception]]] = [[] for _ in indices]
        self._shapes = shapes
        self._series: list[dict[tuple[object, ...], Series]] = [{} for _ in indices]
        self._by_kind: dict[int, list[int]] = {}
        for number, index in enumerate(indices):
            self._by_kind.setdefault(index.kind, []).append(number)

    def add(self, kind: int, fact: Edge, step: int) -> None:
        """Add a fact of a kind that stands in a step: its edge, and its place in every series it belongs to."""
        shape = self._shapes[kind]
        source = self.subject
        if shape.source is not None:
            slot, field = shape.source
            value = fact.values[slot]
            if value is not None:
                source = (field, str(value))
        self.graph.add_edge(source, self.subject, kind=kind, fact=fact, step=step)
        for slot, field in shape.others:
            value = fact.values[slot]
            if value is not None:
                self.graph.add_node((field, str(value)))
        for number in self._by_kind.get(kind, ()):
            index = self.indices[number]
            if index.where is not None:
                verdict = index.where(fact)
                if isinstance(verdict, Exception):
                    self.faults[number].append((step, verdict))
                    continue
                if not verdict:
                    continue
            key = tuple([fact.values[slot] for slot in index.keys])
            if None in key:
                continue
            series = self._series[number].get(key)
            if series is None:
                series = self._series[number][key] = Series(index)
            series.add(fact, step)

    def series(self, index: int, key: tuple[object, ...]) -> Series | None:
        """The series of an index under a key, if any fact belongs to it."""
        return self._series[index].get(key)

    def fault(self, index: int, before: int | None) -> Exception | None:
        """The exception that `where` of an index gave for a fact that is seen: of all steps, or of those before one."""
        for step, fault in self.faults[index]:
            if before is None or step < before:
                return fault
        return None


def first_place(ats: list[int], start: int, inclusive: bool) -> int:
    """The place of the first instant after `start`, or with `inclusive` at it or after."""
    return bisect_left(ats, start) if inclusive else bisect_right(ats, start)
