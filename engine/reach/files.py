"""Facts in files: CSV, JSON Lines and Parquet, read row by row, each row with its place (contract, "Facts")."""

from __future__ import annotations

import contextlib
import gzip
import io
import os
import shutil
import stat
import sys
import tempfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, BinaryIO, TypeAlias

from ..facts import Fact
from ..ground.problems import FactError, listing, shorten
from ..rows import BadCell, Binder, Bound
from .formats import CsvRows, Malformed, RawRow, counted, json_rows, refuse_other_encodings, undecodable
from .parquet import ParquetRows

if TYPE_CHECKING:
    from ..model import Ruleset
    from .glance import Glance

FORMATS = ("jsonl", "csv", "parquet")
STANDARD_INPUT = "-"
MOST_SHOWN = 20
"""How many bad rows a message lists."""

_GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a row stands: the file, and the line where the row starts, or in Parquet the row; both from 1."""

    file: str
    number: int
    counts_rows: bool = False

    def __str__(self) -> str:
        return f"{self.file}: row {self.number}" if self.counts_rows else f"{self.file}:{self.number}"


class Row(dict[str, object]):
    """A row as it was read, values by column, that knows its place."""

    __slots__ = ("place",)

    def __init__(self, place: Place, columns: Sequence[str], cells: Sequence[object]) -> None:
        super().__init__(zip(columns, cells, strict=True))
        self.place = place


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be used: where it stands, why, and the row (as text or cells where it has no columns)."""

    place: Place
    reason: str
    row: object

    def __str__(self) -> str:
        return f"{self.place}: {self.reason}"


Taken: TypeAlias = tuple[int, int, Bound]
"""A fact as read: the number of its file, from 0, its line or row there, and what it is made of."""


