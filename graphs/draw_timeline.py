"""The timeline of one subject: marks for facts, spans for windows, bars for sanctions, over a common axis of time.

What is too dense to be read is counted in columns or drawn as one, and the picture says so.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from .complaints import STATES
from .draw_lanes import COLUMN, EDGE, FOLDED, LABELS, MOST_NOTES, ROW, SMALL, TALL, Bar, Lane, Plan, plan_lane
from .draw_scale import Clock, Scale
from .draw_svg import Canvas, key, number
from .draw_text import text_width
from .draw_words import about, say

WIDTH = 1040.0
MARGIN = 20.0


@dataclass(frozen=True, slots=True)
class History:
    """What a timeline shows.

    Attributes
    ----------
    title, subtitle, description : str
        What it is of; the description is for those who do not see it.
    groups : tuple of str and lanes
        Lanes under headings.
    now : int
        The instant of the run, in microseconds since 1970 UTC, and its words.
    key : tuple of str and str
        Marks, `bar:LOOK` or `line:LOOK`, each with its words.
    """

    title: str
    subtitle: str
    description: str
    groups: tuple[tuple[str, tuple[Lane, ...]], ...]
    now: int
    now_text: str
    key: tuple[tuple[str, str], ...] = ()

    @property
    def lanes(self) -> list[Lane]:
        """All lanes."""
        return [lane for _, lanes in self.groups for lane in lanes]


def draw_timeline(history: History, clock: Clock, language: str) -> tuple[str, list[str]]:
    """Draw a timeline.

    Parameters
    ----------
    history : History
        What it shows.
    clock : Clock
        The time zone of its dates.
    language : str
        `zh` or `en`.

    Returns
    -------
    tuple of str and list of str
        The picture as SVG, and notes on what was folded or cut out.
    """
    scale = _scale(history)
    folded: Counter[str] = Counter()
    plans = [[plan_lane(lane, scale, folded) for lane in lanes] for _, lanes in history.groups]
    length = about(language, COLUMN * scale.per_pixel)
    notes = [say(language, phrase, number=folded[phrase], length=length) for phrase in FOLDED if folded[phrase]]
    canvas = Canvas(WIDTH)
    y = canvas.paragraph(MARGIN, 32, history.title, WIDTH - 2 * MARGIN, 17, bold=True)
    if history.subtitle:
        y = canvas.paragraph(MARGIN, y - 4, history.subtitle, WIDTH - 2 * MARGIN, 12, "soft")
    axis = y + 20
    top = axis + 8
    bottom = top + sum(22 + sum(plan.height for plan in found) for found in plans) + 4
    _background(canvas, scale, clock, language, history, axis, top, bottom)
    y = top
    for (heading, _), found in zip(history.groups, plans, strict=True):
        canvas.fitted(MARGIN, y + 15, heading, LABELS - 8, 11, "soft", bold=True)
        y += 22
        for plan in found:
            _lane(canvas, scale, plan, y)
            y += plan.height
    x = scale.x(history.now)
    canvas.line(x, axis - 14, x, bottom, "dashed", 1.4)
    if any(piece.cut for piece in scale.pieces):
        notes.append(say(language, "cut"))
    y = key(canvas, MARGIN, bottom + 24, WIDTH - 2 * MARGIN, history.key)
    for note in notes:
        y = canvas.paragraph(MARGIN, y, note, WIDTH - 2 * MARGIN, 11, "soft")
    return canvas.svg(history.title, history.description, 6), notes


def _scale(history: History) -> Scale:
    instants = [history.now]
    windows = []
    for lane in history.lanes:
        for mark in lane.marks:
            instants.append(mark.at)
            if mark.until is not None:
                instants.append(mark.until)
                windows.append(mark.until - mark.at)
        for bar in lane.bars:
            instants.append(bar.start)
            if bar.end is not None:
                instants.append(bar.end)
    left, right = LABELS + MARGIN + 10, WIDTH - MARGIN - EDGE
    return Scale(instants, min((length for length in windows if length > 0), default=0), left, right)


def _background(
    canvas: Canvas,
    scale: Scale,
    clock: Clock,
    language: str,
    history: History,
    axis: float,
    top: float,
    bottom: float,
) -> None:
    """The axis with its words, the lines at its ticks, quiet times, and the part that lies ahead."""
    now = scale.x(history.now)
    if now < scale.right - 1:
        canvas.rect(now, top, scale.right + EDGE - now, bottom - top, "band")
    for tick in scale.ticks(clock, 76):
        canvas.line(tick.x, axis + 4, tick.x, bottom, "grid")
        canvas.text(tick.x, axis, tick.text, 11, "soft", "middle")
    for piece in scale.pieces:
        if piece.cut:
            middle = (piece.left + piece.right) / 2
            canvas.text(middle, axis, about(language, piece.end - piece.start), 10, "soft", "middle")
            for x in (middle - 4, middle + 1):
                canvas.path(f"M{number(x)} {number(axis + 14)}l3 -9", "rule", 1.2)
            canvas.line(middle, top + 8, middle, bottom, "grid", 5)
    canvas.line(scale.left - 10, top, scale.right + EDGE, top, "rule")
    half = text_width(history.now_text, 11) / 2
    middle = min(max(now, scale.left - 10 + half), WIDTH - MARGIN - half)
    canvas.text(middle, axis - 18, history.now_text, 11, "ink", "middle")


def _lane(canvas: Canvas, scale: Scale, plan: Plan, y: float) -> None:
    lane = plan.lane
    canvas.fitted(MARGIN + 8, y + 17, lane.name, LABELS - 18, 12)
    if lane.note:
        canvas.notes(MARGIN + 8, y + 31, lane.note, LABELS - 18, SMALL, MOST_NOTES)
    canvas.line(MARGIN, y + plan.height, scale.right + EDGE, y + plan.height, "grid")
    for mark, row, _, _ in plan.marks:
        if plan.windows and mark.until is not None:
            x, end = scale.x(mark.at), scale.x(mark.until)
            canvas.rect(x, y + 6 + row * ROW, max(end - x, 2), ROW - 4, "window", 3)
    for mark, row, labelled, left in plan.marks:
        x, middle = scale.x(mark.at), y + 14 + row * ROW
        canvas.mark(x, middle, mark.state, 5.5, mark.title)
        if labelled and left:
            canvas.text(x - 10, middle + 4, mark.label, 11, "ink", "end")
        elif labelled:
            canvas.text(x + 10, middle + 4, mark.label, 11)
    for bar, row, label, where in plan.bars:
        _bar(canvas, scale, bar, label, where, y + 5 + row * ROW)
    if plan.columns:
        _columns(canvas, scale, plan, y)


def _bar(canvas: Canvas, scale: Scale, bar: Bar, label: str, where: str, y: float) -> None:
    low = scale.x(bar.start)
    high = scale.right + EDGE if bar.end is None else max(scale.x(bar.end), low + 3)
    if bar.end is None:
        # What lasts has no right edge.
        top, base, edge = number(y), number(y + ROW - 4), number(high - 8)
        middle = number(y + ROW / 2 - 2)
        steps = f"M{number(low)} {top}H{edge}L{number(high)} {middle}L{edge} {base}H{number(low)}Z"
        canvas.path(steps, bar.look, 1.0, bar.title)
    else:
        canvas.rect(low, y, high - low, ROW - 4, bar.look, 2, bar.title)
    if where == "in":
        canvas.text(low + 6, y + 12, label, 11)
    elif where == "right":
        canvas.text(high + 6, y + 12, label, 11)
    else:
        canvas.text(low - 6, y + 12, label, 11, anchor="end")


def _columns(canvas: Canvas, scale: Scale, plan: Plan, y: float) -> None:
    base = y + plan.height - 4
    most = max(counts.total() for counts in plan.columns.values())
    for column, counts in sorted(plan.columns.items()):
        x = scale.left + column * COLUMN
        top = base
        for state in sorted(counts, key=lambda s: (STATES.index(s) if s in STATES else 9, s)):
            height = counts[state] * TALL / most
            top -= height
            canvas.rect(x + 3, top, COLUMN - 6, height, state if state in STATES else "box")
        total = counts.total()
        text = f"{total}" if total < 1000 else f"{total // 1000}k"
        canvas.text(x + COLUMN / 2, top - 3, text, 9, "soft", "middle")
