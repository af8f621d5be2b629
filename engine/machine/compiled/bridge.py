"""Facts as columns of integers, and runs over them by the dialect of arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from strikeout.facts import Fact, Kind, Type, Value
from strikeout.model import Ruleset

from .arrays_layout import AGAIN, FIELDS, MADE, REJECTED, STATUS, WAITING, Layout
from .kernel import Kernel
from .runtime import NEVER

NUMBERS = ("integer", "duration")


class Codes:
    """The ids and texts of a run by number."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts: list[str] = []
        self._numbers: dict[str, int] = {}
        for text in texts:
            self.code(text)

    def code(self, text: str) -> int:
        """The number of a text."""
        found = self._numbers.get(text)
        if found is None:
            found = self._numbers[text] = len(self.texts)
            self.texts.append(text)
        return found


def encode(type_: Type, value: Value, codes: Codes) -> int:
    """A value as an integer."""
    if value is None:
        return NEVER if type_.name == "time" else 0 if type_.name in NUMBERS else -1
    if type_.is_enum:
        return type_.members.index(str(value))
    return codes.code(value) if isinstance(value, str) else int(value)


def decode(kind: Kind, row: Any, layout: Layout, codes: Codes) -> tuple[Value, ...]:
    """The values of a derived fact from the cells of its fields."""
    values: list[Value] = []
    for f in kind.fields:
        number = int(row[layout.made[f.name]])
        if f.type.name in NUMBERS:
            known = layout.made.get(f"{f.name} known")
            values.append(number if known is None or row[known] else None)
        elif f.type.name == "time":
            values.append(None if number == NEVER else number)
        elif number < 0:
            values.append(None)
        elif f.type.is_enum:
            values.append(f.type.members[number])
        else:
            values.append(bool(number) if f.type.name == "boolean" else codes.texts[number])
    return tuple(values)


def columns_of(layout: Layout, facts: Sequence[Fact], codes: Codes) -> Any:
    """Facts as columns: kind, at, then those of the fields that rules read."""
    columns = np.zeros((2 + len(layout.given), len(facts)), np.int64)
    for place, fact in enumerate(facts):
        columns[0, place] = fact.kind.index
        columns[1, place] = fact.at
        for f, value in zip(fact.kind.fields, fact.values, strict=True):
            if f.name in layout.given:
                columns[2 + layout.given[f.name], place] = encode(f.type, value, codes)
            if f"{f.name} known" in layout.given:
                columns[2 + layout.given[f"{f.name} known"], place] = value is not None
    return columns


@dataclass(slots=True)
class Workspace:
    """The arrays that a run works in; where one is too small, all are made larger and the subject is run again."""

    kernel: Kernel
    size: int
    arrays: dict[str, Any]

    @classmethod
    def of(cls, kernel: Kernel, size: int) -> Workspace:
        """A workspace for subjects of about so many facts."""
        made = cls(kernel, size, {})
        made.allocate()
        return made

    def allocate(self) -> None:
        """Make the arrays anew."""
        size, kernel = self.size, self.kernel
        nodes = np.zeros((4 * size + 1, kernel.node_width), np.int64)
        nodes[0, 4] = nodes[0, 5] = NEVER
        self.arrays = {
            "N": nodes,
            "R": np.zeros((2 * size, kernel.record_width), np.int64),
            "T": np.zeros(1 << (4 * size).bit_length(), np.int64),
            "H": np.zeros((kernel.row_width, size), np.int64),
            "heap": np.zeros(size, np.int64),
            "X": np.zeros((size, kernel.reason_width), np.int64),
            "S": np.zeros(16, np.int64),
        }

    def grow(self) -> None:
        """Make the arrays larger."""
        self.size *= 2
        self.allocate()


def zone_arrays(ruleset: Ruleset) -> list[Any]:
    """The tables of the zone and the working days."""
    zone, calendar = ruleset.zone, ruleset.calendar
    changes, local_changes, offsets = zone.changes, zone.local_changes, zone.offsets
    working = calendar.working if calendar is not None else ()
    return [np.array(values, np.int64) for values in (changes, local_changes, offsets, working)]


@dataclass(frozen=True, slots=True)
class Raw:
    """A subject's run as the arrays have it: rows of what is derived and scheduled, and why it was rejected, if so."""

    derived: Any
    scheduled: Any
    waiting: list[int]
    again: Any
    voids: Any
    rejected: Any


def run_raw(
    drive: Callable[..., int],
    kernel: Kernel,
    ruleset: Ruleset,
    subject: int,
    columns: Any,
    flags: Any,
    as_of: int,
    literals: Any,
) -> Raw:
    """Run one subject."""
    zone = zone_arrays(ruleset)
    work = Workspace.of(kernel, 8 + 2 * kernel.record_width)
    voids = np.full((columns.shape[1], 2), -1, np.int64)
    room, rejections, counts = 64, np.zeros((1, 5), np.int64), np.zeros(1, np.int64)
    starts, subjects = np.array([0, columns.shape[1]], np.int64), np.array([subject], np.int64)
    while True:
        a = work.arrays
        rows = np.zeros((kernel.row_width, room), np.int64)
        given = (columns, flags, voids, literals, *zone, *a.values(), rows, rejections)
        why = drive(*given, starts, subjects, counts, as_of, 0, 1)
        if why == 0:
            break
        if why == 1:
            work.grow()
        else:
            room *= 2
    state = a["S"]
    rejected = rejections[0] if state[REJECTED] else None
    made = (
        0 if rejected is not None and rejected[STATUS] == 3 else rejections[0, MADE] if state[REJECTED] else counts[0]
    )
    waiting = [int(item) for item in a["heap"][: state[WAITING]]]
    return Raw(rows[:, :made].T, a["H"].T, waiting, a["X"][: state[AGAIN]], voids, rejected)


__all__ = ["FIELDS", "Codes", "Raw", "Workspace", "columns_of", "decode", "encode", "run_raw", "zone_arrays"]
