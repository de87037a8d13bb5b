"""Untrusted tar files, packed with gzip or not, read as zips are: see `archives`.

The reader is our own: Python's takes time and memory that grow with what a header claims.
"""

from __future__ import annotations

import gzip
import io
import os
import tempfile
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, BinaryIO

from grader.handed_in.archives import (
    ALLOWANCE,
    MAX_MEMBERS,
    MAX_RATIO,
    SMALL,
    Archive,
    Member,
    Unusable,
    parts_of,
    why_not_named,
)
from grader.handed_in.content_store import IN_MEMORY
from grader.model.text import printable

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

MAX_NAME = 1 << 16
"""Bytes of an entry's long name."""

_GZIP, _BLOCK, _CHUNK = b"\x1f\x8b", 512, 1 << 18
_FILE, _OLD_FILE, _FOLDER = b"0", b"\0", b"5"
_LONG_NAME, _PAX = b"L", b"x"
_ABOUT_OTHERS = frozenset({_LONG_NAME, _PAX, b"K", b"g"})
"""Entries that say something about another one: its name, its size."""
_AGAIN = "zip the folder instead and hand it in again"


def open_archive(path: Path) -> Archive | Tarball:
    """The zip or tar file at a path, by its first bytes. Raises Unusable and OSError."""
    with path.open("rb") as file:
        head = file.read(4)
        is_tar = head.startswith(_GZIP) or _is_tar(head + file.read(_BLOCK - 4))
    return Tarball(path) if is_tar else Archive(path)


class Tarball:
    """An open tar file, as `archives.Archive`."""

    def __init__(self, path: Path) -> None:
        """Unpack the file into a temporary one and read its headers. Raises Unusable and OSError."""
        self._file = _plain(path)
        try:
            self.members, self.refused = _members_and_refused(self._file)
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Tarball:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    @contextmanager
    def open(self, member: Member) -> Iterator[BinaryIO]:
        """The member's bytes as a stream. Raises Unusable, also while the stream is read."""
        with io.BufferedReader(_Part(self._file, member)) as stream:
            yield stream


class _Part(io.RawIOBase):
    """The bytes of one member; ``index`` is where they begin in the file."""

    def __init__(self, file: IO[bytes], member: Member) -> None:
        self._file, self._at, self._end = file, member.index, member.index + member.size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer)
        self._file.seek(self._at)
        data = self._file.read(min(len(view), self._end - self._at))
        view[: len(data)] = data
        self._at += len(data)
        return len(data)


def _plain(path: Path) -> IO[bytes]:
    """The tar file without its packing. A small one stays in memory."""
    packed = path.open("rb")
    if packed.read(2) != _GZIP:
        packed.seek(0)
        return packed
    packed.seek(0)
    size = os.fstat(packed.fileno()).st_size
    most = min(max(SMALL, MAX_RATIO * size), ALLOWANCE[0] + ALLOWANCE[1] * size)
    plain = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115  # closed by Tarball
    try:
        with packed, gzip.GzipFile(fileobj=packed) as stream:
            while chunk := stream.read(_CHUNK):
                plain.write(chunk)
                _assert_no_bomb(plain.tell(), most)
    except BaseException as error:
        plain.close()
        if isinstance(error, EOFError | zlib.error | gzip.BadGzipFile):
            raise Unusable(_damaged(str(error))) from None
        raise
    return plain


def _assert_no_bomb(size: int, most: int) -> None:
    if size > most:
        raise Unusable(
            "holds far more than its size suggests, as a bomb does; unpack it yourself and name the folder"
        )


def _members_and_refused(file: IO[bytes]) -> tuple[list[Member], list[tuple[str, str]]]:
    every = [entry for entry in _entries(file) if entry[1] != _FOLDER and not entry[0].endswith("/")]
    counts = Counter(parts_of(name) for name, _, _, _ in every)
    members, refused = [], []
    for name, kind, size, start in every:
        why = why_not_named(name) or _why_not_read(kind)
        if not why and counts[parts_of(name)] > 1:
            why = f"the archive holds {counts[parts_of(name)]} files of this name; rename them, pack it again"
        if why:
            refused.append((printable(name, limit=300), why))
        else:
            members.append(Member(parts_of(name), size, start))
    return members, list(dict.fromkeys(refused))


