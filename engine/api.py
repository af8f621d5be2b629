"""The Python interface: load a ruleset, run it over facts, ask the outcome."""

from __future__ import annotations

import datetime
import functools
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from .facts import Fact, merge_duplicates
from .ground.problems import FactError, Problem, RunError, Source, listing, nearest
from .machine import durable
from .machine.rete import ReteProgram
from .machine.timeline import Entry, Program, Rejection, SubjectRun, run_subject
from .model import Ruleset as Model
from .reach.files import MOST_SHOWN, Rows, listed, read
from .reach.tables import columns
from .rows import BadCell, Binder
from .speech import outcome
from .speech.outcome import JournalEntry, Record, Status, Summary, record, rule_of, to_json

if TYPE_CHECKING:
    import networkx as nx

    from .ahead.remedies import Cost, Remedies
    from .ahead.sanctions_ahead import NextSanctions
    from .ahead.tell_deadlines import Deadlines
    from .ahead.tell_difference import Difference
    from .comparison.tell_policy import PolicyDifference
    from .gate.merge import Library
    from .reach.drawing import Drawing
    from .why.explanation import Explainer, Proof, WhyNot

ENGINES = ("rete", "compiled")


def default_engine() -> str:
    """The engine that runs unless told: `rete` where durable_rules can be used, else `compiled`."""
    return "rete" if durable.available() else "compiled"


