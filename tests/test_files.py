"""Facts in files: what is read, what is refused and how it is said, and that memory does not grow with them."""

from __future__ import annotations

import csv
import gzip
import importlib.util
import io
import json
import random
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import strikeout
from strikeout.ground.problems import FactError, RunError
from strikeout.reach import spool as spool_module
from strikeout.reach.files import BadRow, Rows
from strikeout.reach.spool import Spool
from strikeout.reach.streaming import take_in
from strikeout.rows import Binder

FOLDER = Path(__file__).parent / "bad_facts"
SHOP = strikeout.load(str(FOLDER / "shop.yaml"))
HEADER = "kind,at,seller,complaint\n"
ROW = "withdrawal,2015-01-05,xiaoming,c1\n"
LINE = '{"kind": "withdrawal", "at": "2015-01-05", "seller": "xiaoming", "complaint": "c1"}\n'

needs_pyarrow = pytest.mark.skipif(importlib.util.find_spec("pyarrow") is None, reason="pyarrow is not installed")


def written(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def wrong(path: Path) -> list[str]:
    """What is wrong with the rows of a file."""
    rows = strikeout.read(path)
    return [str(found) for found in rows.facts(SHOP.model) if isinstance(found, BadRow)]


def refusal(path: Path, **options: Any) -> str:
    """Why a file is refused."""
    with pytest.raises((FactError, RunError)) as error:
        list(strikeout.read(path, **options).facts(SHOP.model))
    return str(error.value).replace(str(path), path.name)


# What is read.

VARIANTS: dict[str, str | bytes] = {
    "plain.csv": HEADER + ROW,
    "mark.csv": b"\xef\xbb\xbf" + (HEADER + ROW).encode(),
    "crlf.csv": (HEADER + ROW).replace("\n", "\r\n"),
    "cr.csv": (HEADER + ROW).replace("\n", "\r"),
    "no-line-end.csv": (HEADER + ROW).rstrip(),
    "blank-lines.csv": f"\n{HEADER}\n{ROW}\n\n",
    "quoted.csv": f'"kind","at","seller","complaint"\n{ROW}',
    "other-order.csv": "complaint,seller,base,at,kind\nc1,xiaoming,,2015-01-05,withdrawal\n",
    "UPPER.CSV": HEADER + ROW,
    "compressed.csv.gz": gzip.compress((HEADER + ROW).encode()),
    "two-members.csv.gz": gzip.compress(HEADER.encode()) + gzip.compress(ROW.encode()),
    "compressed-unsaid.csv": gzip.compress((HEADER + ROW).encode()),
    "plain.jsonl": LINE,
    "mark.jsonl": b"\xef\xbb\xbf" + LINE.encode(),
    "no-line-end.jsonl": LINE.rstrip(),
    "blank-lines.jsonl": f"\n{LINE}\r\n\n",
    "nulls.jsonl": LINE.replace("}", ', "base": null, "finding": "", "seq": 0}'),
    "escapes.jsonl": LINE.replace("xiaoming", "xiao\\u006ding"),
    "compressed.jsonl.gz": gzip.compress(LINE.encode()),
}


@pytest.mark.parametrize("name", VARIANTS)
def test_one_fact_in_every_form(name: str, tmp_path: Path) -> None:
    (fact,) = strikeout.read(written(tmp_path / name, VARIANTS[name])).facts(SHOP.model)
    assert not isinstance(fact, BadRow)
    assert (fact.kind.name, fact.subject, fact.get("complaint"), fact.seq) == ("withdrawal", "xiaoming", "c1", 0)
    assert SHOP.model.zone.format(fact.at) == "2015-01-05T00:00:00+08:00"
    assert fact.known_at == fact.at


@pytest.mark.parametrize(("name", "content"), [("empty.jsonl", ""), ("header.csv", HEADER), ("empty.jsonl.gz", b"")])
def test_no_facts_are_no_error(name: str, content: str | bytes, tmp_path: Path) -> None:
    assert list(strikeout.read(written(tmp_path / name, content)).facts(SHOP.model)) == []


def test_values_are_exact(tmp_path: Path) -> None:
    line = {
        "kind": "upheld",
        "at": "2015-01-05T09:30:00.123456Z",
        "known_at": "2015-01-06",
        "seq": -3,
        "seller": 12345678901234567890,
        "complaint": " c\t1 ",
        "complainant": "阿红",
        "right": "007",
        "finding": "general",
        "base": -(2**63),
        "filed_at": "2015-01-01",
        "special": True,
        "grace": "PT259200S",
    }
    path = written(tmp_path / "facts.jsonl", json.dumps(line))
    text = io.StringIO()
    csv.writer(text).writerows([list(line), ["true" if v is True else v for v in line.values()]])
    same = written(tmp_path / "facts.csv", text.getvalue())
    (fact,), (again,) = strikeout.read(path).facts(SHOP.model), strikeout.read(same).facts(SHOP.model)
    assert fact == again
    assert not isinstance(fact, BadRow)
    assert fact.subject == "12345678901234567890"
    assert fact.values[:5] == (" c\t1 ", "阿红", "007", "general", -(2**63))
    assert fact.values[6:] == (True, 72 * 3600 * 10**6)
    assert fact.seq == -3
    assert fact.known_at > fact.at


def test_rows_are_mappings_that_know_their_place(tmp_path: Path) -> None:
    sheet = written(tmp_path / "a.csv", HEADER + 'withdrawal,2015-01-05,xiaoming,"c\n1"\n' + ROW)
    lines = written(tmp_path / "b.jsonl", "\n" + LINE)
    rows = strikeout.read(sheet, lines)
    for _ in range(2):
        found = [(str(row.place), row["complaint"]) for row in rows]
        assert found == [(f"{sheet}:2", "c\n1"), (f"{sheet}:4", "c1"), (f"{lines}:2", "c1")]
    assert [dict(row) for row in rows][1]["kind"] == "withdrawal"


def test_a_ruleset_runs_over_them(tmp_path: Path) -> None:
    path = written(
        tmp_path / "facts.csv",
        "kind,at,seller,complaint,complainant,right,finding,note\nupheld,2015-01-05,s,c1,h,r,counterfeit,x\n",
    )
    outcome = SHOP.run(strikeout.read(path, ignore_columns=["note"]))
    assert [fact.kind for fact in outcome.facts] == ["strike"]
    with pytest.raises(FactError, match="knows the column `note`; name it under"):
        SHOP.run(strikeout.read(path))
    bad = written(tmp_path / "bad.csv", HEADER + ROW + ROW.replace("withdrawal", "withdrawl"))
    with pytest.raises(
        FactError, match=r"bad.csv:3: column `kind`: `withdrawl` is no kind of `shop`(.|\n)*1 of 2 facts"
    ):
        SHOP.run(strikeout.read(bad))


def test_standard_input_is_sniffed(monkeypatch: pytest.MonkeyPatch) -> None:
    for content in ((HEADER + ROW).encode(), LINE.encode(), gzip.compress(LINE.encode()), f" \n{LINE}".encode()):
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(content)))
        rows = strikeout.read("-")
        (fact,) = rows.facts(SHOP.model)
        assert not isinstance(fact, BadRow)
        with pytest.raises(FactError, match="standard input: can be read only once"):
            list(rows)


