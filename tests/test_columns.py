"""Facts as columns: the same facts, the same bad rows and the same order as row by row, however files are cut."""

from __future__ import annotations

import datetime
import decimal
import functools
import gzip
import io
import itertools
import json
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

import strikeout
from strikeout.facts import Fact, merge_duplicates
from strikeout.reach.files import BadRow, Rows
from strikeout.reach.formats import CsvRows, Malformed, RawRow, json_rows
from strikeout.rows import Binder

pa = pytest.importorskip("pyarrow", reason="columns need the extra `batch`, which is not installed")
numpy = pytest.importorskip("numpy", reason="columns need the extra `batch`, which is not installed")

import pyarrow.parquet  # noqa: E402

from strikeout.bulk import batches, blocks, columns, csv_blocks, intake, json_blocks, parquet_blocks  # noqa: E402

RULESET = """
ruleset: every-type
version: 2015-01-01
subject: seller
timezone: {zone}
enums: {{level: [low, high, other]}}
facts:
  derived: {{fields: {{amount: integer, only: optional id}}}}
  notice:
    input: true
    fields:
      complaint: id
      amount: optional integer
      level: level = high
      special: boolean = false
      remark: optional text
  payment:
    input: true
    fields:
      amount: integer
      due: optional time
      grace: duration = 72h
      complaint: 'id = "none"'
      level: optional level
  bare: {{input: true, fields: {{}}}}
rules:
  derive:
    when: payment
    if: count(bare) >= 0 and level == high and grace > 1h and known(due) and complaint == complaint
    then: derived
  other: {{when: notice, if: "special and known(remark)", then: {{derived: {{amount: 1}}}}}}
"""

TIMES = [
    *("2015-01-05", "2015-01-05T09:30", "2015-01-05 09:30:15", "2015-01-05T09:30:15.5", "2015-01-05T09:30:15.123456"),
    *("2015-01-05T09:30Z", "2015-01-05T09:30:15+08:00", "2015-01-05T09:30:15.123-0530", "2015-01-05T09:30+08"),
    *("2015-01-05T09:30:15.1234560", "2015-01-05T09:30:15.1234567", "0001-01-01", "9999-12-31", "0000-01-01"),
    *("9999-12-31T23:59:59.999999Z", "0001-01-01T00:00Z", "0001-01-01T00:00+14:00", "9999-12-31T23:59-12:00"),
    *("2015-02-29", "2016-02-29", "2015-13-01", "2015-00-10", "2015-01-00", "2015-01-05T24:00", "2015-01-05T23:60"),
    *(
        "2015-03-08T02:30",
        "2015-11-01T01:30",
        "20150105",
        "2015-W01-1",
        "2015-1-5",
        " 2015-01-05",
        "2015-01-05 ",
        "now",
    ),
    *("2015-01-05t09:30", "2015-01-05T09:30z", "2015-01-05T09:30:60", "2015-01-05T9:30", "٢٠١٥-01-05", "2015/01/05"),
    *("2015-01-05T09:30:15,5", "2015-01-05T09:30+24:00", "2015-01-05T09:30+08:60", "2015-01-05T09:30:15.", "x" * 50),
]
INTEGERS = [
    *("0", "12", "-5", "+7", "007", "-0", "9223372036854775807", "9223372036854775808", "-9223372036854775808"),
    *("-9223372036854775809", "1.0", "1e3", "--1", "-", "+", "1_000", "٣", " 1", "12 ", "1" * 18, "1" * 19, "1" * 60),
]
TEXTS = [
    "c1",
    "c2",
    "C10",
    "é",
    "红了个红",
    "𝄞",
    "007",
    "a b",
    " ",
    "\u2028",
    "\x01",
    "a" * 9_999,
    "é" * 6_000,
    "a" * 10_001,
]
LEVELS = ["low", "high", "other", "hihg", "LOW", "low ", "1"]
BOOLEANS = ["true", "false", "True", "1", "yes"]
DURATIONS = ["72h", "PT259200S", "-PT0.5S", "3d", "3 days", "PT0.1234567S", "9" * 20 + "s", "1w"]
KINDS = ["notice", "notice", "payment", "payment", "bare", "derived", "notise", " notice"]
SUBJECTS = ["s1", "s2", "s10", "é", "Z", "z", "12"]


