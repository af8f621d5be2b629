"""Charts as inline SVG that needs nothing else: titled, described, in colours of the page, the same on every run."""

from __future__ import annotations

import html
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

COLOURS = 8
"""How many colours the page defines, as `--series-0` and so on; further series take them anew."""

STYLE = """
:root { color-scheme: light dark; --text: #1b1b1b; --page: #fff; --line: #8888;
  --series-0: #0072b2; --series-1: #d55e00; --series-2: #009e73; --series-3: #cc79a7;
  --series-4: #e69f00; --series-5: #56b4e9; --series-6: #7a7a00; --series-7: #777; }
@media (prefers-color-scheme: dark) { :root { --text: #eee; --page: #161616;
  --series-0: #4aa8e0; --series-1: #ff8a3d; --series-2: #35c99b; --series-3: #e3a0c5;
  --series-4: #f3bf4d; --series-5: #8fd0f5; --series-6: #c4c44a; --series-7: #aaa; } }
svg text { fill: var(--text); font: 12px system-ui, "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", sans-serif; }
svg .axis { stroke: var(--line); stroke-width: 1; }
"""
"""What a page with charts has to say in its style sheet."""

BAR, GAP, LETTER = 16, 10, 7


@dataclass(frozen=True, slots=True)
class Series:
    """Numbers of one name, one for each label."""

    name: str
    values: tuple[int, ...]


def width_of(text: str) -> int:
    """About how wide a text is, in pixels; Chinese characters are twice as wide as Latin ones.

    >>> width_of("ab"), width_of("状态")
    (14, 28)
    """
    return sum(LETTER * (2 if unicodedata.east_asian_width(c) in "WF" else 1) for c in text)


def bars(title: str, description: str, labels: Sequence[str], series: Sequence[Series], name: str) -> str:
    """Horizontal bars: for each label one of each series, with its number behind it.

    Parameters
    ----------
    title, description : str
        What a screen reader says of the chart.
    labels : sequence of str
        What stands before the bars.
    series : sequence of Series
        The numbers.
    name : str
        The beginning of the ids of the chart's parts, which a page must not have twice.

    Examples
    --------
    >>> chart = bars("How sellers stand", "one bar", ["closure"], [Series("sellers", (3,))], "statuses")
    >>> chart.count("<rect"), ">3</text>" in chart
    (1, True)
    """
    left = max([width_of(label) for label in labels] or [0]) + 10
    greatest = max([value for one in series for value in one.values] or [0])
    after = width_of(f"{greatest:,}") + 10
    length = 420
    block = BAR * len(series) + GAP
    top = legend_height(series)
    height = top + block * len(labels) + GAP
    parts = [legend(series, left)] if top else []
    for row, label in enumerate(labels):
        y = top + row * block + GAP // 2
        middle = y + BAR * len(series) // 2 + 4
        parts.append(f'<text x="{left - 8}" y="{middle}" text-anchor="end">{html.escape(label)}</text>')
        for number, one in enumerate(series):
            value = one.values[row]
            size = _scaled(value, greatest, length)
            at = y + number * BAR
            parts.append(
                f'<rect x="{left}" y="{at}" width="{size}" height="{BAR - 3}" fill="var(--series-{number % COLOURS})"/>'
                f'<text x="{left + size + 5}" y="{at + BAR - 5}">{value:,}</text>'
            )
    parts.append(f'<line class="axis" x1="{left}" y1="{top}" x2="{left}" y2="{height - GAP}"/>')
    return _svg(title, description, left + length + after, height, parts, name)


def columns(title: str, description: str, labels: Sequence[str], series: Sequence[Series], name: str) -> str:
    """Stacked columns over time: for each label one column, in it a piece of each series.

    See `bars` for the parameters.
    """
    height, foot, left = 220, 34, 60
    step = max(3, min(28, 720 // max(1, len(labels))))
    width = left + step * len(labels) + 20
    totals = [sum(one.values[place] for one in series) for place in range(len(labels))]
    greatest = max(totals or [0])
    top = legend_height(series, width - left) + 10
    bottom = top + height
    parts = [legend(series, left, max(width - left, 320))] if series else []
    for mark in _marks(greatest):
        y = bottom - _scaled(mark, greatest, height)
        parts.append(f'<line class="axis" x1="{left}" y1="{y}" x2="{width - 10}" y2="{y}"/>')
        parts.append(f'<text x="{left - 6}" y="{y + 4}" text-anchor="end">{mark:,}</text>')
    every = max(1, -(-56 // step))
    for place, label in enumerate(labels):
        x, y, so_far = left + place * step, bottom, 0
        for number, one in enumerate(series):
            so_far += one.values[place]
            upper = bottom - _scaled(so_far, greatest, height)
            if y > upper:
                fill = f"var(--series-{number % COLOURS})"
                parts.append(
                    f'<rect x="{x}" y="{upper}" width="{step - 1}" height="{y - upper}" fill="{fill}">'
                    f"<title>{html.escape(f'{label} {one.name}: {one.values[place]:,}')}</title></rect>"
                )
            y = upper
        if place % every == 0:
            parts.append(f'<text x="{x}" y="{bottom + 18}">{html.escape(label)}</text>')
    return _svg(title, description, max(width, left + 340), bottom + foot, parts, name)


def legend_height(series: Sequence[Series], width: int = 480) -> int:
    """How high the names of the series are, where there is more than one."""
    return 0 if len(series) < 2 else 20 * (1 + max(row for _, row, _ in _places(series, width)))


def legend(series: Sequence[Series], left: int, width: int = 480) -> str:
    """The names of the series, each behind its colour."""
    if len(series) < 2:
        return ""
    return "".join(
        f'<rect x="{left + x}" y="{20 * row + 2}" width="11" height="11" fill="var(--series-{number % COLOURS})"/>'
        f'<text x="{left + x + 16}" y="{20 * row + 12}">{html.escape(series[number].name)}</text>'
        for x, row, number in _places(series, width)
    )


def _places(series: Sequence[Series], width: int) -> list[tuple[int, int, int]]:
    found, x, row = [], 0, 0
    for number, one in enumerate(series):
        size = width_of(one.name) + 32
        if x and x + size > width:
            x, row = 0, row + 1
        found.append((x, row, number))
        x += size
    return found


def _scaled(value: int, greatest: int, length: int) -> int:
    """A length for a value: nothing for 0, and never so small that it cannot be seen."""
    return 0 if value <= 0 else max(1, value * length // greatest)


def _marks(greatest: int) -> list[int]:
    """Round numbers for an axis.

    >>> _marks(7), _marks(1234)
    ([0, 2, 4, 6], [0, 500, 1000])
    """
    step = 1
    while greatest // step > 4:
        step *= 2 if str(step)[0] in "15" else 1
        if str(step)[0] == "2" and greatest // step > 4:
            step = step * 5 // 2
    return list(range(0, greatest + 1, step))


def _svg(title: str, description: str, width: int, height: int, parts: Sequence[str], name: str) -> str:
    return (
        f'<svg role="img" aria-labelledby="{name}-title {name}-desc" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" xmlns="http://www.w3.org/2000/svg">'
        f'<title id="{name}-title">{html.escape(title)}</title><desc id="{name}-desc">{html.escape(description)}</desc>'
        f"{''.join(parts)}</svg>"
    )
