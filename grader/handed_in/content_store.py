"""Files out of zips, kept by what they hold: one content is one file, however often it was handed in."""

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
"""Bytes of one file that are held before they are written anywhere."""
_CHUNK = 1 << 18


class Keeper:
    """A private folder of the grader's: ``ab/<sha256>.ipynb``. Raises UsageError where it cannot write."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ready = False

    def keep(self, stream: BinaryIO, *, suffix: str) -> tuple[Path, str, int]:
        """The file with this stream's bytes, their SHA-256 and number. What is there is not written again."""
        with self._words(), tempfile.SpooledTemporaryFile(IN_MEMORY, dir=str(self._made())) as draft:
            digest, size = copied(stream, draft)
            path = self.folder / digest[:2] / f"{digest}{suffix}"
            if not _holds(path, size):
                draft.seek(0)
                self._write(draft, path)
        return path, digest, size

    @contextlib.contextmanager
    def for_a_while(self, stream: BinaryIO) -> Iterator[Path]:
        """A file with this stream's bytes that is gone afterwards."""
        with self._words():
            number, name = tempfile.mkstemp(dir=self._made(), prefix="draft-")
        try:
            with self._words(), os.fdopen(number, "wb") as file:
                copied(stream, file)
            yield Path(name)
        finally:
            Path(name).unlink(missing_ok=True)

    def _write(self, draft: BinaryIO | tempfile.SpooledTemporaryFile[bytes], path: Path) -> None:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        number, name = tempfile.mkstemp(dir=self.folder, prefix="draft-")
        try:
            with os.fdopen(number, "wb") as file:
                shutil.copyfileobj(draft, file, _CHUNK)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise

    def _made(self) -> Path:
        """The folder, nobody else's to look into."""
        if not self._ready:
            if self.folder.is_symlink():
                raise UsageError(f"{self.folder}: is a symbolic link; name the folder itself")
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.folder.chmod(0o700)
            self._ready = True
        return self.folder

    @contextlib.contextmanager
    def _words(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno is not None else str(error)
            what = "make room" if error.errno in {errno.ENOSPC, errno.EDQUOT} else "choose another folder"
            raise UsageError(f"{self.folder}: cannot keep submissions here: {reason}; {what}") from None


def copied(stream: BinaryIO, to: BinaryIO | tempfile.SpooledTemporaryFile[bytes] | None) -> tuple[str, int]:
    """SHA-256 and number of a stream's bytes, which are copied on the way."""
    digest, size = hashlib.sha256(), 0
    while chunk := stream.read(_CHUNK):
        digest.update(chunk)
        size += len(chunk)
        if to is not None:
            to.write(chunk)
    return digest.hexdigest(), size


def _holds(path: Path, size: int) -> bool:
    """Whether the file is whole: a machine that lost its power may have left an empty one."""
    try:
        return path.stat().st_size == size
    except FileNotFoundError:
        return False
