"""The drawings of runs and rulesets: a view by its name, drawn over runs."""

from __future__ import annotations

from collections.abc import Iterable

from ..ground.problems import RunError, nearest, shorten
from ..machine.timeline import SubjectRun
from ..model import Ruleset
from ..pictures.picture_complaints import complaints_picture
from ..pictures.picture_firings import firings_picture
from ..pictures.picture_rules import rules_picture
from ..pictures.picture_timeline import timeline_picture
from ..speech.views import complaints_of, firings_of, rules_of
from .drawing import Drawing

VIEWS = ("timeline", "complaints", "firings", "rules")
OF_ONE = ("timeline", "firings")
"""The views that are of one subject."""


def check_view(view: str) -> str:
    """The view by its name.

    Raises
    ------
    RunError
        Where there is none such.
    """
    if view not in VIEWS:
        hint = nearest(view, VIEWS) or "known are `timeline`, `complaints`, `firings` and `rules`"
        raise RunError(f"`{shorten(view, 40)}` is no view; {hint}")
    return view


def check_language(language: str) -> str:
    """The language of a drawing.

    Raises
    ------
    RunError
        Where it is neither `zh` nor `en`.
    """
    if language not in ("zh", "en"):
        raise RunError(f"`{shorten(language, 40)}` is no language of drawings; known are `zh` and `en`")
    return language


def draw_rules(ruleset: Ruleset, language: str) -> Drawing:
    """How the rules of a ruleset hang together."""
    return Drawing(rules_picture(ruleset, check_language(language)), lambda: rules_of(ruleset))


def draw_timeline(ruleset: Ruleset, run: SubjectRun, language: str) -> Drawing:
    """The timeline of a subject."""
    return Drawing(timeline_picture(ruleset, run, check_language(language)))


def draw_firings(ruleset: Ruleset, run: SubjectRun, language: str) -> Drawing:
    """The firings of a subject."""
    return Drawing(firings_picture(ruleset, run, check_language(language)), lambda: firings_of(ruleset, run))


def draw_complaints(
    ruleset: Ruleset, runs: Iterable[SubjectRun], language: str, as_of: int | None, subject: str | None
) -> Drawing:
    """The complaint graph of runs; `subject` where they are of one."""
    graph = complaints_of(ruleset, runs)
    return Drawing(complaints_picture(ruleset, graph, check_language(language), as_of, subject), lambda: graph)
