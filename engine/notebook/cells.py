"""Cells as sources: rulesets and cases in the cells of a notebook, which find each other by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..gate.case_files import read_cases
from ..gate.case_model import Case
from ..gate.check import check
from ..ground.problems import Source
from ..interface.ruleset import Ruleset
from ..reach.library import Files
from ..speech.cases import Failure, run_case


class Cells:
    """Where a cell finds the rulesets that it names: in other cells, in files beside the notebook, among the shipped.

    Parameters
    ----------
    rulesets : iterable of Ruleset
        The rulesets that the notebook holds; each is found by its name, of several of one name the last.
    """

    def __init__(self, rulesets: Iterable[Ruleset] = ()) -> None:
        self._sources = {ruleset.name: ruleset.source for ruleset in rulesets}
        self._files = Files()

    def find(self, what: str, name: str, beside: Source) -> Source | None:
        """The text of a `ruleset`, `vocabulary` or `calendar`, or None."""
        held = self._sources.get(name) if what == "ruleset" else None
        return held if held is not None else self._files.find(what, name, beside)

    def names(self, what: str, beside: Source) -> Iterable[str]:
        """The names that could be found."""
        held = self._sources if what == "ruleset" else ()
        return {*held, *self._files.names(what, beside)}


def source_of(name: str, line: str, cell: str) -> Source:
    """The text of a cell, its magic line as a comment, so that lines have the numbers that the notebook shows.

    Examples
    --------
    >>> source_of("three", "%%ruleset three", "ruleset: three").position(20)
    (2, 3)
    """
    return Source(name, f"# {line.strip()}\n{cell}")


def ruleset_of(source: Source, rulesets: Iterable[Ruleset], parameters: Mapping[str, str]) -> Ruleset:
    """The ruleset of a cell, checked.

    Raises
    ------
    RulesetError
        With every problem found.
    """
    library = Cells(rulesets)
    return Ruleset(check(source, library, parameters), source, library, parameters)


@dataclass(frozen=True, slots=True)
class CaseResult:
    """A case that was run, and what does not hold; nothing, where it passes."""

    case: Case
    failures: tuple[Failure, ...]


def run_cases(source: Source, rulesets: Iterable[Ruleset], language: str) -> Sequence[CaseResult]:
    """Run the cases of a cell.

    Raises
    ------
    RulesetError
        With every problem of the cases, or of the ruleset that they name.
    """
    library = Cells(rulesets)
    results = []
    for case in read_cases(source, library).cases:
        program = Ruleset(case.ruleset, source, library, {}).program("compiled")
        results.append(CaseResult(case, run_case(case, program, language)))
    return results
