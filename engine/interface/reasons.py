"""What one asks of the past: why, and why not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ..facts import Fact
from ..ground.problems import RunError, listing
from ..machine.runs import SubjectRun
from .conclusions import Conclusion
from .runs import Runs

if TYPE_CHECKING:
    from ..why.explanation import Explainer, Proof, WhyNot


class Reasons(Runs):
    """Why a run concluded what it did, and why not what it did not."""

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
            How many derived facts are explained, the nearest first; at least 1.

        Returns
        -------
        Proof
            It has `text`, `as_dict` and `graph`.

        Raises
        ------
        RunError
            Where there is no such fact, with what became of it.
        """
        from ..why.questions import Question, check_most, not_there

        check_most(most)
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
            if not subjects:  # Who alone has the complaint is meant, whatever became of it.
                facts = self._facts.items()
                subjects = [name for name, given in facts if any(question.names(model, fact) for fact in given)]
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
        from ..why.questions import check_most, nothing_concluded, sanctions

        check_most(most)
        run = self.run_of(subject)
        entries = sanctions(run)
        if not entries:
            raise nothing_concluded(self.ruleset.model, run)
        return self._explainer(subject).why(entries, most, self.status_of(subject))

    def why_not(self, subject: str, kind: str, at: str | None = None) -> WhyNot:
        """Why a kind was not derived: how far each rule got that could derive it, and what was missing.

        Where a rule counts and has not enough, the answer also says what more would let it fire, found by running it.

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
        from ..why.questions import instants, kind_named

        model = self.ruleset.model
        span = None if at is None else instants(model, at)
        self.run_of(subject)
        return self._explainer(subject).why_not(kind_named(model, kind), span)

    def _explainer(self, subject: str) -> Explainer:
        from ..why.explanation import Explainer

        found = self._explainers.get(subject)
        if found is None:
            run = self.run_of(subject)

            def rerun(facts: Sequence[Fact], as_of: int) -> SubjectRun:
                return self.ruleset.rerun(subject)(facts, as_of)

            found = self._explainers[subject] = Explainer(self.ruleset.model, run, rerun)
        return found
