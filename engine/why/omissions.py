"""What was not counted, and why: facts of the kind that were passed over, and those that brought none of the kind.

Only the nearest are listed, and only so many are looked at, so that an explanation stays short and fast however long a
history is.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from ..facts import Fact, Kind, Value
from ..machine.timeline import Entry, Voided
from ..model import Derivation, Literal, OwnField, Rule, TriggerField, walk
from .history import History, Row, Test, passes
from .proof import Cause, LeftOut, NotDerived, Stand, Tally, Trial
from .replay import Found, View

MOST_LISTED = 6
"""How many facts left out a tally lists."""

MOST_NOT_DERIVED = 5
"""How many facts that brought none of the kind a tally lists."""

LOOKED_AT = 60
"""How many facts, the newest first, are looked at to find them."""

Try = Callable[[Rule, Stand], Trial]

_PROGRESS = {
    "over": 0,
    "not-in-force": 1,
    "join": 2,
    "fault": 3,
    "condition": 3,
    "ladder": 4,
    "other-step": 5,
    "once": 5,
    "fired": 6,
}


def progress(trial: Trial) -> tuple[int, int]:
    """How far a trial got: the stage, and how many joins or parts of the condition held."""
    return _PROGRESS[trial.stage], len(trial.joined) + len(trial.conditions)


def about(trial: Trial, kind: Kind) -> Trial:
    """The trial as it bears on a kind: a ladder may have fired at a step with other consequences."""
    ladder, climb = trial.rule.ladder, trial.climb
    if trial.stage != "fired" or ladder is None or climb is None:
        return trial
    derived = [d.kind for threshold, steps in ladder.steps for d in steps if threshold == climb.crossed]
    return trial if kind in derived else replace(trial, stage="other-step")


class Omissions:
    """Completes tallies of a history with what they left out.

    Parameters
    ----------
    history : History
        The facts of the run.
    attempt : callable
        Tries a rule for a fact, in short.
    """

    def __init__(self, history: History, attempt: Try) -> None:
        self.history = history
        self.attempt = attempt
        ruleset, run = history.ruleset, history.run
        self.voided: list[list[Voided]] = [[] for _ in ruleset.kinds]
        for void in run.voided:
            self.voided[void.fact.kind.index].append(void)
        self.later: list[list[Fact]] = [[] for _ in ruleset.kinds]
        for fact in run.later:
            self.later[fact.kind.index].append(fact)
        self.makers: list[list[tuple[Rule, Derivation]]] = [[] for _ in ruleset.kinds]
        for rule in ruleset.rules:
            for _, _, derivation in rule.derivations():
                if derivation.at is None:
                    self.makers[derivation.kind.index].append((rule, derivation))
        self._brought: dict[int, set[int]] = {}

    def complete(self, view: View, found: Found) -> Tally:
        """The tally with the nearest facts left out, how many there were, and what brought none of the kind."""
        tally = found.tally
        left_out, total = self._left_out(view, found)
        return replace(
            tally, left_out=left_out, left_out_total=total, not_derived=tuple(self._not_derived(view, found))
        )

    def brought(self, kind: int) -> set[int]:
        """The places of the facts that brought one of a kind."""
        if kind not in self._brought:
            entries = self.history.kinds[kind].entries
            self._brought[kind] = {reason.trigger.place for entry in entries for reason in entry.reasons}
        return self._brought[kind]

    # Facts of the kind.

    def _left_out(self, view: View, found: Found) -> tuple[tuple[LeftOut, ...], int]:
        tally, selection = found.tally, found.selection
        whole = self.history.kinds[tally.kind.index]
        seen = whole.end(view.trigger.step, tally.earlier_only)
        of_step = whole.end(view.trigger.step, False)
        own = self._own(view, whole.entries[seen:of_step])
        voided = self._until(self.voided[tally.kind.index], tally.now)
        later = [fact for fact in self.later[tally.kind.index][:LOOKED_AT] if fact.at <= tally.now]
        others = of_step - len(tally.counted) - len(own)
        total = others + len(voided) + len(later)
        if not total:
            return (), 0
        test = self.history.test(selection)
        out: dict[int, LeftOut] = {}
        if others:
            for entry in self._candidates(whole, seen, of_step, found):
                if entry.place in out or entry.place in own:
                    continue
                causes = self._causes(found, test, entry.fact, entry, view.trigger.step)
                if causes:
                    out[entry.place] = LeftOut(entry.fact, self.history.stand(entry), causes)
                if len(out) >= MOST_LISTED + 3:
                    break
        gone = []
        for void in voided[-LOOKED_AT:]:
            cause = Cause("voided", fact=void.by, text=void.rule.name)
            causes = self._causes(found, test, void.fact)
            gone.append(LeftOut(void.fact, None, (cause, *causes)))
        for fact in later:
            causes = self._causes(found, test, fact)
            gone.append(LeftOut(fact, None, (Cause("unknown", instant=fact.known_at), *causes)))
        nearest = sorted([*out.values(), *gone], key=lambda left: (len(left.causes), -left.fact.at))
        return tuple(nearest[:MOST_LISTED]), total

    @staticmethod
    def _own(view: View, hidden: Sequence[Entry]) -> set[int]:
        """Of the facts of this step that a rule does not see, those that it derived itself."""
        return {entry.place for entry in hidden if any(r.rule is view.rule for r in entry.reasons)}

    @staticmethod
    def _until(voided: Sequence[Voided], now: int) -> Sequence[Voided]:
        return voided[: bisect_right(voided, now, key=lambda void: void.fact.at)]

    def _candidates(self, whole: Row, seen: int, of_step: int, found: Found) -> Iterator[Entry]:
        """What may have been left out: just outside the window, of this very step, then backward in time."""
        yield from reversed(found.row.entries[max(found.low - 3, 0) : found.low])
        yield from reversed(whole.entries[seen:of_step][:LOOKED_AT])
        yield from reversed(whole.entries[max(seen - LOOKED_AT, 0) : seen])

    @staticmethod
    def _causes(
        found: Found, test: Test | None, fact: Fact, entry: Entry | None = None, step: int = 0
    ) -> tuple[Cause, ...]:
        """Every reason for which a fact is not counted; none, where it is."""
        tally, selection = found.tally, found.selection
        causes: list[Cause] = []
        if entry is not None and tally.earlier_only and entry.step >= step:
            causes.append(Cause("same-step"))
        for (slot, expression), wanted in zip(selection.by, found.key, strict=True):
            value = fact.values[slot]
            if value is None or value != wanted:
                field = selection.kind.fields[slot]
                causes.append(Cause("key", field.name, expression.type, value, wanted))
        if not passes(test, fact):
            causes.append(Cause("where", text=tally.where))
        if tally.length is not None and tally.length.value is None:
            causes.append(Cause("period"))
        begins = tally.begins
        if begins is not None and (fact.at < begins or (fact.at == begins and not tally.inclusive)):
            causes.append(Cause("window", gap=begins - fact.at, instant=begins))
        since = tally.since
        if since is not None and (entry.step < since.step if entry is not None else fact.at < since.fact.at):
            causes.append(Cause("since", fact=since.fact))
        return tuple(causes)

    # What brought none.

    def _not_derived(self, view: View, found: Found) -> list[NotDerived]:
        tally = found.tally
        listed: dict[tuple[int, str], NotDerived] = {}
        looked, brought = 0, self.brought(tally.kind.index)
        for rule, derivation in self.makers[tally.kind.index]:
            if not self._could_match(found, derivation, None):
                continue
            for kind in rule.triggers:
                row = self.history.kinds[kind.index]
                high = row.end(view.trigger.step, tally.earlier_only or rule is view.rule)
                low = self._low(row, tally)
                for entry in reversed(row.entries[max(low, high - LOOKED_AT) : high]):
                    looked += 1
                    if looked > 2 * LOOKED_AT or len(listed) >= 2 * MOST_NOT_DERIVED:
                        break
                    if entry.place in brought:
                        continue
                    if self._could_match(found, derivation, entry.fact):
                        stand = self.history.stand(entry)
                        trial = about(self.attempt(rule, stand), tally.kind)
                        listed.setdefault(
                            (stand.place, rule.name), NotDerived(tally.kind, stand.fact, stand, rule, trial)
                        )
                for number, void in enumerate(reversed(self._until(self.voided[kind.index], tally.now))):
                    if number >= LOOKED_AT or len(listed) >= 3 * MOST_NOT_DERIVED:
                        break
                    fact = void.fact
                    inside = tally.begins is None or fact.at > tally.begins
                    if tally.since is not None and fact.at < tally.since.fact.at:
                        inside = False
                    if inside and self._could_match(found, derivation, fact):
                        cause = Cause("voided", fact=void.by, text=void.rule.name)
                        key = (-1 - number, kind.name)
                        listed.setdefault(key, NotDerived(tally.kind, fact, None, rule, voided=cause))
        nearest = sorted(
            listed.values(), key=lambda n: (progress(n.trial) if n.trial else (9, 0), n.fact.at), reverse=True
        )
        return nearest[:MOST_NOT_DERIVED]

    @staticmethod
    def _low(row: Row, tally: Tally) -> int:
        if tally.since is not None:
            return bisect_left(row.steps, tally.since.step)
        if tally.begins is not None:
            return (bisect_left if tally.inclusive else bisect_right)(row.ats, tally.begins)
        return 0

    def _could_match(self, found: Found, derivation: Derivation, trigger: Fact | None) -> bool:
        """Whether what a rule derives from a trigger would have been selected, as far as its fields tell beforehand."""
        selection = found.selection
        known: dict[int, Value] = {}
        for slot, expression in enumerate(derivation.values):
            default = selection.kind.fields[slot].default
            if expression is None:
                known[slot] = default
            elif isinstance(expression, Literal) and isinstance(expression.value, str | int):
                known[slot] = expression.value
            elif isinstance(expression, TriggerField) and trigger is not None:
                value = trigger.get(expression.name)
                known[slot] = default if value is None else value
        for (slot, _), wanted in zip(selection.by, found.key, strict=True):
            if slot in known and known[slot] != wanted:
                return False
        if selection.where is None:
            return True
        slots = {part.slot for part in walk(selection.where) if isinstance(part, OwnField)}
        if not slots <= known.keys():
            return True
        values = tuple(known.get(slot) for slot in range(len(selection.kind.fields)))
        subject = self.history.run.subject
        return passes(self.history.test(selection), Fact(selection.kind, found.tally.now, subject, values))
