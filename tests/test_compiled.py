"""The engine `compiled`: both dialects of generated code against the timeline's closures, to the last reason."""

from __future__ import annotations

import ast
import random
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import generate
import pytest

import strikeout
from strikeout.facts import Fact, merge_duplicates
from strikeout.ground.calendars import Calendar
from strikeout.ground.values import DAY, ArithmeticFault, Period, Zone, add_period, dates_window_start, window_start
from strikeout.machine.compiled import CompiledProgram, expressions, plan, runtime, steps
from strikeout.machine.runs import Conclusions
from strikeout.machine.timeline import DirectProgram, Entry, Program, Reason, SubjectRun, run_subject
from strikeout.model import Ruleset
from strikeout.reach.library import shipped_names
from strikeout.speech.outcome import status, status_of

SIZES = (1, 3, 6, 13, 25)


def fact(f: Fact) -> tuple[Any, ...]:
    return f.kind.name, f.at, f.subject, f.values, [type(v) for v in f.values], f.seq, f.known_at


def told(run: SubjectRun) -> dict[str, Any]:
    """All that a run says, in values that can be compared."""

    def reason(r: Reason) -> tuple[Any, ...]:
        return r.rule.name, r.trigger.place, r.threshold, id(r.derivation)

    def entry(e: Entry) -> tuple[Any, ...]:
        return fact(e.fact), e.step, e.place, e.given, e.scheduled, [reason(r) for r in e.reasons]

    no = run.rejection
    return {
        "entries": [entry(e) for e in run.entries],
        "pending": [(fact(p.fact), [reason(r) for r in p.reasons]) for p in run.pending],
        "voided": [(fact(v.fact), fact(v.by), v.rule.name) for v in run.voided],
        "later": [fact(f) for f in run.later],
        "used": run.used,
        "rejection": no and (no.code, no.message, no.rule.name, fact(no.fact), str(no.span), no.at),
    }


def without_why(ruleset: Ruleset, run: SubjectRun) -> Any:
    """What a run comes to, of all that it tells."""
    bearing = [e.fact for e in run.entries if e.fact.kind.effect or e.fact.kind.ends is not None]
    return (
        [(fact(e.fact), e.reasons[0].rule.name) for e in run.conclusions],
        [(fact(p.fact), p.reasons[0].rule.name) for p in run.pending],
        [fact(f) for f in bearing],
        status(ruleset, run),
        (run.used, len(run.voided), [fact(f) for f in run.later], run.rejection),
    )


def concluded(ruleset: Ruleset, told: Conclusions, as_of: int) -> Any:
    """The same of what an engine concludes without telling why."""
    return (
        [(fact(f), rule.name) for f, rule in told.derived],
        [(fact(f), rule.name) for f, rule in told.pending],
        [fact(f) for f in told.bearing],
        status_of(ruleset, told.bearing, as_of),
        (told.used, told.voided, [fact(f) for f in told.later], told.rejection),
    )


def histories(
    seed: int, ruleset: Any, number: int, sizes: tuple[int, ...] = SIZES
) -> Iterator[tuple[str, list[Fact], int]]:
    rng = random.Random(seed)
    for _ in range(number):
        facts = generate.history(rng, ruleset, rng.choice(sizes))
        as_of = generate.instants(rng, facts)
        if as_of is None:
            as_of = max((f.from_then_on for f in facts), default=0)
        for subject in sorted({f.subject for f in facts}):
            yield subject, merge_duplicates([f for f in facts if f.subject == subject]), as_of


def compare(one: Program, other: Program, seed: int, number: int, sizes: tuple[int, ...] = SIZES) -> None:
    for subject, facts, as_of in histories(seed, one.ruleset, number, sizes):
        expected = told(run_subject(one, subject, facts, as_of))
        run = other.run_subject(subject, facts, as_of)
        assert told(run) == expected, f"seed {seed}, as of {as_of}: {facts}"
        if isinstance(other, CompiledProgram):
            assert concluded(one.ruleset, other.conclude(subject, facts, as_of), as_of) == without_why(
                one.ruleset, run
            ), seed


def generated(seed: int) -> Any:
    try:
        return strikeout.load_text(generate.ruleset(random.Random(seed)), name="generated").model
    except strikeout.RulesetError:
        return None


@pytest.mark.parametrize("name", shipped_names())
def test_shipped_rulesets_conclude_the_same(name: str) -> None:
    model = strikeout.load(name).model
    compare(DirectProgram(model), CompiledProgram(model), 1, 40, (5, 25, 60))


@pytest.mark.parametrize("seed", range(60))
def test_generated_rulesets_conclude_the_same(seed: int) -> None:
    model = generated(seed)
    if model is not None:
        compare(DirectProgram(model), CompiledProgram(model), seed, 6)


