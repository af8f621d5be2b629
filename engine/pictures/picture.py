"""What every picture has beside it, and how facts and ids are written in one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from strikeout.graphs.complaints import STATES
from strikeout.graphs.draw_text import clean, isolated
from strikeout.graphs.draw_words import say

from ..facts import ID, Fact, Kind
from ..model import Ruleset
from ..speech.fates import Fate
from ..why.words import Words

MOST_ROWS = 2_000
"""How many rows a table beside a picture has at most."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table beside a picture: what the picture shows, for those who read or copy it."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[Mapping[str, object], ...]
    total: int

    @classmethod
    def of(cls, title: str, columns: Sequence[str], rows: Sequence[Mapping[str, object]]) -> Table:
        """The table of the first rows."""
        return cls(title, tuple(columns), tuple(rows[:MOST_ROWS]), len(rows))


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture: SVG that needs nothing else, its title and description, notes on what was folded, and tables."""

    svg: str
    title: str
    description: str
    notes: tuple[str, ...]
    tables: tuple[Table, ...]
    language: str


def shown(text: str) -> str:
    """An id, or any other text from outside, as a picture can show it."""
    return isolated(clean(text))


class Pen:
    """Writes facts for pictures, in one language.

    Parameters
    ----------
    ruleset : Ruleset
        The ruleset.
    language : str
        `zh` or `en`.
    """

    def __init__(self, ruleset: Ruleset, language: str) -> None:
        self.ruleset = ruleset
        self.language = language
        self.words = Words(ruleset, language)

    def say(self, phrase: str, **parts: object) -> str:
        """A phrase of pictures."""
        return say(self.language, phrase, **parts)

    def kind(self, kind: Kind) -> str:
        """A kind in short."""
        return clean(self.words.name_of(kind))

    def title_of(self, kind: Kind) -> str:
        """The title of a kind where it says more than its name."""
        title = clean(self.words.title(kind.title))
        return "" if title == self.kind(kind) else title

    def fact(self, fact: Fact) -> str:
        """A fact in short: its kind and its first id."""
        name = first_id(fact)
        return self.kind(fact.kind) + (f" {shown(name)}" if name else "")

    def fields(self, fact: Fact, trigger: Fact) -> list[str]:
        """What a derived fact says that its trigger did not: numbers, enums, times; nothing at its default."""
        found = []
        for field, value in zip(fact.kind.fields, fact.values, strict=True):
            if value in (None, field.default, trigger.get(field.name)) or field.type == ID:
                continue
            called = clean(self.words.title(field.title) or field.name)
            found.append(f"{called} {shown(self.words.value(field.type, value))}")
        return found

    def full(self, fact: Fact, dated: bool = True) -> str:
        """A fact with everything that it says; its instant only where that does not stand beside it."""
        return clean(self.words.full(fact, at=None if dated else fact.at))

    def subject(self, name: str) -> str:
        """A subject, under its field's name."""
        return f"{self.ruleset.subject} {shown(name)}"

    def counts(self, states: Iterable[str]) -> str:
        """How many complaints there are, and of each state."""
        found = Counter(states)
        total = found.total()
        if not total:
            return self.say("number-none")
        parts = [self.say("part", number=f"{found[s]:,}", state=self.say(s)) for s in STATES if found[s]]
        phrase = "number-one" if total == 1 else "numbers"
        return self.say(phrase, number=f"{total:,}", parts=self.say("comma").join(parts))

    def names(self, facts: Iterable[Fact], name: Callable[[Fact], str] | None = None) -> str:
        """Facts by what they are called, equal ones by number."""
        found = Counter((name or self.fact)(fact) for fact in facts)
        return self.say("comma").join(
            f"{number:,} {called}" if number > 1 else called for called, number in found.items()
        )

    def why(self, fate: Fate) -> str:
        """Why a complaint has its state."""
        if fate.into is not None:
            return self.say("merged-into", fact=f"{self.fact(fate.into)} ({self.words.instant(fate.into.at)})")
        if fate.voided_by is not None:
            by = f"{self.fact(fate.voided_by)} ({self.words.instant(fate.voided_by.at)})"
            return self.say("voided-by", fact=by)
        if fate.brought:
            return self.say("brought", facts=self.names([e.fact for e in fate.brought], lambda f: self.kind(f.kind)))
        if fate.stage == "over":
            return self.say("over")
        if fate.rule is None or fate.stage not in ("condition", "not-in-force", "join", "ladder"):
            return ""
        stopped = self.say("fails", text=clean(fate.condition)) if fate.condition else self.say(fate.stage)
        return self.say("stopped", rule=clean(fate.rule.name), why=stopped)

    def heading(self, name: str) -> str:
        """The heading of a column."""
        return self.say(f"h-{name}")

    def states_key(self, states: Iterable[str]) -> list[tuple[str, str]]:
        """The key to the marks of states that occur."""
        found = set(states)
        return [(state, self.say(state)) for state in STATES if state in found]


def first_id(fact: Fact) -> str:
    """The first id of a fact, or nothing."""
    for field, value in zip(fact.kind.fields, fact.values, strict=True):
        if field.type == ID and value is not None:
            return str(value)
    return ""


def look_of(ruleset: Ruleset, kind: Kind) -> str:
    """How severe a kind with an effect is among those of its ruleset: `low`, `mid` or `high`."""
    severities = sorted({k.severity for k in ruleset.kinds if k.effect})
    if kind is ruleset.terminal or (len(severities) > 1 and kind.severity == severities[-1]):
        return "high"
    return "low" if len(severities) > 1 and kind.severity == severities[0] else "mid"
