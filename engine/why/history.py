"""What a run left behind, arranged for questions: its facts by kind and key, with the instants and steps of each."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from typing import Any

from ..facts import Value
from ..functions import Place
from ..machine.evaluate import Compiler, Indices
from ..machine.timeline import Entry, SubjectRun
from ..model import Ruleset, Selection
from .proof import Stand

Test = Callable[[Any], bool | Exception]


class Row:
    """Facts of one kind in the order in which they stand, perhaps those of one key only."""

    __slots__ = ("_ats", "_steps", "entries")

    def __init__(self, entries: list[Entry]) -> None:
        self.entries = entries
        self._ats: list[int] | None = None
        self._steps: list[int] | None = None

    @property
    def ats(self) -> list[int]:
        """The instants, in order."""
        if self._ats is None:
            self._ats = [entry.fact.at for entry in self.entries]
        return self._ats

    @property
    def steps(self) -> list[int]:
        """The steps, in order."""
        if self._steps is None:
            self._steps = [entry.step for entry in self.entries]
        return self._steps

    def end(self, step: int, earlier_only: bool) -> int:
        """How many of the facts a step sees."""
        return bisect_left(self.steps, step) if earlier_only else bisect_right(self.steps, step)


EMPTY = Row([])


class History:
    """The facts of a subject's run, by kind and by what selections ask for; each list is made when it is first used."""

    def __init__(self, ruleset: Ruleset, run: SubjectRun) -> None:
        self.ruleset = ruleset
        self.run = run
        kinds: list[list[Entry]] = [[] for _ in ruleset.kinds]
        for entry in run.entries:
            kinds[entry.fact.kind.index].append(entry)
        self.kinds = [Row(entries) for entries in kinds]
        over = kinds[ruleset.terminal.index] if ruleset.terminal is not None else []
        self._stands: dict[int, Stand] = {}
        self.over: Stand | None = self.stand(over[0]) if over else None
        self._rows: dict[int, dict[tuple[Value, ...], Row]] = {}
        self._same: dict[tuple[object, ...], dict[tuple[Value, ...], Row]] = {}
        self._tests: dict[int, Test | None] = {}

    def test(self, selection: Selection) -> Test | None:
        """The condition of `where` as a function of a fact."""
        number = id(selection)
        if number not in self._tests:
            rule = self.ruleset.rules[0] if self.ruleset.rules else self.ruleset.void_rules[0]
            place = Place(self.ruleset.zone, self.ruleset.calendar)
            compiler = Compiler(rule, place, self.ruleset.parameters, Indices())
            self._tests[number] = compiler.where(selection)
        return self._tests[number]

    def row(self, selection: Selection, key: tuple[Value, ...]) -> Row:
        """The facts of a selection, for the values of its key, of the whole run."""
        if not selection.by and selection.where is None:
            return self.kinds[selection.kind.index]
        rows = self._rows.get(id(selection))
        if rows is None:
            slots = tuple(slot for slot, _ in selection.by)
            same = (selection.kind.index, slots, selection.where)
            if same not in self._same:
                self._same[same] = self._gather(selection, slots)
            rows = self._rows[id(selection)] = self._same[same]
        return rows.get(key, EMPTY)

    def _gather(self, selection: Selection, slots: tuple[int, ...]) -> dict[tuple[Value, ...], Row]:
        found: dict[tuple[Value, ...], list[Entry]] = {}
        test, entries = self.test(selection), self.kinds[selection.kind.index].entries
        if test is not None:
            entries = [entry for entry in entries if test(entry.fact) is True]
        for entry in entries:
            values = entry.fact.values
            key = tuple([values[slot] for slot in slots])
            if key in found:
                found[key].append(entry)
            else:
                found[key] = [entry]
        return {key: Row(entries) for key, entries in found.items() if None not in key}

    def stand(self, entry: Entry) -> Stand:
        """A fact of the run as it stands."""
        stand = self._stands.get(entry.place)
        if stand is None:
            stand = Stand(entry.place, entry.fact, entry.step, entry.given, entry.scheduled)
            self._stands[entry.place] = stand
        return stand


def passes(test: Test | None, fact: object) -> bool:
    """Whether a fact passes `where`; one on which it fails to compute does not (no aggregate of the run saw it)."""
    return test is None or test(fact) is True


def field_value(stand: Stand, slot: int) -> Value:
    """The value of a slot; -1 is `at`."""
    return stand.fact.at if slot < 0 else stand.fact.values[slot]
