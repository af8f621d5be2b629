"""Case files: what they may say, what is wrong with one and where, and when a case fails."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from strikeout.facts import Fact
from strikeout.gate.case_files import read_cases
from strikeout.gate.case_model import NO_STATUS, CaseFile, Pattern
from strikeout.ground.problems import RulesetError, Source
from strikeout.machine.timeline import DirectProgram
from strikeout.speech.cases import Failure, assign, run_case
from strikeout.speech.outcome import GOOD_STANDING

RULESET = """
ruleset: small
subject: seller
timezone: Asia/Shanghai
terminal: closure
enums:
  finding: [minor, grave]
facts:
  act:
    input: true
    fields:
      id: id
      finding: finding = minor
      base: optional integer
      note: optional text
      told: boolean = false
      due: optional time
      span: optional duration
  undone: {input: true, fields: {id: id}}
  strike:
    fields: {id: id, base: optional integer, note: optional text, due: optional time, span: optional duration}
  late: {fields: {id: id}}
  restriction: {effect: interval, severity: 20, fields: {until: time}}
  closure: {effect: lasting, severity: 90, fields: {}}
parameters:
  limit: 3
  term: 7d
  word: "plain"
rules:
  strike: {when: act, then: strike}
  again: {when: act, if: note == word, then: {strike: {base: 100}}}
  late: {when: act, then: {late: {at: at + term}}}
  ladder:
    when: strike
    ladder: {of: count(strike), steps: {2: {restriction: {until: at + term}}}}
  over:
    when: strike
    if: count(strike) >= limit
    then: closure
  undone: {when: undone, void: act by id}
"""

HEAD = "ruleset: small\ncases:\n  one:\n    subject: s\n"


class Shelf:
    """A library of one ruleset."""

    def find(self, what: str, name: str, beside: Source) -> Source | None:
        return Source(f"{name}.yaml", RULESET) if (what, name) == ("ruleset", "small") else None

    def names(self, what: str, beside: Source) -> Iterable[str]:
        return ["small"]


def read(text: str) -> CaseFile:
    return read_cases(Source("t.cases.yaml", text), Shelf())


def failures(text: str) -> list[Failure]:
    """Give the failures of the only case of a text without its head."""
    (case,) = read(HEAD + text).cases
    return list(run_case(case, DirectProgram(case.ruleset)))


def problems(text: str) -> list[tuple[int, str, str, str]]:
    """Give what is wrong: line in the text without its head, what is underlined, message and hint."""
    with pytest.raises(RulesetError) as caught:
        read(HEAD + text)
    above = HEAD.count("\n")
    return [(p.span.line - above, p.span.text, p.message, p.hint) for p in caught.value.problems]


TWO = """
    facts:
      - {at: 2015-01-05, act: {id: a, base: 2}}
      - {at: 2015-01-06T09:30, act: {id: b, base: 3, span: 90m, due: 2015-02-01}}
"""


def test_a_case_that_holds_passes() -> None:
    found = failures(
        TWO
        + """
    expect:
      - facts:
          - {at: 2015-01-05, strike: {id: a, base: 2, note: , span: null}}
          - {at: 2015-01-06T09:30, seller: s, strike: {id: b, span: PT5400S, due: 2015-01-31T16:00:00Z}}
          - {at: "2015-01-06T09:30:00+08:00", restriction: {until: 2015-01-13T09:30}}
        absent: [closure, {at: 2015-01-06, restriction: {}}, {strike: {id: c}}, {seller: s, late: {}}]
        count: {strike: 2, closure: 0}
        sum: {strike.base: 5, strike.span: 90m}
        status: restriction
        only: [strike, restriction]
      - as_of: 2015-01-12
        facts: [late]
        status: {s: restriction}
      - as_of: 2015-01-13T09:30
        count: {late: 2}
        status: good-standing
