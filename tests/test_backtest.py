"""Backtests: by columns and row by row the same bytes as `strikeout run`; stopped, they go on where they were."""

from __future__ import annotations

import errno
import functools
import gzip
import html.parser
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import generate
import pytest
from click.testing import CliRunner, Result

import strikeout
from strikeout.backtests import backtest, backtest_rows
from strikeout.backtests.charts import Series, bars, columns
from strikeout.cli import commands
from strikeout.commands import backtest as command_backtest
from strikeout.reach.streaming import as_row
from strikeout.speech.outcome import to_json

RULESET = "taobao-counterfeit"
FRAGILE = """
ruleset: fragile
version: 2015-01-01
subject: seller
timezone: Asia/Shanghai
parameters: {{limit: {limit}}}
facts:
  upheld: {{input: true, fields: {{complaint: id, base: integer}}}}
  note: {{input: true, fields: {{}}}}
  points: {{fields: {{complaint: id, amount: integer}}}}
  {extra}
  closure: {{effect: lasting, severity: 90, fields: {{}}}}
rules:
  points: {{when: upheld, then: {{points: {{amount: base * 1000000000000}}}}}}
  close: {{when: points, if: count(points) >= limit, then: closure}}
  noted: {{when: note, if: count(note) > 100, then: closure}}
"""


def call(*arguments: object) -> Result:
    return CliRunner().invoke(commands, [str(argument) for argument in arguments], catch_exceptions=True)


def run(*arguments: object) -> Result:
    """A command that is to succeed."""
    found = call(*arguments)
    assert found.exit_code in (0, 3), (found.output, found.exception)
    return found


@functools.cache
def by_columns() -> bool:
    return command_backtest.choose_way()[0] == "columns"


WAYS = ["columns", "rows"]


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """By columns, with tiny parts; or row by row, as without the extra `batch`."""
    if request.param == "columns":
        if not by_columns():
            pytest.skip("columns need the extra `batch`, which is not installed")
        from strikeout.bulk import blocks, intake

        monkeypatch.setattr(intake, "FAN_OUT", 3)
        monkeypatch.setattr(blocks, "BLOCK", 5_000)
    else:
        monkeypatch.setattr(command_backtest, "NEEDED", ("not_installed",))
        monkeypatch.setattr(backtest_rows, "PART_SUBJECTS", 50)
    return str(request.param)


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    path = tmp_path / "sample.csv"
    run("sample", "--facts", 3_000, "--seed", 1, "-o", path)
    return path


def rows_of(path: Path) -> list[dict[str, Any]]:
    """The rows of a result, of either format, without what is missing, times as text."""
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    import pyarrow.parquet

    found = pyarrow.parquet.read_table(path).to_pylist()
    return [{k: v.isoformat() if hasattr(v, "isoformat") else v for k, v in r.items() if v is not None} for r in found]


def result(folder: Path, name: str) -> Path:
    return next(folder.glob(f"{name}.[jp]*"))


def same_as_run(folder: Path, ruleset: object, facts: Sequence[Path], *options: object) -> None:
    """See that the conclusions are those of `strikeout run`, byte for byte."""
    found = result(folder, "conclusions")
    wanted = folder.with_name(f"wanted{found.suffix}")
    run("run", ruleset, *facts, "--engine", "compiled", *options, "-o", wanted)
    assert found.read_bytes() == wanted.read_bytes()


@pytest.mark.parametrize("shuffled", [False, True])
def test_conclusions_are_those_of_run_byte_for_byte(tmp_path: Path, way: str, shuffled: bool) -> None:
    for number, name in enumerate(("sample.csv", "sample.jsonl.gz", "sample.parquet")):
        if way == "rows" and name.endswith("parquet") and not by_columns():
            continue
        path = tmp_path / name
        run("sample", "--facts", 2_500, "--seed", number, *(["--shuffled"] if shuffled else []), "-o", path)
        run("backtest", RULESET, path, "-o", tmp_path / name[:3] / str(number), "--part-facts", 1_000)
        same_as_run(tmp_path / name[:3] / str(number), RULESET, [path])


