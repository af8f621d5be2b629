"""The offsets of a time zone, read from the pinned `tzdata` package and never from the system's own database.

A zone is a table: the instants at which its offset from UTC changes, through the year 9999, and the offsets
that hold before, between and after them. Its file (RFC 9636) lists the changes that are known one by one;
those that follow a yearly rule from then on are written out here: one search answers for every instant.
"""

from __future__ import annotations

import difflib
import re
import struct
from datetime import date

from .quantities import shown

_HEADER = struct.Struct(">4sc15x6l")  # magic, version, and six counts (RFC 9636, 3.1)
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
_DAY = 86_400
_CYCLE = 146_097 * _DAY  # dates and weekdays repeat every 400 years
_END = (date.max.toordinal() + 1 - _EPOCH_ORDINAL) * _DAY

_NAME = r"(?:<[^<>]+>|[A-Za-z]{3,})"
_TIME = r"[+-]?\d{1,3}(?::\d{2}){0,2}"
_RULE = re.compile(
    rf"{_NAME}({_TIME})(?:{_NAME}({_TIME})?,M(\d+)\.(\d)\.(\d)(?:/({_TIME}))?,M(\d+)\.(\d)\.(\d)(?:/({_TIME}))?)?",
    re.ASCII,
)


def read_zone(name: str) -> tuple[list[int], list[int]]:
    """Read a time zone (semantics 10).

    Parameters
    ----------
    name : str
        The name of an IANA time zone, exactly as the package lists it; nothing else is ever opened.

    Returns
    -------
    changes : list of int
        When the offset changes, in seconds since 1970 UTC, ascending.
    offsets : list of int
        Seconds east of UTC: `offsets[i]` holds from `changes[i - 1]` on and before `changes[i]`.

    Raises
    ------
    ValueError
        If there is no such zone.

    Examples
    --------
    >>> changes, offsets = read_zone("Asia/Shanghai")
    >>> offsets[0], offsets[-1]
    (29143, 28800)
    """
    from importlib.resources import files  # only where a zone is read

    package = files("tzdata")
    known = package.joinpath("zones").read_text(encoding="utf-8").split()
    if name not in known:
        raise ValueError(f"{shown(name)} is no time zone{_suggestion(name, known)}")
    return parse_zone(package.joinpath("zoneinfo", *name.split("/")).read_bytes())


def parse_zone(data: bytes) -> tuple[list[int], list[int]]:
    """Make the table of a zone from the bytes of its file; see `read_zone` for what it holds.

    Raises
    ------
    ValueError
        If the bytes are no time zone file of version 2 or later, or follow a rule that `tzdata` does not use.
    """
    skipped = _size(data, 0, 4)
    counts = _counts(data, skipped)
    times, types = counts[3], counts[4]
    start = skipped + _HEADER.size
    known_changes = struct.unpack_from(f">{times}q", data, start)
    kinds = struct.unpack_from(f">{times}B", data, start + times * 8)
    kind_offsets = [seconds for seconds, _, _ in struct.iter_unpack(">lBB", data[start + times * 9 :][: types * 6])]
    footer = data[skipped + _size(data, skipped, 8) :].decode("ascii").strip("\n")
    offsets = [kind_offsets[0]]
    changes: list[int] = []
    known = zip(known_changes, (kind_offsets[kind] for kind in kinds), strict=True)
    after = known_changes[-1] if known_changes else -(2**63)
    for change, offset in [*known, *_yearly_changes(footer, after)]:
        if offset != offsets[-1]:
            changes.append(change)
            offsets.append(offset)
    return changes, offsets


def _suggestion(name: str, known: list[str]) -> str:
    by_folded = {one.casefold(): one for one in known}
    found = difflib.get_close_matches(name[:80].casefold().replace(" ", "_"), by_folded, n=1)
    return f", did you mean `{by_folded[found[0]]}`?" if found else ""


def _counts(data: bytes, start: int) -> tuple[int, ...]:
    """Counts of UT marks, standard marks, leap seconds, changes, kinds and characters."""
    magic, version, *counts = _HEADER.unpack_from(data, start)
    if magic != b"TZif" or version < b"2":
        raise ValueError("this is no time zone file of version 2 or later")
    return tuple(counts)


def _size(data: bytes, start: int, width: int) -> int:
    """Length in bytes of the block at `start`, its header included, where an instant takes `width` bytes."""
    marks, standard_marks, leaps, times, types, characters = _counts(data, start)
    changes = times * (width + 1)
    return _HEADER.size + changes + types * 6 + characters + leaps * (width + 4) + standard_marks + marks


def _yearly_changes(rule: str, after: int) -> list[tuple[int, int]]:
    """The changes after `after` that a rule such as `EST5EDT,M3.2.0,M11.1.0` makes, through the year 9999."""
    found = _RULE.fullmatch(rule)
    if not found:
        raise ValueError(f"the rule `{rule}` of a time zone file is not understood")
    if found[3] is None:
        return []
    standard = -_seconds(found[1])
    summer = -_seconds(found[2]) if found[2] else standard + 3600
    month, week, weekday, end_month, end_week, end_weekday = (int(found[i]) for i in (3, 4, 5, 7, 8, 9))
    start_time, end_time = (_seconds(found[i] or "2") for i in (6, 10))
    cycle = []
    for year in range(1, 401):
        start = _nth_weekday(year, month, week, weekday) + start_time - standard
        end = _nth_weekday(year, end_month, end_week, end_weekday) + end_time - summer
        cycle += [(start, summer), (end, standard)]
    cycle.sort()
    return [
        (change + cycles * _CYCLE, offset)
        for cycles in range(25)
        for change, offset in cycle
        if after < change + cycles * _CYCLE < _END
    ]


def _nth_weekday(year: int, month: int, week: int, weekday: int) -> int:
    """The start of the `week`-th (5: the last) `weekday` (0: Sunday) of a month, as if in UTC."""
    first = date(year, month, 1)
    day = first.toordinal() + (weekday - first.toordinal()) % 7 + (week - 1) * 7
    if date.fromordinal(day).month != month:
        day -= 7
    return (day - _EPOCH_ORDINAL) * _DAY


def _seconds(text: str) -> int:
    """Seconds of `[+-]h[:mm[:ss]]`."""
    hours, minutes, seconds = [*map(int, text.lstrip("+-").split(":")), 0, 0][:3]
    total = hours * 3600 + minutes * 60 + seconds
    return -total if text.startswith("-") else total
