"""From one file to one draft: `vocabulary`, `extends` and `include` are followed, with a library that finds names."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Protocol, TypeVar

from .parse import Draft, parse
from .problems import Problem, RulesetError, Source, Span, listing, nearest, shorten
from .read import Scalar

MOST_FILES = 100
_BARE_NAME = re.compile(r"[\w-]{1,80}")
AGREE = ("vocabulary", "subject", "timezone", "calendar")


class Library(Protocol):
    """Where names are found: beside the file that names them, else among what is shipped."""

    def find(self, what: str, name: str, beside: Source) -> Source | None:
        """The text of a `ruleset`, `vocabulary` or `calendar`, or None where there is none of that name."""

    def names(self, what: str, beside: Source) -> Iterable[str]:
        """The names that could be found."""


def find(library: Library, what: str, name: Scalar, problems: list[Problem]) -> Source | None:
    """The source that a name stands for; a problem where there is none."""
    if not _BARE_NAME.fullmatch(name.text):
        message = f"`{shorten(name.text, 40)}` is no bare name of a {what}"
        hint = "the file NAME.yaml beside this one, or a shipped one, is found by its bare NAME"
        problems.append(Problem("name", message, name.span, hint))
        return None
    source = library.find(what, name.text, name.span.source)
    if source is None:
        known = sorted(library.names(what, name.span.source))
        hint = nearest(name.text, known) or (f"known are {listing(known)}" if known else "")
        problems.append(Problem("unknown-name", f"unknown {what} `{shorten(name.text, 40)}`", name.span, hint))
    return source


_Part = TypeVar("_Part")


class _Assembly:
    def __init__(self, library: Library) -> None:
        self.library = library
        self.drafts: dict[str, Draft] = {}
        self.vocabularies: dict[str, Draft] = {}
        self.problems: list[Problem] = []

    def assemble(self, source: Source, path: tuple[str, ...]) -> Draft:
        if source.name in self.drafts:
            return self.drafts[source.name]
        if len(self.drafts) >= MOST_FILES:
            message = f"a ruleset is made of at most {MOST_FILES} files"
            raise RulesetError([*self.problems, Problem("too-large", message, Span(source, 0, 0))])
        own = parse(source)
        self.problems.extend(own.problems)
        extended = self.parents([own.settings["extends"]] if "extends" in own.settings else [], own, path)
        included = self.parents(own.includes, own, path)
        merged = self.combine(own, extended, included)
        self.drafts[source.name] = merged
        return merged

    def parents(self, names: Iterable[Scalar], own: Draft, path: tuple[str, ...]) -> list[tuple[Scalar, Draft]]:
        found = []
        for name in names:
            source = find(self.library, "ruleset", name, self.problems)
            if source is None:
                continue
            if source.name in (*path, own.source.name):
                message = f"`{name.text}` leads back to this ruleset: rulesets may not extend or include each other in a circle"
                self.problems.append(Problem("circle", message, name.span))
                continue
            found.append((name, self.assemble(source, (*path, own.source.name))))
        return found

    def combine(self, own: Draft, extended: list[tuple[Scalar, Draft]], included: list[tuple[Scalar, Draft]]) -> Draft:
        merged = Draft(own.source, own.span, title=own.title, note=own.note, includes=own.includes)
        inherited: dict[str, Scalar] = {}
        for name, parent in included:
            for key in AGREE:
                scalar = parent.settings.get(key)
                if scalar is None:
                    continue
                other = own.settings.get(key) or inherited.get(key)
                if other is not None and other.text != scalar.text:
                    message = f"`{name.text}` has the {key} `{shorten(scalar.text, 40)}`, this ruleset `{shorten(other.text, 40)}`"
                    related = (("there", scalar.span),)
                    self.problems.append(Problem("disagree", message, name.span, related=related))
                inherited.setdefault(key, scalar)
        for _, parent in extended:
            inherited.update({key: value for key, value in parent.settings.items() if key != "extends"})
            merged.title = merged.title or parent.title
            merged.note = merged.note or parent.note
        merged.settings = {**inherited, **own.settings}

        self.take_vocabulary(merged)
        for name, parent in (*extended, *included):
            self.take("enum", merged.enums, parent.enums, name.span)
            self.take("kind", merged.kinds, parent.kinds, name.span)
        for _, parent in extended:
            merged.rules.update(parent.rules)
            merged.parameters.update(parent.parameters)
        for name, parent in included:
            self.take("rule", merged.rules, parent.rules, name.span)
            unmentioned = {k: p for k, p in parent.parameters.items() if k not in own.parameters}
            self.take("parameter", merged.parameters, unmentioned, name.span)
            mentioned = {k: p for k, p in parent.parameters.items() if k in own.parameters}
            merged.parameters.update({k: p for k, p in mentioned.items() if k not in merged.parameters})
        for key, parameter in own.parameters.items():
            before = merged.parameters.get(key)
            keeps_title = before is not None and not parameter.title
            merged.parameters[key] = replace(parameter, title=before.title) if before and keeps_title else parameter
        self.take("enum", merged.enums, own.enums, None)
        self.take("kind", merged.kinds, own.kinds, None)
        replaceable = {name for _, parent in extended for name in parent.rules}
        for key, rule in own.rules.items():
            if key in merged.rules and key not in replaceable:
                self.clash("rule", key, rule.span, merged.rules[key].span)
            merged.rules[key] = rule
        for key, span in own.removed.items():
            if key not in replaceable:
                hint = nearest(key, replaceable)
                message = f"there is no rule `{shorten(key, 40)}` to remove: `null` removes a rule of the extended ruleset"
                self.problems.append(Problem("unknown-name", message, span, hint))
            merged.rules.pop(key, None)
        sources = {s.name: s for _, parent in (*extended, *included) for s in parent.sources}
        vocabulary = merged.settings.get("vocabulary")
        if vocabulary is not None and vocabulary.text in self.vocabularies:
            shared = self.vocabularies[vocabulary.text].source
            sources[shared.name] = shared
        sources[own.source.name] = own.source
        merged.sources = [sources[name] for name in sorted(sources)]
        return merged

    def take_vocabulary(self, merged: Draft) -> None:
        name = merged.settings.get("vocabulary")
        if name is None:
            return
        if name.text not in self.vocabularies:
            source = find(self.library, "vocabulary", name, self.problems)
            if source is None:
                return
            self.vocabularies[name.text] = parse(source, "vocabulary")
            self.problems.extend(self.vocabularies[name.text].problems)
        merged.enums.update(self.vocabularies[name.text].enums)
        merged.kinds.update(self.vocabularies[name.text].kinds)

    def take(self, what: str, mine: dict[str, _Part], theirs: dict[str, _Part], at: Span | None) -> None:
        """Add parts; the same part twice is one, another part of the same name is a clash."""
        for key, part in theirs.items():
            other = mine.get(key)
            if other is None:
                mine[key] = part
            elif other is not part:
                span: Span = part.span  # type: ignore[attr-defined]
                self.clash(what, key, at or span, other.span, span if at else None)  # type: ignore[attr-defined]

    def clash(self, what: str, name: str, at: Span, other: Span, second: Span | None = None) -> None:
        message = f"the {what} `{shorten(name, 40)}` is declared more than once"
        related = [("declared", other)] + ([("and", second)] if second is not None else [])
        self.problems.append(Problem("clash", message, at, related=tuple(related)))


def assemble(source: Source, library: Library) -> tuple[Draft, list[Problem]]:
    """Make one draft of a ruleset's file and all that it extends and includes.

    Parameters
    ----------
    source : Source
        The ruleset's file.
    library : Library
        Where names are found.

    Returns
    -------
    tuple of Draft and list of Problem
        The whole, and the problems of all files.

    Raises
    ------
    RulesetError
        Where a file is no YAML at all, or the files are too many.
    """
    assembly = _Assembly(library)
    try:
        draft = assembly.assemble(source, ())
    except RulesetError as error:
        raise RulesetError([*assembly.problems, *error.problems]) from None
    return draft, assembly.problems
