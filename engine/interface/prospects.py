"""What one asks of what could be: what if, remedies, next sanctions, deadlines."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ..facts import Fact, merge_duplicates
from ..ground.problems import RunError
from ..machine.runs import SubjectRun
from ..speech import outcome
from .conclusions import Conclusion
from .loaded import LoadedRuleset, named
from .runs import Runs

if TYPE_CHECKING:
    from ..ahead.remedies import Cost, Remedies
    from ..ahead.sanctions_ahead import NextSanctions
    from ..ahead.tell_deadlines import Deadlines
    from ..ahead.tell_difference import Difference


class Prospects(Runs):
    """What would be otherwise, what would undo a sanction, what would bring the next, and what falls due."""

    def what_if(
        self,
        add: Iterable[Mapping[str, object] | Fact] = (),
        remove: Iterable[Mapping[str, object] | Fact] = (),
        set: Mapping[str, str | int | bool] | None = None,
        ruleset: LoadedRuleset | str | Path | None = None,
        as_of: str | datetime.datetime | int | None = None,
    ) -> Difference:
        """What would be otherwise with other facts, parameters or rules: the difference of two outcomes.

        Parameters
        ----------
        add : iterable
            Facts to add, as `Ruleset.run` takes them.
        remove : iterable
            Facts to remove: each a mapping of columns to values, such as `{"complaint": "c3"}`; all facts with these
            values go, and a bare date means that local day.
        set : mapping, optional
            Parameters to override.
        ruleset : Ruleset, str or Path, optional
            The ruleset to run instead.
        as_of : str, datetime or int, optional
            The instant of both outcomes; else this outcome's own, or that of the latest fact added where that is later.
            Where nothing else is supposed, this outcome is compared with itself as of then.

        Returns
        -------
        Difference
            By subject the conclusions gained and lost, status and what is pending; it has `text`, `as_dict` and `why`.

        Raises
        ------
        RunError
            Where a fact to remove is not there, with the nearest.
        RulesetError, FactError
            Where ruleset, parameters or facts cannot be used.

        Examples
        --------
        >>> import strikeout
        >>> upheld = {"kind": "upheld", "seller": "s", "complainant": "a", "right": "r", "finding": "counterfeit"}
        >>> days = ["2015-01-05", "2015-01-15", "2015-02-21"]
        >>> facts = [{**upheld, "at": day, "complaint": f"c{n}"} for n, day in enumerate(days)]
        >>> outcome = strikeout.load("taobao-counterfeit").run(facts, engine="compiled")
        >>> outcome.what_if(remove=[{"complaint": "c2"}]).of("s").after.status.kind
        'good-standing'
        """
        from ..ahead.amend import chosen
        from ..ahead.difference import Changes, Side, differ
        from ..ahead.tell_difference import Difference
        from ..reach.streaming import as_row

        model = self.ruleset.model
        other: LoadedRuleset = self.ruleset
        if ruleset is not None:
            other = ruleset if isinstance(ruleset, LoadedRuleset) else LoadedRuleset(*named(ruleset), {})
        other = other.with_parameters(set or {})
        every = [fact for facts in self._facts.values() for fact in facts]
        removed: dict[int, Fact] = {}
        for wanted in remove:
            removed.update((id(fact), fact) for fact in chosen(model, every, wanted))
        added = other.bind(add)
        changes = Changes(
            tuple(added),
            tuple(removed.values()),
            tuple((name, str(value)) for name, value in (set or {}).items()),
            "" if ruleset is None else other.name,
        )
        instant = self.ruleset.instant(as_of)
        if instant is None:
            instant = max([self.as_of, *(fact.from_then_on for fact in added)])
        touched = {fact.subject for fact in (*added, *removed.values())}
        more: dict[str, list[Fact]] = {}
        for fact in added:
            more.setdefault(fact.subject, []).append(fact)
        changed = []
        subjects = sorted({*self._runs, *more})
        for subject in subjects:
            if other is self.ruleset and instant == self.as_of and subject not in touched:
                continue
            facts = self._facts.get(subject, [])
            kept = [fact for fact in facts if id(fact) not in removed]
            if other is not self.ruleset:
                kept = other.bind(as_row(model, fact) for fact in kept)
            kept += more.get(subject, [])
            after = other.rerun(subject)(merge_duplicates(kept), instant) if kept else None
            before = self._runs.get(subject)
            if before is not None and changes and instant != self.as_of:
                before = self.ruleset.rerun(subject)(facts, instant)
            difference = differ(subject, Side(model, before), Side(other.model, after))
            if difference.changed:
                changed.append(difference)
        instants = (instant if changes else self.as_of, instant)
        return Difference(model, other.model, instants, changes, tuple(changed), len(subjects))

    def remedies(
        self,
        subject: str,
        status: str = outcome.GOOD_STANDING,
        undo: Conclusion | Mapping[str, object] | str | None = None,
        cost: Cost = None,
        most: int = 3,
        at: str | datetime.datetime | int | None = None,
        by: str | datetime.datetime | int | None = None,
    ) -> Remedies:
        """What would give a subject a status, or undo a conclusion: the smallest sets of facts to add, each checked.

        Facts that can be added are those that void others, such as withdrawals, and answers that the ruleset waits for.

        Parameters
        ----------
        subject : str
            The subject.
        status : str
            The status wanted; a less severe one will do.
        undo : Conclusion, mapping or str, optional
            Instead of a status, the conclusions to undo, as `why` takes them.
        cost : callable or mapping, optional
            What a fact costs: a function of its record, or a number by kind, 1 unless told; None, where it cannot be
            had.
        most : int
            How many facts a remedy has at most; every smallest set up to this size is found, unless `exact_to` says
            less.
        at : str, datetime or int, optional
            The instant at which the facts are added; else the outcome's own.
        by : str, datetime or int, optional
            The instant at which the goal must be reached. Without it, at once, and kept until the last of what is
            pending falls due.

        Returns
        -------
        Remedies
            A sequence, by cost, size and text; it has `text` and `as_dict`.

        Raises
        ------
        RunError
            Where subject, status, conclusion or costs make no sense.

        Examples
        --------
        >>> import strikeout
        >>> upheld = {"kind": "upheld", "seller": "s", "complainant": "a", "right": "r", "finding": "counterfeit"}
        >>> days = ["2015-01-05", "2015-01-15", "2015-02-21"]
        >>> facts = [{**upheld, "at": day, "complaint": f"c{n}"} for n, day in enumerate(days)]
        >>> outcome = strikeout.load("taobao-counterfeit").run(facts, engine="compiled")
        >>> [remedy.facts[0].get("complaint") for remedy in outcome.remedies("s", cost={"reversal": None})]
        ['c0', 'c1', 'c2']
        """
        from ..ahead.remedies import remedies

        run = self._run_at(subject, at)
        rerun = self.ruleset.rerun(subject)
        model, end = self.ruleset.model, self.ruleset.instant(by)
        return remedies(model, run, rerun, wanted=status, undo=undo, by=end, cost=cost, most=most)

    def next_sanctions(
        self, subject: str, most: int = 3, at: str | datetime.datetime | int | None = None
    ) -> NextSanctions:
        """What would bring a subject's next sanction: how many more facts like those before, and when, each checked.

        Parameters
        ----------
        subject : str
            The subject.
        most : int
            How many more facts are looked at.
        at : str, datetime or int, optional
            The instant from which on they come; else the outcome's own.

        Raises
        ------
        RunError
            Where no fact names the subject, or its run was rejected.
        """
        from ..ahead.sanctions_ahead import next_sanctions

        return next_sanctions(self.ruleset.model, self._run_at(subject, at), self.ruleset.rerun(subject), most)

    def deadlines(self, subject: str | None = None) -> Deadlines:
        """What is scheduled for one or all subjects, by date, and what follows if nothing is done.

        Parameters
        ----------
        subject : str, optional
            The subject; else all whose run was not rejected.

        Returns
        -------
        Deadlines
            A sequence; it has `text`, `as_dicts` and `to_ics`.

        Raises
        ------
        RunError
            Where no fact names the subject, or its run was rejected.
        """
        from ..ahead.deadlines import deadlines
        from ..ahead.tell_deadlines import Deadlines

        runs = self._runs.values() if subject is None else [self.run_of(subject)]
        model, ruleset = self.ruleset.model, self.ruleset
        found = [d for run in runs if run.rejection is None for d in deadlines(model, run, ruleset.rerun(run.subject))]
        return Deadlines(model, self.as_of, found)

    def _run_at(self, subject: str, at: str | datetime.datetime | int | None) -> SubjectRun:
        """The run of a subject as of an instant; the outcome's own without one."""
        run, instant = self.run_of(subject), self.ruleset.instant(at)
        if instant is None or instant == self.as_of:
            return run
        again = self.ruleset.rerun(subject)(self._facts[subject], instant)
        if again.rejection is not None:
            raise RunError(outcome.describe(again.rejection, self.ruleset.model))
        return again
