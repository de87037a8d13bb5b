"""Untrusted zip files, listed and read without unpacking them anywhere.

Names are only shown and never become paths. Sizes are checked before memory or disk is taken, and again while
reading, since a zip can lie about them. Whatever is wrong is an Unusable with one line.
"""

from __future__ import annotations

import io
import os
import re
import stat
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, BinaryIO

import msgspec

from grader.model.text import printable

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

MAX_DIRECTORY = 64 << 20
"""Bytes of a zip's table of contents."""
MAX_MEMBERS = 200_000
MAX_RATIO = 300
"""Bytes that one packed byte may become. A notebook full of one repeated line stays well below."""
SMALL = 10 << 20
"""Files up to this size, in bytes, may have any ratio."""
ALLOWANCE = (1 << 30, 100)
"""Bytes that may be read from one zip: a fixed part, and a part for each byte of the zip itself.

The ratio bounds each member; this bounds thousands of members that each stay just below the ratio."""

_ENTRY = b"PK\x01\x02"
_ENCRYPTED, _UTF8 = 0x1, 0x800
_PACKED = "is packed in a way that is not read; unpack it yourself and name the folder"
_DRIVE = re.compile(r"[A-Za-z]:")
_BROKEN = (
    zipfile.BadZipFile,
    NotImplementedError,  # a compression that Python lacks
    RuntimeError,  # encrypted
    ValueError,
    EOFError,
    OverflowError,
    MemoryError,
    struct.error,
    zlib.error,
)


class Unusable(Exception):
    """A file cannot be taken. The message says why and what to do, without the file's name."""


class Member(msgspec.Struct, frozen=True):
    """A file in a zip: the cleaned parts of its name, its declared size in bytes, its index in the zip."""

    parts: tuple[str, ...]
    size: int
    index: int


class Archive:
    """An open zip. ``members`` can be read; ``refused`` are (name, why) of those that cannot."""

    def __init__(self, path: Path) -> None:
        """Open the zip and read its table of contents. Raises Unusable and OSError."""
        self._file = _BoundedDirectory(path.open("rb", buffering=0))
        try:
            self._left = ALLOWANCE[0] + ALLOWANCE[1] * path.stat().st_size
            self._zip = zipfile.ZipFile(self._file)
            self._infos = self._zip.infolist()
            self.members, self.refused = _members_and_refused(self._infos)
        except BaseException as error:
            self._file.close()
            if isinstance(error, _BROKEN):
                raise Unusable(_damaged(error)) from None
            raise

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._zip.close()
        self._file.close()

    @contextmanager
    def open(self, member: Member) -> Iterator[BinaryIO]:
        """The member's bytes as a stream. Raises Unusable, also while the stream is read."""
        # By the declared size, before anything is unpacked; _Bounded holds the member to what it declared.
        self._left -= member.size
        if self._left < 0:
            raise Unusable(
                "the zip holds far more than its size suggests, as a zip bomb does; "
                "unpack it yourself and name the folder"
            )
        try:
            stream = self._zip.open(self._infos[member.index])
        except (*_BROKEN, OSError) as error:
            raise Unusable(_damaged(error)) from None
        with stream, io.BufferedReader(_Bounded(stream, member.size)) as bounded:
            yield bounded


class _BoundedDirectory(io.BufferedReader):
    """A zip's bytes for zipfile, with a bound on its table of contents.

    zipfile reads that table in one call, however long the zip claims it to be, and makes a ZipInfo for every
    entry. So a long read can only be the table, and its entries are counted before zipfile sees them.
    """

    def read(self, size: int | None = -1, /) -> bytes:
        there = max(os.fstat(self.fileno()).st_size - self.tell(), 0)
        wanted = there if size is None or size < 0 else min(size, there)
        if wanted > MAX_DIRECTORY:
            raise Unusable("its table of contents is too long; zip the submissions again in smaller parts")
        data = super().read(wanted)
        if len(data) > MAX_MEMBERS and data.count(_ENTRY) > MAX_MEMBERS:
            raise Unusable(
                f"holds more than {MAX_MEMBERS:,} files; zip the submissions again in smaller parts"
            )
        return data