@functools.cache
def ruleset(zone: str = "America/New_York") -> Any:
    return strikeout.load_text(RULESET.format(zone=zone)).model


def plain_row(rng: random.Random) -> dict[str, str]:
    """A row that is right, as texts."""
    kind = rng.choice(("notice", "payment", "bare"))
    row = {"kind": kind, "seller": rng.choice(SUBJECTS), "at": rng.choice(TIMES[:8])}
    if kind == "notice":
        row["complaint"] = rng.choice(TEXTS[:6])
    if kind == "payment":
        row |= {"amount": rng.choice(INTEGERS[:3])}
    for name, values in (("level", LEVELS[:3]), ("amount", INTEGERS[:4]), ("special", BOOLEANS[:2])):
        if kind == "notice" and rng.random() < 0.4:
            row[name] = rng.choice(values)
    for name, values in (("due", TIMES[:9]), ("grace", DURATIONS[:4]), ("level", LEVELS[:2])):
        if kind == "payment" and rng.random() < 0.4:
            row[name] = rng.choice(values)
    if rng.random() < 0.2:
        row["known_at"] = rng.choice(TIMES[:6])
    if rng.random() < 0.3:
        row["seq"] = rng.choice(INTEGERS[:4])
    return row


ODD: dict[str, list[str]] = {
    "kind": KINDS,
    "seller": TEXTS,
    "at": TIMES,
    "known_at": TIMES,
    "seq": INTEGERS,
    "complaint": TEXTS,
    "amount": INTEGERS,
    "level": LEVELS,
    "special": BOOLEANS,
    "remark": TEXTS,
    "due": TIMES,
    "grace": DURATIONS,
    "only": ["x"],
}
NAMES = tuple(ODD)


def odd_row(rng: random.Random, oddness: float) -> dict[str, str]:
    """A row that is mostly right."""
    row = plain_row(rng)
    for name in NAMES:
        if rng.random() < oddness:
            row[name] = rng.choice([*ODD[name], ""])
    return row


def by_rows(model: Any, rows: Rows) -> tuple[list[Any], list[tuple[str, str, str]]]:
    """What the reader gives that goes row by row: facts, and bad rows."""
    facts, bad = [], []
    for found in rows.bind(Binder(model, rows.ignore_columns)):
        if isinstance(found, BadRow):
            bad.append((str(found.place), found.reason, repr(found.row)))
        else:
            facts.append(found[2])
    return facts, bad


def by_columns(model: Any, rows: Rows) -> tuple[list[Any], list[tuple[str, str, str]]]:
    """The same by columns."""
    batcher = batches.Batcher(model, rows.ignore_columns)
    tables, bad = [], []
    for file, batch in intake.batches(rows, batcher, lambda what, done, total: None):
        tables.append(batch.facts)
        bad += [(str(b.place), b.reason, repr(b.row)) for b in batch.bad_rows(rows, file)]
    return pa.Table.from_batches(tables, schema=batcher.schema).to_pylist(), bad


def assert_same(model: Any, paths: Sequence[Path], ignored: Sequence[str] = (), form: str | None = None) -> None:
    """See that both ways give the same facts and the same bad rows, or the same error."""

    def rows() -> Rows:
        return strikeout.read(*paths, ignore_columns=ignored, input_format=form)

    failure = ""
    try:
        facts, bad = by_rows(model, rows())
    except strikeout.FactError as error:
        facts, bad, failure = [], [], str(error)
    if failure:
        with pytest.raises(strikeout.FactError) as caught:
            by_columns(model, rows())
        assert str(caught.value) == failure
        return
    found, found_bad = by_columns(model, rows())
    assert found_bad == bad
    wanted = batches.Batcher(model).of_bound(facts).to_pylist()
    for row in found:
        row["known_at"] = row["at"] if row["known_at"] is None else row["known_at"]
        row["seq"] = row["seq"] or 0
    assert found == wanted


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "BLOCK", 700)
    monkeypatch.setattr(parquet_blocks, "BLOCK_ROWS", 7)


