"""Answers judged from outside: by their JSON alone, by runs of all subsets, by strict readers, with hostile ids."""

from __future__ import annotations

import json
import random
import re
import xml.dom.minidom
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import combinations, pairwise
from typing import Any

import generate
import pytest

import strikeout
from strikeout.machine import durable
from strikeout.speech.outcome import record

Json = dict[str, Any]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
THREE = """\
ruleset: three
subject: seller
timezone: Asia/Shanghai
vocabulary: ip-complaints
terminal: closure
rules:
  strike:
    when: upheld
    if: none(strike by complainant, right within 72h)
    then: strike
  three-strikes:
    when: strike
    if: count(strike by complainant, right) == 3
    then: closure
  withdrawn:
    when: withdrawal
    void: upheld by complaint
"""


def micros(text: str) -> int:
    return (datetime.fromisoformat(text) - EPOCH) // timedelta(microseconds=1)


def iso(instant: int) -> str:
    return (EPOCH + timedelta(microseconds=instant)).isoformat()


def histories(seeds: range, least: int, most: int) -> Iterator[tuple[int, list[Any], strikeout.Outcome]]:
    """Generated rulesets, each with a history and its run."""
    for seed in seeds:
        rng = random.Random(seed)
        ruleset = strikeout.load_text(generate.ruleset(rng))
        facts = generate.history(rng, ruleset.model, rng.randint(least, most))
        yield seed, facts, ruleset.run(facts, engine="compiled")


def subjects(outcome: strikeout.Outcome) -> list[str]:
    return [subject for subject in outcome.subjects if subject not in outcome.rejected]


def upheld(number: int, seller: str = "s", **more: object) -> Json:
    at = f"2015-0{number}-05T10:00"
    fact = {"kind": "upheld", "at": at, "seller": seller, "complaint": f"c{number}", "complainant": "a", "right": "r"}
    return {**fact, "finding": "counterfeit", **more}


# Proofs, from their JSON alone.


def plain(value: object) -> object:
    """A value of JSON that can be computed with: durations and times as microseconds."""
    if isinstance(value, str):
        if found := re.fullmatch(r"(-?)PT(\d+)(?:\.(\d{6}))?S", value):
            length = int(found[2]) * 10**6 + int(found[3] or 0)
            return -length if found[1] else length
        if re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?[+-]\d\d:\d\d(:\d\d)?", value):
            return micros(value)
    return value