class _Bounded(io.RawIOBase):
    """A stream that must not be longer than its declared size. All its errors are Unusable."""

    def __init__(self, stream: IO[bytes], size: int) -> None:
        self._stream, self._left = stream, size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer)
        try:
            data = self._stream.read(len(view))
        except (*_BROKEN, OSError) as error:
            raise Unusable(_damaged(error)) from None
        self._left -= len(data)
        if self._left < 0:
            raise Unusable("holds more than the zip says; hand it in again")
        view[: len(data)] = data
        return len(data)


def _members_and_refused(infos: list[zipfile.ZipInfo]) -> tuple[list[Member], list[tuple[str, str]]]:
    """Members that can be read, and (name, why) of those that cannot; folders are neither."""
    every = ((index, info, _name(info)) for index, info in enumerate(infos))
    named = [(index, info, name) for index, info, name in every if not name.endswith("/")]
    # By cleaned parts: "ada.ipynb" and "./ada.ipynb" would be one file, and which of them counts is a guess.
    counts = Counter(parts_of(name) for _, _, name in named)
    members, refused = [], []
    for index, info, name in named:
        parts = parts_of(name)
        why = _why_not(info, name)
        if not parts:
            why = "has no name; zip it again with one"
        if not why and counts[parts] > 1:
            why = f"the zip holds {counts[parts]} files of this name; rename them and zip them again"
        if why:
            refused.append((printable(name, limit=300), why))
        else:
            members.append(Member(parts, info.file_size, index))
    return members, list(dict.fromkeys(refused))


def _name(info: zipfile.ZipInfo) -> str:
    """The member's name. Some programs write UTF-8 without saying so; zipfile reads it as code page 437."""
    name = info.filename
    if not info.flag_bits & _UTF8 and not name.isascii():
        with suppress(UnicodeError):
            name = name.encode("cp437").decode("utf-8")
    return name.replace("\\", "/")


def parts_of(name: str) -> tuple[str, ...]:
    """The parts of a member's name, fit to show."""
    return tuple(printable(part, limit=200) for part in name.split("/") if part not in ("", "."))


def why_not_named(name: str) -> str:
    """Why a member of this name is refused; "" if it is not."""
    if name.startswith("/") or _DRIVE.match(name) or ".." in name.split("/"):
        return "its name leads out of the zip; zip the file again with a plain name"
    return ""


def _why_not(info: zipfile.ZipInfo, name: str) -> str:
    if why := why_not_named(name):
        return why
    if "\0" in info.orig_filename:
        return "its name holds a zero byte; zip the file again with a plain name"
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind == stat.S_IFLNK:
        return "is a symbolic link, which is not followed; zip the file itself"
    if kind not in (0, stat.S_IFREG):
        return "is not a regular file; zip the notebook itself"
    return _why_not_read(info)


def _why_not_read(info: zipfile.ZipInfo) -> str:
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return _PACKED
    if info.flag_bits & _ENCRYPTED:
        return "is encrypted; unpack it with its password and name the folder"
    if info.file_size > SMALL and info.file_size > MAX_RATIO * max(info.compress_size, 1):
        return (
            f"{info.compress_size:,} bytes that become {info.file_size:,}, as in a zip bomb; "
            "unpack it yourself and name the folder"
        )
    return ""


def _damaged(error: BaseException) -> str:
    if isinstance(error, RuntimeError) and "ncrypted" in str(error):
        return "is encrypted; unpack it with its password and name the folder"
    if isinstance(error, NotImplementedError):
        return _PACKED
    return f"the zip is damaged ({printable(str(error)) or type(error).__name__}); download or zip it again"
