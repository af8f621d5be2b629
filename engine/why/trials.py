"""Rules tried again, as the steps of a run tried them: how far each got, and what every part came to."""

from __future__ import annotations

from ..machine.evaluate import Fault
from ..model import Derivation, JoinedField, Ladder, Rule, TriggerField
from .history import History
from .omissions import Omissions
from .proof import Climb, Given, Joined, Stand, Term, Trial
from .replay import Replay, View, conjuncts


class Trials:
    """Tries rules of a run's ruleset for facts of the run.

    Parameters
    ----------
    history : History
        The facts of the run.
    """

    def __init__(self, history: History) -> None:
        self.history = history
        self.run = history.run
        self.omissions = Omissions(history, self.in_short)
        self.replay = Replay(history, self.omissions.complete)
        self._climbed: set[tuple[str, int]] | None = None
        self._short: dict[tuple[str, int], Trial] = {}

    def in_short(self, rule: Rule, trigger: Stand) -> Trial:
        """Try a rule for a fact, without what tallies left out; each once."""
        key = (rule.name, trigger.place)
        found = self._short.get(key)
        if found is None:
            found = self._short[key] = self.of(rule, trigger, False)
        return found

    def of(
        self,
        rule: Rule,
        trigger: Stand,
        detail: bool,
        derivation: Derivation | None = None,
        threshold: int | None = None,
    ) -> Trial:
        """Try a rule for a fact as its step did (semantics 5).

        Parameters
        ----------
        rule, trigger
            The rule, and the fact of one of its `when` kinds.
        detail : bool
            Whether tallies say what they left out.
        derivation : Derivation, optional
            The derivation whose fact is explained; then what it gave is added.
        threshold : int, optional
            The ladder's threshold that it belongs to.
        """
        over = self.history.over
        if over is not None and trigger.step > over.step:
            return Trial(rule, trigger, "over")
        now = trigger.fact.at
        if (rule.starts is not None and now < rule.starts) or (rule.ends is not None and now >= rule.ends):
            return Trial(rule, trigger, "not-in-force")
        view = View(rule, trigger, [], {}, False, detail)
        joined: list[Joined] = []
        conditions = []
        climb: Climb | None = None
        gives: list[Given] = []
        scheduled = None
        stage, message = "fired", ""
        before = View(rule, trigger, view.joined, {}, True, False)
        try:
            for join in rule.joins:
                found = self.replay.found(join.selection, None, None, view)
                newest = found.tally.counted[-1] if found.tally.counted else None
                text = self.replay.selection_text(join.selection)
                joined.append(Joined(join.alias, text, newest, self.replay.tally(found, view)))
                if newest is None:
                    return Trial(rule, trigger, "join", tuple(joined))
                view.joined.append(newest)
            for part in conjuncts(rule.condition):
                conditions.append(self.replay.term(part, view))
                if not conditions[-1].value:
                    stage = "condition"
                    break
            if stage == "fired" and rule.ladder is not None:
                climb = self._climb(rule.ladder, view, before)
                if climb.crossed is None:
                    stage = "ladder"
                elif derivation is not None and climb.crossed != threshold:
                    stage = "other-step"
                elif (rule.name, trigger.place) not in self._ladders():
                    stage = "once"
            if stage == "fired" and derivation is not None:
                gives, scheduled = self._gives(derivation, view)
        except Fault as fault:
            stage, message = "fault", fault.message
        names = [let.name for let in rule.lets]
        return Trial(
            rule=rule,
            trigger=trigger,
            stage=stage,
            joined=tuple(joined),
            conditions=tuple(conditions),
            lets=tuple((names[number], view.lets[number]) for number in sorted(view.lets)),
            lets_before=tuple((names[number], before.lets[number]) for number in sorted(before.lets)),
            climb=climb,
            derivation=derivation,
            gives=tuple(gives),
            scheduled=scheduled,
            message=message,
        )

    def _ladders(self) -> set[tuple[str, int]]:
        """The ladders that fired, with the places of their triggers."""
        if self._climbed is None:
            reasons = [reason for entry in self.run.entries for reason in entry.reasons]
            reasons += [reason for pending in self.run.pending for reason in pending.reasons]
            self._climbed = {(r.rule.name, r.trigger.place) for r in reasons if r.threshold is not None}
        return self._climbed

    def _climb(self, ladder: Ladder, view: View, before: View) -> Climb:
        had, now = self.replay.term(ladder.of, before), self.replay.term(ladder.of, view)
        thresholds = tuple(threshold for threshold, _ in ladder.steps)
        low = had.value if isinstance(had.value, int) else None
        high = now.value if isinstance(now.value, int) else None
        newly = [t for t in thresholds if high is not None and t <= high and (low is None or t > low)]
        return Climb(had, now, thresholds, max(newly, default=None))

    def _gives(self, derivation: Derivation, view: View) -> tuple[list[Given], Term | None]:
        gives = []
        for field, expression in zip(derivation.kind.fields, derivation.values, strict=True):
            if expression is not None:
                term = self.replay.term(expression, view)
                carried = isinstance(expression, TriggerField | JoinedField) and expression.name == field.name
                gives.append(Given(field.name, term, carried))
        return gives, None if derivation.at is None else self.replay.term(derivation.at, view)