"""
    )
    assert found == []


HOLDS_NOT = [
    ("facts: [{at: 2015-01-06, restriction: {}}]", "`{at: 2015-01-06, restriction: {}}`", "it differs in `at`"),
    ("facts: [{restriction: {until: 2015-01-14}}]", "`{restriction: {until: 2015-01-14}}`", "it differs in `until`"),
    ("facts: [closure]", "`closure`", "no `closure` was derived; derived were 2 `strike`, 1 `restriction`"),
    ("facts: [undone]", "`undone`", "no rule of `small` derives `undone`"),
    ("facts: [strike, strike, strike]", "`strike`", "only 2 such facts were derived, and each serves one"),
    ("facts: [{strike: {id: a}}, {strike: {id: a}}]", "`{strike: {id: a}}`", "only 1 such fact was derived"),
    ("absent: [strike]", "no `strike`", '"id": "a"'),
    ("absent: [{at: 2015-01-05, strike: {base: 2}}]", "no `{at: 2015-01-05", '"id": "a"'),
    ("count: {strike: 3}", "3 of `strike`", "it is 2:"),
    ("count: {closure: 1}", "1 of `closure`", "no `closure` was derived"),
    ("sum: {strike.base: 6}", "the sum of `strike.base` to be 6", "it is 5:"),
    ("sum: {strike.span: 60m}", "the sum of `strike.span` to be 1h", "it is 90m:"),
    ("status: closure", "the status `closure` of `s`", "it is `restriction` since 2015-01-06T09:30:00+08:00"),
    ("only: [strike]", "no other `strike` than listed", '"id": "a"'),
    ("{only: [strike], facts: [{strike: {id: b}}]}", "no other `strike` than listed", '"id": "a"'),
]


@pytest.mark.parametrize(("expected", "message", "found"), HOLDS_NOT, ids=[row[0] for row in HOLDS_NOT])
def test_a_case_that_does_not_hold_says_what_was_expected_where_and_what_was_found(
    expected: str, message: str, found: str
) -> None:
    (failure,) = failures(TWO + f"    expect: {expected if expected[0] == '{' else '{' + expected + '}'}\n")
    assert message in failure.expected
    assert failure.expected.endswith("as of 2015-01-06T09:30:00+08:00")
    assert failure.lines()[0].startswith(f"t.cases.yaml:{HEAD.count(chr(10)) + 5}:")
    assert any(found in line for line in failure.found), failure.found


def test_a_failure_is_told_in_chinese_too() -> None:
    (case,) = read(HEAD + TWO + "    expect: {count: {closure: 1}, status: closure}\n").cases
    found = run_case(case, DirectProgram(case.ruleset), "zh")
    assert [failure.expected.split("，")[0] for failure in found] == [
        "预期 `closure` 共 1 项",
        "预期 `s` 的状态为 `closure`",
    ]
    assert found[1].found == ("实为 `restriction`，自 2015-01-06T09:30:00+08:00 起",)


def test_the_reasons_of_the_nearest_fact_are_told() -> None:
    (failure,) = failures(TWO + "    expect: {facts: [{at: 2015-01-05, restriction: {}}]}\n")
    assert any("ladder" in line for line in failure.why)


def test_the_rules_that_did_not_fire_are_told() -> None:
    (failure,) = failures(TWO + "    expect: {facts: [closure]}\n")
    assert any("over" in line for line in failure.why)


@pytest.mark.parametrize(
    "expect", ["", "    expect:\n", "    expect: []\n", "    expect: {}\n", "    expect: {facts: []}\n"]
)
def test_a_case_that_expects_nothing_fails(expect: str) -> None:
    (failure,) = failures(TWO + expect)
    assert "expects nothing" in failure.expected


def test_a_block_that_expects_nothing_fails() -> None:
    (failure,) = failures(TWO + "    expect: [{count: {strike: 2}}, {as_of: 2015-02-01}]\n")
    assert failure.expected == "this block expects nothing"


def test_a_run_that_is_rejected_fails() -> None:
    (failure,) = failures(
        """
    facts: [{at: 9999-12-31, act: {id: a}}]
    expect: {absent: [closure]}
"""
    )
    assert "rejected" in failure.found[0]


def test_parameters_of_a_case_are_its_own() -> None:
    found = read(
        HEAD
        + TWO
        + """
    set: {limit: 2, term: 1 month, word: "two words"}
    expect: {facts: [{at: 2015-01-06T09:30, closure: {}}, {restriction: {until: 2015-02-06T09:30}}]}
  two:
    subject: s
    facts: [{at: 2015-01-05, act: {id: a}}]
    expect: {only: [closure]}
"""
    )
    for case in found.cases:
        assert not run_case(case, DirectProgram(case.ruleset))
    assert [case.ruleset is found.ruleset for case in found.cases] == [False, True]


def test_facts_have_subjects_sequence_and_are_known_late() -> None:
    found = failures(
        """
    facts:
      - {at: 2015-01-05, seq: 2, act: {id: second}}
      - {at: 2015-01-05, seq: 1, act: {id: first}}
      - {at: 2015-01-05, seq: 1, act: {id: first}}
      - {at: 2015-01-05, known_at: 2015-01-07, act: {id: third}}
      - {at: 2015-01-05, seller: t, act: {id: first}}
      - {at: 2015-01-08, undone: {id: first}}
    expect:
      - as_of: 2015-01-05
        facts: [{seller: s, strike: {id: second}}, {seller: s, strike: {id: first}}, {seller: t, strike: {id: first}}]
        only: [strike]
        status: {s: restriction, t: good-standing}
      - as_of: 2015-01-07
        count: {strike: 4, closure: 1}
      - facts: [{strike: {id: second}}, {strike: {id: third}}, {seller: t, strike: {}}]
        only: [strike]