class Ruleset:
    """A checked ruleset that can be run. Made by `load` and `load_text`; it may be used from many threads.

    Attributes
    ----------
    model : strikeout.model.Ruleset
        The checked ruleset: kinds, rules, parameters.
    """

    def __init__(self, model: Model, source: Source, library: Library, parameters: Mapping[str, str]) -> None:
        self.model = model
        self._source = source
        self._library = library
        self._parameters = dict(parameters)
        self._programs: dict[str, Program] = {}
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """The ruleset's name."""
        return self.model.name

    @property
    def version(self) -> str:
        """The ruleset's version."""
        return self.model.version

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """What `check` warns of."""
        return self.model.warnings

    def title(self, language: str = "en") -> str:
        """The title in a language, `zh` or `en`; the other where there is none, else the name."""
        titles = dict(self.model.title)
        return titles.get(language) or next(iter(titles.values()), self.name)

    def __repr__(self) -> str:
        rules = len(self.model.rules) + len(self.model.void_rules)
        return f"<strikeout ruleset {self.name} {self.version}: {rules} rules>"

    def with_parameters(self, parameters: Mapping[str, str | int | bool]) -> Ruleset:
        """The ruleset with parameters overridden; their types are checked anew.

        Parameters
        ----------
        parameters : mapping
            Literals of the language by the parameter's name, such as `{"merge_window": "48h", "strike_limit": 2}`.

        Raises
        ------
        RulesetError
            Where there is no such parameter, or the value does not fit.
        """
        if not parameters:
            return self
        from .gate.check import check

        texts = {name: str(v).lower() if isinstance(v, bool) else str(v) for name, v in parameters.items()}
        merged = {**self._parameters, **texts}
        return Ruleset(check(self._source, self._library, merged), self._source, self._library, merged)

    def graph(self) -> nx.MultiDiGraph[Any]:
        """The rule dependency graph: kinds and rules, with an edge for whatever a rule reads and derives (semantics 5).

        Rules carry their `stratum`; edges have a `role`: `triggers`, `forward`, `backward`, `derives`, `schedules`,
        `voids` or `ends`.
        """
        from .speech.views import rules_of

        return rules_of(self.model)

    def draw(self, language: str = "en") -> Drawing:
        """The rule dependency graph as a picture, in `zh` or `en`."""
        from .reach import drawings

        return drawings.draw_rules(self.model, language)

    def diff(self, other: Ruleset | str | Path) -> PolicyDifference:
        """What changed from this ruleset to another, in the words of policy.

        Parameters
        ----------
        other : Ruleset, str or Path
            The other ruleset.

        Returns
        -------
        PolicyDifference
            Parameters, kinds and rules that came, went or changed, and the kinds of conclusions affected; it has `text`
            and `as_dict`.

        Raises
        ------
        RulesetError
            Where the other ruleset cannot be loaded.

        Examples
        --------
        >>> import strikeout
        >>> changed = strikeout.load("alibaba-1688-serious").diff("alibaba-1688-serious-three-close")
        >>> changed.affected
        ('warning', 'restriction', 'closure')
        """
        from .comparison.tell_policy import policy_difference

        return policy_difference(self.model, (other if isinstance(other, Ruleset) else load(other)).model)

    def program(self, engine: str | None = None) -> Program:
        """The ruleset made ready by an engine, made once and kept.

        Raises
        ------
        RunError
            Where there is no such engine, or it cannot be had here.
        """
        name = engine or default_engine()
        if name not in ENGINES:
            raise RunError(f"unknown engine `{name}`; {nearest(name, ENGINES) or 'known are `rete` and `compiled`'}")
        with self._lock:
            if name not in self._programs:
                made: Program
                try:
                    if name == "rete":
                        made = ReteProgram(self.model)
                    else:  # Only a program that runs this engine need wait for it.
                        from .machine.compiled import CompiledProgram

                        made = CompiledProgram(self.model)
                except durable.MatcherUnavailable as error:
                    raise RunError(str(error)) from None
                self._programs[name] = made
            return self._programs[name]

    def run(
        self,
        facts: Iterable[Mapping[str, object] | Fact],
        as_of: str | datetime.datetime | int | None = None,
        engine: str | None = None,
    ) -> Outcome:
        """Run the ruleset over facts (semantics 1 to 7).

        Parameters
        ----------
        facts : iterable
            Facts as mappings of columns to values, or as `strikeout.gate.read` gives them; in any order.
        as_of : str, datetime or int, optional
            The instant of the run: ISO 8601 text (without an offset local to the ruleset), a datetime, or whole
            microseconds since 1970 UTC. Without it, the latest instant of the facts.
        engine : str, optional
            `rete` or `compiled`.

        Returns
        -------
        Outcome
            What was concluded, and what became of every fact.

        Raises
        ------
        FactError
            Where facts cannot be used; the message lists the first twenty.
        RunError
            Where the engine cannot be had.

        Examples
        --------
        >>> import strikeout
        >>> ruleset = strikeout.load("taobao-counterfeit")
        >>> upheld = {"kind": "upheld", "seller": "xiaoming", "complainant": "hong", "right": "r", "base": 2}
        >>> days = enumerate(["2015-01-05", "2015-01-15", "2015-02-21"])
        >>> facts = [{**upheld, "at": day, "complaint": f"c{n}", "finding": "counterfeit"} for n, day in days]
        >>> ruleset.run(facts).status("xiaoming")
        'closure'
        """
        program = self.program(engine)
        bound, given = self._bind(facts)
        by_subject: dict[str, list[Fact]] = {}
        for fact in bound:
            by_subject.setdefault(fact.subject, []).append(fact)
        merged = {subject: merge_duplicates(by_subject[subject]) for subject in sorted(by_subject)}
        instant = self._instant(as_of)
        if instant is None:
            instant = max((f.from_then_on for facts in merged.values() for f in facts), default=0)
        return Outcome(self, program, merged, instant, given)

    def rerun(self, subject: str) -> Callable[[Sequence[Fact], int], SubjectRun]:
        """Runs facts of a subject, in the order of semantics 2, as of an instant: for what is tried many times."""
        program = self.program("compiled")
        return lambda facts, as_of: run_subject(program, subject, facts, as_of)

    def _instant(self, as_of: str | datetime.datetime | int | None) -> int | None:
        if as_of is None or isinstance(as_of, int):
            return as_of
        try:
            return Binder(self.model).instant("as_of", as_of)
        except BadCell as error:
            raise RunError(f"`as_of`: {error.expected}") from None

    def _bind(self, facts: Iterable[Mapping[str, object] | Fact]) -> tuple[list[Fact], int]:
        bound: list[Fact] = []
        bad: list[str] = []
        wrong = 0
        for found in facts.facts(self.model) if isinstance(facts, Rows) else self._bound(facts):
            if isinstance(found, Fact):
                bound.append(found)
                continue
            wrong += 1
            if len(bad) < MOST_SHOWN:
                bad.append(str(found))
        if wrong:
            raise FactError(listed(bad, wrong, len(bound) + wrong))
        return bound, len(bound)

    def _bound(self, facts: Iterable[Mapping[str, object] | Fact]) -> Iterator[Fact | str]:
        """The facts that mappings give, or why they give none."""
        binder = Binder(self.model)
        for number, row in enumerate(facts, 1):
            if isinstance(row, Fact):
                yield row
                continue
            if not isinstance(row, Mapping):
                raise FactError(f"fact {number}: expected a mapping of columns to values, got `{str(row)[:60]}`")
            try:
                fact = binder.fact(row)
            except BadCell as error:
                yield f"{getattr(row, 'place', f'fact {number}')}: {error}"
            else:
                yield fact


