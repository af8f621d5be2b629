"""Boxes in layers from left to right, and links between them: where each stands, and how it is drawn.

A layered layout after Sugiyama, without chance: links that pass a layer have a place in it, boxes are ordered by where
their neighbours stand, and their heights are those nearest to their neighbours' that keep them apart.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field

from .draw_svg import NOTE, Canvas, number
from .draw_text import lines_of, text_width

GAP = 12.0
PASSING = 7.0
"""How much room a link has that passes a layer."""
PORT = 9.0
SWEEPS = 12
SIZE = 12.0
SMALL = 10.5
MOST_LINES = 2
"""How many lines a note has at most."""


@dataclass(frozen=True, slots=True)
class Box:
    """A box: its layer, the look of its ground, a line of text, notes below it, and words for who points at it."""

    layer: int
    text: str
    look: str = "box"
    notes: tuple[str, ...] = ()
    title: str = ""
    round: bool = False
    bold: bool = False


@dataclass(frozen=True, slots=True)
class Link:
    """A link from a box (by its place in the list) to one in a later layer; with `back` its arrow points at the first.

    `look` is that of the line, `strong`, `dashed` or `dotted`.
    """

    source: int
    target: int
    look: str = "strong"
    back: bool = False


@dataclass(slots=True)
class _Node:
    """A box, or the place where a link passes a layer."""

    layer: int
    height: float
    box: int | None
    before: list[int] = field(default_factory=list)
    after: list[int] = field(default_factory=list)
    y: float = 0.0

    @property
    def middle(self) -> float:
        return self.y + self.height / 2


@dataclass(frozen=True, slots=True)
class Columns:
    """Where layers stand: the left edge of each, and its width."""

    lefts: tuple[float, ...]
    widths: tuple[float, ...]

    @classmethod
    def of(cls, left: float, widths: Sequence[float], gap: float) -> Columns:
        """Layers of these widths, side by side."""
        lefts = []
        for width in widths:
            lefts.append(left)
            left += width + gap
        return cls(tuple(lefts), tuple(widths))

    @property
    def right(self) -> float:
        """The right edge of the last layer."""
        return self.lefts[-1] + self.widths[-1]


def draw_layers(canvas: Canvas, boxes: Sequence[Box], links: Sequence[Link], columns: Columns, top: float) -> float:
    """Draw boxes and links.

    Parameters
    ----------
    canvas : Canvas
        Where to.
    boxes : sequence of Box
        The boxes, in the order in which those of a layer stand at first.
    links : sequence of Link
        The links.
    columns : Columns
        Where layers stand.
    top : float
        Where the highest begins.

    Returns
    -------
    float
        Where the lowest ends.
    """
    nodes, chains = _nodes(boxes, links, columns)
    layers = _ordered(nodes, len(columns.lefts))
    _place(nodes, layers)
    highest = min((node.y for node in nodes), default=0.0)
    for node in nodes:
        node.y += top - highest
    ports = _ports(nodes, chains)
    for n, (link, chain) in enumerate(zip(links, chains, strict=True)):
        _link(canvas, link, [nodes[place] for place in chain], ports[n], columns)
    for node in nodes:
        if node.box is not None:
            _box(canvas, boxes[node.box], node, columns)
    return max((node.y + node.height for node in nodes), default=top)


def _note_lines(box: Box, columns: Columns) -> list[int]:
    """How many lines each note of a box takes."""
    room = columns.widths[box.layer] - 16
    return [len(lines_of(note, room, SMALL, MOST_LINES)) for note in box.notes]


def _nodes(boxes: Sequence[Box], links: Sequence[Link], columns: Columns) -> tuple[list[_Node], list[list[int]]]:
    """The boxes and the places where links pass, and the chain of nodes of each link."""
    ins, outs = [0] * len(boxes), [0] * len(boxes)
    for link in links:
        outs[link.source] += 1
        ins[link.target] += 1
    nodes = []
    for n, box in enumerate(boxes):
        height = 26.0 + NOTE * sum(_note_lines(box, columns))
        nodes.append(_Node(box.layer, max(height, PORT * max(ins[n], outs[n]) + 8), n))
    chains = []
    for link in links:
        chain = [link.source]
        for layer in range(boxes[link.source].layer + 1, boxes[link.target].layer):
            nodes.append(_Node(layer, PASSING, None))
            chain.append(len(nodes) - 1)
        chain.append(link.target)
        for one, other in itertools.pairwise(chain):
            nodes[one].after.append(other)
            nodes[other].before.append(one)
        chains.append(chain)
    return nodes, chains


def _ordered(nodes: list[_Node], count: int) -> list[list[int]]:
    """The nodes of each layer in an order with few crossings."""
    layers: list[list[int]] = [[] for _ in range(count)]
    for n, node in enumerate(nodes):
        layers[node.layer].append(n)
    best, fewest = [list(layer) for layer in layers], _crossings(nodes, layers)
    for sweep in range(SWEEPS):
        if not fewest:
            break
        down = sweep % 2 == 0
        places = {n: place for layer in layers for place, n in enumerate(layer)}
        for layer in layers if down else reversed(layers):
            middle = {}
            for place, n in enumerate(layer):
                near = nodes[n].before if down else nodes[n].after
                middle[n] = sum(places[m] for m in near) / len(near) if near else float(place)
            layer.sort(key=lambda n: (middle[n], places[n]))
            places.update({n: place for place, n in enumerate(layer)})
        crossings = _crossings(nodes, layers)
        if crossings < fewest:
            best, fewest = [list(layer) for layer in layers], crossings
    return best


def _crossings(nodes: list[_Node], layers: list[list[int]]) -> int:
    places = {n: place for layer in layers for place, n in enumerate(layer)}
    total = 0
    for layer in layers:
        ends = [(places[n], places[m]) for n in layer for m in nodes[n].after]
        total += sum((a - c) * (b - d) < 0 for i, (a, b) in enumerate(ends) for c, d in ends[:i])
    return total


def _place(nodes: list[_Node], layers: list[list[int]]) -> None:
    """Give each node its height in the picture."""
    for layer in layers:
        y = 0.0
        for n in layer:
            nodes[n].y = y
            y += nodes[n].height + GAP
    for sweep in range(SWEEPS):
        for layer in layers if sweep % 2 == 0 else reversed(layers):
            wanted, weights = [], []
            for n in layer:
                node = nodes[n]
                near = [*node.before, *node.after]
                pulls = [(nodes[m].middle, 6.0 if node.box is None and nodes[m].box is None else 1.0) for m in near]
                weight = sum(pull for _, pull in pulls)
                wanted.append(sum(y * pull for y, pull in pulls) / weight if weight else node.middle)
                weights.append(weight or 0.1)
            for n, y in zip(layer, _apart([nodes[n].height for n in layer], wanted, weights), strict=True):
                nodes[n].y = y


def _apart(heights: list[float], wanted: list[float], weights: list[float]) -> list[float]:
    """The tops nearest to the wanted middles that keep order and distance, by pooling adjacent violators."""
    offsets, y = [], 0.0
    for height in heights:
        offsets.append(y)
        y += height + GAP
    pools: list[tuple[float, float, int]] = []  # top without offset, weight, how many
    for n, middle in enumerate(wanted):
        top, weight, count = middle - heights[n] / 2 - offsets[n], weights[n], 1
        while pools and pools[-1][0] > top:
            other, heavy, many = pools.pop()
            top = (top * weight + other * heavy) / (weight + heavy)
            weight, count = weight + heavy, count + many
        pools.append((top, weight, count))
    tops = [top for top, _, count in pools for _ in range(count)]
    return [top + offset for top, offset in zip(tops, offsets, strict=True)]


def _ports(nodes: list[_Node], chains: list[list[int]]) -> list[tuple[float, float]]:
    """Where each link leaves its first box and meets its last, in the order of where it comes from and goes to."""
    leaving: dict[int, list[int]] = {}
    meeting: dict[int, list[int]] = {}
    for n, chain in enumerate(chains):
        leaving.setdefault(chain[0], []).append(n)
        meeting.setdefault(chain[-1], []).append(n)
    starts, ends = [0.0] * len(chains), [0.0] * len(chains)
    for groups, found, near in ((leaving, starts, 1), (meeting, ends, -2)):
        for place, group in groups.items():
            node = nodes[place]
            group.sort(key=lambda n: (nodes[chains[n][near]].middle, n))
            step = min(node.height / (len(group) + 1), 14.0)
            first = node.middle - step * (len(group) - 1) / 2
            for rank, n in enumerate(group):
                found[n] = first + rank * step
    return list(zip(starts, ends, strict=True))


def _link(canvas: Canvas, link: Link, chain: list[_Node], port: tuple[float, float], columns: Columns) -> None:
    lefts, widths = columns.lefts, columns.widths
    x, y = lefts[chain[0].layer] + widths[chain[0].layer], port[0]
    tip = 6.0
    steps = f"M{number(x + (tip if link.back else 0))} {number(y)}"
    x += tip if link.back else 0
    for node in chain[1:]:
        last = node is chain[-1]
        end = lefts[node.layer] - (tip if last and not link.back else 0)
        to = port[1] if last else node.middle
        half = (end - x) / 2
        steps += f"C{number(x + half)} {number(y)} {number(end - half)} {number(to)} {number(end)} {number(to)}"
        x, y = end, to
        if not last:
            x += widths[node.layer]
            steps += f"H{number(x)}"
    canvas.path(steps, link.look, 1.3)
    tips = {"dotted": "tip-later", "dashed": "tip-soft"}
    look = tips.get(link.look, "tip")
    if link.back:
        first = chain[0]
        canvas.arrow(lefts[first.layer] + widths[first.layer], port[0], look, left=True)
    else:
        canvas.arrow(lefts[chain[-1].layer], port[1], look)


def _box(canvas: Canvas, box: Box, node: _Node, columns: Columns) -> None:
    x, width = columns.lefts[node.layer], columns.widths[node.layer]
    canvas.rect(x, node.y, width, node.height, box.look, 12 if box.round else 3, box.title or box.text)
    lines = _note_lines(box, columns)
    y = node.y + (node.height - 13.0 - NOTE * sum(lines)) / 2 + 11
    canvas.fitted(x + 8, y, box.text, width - 16, SIZE, "ink", bold=box.bold)
    for note, taken in zip(box.notes, lines, strict=True):
        canvas.notes(x + 8, y + NOTE, note, width - 16, SMALL, MOST_LINES)
        y += NOTE * taken


def fitting(boxes: Sequence[Box], heading: str, least: float, most: float) -> float:
    """The width of a layer that has these boxes under a heading; only short notes count."""
    texts = [text_width(box.text, SIZE) * 1.08 for box in boxes]
    notes = [min(text_width(note, SMALL), 150.0) for box in boxes for note in box.notes]
    return min(max([least, text_width(heading, 11) * 1.08, *texts, *notes]) + 18, most)
