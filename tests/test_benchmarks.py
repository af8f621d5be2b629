"""The benchmarks run, at a tiny size, and whoever does the same work concludes the same."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def benchmarks(cache: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks", *arguments]
    env = {**os.environ, "XDG_CACHE_HOME": str(cache)}
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False, env=env)


SECTIONS = {
    "peers": "Side by side, `taobao-counterfeit`",
    "sellers": "Many sellers",
    "history": "One seller with very many facts",
    "journal": "The journal",
    "latency": "One history at a time",
    "parquet": "End to end from Parquet",
    "kernels": "The kernel alone",
    "service": "The service",
}
TINY = (
    "--repeat 1 --sizes 300 --sellers 3 --history 30 --journal 30 --parquet 300 --kernel 300 --served 300 --soak 1 "
    "--engines compiled --keys realistic --peers engine_compiled,handwritten,duckdb_sql,polars_frames"
).split()


@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_runs(section: str, user_cache: Path) -> None:
    done = benchmarks(user_cache, "--only", section, *TINY)
    assert done.returncode == 0, done.stderr
    assert [line for line in done.stdout.splitlines() if line.startswith("### ")] == [f"### {SECTIONS[section]}"]
    assert "DIFFERENT" not in done.stdout
    if section == "peers":
        rows = [[cell.strip() for cell in line.split("|")] for line in done.stdout.splitlines() if line.startswith("|")]
        conclusions = {row[1]: row[-2] for row in reversed(rows)}
        assert conclusions["hand-written Python"] == conclusions["strikeout, engine `compiled`"] == "the same"
        assert conclusions["DuckDB, SQL"] in ("the same", "not installed: `pip install duckdb pyarrow`")
        assert conclusions["polars"] in ("the same", "not installed: `pip install polars pyarrow`")


def test_no_section_is_left_out(tmp_path: Path) -> None:
    done = benchmarks(tmp_path, "--only", "nothing")
    assert done.returncode == 2
    assert all(section in done.stderr for section in SECTIONS)


def test_an_unknown_peer_is_named(tmp_path: Path) -> None:
    done = benchmarks(tmp_path, "--peers", "engine_reet")
    assert done.returncode == 2
    assert "unknown `engine_reet`; known are engine_rete," in done.stderr