def test_the_format_can_be_told(tmp_path: Path) -> None:
    path = written(tmp_path / "facts.txt", HEADER + ROW)
    assert len(list(strikeout.read(path, input_format="csv"))) == 1
    with pytest.raises(FactError, match="unknown input format `tsv`; expected one of `jsonl`"):
        strikeout.read(path, input_format="tsv")


# What is refused. The messages are golden files in `bad_facts`; `test_commands` holds them.


def test_wrong_files_are_named(tmp_path: Path) -> None:
    suffixes = "expected `.csv`, `.jsonl`, `.csv.gz`, `.jsonl.gz` or `.parquet`, or name it by `--input-format`"
    (tmp_path / "folder.csv").mkdir()
    compressed = gzip.compress((HEADER + ROW * 50_000).encode())
    cases = {
        "missing.csv": (None, "cannot be read: no such file or directory"),
        "missing": (None, "cannot be read: no such file or directory"),
        "folder.csv": (None, "is a folder, not a file"),
        "facts.txt": (ROW, f"unknown suffix `.txt`; {suffixes}"),
        "facts.txt.gz": (ROW, f"unknown suffix `.txt.gz`; {suffixes}"),
        "facts": (ROW, f"no suffix; {suffixes}"),
        "plain.csv.gz": (ROW, "is not compressed by gzip, as its suffix says"),
        "short.csv.gz": (compressed[:15], "the compressed data end too early"),
        "damaged.csv.gz": (gzip.compress(b"kind")[:-8] + b"12345678", "the compressed data are damaged"),
        "more.jsonl.gz": (gzip.compress(b"") + b"more", "the compressed data are damaged"),
    }
    for name, (content, message) in cases.items():
        if content is not None:
            written(tmp_path / name, content)
        assert refusal(tmp_path / name) == f"{name}: {message}"
    cut = refusal(written(tmp_path / "cut.csv.gz", compressed[:-500]))
    assert cut.startswith("cut.csv.gz:")
    assert cut.endswith(": after this row: the compressed data end too early")


