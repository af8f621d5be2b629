"""What a peer concluded, in numbers that can be compared: whoever differs in one conclusion differs here."""

from __future__ import annotations

from collections.abc import Iterable

Conclusion = tuple[str, int, int, int]
"""Kind; local seconds since 1970; the number in the id of the complaint (of the seller, for a closure); points."""

Tally = dict[str, list[int]]
"""By kind: how many, the sum of points, and a checksum of instants and ids."""

MODULUS = 2**61 - 1
KINDS = ("violation", "strike", "points", "closure")


def tally_of(conclusions: Iterable[Conclusion]) -> Tally:
    """Tally conclusions one by one."""
    found: Tally = {kind: [0, 0, 0] for kind in KINDS}
    for kind, second, number, points in conclusions:
        row = found[kind]
        row[0] += 1
        row[1] += points
        row[2] += second * number
    for row in found.values():
        row[2] %= MODULUS
    return found


def number_of(name: str) -> int:
    """The number in an id of a sample, such as 17 in `c17`."""
    return int(name[1:])