def write_csv(path: Path, rows: Sequence[dict[str, str]], quoting: int = 0) -> Path:
    import csv

    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n", quoting=quoting)  # type: ignore[arg-type]
    writer.writerow(NAMES)
    writer.writerows([row.get(name, "") for name in NAMES] for row in rows)
    path.write_text(text.getvalue(), encoding="utf-8")
    return path


@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
@pytest.mark.parametrize("oddness", [0.0, 0.01, 0.1])
@pytest.mark.parametrize("quoting", [0, 1])
def test_csv_gives_the_same_facts_and_the_same_errors(tmp_path: Path, zone: str, oddness: float, quoting: int) -> None:
    rng = random.Random(quoting)
    path = write_csv(tmp_path / "facts.csv", [odd_row(rng, oddness) for _ in range(300)], quoting)
    assert_same(ruleset(zone), [path])


def as_json(row: dict[str, str], rng: random.Random, oddness: float) -> str:
    """A row as JSON has it, sometimes with values of other types."""
    found: dict[str, object] = {}
    for name, text in row.items():
        value: object = text
        if name in ("amount", "seq") and text.removeprefix("-").isascii() and text.removeprefix("-").isdigit():
            value = int(text)
        if name == "special" and text in ("true", "false"):
            value = text == "true"
        if rng.random() < oddness:
            value = rng.choice(
                [12, -3, 1.5, True, None, [], {}, ["a"], "12", "", 10**30, 10**120, 2**63, "\ud800", "\0"]
            )
        found[name] = value
    if rng.random() < oddness:
        found[rng.choice(["sellr", "x", ""])] = rng.choice([None, 1, "x"])
    line = json.dumps(found, ensure_ascii=rng.random() < 0.5)
    return (
        rng.choice([line + " ", line[:-1], line + line, "", "[]", "nul", line.replace("{", '{"at": 1,')])
        if (rng.random() < oddness)
        else line
    )


@pytest.mark.parametrize("oddness", [0.0, 0.003, 0.05])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_json_lines_give_the_same_facts_and_the_same_errors(tmp_path: Path, oddness: float, end: str) -> None:
    rng = random.Random(5)
    lines = [as_json(odd_row(rng, oddness), rng, oddness) for _ in range(300)]
    path = tmp_path / "facts.jsonl"
    path.write_bytes((end.join(lines) + end).encode("utf-8", "surrogatepass"))
    assert_same(ruleset(), [path])


