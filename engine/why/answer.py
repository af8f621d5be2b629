"""What every answer shares: it is a tree of lines, a page, and shows itself in notebooks and terminals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..ground.problems import shorten
from .tree import Branch, draw, to_html


class Answer:
    """An answer told as a tree, in Chinese or English; whoever inherits from it says the tree in `branches`.

    Notebooks show it as nested lists that can be folded, a plain prompt as lines, and `repr` as its first line alone.
    """

    __slots__ = ()

    def branches(self, language: str) -> Sequence[Branch]:
        """The tree, in `zh` or `en`."""
        raise NotImplementedError

    def text(self, language: str = "en", width: int = 100) -> str:
        """The answer as a tree of lines.

        Parameters
        ----------
        language : str
            `zh` or `en`.
        width : int
            Columns; a Chinese character takes two.
        """
        return draw(self.branches(language), width)

    def html(self, language: str = "en") -> str:
        """The answer as a piece of HTML that needs nothing else: lists that can be folded, in `zh` or `en`."""
        return to_html(self.branches(language), language)

    def _repr_html_(self) -> str:
        return self.html()

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(self.text())

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        roots = self.branches("en")
        return f"<{shorten(roots[0].text, 200)}>" if roots else "<nothing>"
