"""The policy of `handwritten.py` as a programmer would write it for numba: one loop over columns of integers.

Facts are sorted by seller and time; a seller's complaints that were withdrawn are marked before. Keys of complainant
and right are found in an open table that is never cleared: an entry counts only while its seller is the one at hand.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

WINDOW = 72 * 3_600_000_000
STRIKES_FROM = 1_420_041_600_000_000
STRIKE, VIOLATION, POINTS, CLOSURE = 0, 1, 2, 3


@numba.njit(nogil=True, error_model="numpy")
def decide(
    seller: Any, at: Any, complaint: Any, complainant: Any, right: Any, counterfeit: Any, confirmed: Any, special: Any,
    base: Any, voided: Any, out: Any,
) -> int:  # fmt: skip
    """Write rows of seller, kind, at, complaint, complainant, right, amount; give how many."""
    size = 1 << 12
    owner = np.full(size, -1, np.int64)
    first_key = np.zeros(size, np.int64)
    second_key = np.zeros(size, np.int64)
    strikes = np.zeros(size, np.int64)
    since = np.zeros(size, np.int64)
    rows = 0
    current = -1
    closed = False
    violations = merging_number = merging_points = total = 0
    merging = STRIKES_FROM - (1 << 60)
    used = 0
    for n in range(seller.shape[0]):
        if seller[n] != current:
            current = seller[n]
            closed = False
            violations = merging_number = merging_points = total = used = 0
            merging = STRIKES_FROM - (1 << 60)
        if closed or voided[n] or counterfeit[n] == 0 or special[n] != 0:
            continue
        now = at[n]
        makes_strike = False
        count = 0
        if now >= STRIKES_FROM:
            if 2 * used >= size:
                size *= 2
                owner = np.full(size, -1, np.int64)
                first_key, second_key = np.zeros(size, np.int64), np.zeros(size, np.int64)
                strikes, since = np.zeros(size, np.int64), np.zeros(size, np.int64)
            place = ((complainant[n] * 31 + right[n]) * -7046029254386353131 >> 20) & (size - 1)
            while owner[place] == current and (first_key[place] != complainant[n] or second_key[place] != right[n]):
                place = (place + 1) & (size - 1)
            if owner[place] != current:
                owner[place] = current
                first_key[place], second_key[place] = complainant[n], right[n]
                strikes[place], since[place] = 0, STRIKES_FROM - (1 << 60)
                used += 1
            makes_strike = confirmed[n] != 0 or now - since[place] >= WINDOW
            if makes_strike:
                strikes[place] += 1
                if confirmed[n] == 0:
                    since[place] = now
                out[rows, 0], out[rows, 1], out[rows, 2], out[rows, 3] = current, STRIKE, now, complaint[n]
                out[rows, 4], out[rows, 5], out[rows, 6] = complainant[n], right[n], 0
                rows += 1
            count = strikes[place]
        opens = confirmed[n] != 0 or now - merging >= WINDOW
        if opens:
            violations += 1
            if confirmed[n] == 0:
                merging, merging_number, merging_points = now, violations, 0
            out[rows, 0], out[rows, 1], out[rows, 2], out[rows, 3] = current, VIOLATION, now, complaint[n]
            out[rows, 4], out[rows, 5], out[rows, 6] = complainant[n], right[n], 0
            rows += 1
        number = violations if confirmed[n] != 0 else merging_number
        if makes_strike and count >= 3:
            amount = 48
        elif number >= 3:
            amount = 24 if opens else 0
        elif confirmed[n] != 0:
            amount = base[n]
        else:
            amount = min(base[n], 12 - merging_points)
        if amount > 0:
            total += amount
            if confirmed[n] == 0:
                merging_points += amount
            out[rows, 0], out[rows, 1], out[rows, 2], out[rows, 3] = current, POINTS, now, complaint[n]
            out[rows, 4], out[rows, 5], out[rows, 6] = complainant[n], right[n], amount
            rows += 1
        if (makes_strike and count >= 3) or (amount > 0 and total >= 48):
            out[rows, 0], out[rows, 1], out[rows, 2] = current, CLOSURE, now
            rows += 1
            closed = True
    return rows
