"""Runs as networkx graphs and as drawings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..ground.problems import RunError
from .runs import Runs

if TYPE_CHECKING:
    import networkx as nx

    from ..reach.drawing import Drawing


class Views(Runs):
    """The runs as graphs and as drawings."""

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
        from ..speech.views import complaints_of

        runs = list(self._runs.values()) if subject is None else [self.run_of(subject)]
        return complaints_of(self.ruleset.model, runs)

    def firings(self, subject: str) -> nx.DiGraph[Any]:
        """The firing graph of a subject: facts lead to the firings that they trigger, these to what they derive.

        Raises
        ------
        RunError
            Where no fact names the subject, or its run was rejected.
        """
        from ..speech.views import firings_of

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
        from ..reach import drawings

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
