"""Backtests: one or two rulesets over very many facts, part by part, with what was finished kept until all is.

In the folder of results lies `.parts` meanwhile: what each finished part came to, under a key of all that it was made
of. The same backtest goes on from there; any other begins anew. Results appear when they are complete.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from ..ground.problems import RunError, shorten
from ..machine.timeline import Program
from ..model import Ruleset
from ..reach.files import STANDARD_INPUT, Rows
from ..reach.writing import refusals
from .tally import Differences, Tally

FORMAT = 2
"""The version of the files in `.parts`."""

PARTS = ".parts"
HASHED = 1 << 20
"""How many bytes at the beginning and at the end of a file count into the key."""

CONCLUSIONS, AGAINST = "conclusions", "conclusions-against"
DIFFERENCES = "differences"
TABLES = tuple(f"{name}.{suffix}" for name in (CONCLUSIONS, AGAINST, DIFFERENCES) for suffix in ("parquet", "jsonl"))
SUMMARY, PAGE = "summary.json", "report.html"
RESULTS = (*TABLES, SUMMARY, PAGE)
"""Every file that a backtest may write."""


@dataclass(frozen=True, slots=True)
class Spec:
    """What a backtest is made of.

    Attributes
    ----------
    programs : tuple of Program
        One ruleset made ready by an engine; or two, that against which it is compared before it.
    settings : tuple of dict
        The parameters of each that were overridden.
    rows : Rows
        The files of facts.
    as_of : int or None
        The instant; None for the latest of the facts.
    part_facts : int
        How many facts are in memory at a time, about.
    version : str
        The version of strikeout.
    """

    programs: tuple[Program, ...]
    settings: tuple[dict[str, str], ...]
    rows: Rows
    as_of: int | None
    part_facts: int
    version: str

    @property
    def rulesets(self) -> list[Ruleset]:
        """The checked rulesets."""
        return [program.ruleset for program in self.programs]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the files of conclusions."""
        return (CONCLUSIONS,) if len(self.programs) == 1 else (AGAINST, CONCLUSIONS)


@dataclass(slots=True)
class Part:
    """What a part came to.

    Attributes
    ----------
    tallies : list of Tally
        The counts, of each ruleset.
    differences : Differences
        Where there are two rulesets.
    rejected : list of list of str
        The subjects whose runs were rejected, of each ruleset.
    """

    tallies: list[Tally]
    differences: Differences = field(default_factory=Differences)
    rejected: list[list[str]] = field(default_factory=list)

    def add(self, other: Part) -> None:
        """Add the part that comes behind."""
        for tally, more in zip(self.tallies, other.tallies, strict=True):
            tally.add(more)
        self.differences.add(other.differences)
        for subjects, more_subjects in zip(self.rejected, other.rejected, strict=True):
            subjects += more_subjects

    def as_dict(self) -> dict[str, Any]:
        """The part as JSON can hold it; `from_dict` reads it back."""
        tallies = [tally.as_dict() for tally in self.tallies]
        return {"tallies": tallies, "differences": self.differences.as_dict(), "rejected": self.rejected}

    @classmethod
    def from_dict(cls, found: Mapping[str, Any]) -> Part:
        """The part that `as_dict` gave."""
        tallies = [Tally.from_dict(tally) for tally in found["tallies"]]
        return cls(tallies, Differences.from_dict(found["differences"]), found["rejected"])


class Runner(Protocol):
    """Runs a backtest part by part: by columns, or row by row.

    Attributes
    ----------
    as_of : int
        The instant of the runs.
    bad_rows : int
        How many rows cannot be used.
    plan : dict
        What has to be known to divide the same facts in the same way again.
    """

    as_of: int
    bad_rows: int
    plan: dict[str, Any]

    def parts(self, folder: Path, done: Mapping[int, Part], into: Path | None) -> Iterator[tuple[int, Part]]:
        """Each part by number, once its files are written; those that are done come as they are.

        When all were given, `into` holds the whole tables. Without it, nothing but counts is made.
        """

    def refused(self, rejected: Sequence[Sequence[str]]) -> Iterator[tuple[str, str, dict[str, object]]]:
        """Place, reason and row of each fact of the subjects whose runs were rejected."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a backtest came to: the counts over all parts, and the instant."""

    spec: Spec
    whole: Part
    as_of: int
    bad_rows: int


class Workshop:
    """The folder in which parts are kept until all are finished; made by `workshop`."""

    def __init__(self, folder: Path, key: str) -> None:
        self.folder = folder
        self.key = key
        self.plan: dict[str, Any] | None = None

    def begin(self) -> dict[int, Part]:
        """What is finished already; anything else in the folder is thrown away."""
        manifest = _read(self.folder / "manifest.json")
        if not isinstance(manifest, dict) or manifest.get("key") != self.key or not self.key:
            for path in self.folder.iterdir():
                if path.name != "lock":
                    path.unlink() if path.is_file() else shutil.rmtree(path)
            return {}
        self.plan = manifest["plan"]
        done: dict[int, Part] = {}
        for path in self.folder.iterdir():
            if path.suffix == ".json" and path.stem.isdigit():
                found = _read(path)
                if found is not None:
                    done[int(path.stem)] = Part.from_dict(found)
            elif path.name.endswith(".tmp"):
                path.unlink()
        return done

    def planned(self, plan: dict[str, Any]) -> None:
        """Note how the facts are divided."""
        self._write("manifest.json", {"key": self.key, "plan": plan})

    def finished(self, number: int, part: Part) -> None:
        """Note what a part came to; its files are there."""
        self._write(f"{number:06}.json", part.as_dict())

    def _write(self, name: str, found: dict[str, Any]) -> None:
        path = self.folder / name
        with refusals(f"`{path}`"):
            made = path.with_name(f"{name}.tmp")
            made.write_text(json.dumps(found), encoding="utf-8")
            made.replace(path)


