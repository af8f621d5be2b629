"""Cases as examples: facts given, and what is expected of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..facts import Fact, Kind, Value
from ..gate.case_model import Case, Expectation, Pattern
from ..model import Ruleset
from ..speech.literals import literal
from ..why.words import Words
from .blocks import Block, Code, Heading, Paragraph, Table, Terms, Text, joined, text
from .policy_words import WORDS


def examples(ruleset: Ruleset, language: str, cases: Sequence[Case]) -> Iterator[Block]:
    """Cases as examples.

    Parameters
    ----------
    ruleset : Ruleset
        The ruleset that they are of.
    language : str
        `zh` or `en`.
    cases : sequence of Case
        The cases.
    """
    for number, case in enumerate(cases, 1):
        yield from _Example(ruleset, case, language).blocks(number)


class _Example:
    def __init__(self, ruleset: Ruleset, case: Case, language: str) -> None:
        self.ruleset = ruleset
        self.case = case
        self.zh = language == "zh"
        self.words = Words(case.ruleset, language)
        self.several = len({fact.subject for fact in case.facts}) > 1

    def word(self, name: str, *values: object) -> str:
        return WORDS[name][0 if self.zh else 1].format(*values)

    def blocks(self, number: int) -> Iterator[Block]:
        """The case."""
        case, words = self.case, self.words
        told = words.title(case.title).strip()
        yield Heading(3, text(f"{told[:1].upper()}{told[1:]}" if told else Code(case.name)), f"case-{number}")
        note = words.title(case.note).strip()
        if note:
            yield Paragraph(text(note))
        base = {parameter.name: (parameter.value, parameter.dated) for parameter in self.ruleset.parameters}
        changed = [p for p in case.ruleset.parameters if (p.value, p.dated) != base.get(p.name)]
        if changed:
            shown = (
                text(Code(f"{parameter.name} = {literal(case.ruleset, parameter.type, parameter.value)}"))
                for parameter in changed
            )
            yield Paragraph(text(self.word("case set"), self.word("colon"), joined(self.word("list"), shown)))
        if not case.facts:
            yield Paragraph(text(self.word("case none")))
        else:
            heads = [case.ruleset.subject, self.word("at"), self.word("what"), self.word("says")]
            rows = [self.given(fact) for fact in case.facts]
            yield Table.of(heads, rows)
        yield Terms.of(self.expected(expectation) for expectation in case.expectations)

    def given(self, fact: Fact) -> list[Text]:
        """A row of the table of facts."""
        late = fact.known_at > fact.at
        at = self.words.instant(fact.at)
        if late:
            at += self.word("comma") + self.word("known at", self.words.instant(fact.known_at))
        values = list(enumerate(fact.values))
        told = self.says(fact.kind, [(slot, v) for slot, v in values if v != fact.kind.fields[slot].default])
        return [text(fact.subject if self.several else ""), text(at), self.kind(fact.kind), told]

    def kind(self, kind: Kind) -> Text:
        """A kind: in zh its title before its name."""
        title = dict(kind.title).get("zh") if self.zh else None
        return text(f"{title} " if title else "", Code(kind.name))

    def says(self, kind: Kind, values: Sequence[tuple[int, Value]]) -> Text:
        """The values of fields."""
        shown = (
            text(f"{kind.fields[slot].name} {self.words.value(kind.fields[slot].type, value)}")
            for slot, value in values
            if value is not None
        )
        return joined(self.word("comma"), shown)

    def expected(self, expectation: Expectation) -> tuple[str, list[Text]]:
        """A block of `expect`: its heading and what it lists."""
        as_of = expectation.as_of
        head = self.word("expect") if as_of is None else self.word("expect as of", self.words.instant(as_of))
        lines: list[Text] = []
        for standing in expectation.standings:
            whose = self.word("expect status")
            if self.several or standing.subject != self.case.facts[0].subject if self.case.facts else True:
                whose = self.word("expect status of", standing.subject)
            lines.append(text(whose, Code(standing.status)))
        lines += [text(self.word("expect fact"), self.pattern(pattern)) for pattern in expectation.facts]
        if expectation.absent:
            absent = joined(self.word("list"), (self.pattern(pattern) for pattern in expectation.absent))
            lines.append(text(self.word("expect absent"), absent))
        for figure in expectation.figures:
            name = figure.kind.name + ("" if figure.slot is None else f".{figure.kind.fields[figure.slot].name}")
            number = f"{figure.number:,}"
            if figure.slot is not None:
                number = self.words.value(figure.kind.fields[figure.slot].type, figure.number)
            lines.append(text(Code(name), self.word("expect count" if figure.slot is None else "expect sum", number)))
        if expectation.only:
            only = joined(self.word("list"), ((Code(kind.name),) for kind, _ in expectation.only))
            lines.append(text(self.word("expect only"), only))
        return head, lines

    def pattern(self, pattern: Pattern) -> Text:
        """A fact that is expected, or expected not to be there."""
        told: list[Text] = []
        if pattern.subject is not None and self.several:
            told.append(text(pattern.subject))
        if pattern.at is not None:
            told.append(text(self.words.instant(pattern.at)))
        said = self.says(pattern.kind, pattern.values)
        told += [said] if said else []
        shown = joined(self.word("comma"), told)
        kind = self.kind(pattern.kind)
        if not shown:
            return kind
        return text(kind, "（", shown, "）") if self.zh else text(kind, " (", shown, ")")
