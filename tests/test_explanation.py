"""Explanations: every proof replays from what it holds alone, every reason given is true, and it reads well."""

from __future__ import annotations

import csv
import json
import os
import random
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import generate
import pytest
from click.testing import CliRunner

import strikeout
from strikeout.ahead.acts import known_facts
from strikeout.commands.explain import explain_command
from strikeout.facts import DURATION, Fact
from strikeout.functions import COMPARISONS, SEES_MISSING, Place, choose
from strikeout.ground.problems import RunError, StrikeoutError
from strikeout.ground.values import checked_duration, checked_integer
from strikeout.machine import durable
from strikeout.machine.timeline import SubjectRun
from strikeout.model import Rule, Ruleset
from strikeout.why.explanation import Explainer, Proof
from strikeout.why.proof import Cause, Stand, Tally, Term, Trial, inside

ROOT = Path(__file__).resolve().parent.parent
GOLDEN = ROOT / "tests" / "explanations"
SEEDS = range(25)


def example(name: str = "taobao-counterfeit", engine: str = "compiled") -> strikeout.Outcome:
    with (ROOT / "docs" / "example.csv").open(encoding="utf-8", newline="") as file:
        return strikeout.load(name).run(list(csv.DictReader(file)), engine=engine)


def histories(seeds: range = SEEDS) -> Iterator[tuple[int, strikeout.Outcome]]:
    """Runs of generated rulesets over generated histories."""
    for seed in seeds:
        rng = random.Random(seed)
        try:
            ruleset = strikeout.load_text(generate.ruleset(rng))
        except strikeout.RulesetError:
            continue
        for _ in range(4):
            facts = generate.history(rng, ruleset.model, rng.choice((3, 9, 20, 40)))
            yield seed, ruleset.run(facts, generate.instants(rng, facts), engine="compiled")


def runs(outcome: strikeout.Outcome) -> Iterator[SubjectRun]:
    for subject in outcome.subjects:
        if subject not in outcome.rejected:
            yield outcome.run_of(subject)


# --- a checker that knows a proof and nothing else


