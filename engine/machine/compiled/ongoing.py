"""A subject's run that goes on as facts become known, and tells what changes (semantics 8).

A fact that is known late, or that voids others, takes the run back to where it first matters and on again from there;
what comes in time only goes on.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter, itemgetter
from typing import Any

from strikeout.facts import Fact, Value, has, place_of
from strikeout.machine.runs import SCHEDULED_STEPS, Conclusions, Entry, JournalEntry, bearing_kinds
from strikeout.model import Rule, Ruleset

from .plan import Reasoned
from .undoable import PLACE, Stretch, Undoable

NEVER = -(2**63)
"""Before all instants."""

Target = tuple[int, tuple[int, ...], tuple[Value, ...]]
"""What a void rule names: a kind, slots, and the values in them."""


class Voids:
    """Which input facts are voided while more become known (semantics 6)."""

    def __init__(self, rules: Sequence[Rule], code: Undoable) -> None:
        self.code = code
        self.targets = {(t.kind.index, tuple([slot for slot, _ in t.by])) for rule in rules for t in rule.voids}
        self._rules = rules
        self._named: dict[Target, list[Fact]] = {}
        self._until: dict[Target, list[int]] = {}

    def voided(self, fact: Fact) -> bool:
        """Whether an input fact is voided."""
        return any(self._until.get(name, (fact.at - 1,))[-1] >= fact.at for name in self._names(fact))

    def know(self, used: Sequence[Fact], change: int, new: Iterable[Fact]) -> list[Fact]:
        """Take the input facts from a place on, some of them new; those of which it may have changed whether they hold.

        Parameters
        ----------
        used : sequence of Fact
            All input facts in order.
        change : int
            The first place with another fact than before.
        new : iterable of Fact
            The facts that were not there before.
        """
        before: dict[Target, int] = {}
        if change < len(self.code.marks) - 1:
            for row in reversed(self.code.undo(change).rows):
                name = self._target(row)
                before.setdefault(name, self._until[name].pop())
                if not self._until[name]:
                    del self._until[name]
        told = len(self.code.rows)
        self.code.go_on(used[len(self.code.facts) :])
        for row in self.code.rows[told:]:
            name, at = self._target(row), used[row[0]].at
            untils = self._until.setdefault(name, [])
            before.setdefault(name, untils[-1] if untils else NEVER)
            untils.append(at)
        perhaps = list(new)
        for fact in perhaps:
            for name in self._names(fact):
                insert(self._named.setdefault(name, []), fact)
        for name, until in before.items():
            now = self._until.get(name, (NEVER,))[-1]
            named = self._named.get(name, [])
            low, high = (bisect_right(named, at, key=attrgetter("at")) for at in sorted((until, now)))
            perhaps += named[low:high]
        return perhaps

    def _target(self, row: Any) -> Target:
        _, rule, number, key = row
        target = self._rules[rule].voids[number]
        return target.kind.index, tuple([slot for slot, _ in target.by]), key

    def _names(self, fact: Fact) -> list[Target]:
        """What a void rule may name a fact by."""
        found = []
        for kind, slots in self.targets:
            if kind == fact.kind.index:
                key = tuple([fact.values[slot] for slot in slots])
                if None not in key:
                    found.append((kind, slots, key))
        return found


def insert(facts: list[Fact], fact: Fact) -> None:
    """Put a fact at its place."""
    facts.insert(place_of(facts, fact), fact)


class OngoingRun:
    """The run of one subject that goes on as facts become known. Made by `CompiledProgram.begin`.

    What it comes to, `go_on` after `go_on`, is what a run as of the same instant over all facts known by then comes to.

    Examples
    --------
    >>> import strikeout
    >>> from strikeout.machine.compiled import CompiledProgram
    >>> ruleset = strikeout.load("taobao-counterfeit")
    >>> run = CompiledProgram(ruleset.model).begin("xiaoming")
    >>> rows = strikeout.read("docs/example.csv")
    >>> facts = sorted((f for f in rows.facts(ruleset.model) if f.subject == "xiaoming"), key=lambda f: f.from_then_on)
    >>> changes = [change for fact in facts for change in run.go_on([fact], fact.from_then_on)]
    >>> changes[-1].sign, changes[-1].entry.fact.kind.name
    ('+', 'closure')
    """

    def __init__(
        self,
        ruleset: Ruleset,
        reasoned: Sequence[Reasoned],
        subject: str,
        begin: Callable[..., Any],
        begin_voids: Callable[..., Any] | None,
    ) -> None:
        self._code = Undoable(ruleset, reasoned, subject, begin)
        self._voids: Voids | None = None
        if begin_voids is not None:
            self._voids = Voids(ruleset.void_rules, Undoable(ruleset, (), subject, begin_voids, True))
        self._named = [(r.derivation.kind.index, r.rule.name) for r in reasoned]
        self._used: list[Fact] = []
        self._standing: list[Fact] = []
        self._kinds = ruleset.kinds
        self._rules = [r.rule for r in reasoned]
        self._bearing = bearing_kinds(ruleset)
        self._derived: list[tuple[Fact, Rule]] = []
        self._unchanged = 0
        self._change = 0
        self._until = NEVER
        self._rejected = False

    @property
    def rejected(self) -> bool:
        """Whether the run is rejected as of now (semantics 11); then it concludes nothing."""
        return self._rejected

    @property
    def conclusions(self) -> list[Entry]:
        """The facts that are derived as of now, in order."""
        return [] if self._rejected else [self._code.entry(row[0]) for row in self._code.rows]

    def conclude(self, later: Sequence[Fact] = ()) -> Conclusions | None:
        """What the run comes to as of now, without why; nothing, where it is rejected.

        Parameters
        ----------
        later : sequence of Fact
            The subject's facts that are known or happen only later, of which the run has not been told.
        """
        if self._rejected:
            return None
        code, derived = self._code, self._derived
        for row in code.rows[len(derived) :]:
            at, kind, values, number = self._told(row)
            derived.append((Fact(self._kinds[kind], at, code.subject, values, 0, at), self._rules[number]))
        unchanged, self._unchanged = self._unchanged, len(derived)
        pending = [
            (Fact(self._kinds[kind], due, code.subject, values, 0, due), self._rules[number])
            for due, _, kind, values, number, _ in sorted(code.waiting, key=itemgetter(0, 1))
        ]
        used, voided = len(self._standing), len(self._used) - len(self._standing)
        return Conclusions(tuple(derived), pending, self._bears(), used, voided, later, None, unchanged)

    def _bears(self) -> list[Fact]:
        """The facts that bear on the status, in order."""
        code, (bears, some_given) = self._code, self._bearing
        found = [
            (row[0], fact) for row, (fact, _) in zip(code.rows, self._derived, strict=True) if fact.kind.index in bears
        ]
        if some_given:
            facts = zip(code.taken, code.facts, strict=True)
            found += [(code.marks[step][PLACE] + 1, fact) for step, fact in facts if fact.kind.index in bears]
            found.sort(key=itemgetter(0))
        return [fact for _, fact in found]

    def _told(self, row: Any) -> tuple[int, int, tuple[Value, ...], int]:
        """Instant, kind, values and the first derivation of what was derived."""
        if len(row) == 2:
            at, _, kind, values, number, _ = row[1]
            return at, kind, values, number
        _, number, _, values, at = row
        return at, self._named[number][0], values, number

    def go_on(self, facts: Sequence[Fact], as_of: int) -> list[JournalEntry]:
        """Go on to an instant at which facts become known; how the conclusions change on the way.

        Parameters
        ----------
        facts : sequence of Fact
            The facts that become known at the instant, or that were known already but happen at it.
        as_of : int
            The instant, in microseconds since 1970 UTC; not before that of the call before.

        Returns
        -------
        list of JournalEntry
            What the journal says of the time since the call before: what fell due on the way at its own instant, all
            else at this one, `-` before `+`.
        """
        lines: list[JournalEntry] = []
        code = self._code
        # What falls due before the instant becomes known then.
        if code.waiting and code.waiting[0][0] < as_of and not self._rejected:
            self._fall_due(as_of - 1, lines)
        had = not self._rejected
        holds = self._know(facts)
        self._change, change = len(self._standing), min(self._change, len(code.facts))
        # Back to before the first input that is another one now, or before what fell due after the last that is not.
        after: list[Any] = []
        old: Stretch = code
        kept = len(code.rows)
        step = code.before(change)
        late = change < len(self._standing) and self._standing[change].at < self._until
        if change < len(code.facts) or (late and step < len(code.marks) - 1):
            old = code.undo(step)
            after, kept = old.rows, len(code.rows)
            del self._derived[kept:]
            self._unchanged = min(self._unchanged, kept)
        if holds:
            code.go_on(self._standing[len(code.facts) :], as_of, self._limit())
            self._until = as_of
        else:
            self._change = 0
        self._rejected = not holds or code.fault is not None or self._fallen() > self._limit()
        came = code.rows[kept:]
        if had and not self._rejected:
            gone, came = self._differ(after, came)
        else:
            gone = [*code.rows[:kept], *after] if had else []
            came = [] if self._rejected else code.rows
        first = code.marks[step][PLACE] if old is not code else NEVER
        lines += [JournalEntry(as_of, "-", (old if row[0] > first else code).entry(row[0])) for row in gone]
        lines += [JournalEntry(as_of, "+", code.entry(row[0])) for row in came]
        return lines

    def _fall_due(self, until: int, lines: list[JournalEntry]) -> None:
        """Take what falls due before anything becomes known."""
        code = self._code
        kept = len(code.rows)
        code.go_on((), until, self._limit())
        self._until = until
        fault = code.fault
        came = [row for row in code.rows[kept:] if fault is None or self._at(row) < fault[1]]
        lines += [JournalEntry(self._at(row), "+", code.entry(row[0])) for row in came]
        if fault is not None:
            self._rejected = True
            gone = [row for row in code.rows if self._at(row) < fault[1]]
            lines += [JournalEntry(fault[1], "-", code.entry(row[0])) for row in gone]

    def _know(self, facts: Sequence[Fact]) -> bool:
        """Take facts that become known, and those that they void or no longer void; whether no void rule failed."""
        used = self._used
        change = len(used)
        new = []
        for fact in facts:
            place = place_of(used, fact)
            if not has(used, place, fact):
                used.insert(place, fact)
                new.append(fact)
                change = min(change, place)
        if self._voids is None:
            for fact in new:
                self._stand(fact, True)
            return True
        for fact in self._voids.know(used, change, new):
            self._stand(fact, not self._voids.voided(fact))
        return self._voids.code.fault is None

    def _stand(self, fact: Fact, stands: bool) -> None:
        """Have a fact among the standing inputs, or not."""
        place = place_of(self._standing, fact)
        if has(self._standing, place, fact) == stands:
            return
        if stands:
            self._standing.insert(place, fact)
        else:
            del self._standing[place]
        self._change = min(self._change, place)

    def _limit(self) -> int:
        return SCHEDULED_STEPS * (1 + len(self._standing))

    def _fallen(self) -> int:
        """How many scheduled steps there were."""
        return len(self._code.marks) - 1 - len(self._code.taken)

    @staticmethod
    def _at(row: Any) -> int:
        """The instant of a row."""
        return int(row[1][0] if len(row) == 2 else row[4])

    def _identity(self, row: Any) -> tuple[object, ...]:
        """What makes two conclusions the same: kind, instant, fields and rule."""
        if len(row) == 2:
            at, _, _, values, number, _ = row[1]
            return (self._named[number], at, values)
        return (self._named[row[1]], row[4], row[3])

    def _differ(self, old: Sequence[Any], new: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        """The old rows without the new ones, and the reverse; equal ones count by number, and the first cancel out."""
        had, has = [self._identity(row) for row in old], [self._identity(row) for row in new]
        same = next(
            (place for place, (a, b) in enumerate(zip(had, has, strict=False)) if a != b), min(len(had), len(has))
        )
        had, has = had[same:], has[same:]
        return _without(old[same:], had, has), _without(new[same:], has, had)


def _without(rows: Sequence[Any], these: Sequence[object], those: Sequence[object]) -> list[Any]:
    """The rows that are these, without those."""
    if not these or not those:
        return list(rows)
    left = Counter(those)
    found = []
    for row, key in zip(rows, these, strict=True):
        if left[key] > 0:
            left[key] -= 1
        else:
            found.append(row)
    return found
