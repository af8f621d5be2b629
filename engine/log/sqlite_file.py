"""The file of a SQLite database: whether it is the one that was opened, whether it can change, and copies of it."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path

from .errors import LogError

FAULTS = (sqlite3.Error, UnicodeDecodeError)
"""What SQLite raises; the second, where a message quotes what is damaged."""

State = tuple[int, int, int, int]
"""Which file lies at a path, how large it is, and when it was changed."""


def identity(path: str) -> list[tuple[int, int] | None]:
    """Which file lies at a path, and which `-wal` beside it; None for one that is not there."""
    found: list[tuple[int, int] | None] = []
    for name in (path, f"{path}-wal"):
        try:
            status = os.stat(name)
        except OSError:
            found.append(None)
        else:
            found.append((status.st_dev, status.st_ino))
    return found


def state(path: str) -> State | None:
    """What a file is that nobody has open to write; None without a file, or with a `-wal` or `-shm` beside it."""
    file = Path(path).resolve()
    try:
        if any(file.with_name(file.name + suffix).exists() for suffix in ("-wal", "-shm")):
            return None
        status = file.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def is_open_to_writers(path: str) -> bool:
    """Whether something can be made beside a file: else SQLite neither writes it nor notes that it reads it."""
    return os.access(Path(path).resolve().parent, os.W_OK)


def is_left_open(path: str) -> bool:
    """Whether a file was put, with the `-wal` of who had it open, where nothing can be made beside it."""
    return not is_open_to_writers(path) and Path(path).exists() and state(path) is None


def as_unchanging(path: str) -> str:
    """The address by which SQLite reads a file that never changes, for which it needs nothing beside it.

    >>> as_unchanging("/mnt/log 1.db")
    'file:///mnt/log%201.db?mode=ro&immutable=1'
    """
    return f"{Path(path).absolute().as_uri()}?mode=ro&immutable=1"


def copy(source: sqlite3.Connection, path: str) -> None:
    """Write a copy of one state of a database to a new file, while others read and write it.

    Raises
    ------
    LogError
        Where it cannot be written; then no part of it is left.
    sqlite3.Error
        Where the database cannot be read.
    """
    target, made = Path(path), Path(f"{path}.part")
    if target.exists():
        raise LogError(f"`{path}` exists already: a backup goes to a new file")
    try:
        made.unlink(missing_ok=True)
        try:
            _copy(source, made)
            with made.open("rb") as file:
                os.fsync(file.fileno())
            made.rename(target)
        except BaseException:
            made.unlink(missing_ok=True)
            raise
        with contextlib.suppress(OSError):  # Not every system can sync a folder.
            folder = os.open(target.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
    except OSError as error:
        raise LogError(f"the backup `{path}` cannot be written: {(error.strerror or str(error)).lower()}") from None


def _copy(source: sqlite3.Connection, made: Path) -> None:
    """Copy a database into a file; what goes wrong with that file is told as such."""
    made.touch()
    copied = sqlite3.connect(made, isolation_level=None)
    try:
        source.backup(copied)
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorname", "") == "SQLITE_FULL":
            raise LogError(
                f"the backup `{made.with_suffix('')}` cannot be written: there is no room left where it goes; the "
                "database itself is as it was"
            ) from error
        raise
    finally:
        copied.close()
