"""The peers: each does the work of the ruleset `taobao-counterfeit`, or a part of it, in its own way.

A peer is a row of `PEERS` and a module of three functions:

    load(path)      the facts of a file, in the form that the peer likes best; timed by itself
    decide(loaded)  what is concluded, kept in memory; this is the time that counts
    tally(decided)  the conclusions in numbers (`benchmarks.tally`), so that all can be compared; not timed

`facts_of(loaded)` may say that it took fewer facts, `expected(loaded)` what a simplified policy concludes. A module
with `WARM` decides once before it is timed, one with `ONCE` only once.

What a module needs beyond the standard library it imports itself, so that the rest runs without it.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Peer:
    """One peer.

    Parameters
    ----------
    name : str
        What the table calls it.
    module : str
        Its module in this folder.
    needs : tuple of str
        Modules that must be there.
    install : str
        How to get them.
    form : str
        The files that it reads: `csv` or `parquet`.
    policy : str
        `whole`, `three strikes` (a simplified policy; conclusions are compared with that), or `none`.
    most : int
        The most facts that it can take.
    note : str
        What to know of its figures.
    """

    name: str
    module: str
    needs: tuple[str, ...] = ()
    install: str = ""
    form: str = "csv"
    policy: str = "whole"
    most: int = 10**10
    note: str = ""

    def missing(self) -> str:
        """Why it cannot run here; nothing where it can."""
        if any(importlib.util.find_spec(name) is None for name in self.needs):
            return f"not installed: `pip install {self.install}`"
        if importlib.util.find_spec(f"{__name__}.{self.module}") is None:
            return f"not there yet: `benchmarks/peers/{self.module}.py`"
        return ""


PEERS = (
    Peer("strikeout, engine `rete`", "engine_rete", ("durable_rules_engine",), "'strikeout' (Python 3.11 or 3.12)"),
    Peer("strikeout, engine `compiled`", "engine_compiled"),
    Peer(
        "durable_rules, bare",
        "durable_bare",
        ("durable", "durable_rules_engine"),
        "durable-rules (Python 3.11 or 3.12)",
        policy="three strikes",
        note="a simplified policy, as a join of three events, on the first 1,000 sellers: it takes no more",
    ),
    Peer("clipspy", "clips_rules", ("clips",), "clipspy"),
    Peer("hand-written Python", "handwritten"),
    Peer("DuckDB, SQL", "duckdb_sql", ("duckdb", "pyarrow"), "duckdb pyarrow", "parquet"),
    Peer("polars", "polars_frames", ("polars", "pyarrow"), "polars pyarrow", "parquet"),
    Peer("hand-written numba kernel", "numba_kernel", ("numba", "pyarrow"), "numba pyarrow", "parquet"),
    Peer(
        "memory copy of the columns",
        "memory_copy",
        ("numpy", "pyarrow"),
        "numpy pyarrow",
        "parquet",
        policy="none",
        note="no policy at all: what the machine's memory allows",
    ),
)
BY_MODULE = {peer.module: peer for peer in PEERS}
