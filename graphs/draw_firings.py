"""The firings of one subject, step by step: what brought the step, the rules that fired, and what each derived.

Each step is a band with the rules of one stratum after the other; where there are too many steps, those that brought a
sanction and the newest are drawn, and the others folded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .draw_layers import Box, Columns, Link, draw_layers, fitting
from .draw_svg import Canvas, key
from .draw_words import say

MARGIN = 20.0
DATES = 100.0
GAP = 34.0
MOST_STEPS = 26


@dataclass(frozen=True, slots=True)
class Step:
    """A step: its number, its date and clock time, boxes in layers from 0 on and their links.

    `weight` says how much it matters where not all steps can be drawn.
    """

    number: int
    date: str
    clock: str
    boxes: tuple[Box, ...]
    links: tuple[Link, ...]
    weight: int = 0


@dataclass(frozen=True, slots=True)
class Firings:
    """What a picture of firings shows; `headings` name the layers."""

    title: str
    subtitle: str
    description: str
    headings: tuple[str, ...]
    steps: tuple[Step, ...]
    key: tuple[tuple[str, str], ...] = ()


Tell = Callable[[Sequence[Step]], list[str]]
"""Tells in lines of words of steps that are folded."""


def drawn(steps: Sequence[Step], most: int = MOST_STEPS) -> list[Step]:
    """The steps that are drawn: the first, the weightiest, and of equal ones the newest; in order.

    A single step between two of them is drawn as well, as to fold it would save nothing.
    """
    if len(steps) <= most:
        return list(steps)
    places = range(len(steps))
    ranked = sorted(places, key=lambda place: (place > 0, -steps[place].weight, -place))
    kept = set(ranked[:most])
    return [steps[place] for place in places if place in kept or {place - 1, place + 1} <= kept | {len(steps)}]


def draw_firings(firings: Firings, language: str, tell: Tell) -> tuple[str, list[str]]:
    """Draw the firings of a subject.

    Parameters
    ----------
    firings : Firings
        What is shown.
    language : str
        `zh` or `en`.
    tell : callable
        Tells in words of steps that are folded.

    Returns
    -------
    tuple of str and list of str
        The picture as SVG, and notes on what was folded.
    """
    shown = drawn(firings.steps)
    used = sorted({box.layer for step in shown for box in step.boxes})
    place = {layer: n for n, layer in enumerate(used)}
    widths = [
        fitting([box for step in shown for box in step.boxes if box.layer == layer], firings.headings[layer], 80, 180)
        for layer in used
    ]
    columns = Columns.of(MARGIN + DATES, widths or [170.0], GAP)
    canvas = Canvas(max(columns.right + MARGIN, 640.0))
    room = canvas.width - 2 * MARGIN
    y = canvas.paragraph(MARGIN, 32, firings.title, room, 17, bold=True)
    if firings.subtitle:
        y = canvas.paragraph(MARGIN, y - 4, firings.subtitle, room, 12, "soft")
    for layer in used:
        left = columns.lefts[place[layer]]
        canvas.fitted(left, y + 8, firings.headings[layer], columns.widths[place[layer]], 11, "soft", bold=True)
    y += 16
    canvas.line(MARGIN, y, canvas.width - MARGIN, y)
    numbers = {step.number for step in shown}
    hidden: list[Step] = []
    for step in firings.steps:
        if step.number not in numbers:
            hidden.append(step)
            continue
        y = _folded(canvas, hidden, y, tell)
        hidden = []
        canvas.text(MARGIN, y + 24, step.date, 11, "soft")
        canvas.text(MARGIN, y + 38, step.clock, 11, "soft")
        boxes = [_moved(box, place[box.layer]) for box in step.boxes]
        y = max(draw_layers(canvas, boxes, step.links, columns, y + 8), y + 38) + 8
        canvas.line(MARGIN, y, canvas.width - MARGIN, y, "grid")
    y = _folded(canvas, hidden, y, tell)
    notes = []
    if len(shown) < len(firings.steps):
        notes.append(say(language, "folded-steps", total=f"{len(firings.steps):,}", shown=len(shown)))
    y = key(canvas, MARGIN, y + 24, room, firings.key)
    for note in notes:
        y = canvas.paragraph(MARGIN, y, note, room, 11, "soft")
    return canvas.svg(firings.title, firings.description, 6), notes


def _moved(box: Box, layer: int) -> Box:
    return Box(layer, box.text, box.look, box.notes, box.title, box.round, box.bold)


def _folded(canvas: Canvas, hidden: Sequence[Step], y: float, tell: Tell) -> float:
    """A band that tells of steps that are left out."""
    if not hidden:
        return y
    room = canvas.width - 2 * MARGIN
    lines = tell(hidden)
    canvas.rect(MARGIN, y + 5, room, 17.0 * len(lines) + 9, "folded", 4)
    for line in lines:
        canvas.fitted(MARGIN + 10, y + 22, line, room - 20, 11, "soft")
        y += 17
    y += 19
    canvas.line(MARGIN, y, canvas.width - MARGIN, y, "grid")
    return y
