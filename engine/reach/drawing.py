"""Drawings: a picture that shows itself in notebooks, and can be saved as SVG, as a page, as PNG, or as its graph."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from strikeout.graphs.draw_svg import NOTEBOOK_STYLE, STYLE, escape, fixed_style, legal

from ..ground.problems import RunError, shorten
from ..pictures.picture import Picture, Table
from ..speech import html
from .writing import writing

if TYPE_CHECKING:
    import networkx as nx

FORMATS = ("html", "svg", "png", "graphml")
_KNOWN = "known are `html`, `svg`, `png` and `graphml`"
IN_NOTEBOOK = 100
"""How many rows of a table a notebook shows."""
SCALE = 2.0
"""How many pixels of PNG a pixel of the picture has."""

_PAGE_STYLE = """
:root{color-scheme:light dark}
body{margin:1.5rem;background:#fff;color:#1b1f24;font-size:14px;line-height:1.5;
font-family:'Helvetica Neue',Arial,'Noto Sans','PingFang SC','Microsoft YaHei','Noto Sans CJK SC',sans-serif}
figure{margin:0 0 1rem;overflow-x:auto}
.scroll{overflow-x:auto}
table{border-collapse:collapse;font-variant-numeric:tabular-nums}
th,td{padding:.25em .8em;border-bottom:1px solid #d5d9de;text-align:left;vertical-align:top}
th{border-bottom:2px solid #8a939d;background:#f4f6f8;position:sticky;top:0}
td{overflow-wrap:break-word;max-width:32em}
caption{text-align:left;font-weight:600;padding:.8em 0 .3em}
@media (prefers-color-scheme:dark){body{background:#14181d;color:#e6e9ec}
th{background:#1e242b}th,td{border-color:#39424c}}
"""


@dataclass(frozen=True, slots=True, repr=False)
class Drawing:
    """A picture of a run or a ruleset. Notebooks show it; it needs no network and no other file.

    Attributes
    ----------
    picture : Picture
        What was drawn: `svg`, `title`, `description`, `notes` and `tables`.
    graph : callable or None
        Makes the networkx graph behind the picture; None where there is none, as for a timeline.

    Examples
    --------
    >>> import strikeout
    >>> drawing = strikeout.load("taobao-counterfeit").draw()
    >>> drawing.title, drawing.svg.startswith("<svg")
    ('Rules · Taobao counterfeit sales: three strikes and points', True)
    """

    picture: Picture
    graph: Callable[[], nx.Graph[Any]] | None = field(default=None, repr=False)

    @property
    def svg(self) -> str:
        """The picture as SVG; it is light or dark as its reader's screen is."""
        return self.picture.svg

    @property
    def title(self) -> str:
        """The picture's title."""
        return self.picture.title

    @property
    def description(self) -> str:
        """What the picture shows, for those who do not see it."""
        return self.picture.description

    def html(self) -> str:
        """A whole page: the picture, and below it all that it shows as tables."""
        picture = self.picture
        tables = "".join(_table(table, picture.language) for table in picture.tables)
        return (
            f'<!doctype html>\n<html lang="{picture.language}"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width">'
            f"<title>{escape(picture.title)}</title><style>{_PAGE_STYLE}</style></head>\n"
            f"<body><figure>{picture.svg}</figure>\n{tables}</body></html>\n"
        )

    def png(self, scale: float = SCALE, dark: bool = False) -> bytes:
        """The picture as PNG; needs the extra `viz`, and for Chinese text a font that has it.

        Parameters
        ----------
        scale : float
            How many pixels of PNG a pixel of the picture has.
        dark : bool
            Whether on a dark ground.

        Raises
        ------
        RunError
            Where the extra is not installed, or the picture cannot be made so large.
        """
        try:
            import resvg_py
        except ImportError:
            raise RunError("PNG needs the extra `viz`: pip install 'strikeout[viz]'") from None
        svg = self.svg.replace(STYLE, fixed_style(dark), 1)
        try:
            return bytes(resvg_py.svg_to_bytes(svg_string=svg, zoom=scale))
        except ValueError as error:
            raise RunError(f"the picture cannot be drawn as PNG: {shorten(str(error), 200)}") from None

    def graphml(self) -> str:
        """The graph behind the picture as GraphML.

        Raises
        ------
        RunError
            Where there is none.
        """
        if self.graph is None:
            raise RunError("a timeline is no graph; take the view `complaints`, `firings` or `rules`")
        return graphml(self.graph())

    def save(self, path: str | PurePath, form: str | None = None) -> None:
        """Write the drawing to a file, whole or not at all.

        Parameters
        ----------
        path : str or path
            The file.
        form : str, optional
            `html`, `svg`, `png` or `graphml`; else what the file's suffix says.

        Raises
        ------
        RunError
            Where the suffix says nothing of the kind, or the file cannot be written.
        """
        made = self.encode(form or format_of(str(path)))
        with writing(str(path)) as file:
            file.write(made)

    def encode(self, form: str) -> bytes:
        """The drawing in a format.

        Raises
        ------
        RunError
            Where it cannot be had so.
        """
        if form == "png":
            return self.png()
        made: dict[str, Callable[[], str]] = {
            "svg": lambda: self.svg + "\n",
            "html": self.html,
            "graphml": self.graphml,
        }
        if form not in made:
            raise RunError(f"`{shorten(form, 40)}` is no format of drawings; {_KNOWN}")
        return made[form]().encode()

    def _repr_html_(self) -> str:
        """The picture with its tables folded away."""
        language = self.picture.language
        told = "".join(
            f"<details><summary>{escape(table.title)}</summary>"
            f"{html.table(table.columns, table.rows[:IN_NOTEBOOK], table.total, language=language)}</details>"
            for table in self.picture.tables
        )
        svg = self.svg.replace(STYLE, NOTEBOOK_STYLE, 1)
        return f'<figure style="margin:0;overflow-x:auto">{svg}</figure>{told}'

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(f"{self.title}\n{self.description}")

    def __repr__(self) -> str:
        return f"<drawing: {shorten(self.title, 200)}>"

    def _repr_svg_(self) -> str:
        return self.svg


def format_of(path: str) -> str:
    """The format that the suffix of a file's name asks for.

    Raises
    ------
    RunError
        Where it asks for none.

    Examples
    --------
    >>> format_of("a/b.SVG")
    'svg'
    """
    suffix = PurePath(path).suffix.removeprefix(".").lower()
    if suffix not in FORMATS:
        raise RunError(f"`{shorten(path, 100)}`: a drawing's format goes by the file's suffix; {_KNOWN}")
    return suffix


def _table(table: Table, language: str) -> str:
    """A table of a page."""
    filled = [name for name in table.columns if any(row.get(name) not in (None, "") for row in table.rows)]
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in filled)
    body = "".join(f"<tr>{''.join(f'<td>{_cell(row.get(name))}</td>' for name in filled)}</tr>\n" for row in table.rows)
    left = table.total - len(table.rows)
    more = "" if not left else f"<p>… 另有 {left:,} 行</p>" if language == "zh" else f"<p>… and {left:,} more</p>"
    return (
        f'<div class="scroll"><table><caption>{escape(table.title)}</caption><thead><tr>{head}</tr></thead>'
        f"<tbody>\n{body}</tbody></table></div>{more}\n"
    )


def _cell(value: object) -> str:
    return "" if value is None else f"{value:,}" if isinstance(value, int) else escape(str(value))


def graphml(graph: nx.Graph[Any]) -> str:
    """A graph as GraphML: nodes `n0`, `n1` … with what they are as attributes, and records as JSON.

    Parameters
    ----------
    graph : Graph
        A graph of `views`, of any class.
    """
    import networkx as nx

    plain: nx.Graph[str] = graph.__class__()
    plain.graph.update(_plain(graph.graph))
    names = {node: f"n{number}" for number, node in enumerate(graph.nodes)}
    for node, data in graph.nodes(data=True):
        label = " ".join(str(part) for part in node[1:])
        plain.add_node(names[node], label=legal(label), group=legal(str(node[0])), **_plain(data))
    for source, target, data in graph.edges(data=True):
        plain.add_edge(names[source], names[target], **_plain(data))
    return "\n".join(nx.generate_graphml(plain)) + "\n"


def _plain(data: dict[str, Any]) -> dict[str, Any]:
    """Attributes as GraphML can hold them."""
    found: dict[str, Any] = {}
    for name, value in data.items():
        if value is None:
            continue
        if isinstance(value, bool | int | float):
            found[name] = value
        elif isinstance(value, str):
            found[name] = legal(value)
        elif isinstance(value, list | tuple):
            found[name] = legal(", ".join(map(str, value)))
        else:
            found[name] = legal(json.dumps(value, ensure_ascii=False))
    return found
