"""Files that a command reads and writes, standard output included; errors are one line that says what to do.

A file is written whole or not at all.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from grader.model.errors import UsageError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

STDOUT = 1  # the number of standard output


def read_whole(path: Path, *, option: str = "") -> bytes:
    """A file's bytes. Raises UsageError, which names the ``option`` that the file was given with."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise not_usable(path, error, option) from None


def write_whole(path: Path, data: bytes, *, option: str = "") -> None:
    """As `replace_whole`, and makes the folder if need be. Raises UsageError, as `read_whole`."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_whole(path, data)
    except OSError as error:
        raise not_usable(path, error, option) from None


def replace_whole(path: Path, data: bytes) -> None:
    """Write a file beside ``path`` and move it there, so that no reader sees half a file. Raises OSError."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_bytes(data)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def not_usable(path: Path, error: OSError, option: str) -> UsageError:
    """The error for a file that cannot be read or written."""
    return UsageError(f"{option} {path}: {error.strerror}".lstrip())


def assert_writable(out: Path) -> None:
    """Raise UsageError, before anything is graded, if no report can be written to ``out``."""
    nearest = next(place for place in (out, *out.absolute().parents) if place.exists())
    if not nearest.is_dir():
        raise cannot_write(nearest, "not a folder")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise cannot_write(nearest, "permission denied, or the disk is read-only")


def cannot_write(place: Path, why: str | None) -> UsageError:
    """The error for a report that cannot be written."""
    return UsageError(f"the report cannot be written to {place}: {why}; choose another --out")


class _Output(io.FileIO):
    """Standard output or standard error. Once nobody reads it, the rest goes nowhere, without an error."""

    def write(self, data: ReadableBuffer) -> int:
        try:
            return super().write(data)
        except OSError as error:
            # Whatever is still buffered, here or when Python exits, is discarded too.
            os.dup2(os.open(os.devnull, os.O_WRONLY), self.fileno())
            if isinstance(error, BrokenPipeError) or self.fileno() != STDOUT:
                return memoryview(data).nbytes
            raise UsageError(f"standard output: {error.strerror}") from None


@contextmanager
def patient_streams() -> Iterator[None]:
    """Let a command finish, with its own exit status, although `... | head -1` has stopped reading.

    What a command does (grade, write reports, fill the gradebook) matters more than what it prints, so a
    reader who leaves early must not end it half-way, as SIGPIPE would. Any other error of standard output,
    such as a full disk, is a UsageError when something is printed or flushed.
    """
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (_patient(stream) for stream in before)
    try:
        yield
    finally:
        for stream in (sys.stdout, sys.stderr):
            with suppress(UsageError):
                stream.flush()
        sys.stdout, sys.stderr = before


def _patient(stream: TextIO) -> TextIO:
    try:
        output = _Output(stream.fileno(), "wb", closefd=False)
    except (AttributeError, OSError, ValueError):  # no file: a test's stand-in, or closed
        return stream
    stream.flush()
    return io.TextIOWrapper(
        io.BufferedWriter(output),
        encoding=stream.encoding,
        errors=stream.errors,
        line_buffering=stream.isatty() or output.fileno() != STDOUT,
    )
