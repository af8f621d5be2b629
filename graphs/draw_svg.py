"""Pictures as SVG in our own hand: a canvas that writes elements, and the style of all pictures, light and dark.

A picture needs nothing else: no script, no font, no address. Text stands upright and is never transformed, so that
where it stands can be read from its attributes.
"""

from __future__ import annotations

import html
import re
import zlib
from collections.abc import Sequence

from .draw_text import UNKNOWN, lines_of, shorten, text_width, wrap

_LATIN = "'Helvetica Neue', Arial, 'Liberation Sans', 'Noto Sans'"
_CHINESE = (
    "'PingFang SC', 'Hiragino Sans GB', 'Microsoft YaHei', 'Noto Sans CJK SC', 'Noto Sans SC', 'Source Han Sans SC', "
    "'WenQuanYi Micro Hei'"
)

LIGHT = {
    "bg": "fill:#ffffff",
    "ink": "fill:#1b1f24",
    "soft": "fill:#57606a",
    "alarm": "fill:#a4201a",
    "grid": "stroke:#e3e6ea;fill:none",
    "rule": "stroke:#8a939d;fill:none",
    "strong": "stroke:#39424c;fill:none",
    "dashed": "stroke:#57606a;fill:none;stroke-dasharray:4 3",
    "dotted": "stroke:#7a4fbf;fill:none;stroke-dasharray:1.5 3",
    "tip": "fill:#39424c",
    "tip-soft": "fill:#57606a",
    "tip-later": "fill:#7a4fbf",
    "band": "fill:#f4f6f8",
    "box": "fill:#f4f6f8;stroke:#9aa4af",
    "given": "fill:#ffffff;stroke:#39424c",
    "firing": "fill:#e5effa;stroke:#0b63b5",
    "folded": "fill:#ffffff;stroke:#7a838d;stroke-dasharray:3 3",
    "counted": "fill:#0b63b5;stroke:#0b63b5",
    "merged": "fill:#b9d7f3;stroke:#0b63b5",
    "pending": "fill:#efe7fb;stroke:#7a4fbf",
    "not_counted": "fill:#eceff2;stroke:#7a838d",
    "voided": "fill:#fbe9e7;stroke:#b3261e",
    "window": "fill:#0b63b5;fill-opacity:.14",
    "low": "fill:#f2c230;fill-opacity:.45;stroke:#9a7400",
    "mid": "fill:#f0883e;fill-opacity:.40;stroke:#b2510f",
    "high": "fill:#d9534a;fill-opacity:.40;stroke:#a4201a",
}
DARK = {
    "bg": "fill:#14181d",
    "ink": "fill:#e6e9ec",
    "soft": "fill:#a3adb8",
    "alarm": "fill:#ff8f87",
    "grid": "stroke:#2b323a;fill:none",
    "rule": "stroke:#6b7580;fill:none",
    "strong": "stroke:#c3cad1;fill:none",
    "dashed": "stroke:#a3adb8;fill:none;stroke-dasharray:4 3",
    "dotted": "stroke:#c297ff;fill:none;stroke-dasharray:1.5 3",
    "tip": "fill:#c3cad1",
    "tip-soft": "fill:#a3adb8",
    "tip-later": "fill:#c297ff",
    "band": "fill:#1a2027",
    "box": "fill:#1e242b;stroke:#55606b",
    "given": "fill:#14181d;stroke:#c3cad1",
    "firing": "fill:#16304d;stroke:#58a6ff",
    "folded": "fill:#14181d;stroke:#8b949e;stroke-dasharray:3 3",
    "counted": "fill:#58a6ff;stroke:#58a6ff",
    "merged": "fill:#1f4470;stroke:#58a6ff",
    "pending": "fill:#33264a;stroke:#c297ff",
    "not_counted": "fill:#2a323b;stroke:#8b949e",
    "voided": "fill:#3a1d1c;stroke:#ff7b72",
    "window": "fill:#58a6ff;fill-opacity:.20",
    "low": "fill:#e3b341;fill-opacity:.30;stroke:#e3b341",
    "mid": "fill:#f0883e;fill-opacity:.30;stroke:#f0883e",
    "high": "fill:#ff7b72;fill-opacity:.28;stroke:#ff7b72",
}


MOST_TOLD = 400
"""How many characters are said to who points at something."""
NOTE = 14.0
"""From one line of a note to the next, in pixels."""

_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def legal(text: str) -> str:
    """A text in which the characters that XML has no place for have become U+FFFD."""
    return _ILLEGAL.sub(UNKNOWN, text)


