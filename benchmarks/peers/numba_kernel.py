"""The hand-written kernel of `handwritten_numba`, on the columns of a Parquet file with ids as integers.

To decide is to put the facts by seller (a counting sort, which keeps the order of time), to mark what was withdrawn,
and the kernel.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numba
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet

from benchmarks.tally import KINDS, MODULUS, Tally

from .handwritten_numba import CLOSURE, POINTS, STRIKE, VIOLATION
from .handwritten_numba import decide as kernel

SLICE = 1_000_000
"""About how many facts are decided at a time, so that there is no room needed for all that might be concluded."""

WARM = True  # it is compiled at its first call
SHANGHAI = 8 * 3600
IDS = ("seller", "complaint", "complainant", "right")
ORDER = {"strike": STRIKE, "violation": VIOLATION, "points": POINTS, "closure": CLOSURE}


def load(path: Path) -> dict[str, Any]:
    table = pa.parquet.read_table(path, read_dictionary=list(IDS))
    found: dict[str, Any] = {"at": table["at"].cast(pa.int64()).to_numpy() - SHANGHAI * 1_000_000}
    for name in IDS:
        column = table[name].unify_dictionaries().combine_chunks()
        found[name] = column.indices.fill_null(-1).to_numpy()
        found[f"{name} texts"] = column.dictionary
    for name, truth in (
        ("upheld", pc.equal(table["kind"], "upheld")),
        ("counterfeit", pc.equal(table["finding"], "counterfeit")),
        ("confirmed", pc.equal(table["level"], "confirmed")),
        ("special", table["special"]),
        ("base", table["base"]),
    ):
        found[name] = truth.cast(pa.int8()).fill_null(0).to_numpy()
    return found


def decide(columns: dict[str, Any]) -> tuple[dict[str, Any], Any]:
    at = columns["at"]
    order = None if bool((at[1:] >= at[:-1]).all()) else np.argsort(at, kind="stable")
    places = by_seller(columns["seller"] if order is None else columns["seller"][order], len(columns["seller texts"]))
    if order is not None:
        places = order[places]
    same_instant(places, columns)
    taken = {name: columns[name][places] for name in columns if "texts" not in name}
    voided = withdrawn(
        taken["seller"], taken["complaint"], taken["at"], taken["upheld"], len(columns["complaint texts"])
    )
    names = ("seller", "at", "complaint", "complainant", "right", "counterfeit", "confirmed", "special", "base")
    ends = np.append(np.flatnonzero(taken["seller"][1:] != taken["seller"][:-1]) + 1, len(at))
    start, parts = 0, []
    compiled: Any = kernel
    while start < len(at):
        end = int(ends[min(int(np.searchsorted(ends, start + SLICE)), len(ends) - 1)])
        out = np.empty((3 * (end - start) + 1, 7), np.int64)
        rows = compiled(*(taken[name][start:end] for name in names), voided[start:end], out)
        parts.append(out[:rows].copy())
        start = end
    return columns, np.concatenate(parts)


@numba.njit(nogil=True, cache=True)
def by_seller(sellers: Any, number: int) -> Any:
    """The places of facts, seller after seller, each seller's in the order in which they lie."""
    starts = np.zeros(number + 1, np.int64)
    for seller in sellers:
        starts[seller + 1] += 1
    for seller in range(number):
        starts[seller + 1] += starts[seller]
    places = np.empty(sellers.shape[0], np.int64)
    for n in range(sellers.shape[0]):
        places[starts[sellers[n]]] = n
        starts[sellers[n]] += 1
    return places


@numba.njit(nogil=True, cache=True)
def withdrawn(sellers: Any, complaints: Any, at: Any, upheld: Any, number: int) -> Any:
    """Which facts are no complaints that stand."""
    undone = np.full(number, -(2**63), np.int64)
    by = np.full(number, -1, np.int64)
    for n in range(sellers.shape[0]):
        if not upheld[n] and at[n] > undone[complaints[n]]:
            undone[complaints[n]], by[complaints[n]] = at[n], sellers[n]
    found = np.empty(sellers.shape[0], np.bool_)
    for n in range(sellers.shape[0]):
        complaint = complaints[n]
        found[n] = not upheld[n] or (by[complaint] == sellers[n] and at[n] <= undone[complaint])
    return found


def same_instant(places: Any, columns: dict[str, Any]) -> None:
    """Put facts of one seller and instant in the order of their complaints' texts; there are few."""
    seller, at = columns["seller"][places], columns["at"][places]
    ties = np.flatnonzero((seller[1:] == seller[:-1]) & (at[1:] == at[:-1]))
    texts = columns["complaint texts"]
    done = -1
    for start in ties.tolist():
        if start < done:
            continue
        done = start + 1
        while done < len(places) and seller[done] == seller[start] and at[done] == at[start]:
            done += 1
        group = places[start:done].tolist()
        places[start:done] = sorted(group, key=lambda place: str(texts[int(columns["complaint"][place])]))


def tally(decided: tuple[dict[str, Any], Any]) -> Tally:
    columns, rows = decided
    numbers = {
        name: pc.utf8_slice_codeunits(columns[f"{name} texts"], 1).cast(pa.int64()).to_numpy()
        for name in ("seller", "complaint")
    }
    found: Tally = {}
    for kind in KINDS:
        these = rows[rows[:, 1] == ORDER[kind]]
        ids = numbers["seller"][these[:, 0]] if kind == "closure" else numbers["complaint"][these[:, 3]]
        products = (these[:, 2] // 1_000_000 + SHANGHAI) * ids
        checksum = (int((products >> 32).sum()) << 32) + int((products & 0xFFFFFFFF).sum())
        points = int(these[:, 6].sum()) if kind == "points" else 0
        found[kind] = [len(these), points, checksum % MODULUS]
    return found