class Checker:
    """Draws a proof's conclusions again, from the facts and values that the proof lists."""

    def __init__(self, ruleset: Ruleset) -> None:
        self.ruleset = ruleset
        self.place = Place(ruleset.zone, ruleset.calendar)

    def proof(self, proof: Proof) -> None:
        places = [node.stand.place for node in proof.nodes]
        assert len(places) == len(set(places)), "each fact is one node"
        assert not proof.unexplained
        assert {root.place for root in proof.roots} <= set(places)
        for node in proof.nodes:
            assert node.stand.given == (not node.reasons)
            for trial in node.reasons:
                assert trial.stage == "fired"
                self.trial(trial)
                self.conclusion(trial, node.stand)
                for _, premise in trial.premises():
                    assert premise.place < node.stand.place, "no circles"
                    assert premise.place in places

    def conclusion(self, trial: Trial, stand: Stand) -> None:
        assert trial.derivation is not None
        given = {g.field: g.term.value for g in trial.gives}
        fact = stand.fact
        assert fact.kind is trial.derivation.kind
        for field, value in zip(fact.kind.fields, fact.values, strict=True):
            expected = given.get(field.name)
            assert value == (field.default if expected is None else expected)
        at = trial.trigger.fact.at if trial.scheduled is None else trial.scheduled.value
        assert fact.at == at
        assert stand.scheduled == (trial.scheduled is not None)

    def trial(self, trial: Trial) -> None:
        lets, before = dict(trial.lets), dict(trial.lets_before)
        for name, term in trial.lets:
            self.term(term, trial, lets)
            assert name in {let.name for let in trial.rule.lets}
        for term in trial.conditions:
            self.term(term, trial, lets)
        for given in trial.gives:
            self.term(given.term, trial, lets)
        if trial.scheduled is not None:
            self.term(trial.scheduled, trial, lets)
        for join in trial.joined:
            self.tally(join.tally, trial)
            assert join.stand == (join.tally.counted[-1] if join.tally.counted else None)
        holds = [bool(term.value) for term in trial.conditions]
        assert holds == [True] * len(holds) if trial.stage != "condition" else not holds[-1] and all(holds[:-1])
        now = trial.trigger.fact.at
        starts, ends = trial.rule.starts, trial.rule.ends
        in_force = (starts is None or starts <= now) and (ends is None or now < ends)
        assert in_force == (trial.stage != "not-in-force") or trial.stage == "over"
        if trial.climb is not None:
            climb = trial.climb
            for _, term in trial.lets_before:
                self.term(term, trial, before)
            self.term(climb.now, trial, lets)
            self.term(climb.before, trial, before)
            old, new = climb.before.value, climb.now.value
            crossed = [
                t
                for t in climb.thresholds
                if isinstance(new, int) and t <= new and not (isinstance(old, int) and t <= old)
            ]
            assert climb.crossed == (crossed[-1] if crossed else None)
            assert (climb.crossed is None) == (trial.stage == "ladder") or trial.stage == "condition"

    def term(self, term: Term, trial: Trial, lets: dict[str, Term]) -> None:
        for part in term.parts:
            self.term(part, trial, lets)
        assert self.value(term, trial, lets) == term.value, term.text
        if term.tally is not None:
            for _, key in term.tally.key:
                self.term(key, trial, lets)
            self.tally(term.tally, trial)

    def value(self, term: Term, trial: Trial, lets: dict[str, Term]) -> Any:
        values = [part.value for part in term.parts]
        fact = trial.trigger.fact
        match term.form:
            case "literal":
                return term.value
            case "now":
                return fact.at
            case "subject":
                return fact.subject
            case "field":
                return fact.get(term.name)
            case "joined":
                alias, _, name = term.name.partition(".")
                (stand,) = [join.stand for join in trial.joined if join.alias == alias]
                assert stand is not None
                return stand.fact.at if name == "at" else stand.fact.get(name)
            case "parameter":
                (parameter,) = [p for p in self.ruleset.parameters if p.name == term.name]
                return parameter.at(fact.at)
            case "let":
                return lets[term.name].value
            case "logic":
                if term.name == "not":
                    return not values[0]
                return all(values) if term.name == "and" else any(values)
            case "choice":
                *conditions, last = term.parts or (None,)
                chosen = [p for p in conditions if p is not None and p.value]
                return last.value if last is not None and (chosen or last.type == term.type) else None
            case "operation":
                types = tuple("enum" if p.type.is_enum else p.type.name for p in term.parts)
                row = choose(term.name, types)
                assert row is not None
                if None in values and term.name not in SEES_MISSING:
                    return False if term.name in COMPARISONS else None
                return row.meaning(self.place, *values)
            case _:
                return self.aggregate(term)

    @staticmethod
    def aggregate(term: Term) -> Any:
        tally = term.tally
        assert tally is not None
        facts = [stand.fact for stand in tally.counted]
        if term.name in ("count", "any", "none"):
            return {"count": len(facts), "any": bool(facts), "none": not facts}[term.name]
        assert tally.slot is not None
        values = [fact.at if tally.slot < 0 else fact.values[tally.slot] for fact in facts]
        if term.name in ("first", "last"):
            return (values[0] if term.name == "first" else values[-1]) if values else None
        known: list[Any] = [value for value in values if value is not None]
        if term.name == "sum":
            return (checked_duration if term.type == DURATION else checked_integer)(sum(known))
        return (min(known) if term.name == "min" else max(known)) if known else None

    def tally(self, tally: Tally, trial: Trial) -> None:
        """Every fact counted fits the key, the window and what the step sees; every one left out has a true reason."""
        for stand in tally.counted:
            assert stand.fact.kind is tally.kind
            assert stand.step < trial.trigger.step + (not tally.earlier_only)
            assert not list(self.reasons(tally, stand.fact, stand))
        counted = {stand.place for stand in tally.counted}
        for left in tally.left_out:
            assert left.stand is None or left.stand.place not in counted
            true = set(self.reasons(tally, left.fact, left.stand))
            codes = {self.code(cause) for cause in left.causes}
            assert codes, "a reason is given"
            assert {c for c in codes if c[0] in ("key", "window", "since")} == true
            for cause in left.causes:
                if cause.code == "window":
                    assert tally.begins is not None
                    assert left.fact.at + cause.gap == tally.begins == cause.instant
                elif cause.code == "same-step":
                    assert left.stand is not None
                    assert tally.earlier_only
                    assert left.stand.step == trial.trigger.step
        for missed in tally.not_derived:
            assert tally.kind in {d.kind for _, _, d in missed.rule.derivations()}
            assert (missed.trial is None) != (missed.voided is None)
            if missed.trial is not None:
                assert missed.trial.stage != "fired"
                self.trial(missed.trial)

    @staticmethod
    def code(cause: Cause) -> tuple[str, str]:
        return cause.code, cause.field

    @staticmethod
    def reasons(tally: Tally, fact: Fact, stand: Stand | None) -> Iterator[tuple[str, str]]:
        for name, key in tally.key:
            if fact.get(name) is None or fact.get(name) != key.value:
                yield "key", name
        begins = tally.begins
        if begins is not None and (fact.at < begins or (fact.at == begins and not tally.inclusive)):
            yield "window", ""
        since = tally.since
        if since is not None and (stand.step < since.step if stand else fact.at < since.fact.at):
            yield "since", ""


