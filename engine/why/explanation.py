"""Why a fact was concluded, and why not: the run of a subject replayed from what it left behind.

`Explainer` serves one subject; the answers are records of `proof`, and `tell` puts them into words.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..ahead.acts import Rerun
from ..ahead.hints import hint
from ..facts import Kind
from ..machine.timeline import Entry, Reason, SubjectRun
from ..model import Rule, Ruleset
from ..speech.outcome import Status, record
from .answer import Answer
from .history import History
from .omissions import about, progress
from .proof import Cause, LeftOut, Node, ProofRecord, RuleAnswer, Trial, WhyNotRecord, shortfall
from .proof_json import proof_json, why_not_json
from .tell import Teller
from .tell_why_not import WhyNotTeller
from .tree import Branch, draw
from .trials import Trials

if TYPE_CHECKING:
    import networkx as nx

MOST_NODES = 50
"""How many facts a proof explains, unless told: the nearest to what is asked."""

MOST_TRIALS = 200
"""How many triggers of a rule, the newest, are tried to say why a kind was not derived."""

MOST_VOIDED = 5


class Explainer:
    """Answers why and why not for one subject's run.

    Parameters
    ----------
    ruleset : Ruleset
        The ruleset of the run.
    run : SubjectRun
        The run, by whichever engine.
    rerun : callable, optional
        Runs facts of the subject as of an instant; with it, `why_not` also says what more would let a rule fire.
    """

    def __init__(self, ruleset: Ruleset, run: SubjectRun, rerun: Rerun | None = None) -> None:
        self.ruleset = ruleset
        self.run = run
        self.rerun = rerun
        self.history = History(ruleset, run)
        self.trials = Trials(self.history)

    # Why.

    def why(self, entries: Sequence[Entry], most: int = MOST_NODES, status: Status | None = None) -> Proof:
        """Why facts of the run stand: each with the rules that gave it, down to the facts given.

        Parameters
        ----------
        entries : sequence of Entry
            Facts of this run.
        most : int
            How many derived facts are explained, the nearest first; the others are named.
        status : Status, optional
            The subject's status, where the facts explain that.
        """
        roots = tuple(dict.fromkeys(self.history.stand(entry) for entry in entries))
        queue = deque(roots)
        reached = {stand.place for stand in roots}
        nodes: list[Node] = []
        explained = unexplained = 0
        while queue:
            stand = queue.popleft()
            if stand.given:
                nodes.append(Node(stand, ()))
                continue
            if explained >= most:
                unexplained += 1
                continue
            explained += 1
            entry = self.run.entries[stand.place]
            reasons = tuple([self._reason(reason) for reason in entry.reasons])
            nodes.append(Node(stand, reasons))
            for trial in reasons:
                for _, premise in trial.premises():
                    if premise.place not in reached:
                        reached.add(premise.place)
                        queue.append(premise)
        told = None if status is None else (status.kind, status.since)
        return Proof(self.ruleset, self.run.subject, self.run.as_of, roots, tuple(nodes), unexplained, told)

    def _reason(self, reason: Reason) -> Trial:
        trigger = self.history.stand(reason.trigger)
        return self.trials.of(reason.rule, trigger, True, reason.derivation, reason.threshold)

    # Why not.

    def why_not(self, kind: Kind, at: tuple[int, int] | None = None) -> WhyNot:
        """Why a kind was not derived: how far each rule got that could derive it.

        Parameters
        ----------
        kind : Kind
            A kind of the ruleset.
        at : tuple of int and int, optional
            Only triggers of these instants: from the first up to, not including, the second.
        """
        return self._why_not(kind, at, frozenset())

    def _why_not(self, kind: Kind, at: tuple[int, int] | None, above: frozenset[int]) -> WhyNot:
        def asked(instant: int) -> bool:
            return at is None or at[0] <= instant < at[1]

        entries = [entry for entry in self.history.kinds[kind.index].entries if asked(entry.fact.at)]
        stands = tuple(self.history.stand(entry) for entry in entries)
        pending = tuple(p.fact for p in self.run.pending if p.fact.kind is kind and asked(p.fact.at))
        derives = [r for r in self.ruleset.rules if any(d.kind is kind for _, _, d in r.derivations())]
        answers = [] if stands else [self._answer(rule, kind, at, above | {kind.index}) for rule in derives]
        return WhyNot(
            self.ruleset,
            self.run.subject,
            self.run.as_of,
            kind,
            at,
            stands,
            pending,
            self.history.over,
            tuple(answers),
            self._voided(kind) if not stands and not above and at is None else (),
        )

    def _voided(self, kind: Kind) -> tuple[LeftOut, ...]:
        """The newest input facts that could have led to a kind and no longer hold."""
        leading, new = {kind.index}, [kind]
        while new:
            wanted = new.pop()
            for rule in self.ruleset.rules:
                if any(d.kind is wanted for _, _, d in rule.derivations()):
                    found = [trigger for trigger in rule.triggers if trigger.index not in leading]
                    leading.update(trigger.index for trigger in found)
                    new.extend(found)
        return tuple(
            LeftOut(void.fact, None, (Cause("voided", fact=void.by, text=void.rule.name),))
            for void in [void for void in self.run.voided if void.fact.kind.index in leading][-MOST_VOIDED:]
        )

    def _answer(self, rule: Rule, kind: Kind, at: tuple[int, int] | None, above: frozenset[int]) -> RuleAnswer:
        scheduling = all(d.at is not None for _, _, d in rule.derivations() if d.kind is kind)
        within = None if scheduling else at
        triggers = sorted(
            (
                entry
                for trigger in rule.triggers
                for entry in self.history.kinds[trigger.index].entries
                if within is None or within[0] <= entry.fact.at < within[1]
            ),
            key=lambda entry: entry.place,
        )
        best: Trial | None = None
        for entry in triggers[-MOST_TRIALS:]:
            trial = about(self.trials.in_short(rule, self.history.stand(entry)), kind)
            if best is None or _nearness(trial) >= _nearness(best):
                best = trial
        if best is not None:
            best = about(self.trials.of(rule, best.trigger, True), kind)
        absent: list[WhyNot] = []
        if not triggers:
            for trigger in rule.triggers:
                derivable = trigger in self.ruleset.derivable
                if derivable and trigger.index not in above and len(above) < 4:
                    absent.append(self._why_not(trigger, within, above))
        told = None
        if best is not None and self.rerun is not None and at is None and len(above) == 1:
            told = hint(self.ruleset, self.run, self.rerun, best, kind)
        return RuleAnswer(rule, best, len(triggers), tuple(absent), told)


def _nearness(trial: Trial) -> tuple[int, int, int]:
    """How near a trial came to firing: the stage, the parts that held, and how little was missing."""
    missing: int | None = None
    if trial.stage == "condition":
        missing = shortfall(trial.conditions[-1])
    elif trial.climb is not None and isinstance(trial.climb.now.value, int):
        now = trial.climb.now.value
        missing = min((t - now for t in trial.climb.thresholds if t > now), default=None)
    return (*progress(trial), -missing if missing is not None else -(2**63))


@dataclass(frozen=True, slots=True, repr=False)
class Proof(Answer, ProofRecord):
    """Why one or several facts of a subject were concluded; see `ProofRecord` for what it holds.

    Examples
    --------
    >>> import strikeout
    >>> ruleset = strikeout.load("taobao-counterfeit")
    >>> fact = {"kind": "upheld", "at": "2015-01-05", "seller": "s", "complaint": "c1", "base": 2}
    >>> outcome = ruleset.run([{**fact, "complainant": "a", "right": "r", "finding": "counterfeit"}])
    >>> print(outcome.why("strike").text().splitlines()[2])
    [1] strike c1 · one counted strike · 2015-01-05 · complainant a, right r
    """

    def text(self, language: str = "en", width: int = 100, depth: int | None = None) -> str:
        """The proof as a tree of lines.

        Parameters
        ----------
        language : str
            `zh` or `en`.
        width : int
            Columns; a Chinese character takes two.
        depth : int, optional
            How many derived facts deep reasons are told; without it, all.
        """
        return draw(Teller(self.ruleset, language, depth).proof(self), width)

    def as_dict(self) -> dict[str, Any]:
        """The proof as JSON has it: the facts by number, each with its reasons."""
        return proof_json(self)

    def graph(self) -> nx.MultiDiGraph[int]:
        """The proof as a graph: facts by their place in the run, with an edge from each premise, by its `role`."""
        import networkx as nx

        graph: nx.MultiDiGraph[int] = nx.MultiDiGraph()
        for node in self.nodes:
            fact = node.stand.fact
            graph.add_node(node.stand.place, fact=record(self.ruleset, fact), given=node.stand.given)
        for node in self.nodes:
            for trial in node.reasons:
                for role, stand in dict.fromkeys(trial.premises()):
                    graph.add_edge(stand.place, node.stand.place, role=role, rule=trial.rule.name)
        return graph

    def branches(self, language: str) -> Sequence[Branch]:
        """The proof as a tree, in `zh` or `en`."""
        return Teller(self.ruleset, language).proof(self)


@dataclass(frozen=True, slots=True, repr=False)
class WhyNot(Answer, WhyNotRecord):
    """Why a kind was not derived for a subject; see `WhyNotRecord` for what it holds."""

    def branches(self, language: str) -> Sequence[Branch]:
        """The answer as a tree, in `zh` or `en`."""
        return WhyNotTeller(self.ruleset, language).why_not(self)

    def as_dict(self) -> dict[str, Any]:
        """The answer as JSON has it."""
        return why_not_json(self)