def _read(path: Path) -> Any:
    """What a file of JSON holds; nothing where it is not there or torn."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def same_facts(one: Ruleset, other: Ruleset) -> bool:
    """Whether two rulesets make the same facts of the same rows, in the same order."""
    return _given(one) == _given(other)


def _given(ruleset: Ruleset) -> list[object]:
    """What decides which facts rows are, and their order."""
    return [
        ruleset.subject,
        ruleset.zone.name,
        *((k.name, [(f.name, f.type, f.required, f.default) for f in k.fields]) for k in ruleset.kinds if k.given),
    ]


def file_of(folder: Path, number: int, name: str, suffix: str) -> Path:
    """The file of a part's results."""
    return folder / f"{number:06}.{name}.{suffix}"


def key_of(spec: Spec, way: str) -> str:
    """All that parts are made of, in short; empty where that cannot be known, as of standard input.

    Files count by path, size, time of change, and their first and last bytes.
    """
    found: list[object] = [FORMAT, spec.version, way, spec.as_of, spec.part_facts, sorted(spec.rows.ignore_columns)]
    for ruleset, settings in zip(spec.rulesets, spec.settings, strict=True):
        found += [ruleset.name, ruleset.digest, sorted(settings.items())]
    found.append(spec.rows._input_format)
    for path in spec.rows._paths:
        if path == STANDARD_INPUT:
            return ""
        with contextlib.suppress(OSError):
            state = os.stat(path)
            digest = hashlib.blake2b(digest_size=16)
            with open(path, "rb") as file:
                digest.update(file.read(HASHED))
                file.seek(max(0, state.st_size - HASHED))
                digest.update(file.read(HASHED))
            found.append((os.path.realpath(path), state.st_size, state.st_mtime_ns, digest.hexdigest()))
    return hashlib.blake2b(json.dumps(found).encode(), digest_size=16).hexdigest()


@contextlib.contextmanager
def workshop(folder: Path, key: str) -> Iterator[Workshop]:
    """The folder for parts inside the folder of results. It goes where nothing in it is of use.

    Raises
    ------
    RunError
        Where the folder cannot be made, or another backtest works in it.
    """
    made = not folder.exists()
    inside = folder / PARTS
    with refusals(f"`{shorten(str(folder), 200)}`"):
        inside.mkdir(parents=True, exist_ok=True)
    try:
        with _locked(inside):
            yield Workshop(inside, key)
    finally:
        with contextlib.suppress(OSError):
            finished = {path.stem for path in inside.iterdir() if path.suffix == ".json" and path.stem.isdigit()}
            if finished:
                _clear_unfinished(inside, finished)
            else:
                shutil.rmtree(inside)
                if made and not any(folder.iterdir()):
                    folder.rmdir()


def _clear_unfinished(folder: Path, finished: Collection[str]) -> None:
    """Remove what parts that are not finished have left, and what was made of all."""
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.suffix in (".arrow", ".jsonl", ".tmp") and (
            path.suffix == ".tmp" or path.name.partition(".")[0] not in finished
        ):
            path.unlink()


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """A lock that goes with the process that holds it."""
    try:
        import fcntl
    except ImportError:  # A system without such locks.
        yield
        return
    with open(folder / "lock", "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise RunError(f"another backtest writes to `{shorten(str(folder.parent), 200)}`") from None
        yield


def put_in_place(made: Path, folder: Path) -> None:
    """Move finished results into their folder; results of an earlier backtest that are no longer of use go."""
    with refusals(f"`{shorten(str(folder), 200)}`"):
        for name in RESULTS:
            if (made / name).exists():
                (made / name).replace(folder / name)
            else:
                (folder / name).unlink(missing_ok=True)
        shutil.rmtree(folder / PARTS)


def run(spec: Spec, runner: Runner, shop: Workshop, done: Mapping[int, Part], into: Path | None) -> Result:
    """Run all parts; what each came to is kept as soon as it is finished.

    Parameters
    ----------
    spec : Spec
        What the backtest is made of.
    runner : Runner
        Runs the parts.
    shop : Workshop
        Keeps them.
    done : mapping
        Those that are finished.
    into : Path, optional
        Where the tables are to go.
    """
    whole = Part([Tally() for _ in spec.programs], rejected=[[] for _ in spec.programs])
    shop.planned(runner.plan)
    for number, part in runner.parts(shop.folder, done, into):
        if number not in done:
            shop.finished(number, part)
        whole.add(part)
    return Result(spec, whole, runner.as_of, runner.bad_rows)
