"""`strikeout run` and `strikeout status`: what they write, what they refuse, and that no fact is dropped unseen."""

from __future__ import annotations

import csv
import gzip
import importlib.util
import io
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

import strikeout
from strikeout.cli import main
from strikeout.commands.printing import show_table
from strikeout.ground.problems import StrikeoutError
from strikeout.machine import durable

FOLDER = Path(__file__).parent / "bad_facts"
SHOP = str(FOLDER / "shop.yaml")
ACCEPT = bool(os.environ.get("STRIKEOUT_ACCEPT"))

needs_pyarrow = pytest.mark.skipif(importlib.util.find_spec("pyarrow") is None, reason="pyarrow is not installed")


@dataclass(frozen=True)
class Result:
    """What a command did: its exit code, and what it wrote."""

    code: int
    out: bytes
    err: str

    @property
    def records(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.decode().splitlines()]

    @property
    def counts(self) -> dict[str, int]:
        """The numbers of the summary, after a look at whether they add up."""
        (line,) = [line for line in self.err.splitlines() if line.startswith("given ")]
        found = {name: int(number.replace(",", "")) for name, number in re.findall(r"(\w+) ([0-9,]+)(?= [=+]|;)", line)}
        names = ("used", "duplicates", "voided", "later", "rejected")
        assert found["given"] == sum(found[name] for name in names)
        return found


def run(*arguments: str | Path, stdin: bytes = b"") -> Result:
    """Run a command of `strikeout` as the shell does, in this process."""
    streams = [io.TextIOWrapper(io.BytesIO(content), encoding="utf-8") for content in (stdin, b"", b"")]
    before = sys.argv, sys.stdin, sys.stdout, sys.stderr
    sys.argv = ["strikeout", *map(str, arguments)]
    sys.stdin, sys.stdout, sys.stderr = streams
    code = 0
    try:
        main()
    except SystemExit as error:
        code = int(error.code or 0)
    finally:
        sys.argv, sys.stdin, sys.stdout, sys.stderr = before
    found = []
    for stream in streams[1:]:
        stream.flush()
        content = stream.detach()
        assert isinstance(content, io.BytesIO)
        found.append(content.getvalue())
    return Result(code, found[0], found[1].decode())