class Conclusion(Mapping[str, "str | int | bool"]):
    """A derived fact: a mapping as the JSON output has it, which also knows its reasons.

    Attributes
    ----------
    entry : strikeout.machine.timeline.Entry
        The fact as it stands in the run.
    """

    __slots__ = ("_model", "_record", "entry")

    def __init__(self, model: Model, entry: Entry) -> None:
        self._model = model
        self.entry = entry
        self._record: Record | None = None

    def as_dict(self) -> Record:
        """The record: subject, kind, at, the fields that are not missing, rule."""
        if self._record is None:
            self._record = record(self._model, self.entry.fact, rule_of(self.entry))
        return dict(self._record)

    def __getitem__(self, key: str) -> str | int | bool:
        return (self._record or self.as_dict())[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.as_dict())

    def __len__(self) -> int:
        return len(self.as_dict())

    def __hash__(self) -> int:
        return hash(outcome.identity(self.entry))

    def __repr__(self) -> str:
        return to_json(self.as_dict())

    @property
    def kind(self) -> str:
        """The kind."""
        return self.entry.fact.kind.name

    @property
    def subject(self) -> str:
        """The subject."""
        return self.entry.fact.subject

    @property
    def at(self) -> datetime.datetime:
        """The instant, in the ruleset's time zone."""
        return datetime.datetime.fromisoformat(self._model.zone.format(self.entry.fact.at))

    @property
    def rules(self) -> tuple[str, ...]:
        """The rules that derived it, in rule order."""
        return tuple(reason.rule.name for reason in self.entry.reasons)


class Conclusions(Sequence[Conclusion]):
    """Derived facts in order: by subject, step, and the order of semantics 5."""

    def __init__(self, model: Model, entries: Sequence[Entry]) -> None:
        self._model = model
        self._entries = entries

    def __len__(self) -> int:
        return len(self._entries)

    @overload
    def __getitem__(self, place: int) -> Conclusion: ...
    @overload
    def __getitem__(self, place: slice) -> Conclusions: ...
    def __getitem__(self, place: int | slice) -> Conclusion | Conclusions:
        if isinstance(place, slice):
            return Conclusions(self._model, self._entries[place])
        return Conclusion(self._model, self._entries[place])

    def __repr__(self) -> str:
        return f"<{len(self)} conclusions of {self._model.name}>"

    def _repr_html_(self) -> str:
        from .speech.html import table

        return table([name for name, _ in columns(self._model)], (c.as_dict() for c in self[:200]), len(self))

    def to_arrow(self) -> Any:
        """The conclusions as a pyarrow table, with the columns of the contract; needs the extra `batch`."""
        from .reach.tables import to_arrow

        return to_arrow(self._model, self._entries)

    def to_pandas(self) -> Any:
        """The conclusions as a pandas data frame; needs the extra `frames`."""
        from .reach.tables import to_pandas

        return to_pandas(self._model, self._entries)


@dataclass(frozen=True, slots=True)
class Change:
    """A line of the journal: when it became known, `+` or `-`, and the conclusion (semantics 8)."""

    at: str
    sign: str
    conclusion: Conclusion


