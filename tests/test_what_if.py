"""What if, deadlines, and what changed between rulesets: each is what two runs, or two files, say."""

from __future__ import annotations

import csv
import json
import os
import random
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import generate
import pytest
from click.testing import CliRunner

import strikeout
from strikeout.ahead.icalendar import Event, calendar, escape, fold
from strikeout.commands.deadlines import deadlines_command
from strikeout.commands.diff import diff_command
from strikeout.commands.whatif import whatif_command
from strikeout.ground.problems import FactError, RulesetError, RunError, StrikeoutError
from strikeout.reach.streaming import as_row
from strikeout.speech.outcome import Record, to_json

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = ROOT / "docs" / "example.csv"


def rows() -> list[dict[str, Any]]:
    with EXAMPLE.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def example(engine: str = "compiled") -> strikeout.Outcome:
    return strikeout.load("taobao-counterfeit").run(rows(), engine=engine)


NOTICE = {"seller": "s", "kind": "notice", "complainant": "a", "right": "r", "claim": "counterfeit"}


def notices(as_of: str | None = None) -> strikeout.Outcome:
    facts = [{**NOTICE, "at": f"2015-0{month}-05T09:00", "complaint": f"c{month}"} for month in (1, 2, 3)]
    return strikeout.load("taobao-counterfeit-full").run(facts, as_of, engine="compiled")


# --- what if


def conclusions(outcome: strikeout.Outcome) -> Counter[str]:
    return Counter(to_json(fact.as_dict()) for fact in outcome.facts)


def compare(found: Any, before: strikeout.Outcome, after: strikeout.Outcome) -> None:
    """Hold a difference to the two outcomes that it is of."""
    changed = found.as_dict()["changed"]
    gained = Counter(to_json(fact) for one in changed for fact in one["gained"])
    lost = Counter(to_json(fact) for one in changed for fact in one["lost"])
    assert gained == conclusions(after) - conclusions(before)
    assert lost == conclusions(before) - conclusions(after)
    told = {one[found.after.subject]: one for one in changed}
    for subject in {*before.subjects, *after.subjects}:
        states = []
        for outcome in (before, after):
            alive = subject in outcome.subjects and subject not in outcome.rejected
            pending: list[Record] = outcome.pending(subject) if alive else []
            states.append((outcome.status(subject) if alive else None, Counter(map(to_json, pending))))
        if subject in told:
            one = told[subject]
            assert [one["before"]["status"], one["after"]["status"]] == [states[0][0], states[1][0]]
            assert Counter(map(to_json, one["pending_gained"])) == states[1][1] - states[0][1]
            assert Counter(map(to_json, one["pending_lost"])) == states[0][1] - states[1][1]
        else:
            assert states[0] == states[1]


def histories(seeds: range) -> Iterator[tuple[random.Random, strikeout.Ruleset, list[Any]]]:
    for seed in seeds:
        rng = random.Random(seed)
        try:
            ruleset = strikeout.load_text(generate.ruleset(rng))
        except strikeout.RulesetError:
            continue
        yield rng, ruleset, generate.history(rng, ruleset.model, rng.choice((5, 12, 25)))


def test_what_if_is_the_difference_of_two_runs() -> None:
    for rng, ruleset, facts in histories(range(15)):
        kept = [fact for fact in facts if rng.random() < 0.7]
        added = [fact for fact in facts if fact not in kept]
        outcome = ruleset.run(kept, engine="compiled")
        found = outcome.what_if(add=added, remove=kept[:1])
        gone = kept[0] if kept else None
        instant = found.instants[1]
        before = ruleset.run(kept, instant, engine="compiled")
        after = ruleset.run([*(fact for fact in kept if not _same(fact, gone)), *added], instant, engine="compiled")
        compare(found, before, after)
        assert found.text("zh")
        assert found.text("en")


def _same(fact: Any, other: Any) -> bool:
    """Whether two facts are one (semantics 2)."""
    return other is not None and all(
        getattr(fact, name) == getattr(other, name) for name in ("kind", "at", "seq", "subject", "values")
    )


