"""Files from zips, stored by content: the same bytes are one file, however often they were handed in."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from grader.model.errors import UsageError

IN_MEMORY = 4 << 20
"""Bytes of one file that are held in memory before a temporary file is made."""
_CHUNK = 1 << 18


class ContentStore:
    """A private folder of files named ``ab/<sha256>.ipynb``. Raises UsageError if it cannot be written."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ready = False

    def store(self, stream: BinaryIO, *, suffix: str) -> tuple[Path, str, int]:
        """Store a stream; its file, SHA-256 and size in bytes. A file that is there is not written again."""
        with self._reworded(), tempfile.SpooledTemporaryFile(IN_MEMORY, dir=str(self._prepared())) as draft:
            digest, size = copy(stream, draft)
            path = self.folder / digest[:2] / f"{digest}{suffix}"
            if not _is_whole(path, size):
                draft.seek(0)
                self._write(draft, path)
        return path, digest, size

    @contextlib.contextmanager
    def temporary(self, stream: BinaryIO) -> Iterator[Path]:
        """A file with this stream's bytes, removed afterwards."""
        with self._reworded():
            number, name = tempfile.mkstemp(dir=self._prepared(), prefix="draft-")
        try:
            with self._reworded(), os.fdopen(number, "wb") as file:
                copy(stream, file)
            yield Path(name)
        finally:
            Path(name).unlink(missing_ok=True)

    def _write(self, draft: BinaryIO | tempfile.SpooledTemporaryFile[bytes], path: Path) -> None:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        # Renamed into place when complete: another process never sees half a file under its digest.
        number, name = tempfile.mkstemp(dir=self.folder, prefix="draft-")
        try:
            with os.fdopen(number, "wb") as file:
                shutil.copyfileobj(draft, file, _CHUNK)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise

    def _prepared(self) -> Path:
        """The folder, made if need be, readable by its owner alone."""
        if not self._ready:
            if self.folder.is_symlink():
                raise UsageError(f"{self.folder}: is a symbolic link; name the folder itself")
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.folder.chmod(0o700)
            self._ready = True
        return self.folder

    @contextlib.contextmanager
    def _reworded(self) -> Iterator[None]:
        """Turns an operating system's error into a UsageError."""
        try:
            yield
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno is not None else str(error)
            what = "make room" if error.errno in {errno.ENOSPC, errno.EDQUOT} else "choose another folder"
            raise UsageError(f"{self.folder}: cannot keep submissions here: {reason}; {what}") from None


def copy(stream: BinaryIO, to: BinaryIO | tempfile.SpooledTemporaryFile[bytes] | None) -> tuple[str, int]:
    """Copy a stream, or only read it if ``to`` is None; the SHA-256 and the number of its bytes."""
    digest, size = hashlib.sha256(), 0
    while chunk := stream.read(_CHUNK):
        digest.update(chunk)
        size += len(chunk)
        if to is not None:
            to.write(chunk)
    return digest.hexdigest(), size


def _is_whole(path: Path, size: int) -> bool:
    """Whether a stored file has its full size: a machine that lost power may have left an empty one."""
    try:
        return path.stat().st_size == size
    except FileNotFoundError:
        return False