@pytest.mark.parametrize("seed", range(12))
def test_generated_rulesets_and_histories(tmp_path: Path, way: str, seed: int) -> None:
    rng = random.Random(seed)
    text = generate.ruleset(rng)
    try:
        ruleset = strikeout.load_text(text).model
    except strikeout.RulesetError:
        pytest.skip("the generated ruleset is not valid")
    source = tmp_path / f"{ruleset.name}.yaml"
    source.write_text(text, encoding="utf-8")
    facts = generate.history(rng, ruleset, 300) + generate.history(rng, ruleset, 100)
    facts += rng.sample(facts, 20)
    paths = [tmp_path / "one.jsonl", tmp_path / "two.jsonl"]
    for number, path in enumerate(paths):
        lines = [to_json(as_row(ruleset, fact)) + "\n" for fact in facts[number::2]]
        path.write_text("".join(lines), encoding="utf-8")
    instant = generate.instants(rng, facts)
    options = [] if instant is None else ["--as-of", ruleset.zone.format(instant)]
    run("backtest", source, *paths, "-o", tmp_path / "out", *options, "--part-facts", 1_000)
    same_as_run(tmp_path / "out", source, paths, *options)


@pytest.mark.parametrize("ruleset", [RULESET])
def test_the_jitted_engine_gives_the_same(
    tmp_path: Path, ruleset: str, numba_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not by_columns():
        pytest.skip("columns need the extra `batch`, which is not installed")
    from strikeout.backtests import backtest_columns
    from strikeout.bulk import kernel_runs

    path = tmp_path / "sample.parquet"
    run("sample", "--facts", 5_000, "-o", path)
    command = ("backtest", ruleset, path, "--part-facts", 2_000, "--as-of", "2016-06-01", "-o")
    run(*command, tmp_path / "plain")
    monkeypatch.setattr(backtest_columns, "JITTED_FROM", 0)
    monkeypatch.setattr(kernel_runs, "SLICE", 300)
    monkeypatch.setenv("XDG_CACHE_HOME", str(numba_cache))
    run(*command, tmp_path / "jitted")
    for name in ("conclusions.parquet", "summary.json"):
        assert (tmp_path / "plain" / name).read_bytes() == (tmp_path / "jitted" / name).read_bytes()


def test_both_ways_count_alike(tmp_path: Path, sample: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not by_columns():
        pytest.skip("columns need the extra `batch`, which is not installed")
    options = ["--set", "strike_limit=2", "--as-of", "2016-06-01", "--part-facts", 1_000]
    run("backtest", RULESET, sample, "-o", tmp_path / "columns", *options)
    monkeypatch.setattr(command_backtest, "NEEDED", ("not_installed",))
    run("backtest", RULESET, sample, "-o", tmp_path / "rows", *options)
    for name in ("summary.json", "report.html"):
        assert (tmp_path / "columns" / name).read_text() == (tmp_path / "rows" / name).read_text()
    for name in ("conclusions", "conclusions-against", "differences"):
        assert rows_of(result(tmp_path / "columns", name)) == rows_of(result(tmp_path / "rows", name))
    assert rows_of(result(tmp_path / "rows", "differences"))


def test_the_summary_counts_what_run_and_status_say(tmp_path: Path, way: str, sample: Path) -> None:
    found = json.loads(run("backtest", RULESET, sample, "--format", "json", "--part-facts", 1_000).stdout)["ruleset"]
    conclusions = [json.loads(line) for line in run("run", RULESET, sample, "--format", "jsonl").stdout.splitlines()]
    standing = [json.loads(line) for line in run("status", RULESET, sample, "--format", "jsonl").stdout.splitlines()]
    for what in ("rule", "kind"):
        for name, counts in found[f"{what}s"].items():
            own = [c for c in conclusions if c[what] == name]
            assert counts == {"derived": len(own), "subjects": len({c["seller"] for c in own})}
    months: dict[str, dict[str, int]] = {}
    for c in conclusions:
        month = months.setdefault(c["at"][:7], {})
        month[c["kind"]] = month.get(c["kind"], 0) + 1
    assert found["months"] == months
    assert sum(found["statuses"].values()) == found["subjects"] == len(standing)
    for name, number in found["statuses"].items():
        assert number == sum(s["status"] == name for s in standing)
    facts = found["facts"]
    assert facts["given"] == sum(facts.values()) - facts["given"] == 3_000


def test_two_rulesets_differ_by_pair_and_by_what_parted_them(tmp_path: Path, way: str) -> None:
    path = tmp_path / "facts.csv"
    rows = [
        f"upheld,2015-01-{day:02},{who},c{day},1"
        for who, days in (("a", 1), ("b", 2), ("c", 3))
        for day in range(1, days + 1)
    ]
    path.write_text("kind,at,seller,complaint,base\n" + "\n".join(rows) + "\n", encoding="utf-8")
    source = tmp_path / "fragile.yaml"
    source.write_text(FRAGILE.format(limit=3, extra="unused: {fields: {}}"), encoding="utf-8")
    run("backtest", source, path, "--set", "limit=2", "-o", tmp_path / "out")
    summary = json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))
    assert summary["differences"] == {
        "subjects": 2,
        "pairs": [
            {"against": "closure", "ruleset": "closure", "subjects": 1, "examples": ["c"]},
            {"against": "good-standing", "ruleset": "closure", "subjects": 1, "examples": ["b"]},
        ],
        "parted_by": [{"only": "ruleset", "rule": "close", "subjects": 2, "examples": ["b", "c"]}],
    }
    at = "2015-01-02T00:00:00+08:00"
    parted = {"at": at, "only": "ruleset", "rule": "close"}
    assert rows_of(result(tmp_path / "out", "differences")) == [
        {"seller": "b", "status_against": "good-standing", "status": "closure", **parted},
        {"seller": "c", "status_against": "closure", "status": "closure", **parted},
    ]
    assert summary["ruleset"]["set"] == {"limit": "2"}
    assert summary["against"]["set"] == {}