def nodes(part: object) -> Iterator[Json]:
    """The expressions of a rule that was tried, but for those of other rules and triggers."""
    if isinstance(part, dict):
        if "form" in part:
            yield part
        for name, inner in part.items():
            if name not in ("not_derived", "left_out"):
                yield from nodes(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from nodes(inner)


ARITHMETIC: dict[str, Callable[[int, int], int]] = {
    "+": int.__add__,
    "-": int.__sub__,
    "*": int.__mul__,
    "min": min,
    "max": max,
}
COMPARED = {"==": "__eq__", "!=": "__ne__", "<": "__lt__", "<=": "__le__", ">": "__gt__", ">=": "__ge__"}


def recomputed(node: Json) -> object:
    """What an expression comes to by what its parts came to; `...`, where this reader does not know."""
    parts = [plain(part.get("value")) for part in node.get("parts", ())]
    operator = node.get("operator")
    if node["form"] == "logic":
        held = [part is True for part in parts]
        return all(held) if operator == "and" else any(held) if operator == "or" else not held[0]
    if node["form"] != "operation":
        return ...
    if operator == "known":
        return parts[0] is not None
    if operator == "coalesce":
        return next((part for part in parts if part is not None), None)
    if operator in COMPARED:
        if None in parts:
            return False
        if isinstance(parts[0], str) and operator not in ("==", "!="):
            return ...
        return getattr(parts[0], COMPARED[operator])(parts[1])
    if operator in ARITHMETIC:
        if None in parts:
            return None
        if len(parts) == 2 and isinstance(parts[0], int) and isinstance(parts[1], int):
            return ARITHMETIC[operator](parts[0], parts[1])
    return ...


class Reader:
    """Reads a proof's JSON: every place is there, every value follows from its parts, every count from the facts."""

    def __init__(self, proof: Json, facts: list[Json]) -> None:
        self.proof, self.facts = proof, facts
        self.known = {fact["id"]: fact for fact in proof["facts"]}
        self.checked = 0

    def read(self) -> None:
        run = {key(fact) for fact in self.facts}
        assert len(self.known) == len(self.proof["facts"])
        for fact in self.known.values():
            assert key(fact["fact"]) in run
            assert not (fact["given"] and "reasons" in fact)
            for reason in fact.get("reasons", ()):
                self.reason(fact["fact"], reason)
        if not self.proof["unexplained"]:
            for place in self.proof["explains"]:
                self.grounded(place, ())

    def grounded(self, place: int, above: tuple[int, ...]) -> None:
        """That a fact is given, or rests on its reasons' triggers, and in the end on a given one."""
        assert place not in above
        if not self.known[place]["given"]:
            for reason in self.known[place]["reasons"]:
                self.grounded(reason["trigger"], (*above, place))

    def reason(self, fact: Json, reason: Json) -> None:
        trigger = self.known[reason["trigger"]]["fact"]
        now = micros(trigger["at"])
        assert micros(fact["at"]) == (micros(reason["scheduled"]["value"]) if "scheduled" in reason else now)
        assert all(term["value"] is True for term in reason.get("if", ()))
        for name, given in reason.get("gives", {}).items():
            assert given["value"] is None or given["value"] == fact[name]
        for join in reason.get("with", ()):
            assert micros(self.known[join["fact"]]["fact"]["at"]) <= now
        for node in nodes([reason.get(part) for part in ("if", "ladder", "let", "let_before", "gives", "scheduled")]):
            expected = recomputed(node)
            if expected is not ...:
                self.checked += 1
                value = plain(node["value"])
                assert value == expected or (node["form"] == "logic" and value is None), node
            if node["form"] == "aggregate":
                self.aggregate(node, now)

    def aggregate(self, node: Json, now: int) -> None:
        self.checked += 1
        counted = [self.known[place]["fact"] for place in node["counted"]]
        assert all(fact["kind"] == node["kind"] and self.inside(node, fact, now) for fact in counted)
        if not node.get("where") and not node.get("since") and ("begins" in node or not node.get("window")):
            shown = {key(fact) for fact in counted}
            earlier = [fact for fact in self.facts if fact["kind"] == node["kind"] and micros(fact["at"]) < now]
            assert all(key(fact) in shown for fact in earlier if self.inside(node, fact, now))
        for left in node.get("left_out", ()):
            for cause in left["because"]:
                if cause["code"] == "key":
                    assert left["fact"].get(cause["field"]) != cause["wanted"] or cause["wanted"] is None
                if cause["code"] == "window":
                    assert not self.inside({**node, "by": {}}, left["fact"], now)
        value, field = plain(node["value"]), node.get("field")
        values = [plain(fact.get(field)) for fact in counted]
        numbers = [number for number in values if isinstance(number, int)]
        match node["operator"]:
            case "count":
                assert value == len(counted)
            case "any" | "none" as asked:
                assert value is (bool(counted) is (asked == "any"))
            case "sum":
                assert value == sum(numbers)
            case "first" | "last" as asked:
                assert value == (values[0 if asked == "first" else -1] if values else None)

    @staticmethod
    def inside(node: Json, fact: Json, now: int) -> bool:
        """Whether a fact has the keys of an aggregate and lies in its window."""
        if any(wanted is None or fact.get(name) != wanted for name, wanted in node.get("by", {}).items()):
            return False
        at, begins = micros(fact["at"]), node.get("begins")
        low = begins is None or at > micros(begins) or (at == micros(begins) and node["inclusive"])
        return low and at <= now


def key(fact: Json) -> str:
    return json.dumps({name: value for name, value in fact.items() if name != "rule"}, sort_keys=True)


def facts_of(outcome: strikeout.Outcome, subject: str) -> list[Json]:
    return [dict(record(outcome.ruleset.model, entry.fact)) for entry in outcome.run_of(subject).entries]


def test_a_proof_as_json_is_whole_and_every_value_in_it_follows() -> None:
    proofs = checked = 0
    for _, facts, outcome in histories(range(60), 3, 14):
        other = None
        if durable.available() and proofs % 5 == 0:
            other = outcome.ruleset.run(list(reversed(facts)), engine="rete")
        for subject in subjects(outcome):
            standing = facts_of(outcome, subject)
            for place, fact in enumerate(outcome.facts):
                if fact["seller"] != subject or place % 3:
                    continue
                proof = outcome.why(fact).as_dict()
                reader = Reader(proof, standing)
                reader.read()
                proofs, checked = proofs + 1, checked + reader.checked
                assert other is None or other.why(other.facts[place]).as_dict() == proof
    assert proofs > 50
    assert checked > 300


def test_a_short_proof_names_every_fact_that_it_mentions() -> None:
    outcome = strikeout.load_text(THREE).run([upheld(number) for number in (1, 2, 3)])
    proof = outcome.why("closure", most=1).as_dict()
    assert proof["unexplained"] == 3
    Reader(proof, facts_of(outcome, "s")).read()
    assert [("reasons" in fact, fact["given"]) for fact in proof["facts"]] == [(True, False), *[(False, False)] * 3]


def test_what_a_last_passes_over_is_named_in_the_proof() -> None:
    text = THREE.replace(
        "count(strike by complainant, right) == 3", "last(strike.complaint) != first(strike.complaint)"
    )
    outcome = strikeout.load_text(text).run([upheld(number) for number in (1, 2)])
    proof = outcome.why("closure").as_dict()
    Reader(proof, facts_of(outcome, "s")).read()
    assert sorted(fact["fact"]["complaint"] for fact in proof["facts"] if fact["fact"]["kind"] == "strike") == [
        "c1",
        "c2",
    ]


def test_a_ladder_that_fired_for_another_trigger_of_the_step_is_told_of() -> None:
    ladder = """\
ruleset: once
subject: seller
timezone: UTC
facts:
  act: {input: true, fields: {n: integer}}
  part: {fields: {n: integer}}
  mark: {effect: lasting, severity: 1, fields: {n: integer}}
  more: {fields: {}}
rules:
  split: {when: act, then: [{part: {n: 1}}, {part: {n: 2}}]}
  climb: {when: part, ladder: {of: count(act), steps: {1: {mark: {n: n}}}}}
  missed: {when: act, if: none(mark where n == 2), then: more}
"""
    outcome = strikeout.load_text(ladder).run([{"kind": "act", "at": "2015-01-05", "seller": "s", "n": 1}])
    assert outcome.counts() == {"mark": 1, "more": 1, "part": 2}
    assert "more" in outcome.why("more").text()
    assert outcome.why_not("s", "mark").as_dict()["derived"]


# Why not, what would come next, what if.


def gained(outcome: strikeout.Outcome, subject: str, added: list[Json], due: list[str]) -> list[Json]:
    """What adding facts brings, up to the instants at which something is due."""
    as_of = max(outcome.as_of, *(micros(fact["at"]) for fact in added), *(micros(at) for at in due))
    changed = outcome.what_if(add=added, as_of=as_of).as_dict()["changed"]
    return [fact for one in changed if one["seller"] == subject for fact in one["gained"]]


def test_what_failed_is_false_and_what_would_bring_it_does() -> None:
    seen: Counter[str] = Counter()
    for _, _, outcome in histories(range(45), 2, 8):
        for subject in subjects(outcome):
            standing = Counter(fact["kind"] for fact in facts_of(outcome, subject))
            for kind in outcome.ruleset.model.kinds:
                answer = outcome.why_not(subject, kind.name).as_dict()
                assert len(answer["derived"]) == standing[kind.name]
                for rule in answer["rules"]:
                    tried = rule["nearest"]
                    if tried is None:
                        continue
                    seen[tried["stage"]] += 1
                    assert tried["stage"] != "fired" or answer["pending"]
                    if tried["stage"] == "condition":
                        *held, failed = tried["if"]
                        assert not failed["value"]
                        assert all(term["value"] for term in held)
                        assert recomputed(failed) in (..., False)
                    if "hint" in rule:
                        hint = rule["hint"]
                        seen["hint"] += 1
                        assert hint["brings"] in gained(outcome, subject, hint["add"], [hint["brings"]["at"]])
            for ahead in outcome.next_sanctions(subject).as_dict()["next"]:
                seen["next"] += 1
                came = gained(outcome, subject, ahead["add"], [fact["at"] for fact in ahead["brings"]])
                assert all(fact in came for fact in ahead["brings"])
    assert seen["condition"] > 10
    assert seen["next"] > 5
    assert seen["ladder"] > 2


def test_a_difference_is_that_of_the_two_runs() -> None:
    compared = 0
    for seed, facts, outcome in histories(range(30), 3, 10):
        rng = random.Random(seed)
        model = outcome.ruleset.model
        extra = generate.history(rng, model, 2)
        gone = [dict(record(model, fact)) for fact in rng.sample(facts, min(len(facts), 1))]
        left = [fact for fact in facts if not any(gone[0].items() <= record(model, fact).items() for _ in gone)]
        as_of = max([outcome.as_of, *(max(fact.at, fact.known_at) for fact in extra)])
        found = outcome.what_if(add=extra, remove=gone).as_dict()["changed"]
        sides = [outcome.ruleset.run(side, as_of=as_of, engine="compiled") for side in (facts, [*left, *extra])]
        if any(side.rejected for side in sides):
            continue
        before, after = (Counter(json.dumps(dict(fact)) for fact in side.facts) for side in sides)
        assert Counter(json.dumps(fact) for one in found for fact in one["gained"]) == after - before
        assert Counter(json.dumps(fact) for one in found for fact in one["lost"]) == before - after
        compared += 1
    assert compared > 20


# Remedies: all subsets of what can be withdrawn, run.


def complaints(rng: random.Random, number: int) -> list[Json]:
    hour, at, made = 3600 * 10**6, 1420041600 * 10**6, []
    for n in range(number):
        at += rng.choice((0, 1, hour, 24 * hour, 72 * hour, 72 * hour - 1, 240 * hour, 720 * hour))
        fact: Json = {
            "kind": "upheld",
            "at": iso(at),
            "seller": "s",
            "complaint": f"c{n}",
            "complainant": rng.choice("ab"),
        }
        fact |= {"right": rng.choice("qr"), "finding": rng.choice(("counterfeit", "counterfeit", "general", "serious"))}
        made.append(fact | {"level": rng.choice(("information", "confirmed")), "base": rng.choice((2, 4, 12))})
    if rng.random() < 0.3:
        made.append({"kind": "withdrawal", "at": iso(at), "seller": "s", "complaint": f"c{rng.randrange(number)}"})
    return made


def only_withdrawals(fact: Any) -> float | None:
    return 1 if fact["kind"] == "withdrawal" else None


RULESETS = ("taobao-counterfeit", "taobao-counterfeit-full", "alibaba-1688-serious", "alibaba-com-serious")


@pytest.mark.parametrize("name", RULESETS)
def test_remedies_are_all_smallest_sets_of_withdrawals(name: str) -> None:
    ruleset = strikeout.load(name)
    severity = {kind.name: kind.severity for kind in ruleset.model.kinds if kind.effect} | {"good-standing": -1}
    compared = 0
    for seed in range(70):
        rng = random.Random(f"{name} {seed}")
        facts = complaints(rng, rng.randint(3, 7))
        outcome = ruleset.run(facts, engine="compiled")
        wanted = "good-standing" if rng.random() < 0.7 else rng.choice(sorted(severity))
        found = outcome.remedies("s", status=wanted, cost=only_withdrawals).as_dict()
        if found["reached"]:
            continue
        by = micros(found["by"])

        def reaches(withdrawn: tuple[str, ...], facts: list[Json] = facts, by: int = by, wanted: str = wanted) -> bool:
            at = iso(ruleset.run(facts, engine="compiled").as_of)
            more = [{"kind": "withdrawal", "at": at, "seller": "s", "complaint": name} for name in withdrawn]
            last = ruleset.run([*facts, *more], as_of=by, engine="compiled")
            ends = [micros(str(fact["until"])) for fact in last.facts if "until" in fact]
            times = {micros(at), by, *(micros(str(fact["at"])) for fact in last.facts), *ends}
            whole = [ruleset.run([*facts, *more], as_of=t, engine="compiled") for t in times if micros(at) <= t <= by]
            return all(severity[run.status("s")] <= severity[wanted] for run in whole)

        gone = {fact["complaint"] for fact in facts if fact["kind"] == "withdrawal"}
        open_ = [fact["complaint"] for fact in facts if fact["complaint"] not in gone]
        smallest: list[tuple[str, ...]] = []
        for size in (1, 2, 3):
            for chosen in combinations(open_, size):
                if not any(set(other) <= set(chosen) for other in smallest) and reaches(chosen):
                    smallest.append(chosen)
        by_steps = [tuple(sorted(step["add"]["complaint"] for step in one["steps"])) for one in found["remedies"]]
        assert not any(step["add"]["kind"] != "withdrawal" for one in found["remedies"] for step in one["steps"])
        assert sorted(by_steps) == sorted(smallest)
        compared += 1
    assert compared > 5


def test_remedies_of_any_size_end_where_nothing_is_left_to_add() -> None:
    outcome = strikeout.load_text(THREE).run([upheld(number) for number in (1, 2, 3)])
    found = outcome.remedies("s", most=10**12)
    assert len(found) == 3
    assert found.exact_to == 10**12


# Deadlines as a calendar, read strictly (RFC 5545).

HOSTILE = (
    *("<script>alert(1)</script>", "a\nb\r\n✓ c", "\u202eevil", "\U0001f468\u200d\U0001f469", "x" * 9_990, "&amp;\"'>"),
    *("\x1b[31mred", "zero\u200bwidth", "]]>", "\u2028", "日本" * 200, "BEGIN:VEVENT", "a;b,c\\d:e", "﷽" * 20),
)


def events(text: str) -> list[dict[str, str]]:
    """The events of a calendar; fails where a line is not as the standard has it."""
    assert text.endswith("\r\n")
    assert not re.search(r"(?<!\r)\n|\r(?!\n)", text)
    lines = text.encode().split(b"\r\n")[:-1]
    assert all(0 < len(line) <= 75 and line.decode() for line in lines)
    found: list[dict[str, str]] = []
    within: list[str] = []
    for line in re.sub("\r\n[ \t]", "", text).split("\r\n")[:-1]:
        name, value = re.fullmatch(r"([A-Z-]+)(?:;[A-Z-]+=[^;:,]+)*:([^\x00-\x08\x0a-\x1f\x7f]*)", line, re.S).groups()  # type: ignore[union-attr]
        if name == "BEGIN":
            within.append(value)
            if value == "VEVENT":
                found.append({})
        elif name == "END":
            assert within.pop() == value
        elif within[-1] == "VEVENT":
            assert name not in found[-1]
            found[-1][name] = value
        if name in ("SUMMARY", "DESCRIPTION", "NAME", "X-WR-CALNAME"):
            assert re.fullmatch(r"(?:[^\\;,]|\\[\\;,nN])*", value)
    assert not within
    return found


def test_deadlines_are_a_calendar_by_the_letter() -> None:
    ruleset = strikeout.load("alibaba-procedure")
    fields = {"kind": "notice", "at": "2024-07-05T10:00", "claim": "counterfeit"}
    facts = [{**fields, "seller": s, "complaint": s, "complainant": s, "right": s} for s in HOSTILE]
    facts += [{**facts[0], "complaint": f"c{number}"} for number in range(5)]
    for shuffled in (facts, facts[::-1]):
        deadlines = ruleset.run(shuffled, as_of="2024-07-06").deadlines()
        found = events(deadlines.to_ics())
        assert len(found) == len(deadlines) == len(facts)
        assert len({event["UID"] for event in found}) == len(facts)
        assert all(re.fullmatch(r"\d{8}T\d{6}Z", event[name]) for event in found for name in ("DTSTAMP", "DTSTART"))
        assert deadlines.to_ics() == ruleset.run(facts, as_of="2024-07-06").deadlines().to_ics()


# Hostile ids, and what cannot be asked.


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_id_stays_text(name: str) -> None:
    ruleset = strikeout.load_text(THREE)
    facts = [upheld(n, name, complaint=f"{name}{n}", complainant=name, right=name) for n in (1, 2, 3)]
    outcome, early = ruleset.run(facts), ruleset.run(facts[:1])
    answers: list[Any] = [outcome.why("closure"), outcome.remedies(name), outcome.what_if(remove=facts[:1])]
    answers += [early.why_not(name, "closure"), early.next_sanctions(name), outcome.deadlines()]
    for answer in answers:
        for language in ("en", "zh"):
            text, page = answer.text(language), answer.html(language)
            assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u2028\u202e]", text + page)
            assert not any(re.match(r"b|✓ c", line) for line in text.split("\n")), text
            assert "<script" not in page
    for view in ("complaints", "timeline", "firings"):
        drawing = outcome.draw(view, name)
        xml.dom.minidom.parseString(drawing.svg.encode())
        assert "<script>" not in drawing.svg + drawing.html()


