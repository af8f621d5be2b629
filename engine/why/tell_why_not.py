"""Why a kind was not derived, in words: for each rule how far it got, and what was missing."""

from __future__ import annotations

from collections.abc import Iterator

from .proof import Hint, RuleAnswer, WhyNotRecord
from .tell import MOST_COUNTED, Teller
from .tell_values import leaves
from .tree import Branch


class WhyNotTeller(Teller):
    """Puts into words why a kind was not derived; see `Teller`."""

    def why_not(self, answer: WhyNotRecord) -> list[Branch]:
        """Why a kind was not derived: what it is about, then how far each rule got."""
        kind = self.words.kind(answer.kind)
        what = self.say("why-not", kind=kind)
        if answer.at is not None:
            start, end = answer.at
            what += f" {self.words.instant(start) if end - start == 1 else self.words.day(start)}"
        about = self._about(what, answer.ruleset, answer.subject, answer.as_of)
        return [*(Branch(line) for line in about), *self._answers(answer)]

    def _answers(self, answer: WhyNotRecord) -> Iterator[Branch]:
        words = self.words
        if answer.derived:
            facts = tuple(Branch(f"✓ {words.full(stand.fact)}") for stand in answer.derived[-MOST_COUNTED:])
            given = all(stand.given for stand in answer.derived)
            yield Branch(self.say("was-given" if given else "derived"), facts)
            return
        for fact in answer.pending:
            yield Branch(self.say("pending", fact=words.full(fact)))
        over = answer.over
        if over is not None and (answer.at is None or answer.at[1] > over.fact.at):
            at = words.instant(over.fact.at)
            yield Branch("✗ " + self.say("over", kind=words.kind(over.fact.kind), at=at))
        if not answer.rules:
            yield Branch("✗ " + self.say("no-rule", kind=words.kind(answer.kind)))
        for rule in answer.rules:
            if rule.trial is not None and rule.trial.stage == "fired":
                continue  # What it scheduled is pending.
            self.seen.clear()
            yield Branch(self.say("rule", rule=self._rule(rule.rule)), tuple(self._rule_answer(rule)))
        for left in answer.voided:
            yield self._left_out(left)

    def _rule_answer(self, answer: RuleAnswer) -> Iterator[Branch]:
        words, trial = self.words, answer.trial
        if trial is None:
            absent = tuple(branch for inner in answer.absent for branch in self._answers(inner))
            names = f" {self.say('or')} ".join(words.kind(kind) for kind in answer.rule.triggers)
            yield Branch("✗ " + self.say("no-trigger", kind=names), absent)
            return
        self.seen.add(trial.trigger.place)
        fact = self._full(trial.trigger.fact)
        phrase = "best" if answer.triggers == 1 else "best-of"
        yield Branch(self.say(phrase, number=answer.triggers, fact=fact))
        if trial.stage in ("not-in-force", "over"):
            yield Branch(f"✗ {self._short_reason(trial)[0]}")
            return
        yield from self._parts(trial)
        if trial.stage == "condition":
            for leaf in leaves(trial.conditions[-1]):
                if leaf.tally is not None and leaf.name == "none" and leaf.tally.clear_from is not None:
                    yield Branch(self.say("clear", at=words.instant(leaf.tally.clear_from)))
        if answer.hint is not None:
            yield Branch(f"→ {self._hint(answer.hint)}")

    def _hint(self, hint: Hint) -> str:
        """What more would let a rule fire."""
        words, number = self.words, len(hint.facts)
        like = self.say("forward-new" if hint.anyone else "forward-like", fact=words.name(hint.like))
        at = words.join([words.instant(fact.at) for fact in hint.facts])
        brings = f"{words.kind(hint.brings.kind)} · {words.instant(hint.brings.at)}"
        return self.say("forward-one" if number == 1 else "forward", number=number, like=like, at=at, brings=brings)