"""
    )
    assert found == []


WRONG = [
    ("    expext: {}\n    facts: []", 1, "expext", "unknown key `expext` in the case `one`", "`expect`"),
    ("    expect: {absent: [closure]}", 0, "one", "the case `one` does not say `facts`", "`facts: []`"),
    ("    facts: {at: 2015-01-05}", 1, "{at: 2015-01-05}", "`facts` must be a list", "- "),
    ("    facts: [act]", 1, "act", "a fact must be a mapping", "KIND"),
    ("    facts: [{at: 2015-01-05, ackt: {id: a}}]", 1, "ackt", "`ackt` is no kind of `small`", "`act`"),
    ("    facts: [{at: 2015-01-05}]", 1, "{at: 2015-01-05}", "the fact names no kind", "KIND"),
    ("    facts: [{at: 2015-01-05, act: {id: a}, undone: {id: a}}]", 1, "undone", "an entry names one kind", "list"),
    ("    facts: [{at: 2015-01-05, act: {idd: a, id: a}}]", 1, "idd", "`act` has no field `idd`", "`id`"),
    ("    facts: [{act: {id: a, at: 2015-01-05}, at: 2015-01-05}]", 1, "at", "`act` has no field `at`", "beside"),
    ("    facts: [{act: {id: a}}]", 1, "act", "every fact has a time", ""),
    ("    facts: [{at: 2015-01-05, act: {}}]", 1, "act", "the kind `act` needs `id`", ""),
    ("    facts: [{at: 2015-02-30, act: {id: a}}]", 1, "2015-02-30", "`at`: `2015-02-30` names a day", ""),
    ("    facts: [{at: 2015-01-05, seq: x, act: {id: a}}]", 1, "x", "`seq`: `x`, expected an integer", ""),
    ("    facts: [{at: 2015-01-05, act: {id: a, finding: gravy}}]", 1, "gravy", "`gravy` is no member", "`grave`"),
    ("    facts: [{at: 2015-01-05, act: {id: a, base: 1.5}}]", 1, "1.5", "expected an integer", ""),
    ("    facts: [{at: 2015-01-05, act: {id: a, told: maybe}}]", 1, "maybe", "expected `true` or `false`", ""),
    ("    facts: [{at: 2015-01-05, act: {id: [a]}}]", 1, "[a]", "the value of `id` must be one word", ""),
    ("    facts: [{at: 2015-01-05, strike: {id: a}}]", 1, "strike", "`strike` can only be derived", "`act`"),
    ("    facts: []\n    set: {limti: 3}", 2, "limti", "has no parameter `limti`", "`limit`"),
    ("    facts: []\n    set: {limit: a b}", 2, "a b", "`a b` is no literal", "an integer"),
    ("    facts: []\n    expect: {as_of: soon}", 2, "soon", "`soon` is not a time", ""),
    ("    facts: []\n    expect: {facts: [closur]}", 2, "closur", "`closur` is no kind of `small`", "`closure`"),
    ("    facts: []\n    expect: {facts: closure}", 2, "closure", "`facts` must be a list", "- "),
    ("    facts: []\n    expect: {facts: [{strik: {}}]}", 2, "strik", "`strik` is no kind", "`strike`"),
    ("    facts: []\n    expect: {facts: [{seq: 1, strike: {}}]}", 2, "1", "what is derived has no `seq`", ""),
    ("    facts: []\n    expect: {facts: [{strike: {base: x}}]}", 2, "x", "expected an integer", ""),
    ("    facts: []\n    expect: {facts: [{seller: t, strike: {}}]}", 2, "t", "no fact of the case names", "`s`"),
    ("    facts: []\n    expect: {absent: [{strike: {basis: 1}}]}", 2, "basis", "has no field `basis`", "`base`"),
    ("    facts: []\n    expect: {count: {strik: 1}}", 2, "strik", "`strik` is no kind", "`strike`"),
    ("    facts: []\n    expect: {count: {strike: one}}", 2, "one", "`one`, expected an integer", ""),
    ("    facts: []\n    expect: {sum: {strike: 1}}", 2, "strike", "does not say of which field", "KIND.FIELD"),
    ("    facts: []\n    expect: {sum: {strike.bose: 1}}", 2, "strike.bose", "no field `bose`", "`base`"),
    ("    facts: []\n    expect: {sum: {strike.id: 1}}", 2, "strike.id", "only integers and durations", ""),
    ("    facts: []\n    expect: {status: closed}", 2, "closed", "`closed` is never a status", "`closure`"),
    ("    facts: []\n    expect: {status: strike}", 2, "strike", "`strike` is never a status", "`restriction`"),
    ("    facts: []\n    expect: {status: {t: closure}}", 2, "t", "no fact of the case names the seller `t`", "`s`"),
    ("    facts: []\n    expect: {only: strike}", 2, "strike", "`only` must be a list", "- "),
    ("    facts: []\n    expect: {only: [strik]}", 2, "strik", "`strik` is no kind", "`strike`"),
    ("    facts: []\n    expect: {exactly: 1}", 2, "exactly", "unknown key `exactly` in `expect`", ""),
    ("    facts: []\n    expect: 3", 2, "3", "`expect` must be a mapping", ""),
]


@pytest.mark.parametrize(("text", "line", "underlined", "message", "hint"), WRONG, ids=[row[0] for row in WRONG])
def test_what_is_wrong_is_said_where_it_stands(text: str, line: int, underlined: str, message: str, hint: str) -> None:
    found = problems(text + "\n")
    assert len(found) == 1, found
    where, shown, said, advice = found[0]
    if line:
        assert where == line
    assert shown == underlined
    assert message in said
    assert hint in advice


def test_all_that_is_wrong_is_said_at_once() -> None:
    found = problems(
        """
    facts:
      - {at: x, seq: y, act: {finding: z, base: q, told: w, due: e, span: r, more: t}}
      - {at: 2015-01-05, act: {id: a, base: 1}}
    expect: {count: {a: 1, b: 2}, status: c}
