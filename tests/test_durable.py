"""durable_rules as `strikeout.machine.durable` holds it: right as a plain evaluation is, bounded, never silent."""

from __future__ import annotations

import gc
import operator
import random
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pytest

from strikeout.machine import durable
from strikeout.machine.durable import BOUND, Conjunction, EngineFault, Matcher, MatcherUnavailable

needs_durable_rules = pytest.mark.skipif(not durable.available(), reason="durable_rules cannot be imported")

MEANING: dict[str, Callable[[int, int], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
Conditions = Sequence[Sequence[Conjunction]]


def holds(test: durable.Test, fact: Mapping[str, int]) -> bool:
    return test.feature in fact and MEANING[test.operator](fact[test.feature], test.constant)


def plain(conditions: Conditions, fact: Mapping[str, int]) -> list[int]:
    """What a matcher must answer."""
    return [i for i, any_of in enumerate(conditions) if any(all(holds(t, fact) for t in c) for c in any_of)]


def conjunction(*tests: tuple[str, str, int]) -> Conjunction:
    return tuple(durable.Test(*test) for test in tests)


# --- right


EDGES = [0, 1, -1, 9, 10, 2**31 - 1, 2**31, -(2**31), 2**32, -(2**32) - 1, 2**52, BOUND - 1, 1 - BOUND]


def generate(choice: random.Random) -> tuple[Conditions, Iterator[dict[str, int]]]:
    """Conditions, and facts that come near to them."""
    names = [f"{choice.choice('abcxyz')}{i}" for i in range(choice.choice([1, 2, 4, 8, 40]))]
    constants = choice.choice([range(-3, 4), EDGES, [choice.randrange(1 - BOUND, BOUND) for _ in range(9)]])

    def test() -> durable.Test:
        return durable.Test(choice.choice(names), choice.choice(list(MEANING)), choice.choice(constants))

    known = [tuple(test() for _ in range(choice.choice([0, 1, 1, 2, 2, 3, 6]))) for _ in range(20)]
    conditions: list[list[Conjunction]] = []
    for _ in range(choice.choice([0, 1, 3, 3, 10, 70])):
        if conditions and choice.random() < 0.1:
            conditions.append(choice.choice(conditions))
        else:
            conditions.append([choice.choice(known[1:]) for _ in range(choice.choice([0, 1, 1, 1, 2, 4]))])
    if choice.random() < 0.3:
        conditions.append([choice.choice(known), (), choice.choice(known)])

    def near() -> int:
        return max(1 - BOUND, min(BOUND - 1, choice.choice(constants) + choice.choice([-1, 0, 0, 1])))

    facts = ({n: near() for n in [*names, "unread"] if choice.random() < 0.95} for _ in range(140))
    return conditions, facts


@needs_durable_rules
@pytest.mark.parametrize("seed", range(12))
def test_a_matcher_answers_as_plain_evaluation_does(seed: int) -> None:
    choice = random.Random(seed)
    for _ in range(40):
        conditions, facts = generate(choice)
        matcher = Matcher("fuzz", conditions)
        for fact in facts:
            assert matcher.match(fact) == plain(conditions, fact), (conditions, fact)


@needs_durable_rules
@pytest.mark.parametrize("sign", MEANING)
@pytest.mark.parametrize("constant", EDGES)
def test_each_operator_at_each_edge(sign: str, constant: int) -> None:
    conditions = [[conjunction(("x", sign, constant))]]
    matcher = Matcher("edge", conditions)
    for value in {*EDGES, *(e + d for e in EDGES for d in (-1, 1) if abs(e + d) < BOUND)}:
        assert matcher.match({"x": value}) == plain(conditions, {"x": value}), value


@needs_durable_rules
def test_rules_without_alternatives_never_hold_and_empty_conjunctions_always() -> None:
    assert Matcher("m", []).match({}) == []
    assert Matcher("m", [[], [()], [(), conjunction(("a", "==", 1))], []]).match({"a": 2}) == [1, 2]


@needs_durable_rules
def test_a_missing_feature_satisfies_no_test() -> None:
    matcher = Matcher("m", [[conjunction(("a", sign, 1))] for sign in MEANING])
    assert matcher.match({}) == []
    assert matcher.match({"b": 1}) == []
    assert matcher.match({"a": 0}) == [1, 2, 3]


@needs_durable_rules
def test_a_boolean_is_an_integer() -> None:
    matcher = Matcher("m", [[conjunction(("a", "==", 1))], [conjunction(("a", "==", True))]])
    assert matcher.match({"a": True}) == [0, 1]
    assert matcher.match({"a": False}) == []


@needs_durable_rules
@pytest.mark.parametrize("value", [BOUND, -BOUND, 10**30, 1.0, float("nan"), "1", None, b"1", [1]])
def test_what_is_no_integer_within_the_bounds_is_refused(value: Any) -> None:
    matcher = Matcher("m", [[conjunction(("a", ">=", 0))]])
    with pytest.raises(ValueError, match=r"`m` is asked about what is no integer of 53 bits: `.*`$"):
        matcher.match({"a": value})
    assert matcher.match({"a": 0, "unread": value}) == [0]
    with pytest.raises(ValueError, match="`a` is compared with what is no integer of 53 bits"):
        Matcher("m", [[conjunction(("a", "==", value))]])


@needs_durable_rules
def test_an_unknown_operator_is_refused() -> None:
    with pytest.raises(ValueError, match="`=` is none of == != < <= > >="):
        Matcher("m", [[()], [(), conjunction(("a", "=", 1))]])


# --- within the library's limits


@needs_durable_rules
def test_more_rules_than_a_network_takes_all_hold_for_one_fact() -> None:
    conditions = [[conjunction(("a", ">=", -i), ("b", "!=", i))] for i in range(300)]
    matcher = Matcher("many", conditions)
    assert len(matcher._networks) == 10
    assert matcher.match({"a": 0, "b": -1}) == list(range(300))
    assert matcher.match({"a": -150, "b": 200}) == [i for i in range(150, 300) if i != 200]


@needs_durable_rules
def test_more_features_than_a_network_takes() -> None:
    conditions = [[conjunction(*((f"f{7 * i + j}", ">", 0) for j in range(14)))] for i in range(40)]
    matcher = Matcher("wide", conditions)
    assert len(matcher._networks) == 3
    fact = {f"f{i}": 1 for i in range(300)}
    assert matcher.match(fact) == list(range(40))
    assert matcher.match(fact | {"f140": 0}) == [i for i in range(40) if i not in (19, 20)]
    most = conjunction(*((f"f{i}", "==", 1) for i in range(durable.FEATURES_AT_MOST)))
    assert Matcher("wide", [[most]]).match(fact) == [0]
    with pytest.raises(ValueError, match="a conjunction reads 127 features; 126 are the most"):
        Matcher("wide", [[(*most, durable.Test("one", "==", 1))]])


@needs_durable_rules
def test_many_alternatives_many_tests_and_one_condition_many_times() -> None:
    conditions = [
        [conjunction(("a", "==", i)) for i in range(700)],
        [conjunction(*(("a", "!=", i) for i in range(300)))],
        *[[conjunction(("b", "==", 1), ("a", ">", 5))] for _ in range(400)],
    ]
    matcher = Matcher("many", conditions)
    for a in (-1, 0, 5, 6, 299, 300, 699, 700):
        assert matcher.match({"a": a, "b": 1}) == plain(conditions, {"a": a, "b": 1})


def fnv(text: str) -> int:
    """The hash by which the library knows names, facts and sessions: FNV-1a of 32 bits."""
    value = 0x811C9DC5
    for byte in text.encode():
        value = (value ^ byte) * 16_777_619 % 2**32
    return value


def test_the_names_of_properties_have_different_hashes() -> None:
    names = ["id", "sid", "$s", "$m", "$forward", durable.WITNESS]
    names += [f"p{i}" for i in range(durable.FEATURES_AT_MOST)]
    assert len({fnv(name) for name in names}) == len(names)


def test_the_numbers_of_facts_have_different_hashes() -> None:
    numbers = range(durable.FACTS_PER_SESSION + 1)
    assert len({fnv(str(number)) for number in numbers}) == len(numbers)


@needs_durable_rules
def test_a_fact_that_is_taken_for_another_is_asked_about_again() -> None:
    matcher = Matcher("m", [[conjunction(("a", ">", 0))], [conjunction(("a", "<", 9))]])
    network = matcher._networks[0]
    assert fnv("40186") == fnv("797189")
    matcher.match({"a": 1})
    network._number = 40_185
    assert matcher.match({"a": 10}) == [0]
    network._number = 797_188
    assert matcher.match({"a": 5}) == [0, 1]
    assert (network._number, network._sessions) == (797_190, 1)


@needs_durable_rules
def test_facts_that_are_always_taken_for_others_are_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    matcher = Matcher("m", [[conjunction(("a", ">", 0))]])
    network = matcher._networks[0]
    matcher.match({"a": 1})
    network._number = 0
    with monkeypatch.context() as patch:
        patch.setattr(durable, "TRIES", 1)
        with pytest.raises(EngineFault, match="durable_rules, as `m`, takes every new fact for an old one"):
            matcher.match({"a": 1})
    assert matcher.match({"a": 1}) == [0]


@needs_durable_rules
def test_a_session_whose_own_record_meets_its_first_fact_is_left_alone() -> None:
    matcher = Matcher("m", [[conjunction(("a", ">", 0))]])
    network = matcher._networks[0]
    session = 11_567_822_900
    assert fnv(f"sid-{session}") == fnv("0")
    network._sessions = session - 1
    for _ in range(3 * durable.FACTS_PER_SESSION):
        assert matcher.match({"a": 1}) == [0]
    assert network._session == session + 3


# --- never silent


class Broken:
    """The extension module, but after some calls one of its functions does something else."""

    def __init__(self, name: str, instead: Callable[..., Any], after: int = 0) -> None:
        self.library = durable.library()
        self.name = name
        self.instead = instead
        self.after = after

    def __getattr__(self, name: str) -> Any:
        if name != self.name:
            return getattr(self.library, name)
        self.after -= 1
        return getattr(self.library, name) if self.after >= 0 else self.instead


def fail(*_: object) -> None:
    import durable_rules_engine

    raise durable_rules_engine.error("Could not do it, error code: 303")


def ask(matcher: Matcher, fact: Mapping[str, int], answer: list[int]) -> None:
    """Ask through several sessions."""
    for _ in range(8 * durable.FACTS_PER_SESSION):
        assert matcher.match(fact) == answer


def interrupt(*_: object) -> None:
    raise KeyboardInterrupt


@needs_durable_rules
@pytest.mark.parametrize("after", range(3))
@pytest.mark.parametrize(
    ("name", "instead", "message"),
    [
        ("assert_fact", lambda *_: (1, 0), "refused a fact with code 1"),
        ("assert_fact", lambda *_: (3, 0), "refused a fact with code 3"),
        ("assert_fact", fail, "failed: Could not do it, error code: 303"),
        ("start_action_for_state", lambda *_: None, "lost a fact"),
        ("start_action_for_state", lambda *_: ("{}", '{"w":{"m":{"id":7}}}'), "fired"),
        ("start_action_for_state", fail, "failed"),
        ("complete_and_start_action", lambda *_: '{"nobody":{"m":{}}}', "fired"),
        ("complete_and_start_action", fail, "failed"),
        ("delete_state", fail, "failed"),
    ],
)
def test_whatever_the_library_does_wrong_is_a_fault(
    name: str, instead: Callable[..., Any], message: str, after: int
) -> None:
    matcher = Matcher("m", [[conjunction(("a", ">", 0))], [conjunction(("a", ">", 1))]])
    network = matcher._networks[0]
    network._engine = Broken(name, instead, after)
    with pytest.raises(EngineFault, match=f"^durable_rules, as `m`, {message}"):
        ask(matcher, {"a": 2}, [0, 1])
    network._engine = durable.library()
    ask(matcher, {"a": 1}, [0])


@needs_durable_rules
def test_a_firing_that_is_missing_its_witness_is_a_fault() -> None:
    matcher = Matcher("m", [[conjunction(("a", ">", 0))]])
    matcher.match({"a": 1})
    matcher._networks[0]._engine = Broken("complete_and_start_action", lambda *_: None)
    fact = '{"id":2,"sid":1,"w":1,"p0":1}'
    matcher._networks[0]._engine.start_action_for_state = lambda *_: ("", f'{{"0":{{"m":{fact}}}}}')
    with pytest.raises(EngineFault, match="lost a fact"):
        matcher.match({"a": 1})


@needs_durable_rules
@pytest.mark.parametrize("name", ["assert_fact", "start_action_for_state", "complete_and_start_action", "delete_state"])
def test_an_interrupt_leaves_nothing_behind(name: str) -> None:
    matcher = Matcher("m", [[conjunction(("a", ">", 0))], [conjunction(("a", ">", 1))]])
    network = matcher._networks[0]
    for after in range(6):
        network._engine = Broken(name, interrupt, after)
        with pytest.raises(KeyboardInterrupt):
            ask(matcher, {"a": 2}, [0, 1])
        network._engine = durable.library()
        assert matcher.match({"a": 1}) == [0]


@needs_durable_rules
def test_rules_that_the_library_refuses_are_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = Broken("create_ruleset", fail)
    monkeypatch.setattr(durable, "library", lambda: broken)
    with pytest.raises(EngineFault, match="durable_rules, as `m`, refused the rules: Could not do it"):
        Matcher("m", [[conjunction(("a", ">", 0))]])


# --- many threads, many matchers, many facts


@needs_durable_rules
def test_threads_may_share_a_matcher() -> None:
    choice = random.Random(7)
    conditions = [
        [conjunction(("a", "==", i % 5), ("b", "<", 10 * i)), conjunction(("b", ">", 90 - i))] for i in range(40)
    ]
    shared = Matcher("shared", conditions)
    facts = [{"a": choice.randrange(5), "b": choice.randrange(100)} for _ in range(600)]
    expected = [plain(conditions, fact) for fact in facts]
    answers: list[bool] = []

    def work(start: int) -> None:
        own = Matcher("own", conditions)
        for k in range(len(facts)):
            i = (start + k) % len(facts)
            answers.append(shared.match(facts[i]) == expected[i])
            if k % 9 == 0:
                answers.append(own.match(facts[i]) == expected[i])

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        threads = [threading.Thread(target=work, args=(50 * n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert len(answers) == 8 * (600 + 67)
    assert all(answers)


def measured(script: str) -> list[int]:
    """Run a script that prints integers in a process of its own, in which a crash shows where it was."""
    prelude = """
import resource
from strikeout.machine.durable import Matcher, Test
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (1024 if sys.platform == "darwin" else 1)
"""
    process = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", "import sys" + prelude + script],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    return [int(word) for word in process.stdout.split()]


@needs_durable_rules
@pytest.mark.skipif(sys.platform == "win32", reason="no peak memory to read")
def test_memory_stays_flat_over_many_facts() -> None:
    matched, grown = measured("""
a, b = Test("a", ">", 50), Test("b", "==", 3)
matcher = Matcher("m", [[(a, b)], [(a,), (b,)], [()]])
matched = 0
for i in range(300_000):
    if i == 20_000:
        before = peak()
    matched += len(matcher.match({"a": i % 101, "b": i % 7, "c": i, "d": -i}))
print(matched, peak() - before)
""")
    facts = [(i % 101 > 50, i % 7 == 3) for i in range(300_000)]
    assert matched == sum((a and b) + (a or b) + 1 for a, b in facts)
    assert grown < 2_000, f"{grown} kB"


@needs_durable_rules
@pytest.mark.skipif(sys.platform == "win32", reason="no peak memory to read")
def test_matchers_that_go_give_back_what_they_held() -> None:
    matched, grown = measured("""
matched = 0
for i in range(2_000):
    if i == 200:
        before = peak()
    matcher = Matcher("m", [[(Test("a", ">", j), Test("b", "==", j))] for j in range(40)])
    for j in range(i % 70):
        matched += len(matcher.match({"a": j, "b": 3}))
print(matched, peak() - before)
""")
    assert matched == sum(max(0, i % 70 - 4) for i in range(2_000))
    assert grown < 4_000, f"{grown} kB"


@needs_durable_rules
def test_dozens_of_matchers_live_beside_each_other() -> None:
    matchers = [Matcher(f"m{i}", [[conjunction(("a", "==", i))], [conjunction(("a", "!=", i))]]) for i in range(60)]
    for a in range(70):
        assert [m.match({"a": a}) for m in matchers] == [[0] if i == a else [1] for i in range(60)]
        if a == 30:
            del matchers[50:]
            matchers += [
                Matcher(f"m{i}", [[conjunction(("a", "==", i))], [conjunction(("a", "!=", i))]]) for i in range(50, 60)
            ]
    del matchers
    gc.collect()


# --- not here


def test_without_durable_rules_the_error_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "durable_rules_engine", None)
    assert not durable.available()
    with pytest.raises(MatcherUnavailable) as error:
        Matcher("m", [])
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert str(error.value) == (
        "the engine `rete` needs durable_rules, which is made for Python before 3.13 and cannot be imported"
        f" by this Python {version}; the engine `compiled` gives the same answers"
    )


def test_importing_the_module_imports_no_durable_rules() -> None:
    script = "import sys, strikeout.machine.durable; sys.exit(any(name.startswith('durable') for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", script], check=False, timeout=60).returncode == 0
