"""From one file to one draft: `vocabulary`, `extends` and `include` are followed, with a library that finds names."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Protocol, TypeVar

from ..ground.problems import Problem, Problems, RulesetError, Source, Span, listing, nearest, quoted, shorten
from .draft import Draft, DraftEnum, DraftKind, DraftParameter, DraftRule
from .nodes import Scalar
from .parse import parse
from .read import MOST_CHARACTERS
from .shapes import BARE_NAME

MOST_FILES = 100
AGREE = ("vocabulary", "subject", "timezone", "calendar")


class Library(Protocol):
    """Where names are found: beside the file that names them, else among what is shipped."""

    def find(self, what: str, name: str, beside: Source) -> Source | None:
        """The text of a `ruleset`, `vocabulary` or `calendar`, or None where there is none of that name."""

    def names(self, what: str, beside: Source) -> Iterable[str]:
        """The names that could be found."""


def find(library: Library, what: str, name: Scalar, problems: list[Problem]) -> Source | None:
    """The source that a name stands for; a problem where there is none."""
    if not BARE_NAME.fullmatch(name.text):
        message = f"{quoted(name.text)} is no bare name of a {what}"
        hint = "the file NAME.yaml beside this one, or a shipped one, is found by its bare NAME"
        problems.append(Problem("name", message, name.span, hint))
        return None
    source = library.find(what, name.text, name.span.source)
    if source is None:
        known = sorted(library.names(what, name.span.source))
        hint = nearest(name.text, known) or (f"known are {listing(known)}" if known else "")
        problems.append(Problem("unknown-name", f"unknown {what} `{shorten(name.text, 40)}`", name.span, hint))
    return source


_Part = TypeVar("_Part", DraftEnum, DraftKind, DraftParameter, DraftRule)


class _Assembly:
    """Follows names from file to file. Where a file is missing or unusable, nothing is said of what it lacks."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self.drafts: dict[str, Draft] = {}
        self.vocabularies: dict[str, Draft] = {}
        self.problems: list[Problem] = Problems()
        self.files = 0
        self.characters = 0
        self.incomplete = False

    def count(self, source: Source, named: Span | None) -> None:
        """Count a file that is about to be read."""
        self.files += 1
        self.characters += len(source.text)
        span = named if named is not None else Span(source, 0, 0)
        message = ""
        if self.files > MOST_FILES:
            message = f"a ruleset is made of at most {MOST_FILES} files"
        elif self.files > 1 and self.characters > MOST_CHARACTERS:
            message = f"the files of a ruleset have at most {MOST_CHARACTERS:,} characters together"
        if message:
            raise RulesetError([*self.problems, Problem("too-large", message, span)])

    def assemble(self, source: Source, path: tuple[str, ...], named: Span | None = None) -> Draft:
        if source.name in self.drafts:
            return self.drafts[source.name]
        self.count(source, named)
        own = parse(source)
        self.take_problems(own)
        extended = self.parents([own.settings["extends"]] if "extends" in own.settings else [], own, path)
        included = self.parents(own.includes, own, path)
        merged = self.combine(own, extended, included)
        self.drafts[source.name] = merged
        return merged

    def take_problems(self, draft: Draft) -> None:
        for problem in draft.problems:
            self.problems.append(problem)
        self.incomplete |= draft.unusable

    def parents(self, names: Iterable[Scalar], own: Draft, path: tuple[str, ...]) -> list[tuple[Scalar, Draft]]:
        found = []
        for name in names:
            source = find(self.library, "ruleset", name, self.problems)
            if source is None:
                self.incomplete = True
            elif source.name in (*path, own.source.name):
                message = f"`{name.text}` leads back to this ruleset"
                hint = "rulesets may not extend or include each other in a circle"
                self.problems.append(Problem("circle", message, name.span, hint))
                self.incomplete = True
            else:
                found.append((name, self.assemble(source, (*path, own.source.name), name.span)))
        return found

    def combine(self, own: Draft, extended: list[tuple[Scalar, Draft]], included: list[tuple[Scalar, Draft]]) -> Draft:
        merged = Draft(own.source, own.span, title=own.title, note=own.note, includes=own.includes)
        for _, parent in extended:
            merged.settings.update({k: v for k, v in parent.settings.items() if k != "extends"})
            merged.title = merged.title or parent.title
            merged.note = merged.note or parent.note
        merged.settings.update(own.settings)
        for name, parent in included:
            self.agree(merged, name, parent)
        self.take_vocabulary(merged)
        for name, parent in (*extended, *included):
            if self.has_another_vocabulary(merged, name, parent):
                continue
            self.take("enum", merged.enums, parent.enums, name.span)
            self.take("kind", merged.kinds, parent.kinds, name.span)
        self.take("enum", merged.enums, own.enums, None)
        self.take("kind", merged.kinds, own.kinds, None)
        self.take_parameters(merged, own, extended, included)
        self.take_rules(merged, own, extended, included)
        parents = [parent for _, parent in (*extended, *included)]
        sources = {source.name: source for parent in parents for source in parent.sources}
        if merged.vocabulary is not None:
            sources[merged.vocabulary.name] = merged.vocabulary
        sources[own.source.name] = own.source
        merged.sources = [sources[name] for name in sorted(sources)]
        merged.broken.update(own.broken, *(parent.broken for parent in parents))
        return merged

    def agree(self, merged: Draft, name: Scalar, parent: Draft) -> None:
        """An included ruleset agrees with what the including one says, has extended or has included before."""
        for key in AGREE:
            scalar = parent.settings.get(key)
            if scalar is None:
                continue
            other = merged.settings.setdefault(key, scalar)
            if other.text != scalar.text:
                theirs, ours = shorten(scalar.text, 40), shorten(other.text, 40)
                message = f"`{name.text}` has the {key} `{theirs}`, this ruleset `{ours}`"
                related = (("there", scalar.span), ("here", other.span))
                self.problems.append(Problem("disagree", message, name.span, related=related))
                self.incomplete |= key in ("vocabulary", "subject")

    def has_another_vocabulary(self, merged: Draft, name: Scalar, parent: Draft) -> bool:
        """Whether one name of a vocabulary has led to two files; a problem if so."""
        ours, theirs = merged.vocabulary, parent.vocabulary
        named, theirs_named = merged.settings.get("vocabulary"), parent.settings.get("vocabulary")
        if ours is None or theirs is None or ours.name == theirs.name:
            return False
        if named is None or theirs_named is None or named.text != theirs_named.text:
            return False
        message = f"`{name.text}` takes the vocabulary `{named.text}` from another file than this ruleset"
        related = (("there", Span(theirs, 0, 0)), ("here", Span(ours, 0, 0)))
        self.problems.append(Problem("disagree", message, name.span, related=related))
        self.incomplete = True
        return True

    def take_parameters(
        self,
        merged: Draft,
        own: Draft,
        extended: list[tuple[Scalar, Draft]],
        included: list[tuple[Scalar, Draft]],
    ) -> None:
        """Parameters of all; the ruleset's own override those of the same name, and keep their titles."""
        for _, parent in extended:
            merged.parameters.update(parent.parameters)
        for name, parent in included:
            others = {k: p for k, p in parent.parameters.items() if k not in own.parameters}
            self.take("parameter", merged.parameters, others, name.span)
            for key in parent.parameters.keys() & own.parameters.keys():
                merged.parameters.setdefault(key, parent.parameters[key])
        for key, parameter in own.parameters.items():
            before = merged.parameters.get(key)
            keeps_title = before is not None and not parameter.title
            merged.parameters[key] = replace(parameter, title=before.title) if before and keeps_title else parameter

    def take_rules(
        self,
        merged: Draft,
        own: Draft,
        extended: list[tuple[Scalar, Draft]],
        included: list[tuple[Scalar, Draft]],
    ) -> None:
        """Rules of all; the ruleset's own replace or remove those that it extends."""
        for _, parent in extended:
            merged.rules.update(parent.rules)
        replaceable = set(merged.rules)
        for name, parent in included:
            self.take("rule", merged.rules, parent.rules, name.span)
        for key, rule in own.rules.items():
            if key in merged.rules and key not in replaceable:
                self.clash("rule", key, rule.span, merged.rules[key].span)
            merged.rules[key] = rule
        for key, span in own.removed.items():
            if key not in replaceable and not self.incomplete:
                message = f"there is no rule `{shorten(key, 40)}` to remove"
                hint = nearest(key, replaceable) or "`null` removes a rule of the extended ruleset"
                self.problems.append(Problem("unknown-name", message, span, hint))
            merged.rules.pop(key, None)

    def take_vocabulary(self, merged: Draft) -> None:
        name = merged.settings.get("vocabulary")
        if name is None:
            return
        source = find(self.library, "vocabulary", name, self.problems)
        if source is None:
            self.incomplete = True
            return
        if source.name not in self.vocabularies:
            self.count(source, name.span)
            self.vocabularies[source.name] = parse(source, "vocabulary")
            self.take_problems(self.vocabularies[source.name])
        draft = self.vocabularies[source.name]
        merged.vocabulary = draft.source
        merged.enums.update(draft.enums)
        merged.kinds.update(draft.kinds)
        merged.broken.update(draft.broken)

    def take(self, what: str, mine: dict[str, _Part], theirs: dict[str, _Part], at: Span | None) -> None:
        """Add parts; the same part twice is one, another part of the same name is a clash."""
        for key, part in theirs.items():
            other = mine.setdefault(key, part)
            if other is not part:
                self.clash(what, key, at or part.span, other.span, part.span if at else None)

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
        Where a file is missing or no YAML at all, or the files are too many: nothing can be said of the whole then.
    """
    assembly = _Assembly(library)
    try:
        draft = assembly.assemble(source, ())
    except RulesetError as error:
        raise RulesetError([*assembly.problems, *error.problems]) from None
    if assembly.incomplete:
        raise RulesetError(assembly.problems)
    return draft, assembly.problems