def _why_not_read(kind: bytes) -> str:
    if kind in (_FILE, _OLD_FILE):
        return ""
    if kind in (b"1", b"2"):
        return "is a link, which is not followed; pack the file itself"
    return "is not a regular file; pack the notebook itself"


def _entries(file: IO[bytes]) -> Iterator[tuple[str, bytes, int, int]]:
    """Each entry's name, kind, size and where its bytes begin. Raises Unusable."""
    end = file.seek(0, os.SEEK_END)
    at = count = 0
    long_name, long_size = "", -1
    while at + _BLOCK <= end and (block := _header(file, at)):
        count += 1
        if count > MAX_MEMBERS:
            raise Unusable(f"holds more than {MAX_MEMBERS:,} files; {_AGAIN}")
        kind, size, start = block[156:157], _number(block[124:136]), at + _BLOCK
        if long_size >= 0 and kind not in _ABOUT_OTHERS:
            size = long_size
        if not 0 <= size <= end - start:
            raise Unusable(_damaged("a file is cut short"))
        at = start + -(-size // _BLOCK) * _BLOCK
        if kind in (_LONG_NAME, _PAX):
            if size > MAX_NAME:
                raise Unusable(f"holds a file with a name of {size:,} bytes; {_AGAIN}")
            data = file.read(size)
            if kind == _LONG_NAME:
                long_name = _text(data)
            else:
                long_name, long_size = _pax(data, long_name)
        elif kind not in _ABOUT_OTHERS:
            yield (long_name or _name(block)).replace("\\", "/"), kind, size, start
            long_name, long_size = "", -1


def _header(file: IO[bytes], at: int) -> bytes:
    """The header at a place, empty at the end. Raises Unusable."""
    file.seek(at)
    block = file.read(_BLOCK)
    if not block.strip(b"\0"):
        return b""
    if not _is_tar(block):
        raise Unusable(_damaged("a header's checksum is wrong"))
    return block


def _is_tar(block: bytes) -> bool:
    """Whether these are a header's 512 bytes: its checksum is right."""
    if len(block) < _BLOCK:
        return False
    total = sum(block[:148]) + sum(block[156:]) + 8 * ord(" ")
    return _number(block[148:156]) == total


def _number(field: bytes) -> int:
    """A number in octal digits, or in binary if its first bit is set; -1 if it is neither."""
    if field[:1] == b"\x80":
        return int.from_bytes(field[1:], "big")
    digits = field.strip(b"\0 ")
    return int(digits, 8) if digits.isdigit() and not set(digits) & set(b"89") else -1 if digits else 0


def _name(block: bytes) -> str:
    name, prefix = _text(block[:100]), _text(block[345:500])
    return f"{prefix}/{name}" if prefix and block[257:263] == b"ustar\0" else name


def _text(data: bytes) -> str:
    return data.partition(b"\0")[0].decode("utf-8", "replace")


def _pax(data: bytes, name: str) -> tuple[str, int]:
    """The path and the size in a header of records ("LENGTH KEY=VALUE"); -1 for no size."""
    size, at = -1, 0
    while at < len(data):
        length = data[at : at + 8].partition(b" ")[0]
        if not length.isdigit() or int(length) < 4 or at + int(length) > len(data):  # noqa: PLR2004
            raise Unusable(_damaged("a header cannot be read"))
        key, _, value = data[at + len(length) + 1 : at + int(length) - 1].partition(b"=")
        if key == b"path":
            name = value.decode("utf-8", "replace")
        elif key == b"size":
            size = int(value) if value.isdigit() and len(value) < 20 else 1 << 62  # noqa: PLR2004
        at += int(length)
    return name, size


def _damaged(why: str) -> str:
    return f"the archive is damaged ({printable(why)}); download or pack it again"
