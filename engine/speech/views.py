"""Graphs of a run and of a ruleset, as networkx has them: complaints, firings, and what rules read and derive."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from strikeout.graphs.complaints import Edge, complaint_graph

from ..facts import Fact
from ..machine.timeline import Reason, SubjectRun
from ..model import Rule, Ruleset
from ..order import kinds_derived_now, kinds_read
from .fates import Fate, Fates, Roles, roles
from .outcome import record, rule_of

if TYPE_CHECKING:
    import networkx as nx

Node = tuple[Any, ...]


def complaints_of(ruleset: Ruleset, runs: Iterable[SubjectRun]) -> nx.MultiDiGraph[tuple[str, str]]:
    """The complaint graph of runs: every fact that stands, and those that are void, as edges to their subject.

    Complaints carry what became of them as `state`, `brought` (the kinds of their conclusions), and where they merged
    or are void `into` or `voided_by`; every edge `kind`, `at`, `instant`, `given` and the record of the fact.

    Parameters
    ----------
    ruleset : Ruleset
        The ruleset of the runs.
    runs : iterable of SubjectRun
        Runs of different subjects.
    """
    found = roles(ruleset)
    fields = (found.complainant or "complainant", found.right or "right", ruleset.subject)
    return complaint_graph((edge for run in runs for edge in edges(ruleset, run, found)), fields)


def edges(ruleset: Ruleset, run: SubjectRun, found: Roles) -> Iterator[Edge]:
    """The facts of a run as edges, in the order of the run, void ones last."""
    fates = Fates(ruleset, run, found).all()
    by_place = {s.entry.place: s for s in fates if s.entry is not None}
    known: dict[object, Fact] = {}
    for fact in (*(void.fact for void in run.voided), *(entry.fact for entry in run.entries)):
        if fact.kind.index in found.kinds and found.name is not None:
            known[fact.get(found.name)] = fact
    for entry in run.entries:
        about = None if found.name is None else known.get(entry.fact.get(found.name))
        rule = None if entry.given else rule_of(entry)
        yield _edge(ruleset, found, entry.fact, about, by_place.get(entry.place), entry.given, rule)
    for fate in fates:
        if fate.entry is None:
            yield _edge(ruleset, found, fate.fact, None, fate, True, None)


def _edge(
    ruleset: Ruleset,
    found: Roles,
    fact: Fact,
    about: Fact | None,
    fate: Fate | None,
    given: bool,
    rule: str | None,
) -> Edge:
    """A fact as an edge; whom it names neither as complainant nor as right, the complaint that it is about may."""

    def named(field: str | None) -> str | None:
        if field is None:
            return None
        value = fact.get(field)
        if value is None and about is not None:
            value = about.get(field)
        return None if value is None else str(value)

    attributes: dict[str, Any] = {"at": ruleset.zone.format(fact.at), "given": given}
    attributes["fact"] = record(ruleset, fact, rule)
    if fate is not None:
        attributes["brought"] = [entry.fact.kind.name for entry in fate.brought]
        if fate.into is not None:
            attributes["into"] = record(ruleset, fate.into)
        if fate.voided_by is not None:
            attributes["voided_by"] = fate.voided_by.kind.name
    return Edge(
        fact.subject,
        named(found.complainant),
        named(found.right),
        fact.kind.name,
        fact.at,
        fate.state if fate is not None else "",
        named(found.name) or "",
        attributes,
    )


def firings_of(ruleset: Ruleset, run: SubjectRun) -> nx.DiGraph[Node]:
    """The firing graph of a subject: facts lead to the firings that they trigger, and these to what they derive.

    Nodes are `("fact", place)`, `("pending", number)` and `("firing", rule, place of the trigger)`. Facts carry `kind`,
    `at`, `step`, `given`, `scheduled` and their record as `fact`; firings `rule`, `stratum`, `step`, and `threshold`
    where a ladder reached one.

    Parameters
    ----------
    ruleset : Ruleset
        The ruleset of the run.
    run : SubjectRun
        The run.
    """
    import networkx as nx

    graph: nx.DiGraph[Node] = nx.DiGraph(subject=run.subject, as_of=ruleset.zone.format(run.as_of))
    for entry in run.entries:
        node = ("fact", entry.place)
        _add_fact(graph, node, ruleset, entry.fact, entry.given, entry.scheduled)
        graph.nodes[node]["step"] = entry.step
        for reason in entry.reasons:
            _add_firing(graph, reason, node)
    for number, pending in enumerate(run.pending):
        node = ("pending", number)
        _add_fact(graph, node, ruleset, pending.fact, False, True)
        for reason in pending.reasons:
            _add_firing(graph, reason, node)
    return graph


def _add_fact(graph: nx.DiGraph[Node], node: Node, ruleset: Ruleset, fact: Fact, given: bool, scheduled: bool) -> None:
    at = ruleset.zone.format(fact.at)
    kept = record(ruleset, fact)
    graph.add_node(node, type=node[0], kind=fact.kind.name, at=at, given=given, scheduled=scheduled, fact=kept)


def _add_firing(graph: nx.DiGraph[Node], reason: Reason, derived: Node) -> None:
    trigger = reason.trigger
    node = ("firing", reason.rule.name, trigger.place)
    graph.add_node(node, type="firing", rule=reason.rule.name, stratum=reason.rule.stratum, step=trigger.step)
    if reason.threshold is not None:
        graph.nodes[node]["threshold"] = reason.threshold
    graph.add_edge(("fact", trigger.place), node, role="triggers")
    graph.add_edge(node, derived, role="schedules" if reason.derivation.at is not None else "derives")


def rules_of(ruleset: Ruleset) -> nx.MultiDiGraph[Node]:
    """The rule dependency graph: kinds and rules, with an edge for whatever a rule reads and derives (semantics 5).

    Nodes are `("kind", name)` and `("rule", name)`. Rules carry their `stratum`, None where they void, since voids are
    decided before any step. Edges have a `role`: `triggers`; `forward` and `backward`, for kinds that a rule aggregates
    or joins, of this step or of earlier ones only; `derives`; `schedules`; `voids`; and between kinds `ends`.

    Parameters
    ----------
    ruleset : Ruleset
        The ruleset.

    Examples
    --------
    >>> import strikeout
    >>> graph = rules_of(strikeout.load("taobao-counterfeit").model)
    >>> [role for _, _, role in graph.in_edges(("rule", "strike"), data="role")]
    ['triggers', 'backward']
    """
    import networkx as nx

    graph: nx.MultiDiGraph[Node] = nx.MultiDiGraph(ruleset=ruleset.name, version=ruleset.version)
    for index in used_kinds(ruleset):
        used = ruleset.kinds[index]
        graph.add_node(("kind", used.name), type="kind", given=used.given)
    for rule in (*ruleset.rules, *ruleset.void_rules):
        node = ("rule", rule.name)
        graph.add_node(node, type="rule", stratum=None if rule.voids else rule.stratum, cite=rule.cite)
        for source, target, role in _reads(ruleset, rule):
            graph.add_edge(source, target, role=role)
    for kind in ruleset.kinds:
        if kind.ends is not None and ("kind", kind.name) in graph:
            graph.add_edge(("kind", kind.name), ("kind", ruleset.kinds[kind.ends.kind].name), role="ends")
    return graph


def used_kinds(ruleset: Ruleset) -> list[int]:
    """The kinds that rules are triggered by, read, derive or void, by their index."""
    found: set[int] = set()
    for rule in (*ruleset.rules, *ruleset.void_rules):
        found |= {kind.index for kind in rule.triggers} | kinds_read(rule)
        found |= {d.kind.index for _, _, d in rule.derivations()} | {target.kind.index for target in rule.voids}
    return sorted(found)


def _reads(ruleset: Ruleset, rule: Rule) -> Iterator[tuple[Node, Node, str]]:
    node = ("rule", rule.name)
    names = [("kind", kind.name) for kind in ruleset.kinds]
    for kind in rule.triggers:
        yield names[kind.index], node, "triggers"
    for index in sorted(kinds_read(rule)):
        yield names[index], node, "backward" if index in rule.backward else "forward"
    now = kinds_derived_now(rule)
    for index in sorted(now):
        yield node, names[index], "derives"
    for index in sorted({d.kind.index for _, _, d in rule.derivations() if d.at is not None}):
        yield node, names[index], "schedules"
    for target in rule.voids:
        yield node, names[target.kind.index], "voids"
