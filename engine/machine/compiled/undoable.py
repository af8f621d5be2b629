"""Generated code that goes on, and back: it leaves a trail by which its steps can be undone."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from heapq import heapify
from operator import itemgetter
from typing import Any

from strikeout.facts import Fact
from strikeout.machine.runs import Entry, Reason
from strikeout.model import Ruleset

from .plan import Reasoned

PLACE = 3
"""Where a mark has the last place before a step."""


class Stretch:
    """Steps of a run, and the facts that stand in them, made when asked for.

    Parameters
    ----------
    ruleset : Ruleset
        The ruleset.
    reasoned : sequence of Reasoned
        The derivations by their numbers.
    subject : str
        The subject.
    below : Stretch or None
        The steps before these.
    first : int
        How many steps those are.
    """

    def __init__(
        self, ruleset: Ruleset, reasoned: Sequence[Reasoned], subject: str, below: Stretch | None = None, first: int = 0
    ) -> None:
        self.ruleset, self.reasoned, self.subject = ruleset, reasoned, subject
        self.below, self.first = below, first
        self.marks: list[Any] = []
        """The state before each step, and after the last: lengths of lists, the last place, what else lasts."""
        self.facts: list[Fact] = []
        self.taken: list[int] = []
        """The input facts, and which steps they bring."""
        self.rows: list[Any] = []
        """What was derived, by place: the number of the derivation, the trigger's place, values, instant; or due."""
        self.again: list[tuple[int, int, int]] = []
        """Further reasons: a place, or what was scheduled, negative; derivation; trigger."""
        self._made: dict[int, Entry] = {}
        self._more: dict[int, list[tuple[int, int]]] | None = None

    def entry(self, place: int) -> Entry:
        """The fact that stands at a place, with its reasons."""
        wanted = [place]
        while wanted:
            ahead = [trigger for _, trigger in self._reasons(self._row(wanted[-1])) if self._known(trigger) is None]
            if ahead:
                wanted += ahead
            else:
                self._make(wanted.pop())
        return self._made[place]

    def _known(self, place: int) -> Entry | None:
        """The fact at a place where it has been made, or stands in the steps before."""
        if self.below is not None and place <= self.marks[0][PLACE]:
            return self.below.entry(place)
        return self._made.get(place)

    def _row(self, place: int) -> Any:
        """What was told of a place; nothing where a fact was given."""
        found = bisect_left(self.rows, place, key=itemgetter(0))
        return self.rows[found] if found < len(self.rows) and self.rows[found][0] == place else None

    def _reasons(self, row: Any) -> list[tuple[int, int]]:
        """The derivations and triggers of what was told of a place."""
        if row is None:
            return []
        if len(row) == 2:
            _, scheduled, _, _, number, trigger = row[1]
            told = self.below if self.below is not None and trigger <= self.marks[0][PLACE] else self
            return [(number, trigger), *told._further(-scheduled)]
        return [(row[1], row[2]), *self._further(row[0])]

    def _further(self, what: int) -> list[tuple[int, int]]:
        """Reasons but the first."""
        if self._more is None:
            self._more = {}
            for place, number, trigger in self.again:
                self._more.setdefault(place, []).append((number, trigger))
        return self._more.get(what, [])

    def _make(self, place: int) -> None:
        if place in self._made:
            return
        step = bisect_left(self.marks, place, key=itemgetter(PLACE)) - 1 + self.first
        row = self._row(place)
        if row is None:
            fact = self.facts[bisect_left(self.taken, step)]
            self._made[place] = Entry(fact, step + 1, place, True, False, [])
            return
        if len(row) == 2:
            at, _, kind, values, _, _ = row[1]
        else:
            _, number, _, values, at = row
            kind = self.reasoned[number].derivation.kind.index
        reasons = []
        for number, trigger in self._reasons(row):
            told, entry = self.reasoned[number], self._known(trigger)
            if entry is not None:
                reasons.append(Reason(told.rule, entry, told.threshold, told.derivation))
        fact = Fact(self.ruleset.kinds[kind], at, self.subject, values, 0, at)
        self._made[place] = Entry(fact, step + 1, place, False, len(row) == 2, reasons)


class Undoable(Stretch):
    """Generated code that goes on, and back.

    Parameters
    ----------
    ruleset, reasoned, subject
        As of a stretch.
    begin : callable
        Makes what is kept, and gives the function that goes on.
    void : bool
        Whether these are the void rules: then rows are what they name.
    """

    def __init__(
        self,
        ruleset: Ruleset,
        reasoned: Sequence[Reasoned],
        subject: str,
        begin: Callable[..., Any],
        void: bool = False,
    ) -> None:
        super().__init__(ruleset, reasoned, subject)
        self.waiting: list[Any] = []
        self.fault: tuple[str, int] | None = None
        """What the last step met and when: the code of a fault, and the instant of the step."""
        self._trail: list[Any] = []
        told = (self.rows,) if void else (self.rows, self.again, self.waiting)
        self._go_on = begin(subject, *told, self._trail, self.marks, self.taken)

    def go_on(self, facts: Sequence[Fact], *until: int) -> None:
        """Take further input facts, and what is due, until there is a fault."""
        self.fault = None
        self._more = None
        fault = self._go_on(facts, *until)
        self.facts += facts
        if fault is None:
            return
        brought = len(self.taken) and self.taken[-1] == len(self.marks) - 1
        at = self.facts[len(self.taken) - 1].at if brought else fault[2][0] if not fault[0] else self._due()
        self.undo(len(self.marks) - 1)
        self.fault = ("" if fault[0] else "steps", at)

    def _due(self) -> int:
        """When what brought the last step was due."""
        return int(self.rows[self.marks[-1][1]][1][0])

    def undo(self, step: int) -> Stretch:
        """Go back to before a step; what was told from there on."""
        trail, rows, again, place, *lasting = self.marks[step]
        after = Stretch(self.ruleset, self.reasoned, self.subject, self, step)
        after.marks = self.marks[step:]
        after.rows, after.again = self.rows[rows:], self.again[again:]
        first = bisect_left(self.taken, step)
        after.taken, after.facts = self.taken[first:], self.facts[first:]
        for record, before, series in reversed(self._trail[trail:]):
            record[:] = before
            for number in series:
                record[number].pop()
        fallen = [row[1] for row in after.rows if len(row) == 2]
        if fallen or self.waiting:
            scheduled = lasting[-2]
            self.waiting[:] = [item for item in (*self.waiting, *fallen) if item[1] <= scheduled]
            heapify(self.waiting)
        for gone in range(place + 1, after.marks[-1][PLACE] + 1) if self._made else ():
            self._made.pop(gone, None)
        for told, length in ((self._trail, trail), (self.rows, rows), (self.again, again), (self.marks, step + 1)):
            del told[length:]
        del self.taken[first:], self.facts[first:]
        self.fault = self._more = None
        return after

    def before(self, number: int) -> int:
        """The step before which the run has to be, to take another fact as its input of that number."""
        return self.taken[number - 1] + 1 if number else 0
