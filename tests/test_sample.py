"""The generator: the same seed gives the same facts, with the skew of a marketplace, that suit the ruleset."""

from __future__ import annotations

import csv
import datetime
import gzip
import hashlib
import io
import json
import tracemalloc
from collections import Counter
from pathlib import Path

import pytest
from click.testing import CliRunner

import strikeout
from strikeout.commands.sample import AT_ONCE, format_of, sample_command, write_csv
from strikeout.reach.sample import AT_MOST, COLUMNS, FROM_FEW, Row, check_ruleset, few_sellers, record, rows, shuffled
from strikeout.rows import Binder

FACTS = 20_000


@pytest.fixture(scope="module")
def some() -> list[Row]:
    return list(rows(FACTS, seed=7))


def digest(given: list[Row]) -> str:
    file = io.BytesIO()
    write_csv(file, given)
    return hashlib.sha256(file.getvalue()).hexdigest()


def test_a_seed_is_a_sample(some: list[Row]) -> None:
    assert some == list(rows(FACTS, seed=7))
    assert some != list(rows(FACTS, seed=8))
    # On every machine and Python: whoever changes the generator changes what a seed means.
    assert digest(list(rows(1_000, seed=1))) == "10231be77702fd9355a15d8e07907108731228a3c62bbc4b51264911f81138c0"


