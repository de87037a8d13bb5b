"""What the course gives, laid in the working folder as a copy of the student's own.

In Jupyter a notebook writes beside its data and over it. A copy costs time and memory, so that large files,
and folders of very many, are shown read-only instead where there is a file system of the sandbox's own.
Importable everywhere.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable, Iterator

MAX_FILE = 1 << 20
"""Bytes of a file that is copied."""
MAX_COPIED = 8 << 20
"""Bytes that are copied of one given folder."""
MAX_ENTRIES = 500
"""Files and folders of a given folder that is not shown as a whole."""
MAX_SHOWN = 16
"""Large files of a given folder that are shown each in its place."""

_BY_OTHERS = {stat.S_IFREG: 0o004, stat.S_IFDIR: 0o005}

Show = Callable[[str, str], None]


def lay(source: str, target: str, *, show: Show) -> None:
    """Copy what is given to ``target``; ``show`` shows there what is large, and what others may not read.

    ``source`` is no link. Raises OSError.
    """
    found = _entries(source)
    if found is None:
        show(source, target)
        return
    for inner, status in found:
        here, there = source + inner, target + inner
        if not _is_copied(status):
            show(here, there)
        elif stat.S_ISDIR(status.st_mode):
            os.mkdir(there, 0o755)
        else:
            shutil.copy(here, there, follow_symlinks=False)


def hand_over(folder: str, user: int) -> None:
    """Make everything copied below ``folder`` the user's own, to write to; what is shown stays as it is."""
    for path, status in _walk(folder):
        if may_be_read(status) and status.st_uid != user:
            os.chown(path, user, -1, follow_symlinks=False)
        if not status.st_mode & stat.S_IWUSR and not stat.S_ISLNK(status.st_mode):
            os.chmod(path, stat.S_IMODE(status.st_mode) | stat.S_IWUSR)


def may_be_read(status: os.stat_result) -> bool:
    """Whether the rights of what is given let others read it."""
    needed = _BY_OTHERS.get(stat.S_IFMT(status.st_mode), 0)
    return status.st_mode & needed == needed


def _entries(source: str) -> list[tuple[str, os.stat_result]] | None:
    """What is given, each with its path below ``source``; None for what is shown as a whole."""
    found = [("", os.lstat(source))]
    copied = shown = 0
    for path, status in _walk(source) if stat.S_ISDIR(found[0][1].st_mode) else ():
        found.append((path[len(source) :], status))
        if _is_copied(status):
            copied += status.st_size
        else:
            shown += 1
        closed = stat.S_ISDIR(status.st_mode) and not _is_copied(status)
        if closed or len(found) > MAX_ENTRIES or copied > MAX_COPIED or shown > MAX_SHOWN:
            return None
    return found


def _is_copied(status: os.stat_result) -> bool:
    kind = stat.S_IFMT(status.st_mode)
    small = kind in (stat.S_IFDIR, stat.S_IFLNK) or (kind == stat.S_IFREG and status.st_size <= MAX_FILE)
    return small and (may_be_read(status) or os.getuid() != 0)


def _walk(folder: str) -> Iterator[tuple[str, os.stat_result]]:
    """Everything below a folder on its own file system, a folder before its contents; no link is followed."""
    device = os.lstat(folder).st_dev
    waiting = [folder]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            found = [(entry.path, entry.stat(follow_symlinks=False)) for entry in entries]
        for path, status in found:
            if status.st_dev == device:
                yield path, status
                if stat.S_ISDIR(status.st_mode):
                    waiting.append(path)
