"""The complaint graph in three columns: complainants, rights and subjects, with a ribbon for complaints of one state.

A ribbon is as wide as the complaints are many. Where a column has too many, those with the fewest are folded into one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from .complaints import STATES
from .draw_svg import Canvas, key, number
from .draw_text import text_width
from .draw_words import say

WIDTH = 1040.0
MARGIN = 20.0
BOX = 210.0
MOST = 18
"""How many nodes a column has at most, the folded ones apart."""
TALL = 560.0
THICK = 16.0
THIN = 1.6
GAP = 8.0

FOLDED = "\x00folded"
"""Stands for the nodes of a column that are not drawn by themselves; no id is cleaned to this."""

Ids = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Flows:
    """What the three columns show.

    Attributes
    ----------
    title, subtitle, description : str
        What it is of.
    headings : tuple of three str
        The columns.
    counts : mapping
        How many complaints there are by complainant, right and subject, and by state; ids as they are shown, the empty
        text where there is none.
    """

    title: str
    subtitle: str
    description: str
    headings: Ids
    counts: Mapping[tuple[Ids, str], int]
    key: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class _Bundle:
    """Ribbons of one state between two nodes: how many complaints, how thick, and where they leave and meet."""

    source: tuple[int, str]
    target: tuple[int, str]
    state: str
    number: int
    thick: float = 0.0
    start: float = 0.0
    end: float = 0.0


@dataclass(slots=True)
class _Block:
    """A node: how many complaints pass it, and where it stands."""

    name: str
    total: int
    height: float = 0.0
    y: float = 0.0
    ins: list[_Bundle] = field(default_factory=list)
    outs: list[_Bundle] = field(default_factory=list)


def draw_columns(flows: Flows, language: str) -> tuple[str, list[str]]:
    """Draw a complaint graph.

    Parameters
    ----------
    flows : Flows
        What is shown.
    language : str
        `zh` or `en`.

    Returns
    -------
    tuple of str and list of str
        The picture as SVG, and notes on what was folded.
    """
    notes: list[str] = []
    counts, others = _fold(flows, notes, language)
    columns, bundles = _blocks(counts)
    lefts = (MARGIN, (WIDTH - BOX) / 2, WIDTH - MARGIN - BOX)
    canvas = Canvas(WIDTH)
    room = WIDTH - 2 * MARGIN
    y = canvas.paragraph(MARGIN, 32, flows.title, room, 17, bold=True)
    if flows.subtitle:
        y = canvas.paragraph(MARGIN, y - 4, flows.subtitle, room, 12, "soft")
    for left, heading in zip(lefts, flows.headings, strict=True):
        canvas.fitted(left, y + 8, heading, BOX, 11, "soft", bold=True)
    top = y + 20
    bottom = _arrange(columns, bundles, top)
    for bundle in bundles:
        _ribbon(canvas, bundle, lefts, flows, others, language)
    for column, blocks in enumerate(columns):
        for block in blocks.values():
            _block(canvas, block, lefts[column], others[column], language)
    if not bundles:
        canvas.text(MARGIN, top + 12, say(language, "nothing"), 12, "soft")
    y = key(canvas, MARGIN, max(bottom, top + 16) + 30, room, flows.key)
    for note in notes:
        y = canvas.paragraph(MARGIN, y, note, room, 11, "soft")
    return canvas.svg(flows.title, flows.description, 6), notes


def _fold(flows: Flows, notes: list[str], language: str) -> tuple[Counter[tuple[Ids, str]], list[int]]:
    """The counts with the nodes folded that have the fewest complaints, and how many these are in each column."""
    kept: list[set[str]] = []
    others = []
    for column in range(3):
        totals: Counter[str] = Counter()
        for (ids, _), count in flows.counts.items():
            totals[ids[column]] += count
        ranked = sorted(totals, key=lambda name: (-totals[name], name))
        # To fold a single one would save nothing.
        shown = ranked if len(ranked) <= MOST + 1 else ranked[:MOST]
        kept.append(set(shown))
        others.append(len(ranked) - len(shown))
        if others[-1]:
            found = {"name": flows.headings[column], "shown": len(shown), "number": f"{others[-1]:,}"}
            notes.append(say(language, "folded-nodes", **found))
    counts: Counter[tuple[Ids, str]] = Counter()
    for (ids, state), count in flows.counts.items():
        a, b, c = (name if name in kept[n] else FOLDED for n, name in enumerate(ids))
        counts[(a, b, c), state] += count
    return counts, others


def _blocks(counts: Counter[tuple[Ids, str]]) -> tuple[list[dict[str, _Block]], list[_Bundle]]:
    columns: list[dict[str, _Block]] = [{}, {}, {}]
    bundles: dict[tuple[int, str, str, str], _Bundle] = {}
    for (ids, state), count in counts.items():
        for column, name in enumerate(ids):
            block = columns[column].setdefault(name, _Block(name, 0))
            block.total += count
        for column in (0, 1):
            identity = (column, ids[column], ids[column + 1], state)
            if identity not in bundles:
                bundles[identity] = _Bundle((column, ids[column]), (column + 1, ids[column + 1]), state, 0)
            bundles[identity].number += count
    ranked = [
        {block.name: block for block in sorted(column.values(), key=lambda b: (b.name == FOLDED, -b.total, b.name))}
        for column in columns
    ]
    ordered = sorted(bundles.values(), key=lambda b: (b.source, b.target, STATES.index(b.state)))
    for bundle in ordered:
        ranked[bundle.source[0]][bundle.source[1]].outs.append(bundle)
        ranked[bundle.target[0]][bundle.target[1]].ins.append(bundle)
    return ranked, ordered


def _arrange(columns: list[dict[str, _Block]], bundles: Sequence[_Bundle], top: float) -> float:
    """Say how thick ribbons are and where everything stands; where the lowest ends."""
    most = max((sum(block.total for block in column.values()) for column in columns), default=1)
    unit = min(THICK, TALL / max(most, 1))
    for bundle in bundles:
        bundle.thick = max(bundle.number * unit, THIN)
    for column in columns:
        for block in column.values():
            block.height = max(24.0, sum(b.thick for b in block.ins) + 4, sum(b.thick for b in block.outs) + 4)
    # The middle column goes by where its complainants stand, the last by where its rights stand.
    for n in (1, 2):
        places = {name: place for place, name in enumerate(columns[n - 1])}
        middle = {
            name: sum(places[b.source[1]] * b.number for b in block.ins) / sum(b.number for b in block.ins)
            for name, block in columns[n].items()
        }
        order = sorted(columns[n], key=lambda name: (name == FOLDED, middle[name], -columns[n][name].total, name))
        columns[n] = {name: columns[n][name] for name in order}
    highest = max(_height(column) for column in columns)
    for column in columns:
        # A short column stands in the middle, with some air between its nodes.
        air = min((highest - _height(column)) / (len(column) + 1), 60.0) if column else 0.0
        y = top + (highest - _height(column) - air * (len(column) - 1)) / 2
        for block in column.values():
            block.y = y
            y += block.height + GAP + air
    for column in columns:
        for block in column.values():
            for bundles_, leaving in ((block.outs, True), (block.ins, False)):
                ends = [
                    (columns[b.target[0]][b.target[1]] if leaving else columns[b.source[0]][b.source[1]]).y
                    for b in bundles_
                ]
                y = block.y + (block.height - sum(b.thick for b in bundles_)) / 2
                for rank in sorted(range(len(bundles_)), key=lambda k: (ends[k], STATES.index(bundles_[k].state))):
                    bundle = bundles_[rank]
                    if leaving:
                        bundle.start = y
                    else:
                        bundle.end = y
                    y += bundle.thick
    return top + highest


def _height(column: Mapping[str, _Block]) -> float:
    return sum(block.height for block in column.values()) + GAP * max(len(column) - 1, 0)


def _shown(name: str, others: int, language: str) -> str:
    if name == FOLDED:
        return say(language, "others", number=f"{others:,}")
    return name or say(language, "nobody")


def _ribbon(
    canvas: Canvas, bundle: _Bundle, lefts: Sequence[float], flows: Flows, others: Sequence[int], language: str
) -> None:
    left, right = lefts[bundle.source[0]] + BOX, lefts[bundle.target[0]]
    middle = number((left + right) / 2)
    top, low = bundle.start, bundle.start + bundle.thick
    end, base = bundle.end, bundle.end + bundle.thick
    steps = (
        f"M{number(left)} {number(top)}C{middle} {number(top)} {middle} {number(end)} {number(right)} {number(end)}"
        f"V{number(base)}C{middle} {number(base)} {middle} {number(low)} {number(left)} {number(low)}Z"
    )
    path = say(language, "arrow").join(
        _shown(name, others[column], language) for column, name in (bundle.source, bundle.target)
    )
    words = say(language, "flow", path=path, number=f"{bundle.number:,}", state=say(language, bundle.state))
    canvas.path(steps, bundle.state, 0.6, words, 0.72)


def _block(canvas: Canvas, block: _Block, left: float, others: int, language: str) -> None:
    look = "folded" if block.name == FOLDED or not block.name else "box"
    shown = _shown(block.name, others, language)
    canvas.rect(left, block.y, BOX, block.height, look, 4, f"{shown}: {block.total:,}")
    total = f"{block.total:,}"
    wide = text_width(total, 11)
    y = block.y + block.height / 2 + 4
    canvas.fitted(left + 9, y, shown, BOX - 28 - wide, 12, "soft" if look == "folded" else "ink")
    canvas.text(left + BOX - 8, y, total, 11, "soft", "end")