def test_all_wrong_files_are_told_at_once(tmp_path: Path) -> None:
    for name, header in (("a.csv", "kind,at,seller,complainant,x1"), ("b.csv", "kind,seller"), ("c.csv", HEADER)):
        written(tmp_path / name, f"{header}\n")
    with pytest.raises(FactError) as error:
        SHOP.run(strikeout.read(*(tmp_path / f"{name}.csv" for name in "abcd")))
    assert [line.rpartition("/")[2] for line in str(error.value).split("\n")] == [
        "a.csv: no kind of `shop` knows the column `x1`; name it under `--ignore-columns` to pass over it",
        "b.csv: the column `at` is missing",
        "d.csv: cannot be read: no such file or directory",
    ]


def test_a_column_that_is_known_cannot_be_ignored(tmp_path: Path) -> None:
    path = written(tmp_path / "facts.csv", HEADER + ROW)
    assert (
        refusal(path, ignore_columns=["base", "other"])
        == "the column `base` cannot be ignored: kinds of `shop` know it"
    )


HOSTILE: dict[str, Callable[[], str | bytes]] = {
    "cell.csv": lambda: HEADER + "withdrawal,2015-01-05,s," + "x" * 100_000_000 + "\n",
    "quoted-cell.csv": lambda: HEADER + 'withdrawal,2015-01-05,s,"' + "x\n" * 50_000_000 + '"\n',
    "many-cells.csv": lambda: HEADER + "," * 100_000_000 + "\n",
    "one-record.csv": lambda: HEADER + '"a\n",' * 20_000_000,
    "line.jsonl": lambda: '{"kind": "' + "x" * 100_000_000 + '"}\n',
    "no-line-end.jsonl": lambda: "x" * 100_000_000,
    "nested.jsonl": lambda: '{"kind": ' + "[" * 100_000 + "]" * 100_000 + "}\n",
    "nested-objects.jsonl": lambda: '{"kind": ' * 100_000 + "1" + "}" * 100_000 + "\n",
    "digits.jsonl": lambda: '{"seq": ' + "9" * 3_000_000 + "}\n",
    "backslashes.jsonl": lambda: '{"kind": "' + "\\\\" * 1_900_000 + '"}\n',
    "keys.jsonl": lambda: "{" + ", ".join(f'"k{n}": 1' for n in range(300_000)) + "}\n",
    "bomb.csv.gz": lambda: gzip.compress(HEADER.encode() + b"x" * 300_000_000, 1),
    "kinds.csv": lambda: HEADER + "".join(f"withdrawl{n},2015-01-05,s,c\n" for n in range(50_000)),
    "headings.csv": lambda: ",".join(f"c{n}" for n in range(300_000)) + "\n",
}

