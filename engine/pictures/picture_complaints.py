"""Who complained of whom, for which right, and what became of it: three columns, and the measures beside them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from strikeout.graphs.complaints import STATES, complaints
from strikeout.graphs.draw_columns import Flows, draw_columns
from strikeout.graphs.draw_text import clean
from strikeout.graphs.measures import Record, complainants, rights, sellers, triples
from strikeout.graphs.patterns import bursts, rings

from ..model import Ruleset
from .picture import MOST_ROWS, Pen, Picture, Table, shown

if TYPE_CHECKING:
    import networkx as nx

MOST_IN_A_CELL = 12


def complaints_picture(
    ruleset: Ruleset, graph: nx.MultiDiGraph[tuple[str, str]], language: str, as_of: int | None, subject: str | None
) -> Picture:
    """The complaint graph in three columns.

    Parameters
    ----------
    ruleset : Ruleset
        The ruleset.
    graph : MultiDiGraph
        The complaint graph of one run or many, as `views.complaints_of` makes it.
    language : str
        `zh` or `en`.
    as_of : int or None
        The instant of the runs; None where there was no fact.
    subject : str or None
        The subject, where the graph is of one.
    """
    return _Complaints(ruleset, graph, language).picture(as_of, subject)


class _Complaints:
    def __init__(self, ruleset: Ruleset, graph: nx.MultiDiGraph[tuple[str, str]], language: str) -> None:
        self.ruleset = ruleset
        self.graph = graph
        self.pen = Pen(ruleset, language)
        self.fields = graph.graph["fields"]

    def picture(self, as_of: int | None, subject: str | None) -> Picture:
        """The picture with its tables."""
        pen = self.pen
        counts: Counter[tuple[tuple[str, str, str], str]] = Counter()
        sides: tuple[set[str], set[str], set[str]] = (set(), set(), set())
        for complaint in complaints(self.graph):
            ids = (complaint.complainant, complaint.right, complaint.subject)
            a, b, c = (shown(name) if name is not None else "" for name in ids)
            counts[(a, b, c), complaint.state] += 1
            for found, name in zip(sides, ids, strict=True):
                if name is not None:
                    found.add(name)
        states = [state for (_, state), number in counts.items() for _ in range(number)]
        numbers = pen.counts(states)
        sizes = dict(zip(("complainants", "rights", "subjects"), (f"{len(s):,}" for s in sides), strict=True))
        ruleset = clean(pen.words.title(self.ruleset.title) or self.ruleset.name)
        title = pen.say("complaint-graph", ruleset=ruleset)
        if subject is not None:
            title = pen.say("complaint-graph-of", ruleset=ruleset, subject=pen.subject(subject))
        parts = [numbers, pen.say("sides", name=self.ruleset.subject, **sizes)]
        if as_of is not None:
            parts.append(pen.say("as-of", at=pen.words.instant(as_of)))
        description = list(parts)
        if counts:
            totals: Counter[tuple[str, str, str]] = Counter()
            for (ids_, _), number in counts.items():
                totals[ids_] += number
            first = min(totals, key=lambda ids: (-totals[ids], ids))
            path = pen.say("arrow").join(name or pen.say("nobody") for name in first)
            description.append(pen.say("flow-first", path=path, number=f"{totals[first]:,}"))
        a, b, c = self.fields
        flows = Flows(
            title,
            pen.say("dot").join(parts),
            pen.say("dot").join(description),
            (a, b, c),
            counts,
            tuple((f"bar:{state}", pen.say(state)) for state in STATES if state in states),
        )
        svg, notes = draw_columns(flows, pen.language)
        return Picture(svg, title, flows.description, tuple(notes), tuple(self.tables()), pen.language)

    def tables(self) -> Iterator[Table]:
        """The measures that are not empty."""
        by, of, whom = self.fields
        states = ["complaints", *STATES]
        for phrase, rows, ids, columns in (
            ("triples", triples(self.graph), [by, of, whom], [*states, "first", "last"]),
            ("by-subject", sellers(self.graph), [whom], ["most_strikes", *states, "complainants", "rights"]),
            (
                "by-complainant",
                complainants(self.graph),
                [by],
                [*states, "success", "share_voided", "voided_by", "sellers", "rights"],
            ),
            ("by-right", rights(self.graph), [of], [*states, "complainants", "sellers"]),
            ("bursts", bursts(self.graph), [by, whom], ["complaints", "first", "last", "rights", "voided"]),
            ("rings", rings(self.graph), [], ["complainants", "subjects", "complaints", "likeness"]),
        ):
            if not rows:
                continue
            names = [*ids, *columns]
            found = [{self.heading(name): self.cell(name, row) for name in names} for row in rows[:MOST_ROWS]]
            title = self.pen.say(phrase, fields=self.pen.say("comma").join(ids))
            yield Table(title, tuple(self.heading(name) for name in names), tuple(found), len(rows))

    def heading(self, name: str) -> str:
        """The heading of a column: fields and numbers of fields as they are called, states in words."""
        if name in self.fields:
            return str(name)
        return self.pen.say(name) if name in STATES else self.pen.heading(name)

    def cell(self, name: str, row: Record) -> object:
        """A value as the table shows it."""
        value = row[name]
        if name in ("first", "last"):
            return self.pen.words.instant(value)
        if isinstance(value, float):
            return f"{value * 100:.0f} %"
        if isinstance(value, list):
            more = [f"+{len(value) - MOST_IN_A_CELL}"] if len(value) > MOST_IN_A_CELL else []
            return self.pen.say("comma").join([*(shown(v) for v in value[:MOST_IN_A_CELL]), *more])
        if isinstance(value, dict):
            kinds = self.ruleset.kinds_by_name
            return self.pen.say("comma").join(f"{self.pen.kind(kinds[k])} {n}" for k, n in value.items())
        return shown(value) if isinstance(value, str) else value
