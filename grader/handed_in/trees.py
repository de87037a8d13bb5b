"""Folders and zips behind one interface: the files below a start, in a stable order, none of them opened."""

from __future__ import annotations

import contextlib
import os
import stat
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO, Protocol

import msgspec

from grader.handed_in.archives import Member, Unusable
from grader.model.owner_hints import OwnerHint
from grader.model.text import printable
from grader.notebooks.submission_file import ending_of

Place = tuple[str, ...]
"""Names of folders and of a file, below a start."""

MAX_DEPTH = 30
_LEFT_OUT = frozenset(
    {"__MACOSX", "__pycache__", "node_modules", "reports", "site-packages", "Thumbs.db", "desktop.ini"}
)


class Entry(msgspec.Struct, frozen=True):
    """A regular file in a folder or a zip.

    ``place`` is relative to the start, ``size`` in bytes. ``called`` is the student's own name for the file
    where the platform renamed it. ``is_feedback`` marks what this program gave back.
    """

    place: Place
    size: int
    called: str = ""
    is_feedback: bool = False

    @property
    def name(self) -> str:
        """The file's own name."""
        return self.called or self.place[-1]

    @property
    def suffix(self) -> str:
        """The name's ending in lower case, with its dot, without one that a browser added."""
        return ending_of(self.name)

    @property
    def laid(self) -> Place:
        """Where the student had the file: a download without folders tells no more than its name."""
        return (self.name,) if self.called else self.place

    @property
    def shown(self) -> str:
        """The name for people, with the last folder."""
        return self.called or "/".join(self.place[-2:])


class Refused(msgspec.Struct, frozen=True):
    """Something that cannot be graded: its name, one line that says why, and whose it may be.

    ``is_ours`` marks what nobody handed in: it is told, and no student has to do anything about it.
    """

    name: str
    why: str
    who: OwnerHint = OwnerHint()
    is_ours: bool = False

    def within(self, place: Place) -> Refused:
        """The same, with its name relative to the start of ``place`` instead of to ``place``."""
        return msgspec.structs.replace(self, name="/".join((*place, self.name) if self.name else place))


class Listing(msgspec.Struct, frozen=True):
    """The contents of one folder, sorted. Names are relative to the folder; the folder itself is ""."""

    files: list[Entry]
    folders: list[str]
    refused: list[Refused]


class Tree(Protocol):
    """Files below a start."""

    def listing(self, place: Place) -> Listing:
        """The contents of a folder, without hidden files, caches and the grader's own reports."""

    def open(self, entry: Entry) -> AbstractContextManager[BinaryIO]:
        """A file's bytes. Raises Unusable, also while they are read."""

    def on_disk(self, entry: Entry) -> Path | None:
        """The file's path on disk; None inside a zip."""


class Folder:
    """A folder on disk, leaving out the folder ``without``. Symbolic links are refused, never followed."""

    def __init__(self, start: Path, *, without: Path) -> None:
        self._start = start
        inner, outer = without.resolve(), start.resolve()
        self._without = inner.relative_to(outer).parts if inner.is_relative_to(outer) else None

    def listing(self, place: Place) -> Listing:
        """The contents of a folder; a folder that cannot be read is refused."""
        files, folders, refused = [], [], []
        if len(place) > MAX_DEPTH:
            why = f"folders nested more than {MAX_DEPTH} deep; name the inner one"
            return Listing([], [], [Refused("", why)])
        try:
            with os.scandir(self._start.joinpath(*place)) as entries:
                found = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            return Listing([], [], [Refused("", _reason(error))])
        for entry in found:
            if is_left_out(entry.name) or (*place, entry.name) == self._without:
                continue
            why, size, is_folder = _inspect(entry)
            if why:
                refused.append(Refused(printable(entry.name, limit=300), why))
            elif is_folder:
                folders.append(entry.name)
            else:
                files.append(Entry((*place, entry.name), size))
        return Listing(files, folders, refused)

    @contextlib.contextmanager
    def open(self, entry: Entry) -> Iterator[BinaryIO]:
        """A file's bytes. Raises Unusable."""
        path = self._start.joinpath(*entry.place)
        flags = os.O_RDONLY
        for flag in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY"):  # where they exist
            flags |= getattr(os, flag, 0)
        try:
            file = os.fdopen(os.open(path, flags), "rb")
        except OSError as error:
            raise Unusable(_reason(error)) from None
        with file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise Unusable("is not a regular file; hand in a notebook (.ipynb) or a script (.py)")
            yield file

    def on_disk(self, entry: Entry) -> Path:
        """The file's path."""
        return self._start.joinpath(*entry.place)


