"""A checked ruleset as it was loaded: its parameters, its engines, and facts made its own."""

from __future__ import annotations

import datetime
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..facts import Fact
from ..ground.problems import FactError, Problem, RunError, Source, nearest
from ..machine import durable
from ..machine.runs import Program, SubjectRun, run_subject
from ..reach.files import MOST_SHOWN, Rows, listed
from ..rows import BadCell, Binder

if TYPE_CHECKING:
    from typing import Self

    from ..gate.merge import Library
    from ..machine.compiled import CompiledProgram, OngoingRun
    from ..model import Ruleset as Model

ENGINES = ("rete", "compiled")


def default_engine() -> str:
    """The engine that runs unless told: `rete` where durable_rules can be used, else `compiled`."""
    return "rete" if durable.available() else "compiled"


class LoadedRuleset:
    """A checked ruleset with all that a run needs of it; it may be used from many threads.

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
    def source(self) -> Source:
        """The text that it was read from."""
        return self._source

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

    def html(self, language: str = "en") -> str:
        """The ruleset at a glance as a piece of HTML that needs nothing else, in `zh` or `en`."""
        from ..speech.card import ruleset_card

        return ruleset_card(self.model, language)

    def text(self, language: str = "en") -> str:
        """The ruleset at a glance as lines, in `zh` or `en`."""
        from ..speech.card import ruleset_lines

        return "\n".join(ruleset_lines(self.model, language))

    def _repr_html_(self) -> str:
        return self.html()

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(self.text())

    def with_parameters(self, parameters: Mapping[str, str | int | bool]) -> Self:
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
        from ..gate.check import check

        texts = {name: str(v).lower() if isinstance(v, bool) else str(v) for name, v in parameters.items()}
        merged = {**self._parameters, **texts}
        return type(self)(check(self._source, self._library, merged), self._source, self._library, merged)

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
                    # Only a program that runs an engine need wait for it.
                    if name == "rete":
                        from ..machine.rete import ReteProgram

                        made = ReteProgram(self.model)
                    else:
                        from ..machine.compiled import CompiledProgram

                        made = CompiledProgram(self.model)
                except durable.MatcherUnavailable as error:
                    raise RunError(str(error)) from None
                self._programs[name] = made
            return self._programs[name]

    def rerun(self, subject: str) -> Callable[[Sequence[Fact], int], SubjectRun]:
        """Runs facts of a subject, in the order of semantics 2, as of an instant: for what is tried many times."""
        program = self.program("compiled")
        return lambda facts, as_of: run_subject(program, subject, facts, as_of)

    def begin(self, subject: str) -> OngoingRun:
        """A run of a subject that goes on as facts become known, and tells what changes (semantics 8)."""
        return self.compiled().begin(subject)

    def compiled(self) -> CompiledProgram:
        """The program of the engine `compiled`."""
        from ..machine.compiled import CompiledProgram

        program = self.program("compiled")
        if not isinstance(program, CompiledProgram):
            raise TypeError("the engine `compiled` is none")
        return program

    def instant(self, as_of: str | datetime.datetime | int | None) -> int | None:
        """An instant as callers give it, in microseconds since 1970 UTC; without an offset it is local to the ruleset.

        Raises
        ------
        RunError
            Where it is no time.
        """
        if as_of is None or isinstance(as_of, int):
            return as_of
        try:
            return Binder(self.model).instant("as_of", as_of)
        except BadCell as error:
            raise RunError(f"`as_of`: {error.expected}") from None

    def bind(self, facts: Iterable[Mapping[str, object] | Fact]) -> list[Fact]:
        """Facts as `run` takes them, made facts of this ruleset.

        Raises
        ------
        FactError
            Where facts cannot be used; the message lists the first twenty.
        """
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
        return bound

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


def named(name: str | Path) -> tuple[Model, Source, Library]:
    """What a loaded ruleset is made of, by its shipped name or from a file.

    Raises
    ------
    RulesetError
        With every problem found.
    """
    # The gate takes half of the time of an import, and a program that only imports need not wait for it.
    from ..gate.check import check
    from ..reach.library import Files, locate

    source = locate(str(name))
    library = Files()
    return check(source, library), source, library
