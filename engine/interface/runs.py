"""The runs of all subjects, and what they say of themselves: conclusions, status, what is pending, the journal."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..facts import Fact
from ..ground.problems import RunError, nearest, shorten
from ..machine.runs import JournalEntry, Program, Rejection, SubjectRun, run_subject
from ..speech import outcome
from ..speech.outcome import Record, Status, Summary, record
from .conclusions import Change, Conclusion, Conclusions
from .loaded import LoadedRuleset

if TYPE_CHECKING:
    from ..speech.overview import Overview
    from ..why.explanation import Explainer


class Runs:
    """The runs of all subjects as of an instant.

    Attributes
    ----------
    as_of : int
        The instant of the run, in microseconds since 1970 UTC.
    summary : Summary
        What became of every fact given.
    """

    def __init__(
        self, ruleset: LoadedRuleset, program: Program, facts: Mapping[str, list[Fact]], as_of: int, given: int
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
        instant = self._instant()
        at = "-" if instant is None else self.ruleset.model.zone.format(instant)
        return (
            f"<outcome of {self.ruleset.name} as of {at}: {len(self.facts)} conclusions on {len(self._runs)} subjects>"
        )

    def html(self, language: str = "en") -> str:
        """The outcome at a glance as a piece of HTML that needs nothing else, in `zh` or `en`."""
        return self._overview().html(language, self.facts.html(language))

    def text(self, language: str = "en") -> str:
        """The outcome at a glance as lines, in `zh` or `en`."""
        return "\n".join(self._overview().lines(language))

    def _overview(self) -> Overview:
        from ..speech.overview import Overview

        runs = [run for run in self._runs.values() if run.rejection is None]
        rejected = [outcome.describe(rejection, self.ruleset.model) for rejection in self.rejected.values()]
        return Overview(self.ruleset.model, self._instant(), self.counts(), self.summary, runs, rejected)

    def _instant(self) -> int | None:
        """The instant of the run; None, where there was no fact and no instant was asked for."""
        return self.as_of if self._facts or self.as_of else None

    def _repr_html_(self) -> str:
        return self.html()

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(self.text())

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
        if not isinstance(subject, str):
            raise RunError(f"expected the id of a {self.ruleset.model.subject}, got `{shorten(str(subject), 60)}`")
        run = self._runs.get(subject)
        if run is None:
            hint = nearest(subject, self._runs)
            message = f"no fact names the {self.ruleset.model.subject} `{shorten(subject, 60)}`"
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
        lines: list[JournalEntry] = outcome.journal(facts, self.as_of, self.ruleset.begin(subject))
        return [Change(model.zone.format(line.at), line.sign, Conclusion(model, line.entry)) for line in lines]
