"""Where rulesets are found by name: beside the file that names them, else among those that ship with the package."""

from __future__ import annotations

import functools
import importlib.resources
from collections.abc import Iterable
from importlib.resources.abc import Traversable
from pathlib import Path

from ..gate.read import MOST_CHARACTERS
from ..gate.shapes import BARE_NAME
from ..ground.problems import Problem, RulesetError, Source, Span, listing, nearest, shorten

SHIPPED = "shipped:"
"""Sources that ship with the package are named `shipped:NAME.yaml`."""

_FOLDERS = {"ruleset": "", "vocabulary": "vocabulary", "calendar": "calendar"}


def read_file(path: Path | Traversable, name: str) -> Source:
    """The text of a file, in UTF-8 with or without a byte order mark.

    Raises
    ------
    RulesetError
        Where the file cannot be read, is too large or is not UTF-8; the problem says where.
    """
    source = Source(name, "")
    try:
        with path.open("rb") as file:
            content = file.read(4 * MOST_CHARACTERS + 1)
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else "") or "no such name can be"
        message = f"cannot read the file: {reason.lower()}"
        raise RulesetError([Problem("unreadable", message, Span(source, 0, 0))]) from None
    if len(content) > 4 * MOST_CHARACTERS:
        message = f"the file is too large: at most {MOST_CHARACTERS:,} characters are read"
        raise RulesetError([Problem("too-large", message, Span(source, 0, 0))])
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        wrong = error.start
        before = error.object[:wrong].decode("utf-8", "replace")
        after = error.object[wrong + 1 : wrong + 100].decode("utf-8", "replace")
        shown = Source(name, before + "\N{REPLACEMENT CHARACTER}" + after)
        message = f"the byte 0x{error.object[wrong]:02X} is not UTF-8"
        span = Span(shown, len(before), len(before) + 1)
        raise RulesetError([Problem("not-text", message, span, "save the file as UTF-8")]) from None
    return Source(name, text.replace("\r\n", "\n").replace("\r", "\n"))


@functools.cache
def _shipped_folder() -> Traversable:
    return importlib.resources.files("strikeout.rulesets")


def shipped_names(what: str = "ruleset") -> list[str]:
    """The names of the shipped rulesets, vocabularies or calendars, sorted."""
    folder = _shipped_folder().joinpath(_FOLDERS[what]) if _FOLDERS[what] else _shipped_folder()
    names = (entry.name for entry in folder.iterdir())
    found = (name.removesuffix(".yaml") for name in names if name.endswith(".yaml"))
    return sorted(name for name in found if not name.endswith(".cases"))


def shipped(what: str, name: str) -> Source | None:
    """The shipped ruleset, vocabulary or calendar of a name."""
    if name not in shipped_names(what):
        return None
    inside = f"{_FOLDERS[what]}/{name}.yaml".lstrip("/")
    return read_file(_shipped_folder().joinpath(inside), f"{SHIPPED}{inside}")


def shipped_cases(name: str) -> Source | None:
    """The case file that ships beside a ruleset."""
    path = _shipped_folder().joinpath(f"{name}.cases.yaml")
    return read_file(path, f"{SHIPPED}{name}.cases.yaml") if path.is_file() else None


def cases_beside(source: Source) -> Source | None:
    """The case file that lies beside a ruleset's file, shipped or not; None where there is none.

    Raises
    ------
    RulesetError
        Where there is one that cannot be read.
    """
    if source.name.startswith(SHIPPED):
        return shipped_cases(source.name.removeprefix(SHIPPED).removesuffix(".yaml"))
    path = Path(source.name)
    path = path.with_name(f"{path.stem}.cases.yaml")
    return read_file(path, str(path)) if path.is_file() else None


class Files:
    """Names found beside a file (vocabularies and calendars also in folders of that name), else shipped."""

    def find(self, what: str, name: str, beside: Source) -> Source | None:
        """The text of a `ruleset`, `vocabulary` or `calendar`, or None."""
        for path in self._places(what, name, beside):
            if path.is_file():
                return read_file(path, str(path))
        return shipped(what, name)

    def names(self, what: str, beside: Source) -> Iterable[str]:
        """The names that could be found."""
        found = set(shipped_names(what))
        if not beside.name.startswith(SHIPPED):
            folder = Path(beside.name).parent
            for place in {folder, folder / _FOLDERS[what]}:
                found.update(path.stem for path in place.glob("*.yaml") if not path.name.endswith(".cases.yaml"))
        return found - {Path(beside.name).stem}

    def _places(self, what: str, name: str, beside: Source) -> tuple[Path, ...]:
        if beside.name.startswith(SHIPPED):
            return ()
        folder = Path(beside.name).parent
        if _FOLDERS[what]:
            return folder / _FOLDERS[what] / f"{name}.yaml", folder / f"{name}.yaml"
        return (folder / f"{name}.yaml",)


class OnlyShipped:
    """Names found among what ships with the package: for a ruleset given as text, which lies beside nothing."""

    def find(self, what: str, name: str, beside: Source) -> Source | None:
        """The text of a `ruleset`, `vocabulary` or `calendar`, or None."""
        return shipped(what, name)

    def names(self, what: str, beside: Source) -> Iterable[str]:
        """The names that could be found."""
        return shipped_names(what)


def locate(name: str) -> Source:
    """The ruleset that a command's RULESET names: a path to a file, else a shipped name.

    Raises
    ------
    RulesetError
        Where there is neither; the nearest name is suggested.
    """
    path = Path(name)
    if name.endswith((".yaml", ".yml")) or "/" in name or "\\" in name:
        return read_file(path, str(path))
    found = shipped("ruleset", name)
    if found is not None:
        return found
    if BARE_NAME.fullmatch(name) and path.is_file():
        return read_file(path, str(path))
    known = shipped_names()
    hint = nearest(name, known) or f"a path to a file, or one of {listing(known, 20)}"
    source = Source("RULESET", name)
    message = f"unknown ruleset `{shorten(name, 40)}`"
    raise RulesetError([Problem("unknown-name", message, Span(source, 0, len(name)), hint)])
