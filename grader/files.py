"""Files that a command reads and writes, standard output included; errors are one line that says what to do.

A file is written whole or not at all.
"""

from __future__ import annotations

import io
import os
import stat
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from grader.model.errors import UsageError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

STDOUT = 1  # the number of standard output
_OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH
# Neither a link to elsewhere nor a pipe that makes us wait is followed, where a system has such flags.
_AS_DATA = sum(getattr(os, flag, 0) for flag in ("O_RDONLY", "O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC"))


def read_whole(path: Path, *, option: str = "") -> bytes:
    """A file's bytes. Raises UsageError, which names the ``option`` that the file was given with."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise not_usable(path, error, option) from None


def write_whole(path: Path, data: bytes | Iterable[bytes], *, option: str = "") -> None:
    """As `replace_whole`, and makes the folder if need be. Raises UsageError, as `read_whole`."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_whole(path, data)
    except OSError as error:
        raise not_usable(path, error, option) from None


def replace_whole(path: Path, data: bytes | Iterable[bytes]) -> None:
    """Write a file beside ``path`` and move it there, so that no reader sees half a file. Raises OSError.

    Several pieces are written as they come.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with draft.open("wb") as file:
            file.writelines([data] if isinstance(data, bytes) else data)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def cache_folder(environ: Mapping[str, str]) -> Path | None:
    """Where this person's caches of ours are; None if no variable says it.

    XDG_CACHE_HOME or HOME, and LOCALAPPDATA on Windows.
    """
    caches = Path(environ.get("XDG_CACHE_HOME") or environ.get("LOCALAPPDATA", ""))
    if not caches.is_absolute():  # the XDG standard says to ignore a relative one
        home = Path(environ.get("HOME", ""))
        if not home.is_absolute():
            return None
        caches = home / ".cache"
    return caches / "chainrule"


def write_own(path: Path, data: bytes) -> None:
    """As `replace_whole`, in a folder and a file of this user's alone. Raises OSError."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
    draft.replace(path)


def read_own(path: Path, *, limit: int) -> bytes:
    """Up to ``limit`` bytes of a file that only this user can have written. Raises OSError for any other."""
    # The open file is looked at, not its name, which may be another file's by now.
    with os.fdopen(os.open(path, _AS_DATA), "rb") as file:
        found = os.fstat(file.fileno())
        if not (stat.S_ISREG(found.st_mode) and _only_ours(found)):
            raise PermissionError(f"{path} is not a regular file that only this user can write")
        return file.read(limit)


def _only_ours(found: os.stat_result) -> bool:
    """Whether no other user can write the file. Windows keeps others out of a user's folder as a whole."""
    if not hasattr(os, "geteuid"):
        return True
    return found.st_uid == os.geteuid() and not found.st_mode & _OTHERS_MAY_WRITE


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
