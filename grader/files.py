"""Files that a command reads and writes: whole or not at all, and in one line what is wrong with them."""

from __future__ import annotations

import os
from pathlib import Path

from grader.model.errors import UsageError


def read_whole(path: Path, *, option: str = "") -> bytes:
    """A file's bytes. Raises UsageError, which names the ``option`` that the file was given with."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise not_usable(path, error, option) from None


def write_whole(path: Path, data: bytes, *, option: str = "") -> None:
    """As `replace_whole`, in a folder that is made if need be. Raises UsageError, as `read_whole`."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_whole(path, data)
    except OSError as error:
        raise not_usable(path, error, option) from None


def replace_whole(path: Path, data: bytes) -> None:
    """Write a file beside ``path`` and move it there, so that the name never holds a part. Raises OSError."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_bytes(data)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def not_usable(path: Path, error: OSError, option: str) -> UsageError:
    """The line for a file that cannot be read or written."""
    return UsageError(f"{option} {path}: {error.strerror}".lstrip())


def assert_writable(out: Path) -> None:
    """Find out before the grading, not after it, that no report can be written. Raises UsageError."""
    nearest = next(place for place in (out, *out.absolute().parents) if place.exists())
    if not nearest.is_dir():
        raise cannot_write(nearest, "not a folder")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise cannot_write(nearest, "permission denied, or the disk is read-only")


def cannot_write(place: Path, why: str | None) -> UsageError:
    """The line for a report that finds no place."""
    return UsageError(f"the report cannot be written to {place}: {why}; choose another --out")