PEAK = """
def peak():
    # Not that of `resource`, which a process inherits from the one that starts it. In kB.
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))
"""

needs_proc = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is asked of /proc")

MEASURE = """
import sys, time
import strikeout
ruleset = strikeout.load(sys.argv[1])
before = time.process_time()
try:
    ruleset.run(strikeout.read(sys.argv[2]))
except strikeout.FactError as error:
    print(time.process_time() - before, peak() / 1000, len(str(error)))
"""


def measured(script: str, path: Path) -> list[float]:
    """The numbers that a script prints in a process of its own."""
    command = [sys.executable, "-c", PEAK + script, str(FOLDER / "shop.yaml"), str(path)]
    return [float(word) for word in subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()]


@needs_proc
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused_soon_and_in_little_memory(name: str, tmp_path: Path) -> None:
    path = written(tmp_path / name, HOSTILE[name]())
    seconds, megabytes, length = measured(MEASURE, path)
    path.unlink()
    assert seconds < 2
    assert megabytes < 500
    assert 0 < length < 10_000


# Pickings from memory and disk.


def test_a_spool_groups_and_sorts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool_module, "MOST_RUNS", 3)
    chance = random.Random(7)
    subjects = [
        chance.choice(["a", "é", "中", "\ue000", "\U0001f600"]) + str(chance.randrange(40)) for _ in range(3_000)
    ]
    wanted: dict[str, list[bytes]] = {}
    for budget in (0, 5_000, 10**9):
        wanted.clear()
        with Spool(budget) as spool:
            for number, subject in enumerate(subjects):
                spool.add(subject, str(number).encode())
                wanted.setdefault(subject, []).append(str(number).encode())
            for _ in range(2):
                assert list(spool.groups()) == sorted(wanted.items(), key=lambda item: item[0].encode())


def test_a_full_disk_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(io.BytesIO):
        def write(self, data: Any) -> int:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("strikeout.reach.spool.tempfile.TemporaryFile", lambda **options: Full())
    with pytest.raises(RunError, match=r"cannot write to the temporary folder .* no space left on device"):
        Spool(0).add("a", b"1")


def taken_in(paths: Sequence[Path], **options: Any) -> tuple[str, list[tuple[str, int]]]:
    with take_in(SHOP.model, Rows(list(paths)), **options) as intake:
        instant = "-" if intake.as_of is None else SHOP.model.zone.format(intake.as_of)
        return instant[:10], [(subject, len(facts)) for subject, facts, _ in intake.facts()]


def test_the_instant_is_that_of_the_merged_facts(tmp_path: Path) -> None:
    header = "kind,at,known_at,seller,complaint\n"
    early = "withdrawal,2015-01-01,2015-03-01,a,c1\n"
    late = "withdrawal,2015-01-01,2015-05-01,a,c1\n"
    other = "withdrawal,2015-02-01,,b,c2\n"
    path = tmp_path / "facts.csv"
    for budget in (0, 10**9):
        # Of equal facts the earliest `known_at` stays, wherever it stands.
        assert taken_in([written(path, header + late + other + early)], budget=budget)[0] == "2015-03-01"
        assert taken_in([written(path, header + early + other + late)], budget=budget)[0] == "2015-03-01"
        assert taken_in([written(path, header + late + other)], budget=budget)[0] == "2015-05-01"
        assert taken_in([written(path, header + other)], budget=budget)[0] == "2015-02-01"
        assert taken_in([written(path, header + early + other)], subject="b", budget=budget) == (
            "2015-03-01",
            [("b", 1)],
        )
        assert taken_in([written(path, header)], budget=budget) == ("-", [])