class Rows:
    """The rows of one or more files, read anew by each loop over them; made by `read`.

    It is an iterable of mappings from columns to values, each with its `place`, and `Ruleset.run` takes it.

    Parameters
    ----------
    paths : sequence of path
        The files; `-` is standard input.
    ignore_columns : iterable of str
        Columns that no kind knows and that are passed over.
    input_format : str, optional
        `jsonl`, `csv` or `parquet` for every file; else each file's suffix says it, and standard input its first bytes.
    """

    def __init__(
        self,
        paths: Sequence[str | os.PathLike[str]],
        ignore_columns: Iterable[str] = (),
        input_format: str | None = None,
    ) -> None:
        if input_format is not None and input_format not in FORMATS:
            raise FactError(f"unknown input format `{shorten(input_format, 40)}`; expected one of {listing(FORMATS)}")
        self.ignore_columns = frozenset(ignore_columns)
        self._input_format = input_format
        self._paths = [os.fspath(path) for path in paths]
        if self._paths.count(STANDARD_INPUT) > 1:
            raise FactError("standard input is named twice, and can be read only once")
        self._names = [_shown(path) for path in self._paths]
        self._row_counted = [False] * len(self._paths)
        self._read_once: set[int] = set()
        self._sizes = [_size(path) for path in self._paths]
        self._before = 0
        self._raw: IO[bytes] | None = None

    def __repr__(self) -> str:
        return f"<facts of {', '.join(self._names)}>"

    def html(self, language: str = "en") -> str:
        """The rows at a glance as a piece of HTML that needs nothing else, in `zh` or `en`: counts and the first."""
        return self._glance(language).html(language)

    def text(self, language: str = "en") -> str:
        """The rows at a glance as lines, in `zh` or `en`."""
        return self._glance(language).text(language)

    def _glance(self, language: str) -> Glance:
        from .glance import glance, unread

        if any(_is_stream(path) for path in self._paths):
            return unread(self._names, language)
        return glance(self, self._names)

    def _repr_html_(self) -> str:
        return self.html()

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(self.text())

    def __iter__(self) -> Iterator[Row]:
        for file in range(len(self._paths)):
            with self._opened(file) as (_, rows):
                for found in self._guarded(file, rows):
                    if isinstance(found, Malformed):
                        raise FactError(f"{self.place(file, found.number)}: {found.reason}")
                    number, columns, cells = found
                    yield Row(self.place(file, number), columns, cells)

    def place(self, file: int, number: int) -> Place:
        """The place of a row, by the number of its file and its own."""
        return Place(self._names[file], number, self._row_counted[file])

    def progress(self) -> tuple[int, int]:
        """How many bytes were read by the running loop, and how many there are; 0 where that is not known."""
        with contextlib.suppress(OSError, ValueError):
            return self._before + (self._raw.tell() if self._raw is not None else 0), sum(self._sizes)
        return self._before, sum(self._sizes)

    def check(self, binder: Binder) -> None:
        """Open every file and check its header, before the first row of any is read.

        Raises
        ------
        FactError
            With all that is wrong: files that cannot be opened, columns that no kind knows, columns that are missing.
        RunError
            Where what reads a file is not installed.
        """
        problems = _wrongly_ignored(self.ignore_columns, binder)
        for file, path in enumerate(self._paths):
            if _is_stream(path):
                continue
            try:
                with self._opened(file) as (columns, _):
                    problems += self._header_problems(file, columns, binder)
            except FactError as error:
                problems.append(str(error))
        if problems:
            raise FactError(_first(problems))

    def bind(self, binder: Binder) -> Iterator[Taken | BadRow]:
        """What each row gives: a fact's parts, or why it gives none.

        Raises
        ------
        FactError
            Where a file cannot be read on.
        """
        header_of = binder.header
        for file in range(len(self._paths)):
            with self._opened(file) as (columns, rows):
                problems = self._header_problems(file, columns, binder)
                if problems:
                    raise FactError(_first(problems))
                for found in self._guarded(file, rows):
                    if isinstance(found, Malformed):
                        yield BadRow(self.place(file, found.number), found.reason, found.row)
                        continue
                    number, columns, cells = found
                    try:
                        bound = header_of(columns).bind(cells)
                    except BadCell as error:
                        row = dict(zip(columns, cells, strict=True))
                        yield BadRow(self.place(file, number), _reason(error, row), row)
                        continue
                    yield file, number, bound

    def facts(self, ruleset: Ruleset) -> Iterator[Fact | BadRow]:
        """The fact that each row gives, or why it gives none; all headers are checked first.

        Raises
        ------
        FactError
            Where a file cannot be read.
        RunError
            Where what reads a file is not installed.
        """
        binder = Binder(ruleset, self.ignore_columns)
        self.check(binder)
        for found in self.bind(binder):
            yield found if isinstance(found, BadRow) else Fact(*found[2])

    def _header_problems(self, file: int, columns: tuple[str, ...] | None, binder: Binder) -> list[str]:
        """What is wrong with a file's columns, where it has a header."""
        if columns is None:
            return []
        name = self._names[file]
        if len(columns) == 1 and any(mark in columns[0] for mark in ";\t|"):
            return [f"{name}: the header has one column; cells are separated by commas"]
        needed = ("kind", "at", binder.ruleset.subject)
        missing = [column for column in needed if column not in columns]
        known = binder.columns()
        unknown = [c for c in columns if c not in known and c not in binder.ignored]
        return [
            *(f"{name}: the column `{column}` is missing" for column in missing),
            *(f"{name}: {binder.unknown_column(column)}" for column in unknown[:MOST_SHOWN]),
            *(f"{name}: … and {len(unknown) - MOST_SHOWN:,} more such columns" for _ in unknown[MOST_SHOWN:][:1]),
        ]

    def _guarded(self, file: int, rows: Iterator[RawRow]) -> Iterator[RawRow]:
        """The rows; what goes wrong with the file meanwhile, as an error that says how far it was read."""
        last = 0
        try:
            for row in rows:
                last = row.number if isinstance(row, Malformed) else row[0]
                yield row
        except (OSError, EOFError, zlib.error) as error:
            where = f"{self.place(file, last)}: after this row" if last else self._names[file]
            raise FactError(f"{where}: {_why(error)}") from None

    @contextlib.contextmanager
    def _opened(self, file: int) -> Iterator[tuple[tuple[str, ...] | None, Iterator[RawRow]]]:
        """A file's header, if its format has one, and its rows."""
        name = self._names[file]
        if file == 0:
            self._before = 0
        with contextlib.ExitStack() as stack:
            try:
                stream, format_ = self._stream(file, stack)
                if format_ == "parquet":
                    self._row_counted[file] = True
                    table = stack.enter_context(contextlib.closing(ParquetRows(_seekable(stream, stack), name)))
                    yield table.columns, iter(table)
                elif format_ == "csv":
                    sheet = stack.enter_context(contextlib.closing(CsvRows(stream, name)))
                    yield sheet.columns, iter(sheet)
                else:
                    yield None, json_rows(stream, name)
            except (OSError, EOFError, zlib.error) as error:
                raise FactError(f"{name}: {_why(error)}") from None
        self._raw = None
        self._before += self._sizes[file]

    def _stream(self, file: int, stack: contextlib.ExitStack) -> tuple[io.BufferedReader, str]:
        """A file's bytes, decompressed, and its format."""
        path, name = self._paths[file], self._names[file]
        format_ = self._input_format
        if os.path.isdir(path):
            raise FactError(f"{name}: is a folder, not a file")
        by_suffix, compressed = _by_suffix(path)
        if path != STANDARD_INPUT and format_ is None:
            if by_suffix is None and os.path.exists(path):
                raise FactError(f"{name}: {_unknown_suffix(path)}")
            format_ = by_suffix or "csv"
        if _is_stream(path):
            if file in self._read_once:
                raise FactError(f"{name}: can be read only once")
            self._read_once.add(file)
        if path == STANDARD_INPUT:
            raw = _buffered(sys.stdin.buffer)
        else:
            raw = stack.enter_context(open(path, "rb"))  # noqa: SIM115
        self._raw = raw
        start = raw.peek(4)[:4]
        if start.startswith(_GZIP):
            raw = io.BufferedReader(stack.enter_context(gzip.GzipFile(fileobj=raw)), 1 << 16)
        elif compressed and start:
            raise FactError(f"{name}: is not compressed by gzip, as its suffix says")
        if format_ is None:
            start = raw.peek(1024)[:1024]
            text = start.removeprefix(b"\xef\xbb\xbf").lstrip()
            format_ = "parquet" if start.startswith(b"PAR1") else "jsonl" if text[:1] in (b"{", b"[") else "csv"
        if format_ != "parquet":
            refuse_other_encodings(raw.peek(2)[:2], name)
        return raw, format_