def test_every_proof_replays() -> None:
    proofs = 0
    for seed, outcome in histories():
        checker = Checker(outcome.ruleset.model)
        for run in runs(outcome):
            explainer = Explainer(outcome.ruleset.model, run)
            for entry in run.conclusions[:8]:
                proof = explainer.why([entry], most=10_000)
                try:
                    checker.proof(proof)
                except AssertionError as error:
                    raise AssertionError(f"seed {seed}: {proof.text()}") from error
                proofs += 1
    assert proofs > 200


def test_a_trial_fires_exactly_where_the_run_did() -> None:
    once = 0
    for seed, outcome in histories(range(200, 212)):
        for run in runs(outcome):
            explainer = Explainer(outcome.ruleset.model, run)
            reasons = [reason for entry in run.entries for reason in entry.reasons]
            reasons += [reason for pending in run.pending for reason in pending.reasons]
            fired = {(reason.rule.name, reason.trigger.place) for reason in reasons}
            for rule in outcome.ruleset.model.rules:
                for entry in run.entries:
                    if entry.fact.kind in rule.triggers:
                        trial = explainer.trials.of(rule, explainer.history.stand(entry), False)
                        did = (rule.name, entry.place) in fired
                        assert (trial.stage == "fired") == did, f"seed {seed}, {rule.name}, {entry}"
                        once += trial.stage == "once"
    assert once < 100, "rarely do two facts of one step reach the same step of a ladder"


def test_what_is_left_out_adds_up() -> None:
    for seed, outcome in histories(range(300, 312)):
        for run in runs(outcome):
            explainer = Explainer(outcome.ruleset.model, run)
            for entry in run.conclusions[:5]:
                for node in explainer.why([entry]).nodes:
                    for trial in node.reasons:
                        for term in trial.terms():
                            for leaf in inside(term):
                                if leaf.tally is not None and leaf.tally.left_out_total:
                                    tally = leaf.tally
                                    step = trial.trigger.step
                                    own = [
                                        e
                                        for e in run.entries
                                        if e.fact.kind is tally.kind
                                        and e.step == step
                                        and tally.earlier_only
                                        and any(r.rule is trial.rule for r in e.reasons)
                                    ]
                                    kind = [e for e in run.entries if e.fact.kind is tally.kind and e.step <= step]
                                    gone = [
                                        f
                                        for f in (*(v.fact for v in run.voided), *run.later)
                                        if f.kind is tally.kind and f.at <= tally.now
                                    ]
                                    total = len(kind) - len(own) - len(tally.counted) + len(gone)
                                    assert tally.left_out_total == total, f"seed {seed}: {leaf.text}"


def test_why_not_names_what_really_fails() -> None:
    answers = 0
    for seed, outcome in histories(range(100, 120)):
        model = outcome.ruleset.model
        checker = Checker(model)
        for run in runs(outcome):
            explainer = Explainer(model, run)
            derived = {entry.fact.kind for entry in run.entries}
            for kind in model.derivable:
                answer = explainer.why_not(kind)
                assert bool(answer.derived) == (kind in derived)
                if answer.derived:
                    continue
                for rule in answer.rules:
                    assert (rule.trial is None) == (rule.triggers == 0)
                    if rule.trial is not None:
                        assert rule.trial.stage != "fired" or answer.pending, f"seed {seed}: {answer.text()}"
                        if rule.trial.stage != "fault":
                            checker.trial(rule.trial)
                answers += 1
                assert answer.text("zh")
                json.dumps(answer.as_dict())
    assert answers > 50


