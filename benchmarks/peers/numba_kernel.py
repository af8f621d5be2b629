"""The policy of `handwritten.py` as a programmer would write it for numba: a loop over seller after seller.

Facts lie in columns of integers, as in a Parquet file with its ids as integers. To decide is to put them by seller (a
counting sort, which keeps the order of time), to mark what was withdrawn, and the kernel. That keeps the strikes of
complainants and rights in an open table that is never cleared: an entry counts only while its seller is the one at
hand, and a seller uses no more of it than twice its facts.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet

from benchmarks.tally import KINDS, MODULUS, Tally

WINDOW = 72 * 3_600_000_000
STRIKES_FROM = 1_420_041_600_000_000
LONG_AGO = STRIKES_FROM - (1 << 60)
STRIKE, VIOLATION, POINTS, CLOSURE = 0, 1, 2, 3
OWNER, COMPLAINANT, RIGHT, STRIKES, SINCE = range(5)

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
    parts = []
    for first, last in slices(ends, SLICE):
        start, end = int(ends[first - 1]) if first else 0, int(ends[last - 1])
        begins = np.append(start, ends[first:last]) - start
        out = np.empty((3 * (end - start) + 1, 7), np.int64)
        rows = kernel(begins, *(taken[name][start:end] for name in names), voided[start:end], out)
        parts.append(out[:rows].copy())
    return columns, np.concatenate(parts)


def slices(ends: Any, facts: int) -> Iterator[tuple[int, int]]:
    """The sellers, by where their facts end, in ranges that have about so many facts each."""
    first = 0
    while first < len(ends):
        begin = int(ends[first - 1]) if first else 0
        last = min(int(np.searchsorted(ends, begin + facts)) + 1, len(ends))
        yield first, last
        first = last


@numba.njit(nogil=True, error_model="numpy", cache=True)
def kernel(
    starts: Any, seller: Any, at: Any, complaint: Any, complainant: Any, right: Any, counterfeit: Any, confirmed: Any,
    special: Any, base: Any, voided: Any, out: Any,
) -> int:  # fmt: skip
    """Write rows of seller, kind, at, complaint, complainant, right, amount; give how many."""
    most = 0
    for number in range(starts.shape[0] - 1):
        most = max(most, starts[number + 1] - starts[number])
    size = 8
    while size < 2 * most:
        size *= 2
    table = np.full((size, 5), -1, np.int64)
    rows = 0
    for number in range(starts.shape[0] - 1):
        mask = 7
        while mask + 1 < 2 * (starts[number + 1] - starts[number]):
            mask = 2 * mask + 1
        violations = merging_number = merging_points = total = 0
        merging = LONG_AGO
        for n in range(starts[number], starts[number + 1]):
            if voided[n] or counterfeit[n] == 0 or special[n] != 0:
                continue
            now = at[n]
            makes_strike = False
            count = 0
            if now >= STRIKES_FROM:
                place = ((complainant[n] * 31 + right[n]) * -7046029254386353131 >> 20) & mask
                while table[place, OWNER] == number and (
                    table[place, COMPLAINANT] != complainant[n] or table[place, RIGHT] != right[n]
                ):
                    place = (place + 1) & mask
                if table[place, OWNER] != number:
                    table[place, OWNER] = number
                    table[place, COMPLAINANT], table[place, RIGHT] = complainant[n], right[n]
                    table[place, STRIKES], table[place, SINCE] = 0, LONG_AGO
                makes_strike = confirmed[n] != 0 or now - table[place, SINCE] >= WINDOW
                if makes_strike:
                    table[place, STRIKES] += 1
                    if confirmed[n] == 0:
                        table[place, SINCE] = now
                    out[rows, 0], out[rows, 1], out[rows, 2], out[rows, 3] = seller[n], STRIKE, now, complaint[n]
                    out[rows, 4], out[rows, 5], out[rows, 6] = complainant[n], right[n], 0
                    rows += 1
                count = table[place, STRIKES]
            opens = confirmed[n] != 0 or now - merging >= WINDOW
            if opens:
                violations += 1
                if confirmed[n] == 0:
                    merging, merging_number, merging_points = now, violations, 0
                out[rows, 0], out[rows, 1], out[rows, 2], out[rows, 3] = seller[n], VIOLATION, now, complaint[n]
                out[rows, 4], out[rows, 5], out[rows, 6] = complainant[n], right[n], 0
                rows += 1
            nth = violations if confirmed[n] != 0 else merging_number
            if makes_strike and count >= 3:
                amount = 48
            elif nth >= 3:
                amount = 24 if opens else 0
            elif confirmed[n] != 0:
                amount = base[n]
            else:
                amount = min(base[n], 12 - merging_points)
            if amount > 0:
                total += amount
                if confirmed[n] == 0:
                    merging_points += amount
                out[rows, 0], out[rows, 1], out[rows, 2], out[rows, 3] = seller[n], POINTS, now, complaint[n]
                out[rows, 4], out[rows, 5], out[rows, 6] = complainant[n], right[n], amount
                rows += 1
            if (makes_strike and count >= 3) or (amount > 0 and total >= 48):
                out[rows, 0], out[rows, 1], out[rows, 2] = seller[n], CLOSURE, now
                rows += 1
                break
    return rows


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