def _buffered(stream: Any) -> io.BufferedReader:
    """Standard input as a stream that can be peeked at."""
    return stream if isinstance(stream, io.BufferedReader) else io.BufferedReader(stream)


def _shown(path: str) -> str:
    """What messages call a file."""
    return "standard input" if path == STANDARD_INPUT else shorten(path, 200)


def _size(path: str) -> int:
    """How many bytes a file has; 0 where that is not known."""
    try:
        return os.stat(path).st_size
    except (OSError, ValueError):
        return 0


def _is_stream(path: str) -> bool:
    """Whether what is read is gone: standard input, and pipes."""
    if path == STANDARD_INPUT:
        return True
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISCHR(mode) or stat.S_ISSOCK(mode)


def _by_suffix(path: str) -> tuple[str | None, bool]:
    """The format that a file's suffix names, and whether it says that the file is compressed."""
    name = os.path.basename(path).lower()
    inner = name.removesuffix(".gz")
    suffix = inner.rpartition(".")[2] if "." in inner else ""
    compressed = inner != name
    known = suffix in FORMATS and not (compressed and suffix == "parquet")
    return (suffix if known else None), compressed


def _unknown_suffix(path: str) -> str:
    name = os.path.basename(path)
    suffix = name[name.find(".", 1) :] if "." in name[1:] else ""
    found = f"unknown suffix `{shorten(suffix, 20)}`" if suffix else "no suffix"
    return f"{found}; expected `.csv`, `.jsonl`, `.csv.gz`, `.jsonl.gz` or `.parquet`, or name it by `--input-format`"