@pytest.mark.parametrize("seed", range(100, 120))
def test_computing_ahead_changes_nothing(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "DEEPEST", 3)
    monkeypatch.setattr(plan, "LARGEST", 4)
    monkeypatch.setattr(expressions, "NESTED", 0)
    monkeypatch.setattr(steps, "NESTED_CONDITIONS", 0)
    model = generated(seed)
    if model is not None:
        compare(DirectProgram(model), CompiledProgram(model), seed, 6)


HEAD = """
ruleset: r
version: 2015-01-01
subject: s
timezone: Asia/Shanghai
facts:
  a: {input: true, fields: {i: integer = 1}}
"""


def test_a_ruleset_that_schedules_itself_comes_to_the_limit() -> None:
    text = (
        HEAD
        + "  b: {fields: {i: integer}}\nrules:\n  r: {when: a, then: b}\n  q: {when: b, then: {b: {at: at + 1s}}}\n"
    )
    model = strikeout.load_text(text).model
    fact = Fact(model.kinds[0], 0, "s", (1,), 0, 0)
    expected = told(run_subject(DirectProgram(model), "s", [fact], 10**15))
    assert expected["rejection"][0] == "steps"
    assert told(CompiledProgram(model).run_subject("s", [fact], 10**15)) == expected


def test_large_expressions_are_compiled() -> None:
    lets = "".join(f"      x{n}: x{n - 1} + x{n - 1}\n" for n in range(1, 40))
    branches = "".join(f"        - {{if: i + {n} == {3 * n}, value: i * {n}}}\n" for n in range(1, 60))
    deep = "i" + "".join(f" + (count(a) * {n}" for n in range(1, 50)) + ")" * 49
    text = (
        f"{HEAD}  b: {{fields: {{m: integer, n: integer, o: optional integer}}}}\nrules:\n  r:\n    when: a\n    let:\n"
    )
    text += f"      x0: i\n{lets}      y:\n{branches}    then: {{b: {{m: x39, n: '{deep}', o: y}}}}\n"
    model = strikeout.load_text(text).model
    compare(DirectProgram(model), CompiledProgram(model), 3, 5)


def test_the_source_names_rules_and_lines() -> None:
    source = CompiledProgram(strikeout.load("taobao-counterfeit").model).source()
    assert "# three-strikes (shipped:taobao-counterfeit.yaml:" in source
    ast.parse(source)


def test_a_single_long_history_stays_near_linear() -> None:
    text = HEAD + "  b: {fields: {}}\nrules:\n  r: {when: a, if: 'sum(a.i within 30d) < 0', then: b}\n"
    model = strikeout.load_text(text).model
    facts = [Fact(model.kinds[0], n * 10**6, "s", (1,), 0, n * 10**6) for n in range(100_000)]
    assert CompiledProgram(model).run_subject("s", facts, 10**15).used == 100_000


# The dialect of arrays.


def plain_module(source: str) -> types.ModuleType:
    """The functions of the dialect of arrays in plain Python, with numbers that wrap as numba's do."""
    numpy = pytest.importorskip("numpy")

    class Wrapping(ast.NodeTransformer):
        def visit_Constant(self, node: ast.Constant) -> ast.AST:
            if not isinstance(node.value, int) or node.value <= 1000:
                return node
            exact = ast.Constant(str(node.value - 2**64 if node.value >= 2**63 else node.value))
            return ast.Call(ast.Name("I", ast.Load()), [exact], [])

    module = types.ModuleType("kernel")
    fake = types.SimpleNamespace(njit=lambda function=None, **options: function or (lambda inner: inner))
    module.__dict__.update(numba=fake, I=numpy.int64)
    tree = ast.fix_missing_locations(Wrapping().visit(ast.parse(source.replace("import numba\n", ""))))
    exec(compile(tree, "<kernel>", "exec"), module.__dict__)
    return module


def array_program(model: Any, load: Any) -> Program:
    pytest.importorskip("numpy")
    from strikeout.machine.compiled.by_arrays import ArrayProgram

    return ArrayProgram(CompiledProgram(model), load)


@pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")
@pytest.mark.parametrize("seed", range(200, 230))
def test_arrays_conclude_the_same_in_plain_python(seed: int) -> None:
    model = generated(seed)
    if model is not None:
        compare(DirectProgram(model), array_program(model, plain_module), seed, 3)


@pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")
@pytest.mark.parametrize("name", shipped_names())
def test_arrays_conclude_the_same_on_shipped_rulesets(name: str) -> None:
    model = strikeout.load(name).model
    compare(DirectProgram(model), array_program(model, plain_module), 2, 8, (5, 25))


def jitted(model: Any, cache: Path) -> Program:
    from strikeout.reach.jitted import load_kernel

    return array_program(model, lambda source: load_kernel(source, strikeout.__version__, cache / "strikeout"))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_numba_concludes_the_same(numba_cache: Path) -> None:
    model = strikeout.load("taobao-counterfeit").model
    compare(DirectProgram(model), jitted(model, numba_cache), 3, 60, (5, 25, 60))