COMPLAINTS = (
    ("taobao-counterfeit", "upheld", ["counterfeit"]),
    ("taobao-counterfeit-full", "notice", ["counterfeit"]),
    ("alibaba-1688", "upheld", ["general", "serious", "other_misuse"]),
    ("alibaba-com-serious", "upheld", ["serious"]),
)


@pytest.mark.parametrize(("name", "kind", "findings"), COMPLAINTS)
def test_what_would_bring_it_really_brings_it(name: str, kind: str, findings: list[str]) -> None:
    ruleset, hints = strikeout.load(name), 0
    for seed in range(12):
        rng = random.Random(seed)
        facts = [
            {
                "kind": kind,
                "seller": "s",
                "at": f"2015-{rng.choice((3, 3, 4, 5)):02}-{rng.randint(1, 28):02}T{rng.randint(0, 23):02}:00",
                "complaint": f"c{number}",
                "complainant": rng.choice("ab"),
                "right": rng.choice("rq"),
                "claim" if kind == "notice" else "finding": rng.choice(findings),
                "base": rng.choice((2, 6, 12)),
                "level": rng.choice(("information", "confirmed")),
            }
            for number in range(rng.choice((1, 2, 3, 5, 7)))
        ]
        outcome = ruleset.run(facts, engine="compiled")
        known = known_facts(outcome.run_of("s"))
        for wanted in ruleset.model.derivable:
            for rule in outcome.why_not("s", wanted.name).rules:
                if rule.hint is not None:
                    hints += 1
                    more, brings = rule.hint.facts, rule.hint.brings
                    assert brings.kind is wanted
                    assert brings in brought(ruleset, rule.rule, [*known, *more], brings.at), f"seed {seed}"
                    assert brings not in brought(ruleset, rule.rule, [*known, *more[:-1]], brings.at), f"seed {seed}"
                    assert min(fact.at for fact in more) >= outcome.as_of
    assert hints > 3


def brought(ruleset: strikeout.Ruleset, rule: Rule, facts: list[Fact], at: int) -> list[Fact]:
    """Give what a rule derives from facts."""
    entries = ruleset.run(facts, at, "compiled").run_of(facts[0].subject).conclusions
    return [entry.fact for entry in entries if any(reason.rule is rule for reason in entry.reasons)]


def test_the_next_one_counts_once_the_window_is_over() -> None:
    upheld = {"kind": "upheld", "seller": "s", "complainant": "阿红", "right": "红了个红", "finding": "counterfeit"}
    facts = [{**upheld, "complaint": f"c{n}", "at": at} for n, at in enumerate(["2015-01-05", "2015-01-15"])]
    answer = strikeout.load("taobao-counterfeit").run(facts, engine="compiled").why_not("s", "closure")
    assert "2 of 3" in answer.text()
    assert "one more fact like upheld c1, at 2015-01-18, brings closure" in " ".join(answer.text(width=140).split())
    assert "再有一件与 投诉成立 c1 同类的事实（2015-01-18），即得 关闭账户 closure" in answer.text("zh", width=200)
    hint = answer.as_dict()["rules"][0]["hint"]
    assert [fact["at"] for fact in hint["add"]] == ["2015-01-18T00:00:00+08:00"]
    assert hint["brings"]["rule"] == "three-strikes"


@pytest.mark.skipif(not durable.available(), reason="durable_rules cannot be imported")
@pytest.mark.parametrize("seed", range(3))
def test_engines_explain_alike(seed: int) -> None:
    rng = random.Random(seed)
    ruleset = strikeout.load_text(generate.ruleset(rng))
    facts = generate.history(rng, ruleset.model, 20)
    both = [ruleset.run(facts, engine=engine) for engine in ("rete", "compiled")]
    for one, other in zip(both[0].facts, both[1].facts, strict=True):
        assert both[0].why(one).as_dict() == both[1].why(other).as_dict()


# --- what it says of the example


