"""What stands where in the lanes of a timeline: marks in rows, bars in rows, or columns that count what is dense."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from .draw_scale import Scale
from .draw_svg import NOTE
from .draw_text import lines_of, shorten, text_width

LABELS = 208.0
"""How many pixels the names of lanes have."""
ROW = 20.0
EDGE = 14.0
"""How far what lasts reaches beyond the end of the axis."""
SMALL = 10.5
MOST_NOTES = 2
"""How many lines the note of a lane has at most."""
MOST_ROWS = 4
MOST_BARS = 8
LABEL = 90.0
"""How many pixels the label of a mark has."""
COLUMN = 24.0
TALL = 44.0
"""How high the tallest column of a dense lane is."""

FOLDED = ("folded-columns", "folded-labels", "folded-windows", "folded-bars")
"""The phrases that say what was folded."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A fact on the timeline: instant, state, a short label, words for who points at it, and the end of its window."""

    at: int
    state: str
    label: str = ""
    title: str = ""
    until: int | None = None


@dataclass(frozen=True, slots=True)
class Bar:
    """A sanction: from when until when (None: it lasts), its look (`low`, `mid`, `high`), a label and words."""

    start: int
    end: int | None
    look: str
    label: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True)
class Lane:
    """A row of the timeline with its name, and a note below that."""

    name: str
    note: str = ""
    marks: tuple[Mark, ...] = ()
    bars: tuple[Bar, ...] = ()


@dataclass(slots=True)
class Plan:
    """How a lane is drawn: marks in rows, bars in rows, or columns that count."""

    lane: Lane
    height: float = 0.0
    marks: list[tuple[Mark, int, bool, bool]] = field(default_factory=list)  # mark, row, label shown, at its left
    bars: list[tuple[Bar, int, str, str]] = field(default_factory=list)  # bar, row, label, and where it stands
    columns: dict[int, Counter[str]] = field(default_factory=dict)
    windows: bool = True


def _rows(extents: Sequence[tuple[float, float]], most: int) -> list[int] | None:
    """A row for each extent, in order, so that none touch; None where it takes more rows than `most`."""
    ends: list[float] = []
    rows = []
    for low, high in extents:
        row = next((n for n, end in enumerate(ends) if end <= low), len(ends))
        if row == len(ends):
            if row == most:
                return None
            ends.append(high)
        else:
            ends[row] = high
        rows.append(row)
    return rows


def plan_lane(lane: Lane, scale: Scale, folded: Counter[str]) -> Plan:
    """How a lane is drawn; what has to be folded for that is counted by its phrase."""
    plan = Plan(lane)
    least = 27.0
    if lane.note:
        least += 1 + NOTE * len(lines_of(lane.note, LABELS - 18, SMALL, MOST_NOTES))
    if lane.bars:
        rows = _plan_bars(plan, scale, folded)
        plan.height = max(rows * ROW + 8, least)
        return plan
    marks = [replace(mark, label=shorten(mark.label, LABEL, 11)) for mark in sorted(lane.marks, key=lambda m: m.at)]
    for labels, windows in ((True, True), (False, True), (False, False)):
        sides = [labels and scale.x(m.at) + 12 + text_width(m.label, 11) > scale.right + EDGE for m in marks]
        extents = [_extent(scale, mark, labels, left, windows) for mark, left in zip(marks, sides, strict=True)]
        order = sorted(range(len(marks)), key=lambda n: (extents[n][0], n))
        found = _rows([extents[n] for n in order], MOST_ROWS)
        if found is not None:
            rows_of = dict(zip(order, found, strict=True))
            plan.marks = [(m, rows_of[n], labels and bool(m.label), sides[n]) for n, m in enumerate(marks)]
            plan.windows = windows
            plan.height = max((max(found, default=0) + 1) * ROW + 8, least)
            if not labels and any(mark.label for mark in marks):
                folded["folded-labels"] += 1
            if not windows and any(mark.until is not None for mark in marks):
                folded["folded-windows"] += 1
            return plan
    last = int((scale.right - scale.left) // COLUMN) - 1
    for mark in marks:
        number_ = min(int((scale.x(mark.at) - scale.left) // COLUMN), last)
        plan.columns.setdefault(number_, Counter())[mark.state] += 1
    plan.height = TALL + 24
    folded["folded-columns"] += 1
    return plan


def _extent(scale: Scale, mark: Mark, labels: bool, left: bool, windows: bool) -> tuple[float, float]:
    x = scale.x(mark.at)
    low, high = x - 8, x + 8
    if labels and mark.label:
        width = text_width(mark.label, 11) + 6
        low, high = (low - width, high) if left else (low, high + width)
    if windows and mark.until is not None:
        high = max(high, scale.x(mark.until) + 2)
    return low, high


def _plan_bars(plan: Plan, scale: Scale, folded: Counter[str]) -> int:
    bars = sorted(plan.lane.bars, key=lambda bar: bar.start)
    placed = []
    for bar in bars:
        low = scale.x(bar.start)
        high = scale.right + EDGE if bar.end is None else max(scale.x(bar.end), low + 3)
        room = max(high - low - 12, scale.right + EDGE - high - 8, low - 8 - scale.left)
        label = shorten(bar.label, max(room, 40), 11)
        wide = text_width(label, 11)
        where = "in" if wide + 12 <= high - low else "right" if high + 8 + wide <= scale.right + EDGE else "left"
        extent = {"in": (low, high + 3), "right": (low, high + wide + 12), "left": (low - wide - 12, high + 3)}[where]
        placed.append((bar, label, where, extent))
    order = sorted(range(len(placed)), key=lambda n: (placed[n][3][0], n))
    rows = _rows([placed[n][3] for n in order], MOST_BARS)
    if rows is not None:
        rows_of = dict(zip(order, rows, strict=True))
        plan.bars = [(bar, rows_of[n], label, where) for n, (bar, label, where, _) in enumerate(placed)]
        return max(rows, default=0) + 1
    united: list[Bar] = []
    for bar in bars:
        last = united[-1] if united else None
        if last is not None and (last.end is None or scale.x(bar.start) <= scale.x(last.end) + 4):
            end = None if last.end is None or bar.end is None else max(last.end, bar.end)
            united[-1] = Bar(last.start, end, last.look)
        else:
            united.append(Bar(bar.start, bar.end, bar.look))
    plan.bars = [(bar, 0, "", "in") for bar in united]
    folded["folded-bars"] += 1
    return 1