def test_the_same_ruleset_twice_does_not_differ(tmp_path: Path, way: str, sample: Path) -> None:
    found = run("backtest", RULESET, sample, "--against", RULESET, "--lang", "en")
    assert "No seller's status or sanctions differ" in found.stdout


def test_rulesets_of_other_vocabularies_can_be_compared(tmp_path: Path, way: str) -> None:
    path = tmp_path / "facts.csv"
    path.write_text(
        "kind,at,seller,complaint,base\nupheld,2015-01-01,a,c1,1\nupheld,2015-01-02,a,c2,1\n", encoding="utf-8"
    )
    for name, extra in (("one", "first: {fields: {}}"), ("two", "second: {input: true, fields: {x: id}}")):
        (tmp_path / f"{name}.yaml").write_text(
            FRAGILE.format(limit=2 if name == "one" else 1, extra=extra).replace("fragile", name)
            + (
                "  second: {when: second, then: points}\n".replace("points", "closure")
                if name == "two"
                else "  first: {when: upheld, if: base > 5, then: first}\n"
            ),
            encoding="utf-8",
        )
    run("backtest", tmp_path / "one.yaml", path, "--against", tmp_path / "two.yaml", "-o", tmp_path / "out")
    summary = json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))
    assert summary["differences"]["parted_by"][0]["only"] == "against"


def broken(tmp_path: Path) -> tuple[Path, Path]:
    """A ruleset that overflows for some, and facts of which some are bad."""
    source, path = tmp_path / "fragile.yaml", tmp_path / "facts.csv"
    source.write_text(FRAGILE.format(limit=3, extra="unused: {fields: {}}"), encoding="utf-8")
    rows = ["upheld,2015-01-01,a,c1,1", "upheld,2015-01-02,b,c2,9223372036854775807", "note,2015-01-03,b,,"]
    rows += ["upheld,2015-01-32,a,c1,1", "note,2015-01-03,b,,7", "upheld,2015-01-02,b,c2,9223372036854775807"]
    path.write_text("kind,at,seller,complaint,base\n" + "\n".join(rows) + "\n", encoding="utf-8")
    return source, path


def test_bad_rows_stop_before_anything_is_written(tmp_path: Path, way: str) -> None:
    source, path = broken(tmp_path)
    found = call("backtest", source, path, "-o", tmp_path / "out", "--rejects", tmp_path / "none" / "r.jsonl")
    assert isinstance(found.exception, strikeout.StrikeoutError)
    found = call("backtest", source, path, "-o", tmp_path / "out")
    assert isinstance(found.exception, strikeout.FactError)
    assert "facts.csv:5: column `at`: `2015-01-32` names a day" in str(found.exception)
    assert "facts.csv:6: column `base`: `7` must be empty" in str(found.exception)
    assert not (tmp_path / "out").exists()