def test_what_is_no_question_is_told_so() -> None:
    outcome = strikeout.load_text(THREE).run([upheld(number) for number in (1, 2, 3)])
    asked: Any = outcome
    said: dict[str, Callable[[], object]] = {
        "expected a mapping of columns to values, got `complaint`": lambda: asked.what_if(remove={"complaint": "c1"}),
        "expected a mapping of columns to values, got `c1`": lambda: asked.what_if(remove=["c1"]),
        "expected a fact, or a text such as `KIND@AT`, got `5`": lambda: asked.why(5),
        "say of which `kind` the fact is": lambda: asked.why({"complaint": "c1"}),
        "`fr` is no language of explanations; known are `zh` and `en`": lambda: asked.why("closure").text("fr"),
        "`fr` is no language of answers; known are `zh` and `en`": lambda: asked.ruleset.diff(asked.ruleset).text("fr"),
    }
    for message, ask in said.items():
        with pytest.raises(strikeout.RunError) as raised:
            ask()
        assert str(raised.value) == message


def test_costs_rise_along_remedies() -> None:
    outcome = strikeout.load_text(THREE).run([upheld(number) for number in (1, 2, 3)])
    found = outcome.remedies("s", cost=lambda fact: {"c1": 5.0, "c2": 0.5, "c3": 2.0}[str(fact["complaint"])])
    assert [remedy.facts[0].get("complaint") for remedy in found] == ["c2", "c3", "c1"]
    assert all(cheap.cost <= dear.cost for cheap, dear in pairwise(found))
