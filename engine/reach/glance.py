"""Files of facts at a glance: how many rows of each kind there are, and the first of them."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..ground.problems import StrikeoutError
from ..speech.html import card, paragraph, table
from .formats import counted

MOST_READ = 50_000
"""How many rows are counted."""
MOST_KINDS = 30
HEAD = 10
"""How many rows are shown."""

WORDS = {
    "facts": ("事实：{}", "facts of {}"),
    "rows": ("{} 行", "{}"),
    "at least": ("前 {} 行", "the first {}"),
    "unread": ("（标准输入，未读）", "standard input, which is not read to be shown"),
}


@dataclass(frozen=True, slots=True)
class Glance:
    """What rows look like.

    Attributes
    ----------
    names : tuple of str
        The files.
    kinds : Counter
        How many rows of each kind were seen.
    head : tuple of mapping
        The first rows.
    seen : int
        How many rows were read.
    complete : bool
        Whether these were all.
    problem : str
        Why they could not be read, where they could not.
    """

    names: tuple[str, ...]
    kinds: Counter[str]
    head: tuple[Mapping[str, object], ...]
    seen: int
    complete: bool
    problem: str = ""

    def about(self, language: str) -> list[str]:
        """What files they are, how many rows of each kind, and what is wrong."""
        names = ", ".join(self.names[:5]) + ("" if len(self.names) <= 5 else f" … {len(self.names):,}")
        number = f"{self.seen:,}" if language == "zh" else counted(self.seen, "row")
        told = _say(language, "rows" if self.complete else "at least", number)
        kinds = ", ".join(f"{kind} {number:,}" for kind, number in self.kinds.most_common(MOST_KINDS))
        return [_say(language, "facts", names), self.problem or f"{told} · {kinds}".rstrip(" ·")]

    def html(self, language: str = "en") -> str:
        """The rows at a glance as a piece of HTML that needs nothing else."""
        title, *more = self.about(language)
        columns = list(dict.fromkeys(name for row in self.head for name in row))
        rows = table(columns, self.head, self.seen if self.complete else len(self.head), language=language)
        return card(title, language, paragraph(title, *more), "" if self.problem else rows)

    def text(self, language: str = "en") -> str:
        """The rows at a glance as lines."""
        return "\n".join(self.about(language))


def glance(rows: Iterable[Mapping[str, object]], names: Sequence[str]) -> Glance:
    r"""Look at rows: as far as `MOST_READ`, and no error where they cannot be read.

    Examples
    --------
    >>> glance([{"kind": "upheld", "at": "2015-01-05"}], ["facts.csv"]).text()
    'facts of facts.csv\n1 row · upheld 1'
    """
    kinds: Counter[str] = Counter()
    head: list[Mapping[str, object]] = []
    seen, problem, complete = 0, "", False
    try:
        for row in itertools.islice(rows, MOST_READ + 1):
            if seen == MOST_READ:
                break
            seen += 1
            kinds[str(row.get("kind"))] += 1
            if len(head) < HEAD:
                head.append(row)
        else:
            complete = True
    except StrikeoutError as error:
        problem = str(error)
    return Glance(tuple(names), kinds, tuple(head), seen, complete, problem)


def unread(names: Sequence[str], language: str = "en") -> Glance:
    """What can be said of rows that can be read only once: they are left for the run."""
    return Glance(tuple(names), Counter(), (), 0, False, _say(language, "unread"))


def _say(language: str, word: str, *values: object) -> str:
    return WORDS[word][0 if language == "zh" else 1].format(*values)