@pytest.mark.parametrize("settings", [{"strike_limit": 2}, {"merge_window": "12h"}, {"closing_points": 4}])
def test_other_parameters_are_another_run(settings: dict[str, Any]) -> None:
    outcome = example()
    other = outcome.ruleset.with_parameters(settings).run(rows(), engine="compiled")
    compare(outcome.what_if(set=settings), outcome, other)
    assert outcome.what_if(set=settings).as_dict()["what_if"]["set"] == {k: str(v) for k, v in settings.items()}


def test_another_ruleset_is_another_run() -> None:
    outcome = example()
    for name in ("taobao-counterfeit-full", "alibaba-1688"):
        compare(outcome.what_if(ruleset=name), outcome, strikeout.load(name).run(rows(), engine="compiled"))
        compare(outcome.what_if(ruleset=strikeout.load(name)), outcome, strikeout.load(name).run(rows()))
    with pytest.raises(FactError, match="is no kind of `github-repeat-infringer`"):
        outcome.what_if(ruleset="github-repeat-infringer")


def test_a_later_instant_is_another_run() -> None:
    outcome = notices()
    found = outcome.what_if(as_of="2015-03-12")
    compare(found, outcome, notices("2015-03-12"))
    assert found.of("s").after.status is not None
    assert "closure" in found.text()
    supposed = outcome.what_if(add=[{"kind": "counter_notice", "seller": "s", "complaint": "c3", "at": "2015-03-10"}])
    assert [pending.fact.kind.name for one in supposed.subjects for pending in one.pending_lost] == []
    later = outcome.what_if(
        add=[{"kind": "counter_notice", "seller": "s", "complaint": "c3", "at": "2015-03-10"}], as_of="2015-03-12"
    )
    assert {entry.fact.kind.name for entry in later.of("s").lost} == {
        "upheld",
        "violation",
        "strike",
        "points",
        "closure",
    }


def test_a_new_subject_is_gained() -> None:
    upheld = {
        "kind": "upheld",
        "seller": "new",
        "at": "2015-03-01",
        "complaint": "n1",
        "complainant": "a",
        "right": "r",
    }
    found = example().what_if(add=[{**upheld, "finding": "counterfeit"}])
    assert found.of("new").before.run is None
    assert found.total == 3
    gone = example().what_if(remove=[{"seller": "xiaohua"}])
    assert gone.of("xiaohua").after.run is None
    assert "there are no facts" in gone.text()


def test_both_sides_have_reasons() -> None:
    found = example().what_if(remove=[{"complaint": "c1"}])
    assert found.why("strike@2015-01-05").roots[0].fact.get("complaint") == "c1", "lost: as it was"
    assert found.why("strike@2015-01-06").roots[0].fact.get("complaint") == "c2", "gained: as it would be"
    assert found.why({"kind": "strike", "seller": "xiaoming"}, side="before").roots[0].fact.get("complaint") == "c1"
    with pytest.raises(RunError, match="`strike` at 2015-01-20 is among nothing that changes"):
        found.why("strike@2015-01-20")
    with pytest.raises(RunError, match="`then` is no side; known are `before` and `after`"):
        found.why("strike", side="then")
    with pytest.raises(RunError, match="nothing changes for the seller `xiaohua`"):
        found.of("xiaohua")
    text = " ".join(found.text().split())
    assert "− strike c1 · 2015-01-05 10:00" in text
    assert "now: there is no upheld c1 · 2015-01-05 10:00" in text
    assert "+ strike c2 · 2015-01-06 09:30" in text
    assert "fails · level = information" in text
    assert found._repr_html_().count("<li>") == found._repr_html_().count("</li>")


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({"complaint": "c33"}, "no given fact has complaint `c33`; did you mean `c3`?"),
        (
            {"complaint": "c3", "kind": "withdrawal"},
            "no given fact has all of complaint `c3`, kind `withdrawal`; the nearest",
        ),
        ({"complaimt": "c3"}, "no given fact can have `complaimt`; did you mean `complaint`?"),
        ({"kind": "uphled"}, "`uphled` is no kind of `taobao-counterfeit`; did you mean `upheld`?"),
        ({"at": "2015-01-07"}, "no given fact has at `2015-01-07`"),
        ({"at": "yesterday"}, "`yesterday`"),
        ({"kind": "strike"}, "no given fact has kind `strike`"),
        ({}, "say which facts to remove: by at least one field"),
    ],
)
def test_a_fact_to_remove_must_be_there(wanted: dict[str, Any], message: str) -> None:
    with pytest.raises(RunError) as error:
        example().what_if(remove=[wanted])
    assert str(error.value).startswith(message)


