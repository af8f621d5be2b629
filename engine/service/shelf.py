"""The rulesets of the service: those of its folder and those that ship, by name; those of the log, by hash."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .. import log as logs
from ..api import Ruleset
from ..gate.check import check
from ..gate.shapes import BARE_NAME
from ..ground.problems import Problem, RulesetError, Source, nearest, shorten
from ..log.bundle import Bundle, Bundled, Remembered
from ..machine.compiled import CompiledProgram
from ..reach.library import read_file, shipped, shipped_names
from ..rows import Binder
from . import types
from .problems import Refusal
from .texts import Texts

MOST_LOADED = 64
"""How many versions of rulesets are kept ready."""
MOST_TEXT = 1_000_000

Parameters = Mapping[str, "str | int | bool"]
"""Values that override parameters, by name: literals of the language."""

_FOLDERS = {"ruleset": "", "vocabulary": "vocabulary", "calendar": "calendar"}


@dataclass(frozen=True, slots=True)
class Ready:
    """A version of a ruleset made ready: what it is called on the wire, and the engine's program."""

    hash: str
    ruleset: Ruleset
    program: CompiledProgram
    ref: types.RulesetRef
    texts: Texts
    _binders: threading.local = field(default_factory=threading.local, repr=False)

    @property
    def binder(self) -> Binder:
        """The binder of this thread."""
        found: Binder | None = getattr(self._binders, "binder", None)
        if found is None:
            found = self._binders.binder = Binder(self.ruleset.model)
        return found


