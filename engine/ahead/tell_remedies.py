"""Remedies and next sanctions in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ..facts import Fact
from ..machine.timeline import Entry
from ..model import Ruleset
from ..speech.outcome import GOOD_STANDING, Status, record
from ..why.tree import Branch, visible
from .acts import own_id
from .remedy import AheadRecord, NextSanction, RemediesRecord, Remedy, Step
from .words_ahead import WordsAhead

MOST_SHOWN = 10
"""How many remedies a text shows."""

Json = dict[str, Any]


class RemedyTeller:
    """Puts remedies and next sanctions into words.

    Parameters
    ----------
    ruleset : Ruleset
        The ruleset.
    language : str
        `zh` or `en`.
    """

    def __init__(self, ruleset: Ruleset, language: str) -> None:
        self.words = WordsAhead(ruleset, language)
        self.say = self.words.say
        self.named: set[str] = set()

    def about(self, what: str, ruleset: Ruleset, subject: str, at: int) -> list[Branch]:
        """The lines that say what an answer is about."""
        words = self.words
        title = words.title(ruleset.title)
        named = f"{ruleset.name} {ruleset.version}".strip()
        first = [what, f"{ruleset.subject} {visible(subject)}", f"{title} ({named})" if title else named]
        second = [self.say("as-of", at=words.instant(at)), self.say("times", zone=ruleset.zone.name)]
        return [Branch(" · ".join(first)), Branch(" · ".join(second))]

    # Remedies.

    def remedies(self, found: RemediesRecord) -> Iterator[Branch]:
        """All remedies."""
        words = self.words
        what = (
            self.say("undo", facts=words.join([words.short(fact) for fact in found.undone]))
            if found.undone
            else self.say("give", status=words.status(found.wanted or GOOD_STANDING))
        )
        yield from self.about(what, found.ruleset, found.subject, found.at)
        yield Branch(self.say("status", status=words.status(found.status)))
        if found.by > found.at:
            same = found.ahead == found.status
            phrase = "by-then" if found.asked else "kept-same" if same else "kept"
            yield Branch(self.say(phrase, at=words.instant(found.by), status=words.status(found.ahead)))
        if found.reached:
            yield Branch(self.say("reached"))
            return
        priced = any(step.cost != 1 for remedy in found for step in remedy.steps)
        for number, remedy in enumerate(found.found[:MOST_SHOWN], 1):
            yield self.remedy(number, remedy, priced)
        if len(found) > MOST_SHOWN:
            yield Branch(self.say("more-remedies", number=len(found) - MOST_SHOWN))
        if not found.found:
            most = found.exact_to
            phrase = "no-remedy" if found.acts and most > 1 else "no-remedy-one" if found.acts else "no-acts"
            yield Branch(self.say(phrase, acts=found.acts, most=most))
        if found.exact_to < found.most:
            yield Branch(self.say("not-all", runs=f"{found.runs:,}", size=found.exact_to))

    def remedy(self, number: int, remedy: Remedy, priced: bool) -> Branch:
        """One remedy."""
        after = self.words.status(Status(remedy.status.kind, None))
        if len(remedy.steps) == 1:
            step = remedy.steps[0]
            head, children = self.step(step), tuple(self.details(step))
        else:
            head = self.say("together", number=len(remedy.steps))
            children = tuple(Branch(self.step(step), tuple(self.details(step))) for step in remedy.steps)
        text = f"{number}. " + self.say("then", what=head, status=after)
        return Branch(self.say("cost", text=text, cost=f"{remedy.cost:g}") if priced else text, children)

    def step(self, step: Step) -> str:
        """A fact of a remedy, and what would do the same."""
        first = self.words.name(step.fact)
        others = f" {self.say('or')} ".join(self.words.name(fact) for fact in step.instead)
        return self.say("or-else", first=first, others=others) if others else first

    def details(self, step: Step) -> Iterator[Branch]:
        """What a fact voids or answers."""
        for fact in step.voids:
            yield Branch(self.say("voids", fact=self.words.full(fact, titled=False)))
        kinds = {fact.kind for fact in step.voids}
        for rule in self.words.ruleset.void_rules:
            if step.fact.kind in rule.triggers and rule.name not in self.named and kinds & {t.kind for t in rule.voids}:
                self.named.add(rule.name)
                yield Branch(self.say("rule", rule=self.words.rule(rule)))
        if step.answers is not None:
            at = self.words.instant(step.answers.at)
            yield Branch(self.say("answers", at=at, fact=self.words.name(step.answers)))

    # The next sanction.

    def ahead(self, found: AheadRecord) -> Iterator[Branch]:
        """What would bring the next sanction."""
        words = self.words
        yield from self.about(self.say("next"), found.ruleset, found.subject, found.at)
        if found.over is not None:
            fact = found.over.fact
            yield Branch(self.say("is-over", kind=words.kind(fact.kind), at=words.instant(fact.at)))
            return
        if found.pending:
            yield Branch(self.say("pending-brings", what=self.sanctions(found.pending)))
        if not found.found:
            yield Branch(self.say(self.none_found(found), most=found.most))
        for number, sanction in enumerate(found.found[:MOST_SHOWN], 1):
            yield self.sanction(number, sanction, found.at)
        if len(found) > MOST_SHOWN:
            yield Branch(self.say("more-remedies", number=len(found) - MOST_SHOWN))
        if not found.complete:
            yield Branch(self.say("next-not-all", runs=f"{found.runs:,}"))

    @staticmethod
    def none_found(found: AheadRecord) -> str:
        """What is said where no more facts were found that bring a sanction."""
        if not found.likes:
            return "no-likes-besides" if found.pending else "no-likes"
        if not found.complete:
            return "no-next-found"
        phrase = "no-next-besides" if found.pending else "no-next"
        return f"{phrase}-one" if found.most == 1 else phrase

    def sanctions(self, entries: Sequence[Entry]) -> str:
        """Sanctions, each with when."""
        words = self.words
        return words.join([f"{words.kind(entry.fact.kind)} · {words.instant(entry.fact.at)}" for entry in entries])

    def sanction(self, number: int, sanction: NextSanction, now: int) -> Branch:
        """What would bring one sanction."""
        words, facts = self.words, sanction.facts
        like = words.like(sanction.like, own_id(sanction.like.kind), not sanction.anyone)
        if sanction.anyone:
            whoever = "anyone" if len(facts) == 1 else "anyone-alike"
            like = self.say("like-from", like=like, anyone=self.say(whoever if sanction.whoever else "anyone-new"))
        instants = [fact.at for fact in facts]
        soon = all(at == now for at in instants)
        when = (
            self.say("now") if soon else self.say("at-instants", at=words.join([words.instant(at) for at in instants]))
        )
        what = self.say("one-more" if len(facts) == 1 else "more-like", number=len(facts), like=like, when=when)
        return Branch(f"{number}. " + self.say("then", what=what, status=self.sanctions(sanction.brings)))


def about_json(ruleset: Ruleset, subject: str, at: int) -> Json:
    """What an answer is about, as JSON has it."""
    return {
        "ruleset": ruleset.name,
        "version": ruleset.version,
        ruleset.subject: subject,
        "as_of": ruleset.zone.format(at),
    }


def shown(ruleset: Ruleset, fact: Fact) -> Json:
    """A fact as JSON has it."""
    return dict(record(ruleset, fact))