class Outcome:
    """What a ruleset concludes from facts as of an instant.

    Attributes
    ----------
    as_of : int
        The instant of the run, in microseconds since 1970 UTC.
    summary : Summary
        What became of every fact given.
    """

    def __init__(
        self, ruleset: Ruleset, program: Program, facts: Mapping[str, list[Fact]], as_of: int, given: int
    ) -> None:
        self.ruleset = ruleset
        self.as_of = as_of
        self._program = program
        self._facts = facts
        self.summary = Summary(given=given)
        self.summary.duplicates = given - sum(len(found) for found in facts.values())
        self._runs: dict[str, SubjectRun] = {}
        self._explainers: dict[str, Explainer] = {}
        for subject, found in facts.items():
            run = run_subject(program, subject, found, as_of)
            self._runs[subject] = run
            self.summary.add_run(run, len(found))

    def __repr__(self) -> str:
        at = self.ruleset.model.zone.format(self.as_of)
        return (
            f"<outcome of {self.ruleset.name} as of {at}: {len(self.facts)} conclusions on {len(self._runs)} subjects>"
        )

    def _repr_html_(self) -> str:
        from .speech.html import paragraph

        counts = ", ".join(f"{name} {number}" for name, number in self.counts().items())
        return paragraph(repr(self).strip("<>"), counts) + self.facts._repr_html_()

    @property
    def subjects(self) -> list[str]:
        """The subjects that have facts, by code point."""
        return list(self._runs)

    @functools.cached_property
    def facts(self) -> Conclusions:
        """The derived facts, in order."""
        return Conclusions(self.ruleset.model, [e for run in self._runs.values() for e in run.conclusions])

    @property
    def rejected(self) -> dict[str, Rejection]:
        """Why a subject's run was rejected, by subject (semantics 11)."""
        return {s: run.rejection for s, run in self._runs.items() if run.rejection is not None}

    def counts(self) -> dict[str, int]:
        """How many facts of each kind were derived, in the order of kinds."""
        found: dict[str, int] = {kind.name: 0 for kind in self.ruleset.model.derivable}
        for conclusion in self.facts:
            found[conclusion.kind] += 1
        return found

    def run_of(self, subject: str) -> SubjectRun:
        """The whole run of a subject.

        Raises
        ------
        RunError
            Where no fact names the subject, or its run was rejected.
        """
        run = self._runs.get(subject)
        if run is None:
            hint = nearest(subject, self._runs)
            message = f"no fact names the {self.ruleset.model.subject} `{subject[:60]}`"
            raise RunError(message + (f"; {hint}" if hint else ""))
        if run.rejection is not None:
            raise RunError(outcome.describe(run.rejection, self.ruleset.model))
        return run

    def status_of(self, subject: str) -> Status:
        """The status of a subject and since when, in microseconds since 1970 UTC (semantics 9)."""
        return outcome.status(self.ruleset.model, self.run_of(subject))

    def status(self, subject: str) -> str:
        """The status of a subject: the kind in force of the highest severity, or `good-standing` (semantics 9)."""
        return self.status_of(subject).kind

    def pending(self, subject: str) -> list[Record]:
        """What is scheduled for a subject after the run's instant, by instant (semantics 3)."""
        model = self.ruleset.model
        return [record(model, p.fact, p.reasons[0].rule.name) for p in self.run_of(subject).pending]

    def journal(self, subject: str) -> list[Change]:
        """How the subject's conclusions came and went, by the instant at which each became known (semantics 8)."""
        self.run_of(subject)
        model = self.ruleset.model
        facts = self._facts[subject]
        lines: list[JournalEntry] = outcome.journal(
            model, facts, self.as_of, lambda at: run_subject(self._program, subject, facts, at)
        )
        return [Change(model.zone.format(line.at), line.sign, Conclusion(model, line.entry)) for line in lines]

    def why(self, fact: Conclusion | Mapping[str, object] | str, subject: str | None = None, most: int = 50) -> Proof:
        """Why a fact was concluded: rules, conditions with values, facts counted and left out, down to the inputs.

        Parameters
        ----------
        fact : Conclusion, mapping or str
            A conclusion of this outcome, a record such as `{"kind": "strike", "complaint": "c1"}`, or a text `KIND` or
            `KIND@AT`, where a bare date means that local day. What fits several facts explains them all.
        subject : str, optional
            The subject, where the question does not name it and several have such facts.
        most : int
            How many derived facts are explained, the nearest first.

        Returns
        -------
        Proof
            It has `text`, `as_dict` and `graph`.

        Raises
        ------
        RunError
            Where there is no such fact, with what became of it.
        """
        from .why.questions import Question, not_there

        model = self.ruleset.model
        if isinstance(fact, Conclusion):
            run, place = self._runs.get(fact.subject), fact.entry.place
            if run is not None and place < len(run.entries) and run.entries[place] is fact.entry:
                return self._explainer(fact.subject).why([fact.entry], most)
        question = Question.of(model, fact)
        named = subject if subject is not None else question.subject
        if named is not None:
            subjects = [named]
        else:
            runs = self._runs.items()
            subjects = [name for name, run in runs if any(question.matches(model, e) for e in run.entries)]
            subjects = subjects or list(self._runs)
        if len(subjects) != 1:
            found = f"{len(subjects):,} {model.subject}s, {listing(subjects, 3)}" if subjects else f"no {model.subject}"
            raise RunError(f"{question.describe(model)} may be of {found}: say of which `subject`")
        run = self.run_of(subjects[0])
        entries = question.among(model, run)
        if not entries:
            raise not_there(model, run, question)
        return self._explainer(run.subject).why(entries, most)

    def why_status(self, subject: str, most: int = 50) -> Proof:
        """Why a subject has its status: every fact with an effect explained; where there is none, the last step's.

        Raises
        ------
        RunError
            Where no fact names the subject, its run was rejected, or nothing was concluded.
        """
        from .why.questions import nothing_concluded, sanctions

        run = self.run_of(subject)
        entries = sanctions(run)
        if not entries:
            raise nothing_concluded(self.ruleset.model, run)
        return self._explainer(subject).why(entries, most, self.status_of(subject))

    def why_not(self, subject: str, kind: str, at: str | None = None) -> WhyNot:
        """Why a kind was not derived: how far each rule got that could derive it, and what was missing.

        Parameters
        ----------
        subject : str
            The subject.
        kind : str
            The kind.
        at : str, optional
            A time, or a date for that local day: only triggers of then are looked at.

        Raises
        ------
        RunError
            Where subject or kind is unknown, or the subject's run was rejected.

        Examples
        --------
        >>> import strikeout
        >>> upheld = {"kind": "upheld", "seller": "s", "complainant": "hong", "right": "r", "finding": "counterfeit"}
        >>> outcome = strikeout.load("taobao-counterfeit").run([{**upheld, "at": "2015-01-05", "complaint": "c1"}])
        >>> outcome.why_not("s", "closure").rules[0].trial.conditions[0].text
        'count(strike by complainant, right) >= strike_limit'
        """
        from .why.questions import instants, kind_named

        model = self.ruleset.model
        span = None if at is None else instants(model, at)
        self.run_of(subject)
        return self._explainer(subject).why_not(kind_named(model, kind), span)

    def what_if(
        self,
        add: Iterable[Mapping[str, object] | Fact] = (),
        remove: Iterable[Mapping[str, object] | Fact] = (),
        set: Mapping[str, str | int | bool] | None = None,
        ruleset: Ruleset | str | Path | None = None,
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
        from .ahead.amend import chosen
        from .ahead.difference import Changes, Side, differ
        from .ahead.tell_difference import Difference
        from .reach.streaming import as_row

        model, other = self.ruleset.model, self.ruleset
        if ruleset is not None:
            other = ruleset if isinstance(ruleset, Ruleset) else load(ruleset)
        other = other.with_parameters(set or {})
        every = [fact for facts in self._facts.values() for fact in facts]
        removed: dict[int, Fact] = {}
        for wanted in remove:
            removed.update((id(fact), fact) for fact in chosen(model, every, wanted))
        added, _ = other._bind(add)
        changes = Changes(
            tuple(added),
            tuple(removed.values()),
            tuple((name, str(value)) for name, value in (set or {}).items()),
            "" if ruleset is None else other.name,
        )
        instant = self._instant_of(as_of)
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
                kept, _ = other._bind(as_row(model, fact) for fact in kept)
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
        from .ahead.remedies import remedies

        run = self._run_at(subject, at)
        rerun = self.ruleset.rerun(subject)
        model, end = self.ruleset.model, self._instant_of(by)
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
        from .ahead.sanctions_ahead import next_sanctions

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
        from .ahead.deadlines import deadlines
        from .ahead.tell_deadlines import Deadlines

        runs = self._runs.values() if subject is None else [self.run_of(subject)]
        model, ruleset = self.ruleset.model, self.ruleset
        found = [d for run in runs if run.rejection is None for d in deadlines(model, run, ruleset.rerun(run.subject))]
        return Deadlines(model, self.as_of, found)

    def _instant_of(self, at: str | datetime.datetime | int | None) -> int | None:
        return self.ruleset._instant(at)

    def _run_at(self, subject: str, at: str | datetime.datetime | int | None) -> SubjectRun:
        """The run of a subject as of an instant; the outcome's own without one."""
        run, instant = self.run_of(subject), self._instant_of(at)
        if instant is None or instant == self.as_of:
            return run
        again = self.ruleset.rerun(subject)(self._facts[subject], instant)
        if again.rejection is not None:
            raise RunError(outcome.describe(again.rejection, self.ruleset.model))
        return again

    def _explainer(self, subject: str) -> Explainer:
        from .why.explanation import Explainer

        found = self._explainers.get(subject)
        if found is None:
            found = self._explainers[subject] = Explainer(self.ruleset.model, self.run_of(subject))
        return found

    # Graphs and drawings.

    def graph(self, subject: str | None = None) -> nx.MultiDiGraph[Any]:
        """The complaint graph of a subject, or of all: nodes (field, id), an edge for each fact, void ones among them.

        Edges carry `kind`, `at`, `given` and the record of the fact; complaints also what became of them as `state`
        (`counted`, `merged`, `pending`, `not_counted` or `voided`), and `brought`, `into` or `voided_by`.
        `strikeout.graphs` has `measures`, `patterns` and projections of it.

        Raises
        ------
        RunError
            Where no fact names the subject, or its run was rejected.

        Examples
        --------
        >>> import strikeout
        >>> from strikeout.graphs import measures
        >>> outcome = strikeout.load("taobao-counterfeit").run(strikeout.read("docs/example.csv"))
        >>> [(row["seller"], row["most_strikes"]) for row in measures.sellers(outcome.graph())]
        [('xiaoming', 3), ('xiaohua', 1)]
        """
        from .speech.views import complaints_of

        runs = list(self._runs.values()) if subject is None else [self.run_of(subject)]
        return complaints_of(self.ruleset.model, runs)

    def firings(self, subject: str) -> nx.DiGraph[Any]:
        """The firing graph of a subject: facts lead to the firings that they trigger, these to what they derive.

        Raises
        ------
        RunError
            Where no fact names the subject, or its run was rejected.
        """
        from .speech.views import firings_of

        return firings_of(self.ruleset.model, self.run_of(subject))

    def timeline(self, subject: str, language: str = "en") -> Drawing:
        """The timeline of a subject: complaints, counted or not, windows, sanctions, and what is pending.

        Parameters
        ----------
        subject : str
            The subject.
        language : str
            `zh` or `en`.

        Raises
        ------
        RunError
            Where no fact names the subject, or its run was rejected.

        Examples
        --------
        >>> import strikeout
        >>> outcome = strikeout.load("taobao-counterfeit").run(strikeout.read("docs/example.csv"))
        >>> outcome.timeline("xiaoming").title
        'Timeline of seller xiaoming'
        """
        return self.draw("timeline", subject, language)

    def draw(self, view: str = "complaints", subject: str | None = None, language: str = "en") -> Drawing:
        """A picture of the outcome; notebooks show it, and `save` writes it to a file.

        Parameters
        ----------
        view : str
            `complaints`, of all or of one subject; `timeline` or `firings`, of one; or `rules`, of the ruleset.
        subject : str, optional
            The subject.
        language : str
            `zh` or `en`.

        Raises
        ------
        RunError
            Where there is no such view or subject, or the subject's run was rejected.
        """
        from .reach import drawings

        model = self.ruleset.model
        drawings.check_language(language)
        if drawings.check_view(view) == "rules":
            return drawings.draw_rules(model, language)
        if view == "complaints":
            runs = list(self._runs.values()) if subject is None else [self.run_of(subject)]
            return drawings.draw_complaints(model, runs, language, self.as_of, subject)
        if subject is None:
            raise RunError(f"the view `{view}` is of one {model.subject}: say of which `subject`")
        draw = {"timeline": drawings.draw_timeline, "firings": drawings.draw_firings}[view]
        return draw(model, self.run_of(subject), language)


def load(name: str | Path) -> Ruleset:
    """Load a ruleset by its shipped name or from a file.

    Parameters
    ----------
    name : str or Path
        A shipped name, such as `taobao-counterfeit`, or a path to a YAML file.

    Returns
    -------
    Ruleset
        The checked ruleset.

    Raises
    ------
    RulesetError
        With every problem found, each with its position.

    Examples
    --------
    >>> import strikeout
    >>> strikeout.load("taobao-counterfeit").title()
    'Taobao counterfeit sales: three strikes and points'
    """
    # The gate takes half of the time of an import, and a program that only imports need not wait for it.
    from .gate.check import check
    from .reach.library import Files, locate

    source = locate(str(name))
    library = Files()
    return Ruleset(check(source, library), source, library, {})


def load_text(text: str, name: str = "ruleset.yaml") -> Ruleset:
    """Load a ruleset from YAML text; names in it are found among what ships.

    Raises
    ------
    RulesetError
        With every problem found.
    """
    from .gate.check import check
    from .reach.library import OnlyShipped

    source = Source(name, text)
    library = OnlyShipped()
    return Ruleset(check(source, library), source, library, {})


__all__ = [
    "ENGINES",
    "Change",
    "Conclusion",
    "Conclusions",
    "Outcome",
    "Ruleset",
    "columns",
    "load",
    "load_text",
    "read",
]