def written(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


Row = dict[str, str | int | bool]


def upheld(seller: str, day: int, **more: str | int | bool) -> Row:
    """An upheld complaint of a day of January."""
    fields: Row = {"complaint": f"{seller}-{day}", "complainant": "阿红", "right": "r", "finding": "counterfeit"}
    return {"kind": "upheld", "at": f"2015-01-{day:02}", "seller": seller, **fields, **more}


def as_json(rows: Sequence[Row]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def as_csv(rows: Sequence[Row]) -> str:
    columns = list(dict.fromkeys(column for row in rows for column in row))
    text = io.StringIO()
    sheet = csv.writer(text)
    sheet.writerow(columns)
    for row in rows:
        cells = [row.get(column, "") for column in columns]
        sheet.writerow([str(cell).lower() if isinstance(cell, bool) else cell for cell in cells])
    return text.getvalue()


# What is refused: each file of `bad_facts` beside its message. STRIKEOUT_ACCEPT=1 takes the messages as they are.


@pytest.mark.parametrize(
    "path", sorted(p for p in FOLDER.iterdir() if p.suffix in (".csv", ".jsonl")), ids=lambda p: p.name
)
def test_bad_facts_are_told(path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(FOLDER)
    output = tmp_path / "out.jsonl"
    found = run("run", "shop.yaml", path.name, "-o", output)
    assert (found.code, found.out, output.exists()) == (2, b"", False)
    golden = path.with_suffix(".txt")
    if ACCEPT:
        golden.write_text(found.err, encoding="utf-8")
    assert found.err == golden.read_text(encoding="utf-8")
    first, *more = found.err.splitlines()
    for line in [first.removeprefix("strikeout: "), *more]:
        assert re.match(r"[a-z0-9…-]", line), line
        assert not line.endswith("."), line
        assert not re.search(r"Error|Exception|object at|None\b", line), line
    assert run("status", "shop.yaml", path.name).code == 2


def test_wrong_use_is_told(tmp_path: Path) -> None:
    facts = written(tmp_path / "facts.jsonl", as_json([upheld("s", 5)]))
    cases: list[tuple[list[str | Path], str]] = [
        (["run", SHOP], "Missing argument 'FACTS…'"),
        (["status", SHOP], "Missing argument 'FACTS…'"),
        (["run", SHOP, facts, "--as-of", "soon"], "`--as-of`: `soon` is not a time"),
        (["run", SHOP, "-", "-"], "standard input is named twice"),
        (["run", SHOP, facts, "--engine", "warp"], "'warp' is not one of"),
        (["run", SHOP, facts, "--set", "limit=3"], "no parameter `limit`"),
        (["run", SHOP, facts, "--set", "limit"], "is not of the form PARAM=VALUE"),
        (["run", SHOP, facts, "--subject", "t"], "no fact names the seller `t`"),
        (["status", SHOP, facts, "--subject", "t"], "no fact names the seller `t`"),
        (["run", SHOP, facts, "-o", facts], "which is read"),
        (["run", SHOP, facts, "--rejects", facts], "which is read"),
        (["run", SHOP, facts, "-o", tmp_path / "x", "--rejects", tmp_path / "x"], "cannot be written to the same file"),
        (["run", SHOP, facts, "--rejects", "-"], "cannot be written to the same file"),
        (["run", SHOP, facts, "-o", tmp_path / "no" / "x.csv"], "no such file or directory"),
        (["run", SHOP, facts, "-o", tmp_path], "is a directory"),
        (["run", "no-such-ruleset", facts], "unknown ruleset"),
        (["run", SHOP, facts, "--ignore-columns", "base"], "cannot be ignored"),
        (["run", SHOP, tmp_path / "none.csv"], "no such file"),
    ]
    for arguments, message in cases:
        found = run(*arguments)
        assert (found.code, found.out) == (2, b""), arguments
        assert message in found.err, arguments
        assert "Traceback" not in found.err
    assert facts.read_text(encoding="utf-8") == as_json([upheld("s", 5)])
    assert [path.name for path in tmp_path.iterdir()] == ["facts.jsonl"]


# What is written.


def test_json_lines_are_what_the_contract_says(tmp_path: Path) -> None:
    rows = [upheld("小明", 5, base=2, at="2015-01-05T09:30:15.5", grace="1h"), upheld("a", 6)]
    found = run("run", SHOP, written(tmp_path / "facts.jsonl", as_json(rows)), "--format", "jsonl")
    assert found.code == 0
    assert found.out.decode().splitlines() == [
        '{"seller": "a", "kind": "strike", "at": "2015-01-06T00:00:00+08:00", "complaint": "a-6", "rule": "strike"}',
        '{"seller": "小明", "kind": "points", "at": "2015-01-05T09:30:15.500000+08:00", "amount": 2, "total": 2, '
        '"rule": "points"}',
        '{"seller": "小明", "kind": "restriction", "at": "2015-01-05T09:30:15.500000+08:00", '
        '"until": "2015-01-05T10:30:15.500000+08:00", "rule": "restriction"}',
        '{"seller": "小明", "kind": "strike", "at": "2015-01-05T09:30:15.500000+08:00", "complaint": "小明-5", '
        '"rule": "strike"}',
        '{"seller": "小明", "kind": "release", "at": "2015-01-05T10:30:15.500000+08:00", "complaint": "小明-5", '
        '"rule": "restriction"}',
    ]
    outcome = strikeout.load(SHOP).run(rows)
    assert found.records == [fact.as_dict() for fact in outcome.facts]
    assert found.err == (
        "given 2 = used 2 + duplicates 0 + voided 0 + later 0 + rejected 0; 2 sellers, 5 facts derived, "
        "as of 2015-01-06T00:00:00+08:00\n"
    )


def test_csv_has_the_columns_of_all_derivable_kinds(tmp_path: Path) -> None:
    rows = [upheld('x,"y"', 5, base=2, grace="1h")]
    found = run(
        "run", SHOP, written(tmp_path / "facts.jsonl", as_json(rows)), "--format", "csv", "--as-of", "2015-01-05"
    )
    assert found.out.decode() == (
        "seller,kind,at,complaint,amount,total,until,rule\n"
        '"x,""y""",points,2015-01-05T00:00:00+08:00,,2,2,,points\n'
        '"x,""y""",restriction,2015-01-05T00:00:00+08:00,,,,2015-01-05T01:00:00+08:00,restriction\n'
        '"x,""y""",strike,2015-01-05T00:00:00+08:00,"x,""y""-5",,,,strike\n'
    )


@needs_pyarrow
def test_parquet_holds_the_same(tmp_path: Path) -> None:
    parquet = importlib.import_module("pyarrow.parquet")
    facts = written(tmp_path / "facts.jsonl", as_json([upheld(f"s{n}", 5, base=n, grace="1h") for n in range(50)]))
    output = tmp_path / "out.parquet"
    assert run("run", SHOP, facts, "-o", output).code == 0
    lines = run("run", SHOP, facts, "--format", "jsonl").records
    table = parquet.read_table(output).to_pylist()
    zone = strikeout.load(SHOP).model.zone
    assert [
        {
            name: value if not hasattr(value, "isoformat") else zone.format(round(value.timestamp() * 10**6))
            for name, value in row.items()
            if value is not None
        }
        for row in table
    ] == lines


def test_output_is_compressed_where_its_name_says_so(tmp_path: Path) -> None:
    facts = written(tmp_path / "facts.csv", as_csv([upheld("s", 5)]))
    plain = run("run", SHOP, facts, "--format", "csv").out
    for name, other in (("a.csv.gz", "b.csv.gz"),):
        assert run("run", SHOP, facts, "-o", tmp_path / name).code == 0
        time.sleep(1.1)
        assert run("run", SHOP, facts, "-o", tmp_path / other).code == 0
        assert gzip.decompress((tmp_path / name).read_bytes()) == plain
        assert (tmp_path / name).read_bytes() == (tmp_path / other).read_bytes()


def test_a_table_is_for_a_person(tmp_path: Path) -> None:
    rows = [upheld("小明", 5, base=2), upheld("x\x1b[31m", 6)]
    facts = written(tmp_path / "facts.jsonl", as_json(rows))
    text = run("run", SHOP, facts).out.decode()
    assert text.splitlines()[0].split() == ["seller", "kind", "at", "complaint", "amount", "total", "rule"]
    assert "2015-01-05 00:00" in text
    assert "\x1b" not in text
    assert r"x\x1b[31m" in text
    assert text.splitlines()[-1] == "3 conclusions; times of Asia/Shanghai"
    chinese = run("run", SHOP, facts, "--lang", "zh")
    assert chinese.out.decode().splitlines()[0].split() == [
        "seller",
        "事实",
        "时间",
        "complaint",
        "amount",
        "total",
        "规则",
    ]
    assert chinese.err.startswith("输入 2 = 采用 2 + 重复 0 + 作废 0 + ")
    output = tmp_path / "table.txt"
    assert run("run", SHOP, facts, "-o", output).out == b""
    assert output.read_text(encoding="utf-8") == text


def test_a_long_table_says_how_much_more_there_is(tmp_path: Path) -> None:
    facts = written(tmp_path / "facts.jsonl", as_json([upheld(f"s{n:03}", 5) for n in range(150)]))
    lines = run("run", SHOP, facts).out.decode().splitlines()
    assert len(lines) == 2 + 100 + 1
    assert lines[-1] == "150 conclusions, the first 100 shown; times of Asia/Shanghai"
    lines = run("status", SHOP, facts).out.decode().splitlines()
    assert lines[-1] == "the first 100 shown of 150 sellers: good-standing 150; times of Asia/Shanghai"


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_a_table_fits_the_terminal(width: int) -> None:
    text = io.StringIO()
    console = Console(file=text, force_terminal=True, width=width, color_system=None)
    headings = ["seller", "kind", "at", *(f"field{n}" for n in range(9)), "rule"]
    rows = [
        ["小明的小店", "strike", "2015-01-05 00:00", *(f"值{n}" if n % 2 else "" for n in range(9)), "three-strikes"]
    ]
    show_table(console, headings, rows, "fields", first=3, last=1)
    lines = text.getvalue().splitlines()
    assert max(console.measure(line).maximum for line in lines) <= width
    shown = "".join(text.getvalue().split())
    assert "three-strikes" in shown or width < 80
    assert "field0" not in shown


def test_status_shows_how_each_subject_stands(tmp_path: Path) -> None:
    rows = [
        upheld("a", 5, base=2),
        upheld("a", 6, base=3, grace="72h"),
        upheld("b", 7, finding="general"),
        upheld("c", 8),
    ]
    facts = written(tmp_path / "facts.jsonl", as_json(rows))
    found = run("status", SHOP, facts, "--format", "jsonl")
    assert found.records == [
        {
            "seller": "a",
            "status": "restriction",
            "since": "2015-01-06T00:00:00+08:00",
            "counts": {"strike": 2, "points": 2, "restriction": 1},
            "sums": {"points.amount": 5, "points.total": 7},
            "pending": [
                {
                    "seller": "a",
                    "kind": "release",
                    "at": "2015-01-09T00:00:00+08:00",
                    "complaint": "a-6",
                    "rule": "restriction",
                }
            ],
        },
        {"seller": "b", "status": "good-standing", "counts": {}, "sums": {}, "pending": []},
        {"seller": "c", "status": "good-standing", "counts": {"strike": 1}, "sums": {}, "pending": []},
    ]
    table = run("status", SHOP, facts).out.decode().splitlines()
    assert table[0].split() == ["seller", "status", "since", "derived", "sums", "pending"]
    assert table[2].split(maxsplit=1)[1].startswith("restriction     2015-01-06 00:00")
    assert table[2].endswith("release 2015-01-09 00:00")
    assert table[-1] == "3 sellers: good-standing 2, restriction 1; times of Asia/Shanghai"
    assert run("status", SHOP, facts, "--lang", "zh").out.decode().split()[:4] == ["seller", "状态", "自", "推出"]
    later = run("status", SHOP, facts, "--format", "jsonl", "--as-of", "2015-02-01", "--subject", "a").records
    assert [(row["status"], row["since"], row["pending"]) for row in later] == [
        ("good-standing", "2015-01-09T00:00:00+08:00", [])
    ]


# No fact is dropped unseen.


def test_every_fact_is_accounted_for(tmp_path: Path) -> None:
    big = 2**63 - 1
    rows: list[Row] = [
        *[upheld("a", 5)] * 3,
        upheld("a", 6),
        {"kind": "withdrawal", "at": "2015-01-07", "seller": "a", "complaint": "a-6"},
        upheld("a", 20),
        upheld("a", 8, known_at="2015-01-30"),
        upheld("b", 5, base=big),
        upheld("b", 6, base=big),
        upheld("b", 6, base=big),
        upheld("c", 5),
        upheld("c", 5, at="never"),
        upheld("c", 5, finding="counterfiet"),
    ]
    facts, rejects = written(tmp_path / "facts.jsonl", as_json(rows)), tmp_path / "rejects.jsonl"
    stopped = run("run", SHOP, facts, "--as-of", "2015-01-10")
    assert (stopped.code, stopped.out) == (2, b"")
    found = run("run", SHOP, facts, "--as-of", "2015-01-10", "--rejects", rejects, "--format", "jsonl")
    assert found.code == 3
    assert found.counts == {"given": 13, "used": 3, "duplicates": 3, "voided": 1, "later": 2, "rejected": 4}
    assert [(row["seller"], row["kind"], row["at"][:10]) for row in found.records] == [
        ("a", "strike", "2015-01-05"),
        ("c", "strike", "2015-01-05"),
    ]
    lines = [json.loads(line) for line in rejects.read_text(encoding="utf-8").splitlines()]
    assert [line["place"] for line in lines] == [f"{facts}:{number}" for number in (12, 13, 8, 9)]
    assert lines[0]["row"] == rows[11]
    assert lines[0]["reason"].startswith("column `at`: `never` is not a time")
    assert lines[2]["reason"].startswith("seller `b` rejected: overflow")
    assert lines[2]["row"]["base"] == big
    assert "strikeout: seller `b` rejected: overflow" in found.err
    assert "strikeout: 2 rows cannot be used" in found.err
    # The facts of rejected subjects are written as they can be read again.
    again = written(tmp_path / "again.jsonl", as_json([line["row"] for line in lines[2:]]))
    assert run("run", SHOP, again, "--as-of", "2015-01-10").counts["rejected"] == 2


def test_rejected_subjects_spoil_no_other(tmp_path: Path) -> None:
    rows = [upheld(f"s{n:02}", day, base=2**62) for n in range(30) for day in (5, 6, 7)] + [upheld("t", 5)]
    facts = written(tmp_path / "facts.jsonl", as_json(rows))
    found = run("run", SHOP, facts, "--format", "jsonl")
    assert found.code == 3
    assert [row["seller"] for row in found.records] == ["t"]
    assert found.counts["rejected"] == 90
    assert found.err.count(" rejected: overflow") == 20
    assert "strikeout: … and 10 more rejected" in found.err
    status = run("status", SHOP, facts, "--format", "jsonl")
    assert (status.code, [row["seller"] for row in status.records]) == (3, ["t"])


def test_a_subject_is_chosen_before_counting(tmp_path: Path) -> None:
    rows = [upheld("a", 5), upheld("a", 5), upheld("b", 20), upheld("b", 25, known_at="2015-02-03")]
    facts = written(tmp_path / "facts.csv", as_csv(rows))
    found = run("run", SHOP, facts, "--subject", "a", "--format", "jsonl")
    assert found.counts == {"given": 2, "used": 1, "duplicates": 1, "voided": 0, "later": 0, "rejected": 0}
    assert found.err.endswith("1 seller, 1 fact derived, as of 2015-02-03T00:00:00+08:00\n")
    early = run("run", SHOP, facts, "--subject", "a", "--as-of", "2015-01-04")
    assert early.counts["later"] == 1


def test_rejects_are_written_even_where_there_are_none(tmp_path: Path) -> None:
    facts, rejects = (
        written(tmp_path / "facts.csv", as_csv([upheld("a", 5)])),
        written(tmp_path / "rejects.jsonl", "old"),
    )
    assert run("run", SHOP, facts, "--rejects", rejects).code == 0
    assert rejects.read_bytes() == b""
    bad = written(
        tmp_path / "bad.csv", b"kind,at,seller,complaint\nwithdrawal,2015-01-05,\xff,c\nwithdrawal,2015-01-05\n"
    )
    assert run("run", SHOP, bad, "--rejects", rejects).code == 3
    lines = [json.loads(line) for line in rejects.read_text(encoding="utf-8").splitlines()]
    assert [line["row"] for line in lines] == [
        {"kind": "withdrawal", "at": "2015-01-05", "seller": "\udcff", "complaint": "c"},
        ["withdrawal", "2015-01-05"],
    ]


def test_no_facts_give_an_empty_answer(tmp_path: Path) -> None:
    facts = written(tmp_path / "facts.jsonl", "")
    found = run("run", SHOP, facts, "--format", "jsonl")
    assert (found.code, found.out) == (0, b"")
    assert found.err.startswith("given 0 = ")
    assert run("run", SHOP, facts).out.decode() == "0 conclusions; times of Asia/Shanghai\n"


# Laws.


def history(chance: random.Random) -> list[Row]:
    """Complaints of few sellers, some late, doubled or withdrawn."""
    rows: list[Row] = []
    for _ in range(chance.randrange(40, 80)):
        seller = chance.choice(["a", "b", "小明", "\U0001f600", "\ue000", "é", "007"])
        row = upheld(seller, chance.randrange(1, 29), finding=chance.choice(["counterfeit", "general"]))
        if chance.random() < 0.5:
            row["base"] = chance.choice([0, -3, 12, 2**61])
        if chance.random() < 0.3:
            row["known_at"] = f"2015-02-{chance.randrange(1, 29):02}T10:00:00Z"
        if chance.random() < 0.3:
            row["grace"] = chance.choice(["1h", "PT86400S", "3d"])
        if chance.random() < 0.2:
            row["special"] = True
        if chance.random() < 0.2:
            row["seq"] = chance.randrange(3)
        rows.extend([row] * chance.choice([1, 1, 1, 2]))
        if chance.random() < 0.2:
            rows.append({"kind": "withdrawal", "at": "2015-03-01", "seller": seller, "complaint": row["complaint"]})
    return rows


@pytest.mark.parametrize("seed", range(6))
def test_splitting_the_work_changes_no_byte(seed: int, tmp_path: Path) -> None:
    engines = ["compiled", "rete"] if durable.available() else ["compiled"]
    chance = random.Random(seed)
    rows = history(chance)
    whole = written(tmp_path / "whole.jsonl", as_json(rows))
    first = [run("run", SHOP, whole, "--format", form) for form in ("jsonl", "csv")]
    status = run("status", SHOP, whole, "--format", "jsonl")
    assert first[0].out
    for engine in engines if seed == 0 else ["compiled"]:
        shuffled = chance.sample(rows, len(rows))
        cut = sorted(chance.sample(range(len(rows)), 3))
        parts = [shuffled[start:end] for start, end in zip([0, *cut], [*cut, len(rows)], strict=True)]
        paths = [
            written(tmp_path / "a.csv", as_csv(parts[0]) if parts[0] else "kind,at,seller\n"),
            written(tmp_path / "b.jsonl", as_json(parts[1])),
            written(tmp_path / "c.csv.gz", gzip.compress(as_csv(parts[2]).encode())),
            written(tmp_path / "d.jsonl.gz", gzip.compress(as_json(parts[3]).encode())),
        ]
        for form, wanted in zip(("jsonl", "csv"), first, strict=True):
            found = run("run", SHOP, *paths, "--format", form, "--engine", engine)
            assert found.out == wanted.out
            assert found.err == wanted.err
            assert found.code == wanted.code
        assert run("status", SHOP, *paths, "--format", "jsonl", "--engine", engine).out == status.out
        piped = run("run", SHOP, "-", *paths[1:], "--format", "jsonl", stdin=paths[0].read_bytes())
        assert piped.out == first[0].out
    subjects = sorted({str(row["seller"]) for row in rows})
    alone = [run("run", SHOP, whole, "--format", "jsonl", "--subject", subject).out for subject in subjects]
    assert b"".join(alone) == first[0].out


def test_the_library_says_the_same(tmp_path: Path) -> None:
    rows = history(random.Random(99))
    path = written(tmp_path / "facts.csv", as_csv(rows))
    found = run("run", SHOP, path, "--format", "jsonl")
    outcome = strikeout.load(SHOP).run(strikeout.read(path), engine="compiled")
    assert found.records == [fact.as_dict() for fact in outcome.facts]
    assert found.counts["used"] == outcome.summary.used
    assert outcome.summary.adds_up()


# Whole or not at all.


def start(*arguments: str | Path, **options: Any) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", "from strikeout.cli import main; main()", *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)


def test_an_interrupt_leaves_nothing_half_written(tmp_path: Path) -> None:
    facts = tmp_path / "facts.jsonl"
    facts.write_text(as_json([upheld(f"s{n}", 5) for n in range(60_000)]), encoding="utf-8")
    old = written(tmp_path / "out.jsonl", "old")
    process = start("run", SHOP, facts, "-o", old, "--rejects", tmp_path / "rejects.jsonl", "--engine", "compiled")
    waited = 0.0
    while not list(tmp_path.glob(".out.jsonl.*.part")) and process.poll() is None and waited < 60:
        time.sleep(0.05)
        waited += 0.05
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert err.strip() == b"strikeout: stopped"
    assert old.read_text(encoding="utf-8") == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["facts.jsonl", "out.jsonl"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_full_disk_is_said(tmp_path: Path) -> None:
    facts = written(tmp_path / "facts.jsonl", as_json([upheld(f"s{n}", 5) for n in range(500)]))
    for arguments in (["-o", "/dev/full"], ["--rejects", "/dev/full"]):
        bad = facts if "-o" in arguments else written(tmp_path / "bad.jsonl", "{}\n" * 10)
        process = start("run", SHOP, bad, "--format", "jsonl", *arguments)
        _, err = process.communicate(timeout=60)
        assert (process.returncode, err) == (2, b"strikeout: cannot write `/dev/full`: no space left on device\n")
    for form in ("jsonl", "table"):
        command = [sys.executable, "-c", "from strikeout.cli import main; main()", "run", SHOP, str(facts)]
        with open("/dev/full", "wb") as full:
            found = subprocess.run([*command, "--format", form], stdout=full, stderr=subprocess.PIPE)
        assert found.returncode == 2
        assert found.stderr == b"strikeout: cannot write to standard output: no space left on device\n"


def test_a_reader_that_has_had_enough_is_no_error(tmp_path: Path) -> None:
    facts = written(tmp_path / "facts.jsonl", as_json([upheld(f"s{n}", 5) for n in range(20_000)]))
    with start("run", SHOP, facts, "--format", "jsonl", "--engine", "compiled") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        err = process.stderr.read()
        assert (process.wait(60), err) == (141, b"")


TAOBAO = "taobao-counterfeit"


def sale(seller: str, day: int) -> Row:
    """A complaint about a counterfeit sale, upheld on a day of January 2015."""
    found: Row = {"kind": "upheld", "seller": seller, "at": f"2015-01-{day:02}", "complaint": f"c{day}"}
    return {**found, "complainant": "a", "right": "r", "finding": "counterfeit", "base": 2}


@pytest.mark.parametrize("command", ["remedies", "explain", "whatif", "deadlines", "list"])
def test_whoever_reads_an_answer_may_have_had_enough_of_it(command: str, tmp_path: Path) -> None:
    facts = written(tmp_path / "facts.jsonl", as_json([sale("s", day) for day in (5, 9)]))
    more = ["--set", "strike_limit=1"] if command == "whatif" else ["--subject", "s"]
    arguments: list[str | Path] = [] if command == "list" else [TAOBAO, facts, *more]
    with start(command, *arguments) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        err = process.stderr.read()
        assert process.wait(60) == 141, err
        assert b"Traceback" not in err


HOSTILE = "s\x1b[2J\u202eq\n\x9b"


def test_no_id_takes_hold_of_a_terminal(tmp_path: Path) -> None:
    rows = [{**sale(HOSTILE, day), "complaint": f"c{day}{HOSTILE}", "complainant": HOSTILE} for day in (5, 9)]
    facts = written(tmp_path / "facts.jsonl", as_json(rows))
    for command in ("run", "status", "deadlines", "backtest", "explain", "remedies"):
        more = ["--subject", HOSTILE] if command in ("explain", "remedies") else []
        process = start(command, TAOBAO, facts, *more)
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        assert not set("\x1b\u202e\x9b") & set((out + err).decode()), command
    assert HOSTILE in run("run", TAOBAO, facts, "--format", "csv").out.decode()
    outcome = strikeout.load(TAOBAO).run(rows, engine="compiled")
    assert len(outcome.text().split("\n")) == 5
    assert not set("\x1b\u202e\x9b") & set(outcome.text())
    with pytest.raises(StrikeoutError) as error:
        outcome.status(HOSTILE[:-1])
    assert not set("\x1b\u202e\x9b\n") & set(str(error.value))
    wide = {"strike_limit": 100, "closing_points": 2**63 - 1}
    sums = [{**row, "base": 2**62, "level": "confirmed", "at": f"2015-0{n}-01"} for n, row in enumerate(rows, 1)]
    rejected = (
        strikeout.load(TAOBAO).with_parameters(wide).run([*sums, {**sums[0], "at": "2015-03-01"}], engine="compiled")
    )
    assert rejected.rejected
    assert not set("\x1b\u202e\x9b") & set(rejected.text())


def test_of_no_facts_there_is_no_instant() -> None:
    outcome = strikeout.load(TAOBAO).run([])
    assert " · as of - (" in outcome.text()
    assert "1970" not in outcome.text() + outcome.html() + repr(outcome)
    assert "as of 2015-01-05" in strikeout.load(TAOBAO).run([], as_of="2015-01-05").text()


@pytest.mark.parametrize("at", [1420423200000000, 1.5])
def test_a_number_is_no_time(at: object) -> None:
    with pytest.raises(StrikeoutError, match=r"is not a time|expected a time"):
        strikeout.load(TAOBAO).run([{**sale("s", 5), "at": at}])
