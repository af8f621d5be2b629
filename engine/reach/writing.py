"""Files that are written whole or not at all."""

from __future__ import annotations

import contextlib
import gzip
import io
import os
import stat
import sys
import tempfile
from collections.abc import Iterator
from typing import BinaryIO

from ..ground.problems import RunError, shorten

STANDARD_OUTPUT = "-"

ENOUGH = 141
"""The exit code where whoever read the output has had enough of it: that of a program which a closed pipe ends."""


class Output(io.BufferedIOBase):
    """A file that is written to, and that says so where it cannot be, as when the disk is full.

    Parameters
    ----------
    file : binary file
        Where to.
    name : str
        What messages call it.

    Raises
    ------
    RunError
        On `write` and `flush`, where the system takes no more.
    BrokenPipeError
        Where whoever read the output has had enough of it.
    """

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._file, self._name = file, name

    def writable(self) -> bool:
        """Whether it can be written to: it can."""
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        """Write bytes."""
        with refusals(self._name):
            return self._file.write(data)

    def close(self) -> None:
        """Leave the file to whom it belongs."""

    def flush(self) -> None:
        """Hand on what is held back."""
        with refusals(self._name):
            self._file.flush()


@contextlib.contextmanager
def refusals(name: str) -> Iterator[None]:
    """Say of what the system refuses that a file cannot be written.

    Raises
    ------
    RunError
        In place of the system's errors, but that of a broken pipe.
    """
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise RunError(f"cannot write {name}: {reason(error)}") from None


def reason(error: OSError) -> str:
    """What the system says of an error, without a capital.

    >>> reason(OSError(28, "No space left on device"))
    'no space left on device'
    """
    text = error.strerror or str(error)
    return text[:1].lower() + text[1:]


@contextlib.contextmanager
def writing(path: str | None) -> Iterator[Output]:
    """A file to write to. Until all is written it has another name beside its own, and where that fails it is gone.

    Parameters
    ----------
    path : str or None
        The file; one that ends in `.gz` is compressed, always to the same bytes. None and `-` are standard output, and
        what is no regular file (a pipe, a device) is written to as it is.

    Raises
    ------
    RunError
        Where it cannot be written, as when the disk is full.
    SystemExit
        Where whoever reads standard output has had enough of it.
    """
    if path is None or path == STANDARD_OUTPUT:
        with _standard_output() as output:
            yield output
        return
    name = f"`{shorten(path, 200)}`"
    with contextlib.ExitStack() as stack:
        with refusals(name):
            target = os.path.realpath(path)
            regular = not os.path.exists(target) or stat.S_ISREG(os.stat(target).st_mode)
            part = stack.enter_context(_part(target)) if regular else target
            file = open(part, "wb")  # noqa: SIM115
        # Where the disk is full, closing fails as well; that was said before.
        stack.callback(_close, file)
        if path.lower().endswith(".gz"):
            compressed = gzip.GzipFile("", "wb", fileobj=file, mtime=0)
            yield Output(compressed, name)  # type: ignore[arg-type]
            with refusals(name):
                compressed.close()
        else:
            yield Output(file, name)
        with refusals(name):
            file.close()
            if regular:
                os.replace(part, target)


def _close(file: BinaryIO) -> None:
    with contextlib.suppress(OSError):
        file.close()


@contextlib.contextmanager
def _part(target: str) -> Iterator[str]:
    """A name beside a file's own, with the rights of a new file or of the one that it takes the place of."""
    folder, name = os.path.split(target)
    descriptor, part = tempfile.mkstemp(prefix=f".{name[:50]}.", suffix=".part", dir=folder)
    try:
        os.close(descriptor)
        os.chmod(part, _rights(target))
        yield part
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(part)


def _rights(target: str) -> int:
    try:
        return stat.S_IMODE(os.stat(target).st_mode)
    except FileNotFoundError:
        mask = os.umask(0o077)
        os.umask(mask)
        return 0o666 & ~mask


@contextlib.contextmanager
def _standard_output() -> Iterator[Output]:
    output = Output(sys.stdout.buffer, "to standard output")
    try:
        with refusals("to standard output"):
            sys.stdout.flush()
        yield output
        output.flush()
    except RunError:
        _give_up_standard_output()
        raise
    except BrokenPipeError:
        # Whoever read the output has had enough of it.
        _give_up_standard_output()
        raise SystemExit(ENOUGH) from None


def _give_up_standard_output() -> None:
    """See to it that what could not be written is not tried again when the program ends."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