@pytest.mark.parametrize("facts", [1, 2, 3, 7, 50, 333])
@pytest.mark.parametrize("subjects", [None, 1, 2, 9, 1000])
def test_as_many_facts_as_asked_for(facts: int, subjects: int | None) -> None:
    found = list(rows(facts, 3, subjects))
    assert len(found) == facts
    assert len({row[2] for row in found}) <= (subjects or max(1, facts // 4))


def test_facts_come_in_order_of_time(some: list[Row]) -> None:
    times = [row[1] for row in some]
    assert times == sorted(times)
    assert times[0].startswith("2015-01-0")
    assert "2016-10" < times[-1] < "2017-04"


def test_most_sellers_have_about_three_facts_and_a_few_very_many(some: list[Row]) -> None:
    numbers = sorted(Counter(row[2] for row in some).values())
    assert numbers[len(numbers) // 2] in (2, 3, 4)
    assert sum(2 <= number <= 6 for number in numbers) > len(numbers) / 2
    assert numbers[-1] > 50 * numbers[len(numbers) // 2]
    assert sum(numbers[-len(numbers) // 100 :]) > 0.1 * FACTS


@pytest.mark.parametrize("facts", [10**6, 10**7, 10**8, 10**9])
def test_no_seller_has_more_than_there_are_to_be(facts: int) -> None:
    scale, octaves = few_sellers(facts, facts // 4)
    most = FROM_FEW * facts / octaves / scale
    assert AT_MOST / 10 < most <= AT_MOST
    assert ((1 << octaves) - 1) * scale < facts // 40


def test_complainants_and_rights_are_drawn_by_rank(some: list[Row]) -> None:
    complainants = Counter(row[4] for row in some if row[4])
    ranked = [number for _, number in complainants.most_common()]
    assert ranked[0] > 3 * ranked[9] > 3 * ranked[99]
    assert {row[5].partition("-r")[0] for row in some} == {row[4] for row in some}
    rights = Counter(row[5].rpartition("r")[2] for row in some if row[5])
    assert set(rights) == set("1234567")
    assert rights["1"] > rights["2"] > rights["7"]


def test_some_complaints_come_in_bursts(some: list[Row]) -> None:
    last: dict[tuple[str, str], datetime.datetime] = {}
    close = 0
    for row in some:
        if row[0] == "upheld":
            at, key = datetime.datetime.fromisoformat(row[1]), (row[2], row[5])
            close += key in last and at - last[key] < datetime.timedelta(hours=72)
            last[key] = at
    assert 0.1 < close / FACTS < 0.5


def test_withdrawals_and_reversals_follow_their_complaints(some: list[Row]) -> None:
    made: dict[str, tuple[str, str]] = {}
    kinds = Counter(row[0] for row in some)
    for row in some:
        if row[0] == "upheld":
            assert row[3] not in made
            made[row[3]] = row[1], row[2]
        else:
            at, seller = made[row[3]]
            assert (at < row[1], seller) == (True, row[2])
            assert row[4:] == ("",) * 7
    assert kinds["upheld"] > 20 * kinds["withdrawal"] > 20 * kinds["reversal"] > 0


@pytest.mark.parametrize(
    "name", ["taobao-counterfeit", "taobao-counterfeit-full", "alibaba-1688", "alibaba-com-serious"]
)
def test_a_sample_suits_the_ruleset(name: str, some: list[Row]) -> None:
    ruleset = strikeout.load(name)
    check_ruleset(ruleset.model)
    binder = Binder(ruleset.model)
    for row in some[-500:]:
        assert binder.fact(record(row)) == binder.fact(dict(zip(COLUMNS, row, strict=True)))
    outcome = ruleset.run(record(row) for row in some[:500])
    assert not outcome.rejected
    assert outcome.summary.given == 500
    assert outcome.summary.adds_up()
    assert len(outcome.facts)


def test_a_ruleset_of_other_words_is_refused() -> None:
    with pytest.raises(strikeout.RunError, match="takes no fact `upheld` of a `seller`"):
        check_ruleset(strikeout.load("github-repeat-infringer").model)


@pytest.mark.parametrize("in_memory", [100, 10**6])
def test_shuffled_facts_are_the_same_facts(in_memory: int, some: list[Row], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("strikeout.reach.sample.IN_MEMORY", in_memory)
    found = list(shuffled(some[:2000], 2000, seed=4))
    assert found != some[:2000]
    assert sorted(found) == sorted(some[:2000])
    assert found == list(shuffled(some[:2000], 2000, seed=4))
    early = sum(row[1] < some[1000][1] for row in found[:1000])
    assert 430 < early < 570


def test_memory_does_not_grow_with_the_facts() -> None:
    def most(facts: int) -> int:
        tracemalloc.start()
        for _ in rows(facts, 0, 1000):
            pass
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    # What is still to come grows with how dense the facts are, a hundredth of them.
    assert most(40_000) < 2 * most(4_000) + 300_000


# The command.


def run(*arguments: str) -> str:
    result = CliRunner().invoke(sample_command, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_the_formats_say_the_same(some: list[Row], tmp_path: Path) -> None:
    asked = ("--facts", "300", "--seed", "5")
    wanted = [record(row) for row in rows(300, 5)]
    assert [json.loads(line) for line in run(*asked).splitlines()] == wanted
    table = list(csv.DictReader(io.StringIO(run(*asked, "--format", "csv"))))
    assert [tuple(row.values()) for row in table] == list(rows(300, 5))
    path = tmp_path / "facts.csv.gz"
    run(*asked, "-o", str(path))
    assert list(csv.DictReader(io.StringIO(gzip.decompress(path.read_bytes()).decode()))) == table
    assert [entry.name for entry in tmp_path.iterdir()] == ["facts.csv.gz"]


def test_parquet_says_the_same(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "facts.parquet"
    run("--facts", "300", "--seed", "5", "-o", str(path))
    binder = Binder(strikeout.load("taobao-counterfeit").model)
    found = [binder.fact(row) for row in parquet.read_table(path).to_pylist()]
    assert found == [binder.fact(record(row)) for row in rows(300, 5)]


def test_shuffled_by_the_command() -> None:
    asked = ("--facts", "300", "--format", "csv")
    lines, mixed = run(*asked).splitlines(), run(*asked, "--shuffled").splitlines()
    assert lines != mixed
    assert sorted(lines) == sorted(mixed)


def test_a_format_goes_by_the_name_of_the_file() -> None:
    assert [format_of(name) for name in (None, "x", "x.csv", "x.jsonl.gz", "x.parquet")] == [
        "jsonl",
        "jsonl",
        "csv",
        "jsonl",
        "parquet",
    ]


def test_parquet_is_not_written_to_the_terminal() -> None:
    result = CliRunner().invoke(sample_command, ["--format", "parquet"])
    assert result.exit_code == 2
    assert "give `-o FILE`" in result.output


def test_more_than_is_written_at_once() -> None:
    assert len(run("--facts", str(AT_ONCE + 1), "--format", "csv").splitlines()) == AT_ONCE + 2