def escape(text: str) -> str:
    r"""A legal text as XML and HTML have it.

    >>> escape("<b>\x00")
    '&lt;b&gt;�'
    """
    return html.escape(legal(text))


def _rules(colours: dict[str, str]) -> str:
    return "".join(f".so-{name}{{{value}}}" for name, value in colours.items())


STYLE = (
    f".so text{{font-family:{_LATIN}, {_CHINESE}, sans-serif}}{_rules(LIGHT)}"
    f"@media (prefers-color-scheme:dark){{{_rules(DARK)}}}"
)
"""The style of a picture; it follows the reader's choice of light or dark."""


NOTEBOOK_STYLE = (
    f"{STYLE}:is([data-jp-theme-light=false],.vscode-dark) svg.so{{{_rules(DARK)}}}"
    f":is([data-jp-theme-light=true],.vscode-light) svg.so{{{_rules(LIGHT)}}}"
)
"""The style of a picture in a notebook, whose theme may be another than that of the reader's screen."""


def fixed_style(dark: bool) -> str:
    """The style of a picture that is light or dark for good.

    It is for renderers that take one font for a whole text, so those with Chinese characters come first.
    """
    return f".so text{{font-family:{_CHINESE}, {_LATIN}, sans-serif}}{_rules(DARK if dark else LIGHT)}"


def number(value: float) -> str:
    """A coordinate, to a tenth of a pixel.

    >>> number(2.0), number(1 / 3), number(-0.01)
    ('2', '0.3', '0')
    """
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text