RUN = """
import sys
import strikeout
from strikeout.reach.streaming import take_in
ruleset = strikeout.load(sys.argv[1])
with take_in(ruleset.model, strikeout.read(sys.argv[2]), budget=1 << 20) as intake:
    for run in intake.runs(ruleset.program("compiled")):
        pass
assert intake.summary.adds_up()
print(intake.summary.subjects, peak())
"""


@needs_proc
def test_memory_does_not_grow_with_the_number_of_subjects(tmp_path: Path) -> None:
    used = []
    for subjects in (500, 10_000):
        path = tmp_path / "facts.csv"
        with path.open("w", encoding="utf-8") as file:
            file.write("kind,at,seller,complaint,complainant,right,finding\n")
            for number in range(20):
                day = f"2015-01-{number + 1:02}"
                file.writelines(f"upheld,{day},s{s},c{s}-{number},h,r,general\n" for s in range(subjects))
        found = measured(RUN, path)
        assert found[0] == subjects
        used.append(found[1])
    assert used[1] - used[0] < 8_000, "kB"


def test_binding_is_fast() -> None:
    header = tuple("kind,at,known_at,seq,seller,complaint,complainant,right,finding,base,filed_at".split(","))
    cells = "upheld,2015-01-05T10:00,,,xiaoming,c1,阿红,红了个红,counterfeit,2,2015-01-01".split(",")
    bind = Binder(SHOP.model).header(header).bind
    best = min(_seconds(lambda: bind(cells), 2_000) for _ in range(20))
    assert best / 2_000 < 50e-6, "some 4 µs at a desk"


def _seconds(what: Any, times: int) -> float:
    before = time.perf_counter()
    for _ in range(times):
        what()
    return time.perf_counter() - before


# Parquet.