class Folder:
    """Names found in the service's folder of rulesets, else among what ships. Sources are named by their path in it.

    Parameters
    ----------
    path : Path or None
        The folder; without one, all that ships.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path

    def find(self, what: str, name: str, beside: Source) -> Source | None:
        """The text of a `ruleset`, `vocabulary` or `calendar`, or None."""
        return self.text(what, name)

    def text(self, what: str, name: str) -> Source | None:
        """The text of a name."""
        if self.path is not None and BARE_NAME.fullmatch(name):
            for place in dict.fromkeys((Path(_FOLDERS[what]), Path())):
                inside = place / f"{name}.yaml"
                if (self.path / inside).is_file():
                    return read_file(self.path / inside, inside.as_posix())
        return shipped(what, name)

    def names(self, what: str, beside: Source | None = None) -> Iterable[str]:
        """The names that could be found."""
        found = set(shipped_names(what))
        if self.path is not None:
            for place in {self.path, self.path / _FOLDERS[what]}:
                found |= {p.stem for p in place.glob("*.yaml") if not p.name.endswith(".cases.yaml")}
        return sorted(found - ({Path(beside.name).stem} if beside is not None else set()))

    def stamp(self) -> object:
        """What is another value once a file of the folder is another."""
        if self.path is None:
            return None
        found = []
        for path in sorted(self.path.rglob("*.yaml")):
            try:
                state = path.stat()
            except OSError:
                continue
            found.append((str(path), state.st_mtime_ns, state.st_size))
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Version:
    """A ruleset with the bundle of all texts that it is made of, by which a log keeps it."""

    ruleset: Ruleset
    bundle: Bundle


class Shelf:
    """Gives rulesets by name, by hash and from text; what it has made ready it keeps, some of it.

    Parameters
    ----------
    database : strikeout.log.Database
        Where the rulesets of the logs lie.
    folder : Path, optional
        A folder of rulesets, which go before those that ship.
    """

    def __init__(self, database: logs.Database, folder: Path | None = None) -> None:
        self._database = database
        self.folder = Folder(folder)
        self._ready: OrderedDict[str, Ready] = OrderedDict()
        self._named: dict[str, Version | tuple[Problem, ...]] = {}
        self._stamp: object = ()
        self._lock, self._making = threading.Lock(), threading.Lock()

    def ready(self, hash_: str) -> Ready:
        """The version of a ruleset that a log has, by its hash.

        Raises
        ------
        LogError
            Where the database has none, or cannot be read.
        RulesetError
            Where this program cannot use it any more.
        """
        with self._lock:
            found = self._ready.get(hash_)
            if found is not None:
                self._ready.move_to_end(hash_)
                return found
        with self._making:  # Who asks meanwhile waits, rather than to make the same once more.
            with self._lock:
                found = self._ready.get(hash_)
            if found is not None:
                return found
            bundle = self._database.bundle(hash_)
            model = self._database.model(hash_)
            ruleset = Ruleset(model, bundle.source, Bundled(bundle), dict(bundle.parameters))
            ref = types.RulesetRef(name=ruleset.name, version=ruleset.version, hash=hash_)
            made = Ready(hash_, ruleset, ruleset.compiled(), ref, Texts(model))
            with self._lock:
                self._ready[hash_] = made
                while len(self._ready) > MOST_LOADED:
                    self._ready.popitem(last=False)
            return made

    def from_text(self, text: str, name: str = "ruleset.yaml", parameters: Parameters | None = None) -> Version:
        """A ruleset made of text; names in it are found on the shelf.

        Raises
        ------
        RulesetError
            With every problem found.
        Refusal
            Where the text is too long.
        """
        if len(text) > MOST_TEXT:
            raise Refusal("too-large", f"the text of a ruleset has at most {MOST_TEXT:,} characters")
        shown = shorten(name.replace("\\", "/").rpartition("/")[2], 100) or "ruleset.yaml"
        return self._version(Source(shown, text.replace("\r\n", "\n").replace("\r", "\n")), parameters or {})

    def _version(self, source: Source, parameters: Parameters) -> Version:
        library = Remembered(self.folder)
        literals = {name: str(v).lower() if isinstance(v, bool) else str(v) for name, v in parameters.items()}
        ruleset = Ruleset(check(source, library, literals), source, library, literals)
        return Version(ruleset, library.bundle(source, literals))

    def named(self, name: str, parameters: Parameters | None = None) -> Version:
        """The ruleset of a name.

        Raises
        ------
        Refusal
            Where there is none; the nearest is named.
        RulesetError
            Where it cannot be used.
        """
        stamp = self.folder.stamp()
        with self._lock:
            if stamp != self._stamp:
                self._named.clear()
                self._stamp = stamp
            found = None if parameters else self._named.get(name)
        if isinstance(found, Version):
            return found
        if found is not None:
            raise RulesetError(found)
        source = self.folder.text("ruleset", name) if BARE_NAME.fullmatch(name) else None
        if source is None:
            hint = nearest(name, self.folder.names("ruleset"))
            message = f"there is no ruleset `{shorten(name, 60)}`"
            raise Refusal("no-such-ruleset", f"{message}; {hint}" if hint else message)
        try:
            made = self._version(source, parameters or {})
        except RulesetError as error:
            if not parameters:
                with self._lock:
                    self._named[name] = error.problems
            raise
        if not parameters:
            with self._lock:
                self._named[name] = made
        return made

    def any(self, asked: str) -> Ruleset:
        """The ruleset that a text means: a name, the hash of a version in a log, or itself.

        Raises
        ------
        Refusal
            Where there is none.
        RulesetError
            Where it cannot be used.
        """
        if "\n" in asked:
            return self.from_text(asked).ruleset
        if len(asked) == 64 and all(c in "0123456789abcdef" for c in asked):
            return self.stored(asked).ruleset
        return self.named(asked).ruleset

    def stored(self, hash_: str) -> Version:
        """The version of a ruleset that a log has.

        Raises
        ------
        Refusal
            Where no log has it.
        """
        try:
            return Version(self.ready(hash_).ruleset, self._database.bundle(hash_))
        except logs.UnknownBundle as error:
            raise Refusal("no-such-ruleset", str(error)) from None


def info(name: str, version: Version) -> types.RulesetInfo:
    """A ruleset in short."""
    ruleset = version.ruleset
    return types.RulesetInfo(name=name, title=ruleset.title(), version=ruleset.version, hash=version.bundle.hash)