"""
    )
    assert [shown for _, shown, _, _ in found] == ["x", "y", "act", "z", "q", "w", "e", "r", "more", "a", "b", "c"]


def test_what_a_parameter_spoils_in_the_ruleset_is_shown_there_with_the_case() -> None:
    with pytest.raises(RulesetError) as caught:
        read(HEAD + "    facts: []\n    set: {limit: 2d}\n")
    (problem,) = caught.value.problems
    assert problem.span.source.name == "small.yaml"
    assert [(label, span.text) for label, span in problem.related] == [("as set here", "{limit: 2d}")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cases: {one: {facts: []}}", "the file does not say `ruleset`"),
        ("ruleset: smal\ncases: {one: {facts: []}}", "unknown ruleset `smal`"),
        ("ruleset: small", "the file does not say `cases`"),
        ("ruleset: small\ncases: {}", "the file has no cases"),
        ("ruleset: ../small\ncases: {one: {facts: []}}", "`../small` is no bare name of a ruleset"),
        ("[]", "a case file must be a mapping of keys and values"),
        ("ruleset: small\nrules: {}\ncases: {one: {facts: []}}", "unknown key `rules` in a case file"),
    ],
)
def test_the_file_itself_may_be_wrong(text: str, message: str) -> None:
    with pytest.raises(RulesetError) as caught:
        read(text)
    assert message in [problem.message for problem in caught.value.problems]


def test_a_ruleset_with_problems_runs_no_case() -> None:
    class Broken(Shelf):
        def find(self, what: str, name: str, beside: Source) -> Source | None:
            return Source("small.yaml", RULESET.replace("then: closure", "then: closur"))

    with pytest.raises(RulesetError) as caught:
        read_cases(Source("t.cases.yaml", HEAD + TWO), Broken())
    assert [problem.span.text for problem in caught.value.problems] == ["closur"]


def test_each_expectation_has_a_fact_of_its_own_where_that_can_be() -> None:
    ruleset = read(HEAD + TWO).ruleset
    kind = ruleset.kinds_by_name["strike"]
    a, b, c = (Fact(kind, at, "s", (name, None, None, None, None)) for at, name in ((1, "a"), (2, "b"), (3, "c")))
    span = kind.span
    assert span is not None
    anything = Pattern(kind, None, None, (), span)
    only_a = Pattern(kind, 1, None, (), span)
    a_or_named_b = [Pattern(kind, None, None, ((0, name),), span) for name in ("a", "b")]
    assert assign([anything, only_a], [a, b]) == {0: 1, 1: 0}
    assert (
        assign([anything, anything, *a_or_named_b], [a, b, c]).keys() >= {2, 3}
        or len(assign([anything, anything, *a_or_named_b], [a, b, c])) == 3
    )
    assert assign([only_a, only_a], [a, b]) == {0: 0}
    assert len(assign([anything] * 500, [a, b, c] * 200)) == 500


def test_no_status_is_one_word_everywhere() -> None:
    assert NO_STATUS == GOOD_STANDING
