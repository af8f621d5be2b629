"""The difference of two outcomes in words, with why each conclusion came or went."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..facts import Fact
from ..machine.timeline import Entry, Reason
from ..speech.outcome import GOOD_STANDING
from ..why.answer import Answer
from ..why.history import History
from ..why.tell import Teller
from ..why.tell_values import Values
from ..why.tree import Branch, visible
from ..why.trials import Trials
from .difference import DifferenceRecord, Side, SubjectDifference, same_fact
from .words_ahead import WordsAhead

MOST_SUBJECTS = 20
"""How many subjects a text tells of."""

MOST_LINES = 30
"""How many conclusions gained, and how many lost, it tells of for each."""

MOST_CHANGES = 12


class SideTeller(Teller):
    """Says why the other outcome of a subject lacks a conclusion; see `Teller`."""

    def __init__(self, side: Side, language: str) -> None:
        super().__init__(side.ruleset, language)
        self.words: WordsAhead = WordsAhead(side.ruleset, language)
        self.say = self.words.say
        self.values = Values(self.words)
        self.side = side
        self.trials = None if side.standing is None else Trials(History(side.ruleset, side.standing))

    def why_none(self, reason: Reason) -> tuple[str, tuple[Branch, ...]]:
        """Why what a reason of the other side gave is not here."""
        run, words = self.side.standing, self.words
        if run is None or self.trials is None:
            rejected = self.side.rejected
            return (self.say("is-rejected", why=rejected) if rejected else self.say("not-at-all")), ()
        rule = next((r for r in self.side.ruleset.rules if r.name == reason.rule.name), None)
        if rule is None:
            return self.say("no-such-rule", rule=reason.rule.name), ()
        wanted = same_fact(reason.trigger.fact)
        trigger = next((entry for entry in run.entries if same_fact(entry.fact) == wanted), None)
        if trigger is None:
            return self._gone(reason.trigger.fact, reason.trigger.given), ()
        if trigger.fact.kind not in rule.triggers:
            return self.say("no-trigger", kind=words.kind(rule.triggers[0])), ()
        trial = self.trials.in_short(rule, self.trials.history.stand(trigger))
        if trial.stage == "fired":
            given = [entry for entry in run.entries if any(self._same(r, reason) for r in entry.reasons)]
            if given:
                return self.say("fires-so", rule=rule.name, fact=words.full(given[0].fact, titled=False)), ()
            return self.say("fires-later", rule=rule.name), ()
        if trial.stage == "over" and self.trials.history.over is not None:
            over = self.trials.history.over.fact
            return self.say("over", kind=words.kind(over.kind), at=words.instant(over.at)), ()
        text, children = self._short_reason(trial)
        return (text + self.values.distance(trial.conditions[-1]) if trial.stage == "condition" else text), children

    @staticmethod
    def _same(one: Reason, other: Reason) -> bool:
        return one.rule.name == other.rule.name and same_fact(one.trigger.fact) == same_fact(other.trigger.fact)

    def _gone(self, fact: Fact, given: bool) -> str:
        """Why a trigger of the other side is not here."""
        run, wanted = self.side.standing, same_fact(fact)
        for void in run.voided if run is not None else ():
            if same_fact(void.fact) == wanted:
                voided = self.say("voided", fact=self.words.dated(void.by), rule=void.rule.name)
                return f"{self.words.short(void.fact)} · {voided}"
        for late in run.later if run is not None else ():
            if same_fact(late) == wanted:
                return f"{self.words.short(late)} · {self.say('unknown', at=self.words.instant(late.from_then_on))}"
        return self.say("no-longer", fact=self.words.short(fact))


class DifferenceTeller:
    """Puts a difference into words.

    Parameters
    ----------
    found : DifferenceRecord
        The difference.
    language : str
        `zh` or `en`.
    """

    def __init__(self, found: DifferenceRecord, language: str) -> None:
        self.found, self.language = found, language
        self.words = WordsAhead(found.after, language)
        self.say = self.words.say

    def branches(self) -> Iterator[Branch]:
        """The whole difference."""
        found, words = self.found, self.words
        title = words.title(found.before.title)
        named = f"{found.before.name} {found.before.version}".strip()
        yield Branch(f"{self.say('what-if')} · {f'{title} ({named})' if title else named}")
        lines = [words.instant(at) for at in dict.fromkeys(found.instants)]
        yield Branch(f"{self.say('as-of', at=' → '.join(lines))} · {self.say('times', zone=found.after.zone.name)}")
        yield from (Branch(line) for line in self._changes())
        for one in found.subjects[:MOST_SUBJECTS]:
            yield self._subject(one)
        if len(found.subjects) > MOST_SUBJECTS:
            yield Branch(self.say("more-subjects", number=len(found.subjects) - MOST_SUBJECTS))
        if not found.subjects:
            yield Branch(self.say("unchanged"))
            return
        counts = {
            "number": len(found.subjects),
            "total": found.total,
            "subject": found.after.subject,
            "gained": sum(len(one.gained) for one in found.subjects),
            "lost": sum(len(one.lost) for one in found.subjects),
        }
        yield Branch(self.say("changed-of", **counts))

    def _changes(self) -> Iterator[str]:
        """What was supposed."""
        changes, words = self.found.changes, self.words
        facts = [("added", fact) for fact in changes.added] + [("removed", fact) for fact in changes.removed]
        for phrase, fact in facts[:MOST_CHANGES]:
            shown = words.full(fact, titled=False)
            yield self.say(phrase, fact=f"{self.found.after.subject} {visible(fact.subject)} · {shown}")
        if len(facts) > MOST_CHANGES:
            left = len(facts) - MOST_CHANGES
            yield self.say("more-changes-one" if left == 1 else "more-changes", number=left)
        for name, value in changes.settings:
            yield self.say("set", name=name, value=value)
        if changes.against:
            yield self.say("against", ruleset=changes.against)

    def _subject(self, one: SubjectDifference) -> Branch:
        """One subject: its status on both sides, and each conclusion that came or went."""
        before, after = self._state(one.before), self._state(one.after)
        subject = f"{self.found.after.subject} {visible(one.subject)}"
        if before == after:
            head = self.say("subject-same", subject=subject, status=after)
        else:
            head = self.say("subject-status", subject=subject, before=before, after=after)
        now, then = SideTeller(one.after, self.language), SideTeller(one.before, self.language)
        children = [
            *self._conclusions("lost", one.lost, now, "after-reason"),
            *self._conclusions("gained", one.gained, then, "before-reason"),
        ]
        for phrase, pending in (("lost-pending", one.pending_lost), ("gained-pending", one.pending_gained)):
            children += [Branch(self.say(phrase, fact=self.words.short(p.fact))) for p in pending[:MOST_LINES]]
            if len(pending) > MOST_LINES:
                children.append(Branch(self.say("more-lines", number=len(pending) - MOST_LINES)))
        return Branch(head, tuple(children))

    def _conclusions(self, phrase: str, entries: tuple[Entry, ...], other: SideTeller, reason: str) -> Iterator[Branch]:
        told: set[Branch] = set()
        for entry in entries[:MOST_LINES]:
            shown = f"{self.words.full(entry.fact, titled=False)} · {self.say('rule', rule=entry.reasons[0].rule.name)}"
            why, children = other.why_none(entry.reasons[0])
            branch = Branch(self.say(reason, why=why), children)
            yield Branch(self.say(phrase, fact=shown), () if branch in told else (branch,))
            told.add(branch)
        if len(entries) > MOST_LINES:
            yield Branch(self.say("more-lines", number=len(entries) - MOST_LINES))

    def _state(self, side: Side) -> str:
        """How a subject stands in one of the outcomes."""
        status = side.status
        if status is not None:
            return self.words.status(status)
        return self.say("is-rejected", why=side.rejected) if side.rejected else self.words.status(GOOD_STANDING)


@dataclass(frozen=True, slots=True, repr=False)
class Difference(Answer, DifferenceRecord):
    """What is otherwise in a second outcome; see `DifferenceRecord` for what it holds."""

    def branches(self, language: str) -> list[Branch]:
        """The difference as a tree, in `zh` or `en`."""
        return list(DifferenceTeller(self, language).branches())
