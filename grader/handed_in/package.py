"""The files of one submission, and where their bytes are: what a batch plans with and a worker reads.

`collect.collect` makes packages of a class's files, `named.package_of` makes one of what a person names.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import msgspec

from grader.digests import digest_of, digest_of_texts
from grader.model.errors import InfrastructureError
from grader.model.text import printable
from grader.notebooks.submission_file import from_bytes as file_from_bytes
from grader.notebooks.submission_files import SubmissionFiles

NOTEBOOK = ".ipynb"
_SHOWN = 300


class FileRef(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file: ``place`` as the student laid it ("layers/conv.py"), ``path`` where its bytes are now.

    A place has plain parts, joined by "/": none is "" or "..", and none holds a control character.
    ``download`` is a platform's name for it, "" where the file kept the student's.
    """

    place: str
    path: str
    sha256: str
    size: int
    download: str = ""


class Package(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The files that one student handed in, without what the course gives.

    ``notebooks`` are the places of the graded files, in the manifest's order; ``files`` are all of them,
    sorted by place. The first notebook's folder is the working directory. ``notices`` are one line each, for
    people.
    """

    notebooks: tuple[str, ...]
    files: tuple[FileRef, ...]
    notices: tuple[str, ...] = ()

    @property
    def sha256(self) -> str:
        """Covers everything that decides how the bytes are read: each file with its place.

        A notebook handed in alone has its own digest: what was graded before there were packages stays known.
        """
        if len(self.files) == 1 and self.files[0].place.lower().endswith(NOTEBOOK):
            return self.files[0].sha256
        parts = [part for file in self.files for part in (file.place, file.sha256)]
        return digest_of_texts(["package", *self.notebooks, *parts])

    @property
    def first(self) -> FileRef:
        """The first graded file, which gives the submission its name."""
        return next(file for file in self.files if file.place == self.notebooks[0])

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)


class _Sent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A package on its way to another machine: ``contents`` are in the order of its files."""

    package: Package
    contents: tuple[bytes, ...]


def load(package: Package) -> SubmissionFiles:
    """Read every file of a package, once.

    Raises SubmissionError if a graded file is not a notebook or script, and InfrastructureError if a file is
    no longer what the package says: then no student is to blame.
    """
    files = {file.place: read_ref(file) for file in package.files}
    graded = tuple(
        file_from_bytes(files[place], name=printable(place.rpartition("/")[2], limit=_SHOWN))
        for place in package.notebooks
    )
    notices = (*package.notices, *(notice for file in graded for notice in file.notices))
    return SubmissionFiles(graded, package.sha256, files, notices, package.notebooks)


def read_ref(file: FileRef) -> bytes:
    """The bytes of one file. Raises InfrastructureError unless they are those that were found."""
    # It may have been replaced since: follow no link, do not wait for a pipe's other end.
    flags = os.O_RDONLY
    for flag in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY"):  # where they exist
        flags |= getattr(os, flag, 0)
    shown = printable(file.place, limit=_SHOWN)
    try:
        with os.fdopen(os.open(file.path, flags), "rb") as stream:
            status = os.fstat(stream.fileno())
            same = stat.S_ISREG(status.st_mode) and status.st_size == file.size
            data = stream.read(file.size + 1) if same else b""
    except FileNotFoundError:
        raise InfrastructureError(f"{shown}: the file was deleted before it was graded") from None
    except OSError as error:
        why = os.strerror(error.errno) if error.errno is not None else str(error)
        raise InfrastructureError(f"{shown}: the file cannot be read: {why}") from None
    if not same or digest_of(data) != file.sha256:
        raise InfrastructureError(f"{shown}: the file was changed before it was graded")
    return data


def as_bytes(package: Package) -> bytes:
    """A package with its files' contents, for a worker that has other disks. Raises InfrastructureError."""
    return msgspec.msgpack.encode(_Sent(package, tuple(map(read_ref, package.files))))


def from_bytes(data: bytes, into: Path) -> Package:
    """The package in what ``as_bytes`` gave, its files written to the folder ``into``.

    Raises msgspec.DecodeError for anything else, and OSError.
    """
    sent = msgspec.msgpack.decode(data, type=_Sent)
    return msgspec.structs.replace(sent.package, files=tuple(_written(sent, into)))


def _written(sent: _Sent, into: Path) -> Iterator[FileRef]:
    # By number: a place is the student's, and never becomes a path on the worker's disk.
    for number, (file, data) in enumerate(zip(sent.package.files, sent.contents, strict=True)):
        path = into / str(number)
        path.write_bytes(data)
        yield msgspec.structs.replace(file, path=str(path))
