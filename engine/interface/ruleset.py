"""The public ruleset and its outcome, and how a ruleset is loaded."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..facts import Fact, merge_duplicates
from ..ground.problems import Source
from .loaded import LoadedRuleset, named
from .prospects import Prospects
from .reasons import Reasons
from .views import Views

if TYPE_CHECKING:
    import networkx as nx

    from ..comparison.tell_policy import PolicyDifference
    from ..reach.drawing import Drawing


class Outcome(Reasons, Prospects, Views):
    """What a ruleset concludes from facts as of an instant.

    Attributes
    ----------
    as_of : int
        The instant of the run, in microseconds since 1970 UTC.
    summary : Summary
        What became of every fact given.
    ruleset : Ruleset
        The ruleset that was run.
    """

    ruleset: Ruleset


class Ruleset(LoadedRuleset):
    """A checked ruleset that can be run. Made by `load` and `load_text`; it may be used from many threads.

    Attributes
    ----------
    model : strikeout.model.Ruleset
        The checked ruleset: kinds, rules, parameters.
    """

    def graph(self) -> nx.MultiDiGraph[Any]:
        """The rule dependency graph: kinds and rules, with an edge for whatever a rule reads and derives (semantics 5).

        Rules carry their `stratum`; edges have a `role`: `triggers`, `forward`, `backward`, `derives`, `schedules`,
        `voids` or `ends`.
        """
        from ..speech.views import rules_of

        return rules_of(self.model)

    def draw(self, language: str = "en") -> Drawing:
        """The rule dependency graph as a picture, in `zh` or `en`."""
        from ..reach import drawings

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
        from ..comparison.tell_policy import policy_difference

        return policy_difference(self.model, (other if isinstance(other, Ruleset) else load(other)).model)

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
        bound = self.bind(facts)
        by_subject: dict[str, list[Fact]] = {}
        for fact in bound:
            by_subject.setdefault(fact.subject, []).append(fact)
        merged = {subject: merge_duplicates(by_subject[subject]) for subject in sorted(by_subject)}
        instant = self.instant(as_of)
        if instant is None:
            instant = max((f.from_then_on for facts in merged.values() for f in facts), default=0)
        return Outcome(self, program, merged, instant, len(bound))


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
    return Ruleset(*named(name), {})


def load_text(text: str, name: str = "ruleset.yaml") -> Ruleset:
    """Load a ruleset from YAML text; names in it are found among what ships.

    Raises
    ------
    RulesetError
        With every problem found.
    """
    from ..gate.check import check
    from ..reach.library import OnlyShipped

    source = Source(name, text)
    library = OnlyShipped()
    return Ruleset(check(source, library), source, library, {})