class Canvas:
    """Gathers the elements of a picture.

    Parameters
    ----------
    width : float
        The picture's width, in pixels.
    """

    def __init__(self, width: float) -> None:
        self.width = width
        self.height = 0.0
        self._parts: list[str] = []

    def _add(self, element: str, title: str) -> None:
        if title:
            self._parts.append(f"<{element}>{_told(title)}</{element.split(' ', 1)[0]}>")
        else:
            self._parts.append(f"<{element}/>")

    def reach(self, y: float) -> None:
        """See that the picture is at least so high."""
        self.height = max(self.height, y)

    def rect(
        self, x: float, y: float, width: float, height: float, look: str, radius: float = 0.0, title: str = ""
    ) -> None:
        """A rectangle."""
        round_ = f' rx="{number(radius)}"' if radius else ""
        size = f'width="{number(max(width, 0))}" height="{number(max(height, 0))}"'
        self._add(f'rect class="so-{look}" x="{number(x)}" y="{number(y)}" {size}{round_}', title)
        self.reach(y + height)

    def path(self, steps: str, look: str, width: float = 1.0, title: str = "", opacity: float = 1.0) -> None:
        """A path, from the letters and numbers of SVG."""
        thick = f' stroke-width="{number(width)}"' if width != 1.0 else ""
        clear = f' opacity="{opacity:.2f}"' if opacity != 1.0 else ""
        self._add(f'path class="so-{look}" d="{steps}"{thick}{clear}', title)

    def line(self, x1: float, y1: float, x2: float, y2: float, look: str = "rule", width: float = 1.0) -> None:
        """A straight line."""
        self.path(f"M{number(x1)} {number(y1)}L{number(x2)} {number(y2)}", look, width)

    def text(
        self,
        x: float,
        y: float,
        text: str,
        size: float = 12,
        look: str = "ink",
        anchor: str = "start",
        bold: bool = False,
        title: str = "",
    ) -> None:
        """A line of text whose base line is at `y`; `anchor` is `start`, `middle` or `end`."""
        if not text:
            return
        held = "" if anchor == "start" else f' text-anchor="{anchor}"'
        weight = ' font-weight="600"' if bold else ""
        told = _told(title) if title else ""
        self._parts.append(
            f'<text class="so-{look}" x="{number(x)}" y="{number(y)}" font-size="{number(size)}"{held}{weight}>'
            f"{told}{escape(text)}</text>"
        )
        self.reach(y + size * 0.3)

    def fitted(
        self,
        x: float,
        y: float,
        text: str,
        width: float,
        size: float = 12,
        look: str = "ink",
        anchor: str = "start",
        bold: bool = False,
    ) -> None:
        """A line of text cut to a width; one that was cut says all when it is pointed at."""
        room = width / (1.08 if bold else 1.0)
        short = shorten(text, room, size)
        self.text(x, y, short, size, look, anchor, bold, title=text if short != text else "")

    def paragraph(
        self, x: float, y: float, text: str, width: float, size: float = 12, look: str = "ink", bold: bool = False
    ) -> float:
        """A text in as many lines as it takes, the first with its base line at `y`; the base line of the next."""
        for line in wrap(text, width / (1.08 if bold else 1.0), size):
            self.text(x, y, line, size, look, bold=bold)
            y += round(size * 1.45)
        return y

    def notes(self, x: float, y: float, text: str, width: float, size: float, most: int) -> None:
        """A text in at most so many lines, small and soft; one that was cut says all when it is pointed at."""
        lines = lines_of(text, width, size, most)
        cut = "" if "".join(lines).replace(" ", "") == text.replace(" ", "") else text
        for line in lines:
            self.text(x, y, line, size, "soft", title=cut)
            y += NOTE

    def arrow(self, x: float, y: float, look: str = "tip", size: float = 5.0, left: bool = False) -> None:
        """The tip of an arrow that points right, or left, at a place."""
        back = x + size * 1.3 if left else x - size * 1.3
        steps = f"M{number(x)} {number(y)}L{number(back)} {number(y - size * 0.6)}V{number(y + size * 0.6)}Z"
        self.path(steps, look)

    def mark(self, x: float, y: float, state: str, radius: float = 5.0, title: str = "") -> None:
        """The mark of a state: each has a shape of its own, so that colour is not all that tells them apart."""
        match state:
            case "counted":
                steps = _disc(x, y, radius)
            case "merged":
                steps = _disc(x, y, radius)
            case "voided":
                arm = radius * 0.85
                self.path(_disc(x, y, radius), "voided", title=title)
                cross = (
                    f"M{number(x - arm)} {number(y - arm)}L{number(x + arm)} {number(y + arm)}"
                    f"M{number(x - arm)} {number(y + arm)}L{number(x + arm)} {number(y - arm)}"
                )
                self.path(cross, "voided", 1.6)
                return
            case "pending":
                far = radius * 1.15
                steps = (
                    f"M{number(x)} {number(y - far)}L{number(x + far)} {number(y)}L{number(x)} {number(y + far)}"
                    f"L{number(x - far)} {number(y)}Z"
                )
            case "not_counted":
                steps = _disc(x, y, radius)
            case _:
                side = radius * 0.85
                steps = (
                    f"M{number(x - side)} {number(y - side)}h{number(2 * side)}v{number(2 * side)}h-{number(2 * side)}Z"
                )
        self.path(steps, state if state in LIGHT else "box", 1.4, title)
        if state == "merged":
            self.path(f"M{number(x - radius * 0.55)} {number(y)}h{number(radius * 1.1)}", "counted", 1.6)

    def svg(self, title: str, description: str, margin: float = 12.0) -> str:
        """The picture: of the whole width, and as high as what stands in it with a margin."""
        body = "".join(self._parts)
        width, height = number(self.width), number(self.height + margin)
        name = f"so-{zlib.crc32((title + description + body).encode('utf-8', 'replace')):08x}"
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="so" width="{width}" height="{height}" '
            f'viewBox="0 0 {width} {height}" role="img" aria-labelledby="{name}-t {name}-d">'
            f'<title id="{name}-t">{escape(title)}</title><desc id="{name}-d">{escape(description)}</desc>'
            f"<style>{STYLE}</style>"
            f'<rect class="so-bg" width="{width}" height="{height}"/>{body}</svg>'
        )


def _told(title: str) -> str:
    """The words for who points at something."""
    return f"<title>{escape(title if len(title) <= MOST_TOLD else title[: MOST_TOLD - 1] + '…')}</title>"


def _disc(x: float, y: float, radius: float) -> str:
    r = number(radius)
    return (
        f"M{number(x - radius)} {number(y)}a{r} {r} 0 1 0 {number(2 * radius)} 0a{r} {r} 0 1 0 -{number(2 * radius)} 0Z"
    )


def key(canvas: Canvas, x: float, y: float, width: float, entries: Sequence[tuple[str, str]]) -> float:
    """The key of a picture: marks with their words, in as many lines as it takes; the base line of the next."""
    left = x
    for look, words in entries:
        needed = 18 + text_width(words, 11) + 16
        if left > x and left + needed > x + width:
            left, y = x, y + 18
        if look.startswith("bar:"):
            canvas.rect(left, y - 9, 12, 10, look.removeprefix("bar:"), 2)
        elif look.startswith("line:"):
            canvas.line(left, y - 4, left + 14, y - 4, look.removeprefix("line:"), 1.6)
        else:
            canvas.mark(left + 6, y - 4, look)
        canvas.fitted(left + 18, y, words, width - 18, 11, "soft")
        left += needed
    return y + 18