def golden(name: str, text: str) -> None:
    """Compare with a file; `STRIKEOUT_ACCEPT=1` writes it, and `git diff` shows what changed."""
    path = GOLDEN / name
    if os.environ.get("STRIKEOUT_ACCEPT"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text + "\n", encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text + "\n"


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_example_reads_well(language: str) -> None:
    outcome = example()
    golden(f"closure.{language}.txt", outcome.why("closure").text(language))
    golden(f"closure-in-short.{language}.txt", outcome.why("closure").text(language, depth=1))
    golden(f"no-closure.{language}.txt", outcome.why_not("xiaohua", "closure").text(language))


LADDERS: list[dict[str, object]] = [
    {"kind": "takedown", "at": "2025-01-01", "complaint": "n1", "complainant": "a"},
    {"kind": "takedown", "at": "2025-01-02", "complaint": "n2", "complainant": "a"},
    {"kind": "takedown", "at": "2025-02-01", "complaint": "n3", "complainant": "b"},
    {"kind": "counter_notice", "at": "2025-02-10", "complaint": "n3"},
    {"kind": "counter_notice_rejected", "at": "2025-03-01", "complaint": "n3"},
    {"kind": "takedown", "at": "2025-03-02", "complaint": "n4", "complainant": "c", "placeholder": True},
]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_ladders_and_joins_read_well(language: str) -> None:
    facts = [{"seller": "s", **row} for row in LADDERS]
    outcome = strikeout.load("github-repeat-infringer").run(facts, engine="compiled")
    golden(f"warnings.{language}.txt", outcome.why("warning").text(language))
    golden(f"excused.{language}.txt", outcome.why("excused").text(language))
    golden(f"no-repeat-infringer.{language}.txt", outcome.why_not("s", "repeat_infringer").text(language))
    golden(f"no-cleared.{language}.txt", outcome.why_not("s", "cleared").text(language))


NOTICE = {"seller": "s", "kind": "notice", "complainant": "a", "right": "r", "claim": "counterfeit"}


@pytest.mark.parametrize("language", ["zh", "en"])
def test_deadlines_read_well(language: str) -> None:
    facts = [
        {**NOTICE, "at": "2015-01-05T09:00", "complaint": "c1"},
        {**NOTICE, "at": "2015-01-05T10:00", "complaint": "c2"},
        {"kind": "counter_notice", "seller": "s", "at": "2015-01-06", "complaint": "c2"},
        {"kind": "withdrawal", "seller": "s", "at": "2015-01-20", "complaint": "c9"},
    ]
    ruleset = strikeout.load("alibaba-procedure")
    golden(f"deadline.{language}.txt", ruleset.run(facts, engine="compiled").why("upheld").text(language))
    early = ruleset.run(facts, as_of="2015-01-06", engine="compiled")
    golden(f"before-the-deadline.{language}.txt", early.why_not("s", "upheld").text(language))


def test_lines_fit_the_width() -> None:
    from rich.cells import cell_len

    proof = example().why("closure")
    for width in (80, 100, 140):
        for language in ("zh", "en"):
            assert max(cell_len(line) for line in proof.text(language, width).split("\n")) <= width


def test_the_proof_of_the_example_is_a_graph_and_a_page() -> None:
    outcome = example()
    proof = outcome.why("closure")
    graph = proof.graph()
    assert set(graph.nodes) == {node.stand.place for node in proof.nodes}
    given = [place for place, data in graph.nodes(data=True) if data["given"]]
    assert all(graph.in_degree(place) == 0 for place in given)
    assert {data["role"] for _, _, data in graph.edges(data=True)} == {"trigger", "counted", "since"}
    html = proof._repr_html_()
    assert html.count("<li>") == html.count("</li>")
    assert "<script" not in outcome.why_not("xiaohua", "closure")._repr_html_()
    facts = {"kind": "upheld", "at": "2015-01-05", "complaint": "<script>", "complainant": "a", "right": "r"}
    dangerous = strikeout.load("taobao-counterfeit").run(
        [{**facts, "seller": "s", "finding": "counterfeit"}], engine="compiled"
    )
    assert "<script>" not in dangerous.why("strike")._repr_html_()
    found = json.loads(json.dumps(proof.as_dict()))
    assert found["facts"][0]["fact"]["kind"] == "closure"
    assert {reason["rule"] for reason in found["facts"][0]["reasons"]} == {"three-strikes", "enough-points"}


# --- questions and their answers


def test_a_question_may_be_a_conclusion_a_record_or_a_text() -> None:
    outcome = example()
    strikes = [fact for fact in outcome.facts if fact.kind == "strike" and fact.subject == "xiaoming"]
    by_conclusion = outcome.why(strikes[1]).roots
    assert by_conclusion == outcome.why({"kind": "strike", "complaint": "c3"}).roots
    assert by_conclusion == outcome.why("strike@2015-01-20").roots == outcome.why(dict(strikes[1])).roots
    assert by_conclusion == outcome.why("strike@2015-01-20T16:00").roots
    assert [root.place for root in example().why(strikes[1]).roots] == [root.place for root in by_conclusion]
    assert len(outcome.why("strike", "xiaoming").roots) == 3
    assert outcome.why("upheld@2015-01-05").nodes[0].reasons == ()
    assert outcome.why_status("xiaoming").status is not None
    assert outcome.why_status("xiaoming").roots == outcome.why("closure").roots


@pytest.mark.parametrize(
    ("question", "subject", "message"),
    [
        ("closur", None, "`closur` is no kind of `taobao-counterfeit`; did you mean `closure`?"),
        ("strike", None, "`strike` may be of 2 sellers, `xiaohua`, `xiaoming`: say of which `subject`"),
        ("strike", "xiaomin", "no fact names the seller `xiaomin`; did you mean `xiaoming`?"),
        ("closure", "xiaohua", "`closure` of seller `xiaohua` was not derived"),
        ("closure@2015-13-01", "xiaohua", "`2015-13-01` names a day or a time of day that does not exist"),
        (
            {"kind": "strike", "complaint": "c4", "right": "x"},
            None,
            "`strike` with complaint `c4`, right `x` may be of 2 sellers, "
            "`xiaohua`, `xiaoming`: say of which `subject`",
        ),
        (
            {"kind": "strike", "complaint": "c7"},
            None,
            "`strike` with complaint `c7` of seller `xiaohua` was not derived",
        ),
        ("withdrawal", "xiaoming", "`withdrawal` of seller `xiaoming` was not given"),
        ({"kind": "strike", "complaimt": "c1"}, None, "`strike` has no field `complaimt`; did you mean `complaint`?"),
        (
            {"kind": "upheld", "complaint": "c7"},
            "xiaohua",
            "`upheld` with complaint `c7` of seller `xiaohua` was given, and no longer holds: voided by the "
            "`withdrawal` of 2015-03-10T17:20:00+08:00 (rule `withdrawn`)",
        ),
    ],
)
def test_what_cannot_be_answered(question: Any, subject: str | None, message: str) -> None:
    with pytest.raises(RunError) as error:
        example().why(question, subject)
    assert str(error.value) == message


@pytest.mark.parametrize("most", [0, -1, True, "3", None])
def test_a_number_that_tells_nothing_is_refused(most: Any) -> None:
    for ask in (
        lambda: example().why("closure", most=most),
        lambda: example().why_status("xiaoming", most=most),
        lambda: example().next_sanctions("xiaoming", most=most),
    ):
        with pytest.raises(RunError, match="expected a number from 1 on"):
            ask()


def test_nothing_is_no_subject_and_no_kind() -> None:
    nothing: Any = None
    with pytest.raises(RunError, match="expected the id of a seller, got `None`"):
        example().why_not(nothing, "closure")
    with pytest.raises(RunError, match="`None` is no kind"):
        example().why_not("xiaoming", nothing)


def test_one_reason_that_is_not_drawn_is_one() -> None:
    said = [example().why("closure", most=number).text() for number in range(1, 30)]
    assert any("the reasons of 1 more fact are not drawn" in text for text in said)
    assert not any("1 more facts" in text for text in said)


def test_what_would_bring_it_is_asked_few_times_of_a_long_history(monkeypatch: pytest.MonkeyPatch) -> None:
    facts = [
        {"kind": "upheld", "seller": "s", "at": f"{2001 + n // 360}-{n // 30 % 12 + 1:02}-{n % 28 + 1:02}"}
        | {"complaint": f"c{n}", "complainant": f"a{n % 40}", "right": "r", "finding": "counterfeit"}
        | {"base": 0}
        for n in range(4_000)
    ]
    ruleset = strikeout.load("taobao-counterfeit").with_parameters({"strike_limit": 100_000, "closing_points": 10**9})
    outcome = ruleset.run(facts, engine="compiled")
    runs: list[int] = []
    program = outcome.ruleset.program("compiled")
    run_subject = type(program).run_subject

    def counted(self: Any, subject: str, facts: Any, as_of: int) -> Any:
        runs.append(len(facts))
        return run_subject(self, subject, facts, as_of)

    monkeypatch.setattr(type(program), "run_subject", counted)
    assert not outcome.why_not("s", "closure").derived
    assert 0 < sum(runs) <= 2 * 40_000 + 2 * 4_003


def test_a_rejected_subject_has_no_proof() -> None:
    fact = {"kind": "upheld", "seller": "s", "complainant": "a", "right": "r", "finding": "counterfeit"}
    facts = [
        {**fact, "at": f"2015-0{n + 1}-01", "complaint": f"c{n}", "base": 2**62, "level": "confirmed"} for n in range(2)
    ]
    outcome = (
        strikeout.load("taobao-counterfeit")
        .with_parameters({"closing_points": 2**63 - 1})
        .run(facts, engine="compiled")
    )
    with pytest.raises(RunError, match="rejected: overflow"):
        outcome.why("strike", "s")
    with pytest.raises(RunError, match="rejected: overflow"):
        outcome.why_not("s", "strike")


def test_why_not_says_if_it_was_derived_or_only_given() -> None:
    outcome = example()
    assert outcome.why_not("xiaoming", "closure").derived
    assert outcome.why_not("xiaoming", "withdrawal").rules == ()
    late = outcome.why_not("xiaoming", "strike", "2015-03-01")
    assert late.over is not None
    assert not late.derived


# --- the command


def explain(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(explain_command, ["taobao-counterfeit", str(ROOT / "docs/example.csv"), *arguments])
    if isinstance(result.exception, StrikeoutError):
        return 2, str(result.exception)
    return result.exit_code, result.stdout


def test_the_command_explains() -> None:
    outcome = example()
    assert explain("--subject", "xiaoming", "--fact", "closure", "--lang", "zh") == (
        0,
        outcome.why("closure").text("zh") + "\n",
    )
    code, text = explain("--subject", "xiaoming", "--lang", "en")
    assert code == 0
    assert "status: closure (account closed) since 2015-02-21 11:15" in text
    assert explain("--subject", "xiaohua", "--why-not", "closure", "--lang", "en") == (
        0,
        outcome.why_not("xiaohua", "closure").text() + "\n",
    )
    code, text = explain("--subject", "xiaohua", "--fact", "closure", "--lang", "en")
    assert code == 1
    assert text.startswith("why not closure (account closed)")
    code, text = explain("--subject", "xiaoming", "--fact", "strike@2015-01-20", "--format", "json")
    assert json.loads(text)["facts"][0]["fact"]["complaint"] == "c3"
    code, text = explain("--subject", "xiaoming", "--set", "strike_limit=2", "--fact", "closure", "--lang", "en")
    assert "2015-01-20 16:00" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--subject", "xiaomin"], "no fact names the seller `xiaomin`; did you mean `xiaoming`?"),
        (
            ["--subject", "xiaoming", "--fact", "strke"],
            "`strke` is no kind of `taobao-counterfeit`; did you mean `strike`?",
        ),
        (["--subject", "xiaoming", "--why-not", "x"], "`x` is no kind of `taobao-counterfeit`; known are"),
        (["--subject", "xiaoming", "--fact", "reversal"], "`reversal` of seller `xiaoming` was not given"),
    ],
)
def test_the_command_says_what_is_wrong(arguments: list[str], message: str) -> None:
    code, text = explain(*arguments)
    assert code == 2
    assert text.startswith(message)


# --- long histories


def test_a_proof_over_a_long_history_is_fast_and_short() -> None:
    ruleset = strikeout.load("taobao-counterfeit")
    ruleset.model = replace(ruleset.model, terminal=None)
    rng = random.Random(0)
    start = ruleset.model.zone.parse("2015-01-01")
    facts = []
    for number in range(2_700):
        upheld = {"kind": "upheld", "seller": "s", "at": ruleset.model.zone.format(start + number * 7 * 3_600_000_000)}
        upheld |= {"complaint": f"c{number}", "complainant": f"a{rng.randint(0, 20)}", "right": f"r{rng.randint(0, 3)}"}
        facts.append({**upheld, "finding": "counterfeit", "base": 2})
    outcome = ruleset.run(facts, engine="compiled")
    assert len(outcome.run_of("s").entries) > 9_000
    outcome.why(outcome.facts[0])
    began = time.process_time()
    proof = outcome.why(outcome.facts[-1])
    took = time.process_time() - began
    assert took < 1, "some 20 ms; a slow machine is forgiven"
    assert proof.unexplained
    assert len(proof.text().split("\n")) < 1_000