PARQUET_COLUMNS: dict[str, list[Any]] = {
    "strings": [pa.array(["c1", None, "", "é", "a" * 10_001, "x\0y", "12"])],
    "other texts": [
        pa.array(["c1", None, "c2"], pa.large_string()),
        pa.array(["c1", None, "c2"], pa.string_view()),
        pa.array(["c1", None, "c2", "c1"]).dictionary_encode(),
        pa.DictionaryArray.from_arrays(pa.array([0, 1, 2, None, 0]), pa.array(["c1", "c1", "c2"])),
        pa.DictionaryArray.from_arrays(pa.array([0, 1, 0]), pa.array([7, None])),
        pa.array([b"c1", None], pa.binary()),
    ],
    "numbers": [
        pa.array([1, None, -5], pa.int8()),
        pa.array([1, None, 2**64 - 1, 2**63], pa.uint64()),
        pa.array([2**63 - 1, -(2**63), None, 0], pa.int64()),
        pa.array([1.0, None, float("nan"), 1.5], pa.float64()),
        pa.array([decimal.Decimal(1), None, decimal.Decimal(10) ** 25], pa.decimal128(38, 0)),
        pa.array([decimal.Decimal("1.5"), None], pa.decimal128(10, 1)),
        pa.array([True, None, False]),
    ],
    "times": [
        *(pa.array([0, None, 1_420_387_200 * 10**n, -(2**62), 2**62], pa.timestamp(u, tz)) for u, n in
          (("s", 0), ("ms", 3), ("us", 6), ("ns", 9)) for tz in (None, "UTC", "Asia/Shanghai")),
        pa.array([1, 1_001, None, 1_000], pa.timestamp("ns")),
        pa.array([-62135596800 * 10**6 - 1, -62135596800 * 10**6, 253402300799999999, 253402300800000000],
                 pa.timestamp("us", "UTC")),
        pa.array([-62135596800 * 10**6, 253402300799999999, None], pa.timestamp("us")),
        pa.array([datetime.date(2015, 1, 5), None, datetime.date(1, 1, 1), datetime.date(9999, 12, 31)], pa.date32()),
        pa.array([0, None, 86_400_000], pa.date64()),
        pa.array([0, None], pa.time64("us")),
        pa.array([0, None, 2**62, -(2**62), 1_001], pa.duration("ns")),
        *(pa.array([0, None, 2**62, -(2**62), 3_600], pa.duration(unit)) for unit in ("s", "ms", "us")),
    ],
    "others": [pa.nulls(3), pa.array([[1], None, []]), pa.array([{"a": 1}, None])],
}  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("what", PARQUET_COLUMNS)
def test_parquet_of_any_types_gives_the_same_facts_and_the_same_errors(tmp_path: Path, name: str, what: str) -> None:
    model = ruleset()
    for number, column in enumerate(PARQUET_COLUMNS[what]):
        rows = len(column)
        kind = "payment" if name in ("amount", "due", "grace") else "notice"
        data: dict[str, Any] = {"kind": [kind] * rows, "seller": ["s"] * rows}
        data["at"] = pa.array([datetime.datetime(2015, 1, 5)] * rows, pa.timestamp("us"))
        data |= {"complaint": ["c"] * rows} if kind == "notice" else {"amount": pa.array(range(rows), pa.int64())}
        data[name] = column
        path = tmp_path / f"{number}.parquet"
        try:
            pyarrow.parquet.write_table(pa.table(data), path)
        except pa.ArrowException:
            continue
        assert_same(model, [path])


def test_several_files_of_any_format(tmp_path: Path) -> None:
    rng = random.Random(3)
    rows = [odd_row(rng, 0.02) for _ in range(90)]
    paths = [write_csv(tmp_path / "a.csv", rows[:30]), tmp_path / "b.csv.gz", tmp_path / "c.jsonl.gz"]
    paths[1].write_bytes(gzip.compress(write_csv(tmp_path / "plain.csv", rows[30:60]).read_bytes()))
    paths[2].write_bytes(gzip.compress("\n".join(map(json.dumps, rows[60:])).encode()))
    assert_same(ruleset(), paths)


HEADERS = [
    *("", "\n", "kind,at,seller", "kind,at,seller\n", "\ufeffkind,at,seller\nbare,2015-01-05,s\n", "kind,at\n"),
    *(
        "\n\nkind,at,seller\nbare,2015-01-05,s",
        '"kind",at,seller\nbare,2015-01-05,s',
        "kind;at;seller\n",
        "kind,kind\n",
    ),
    *("kind,at,seller,selller\nbare,2015-01-05,s,x\n", 'kind,at,seller,"no\nte"\nbare,2015-01-05,s,x\n', "kind,,at\n"),
    *(
        "kind,at,seller\rbare,2015-01-05,s\rbare,2015-01-06,\r",
        "kind,at,seller\r\nbare,2015-01-05,s\r\n\r\nbare,x,s\r\n",
    ),
    *("kind,at,seller\nbare,2015-01-05,s,x\nbare\n\n,,\nbare,2015-01-05,s", "kind,at,seller\n\xff"),
    *(
        'kind,at,seller\nbare,2015-01-05,"s\n',
        'kind,at,seller\nbare,2015-01-05,"s"x\n',
        'kind,at,seller\nbare,2015-01-05,s"x\n',
    ),
    "kind,at,seller\nbare,2015-01-05," + "s" * 140_000 + "\nbare,2015-01-06,\n",
    "kind,at,seller\n" + "bare,2015-01-05,s\n" * 100 + 'bare,2015-01-05,"a\nb"\n' * 50 + "bare,,s\n" * 30,
]