@needs_pyarrow
def test_parquet_is_read_as_it_is_meant(tmp_path: Path) -> None:
    pyarrow = importlib.import_module("pyarrow")
    parquet = importlib.import_module("pyarrow.parquet")
    moment = 1_420_421_400_000_000
    columns = {
        "kind": pyarrow.array(["upheld"] * 3).dictionary_encode(),
        "at": pyarrow.array([moment] * 3, pyarrow.timestamp("us", tz="UTC")),
        "known_at": pyarrow.array([moment // 1000, None, None], pyarrow.timestamp("ms")),
        "seller": pyarrow.array([7, 8, 9]),
        "complaint": pyarrow.array(["c1", "c2", ""]),
        "complainant": ["h", "h", "h"],
        "right": ["r", "r", "r"],
        "finding": ["general"] * 3,
        "base": pyarrow.array([5, None, 1], pyarrow.int32()),
        "filed_at": pyarrow.array([16440, None, None], pyarrow.date32()),
        "special": [True, None, False],
        "grace": pyarrow.array([3_600_000_000_000, None, None], pyarrow.duration("ns")),
    }
    path = tmp_path / "facts.parquet"
    parquet.write_table(pyarrow.table(columns), path)
    first, second, third = strikeout.read(path).facts(SHOP.model)
    assert not isinstance(first, BadRow)
    assert not isinstance(second, BadRow)
    zone = SHOP.model.zone
    assert (first.at, first.known_at, first.subject) == (moment, zone.parse("2015-01-05T01:30"), "7")
    assert first.values[4:] == (5, zone.parse("2015-01-05"), True, 3_600_000_000)
    assert second.values[4:] == (None, None, False, None)
    assert str(third) == f"{path}: row 3: column `complaint`: missing: the kind `upheld` needs `complaint`"


@needs_pyarrow
def test_parquet_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    pyarrow = importlib.import_module("pyarrow")
    parquet = importlib.import_module("pyarrow.parquet")
    path = tmp_path / "facts.parquet"

    def reasons(**more: Any) -> list[str]:
        columns = {"kind": ["withdrawal"], "at": ["2015-01-05"], "seller": ["s"], "complaint": ["c"], **more}
        parquet.write_table(pyarrow.table(columns), path)
        return [found.removeprefix(f"{path}: row 1: ") for found in wrong(path)]

    moment = pyarrow.array([1_420_421_400_000_000_001], pyarrow.timestamp("ns"))
    assert reasons(at=moment) == ["column `at`: `2015-01-05T01:30:00.000000001` is finer than microseconds"]
    assert reasons(at=pyarrow.array([2**62], pyarrow.timestamp("us")))[0].endswith(
        "ns` is not a time, such as `2014-11-04` or `2014-11-04T09:30:00+08:00`"
    )
    fine = pyarrow.array([-1], pyarrow.duration("ns"))
    assert reasons(kind=["upheld"], complainant=["h"], right=["r"], finding=["general"], grace=fine) == [
        "column `grace`: `-PT0.000000001S` is finer than microseconds"
    ]
    assert reasons(seller=[1.0]) == ["column `seller`: `1.0`, expected a text or an integer"]
    assert reasons(seller=[["s"]]) == ["column `seller`: expected a text or an integer"]
    assert reasons(base=[3]) == ["column `base`: `3` must be empty: the kind `withdrawal` has no field `base`"]
    assert reasons() == []
    assert refusal(written(path, b"PAR1")).startswith("facts.parquet: cannot be read as Parquet: ")
    twice = pyarrow.Table.from_arrays([pyarrow.array(["x"])] * 2, names=["kind", "kind"])
    parquet.write_table(twice, path)
    assert refusal(path) == "facts.parquet: names the column `kind` twice"
    parquet.write_table(pyarrow.table({"kind": ["x"], "at": ["x"], "sellr": ["x"]}), path)
    assert refusal(path).split("\n") == [
        "facts.parquet: the column `seller` is missing",
        "facts.parquet: no kind of `shop` knows the column `sellr`; did you mean `seller`?",
    ]


def test_without_pyarrow_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    path = written(tmp_path / "facts.parquet", b"PAR1")
    with pytest.raises(RunError, match=r"^Parquet needs pyarrow: `pip install 'strikeout\[batch\]'`$"):
        SHOP.run(strikeout.read(path))
    outcome = SHOP.run([])
    with pytest.raises(RunError, match=r"strikeout\[batch\]"):
        outcome.facts.to_arrow()
    with pytest.raises(RunError, match=r"strikeout\[frames\]"):
        outcome.facts.to_pandas()


def test_notebooks_show_an_outcome_and_nothing_of_it_is_markup() -> None:
    upheld = {"kind": "upheld", "complaint": "c", "complainant": "h", "right": "r", "finding": "counterfeit"}
    outcome = SHOP.run([{**upheld, "at": "2015-01-05", "seller": f"<script>{n}"} for n in range(300)])
    page = outcome._repr_html_()
    assert "<script>" not in page
    assert page.count("&lt;script&gt;") == 20 + 50  # the severest sellers, and the first conclusions
    assert "strike 300" in page
    assert "… and 250 more" in page
    assert "http" not in page
    assert "amount" not in outcome.facts[:5]._repr_html_()


@needs_pyarrow
def test_conclusions_become_tables() -> None:
    upheld = {
        "kind": "upheld",
        "seller": "s",
        "complaint": "c1",
        "complainant": "h",
        "right": "r",
        "finding": "general",
    }
    facts = [{**upheld, "at": "2015-01-05T09:30", "base": 7, "grace": "72h"}]
    outcome = SHOP.run(facts)
    table = outcome.facts.to_arrow()
    assert table.column_names == ["seller", "kind", "at", "complaint", "amount", "total", "until", "rule"]
    assert table.column("kind").to_pylist() == [fact.kind for fact in outcome.facts]
    assert table.column("at").to_pylist() == [fact.at for fact in outcome.facts]
    assert table.column("amount").to_pylist() == [fact.get("amount") for fact in outcome.facts]
    pytest.importorskip("pandas")
    frame = outcome.facts.to_pandas()
    assert str(frame["amount"].dtype) == "Int64"
    assert list(frame.columns) == table.column_names