class Packed(Protocol):
    """An open zip or tar file."""

    members: list[Member]
    refused: list[tuple[str, str]]

    def open(self, member: Member) -> AbstractContextManager[BinaryIO]:
        """The member's bytes. Raises Unusable, also while they are read."""


class Zip:
    """The files of an open zip or tar file."""

    def __init__(self, archive: Packed) -> None:
        self._archive = archive
        self._members: dict[Place, Member] = {}
        self._files: dict[Place, list[Entry]] = defaultdict(list)
        self._folders: dict[Place, set[str]] = defaultdict(set)
        self._refused = [
            Refused(name, why) for name, why in archive.refused if not _any_left_out(name.split("/"))
        ]
        for member in archive.members:
            if not _any_left_out(member.parts):
                self._add(member)

    def _add(self, member: Member) -> None:
        place = member.parts
        if len(place) > MAX_DEPTH:
            self._refused.append(Refused("/".join(place[:3]), f"folders nested more than {MAX_DEPTH} deep"))
            return
        self._members[place] = member
        self._files[place[:-1]].append(Entry(place, member.size))
        for depth in range(len(place) - 1):
            self._folders[place[:depth]].add(place[depth])

    def listing(self, place: Place) -> Listing:
        """The contents of a folder of the zip. All refused members are listed with the top folder."""
        files = sorted(self._files.get(place, []), key=lambda entry: entry.name)
        folders = sorted(self._folders.get(place, ()))
        return Listing(files, folders, [] if place else sorted(self._refused, key=_name_and_reason))

    def open(self, entry: Entry) -> AbstractContextManager[BinaryIO]:
        """A member's bytes. Raises Unusable, also while they are read."""
        return self._archive.open(self._members[entry.place])

    def on_disk(self, entry: Entry) -> None:
        """None: the file is inside the zip."""


def below(tree: Tree, place: Place) -> Iterator[Entry | Refused]:
    """All files below a folder, and what was refused there; at the top of a tree the files alone."""
    listing = tree.listing(place)
    if place:
        yield from (refused.within(place) for refused in listing.refused)
    yield from listing.files
    for folder in listing.folders:
        yield from below(tree, (*place, folder))


def is_left_out(name: str) -> bool:
    """Whether a file or folder of this name is nobody's work: hidden, a cache, or the grader's reports."""
    return name.startswith(".") or name in _LEFT_OUT


def _any_left_out(place: Sequence[str]) -> bool:
    return any(is_left_out(name) and name.strip(".") for name in place) or not place


def _inspect(entry: os.DirEntry[str]) -> tuple[str, int, bool]:
    """Why an entry is refused ("" if it is not), its size in bytes, and whether it is a folder."""
    try:
        status = entry.stat(follow_symlinks=False)
        entry.name.encode()
    except OSError as error:
        return _reason(error), 0, False
    except UnicodeError:
        return "its name is not UTF-8; rename it", 0, False
    if stat.S_ISLNK(status.st_mode):
        return "is a symbolic link, which is not followed; put the file itself here", 0, False
    if stat.S_ISDIR(status.st_mode):
        return "", 0, True
    if not stat.S_ISREG(status.st_mode):
        return "is not a regular file; hand in a notebook (.ipynb) or a script (.py)", 0, False
    return "", status.st_size, False


def _name_and_reason(refused: Refused) -> tuple[str, str]:
    return refused.name, refused.why


def _reason(error: OSError) -> str:
    if isinstance(error, PermissionError):
        return "may not be read: permission denied; change its permissions"
    reason = os.strerror(error.errno) if error.errno is not None else str(error)
    return f"cannot be read: {reason}"