NARROW = f"""{HEAD}  b: {{fields: {{p: integer, t: integer}}}}
  c: {{fields: {{n: integer}}}}
  d: {{fields: {{}}}}
rules:
  product: {{when: a, if: i != 3, then: {{b: {{p: 'i * count(a) - i', t: 'sum(a.i within 30m)'}}}}}}
  later:
    when: a
    if: max(a.i within 2h) > 1
    then: {{c: {{at: at + 30m, n: 'coalesce(abs(first(a.i)) // i, 0)'}}}}
  joint: {{when: b, if: 'p + t >= 0', then: d}}
"""


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_numba_finds_what_overflows(numba_cache: Path) -> None:
    model = strikeout.load_text(NARROW).model
    direct, fast = DirectProgram(model), jitted(model, numba_cache)
    rng = random.Random(7)
    numbers = (0, 1, -1, 3, 5, 2**31, -(2**32), 2**61, 2**62 + 1, 2**63 - 1, -(2**63))
    ends = set()
    for _ in range(300):
        some = rng.sample(numbers, 3)
        ats = sorted(rng.sample(range(9_000), rng.choice((1, 3, 8))))
        facts = [Fact(model.kinds[0], at * 10**6, "s", (rng.choice(some),), 0, at * 10**6) for at in ats]
        expected = told(run_subject(direct, "s", facts, 10**10))
        assert told(fast.run_subject("s", facts, 10**10)) == expected, facts
        ends.add(expected["rejection"] and expected["rejection"][2])
    assert ends == {None, "product", "later", "joint"}


def test_generated_modules_are_kept_by_content_and_version(tmp_path: Path) -> None:
    from strikeout.reach.jitted import load_kernel

    one, same = load_kernel("x = 1", "0.1", tmp_path), load_kernel("x = 1", "0.1", tmp_path)
    newer, other = load_kernel("x = 1", "0.2", tmp_path), load_kernel("x = 2", "0.1", tmp_path)
    assert one is same
    assert [module.x for module in (one, newer, other)] == [1, 1, 2]
    assert len({one.__name__, newer.__name__, other.__name__}) == len(list(tmp_path.glob("*.py"))) == 3
    file = tmp_path / "no folder"
    file.touch()
    assert load_kernel("x = 3", "0.1", file).x == 3  # where nothing can be kept


ZONES = (
    "Asia/Shanghai",
    "America/New_York",
    "Australia/Lord_Howe",
    "Africa/Cairo",
    "America/Sao_Paulo",
    "Pacific/Apia",
    "America/St_Johns",
)


@pytest.mark.parametrize("name", ZONES)
def test_times_in_arrays_are_those_of_values(name: str) -> None:
    class Column(tuple):  # type: ignore[type-arg]
        @property
        def shape(self) -> tuple[int]:
            return (len(self),)

    zone = Zone.load(name)
    calendar = Calendar.from_mapping({"calendar": "X", "first": "2014-01-01", "last": "2016-12-31"})
    changes, local, offsets, working = map(Column, (zone.changes, zone.local_changes, zone.offsets, calendar.working))
    ends = (zone.earliest, zone.latest)
    table = (changes, local, offsets)
    rng = random.Random(4)

    def expected(instant: int, period: Period, sign: Any = 1) -> int:
        try:
            return add_period(zone, calendar, instant, period, sign)
        except ArithmeticFault as fault:
            return runtime.NEVER if "overflow" in str(fault) else runtime.NOT_WORKED

    for _ in range(1500):
        near = rng.choice((*zone.changes, zone.earliest, zone.latest, zone.parse("2015-01-31")))
        at = min(max(near + rng.randint(-3 * DAY, 3 * DAY) * rng.choice((0, 1, 400)), zone.earliest), zone.latest)
        count = rng.choice((0, 1, 2, 5, 12, 31, 400, 10**9, 2**62)) * rng.choice((1, -1))
        assert runtime.start_of_day(at, *table, zone.earliest) == zone.start_of_day(at)
        assert runtime.start_of_month(at, *table, zone.earliest) == zone.start_of_month(at)
        assert runtime.start_of_year(at, *table, zone.earliest) == zone.start_of_year(at)
        assert runtime.add_dates(at, count, *table, *ends) == expected(at, Period("dates", count))
        assert runtime.add_months(at, count, *table, *ends) == expected(at, Period("months", count))
        assert runtime.window_of_months(at, count, *table, *ends) == window_start(zone, at, Period("months", count))
        for inclusive in (True, False):
            assert runtime.window_of_dates(at, count, inclusive, *table) == dates_window_start(
                zone, at, count, inclusive
            )
        if count > 0:
            got = runtime.add_workdays(at, count, *table, *ends, working, calendar.first_day)
            assert got == expected(at, Period("workdays", count))
        assert runtime.window_start(at, count) == window_start(zone, at, count)