def test_rejects_are_those_of_run(tmp_path: Path, way: str) -> None:
    source, path = broken(tmp_path)
    found = call("backtest", source, path, "-o", tmp_path / "out", "--rejects", tmp_path / "one.jsonl")
    wanted = call("run", source, path, "--rejects", tmp_path / "two.jsonl")
    assert (found.exit_code, wanted.exit_code) == (3, 3)
    assert (tmp_path / "one.jsonl").read_bytes() == (tmp_path / "two.jsonl").read_bytes()
    assert "2 rows cannot be used" in found.stderr
    assert "seller `b` rejected: overflow" in found.stderr
    summary = json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))
    assert summary["ruleset"]["statuses"] == {"good-standing": 1, "rejected": 1}
    assert summary["bad_rows"] == 2
    same_as_run(tmp_path / "out", source, [path], "--rejects", tmp_path / "three.jsonl")


class Stopped(Exception):
    """As if the power had failed."""


def stop_after(monkeypatch: pytest.MonkeyPatch, parts: int, error: BaseException) -> None:
    """Let a backtest fail once some parts are finished."""
    finished = backtest.Workshop.finished

    def failing(self: backtest.Workshop, number: int, part: backtest.Part) -> None:
        if number >= parts:
            raise error
        finished(self, number, part)

    monkeypatch.setattr(backtest.Workshop, "finished", failing)


@pytest.fixture
def facts(tmp_path: Path) -> Path:
    path = tmp_path / "sample.jsonl"
    run("sample", "--facts", 4_000, "-o", path)
    return path


