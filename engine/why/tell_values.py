"""Values in words: what an expression and its parts came to, as far as its text does not say it already."""

from __future__ import annotations

from collections.abc import Iterator

from ..facts import Value
from ..ground.values import Period
from .proof import Term, shortfall
from .words import Words

_COMPARING = ("==", "!=", "<", "<=", ">", ">=")


class Values:
    """Says what expressions came to.

    Parameters
    ----------
    words : Words
        The language.
    """

    def __init__(self, words: Words) -> None:
        self.words = words

    def distance(self, term: Term) -> str:
        """How far a failing comparison is from holding."""
        short = shortfall(term)
        if short is None:
            return ""
        left, right = term.parts
        if left.type.name == "integer":
            if term.name in (">=", "=="):
                shown = self.words.say("of", have=self.value(left), want=self.value(right))
                return f" · {shown}"
            return ""
        return " · " + self.words.say("off", length=self.words.length(short))

    def value(self, term: Term) -> str:
        """What a term came to."""
        return self.words.value(term.type, term.value)

    def of(self, term: Term) -> str:
        """The values that an expression came to, as far as its text does not say them."""
        shown = []
        direct: set[str] = set()
        if term.form == "operation" and term.name in _COMPARING:
            left, right = term.parts
            if left.form in ("field", "joined") and right.form == "literal":
                direct.add(left.text)
                if not (term.value and term.name == "=="):
                    shown.append(f"{left.text} = {self.value(left)}")
            else:
                direct.update((left.text, right.text))
                if term.value or not self.distance(term):
                    shown.append(f"{self.value(left)} {term.name} {self.value(right)}")
        elif term.form == "logic" and term.name == "not" and term.parts[0].form in ("field", "parameter", "let"):
            direct.add(term.parts[0].text)
        elif term.form in ("field", "parameter", "let", "joined"):
            direct.add(term.text)
        for leaf in leaves(term):
            if leaf.form in ("field", "joined", "parameter", "let", "now") and leaf.text not in direct:
                direct.add(leaf.text)
                shown.append(f"{leaf.text} = {self.value(leaf)}")
        return " · " + self.words.join(shown) if shown else ""


def plain(term: Term) -> Value:
    """What a term came to, as a field's value."""
    return None if isinstance(term.value, Period) else term.value


def leaves(term: Term) -> Iterator[Term]:
    """The terms of an expression that are no operation, in the order of the text, aggregates as a whole."""
    if not term.parts:
        yield term
    for part in term.parts:
        yield from leaves(part)