def test_facts_are_picked_by_every_column() -> None:
    outcome = example()
    fact = outcome.run_of("xiaoming").entries[0].fact
    assert outcome.what_if(remove=[fact]).changes.removed == (fact,)
    assert outcome.what_if(remove=[as_row(outcome.ruleset.model, fact)]).changes.removed == (fact,)
    assert len(outcome.what_if(remove=[{"right": "红了个红", "special": False}]).changes.removed) == 6
    assert len(outcome.what_if(remove=[{"base": 2, "seller": "xiaoming"}]).changes.removed) == 4
    assert len(outcome.what_if(remove=[{"at": "2015-03-10"}]).changes.removed) == 1
    assert len(outcome.what_if(remove=[{"at": "2015-03-10 17:20", "kind": "withdrawal"}]).changes.removed) == 1
    with pytest.raises(RulesetError, match="strike_limt"):
        outcome.what_if(set={"strike_limt": 1})
    with pytest.raises(FactError, match="did you mean `upheld`"):
        outcome.what_if(add=[{"kind": "uphled"}])


def command(function: Any, *arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(function, arguments)
    if isinstance(result.exception, StrikeoutError):
        return 2, str(result.exception)
    return result.exit_code, result.stdout


def test_the_command_whatif(tmp_path: Path) -> None:
    base = ["taobao-counterfeit", str(EXAMPLE)]
    code, text = command(whatif_command, *base, "--remove", "complaint=c4,kind=upheld", "--lang", "zh")
    assert code == 0
    assert text == example().what_if(remove=[{"complaint": "c4"}]).text("zh") + "\n"
    fact = {"kind": "withdrawal", "seller": "xiaoming", "at": "2015-03-12", "complaint": "c4"}
    file = tmp_path / "more.jsonl"
    file.write_text(json.dumps(fact) + "\n", encoding="utf-8")
    expected = example().what_if(add=[fact]).as_dict()
    for given in (str(file), json.dumps(fact), json.dumps([fact])):
        code, text = command(whatif_command, *base, "--add", given, "--format", "json")
        assert code == 0
        assert json.loads(text) == expected
    code, text = command(whatif_command, *base, "--set", "strike_limit=2", "--subject", "xiaohua", "--lang", "en")
    assert "nothing changes" in text
    code, text = command(whatif_command, *base, "--against", "alibaba-1688", "--lang", "en")
    assert "there is no rule violation" in text
    assert command(whatif_command, *base)[0] == 2
    assert command(whatif_command, *base, "--remove", "c3")[0] == 2
    assert command(whatif_command, *base, "--add", "{")[1].startswith("`--add`: this is no JSON")
    assert command(whatif_command, *base, "--add", "[1]")[1].startswith("`--add`: expected a fact as an object")
    assert (
        "did you mean `xiaoming`"
        in command(whatif_command, *base, "--set", "strike_limit=2", "--subject", "xiaomin")[1]
    )


# --- deadlines


def test_deadlines_are_what_waiting_gives() -> None:
    number = 0
    for rng, ruleset, facts in histories(range(100, 130)):
        outcome = ruleset.run(facts, generate.instants(rng, facts), engine="compiled")
        found = outcome.deadlines()
        alive = [subject for subject in outcome.subjects if subject not in outcome.rejected]
        assert len(found) == sum(len(outcome.pending(subject)) for subject in alive)
        assert [d.fact.at for d in found] == sorted(d.fact.at for d in found)
        for deadline in found:
            number += 1
            known = [fact for fact in facts if fact.from_then_on <= outcome.as_of and fact.subject == deadline.subject]
            after = ruleset.run(known, deadline.fact.at, engine="compiled")
            if deadline.subject in after.rejected:
                continue
            entries = after.run_of(deadline.subject).entries
            steps = {entry.step for entry in entries if entry.scheduled and entry.fact == deadline.fact}
            stands = Counter(entry.fact for entry in entries if entry.step in steps and not entry.scheduled)
            assert not Counter(entry.fact for entry in deadline.brings) - stands
    assert number > 5


def test_what_a_deadline_brings_and_what_answers_it() -> None:
    (deadline,) = notices().deadlines("s")
    assert [entry.fact.kind.name for entry in deadline.brings][-1] == "closure"
    assert [fact.kind.name for fact in deadline.answers] == ["counter_notice"]
    found = notices().deadlines().as_dicts()
    assert found[0]["answers"] == [{"seller": "s", "kind": "counter_notice", "complaint": "c3"}]
    assert found[0]["since"]["kind"] == "notice"
    answered = notices().what_if(add=[{"kind": "counter_notice", "seller": "s", "complaint": "c3", "at": "2015-03-06"}])
    after = answered.of("s") if answered.subjects else None
    assert after is None or not after.gained
    assert not example().deadlines()
    assert "nothing is pending" in example().deadlines().text()
    with pytest.raises(RunError, match="did you mean"):
        example().deadlines("xiaomin")


def parsed(text: str) -> list[dict[str, str]]:
    """Read an iCalendar as RFC 5545 says: lines unfolded, values unescaped; the events."""
    assert text.endswith("\r\n")
    lines = text.split("\r\n")[:-1]
    assert all(len(line.encode()) <= 75 for line in lines)
    assert not any("\n" in line or "\r" in line for line in lines)
    events: list[dict[str, str]] = []
    inside: list[str] = []
    for line in re.sub("\r\n ", "", text).split("\r\n")[:-1]:
        name, colon, value = line.partition(":")
        assert colon, line
        assert re.fullmatch(r"[A-Z-]+", name), line
        if name == "BEGIN":
            inside.append(value)
            if value == "VEVENT":
                events.append({})
        elif name == "END":
            assert inside.pop() == value
        elif inside[-1] == "VEVENT":
            assert name not in events[-1]
            events[-1][name] = re.sub(r"\\(.)", lambda found: {"n": "\n"}.get(found[1], found[1]), value)
    assert not inside
    return events


@pytest.mark.parametrize("language", ["zh", "en"])
def test_deadlines_are_a_calendar(language: str) -> None:
    outcome = notices("2015-02-06")
    text = outcome.deadlines().to_ics(language)
    assert text == notices("2015-02-06").deadlines().to_ics(language), "the same bytes"
    (event,) = parsed(text)
    assert event["DTSTART"] == "20150210T160000Z", "the end of the third working day, in UTC"
    assert event["DTSTAMP"] == "20150205T160000Z", "the instant of the run"
    assert ("如不采取措施" if language == "zh" else "if nothing is done") in event["DESCRIPTION"]
    later = parsed(notices("2015-02-07").deadlines().to_ics(language))
    assert later[0]["UID"] == event["UID"], "an event that stays keeps its id"
    many = [{**NOTICE, "at": "2015-01-05", "complaint": f"c;{n},\\\n三", "seller": f"s{n % 3}"} for n in range(40)]
    found = parsed(strikeout.load("alibaba-procedure").run(many, engine="compiled").deadlines().to_ics(language))
    assert len({event["UID"] for event in found}) == 40
    assert all("c;" in event["SUMMARY"] for event in found)


def test_lines_fold_between_characters_and_texts_are_escaped() -> None:
    text = "SUMMARY:" + "三振出局，a" * 40
    parts = list(fold(text))
    assert parts[0] + "".join(part[1:] for part in parts[1:]) == text
    assert all(len(part.encode()) <= 75 for part in parts)
    assert list(fold("")) == [""]
    assert escape("a\\b;c,d\r\ne\rf\x00") == "a\\\\b\\;c\\,d\\ne\\nf"
    (event,) = parsed(calendar([Event("u", 1_500_000, "x", "y\nz", ("k", "l"))], "n", 0, "-//p//EN"))
    assert event["DTSTART"] == "19700101T000001Z"
    assert event["DESCRIPTION"] == "y\nz"


def test_the_command_deadlines(tmp_path: Path) -> None:
    file = tmp_path / "facts.jsonl"
    facts = [{**NOTICE, "at": f"2015-0{month}-05T09:00", "complaint": f"c{month}"} for month in (1, 2, 3)]
    file.write_text("".join(json.dumps(fact) + "\n" for fact in facts), encoding="utf-8")
    base = ["taobao-counterfeit-full", str(file)]
    code, text = command(deadlines_command, *base, "--lang", "en")
    assert code == 0
    assert "2015-03-11" in text
    assert "closure, upheld c3" in text
    code, text = command(deadlines_command, *base, "--format", "jsonl")
    assert [json.loads(line) for line in text.splitlines()] == notices().deadlines().as_dicts()
    target = tmp_path / "due.ics"
    assert command(deadlines_command, *base, "-o", str(target), "--lang", "zh")[0] == 0
    assert target.read_bytes().decode() == notices().deadlines().to_ics("zh")
    assert command(deadlines_command, "taobao-counterfeit", str(EXAMPLE), "--lang", "en")[1].startswith(
        "nothing is pending"
    )


# --- what changed between rulesets

POLICY = """
ruleset: shop
version: 2015-01-01
title: {en: Shop}
subject: seller
timezone: UTC
facts:
  sale: {input: true, fields: {item: id, amount: integer}}
  withdrawal: {input: true, fields: {item: id}}
  strike: {fields: {item: id}}
  warning: {effect: lasting, severity: 10, fields: {}}
  closure: {effect: lasting, severity: 90, fields: {}}
parameters:
  limit: 3
  window: {values: {2015-01-01: 3d, 2016-01-01: 7d}}
rules:
  strike:
    cite: A1
    when: sale
    if: amount > 0 and none(strike within window)
    then: strike
  ladder:
    when: strike
    ladder:
      of: count(strike)
      steps:
        2: warning
        3: closure
  withdrawn:
    when: withdrawal
    void: sale by item
"""


@pytest.mark.parametrize(
    ("old", "new", "said", "affected"),
    [
        ("limit: 3", "limit: 3", "nothing changed", ()),
        ("2016-01-01: 7d", "2016-01-01: 8d", "value from 2016-01-01 on: 7d → 8d", ("strike",)),
        ("2016-01-01: 7d", "2017-01-01: 7d", "value from 2016-01-01 on: 7d → none", ("strike",)),
        ("amount > 0", "amount >= 5", "condition: amount is more than 0 → amount is at least 5", ("strike",)),
        ("amount > 0 and ", "", "condition: no longer: amount is more than 0", ("strike",)),
        ("2: warning", "1: warning", "on reaching 1: now also: warning", ("warning", "closure")),
        ("        2: warning\n", "", "on reaching 2: no longer: warning", ("warning", "closure")),
        ("3: closure", "3: [warning, closure]", "on reaching 3: closure → warning; closure", ("warning", "closure")),
        ("cite: A1", "cite: A2", "clause: A1 → A2", ()),
        ("severity: 10", "severity: 20", "severity: 10 → 20", ("warning",)),
        ("amount: integer", "amount: integer = 1", "field amount: integer → integer = 1", ("sale", "strike")),
        ("  ladder:\n    when", "  steps:\n    when", "~ steps, formerly ladder", ()),
        ("    when: sale\n", "    when: sale\n    from: 2015-06-01\n", "holds from: none → 2015-06-01", ("strike",)),
        ("title: {en: Shop}", "title: {en: Shop}\ncalendar: CN", "calendar: none → CN", ()),
        ("none(strike within", "none(strike by item within", "there is no strike within window", ("strike",)),
        ("void: sale by item", "void: sale", "voids: sale by item → sale", ("sale",)),
    ],
)
def test_what_changed_is_said_in_words(old: str, new: str, said: str, affected: tuple[str, ...]) -> None:
    assert old in POLICY
    before, after = strikeout.load_text(POLICY), strikeout.load_text(POLICY.replace(old, new))
    found = before.diff(after)
    assert said in " ".join(found.text(width=300).split())
    assert found.affected == affected
    assert bool(found) == (old != new)
    assert found.text("zh")
    json.dumps(found.as_dict(), ensure_ascii=False)
    back = after.diff(before)
    assert set(back.affected) == set(affected)


def test_rules_come_and_go_with_all_that_they_say() -> None:
    before, after = strikeout.load("taobao-counterfeit"), strikeout.load("taobao-counterfeit-full")
    found = before.diff(after)
    assert {change.how for change in found.rules} == {"added"}
    text = " ".join(found.text().split())
    assert "+ counter_notice_period: time for a counter-notice after the seller received the notice" in text
    assert "condition: there is no counter_notice of the same complaint" in text
    assert found.affected_through == ("violation", "strike", "points", "closure")
    assert "没有同一 complaint 的收到反通知 counter_notice" in found.text("zh", 200)
    assert {change.how for change in after.diff(before).rules} == {"removed"}
    assert before.diff("taobao-counterfeit").as_dict()["rules"] == []


def test_every_shipped_ruleset_can_be_compared_with_the_next() -> None:
    from strikeout.reach.library import shipped_names

    models = [strikeout.load(name) for name in shipped_names()]
    for one, other in zip(models, [*models[1:], models[0]], strict=True):
        found = one.diff(other)
        assert found
        assert not one.diff(one)
        for language in ("zh", "en"):
            assert "{" not in found.text(language, 120)
        json.dumps(found.as_dict())


def test_the_command_diff(tmp_path: Path) -> None:
    code, text = command(diff_command, "alibaba-1688-serious", "alibaba-1688-serious-three-close", "--lang", "en")
    assert code == 0
    assert "on reaching 3: restriction (until 15d later) → closure" in text
    code, text = command(diff_command, "alibaba-1688-serious", "alibaba-1688-serious-three-close", "--format", "json")
    assert [rule["how"] for rule in json.loads(text)["rules"]] == ["changed", "removed"]
    assert command(diff_command, "alibaba-1688-serious", "alibaba-1688-serius")[0] == 2
    file = tmp_path / "shop.yaml"
    file.write_text(POLICY, encoding="utf-8")
    assert command(diff_command, str(file), str(file), "--lang", "en")[1].endswith("nothing changed\n")


# --- how it reads


def golden(name: str, text: str) -> None:
    """Compare with a file; `STRIKEOUT_ACCEPT=1` writes it, and `git diff` shows what changed."""
    path = ROOT / "tests" / "answers" / name
    if os.environ.get("STRIKEOUT_ACCEPT"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text + "\n", encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text + "\n"


@pytest.mark.parametrize("language", ["zh", "en"])
def test_answers_read_well(language: str) -> None:
    def check(name: str, text: str) -> None:
        golden(f"{name}.{language}.txt", text)

    outcome, waiting = example(), notices()
    check("remedies", outcome.remedies("xiaoming").text(language))
    check("remedies-in-time", waiting.remedies("s", cost={"counter_notice": 1, "withdrawal": 5}).text(language))
    check("next", outcome.next_sanctions("xiaohua").text(language))
    check("next-notice", waiting.next_sanctions("s", at="2015-02-01").text(language))
    check("what-if-withdrawn", outcome.what_if(remove=[{"complaint": "c1"}]).text(language))
    check("what-if-stricter", outcome.what_if(set={"strike_limit": 2}).text(language))
    check("deadlines", waiting.deadlines().text(language))
    check("deadlines-ics", waiting.deadlines().to_ics(language).replace("\r\n", "\n").rstrip("\n"))
    ladder = strikeout.load("alibaba-1688-serious").diff("alibaba-1688-serious-three-close")
    check("changed-ladder", ladder.text(language))
    check(
        "changed-reading",
        strikeout.load("alibaba-1688-general").diff("alibaba-1688-general-eight-first").text(language),
    )