def test_a_stopped_backtest_goes_on(tmp_path: Path, way: str, facts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = ("backtest", RULESET, facts, "--set", "strike_limit=2", "--part-facts", 1_000, "-o")
    run(*command, tmp_path / "whole")
    out = tmp_path / "out"
    with monkeypatch.context() as patch:
        stop_after(patch, 2, KeyboardInterrupt())
        found = call(*command, out)
    assert found.exit_code == 1
    assert "2 finished parts kept" in found.stderr
    assert [path.name for path in out.iterdir()] == [".parts"]
    assert not list((out / ".parts").glob("*.tmp"))
    found = run(*command, out)
    assert "going on behind 2 finished parts" in found.stderr
    assert {p.name: p.read_bytes() for p in out.iterdir()} == {
        p.name: p.read_bytes() for p in (tmp_path / "whole").iterdir()
    }


def test_a_fact_known_late_counts_for_the_instant_after_going_on(
    tmp_path: Path, way: str, facts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = facts.read_text(encoding="utf-8").splitlines()
    late = {**json.loads(lines[0]), "seller": "!", "known_at": "2030-01-01"}
    facts.write_text("\n".join([*lines, json.dumps(late)]) + "\n", encoding="utf-8")
    out = tmp_path / "out"
    with monkeypatch.context() as patch:
        stop_after(patch, 2, KeyboardInterrupt())
        call("backtest", RULESET, facts, "--part-facts", 1_000, "-o", out)
    found = run("backtest", RULESET, facts, "--part-facts", 1_000, "-o", out)
    assert "going on" in found.stderr
    assert json.loads((out / "summary.json").read_text(encoding="utf-8"))["as_of"] == "2030-01-01T00:00:00+08:00"


@pytest.mark.skipif(os.name != "posix", reason="signals are those of POSIX")
@pytest.mark.parametrize("number", ["SIGINT", "SIGKILL"])
def test_a_process_that_is_stopped_leaves_nothing_but_finished_parts(tmp_path: Path, facts: Path, number: str) -> None:
    # Enough to be in the middle of it when the first part is finished.
    facts.write_text(
        "".join(
            line.replace('"seller": "', f'"seller": "{copy}-')
            for copy in range(3)
            for line in facts.read_text(encoding="utf-8").splitlines(True)
        ),
        encoding="utf-8",
    )
    out, parts = tmp_path / "out", tmp_path / "out" / ".parts"
    command = [*(sys.executable, "-m", "strikeout", "backtest", RULESET), str(facts), "--part-facts", "1000"]
    with subprocess.Popen([*command, "-o", out], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        limit = time.monotonic() + 60
        while not (parts / "000000.json").exists() and process.poll() is None and time.monotonic() < limit:
            time.sleep(0.005)
        process.send_signal(getattr(signal, number))
        _, said = process.communicate(timeout=60)
    assert [path.name for path in out.iterdir()] == [".parts"]
    if number == "SIGINT":
        assert process.returncode == 130
        assert b"Traceback" not in said
        finished = {path.name[:6] for path in parts.glob("0*.json")}
        assert {path.name[:6] for path in parts.glob("0*")} == finished
        assert not (parts / "made").exists()
    found = run("backtest", RULESET, facts, "--part-facts", 1_000, "-o", out)
    assert "going on" in found.stderr
    same_as_run(out, RULESET, [facts])


def test_what_was_made_of_other_facts_or_rules_is_not_used(
    tmp_path: Path, way: str, facts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    for change in ("facts", "rules", "instant"):
        with monkeypatch.context() as patch:
            stop_after(patch, 1, Stopped())
            assert isinstance(call("backtest", RULESET, facts, "--part-facts", 1_000, "-o", out).exception, Stopped)
        assert (out / ".parts" / "000000.json").exists()
        options = (
            ["--set", "strike_limit=5"]
            if change == "rules"
            else ["--as-of", "2016-01-01"]
            if change == "instant"
            else []
        )
        if change == "facts":
            facts.write_text("".join(facts.read_text(encoding="utf-8").splitlines(True)[1:]), encoding="utf-8")
        found = run("backtest", RULESET, facts, "--part-facts", 1_000, "-o", out, *options)
        assert "going on" not in found.stderr
        run("backtest", RULESET, facts, "--part-facts", 1_000, "-o", tmp_path / change, *options)
        assert (out / "summary.json").read_bytes() == (tmp_path / change / "summary.json").read_bytes()


def test_results_of_an_earlier_backtest_do_not_stay(tmp_path: Path, way: str, sample: Path) -> None:
    out = tmp_path / "out"
    run("backtest", RULESET, sample, "--set", "strike_limit=2", "-o", out)
    assert len(list(out.iterdir())) == 5
    run("backtest", RULESET, sample, "-o", out)
    assert len(list(out.iterdir())) == 3


def test_what_is_stopped_early_leaves_nothing(
    tmp_path: Path, way: str, facts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop_after(monkeypatch, 0, KeyboardInterrupt())
    call("backtest", RULESET, facts, "--part-facts", 1_000, "-o", tmp_path / "new" / "out")
    assert not (tmp_path / "new" / "out").exists()


def test_a_full_disk_is_an_error(tmp_path: Path, way: str, facts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stop_after(monkeypatch, 1, OSError(errno.ENOSPC, "No space left on device"))
    monkeypatch.setattr(backtest.Workshop, "finished", _with_refusals(backtest.Workshop.finished))
    found = call("backtest", RULESET, facts, "--part-facts", 1_000, "-o", tmp_path / "out")
    assert isinstance(found.exception, strikeout.RunError)
    assert str(found.exception).endswith("no space left on device")
    assert [path.name for path in (tmp_path / "out").iterdir()] == [".parts"]


def _with_refusals(function: Any) -> Any:
    from strikeout.reach.writing import refusals

    def refused(*arguments: Any) -> None:
        with refusals("`out`"):
            function(*arguments)

    return refused


def test_a_full_temporary_folder_is_an_error(tmp_path: Path, facts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not by_columns():
        pytest.skip("columns need the extra `batch`, which is not installed")

    def full(*arguments: object, **options: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    from strikeout.bulk import intake

    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    monkeypatch.setattr(intake, "KEPT", 0)
    found = call("backtest", RULESET, facts, "--part-facts", 1_000, "-o", tmp_path / "out")
    assert isinstance(found.exception, strikeout.RunError)
    assert "temporary folder" in str(found.exception)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("cut", [10, 3_000])
def test_a_file_cut_short_is_an_error(tmp_path: Path, way: str, facts: Path, cut: int) -> None:
    path = tmp_path / "cut.jsonl.gz"
    path.write_bytes(gzip.compress(facts.read_bytes())[:-cut])
    found = call("backtest", RULESET, path, "-o", tmp_path / "out")
    assert isinstance(found.exception, strikeout.FactError)
    assert "the compressed data end too early" in str(found.exception)
    assert not (tmp_path / "out").exists()


def test_a_parquet_file_cut_short_is_an_error(tmp_path: Path) -> None:
    if not by_columns():
        pytest.skip("columns need the extra `batch`, which is not installed")
    path = tmp_path / "cut.parquet"
    run("sample", "--facts", 1_000, "-o", path)
    path.write_bytes(path.read_bytes()[:-100])
    found = call("backtest", RULESET, path)
    assert isinstance(found.exception, strikeout.FactError)
    assert "cannot be read as Parquet" in str(found.exception)


def test_a_parquet_file_torn_inside_is_an_error(tmp_path: Path) -> None:
    if not by_columns():
        pytest.skip("columns need the extra `batch`, which is not installed")
    path = tmp_path / "torn.parquet"
    run("sample", "--facts", 1_000, "-o", path)
    whole = path.read_bytes()
    errors = 0
    for place in range(100, len(whole) - 5_000, len(whole) // 7):
        path.write_bytes(whole[:place] + b"\xff" * 500 + whole[place + 500 :])
        found = call("backtest", RULESET, path, "-o", tmp_path / "out")
        if found.exit_code == 0:
            # What is torn may be other facts by chance; the format does not always tell.
            shutil.rmtree(tmp_path / "out")
            continue
        errors += 1
        assert isinstance(found.exception, strikeout.StrikeoutError), found.exception
        assert "torn.parquet" in str(found.exception)
        assert not (tmp_path / "out").exists()
    assert errors


LAST = 253_402_300_799_999_999  # the last microsecond of the year 9999
ODD_COLUMNS: dict[str, tuple[str, list[Any], str, str]] = {
    "floats for times": ("at", [0.5, 1.5], "double", "row 1: column `at`: `0.5`, expected a time"),
    "lists for times": ("at", [[1], [2]], "list", "row 1: column `at`: expected a time"),
    "an instant too late": ("at", [0, LAST + 1], "timestamp", "row 2: column `at`"),
    "the last number of all": ("at", [0, 2**63 - 1], "timestamp", "row 2: column `at`"),
    "an id that is null": ("complaint", ["c1", None], "text", "row 2: column `complaint`: missing"),
    "a subject that is null": ("seller", [None, "s"], "text", "row 1: column `seller`: missing"),
    "numbers for members": ("finding", [1, 2], "number", "row 1: column `finding`: `1` is no member"),
    "bytes for ids": ("complaint", [b"c1", b"c2"], "bytes", "row 1: column `complaint`"),
}


def parquet_of(path: Path, name: str, values: Any) -> Path:
    """A file of two complaints with another column in place of one of theirs."""
    import pyarrow.parquet

    columns = {"kind": ["upheld", "upheld"], "at": ["2015-01-05", "2015-01-06"], "seller": ["s", "s"]}
    columns |= {
        "complaint": ["c1", "c2"],
        "complainant": ["p", "p"],
        "right": ["r", "r"],
        "finding": ["counterfeit"] * 2,
    }
    pyarrow.parquet.write_table(pyarrow.table({**columns, name: values}), path)
    return path


@pytest.mark.parametrize("what", ODD_COLUMNS)
def test_a_parquet_column_of_the_wrong_type_is_an_error(tmp_path: Path, what: str) -> None:
    pyarrow = pytest.importorskip("pyarrow", reason="columns need the extra `batch`, which is not installed")
    name, values, type_, message = ODD_COLUMNS[what]
    types = {"double": pyarrow.float64(), "list": pyarrow.list_(pyarrow.int64()), "text": pyarrow.string()}
    types |= {"timestamp": pyarrow.timestamp("us", "UTC"), "number": pyarrow.int64(), "bytes": pyarrow.binary()}
    path = parquet_of(tmp_path / "odd.parquet", name, pyarrow.array(values, types[type_]))
    found = call("backtest", RULESET, path, "-o", tmp_path / "out")
    assert isinstance(found.exception, strikeout.FactError)
    assert f"odd.parquet: {message}" in str(found.exception)
    assert not (tmp_path / "out").exists()


def test_the_first_and_the_last_instant_can_be_run(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow", reason="columns need the extra `batch`, which is not installed")
    eight_hours = 8 * 3_600_000_000  # by which Shanghai is ahead
    instants = pyarrow.array([-62_135_596_800_000_000, LAST - eight_hours], pyarrow.timestamp("us", "UTC"))
    path = parquet_of(tmp_path / "ends.parquet", "at", instants)
    run("backtest", RULESET, path, "-o", tmp_path / "out")
    same_as_run(tmp_path / "out", RULESET, [path])


def test_dictionaries_with_duplicates_name_one_subject(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow", reason="columns need the extra `batch`, which is not installed")
    twice = pyarrow.DictionaryArray.from_arrays(pyarrow.array([0, 1]), pyarrow.array(["s", "s"]))
    path = parquet_of(tmp_path / "twice.parquet", "seller", twice)
    found = json.loads(run("backtest", RULESET, path, "--format", "json").stdout)["ruleset"]
    assert (found["subjects"], found["facts"]["used"]) == (1, 2)


def test_very_many_words_for_an_enum_are_an_error_that_comes_soon(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow", reason="columns need the extra `batch`, which is not installed")
    parquet = pytest.importorskip("pyarrow.parquet")
    number = 20_000
    columns = {"kind": ["upheld"] * number, "at": ["2015-01-05"] * number, "seller": ["s"] * number}
    columns |= {name: ["x"] * number for name in ("complaint", "complainant", "right")}
    columns["finding"] = [f"counterfeit{n}" for n in range(number)]
    parquet.write_table(pyarrow.table(columns), tmp_path / "words.parquet")
    found = call("backtest", RULESET, tmp_path / "words.parquet")
    assert isinstance(found.exception, strikeout.FactError)
    assert "`counterfeit0` is no member of `finding`" in str(found.exception)
    assert len(str(found.exception)) < 10_000


def test_results_do_not_go_over_what_is_read(tmp_path: Path, sample: Path) -> None:
    (tmp_path / "out").mkdir()
    path = tmp_path / "out" / "summary.json"
    path.write_bytes(sample.read_bytes())
    found = call("backtest", RULESET, path, "--input-format", "csv", "-o", tmp_path / "out")
    assert "where `-o` writes a result" in str(found.exception)
    found = call("backtest", RULESET, sample, "--rejects", path, "-o", tmp_path / "out")
    assert "where `-o` writes a result" in str(found.exception)
    assert path.read_bytes() == sample.read_bytes()


def test_wrong_use(tmp_path: Path, sample: Path) -> None:
    assert call("backtest", RULESET, "-", "-o", tmp_path / "out").exit_code != 0
    assert call("backtest", RULESET, tmp_path / "none.csv").exit_code != 0
    assert call("backtest", RULESET, sample, "--set", "strike_limt=2").exit_code != 0
    assert call("backtest", RULESET, sample, "-o", sample).exit_code == 2
    assert not (tmp_path / "out").exists()


def test_no_facts_at_all(tmp_path: Path, way: str) -> None:
    path = tmp_path / "empty.csv"
    path.write_text("kind,at,seller\n", encoding="utf-8")
    run("backtest", RULESET, path, "--set", "strike_limit=2", "-o", tmp_path / "out")
    assert rows_of(result(tmp_path / "out", "conclusions")) == []
    same_as_run(tmp_path / "out", RULESET, [path], "--set", "strike_limit=2")


class Page(html.parser.HTMLParser):
    """What a page refers to, and whether its elements close."""

    VOID = frozenset({"meta", "br"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.counts: dict[str, int] = {}

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.counts[tag] = self.counts.get(tag, 0) + 1
        if tag not in self.VOID:
            self.open.append(tag)
        for name, value in attributes:
            if name == "id":
                self.ids.append(value or "")
            if name in ("src", "href", "xlink:href"):
                self.links.append(value or "")

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.counts[tag] = self.counts.get(tag, 0) + 1

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_page_needs_nothing_else_and_describes_its_charts(
    tmp_path: Path, way: str, sample: Path, language: str
) -> None:
    run("backtest", RULESET, sample, "--set", "strike_limit=2", "-o", tmp_path / "out", "--lang", language)
    text = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    page = Page()
    page.feed(text)
    page.close()
    assert not page.open
    assert not page.links
    assert "url(" not in text
    assert "@import" not in text
    assert page.counts["svg"] == 3
    assert page.counts["desc"] == 3
    assert page.counts["table"] == 7
    assert len(page.ids) == len(set(page.ids))
    assert f'<html lang="{language}">' in text
    assert ("回测" in text) == (language == "zh")


def test_charts_of_odd_numbers() -> None:
    names = [f"<{number}>" for number in range(12)]
    for chart in (bars, columns):
        for values in ((), (0,), (10**18, 1, 0)):
            series = [Series(name, values) for name in names]
            text = chart("a & b", "c < d", [f"2015-{n:02}" for n in range(len(values))], series, "x")
            page = Page()
            page.feed(text)
            assert not page.open
            assert "<0>" not in text