@pytest.mark.parametrize("text", HEADERS, ids=range(len(HEADERS)))
def test_headers_and_torn_files(tmp_path: Path, text: str) -> None:
    path = tmp_path / "facts.csv"
    path.write_bytes(text.encode("latin-1") if text.endswith("\xff") else text.encode())
    assert_same(ruleset(), [path])
    assert_same(ruleset(), [path], ["selller", "no\nte"])


def shown(rows: Iterator[RawRow]) -> list[object]:
    """Rows as they can be compared; an error that ends the reading counts alone."""
    found: list[object] = []
    try:
        for row in rows:
            found.append((row.number, row.reason, row.row) if isinstance(row, Malformed) else (row[0], row[2]))
    except strikeout.FactError as error:
        return [str(error)]
    return found


def raw_rows(works: Any) -> Iterator[RawRow]:
    for work in works:
        block = work()
        raw = block.raw(range(block.rows))
        assert len(raw) == block.rows
        for place, row in enumerate(raw):
            if block.columns is not None:
                assert not isinstance(row, Malformed)
                cells = dict(zip(row[1], row[2], strict=True))
                assert {n: c[place].as_py() for n, c in block.columns.items()} == {
                    n: cells.get(n) for n in block.columns
                }
            yield row


@pytest.mark.parametrize("seed", range(150))
def test_blocks_have_the_rows_of_the_file(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(seed)
    monkeypatch.setattr(blocks, "BLOCK", rng.choice([8, 16, 40, 100, 1000]))
    monkeypatch.setattr(blocks, "LONGEST_ROW", rng.choice([30, 100_000]))
    weird = rng.choice([0, 0.02, 0.1, 0.3])
    rare = [
        '"',
        'a"b',
        '""',
        '"a"b',
        '"a',
        "\r",
        "\n",
        "é",
        "\udcff",
        "\0",
        " ",
        '"a""',
        '"\r\n"',
        '""""',
        '"x\ny"',
        "x" * 50,
    ]
    quoted = ['"x"', '"x,y"', '"x""y"', '""', '"x\ny"', '"é"', '"x""y"', '"""x"""']

    def cell() -> str:
        chance = rng.random()
        return rng.choice(rare if chance < weird else quoted if chance < 3 * weird else ["", "a", "bb", "12", "c"])

    lines = [rng.choice(["kind,at,s"] * 8 + ['"kind",at,s', 'kind,"a\nt",s', "\ufeffkind,at,s"])]
    for _ in range(rng.randint(0, 30)):
        lines.append(",".join(cell() for _ in range(3 if rng.random() > weird / 2 else rng.randint(0, 5))))
    text = rng.choice(["\n", "\n", "\r\n"]).join(lines) + rng.choice(["\n", ""])
    data = text.encode("utf-8", "surrogateescape")
    wanted = shown(iter(CsvRows(io.BytesIO(data), "f")))
    assert shown(raw_rows(csv_blocks.CsvBlocks(io.BytesIO(data), "f"))) == wanted

    types = {name: field for name, field in batches.Batcher(ruleset()).types().items() if name != "only"}
    lines = [as_json(odd_row(rng, weird / 3), rng, weird / 3) for _ in range(rng.randint(0, 20))]
    data = ("\n".join(lines) + rng.choice(["\n", ""])).encode("utf-8", "surrogatepass")
    assert shown(raw_rows(json_blocks.JsonBlocks(io.BytesIO(data), "f", types))) == shown(
        json_rows(io.BytesIO(data), "f")
    )


def table_of(model: Any, facts: Sequence[Fact]) -> Any:
    batcher = batches.Batcher(model)
    bound = [(f.kind, f.at, f.subject, f.values, f.seq, f.known_at) for f in facts]
    cut = len(bound) // 3
    return pa.Table.from_batches([batcher.of_bound(bound[:cut]), batcher.of_bound(bound[cut:])], schema=batcher.schema)


def history(rng: random.Random, model: Any, number: int) -> list[Fact]:
    """Facts that collide, in any order or by time."""
    binder = Binder(model)
    facts = []
    for _ in range(number):
        row = plain_row(rng)
        row["at"] = f"2015-01-{rng.randint(1, 3):02}" + rng.choice(["", "", "T09:30", "T09:30:00.000001"])
        facts.append(binder.fact(row))
    return sorted(facts, key=lambda fact: fact.at) if rng.random() < 0.5 else facts


@pytest.mark.parametrize("seed", range(20))
def test_columns_are_in_the_order_of_the_facts_without_duplicates(seed: int) -> None:
    rng = random.Random(seed)
    model = ruleset()
    facts = history(rng, model, rng.choice([1, 2, 40, 400]))
    read = {f.name: "" if seed % 2 else f.name for kind in model.kinds for f in kind.fields}
    found = columns.in_order(table_of(model, facts), model, read)
    merged = {s: merge_duplicates(f for f in facts if f.subject == s) for s in sorted({f.subject for f in facts})}
    assert found.subjects.to_pylist() == list(merged)
    for number, wanted in enumerate(merged.values()):
        got = found.facts(model, number)
        assert [(f.kind, f.at, f.values, f.known_at) for f in got] == [
            (f.kind, f.at, f.values, f.known_at) for f in wanted
        ]
    assert found.duplicates == len(facts) - sum(map(len, merged.values()))
    assert found.latest() == max(f.from_then_on for fs in merged.values() for f in fs)


@pytest.mark.parametrize("kept", [0, 900])
@pytest.mark.parametrize("part_rows", [1, 7, 50, 10_000])
def test_parts_hold_whole_subjects_in_order(
    tmp_path: Path, part_rows: int, kept: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "FAN_OUT", 3)
    monkeypatch.setattr(intake, "KEPT", kept)
    rng = random.Random(part_rows)
    model = ruleset()
    path = write_csv(tmp_path / "facts.csv", [plain_row(rng) for _ in range(500)])
    facts, _ = by_rows(model, strikeout.read(path))
    with intake.take_in(model, strikeout.read(path), part_rows=part_rows) as taken:
        assert taken.given == 500
        assert (len(taken.parts) > 1) == (part_rows < 500)
        found = [part.table().column("subject").to_pylist() for part in taken.parts]
    assert sorted(itertools.chain(*found)) == sorted(subject for _, _, subject, *_ in facts)
    for one, other in itertools.pairwise(found):
        assert max(one) < min(other)


@pytest.mark.parametrize(
    "names",
    [["s{}"], ["seller-00{}"], ["seller-{}", "shop-{}"], ["{}", "", "é{}", "红"], ["aaaaaaaaa{}a", "aaaaaaaaa"]],
)
def test_the_part_of_a_subject_is_the_last_that_begins_at_or_before_it(names: list[str]) -> None:
    rng = random.Random(len(names))
    ids = [rng.choice(names).format(rng.choice([rng.randrange(10), rng.randrange(10**6)])) for _ in range(500)]
    for parts in (1, 2, 3, 40):
        lows = intake.bounds(sorted(rng.sample(ids, 300)), parts)
        wanted = [sum(low <= name for low in lows) for name in ids]
        assert intake.numbers_of(pa.array(["z", *ids]).slice(1), lows).tolist() == wanted


def test_bad_rows_stop_the_run_with_the_first_twenty(tmp_path: Path) -> None:
    rng = random.Random(1)
    rows = [odd_row(rng, 0.2) for _ in range(400)]
    path = write_csv(tmp_path / "facts.csv", rows)
    model = ruleset()
    with pytest.raises(strikeout.FactError) as one:
        strikeout.load_text(RULESET.format(zone="America/New_York")).run(strikeout.read(path), engine="compiled")
    with pytest.raises(strikeout.FactError) as other:
        intake.take_in(model, strikeout.read(path))
    assert str(other.value) == str(one.value)
    refused: list[BadRow] = []
    with intake.take_in(model, strikeout.read(path), refuse=refused.append) as taken:
        assert taken.bad_rows == len(refused) == by_rows(model, strikeout.read(path))[1].__len__()