def _why(error: BaseException) -> str:
    """Why a file cannot be read."""
    if isinstance(error, EOFError):
        return "the compressed data end too early"
    if isinstance(error, gzip.BadGzipFile | zlib.error):
        return "the compressed data are damaged"
    reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return f"cannot be read: {reason[:1].lower()}{reason[1:]}"


def _reason(error: BadCell, row: dict[str, object]) -> str:
    """Why a row cannot be used; where bytes could not be decoded, that."""
    for column, cell in row.items():
        found = undecodable(cell)
        if found and column:
            return str(BadCell(column, cell, found))
    return str(error)


def _wrongly_ignored(columns: Iterable[str], binder: Binder) -> list[str]:
    known = sorted(set(columns) & binder.columns())
    name = binder.ruleset.name
    return [f"the column `{c}` cannot be ignored: kinds of `{name}` know it" for c in known]


def _seekable(stream: io.BufferedReader, stack: contextlib.ExitStack) -> BinaryIO:
    """The stream itself, or a copy of it on disk where it cannot seek."""
    if stream.seekable() and not isinstance(stream.raw, gzip.GzipFile):
        return stream
    copy: BinaryIO = stack.enter_context(tempfile.TemporaryFile(prefix="strikeout-"))  # noqa: SIM115
    shutil.copyfileobj(stream, copy, 1 << 20)
    copy.seek(0)
    return copy


def read(*paths: str | os.PathLike[str], ignore_columns: Iterable[str] = (), input_format: str | None = None) -> Rows:
    r"""Facts in files, for `Ruleset.run`.

    Parameters
    ----------
    *paths : path
        Files of JSON Lines (`.jsonl`, `.jsonl.gz`), CSV (`.csv`, `.csv.gz`) or, with the extra `batch`, Parquet
        (`.parquet`); `-` is standard input, which can be read only once. Facts may be spread over files in any way.
    ignore_columns : iterable of str
        Columns that no kind knows and that are passed over; any other such column is an error.
    input_format : str, optional
        `jsonl`, `csv` or `parquet`, whatever the suffixes are.

    Returns
    -------
    Rows
        An iterable of mappings, each with its `place`. Nothing is read before it is looped over.

    Raises
    ------
    FactError
        Where there is no such format. Where a file cannot be read, once it is looped over.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import strikeout
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "facts.csv"
    ...     _ = path.write_text("kind,at,seller,complaint\nwithdrawal,2015-01-05,xiaoming,c1\n")
    ...     outcome = strikeout.load("taobao-counterfeit").run(strikeout.read(path))
    >>> outcome.status("xiaoming")
    'good-standing'
    """
    if not paths:
        raise FactError("no file to read")
    return Rows(paths, ignore_columns, input_format)


def _first(problems: Iterable[str]) -> str:
    """The first of many problems, each once."""
    found = list(dict.fromkeys(problems))
    more = [f"… and {len(found) - 2 * MOST_SHOWN:,} more"] if len(found) > 2 * MOST_SHOWN else []
    return "\n".join([*found[: 2 * MOST_SHOWN], *more])


def listed(found: Sequence[str], wrong: int, given: int) -> str:
    """What is wrong with the first bad rows, and how many there are.

    >>> print(listed(["facts.csv:2: column `at`: missing"], 3, 8))
    facts.csv:2: column `at`: missing
    … and 2 more
    3 of 8 facts cannot be used
    """
    more = [f"… and {wrong - len(found):,} more"] if wrong > len(found) else []
    return "\n".join([*found, *more, f"{wrong:,} of {counted(given, 'fact')} cannot be used"])


__all__ = ["FORMATS", "MOST_SHOWN", "STANDARD_INPUT", "BadRow", "Place", "Row", "Rows", "Taken", "listed", "read"]
