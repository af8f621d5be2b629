"""The benchmarks run, at a tiny size, and whoever does the same work concludes the same."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def benchmarks(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)


def test_every_section_runs() -> None:
    tiny = "--repeat 1 --sizes 300 --sellers 3 --history 30 --journal 30 --engines compiled --keys realistic".split()
    done = benchmarks(*tiny, "--peers", "engine_compiled,handwritten,duckdb_sql,polars_frames")
    assert done.returncode == 0, done.stderr
    rows = [[cell.strip() for cell in line.split("|")] for line in done.stdout.splitlines() if line.startswith("|")]
    conclusions = {row[1]: row[-2] for row in reversed(rows)}
    assert conclusions["hand-written Python"] == conclusions["strikeout, engine `compiled`"] == "the same"
    assert conclusions["DuckDB, SQL"] in ("the same", "not installed: `pip install duckdb pyarrow`")
    assert conclusions["polars"] in ("the same", "not installed: `pip install polars pyarrow`")
    assert [line for line in done.stdout.splitlines() if line.startswith("### ")] == [
        "### Side by side, `taobao-counterfeit`",
        "### Many sellers",
        "### One seller with very many facts",
        "### The journal",
        "### One history at a time",
    ]
    assert "DIFFERENT" not in done.stdout


def test_an_unknown_peer_is_named() -> None:
    done = benchmarks("--peers", "engine_reet")
    assert done.returncode == 2
    assert "unknown `engine_reet`; known are engine_rete," in done.stderr
