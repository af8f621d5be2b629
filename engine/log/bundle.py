"""A ruleset as the log keeps it: its text, and every text that it extends, includes or takes words from.

What is decided with a ruleset made of a bundle is what was decided with the ruleset that the bundle is of, whatever
becomes of the files.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import msgspec

from ..gate.check import check
from ..gate.merge import Library
from ..ground.problems import Source
from ..model import Ruleset
from ..reach.library import SHIPPED
from .errors import BadRecord
from .records import canonical

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Bundle:
    """The texts of a ruleset, and the values that override its parameters.

    `name` is that of the ruleset's own text among the `texts`, each a name and a text; `found` says which text stands
    for a name: what is meant (`ruleset`, `vocabulary` or `calendar`), the name, the text that names it, and the text
    found. `parameters` are literals by name.
    """

    name: str
    texts: tuple[tuple[str, str], ...]
    found: tuple[tuple[str, str, str, str], ...] = ()
    parameters: tuple[tuple[str, str], ...] = ()

    @property
    def content(self) -> bytes:
        """The bundle in canonical JSON."""
        return canonical(
            {
                "bundle": FORMAT,
                "found": sorted(map(list, self.found)),
                "name": self.name,
                "parameters": dict(self.parameters),
                "texts": dict(self.texts),
            }
        )

    @property
    def hash(self) -> str:
        """The SHA-256 sum of the content, in hexadecimal."""
        return hashlib.sha256(self.content).hexdigest()

    @property
    def source(self) -> Source:
        """The ruleset's own text."""
        return Source(self.name, dict(self.texts)[self.name])

    @classmethod
    def read(cls, content: bytes) -> Bundle:
        """The bundle that has this content.

        Raises
        ------
        BadRecord
            Where it is no bundle's, or that of a newer version.
        """
        try:
            value: dict[str, Any] = msgspec.json.decode(content, type=dict[str, Any])
            if value.get("bundle") != FORMAT:
                raise BadRecord("a ruleset was stored by a newer version of this program")
            bundle = cls(
                str(value["name"]),
                tuple(sorted((str(name), str(text)) for name, text in value["texts"].items())),
                tuple(sorted((str(a), str(b), str(c), str(d)) for a, b, c, d in value["found"])),
                tuple(sorted((str(name), str(text)) for name, text in value["parameters"].items())),
            )
        except (msgspec.DecodeError, KeyError, TypeError, ValueError, AttributeError) as error:
            raise BadRecord(f"what is stored of a ruleset cannot be read: {str(error).lower()[:100]}") from None
        if bundle.name not in dict(bundle.texts) or bundle.content != content:
            raise BadRecord("what is stored of a ruleset is not as it was written")
        return bundle


class Bundled:
    """Names found in a bundle, and nowhere else.

    Parameters
    ----------
    bundle : Bundle
        The bundle.
    """

    def __init__(self, bundle: Bundle) -> None:
        self._texts = dict(bundle.texts)
        self._found = {(what, name, beside): found for what, name, beside, found in bundle.found}

    def find(self, what: str, name: str, beside: Source) -> Source | None:
        """The text of a `ruleset`, `vocabulary` or `calendar`, or None."""
        found = self._found.get((what, name, beside.name))
        return None if found is None or found not in self._texts else Source(found, self._texts[found])

    def names(self, what: str, beside: Source) -> Iterable[str]:
        """The names that could be found."""
        return sorted({name for what_, name, _ in self._found if what_ == what})


class Remembered:
    """A library that gives what it has once given, whatever becomes of the files, and can make a bundle of it.

    Parameters
    ----------
    library : Library
        Where names are found the first time.
    """

    def __init__(self, library: Library) -> None:
        self._library = library
        self._found: dict[tuple[str, str, str], Source] = {}

    def find(self, what: str, name: str, beside: Source) -> Source | None:
        """The text of a `ruleset`, `vocabulary` or `calendar`, or None."""
        key = (what, name, beside.name)
        found = self._found.get(key) or self._library.find(what, name, beside)
        return None if found is None else self._found.setdefault(key, found)

    def names(self, what: str, beside: Source) -> Iterable[str]:
        """The names that could be found."""
        return self._library.names(what, beside)

    def bundle(self, source: Source, parameters: Mapping[str, str]) -> Bundle:
        """The bundle of a ruleset that was checked with this library.

        Parameters
        ----------
        source : Source
            The ruleset's own text.
        parameters : mapping
            The values that override its parameters, as literals.
        """
        folder = PurePath(source.name).parent

        def short(name: str) -> str:
            path = PurePath(name)
            inside = not name.startswith(SHIPPED) and path.is_relative_to(folder)
            return path.relative_to(folder).as_posix() if inside else name

        texts = {short(source.name): source.text}
        found = []
        for (what, name, beside), other in self._found.items():
            texts[short(other.name)] = other.text
            found.append((what, name, short(beside), short(other.name)))
        overridden = tuple(sorted(parameters.items()))
        return Bundle(short(source.name), tuple(sorted(texts.items())), tuple(sorted(found)), overridden)


def model_of(bundle: Bundle) -> Ruleset:
    """The checked ruleset that a bundle is of.

    Raises
    ------
    RulesetError
        Where it cannot be used (any more).
    """
    return check(bundle.source, Bundled(bundle), dict(bundle.parameters))
