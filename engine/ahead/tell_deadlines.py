"""Deadlines in words, as JSON, and as a calendar."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, overload

from ..facts import Fact
from ..model import Ruleset
from ..speech.outcome import json_value, record, rule_of, to_json
from ..why.answer import Answer
from ..why.tree import Branch, visible
from .deadlines import Deadline
from .icalendar import Event, calendar
from .words_ahead import WordsAhead

PRODUCT = "-//strikeout//deadlines//EN"

Json = dict[str, Any]


class Deadlines(Answer, Sequence[Deadline]):
    """Deadlines of one or all subjects, by date, then subject.

    Parameters
    ----------
    ruleset : Ruleset
        The ruleset.
    as_of : int
        The instant of the run.
    found : iterable of Deadline
        The deadlines.
    """

    def __init__(self, ruleset: Ruleset, as_of: int, found: Iterable[Deadline]) -> None:
        self.ruleset, self.as_of = ruleset, as_of
        self._found = sorted(found, key=lambda deadline: (deadline.fact.at, deadline.subject))

    def __len__(self) -> int:
        return len(self._found)

    @overload
    def __getitem__(self, place: int) -> Deadline: ...
    @overload
    def __getitem__(self, place: slice) -> Deadlines: ...
    def __getitem__(self, place: int | slice) -> Deadline | Deadlines:
        if isinstance(place, slice):
            return Deadlines(self.ruleset, self.as_of, self._found[place])
        return self._found[place]

    def branches(self, language: str) -> list[Branch]:
        """The deadlines as a tree, in `zh` or `en`."""
        return list(self._branches(language))

    def _branches(self, language: str) -> Iterator[Branch]:
        words = WordsAhead(self.ruleset, language)
        about = [words.say("deadlines"), f"{self.ruleset.name} {self.ruleset.version}".strip()]
        about += [words.say("as-of", at=words.instant(self.as_of)), words.say("times", zone=self.ruleset.zone.name)]
        yield Branch(" · ".join(about))
        if not self._found:
            yield Branch(words.say("none-pending"))
        for deadline in self._found:
            head = [words.instant(deadline.fact.at), f"{self.ruleset.subject} {visible(deadline.subject)}"]
            yield Branch(
                " · ".join([*head, words.name(deadline.fact)]),
                tuple(Branch(line) for line in lines(words, deadline)),
            )

    def as_dicts(self) -> list[Json]:
        """The deadlines as JSON has them: the pending fact, and what follows."""
        return [as_dict(self.ruleset, deadline) for deadline in self._found]

    def to_ics(self, language: str = "en") -> str:
        r"""The deadlines as an iCalendar (RFC 5545), an event each.

        The stamps are those of the run's instant, and an event's id follows from what is due, so that the same run
        gives the same bytes and a later one moves no event that stayed.

        Examples
        --------
        >>> import strikeout
        >>> fact = {"kind": "notice", "at": "2015-01-05", "seller": "s", "complaint": "c1", "complainant": "a"}
        >>> ruleset = strikeout.load("alibaba-procedure")
        >>> outcome = ruleset.run([{**fact, "right": "r", "claim": "counterfeit"}], engine="compiled")
        >>> [line for line in outcome.deadlines().to_ics().split("\r\n") if line.startswith("DTSTART")]
        ['DTSTART:20150108T160000Z']
        """
        return to_ics(self.ruleset, self._found, self.as_of, language)


def to_ics(ruleset: Ruleset, found: Iterable[Deadline], as_of: int, language: str) -> str:
    """Deadlines as an iCalendar; see `Deadlines.to_ics`."""
    words = WordsAhead(ruleset, language)
    name = words.say("ics-name", ruleset=words.title(ruleset.title) or ruleset.name)
    return calendar(_events(ruleset, words, found), name, as_of, PRODUCT)


def _events(ruleset: Ruleset, words: WordsAhead, found: Iterable[Deadline]) -> Iterator[Event]:
    numbers: dict[str, int] = {}
    for deadline in found:
        named = f"{ruleset.name} {to_json(record(ruleset, deadline.fact))}"
        number = numbers[named] = numbers.get(named, 0) + 1
        digest = hashlib.sha256(f"{named} {number}".encode()).hexdigest()[:32]
        brings = _brings(words, deadline, short=True)
        yield Event(
            uid=f"{digest}@strikeout",
            at=deadline.fact.at,
            summary=f"{deadline.subject}{words.say('colon')}{words.name(deadline.fact)}"
            + (f" → {brings}" if brings else ""),
            description="\n".join([words.full(deadline.fact), *lines(words, deadline)]),
            categories=(deadline.fact.kind.name,),
        )


def as_dict(ruleset: Ruleset, deadline: Deadline) -> Json:
    """A deadline as JSON has it: the pending fact with the rule that scheduled it, and what follows."""
    found: Json = dict(record(ruleset, deadline.fact, deadline.rules[0].name))
    found["since"] = dict(record(ruleset, deadline.since))
    found["brings"] = [dict(record(ruleset, entry.fact, rule_of(entry))) for entry in deadline.brings]
    if deadline.schedules:
        found["schedules"] = [dict(record(ruleset, fact)) for fact in deadline.schedules]
    if deadline.answers:
        found["answers"] = [_without_time(ruleset, fact) for fact in deadline.answers]
    return found


def _without_time(ruleset: Ruleset, fact: Fact) -> Json:
    pairs = zip(fact.kind.fields, fact.values, strict=True)
    shown = {field.name: json_value(ruleset, field, value) for field, value in pairs if value is not None}
    return {ruleset.subject: fact.subject, "kind": fact.kind.name, **shown}


def lines(words: WordsAhead, deadline: Deadline) -> list[str]:
    """What is to be said of a deadline: the rule, the fact it started from, what follows, what can still be done."""
    rules = words.join([words.rule_name(rule) for rule in deadline.rules])
    found = [f"{words.say('by-rule', rule=rules)} · {words.say('on-fact', fact=words.short(deadline.since))}"]
    brings = _brings(words, deadline)
    found.append(words.say("if-nothing", what=brings or words.say("nothing")))
    if deadline.schedules:
        found.append(words.say("schedules", what=words.join([words.short(fact) for fact in deadline.schedules])))
    if deadline.answers:
        found.append(words.say("answer-before", what=words.join([words.name(fact) for fact in deadline.answers])))
    return found


def _brings(words: WordsAhead, deadline: Deadline, short: bool = False) -> str:
    """What follows, the sanctions first; in short, those alone where there are any."""
    facts = [entry.fact for entry in deadline.brings]
    facts.sort(key=lambda fact: -fact.kind.severity if fact.kind.effect else 0)
    sanctions = [fact for fact in facts if fact.kind.effect]
    return words.join([words.name(fact) for fact in (sanctions or facts if short else facts)])


def headings(words: WordsAhead) -> list[str]:
    """The headings of a table of deadlines."""
    columns = ("col-at", "", "col-what", "col-rule", "col-brings", "col-answers")
    return [words.say(column) if column else words.ruleset.subject for column in columns]


def row(words: WordsAhead, deadline: Deadline) -> list[str]:
    """A deadline as a row of a table."""
    return [
        words.instant(deadline.fact.at),
        deadline.subject,
        words.name(deadline.fact),
        ", ".join(rule.name for rule in deadline.rules),
        _brings(words, deadline),
        words.join([words.name(fact) for fact in deadline.answers]),
    ]
