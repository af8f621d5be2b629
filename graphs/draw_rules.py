"""What the rules of a ruleset read and derive: kinds and rules in layers, stratum after stratum."""

from __future__ import annotations

from dataclasses import dataclass

from .draw_layers import Box, Columns, Link, draw_layers, fitting
from .draw_svg import Canvas, key

MARGIN = 20.0
GAP = 62.0


@dataclass(frozen=True, slots=True)
class Part:
    """Boxes and links that are drawn together, under a heading, with a heading for each layer."""

    heading: str
    headings: tuple[str, ...]
    boxes: tuple[Box, ...]
    links: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class RulesPicture:
    """What a picture of rules shows."""

    title: str
    subtitle: str
    description: str
    parts: tuple[Part, ...]
    key: tuple[tuple[str, str], ...]


def draw_rules(picture: RulesPicture) -> str:
    """Draw the rules of a ruleset as SVG."""
    plans = [_columns(part) for part in picture.parts]
    canvas = Canvas(max([*(columns.right for columns in plans), 560.0]) + MARGIN)
    room = canvas.width - 2 * MARGIN
    y = canvas.paragraph(MARGIN, 32, picture.title, room, 17, bold=True)
    if picture.subtitle:
        y = canvas.paragraph(MARGIN, y - 4, picture.subtitle, room, 12, "soft")
    for part, columns in zip(picture.parts, plans, strict=True):
        if part.heading:
            canvas.line(MARGIN, y, canvas.width - MARGIN, y, "grid")
            y = canvas.paragraph(MARGIN, y + 22, part.heading, room, 12, "soft", bold=True) - 8
        for heading, left, width in zip(part.headings, columns.lefts, columns.widths, strict=True):
            canvas.fitted(left, y + 8, heading, width + GAP - 8, 11, "soft", bold=True)
        y = draw_layers(canvas, part.boxes, part.links, columns, y + 22) + 16
    key(canvas, MARGIN, y + 12, room, picture.key)
    return canvas.svg(picture.title, picture.description, 10)


def _columns(part: Part) -> Columns:
    boxes = [[box for box in part.boxes if box.layer == layer] for layer in range(len(part.headings))]
    widths = [
        fitting(found, heading, 90, 230) if found else 60.0 for found, heading in zip(boxes, part.headings, strict=True)
    ]
    return Columns.of(MARGIN, widths, GAP)
