"""Graphs of runs and rulesets: what became of each complaint, measures, patterns, firings, what rules read."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import networkx as nx
import pytest

import strikeout
from strikeout.graphs import measures, patterns
from strikeout.graphs.complaints import STATES, Edge, alike, complaint_graph, complaints, projection
from strikeout.reach.drawing import graphml
from strikeout.reach.library import shipped_names
from strikeout.reach.sample import record, rows
from strikeout.speech.fates import Fates, counting, roles

ROOT = Path(__file__).resolve().parent.parent
HOUR = 3_600_000_000
FIELDS = ("complainant", "right", "seller")

UPHELD = {"kind": "upheld", "seller": "s", "complainant": "hong", "right": "r", "finding": "counterfeit", "base": 2}
NOTICE = {"kind": "notice", "seller": "s", "complainant": "hong", "right": "r", "claim": "counterfeit"}


def facts(*given: Mapping[str, object], **shared: object) -> list[dict[str, object]]:
    """Facts that share fields; complaints are named c1, c2 … where they have no id."""
    found = []
    for number, fact in enumerate(given, 1):
        found.append({"complaint": f"c{number}", **shared, **fact})
    return found


def states(name: str, given: list[dict[str, object]], as_of: str | None = None) -> dict[str, str]:
    """What became of each complaint of the seller `s`."""
    ruleset = strikeout.load(name)
    run = ruleset.run(given, as_of=as_of).run_of("s")
    found = Fates(ruleset.model, run, roles(ruleset.model)).all()
    return {str(fate.fact.get("complaint")): fate.state for fate in found}


# What became of a complaint.


def test_an_act_within_the_window_merges_though_it_brings_points() -> None:
    given = facts({"at": "2015-01-05"}, {"at": "2015-01-06"}, {"at": "2015-01-08"}, **UPHELD)
    assert states("taobao-counterfeit", given) == {"c1": "counted", "c2": "merged", "c3": "counted"}


def test_an_act_that_opens_a_violation_or_a_strike_counts() -> None:
    # The second is merged per seller, and a strike of its own complainant; the third the other way round.
    given = facts(
        {"at": "2015-01-05"},
        {"at": "2015-01-07", "complainant": "lan"},
        {"at": "2015-01-08T01:00", "complainant": "lan"},
        **UPHELD,
    )
    assert states("taobao-counterfeit", given) == {"c1": "counted", "c2": "counted", "c3": "counted"}


def test_what_no_rule_takes_is_not_counted() -> None:
    given = facts(
        {"at": "2015-01-05", "finding": "improper_use"},
        {"at": "2015-01-06", "special": True},
        {"at": "2015-01-07"},
        **{key: value for key, value in UPHELD.items() if key != "finding"} | {"finding": "counterfeit"},
    )
    found = states("taobao-counterfeit", given)
    assert found == {"c1": "not_counted", "c2": "not_counted", "c3": "counted"}


def test_another_finding_within_the_window_is_not_counted_rather_than_merged() -> None:
    given = facts({"at": "2015-01-05"}, {"at": "2015-01-06", "finding": "improper_use"}, **UPHELD)
    assert states("taobao-counterfeit", given) == {"c1": "counted", "c2": "not_counted"}


def test_what_had_merged_into_a_voided_act_counts() -> None:
    given = facts({"at": "2015-01-05"}, {"at": "2015-01-06"}, **UPHELD)
    given.append({"kind": "withdrawal", "seller": "s", "complaint": "c1", "at": "2015-01-07"})
    assert states("taobao-counterfeit", given) == {"c1": "voided", "c2": "counted"}


def test_after_the_terminal_fact_nothing_counts() -> None:
    given = facts(*({"at": f"2015-0{month}-05"} for month in range(1, 6)), **UPHELD)
    found = states("taobao-counterfeit", given)
    assert Counter(found.values()) == {"counted": 3, "not_counted": 2}
    assert found["c4"] == "not_counted"


def test_a_notice_waits_for_its_deadline_then_its_upheld_complaint_stands_for_it() -> None:
    given = facts({"at": "2015-01-05"}, **NOTICE)
    assert states("taobao-counterfeit-full", given) == {"c1": "pending"}
    assert states("taobao-counterfeit-full", given, "2015-02-01") == {"c1": "counted"}
    assert states("alibaba-procedure", given, "2015-02-01") == {"c1": "counted"}


def test_a_notice_that_was_answered_is_not_counted() -> None:
    given = facts({"at": "2015-01-05"}, **NOTICE)
    given.append({"kind": "counter_notice", "seller": "s", "complaint": "c1", "at": "2015-01-06"})
    assert states("taobao-counterfeit-full", given, "2015-02-01") == {"c1": "not_counted"}


def test_merging_is_seen_through_let_and_fields() -> None:
    serious = {**UPHELD, "finding": "serious"}
    given = facts({"at": "2015-01-05"}, {"at": "2015-01-07"}, {"at": "2015-01-08"}, **serious)
    assert states("alibaba-1688-serious", given) == {"c1": "counted", "c2": "merged", "c3": "counted"}
    general = {**UPHELD, "finding": "general"}
    given = facts({"at": "2015-01-05"}, {"at": "2015-01-10"}, {"at": "2015-01-11"}, **general)
    assert states("alibaba-1688-general", given) == {"c1": "counted", "c2": "merged", "c3": "counted"}


def test_a_cap_merges_nothing() -> None:
    misuse = {**UPHELD, "finding": "other_misuse"}
    given = facts(*({"at": f"2015-01-05T0{hour}:00"} for hour in range(4)), **misuse)
    assert set(states("alibaba-1688-misuse", given).values()) == {"counted"}


def test_complaints_of_another_vocabulary() -> None:
    shared = {"kind": "takedown", "seller": "s", "complainant": "acme"}
    given = facts({"at": "2024-01-01"}, {"at": "2024-01-02"}, {"at": "2024-01-09", "placeholder": True}, **shared)
    found = states("github-repeat-infringer", given)
    assert found == {"c1": "counted", "c2": "merged", "c3": "not_counted"}


def test_complaints_without_ids_are_each_their_own() -> None:
    ruleset = strikeout.load_text(
        "ruleset: x\nversion: 2015-01-01\nsubject: seller\ntimezone: UTC\n"
        "facts:\n  report: {input: true, fields: {}}\n  strike: {fields: {}}\n"
        "rules:\n  strike: {when: report, if: none(strike within 3d), then: strike}\n"
    )
    outcome = ruleset.run([{"kind": "report", "seller": "s", "at": f"2015-01-0{day}"} for day in (1, 2, 5)])
    graph = outcome.graph()
    assert [c.state for c in complaints(graph)] == ["counted", "merged", "counted"]
    assert list(graph.nodes) == [("seller", "s")]
    assert measures.triples(graph) == []
    assert measures.sellers(graph)[0]["counted"] == 2
    assert outcome.draw().svg


@pytest.mark.parametrize("name", shipped_names())
def test_every_shipped_ruleset_has_complaints(name: str) -> None:
    model = strikeout.load(name).model
    found = roles(model)
    assert found.kinds
    assert (found.name, found.complainant, found.right) == ("complaint", "complainant", "right")
    assert set(found.merging) == {rule.name for rule in model.rules if counting(rule)}


@pytest.mark.parametrize("name", ["taobao-counterfeit", "alibaba-1688"])
def test_every_complaint_of_a_sample_has_one_state_on_every_engine(name: str) -> None:
    ruleset = strikeout.load(name)
    given = [record(row) for row in rows(300, seed=4, subjects=20)]
    ids = {(row["seller"], row["complaint"]) for row in given if row["kind"] == "upheld"}
    graphs = [ruleset.run(given, engine=engine).graph() for engine in ("compiled", None)]
    found = [(c.subject, c.data["complaint"]) for c in complaints(graphs[0])]
    assert sorted(found) == sorted(ids)
    seen = [[(c.subject, c.at, c.state) for c in complaints(graph)] for graph in graphs]
    assert seen[0] == seen[1]
    for complaint in complaints(graphs[0]):
        data = complaint.data
        assert complaint.state in STATES
        assert complaint.state != "counted" or data["brought"]
        assert (complaint.state == "merged") == ("into" in data)
        assert (complaint.state == "voided") == ("voided_by" in data)


def test_what_merged_counts_or_merges_elsewhere_without_what_it_merged_into() -> None:
    ruleset = strikeout.load("taobao-counterfeit")
    given = [record(row) for row in rows(200, seed=9, subjects=6)]
    merged = [c for c in complaints(ruleset.run(given).graph()) if c.state == "merged"]
    assert merged
    for complaint in merged[:8]:
        into = complaint.data["into"]["complaint"]
        left = [fact for fact in given if fact["complaint"] != into]
        again = {c.data["complaint"]: c for c in complaints(ruleset.run(left).graph(complaint.subject))}
        other = again[complaint.data["complaint"]]
        assert other.state == "counted" or other.data["into"]["complaint"] != into


# Graphs.


def example() -> strikeout.Outcome:
    return strikeout.load("taobao-counterfeit").run(strikeout.read(ROOT / "docs" / "example.csv"))


def test_the_complaint_graph_has_every_fact_and_what_is_void() -> None:
    graph = example().graph()
    kinds = Counter(data["kind"] for _, _, data in graph.edges(data=True))
    assert kinds == {"upheld": 7, "strike": 5, "violation": 5, "points": 6, "withdrawal": 1, "closure": 1}
    assert dict(graph.nodes(data="role")) == {
        ("seller", "xiaohua"): "subject",
        ("seller", "xiaoming"): "subject",
        ("complainant", "阿红"): "complainant",
        ("complainant", "阿绿"): "complainant",
        ("right", "红了个红"): "right",
        ("right", "绿了个绿"): "right",
    }
    withdrawal = next(data for _, _, data in graph.edges(data=True) if data["kind"] == "withdrawal")
    assert withdrawal["right"] == "红了个红", "a withdrawal is about the right of its complaint"
    assert {data["given"] for *_, data in graph.edges(data=True) if "state" in data} == {True}


def test_one_subject_alone() -> None:
    outcome = example()
    assert {c.subject for c in complaints(outcome.graph("xiaoming"))} == {"xiaoming"}
    with pytest.raises(strikeout.RunError, match="did you mean `xiaoming`"):
        outcome.graph("xiaomin")


def test_firings_lead_from_facts_to_facts_and_never_back() -> None:
    outcome = strikeout.load("taobao-counterfeit-full").run(facts({"at": "2015-01-05"}, **NOTICE), as_of="2015-02-01")
    graph = outcome.firings("s")
    assert nx.is_directed_acyclic_graph(graph)
    for source, target, data in graph.edges(data=True):
        role = data["role"]
        assert (source[0] == "firing") != (target[0] == "firing")
        assert role == "triggers" if target[0] == "firing" else role in ("derives", "schedules")
        assert role == "schedules" or graph.nodes[source]["step"] == graph.nodes[target]["step"]
    for node, data in graph.nodes(data=True):
        if data["type"] == "fact":
            assert (graph.in_degree(node) == 0) == data["given"]
    assert [d["rule"] for _, d in graph.nodes(data=True) if d["type"] == "firing"][:2] == [
        "counter-notice-period",
        "uncontested",
    ]


def test_what_is_pending_stands_in_the_firing_graph() -> None:
    outcome = strikeout.load("alibaba-procedure").run(facts({"at": "2015-01-05"}, **NOTICE))
    graph = outcome.firings("s")
    assert graph.nodes["pending", 0]["kind"] == "counter_notice_due"
    assert graph.has_edge(("firing", "counter-notice-period", 0), ("pending", 0))


@pytest.mark.parametrize("name", shipped_names())
def test_the_rule_graph_agrees_with_the_strata(name: str) -> None:
    ruleset = strikeout.load(name)
    graph = ruleset.graph()
    strata = {rule.name: rule.stratum for rule in ruleset.model.rules}
    assert {node[1]: data["stratum"] for node, data in graph.nodes(data=True) if node[0] == "rule"} == {
        **strata,
        **dict.fromkeys((rule.name for rule in ruleset.model.void_rules), None),
    }
    makers: dict[Any, list[str]] = {}
    edges = [(source, target, data["role"]) for source, target, data in graph.edges(data=True)]
    for source, target, role in edges:
        if role == "derives":
            makers.setdefault(target, []).append(source[1])
    for source, target, role in edges:
        if role in ("triggers", "forward") and target[1] in strata:
            assert all(strata[maker] < strata[target[1]] for maker in makers.get(source, ()))
        elif role == "backward":
            assert source[1] in {ruleset.model.kinds[k].name for k in by_name(ruleset, target[1]).backward}
    now = [(source, target) for source, target, role in edges if role in ("triggers", "derives")]
    assert nx.is_directed_acyclic_graph(nx.DiGraph(now))


def by_name(ruleset: strikeout.Ruleset, name: str) -> Any:
    return next(rule for rule in ruleset.model.rules if rule.name == name)


def test_graphs_are_written_as_graphml_and_read_again() -> None:
    outcome = example()
    for graph in (outcome.graph(), outcome.firings("xiaoming"), outcome.ruleset.graph()):
        again = nx.read_graphml(io.BytesIO(graphml(graph).encode()), force_multigraph=graph.is_multigraph())
        assert len(again) == len(graph)
        assert again.number_of_edges() == graph.number_of_edges()
    labels = {
        data["label"] for _, data in nx.read_graphml(io.BytesIO(graphml(outcome.graph()).encode())).nodes(data=True)
    }
    assert {"xiaoming", "阿红", "红了个红"} <= labels


# Measures of small graphs made by hand.


def made(*given: tuple[str, str, str, int, str], **more: object) -> nx.MultiDiGraph[tuple[str, str]]:
    """A graph of complaints: complainant, right, seller, hour, state."""
    edges = [
        Edge(seller, who or None, right or None, "upheld", hour * HOUR, state, f"c{n}", dict(more))
        for n, (who, right, seller, hour, state) in enumerate(given)
    ]
    return complaint_graph(edges, FIELDS)


def test_strikes_of_triples_and_sellers() -> None:
    graph = made(
        ("a", "r", "s", 0, "counted"),
        ("a", "r", "s", 9, "merged"),
        ("a", "r", "s", 90, "counted"),
        ("a", "q", "s", 91, "counted"),
        ("b", "q", "t", 0, "voided"),
        ("b", "q", "t", 5, "pending"),
        ("", "", "t", 6, "not_counted"),
    )
    rows_ = measures.triples(graph)
    assert [(row["complainant"], row["right"], row["seller"], row["counted"]) for row in rows_] == [
        ("a", "r", "s", 2),
        ("a", "q", "s", 1),
        ("b", "q", "t", 0),
    ]
    assert (rows_[0]["complaints"], rows_[0]["first"], rows_[0]["last"]) == (3, 0, 90 * HOUR)
    first, second = measures.sellers(graph)
    assert (first["seller"], first["most_strikes"], first["counted"], first["rights"]) == ("s", 2, 3, 2)
    assert (second["seller"], second["complaints"], second["complainants"]) == ("t", 3, 1)
    assert second["not_counted"] == second["pending"] == second["voided"] == 1


def test_complainants_by_success_and_by_share_withdrawn() -> None:
    given = [("a", "r", "s", n, "counted") for n in range(3)] + [("a", "r", "t", 9, "voided")]
    graph = made(*given, ("b", "r", "s", 1, "pending"), voided_by="withdrawal")
    first, second = measures.complainants(graph)
    assert (first["complainant"], first["success"], first["share_voided"]) == ("a", 0.75, 0.25)
    assert (first["sellers"], first["rights"]) == (2, 1)
    assert (second["complainant"], second["success"], second["share_voided"]) == ("b", None, 0.0)
    assert measures.complainants(example().graph())[0]["voided_by"] == {"withdrawal": 1}


def test_rights_most_complained_of_come_first() -> None:
    graph = made(("a", "r", "s", 0, "counted"), ("b", "r", "t", 0, "merged"), ("b", "q", "t", 1, "counted"))
    rows_ = measures.rights(graph)
    assert [(row["right"], row["complaints"], row["complainants"], row["sellers"]) for row in rows_] == [
        ("r", 2, 2, 2),
        ("q", 1, 1, 1),
    ]


def test_projections_count_complaints_between_two_sides() -> None:
    graph = made(("a", "r", "s", 0, "counted"), ("a", "q", "s", 3, "merged"), ("b", "", "s", 1, "counted"))
    found = projection(graph)
    edge = found.edges[("complainant", "a"), ("seller", "s")]
    assert (edge["complaints"], edge["counted"], edge["merged"], edge["first"], edge["last"]) == (2, 1, 1, 0, 3 * HOUR)
    assert set(projection(graph, "complainant-right").edges) == {
        (("complainant", "a"), ("right", "r")),
        (("complainant", "a"), ("right", "q")),
    }
    assert ("complainant", "b") in projection(graph, "complainant-right")
    assert projection(graph, "right-subject").number_of_edges() == 2
    with pytest.raises(ValueError, match="`seller` is no projection"):
        projection(graph, "seller")


def test_a_burst_is_three_within_less_than_72_hours() -> None:
    inside = made(*(("a", "r", "s", hour, "counted") for hour in (0, 10, 71)))
    edge = made(*(("a", "r", "s", hour, "counted") for hour in (0, 10, 72)))
    assert [(row["complaints"], row["first"], row["last"]) for row in patterns.bursts(inside)] == [(3, 0, 71 * HOUR)]
    assert patterns.bursts(edge) == []
    assert patterns.bursts(edge, within=73 * HOUR)
    assert patterns.bursts(edge, least=2)[0]["complaints"] == 3, "10 is near to both"


def test_bursts_that_share_a_complaint_are_one_and_others_are_not() -> None:
    hours = (0, 30, 60, 90, 120, 900, 901, 902)
    graph = made(*(("a", f"r{hour % 2}", "s", hour, "voided" if hour == 30 else "counted") for hour in hours))
    rows_ = patterns.bursts(graph)
    assert [(row["complaints"], row["voided"], row["rights"]) for row in rows_] == [(5, 1, 1), (3, 0, 2)]
    spread = made(*(("abc"[n], "r", "s", n, "counted") for n in range(3)))
    assert patterns.bursts(spread) == [], "three complainants make no burst"


def test_rings_have_the_same_targets() -> None:
    ring = [(who, "r", f"s{n}", n, "counted") for who in "abc" for n in range(4)]
    lone = [("d", "r", f"s{n}", n, "counted") for n in range(2)] + [("d", "r", f"t{n}", n, "counted") for n in range(9)]
    (found,) = patterns.rings(made(*ring, *lone))
    assert found["complainants"] == ["a", "b", "c"]
    assert found["subjects"] == ["s0", "s1", "s2", "s3"]
    assert (found["complaints"], found["likeness"]) == (12, 1.0)
    assert patterns.rings(made(*ring), least=5) == []


def test_a_popular_target_says_nothing() -> None:
    graph = made(*((f"p{n}", "r", f"s{k}", 0, "counted") for n in range(6) for k in range(3)))
    assert alike(graph, popular=5).number_of_edges() == 0
    assert alike(graph, popular=6).number_of_edges() == 15


def test_measures_of_nothing_are_empty() -> None:
    graph = made()
    for measure in (measures.triples, measures.sellers, measures.complainants, measures.rights):
        assert measure(graph) == []
    assert patterns.bursts(graph) == patterns.rings(graph) == []
