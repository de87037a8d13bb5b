"""Where student code works if the sandbox has no file system of its own: a folder among the machine's.

Landlock keeps everything else out of reach. All given files are copied, so that the sandbox's user needs no
access to the assignment's folder. Importable everywhere; the functions need Linux.
"""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from dataclasses import dataclass

from grader.sandbox.modes import UNREADABLE
from grader.sandbox.spec import BoxSpec
from grader.sandbox.walls import filesystem, given

_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")


@dataclass(frozen=True)
class Place:
    """``work`` is the working directory, the only place to write; ``readable`` what else can be read."""

    base: str
    work: str
    readable: tuple[str, ...]


def build(spec: BoxSpec, *, user: int) -> Place:
    """Make the folder for a sandbox that runs as ``user``.

    Raises OSError if a given file is missing or unreadable, or if the assignment lies inside folders that
    Python needs: without a file system of its own nothing can be covered up.
    """
    views = filesystem.plan(spec)
    for view in views:
        if view.source is None:
            raise OSError(
                f"{view.path} lies inside Python's own folders, where this mode cannot hide it: move it"
            )
    base = tempfile.mkdtemp(prefix="chainrule-")
    os.chmod(base, 0o711)  # noqa: S103  # the sandbox's user passes through
    place = Place(
        base=base,
        work=os.path.join(base, "work"),
        readable=(*(view.source for view in views if view.source), *_DEVICES),
    )
    try:
        _fill(spec, place, user)
    except BaseException:
        remove(place)
        raise
    return place


def _fill(spec: BoxSpec, place: Place, user: int) -> None:
    os.mkdir(place.work, 0o700)
    for name, path in spec.files.items():
        try:
            _copy(os.path.realpath(path), os.path.join(place.work, name))
        except FileNotFoundError:
            raise FileNotFoundError(f"{path} was to be given to student code, but does not exist") from None
        except (PermissionError, shutil.Error):
            raise PermissionError(
                f"{UNREADABLE} {path}, which the assignment gives to students; run: chmod -R a+rX {path}"
            ) from None
    given.hand_over(place.work, user)
    os.chown(place.work, user, -1)


def _copy(source: str, target: str) -> None:
    """With the same permissions: what others may not read there, the sandbox's user may not read here."""
    if os.path.isdir(source):
        shutil.copytree(source, target, symlinks=True)
    else:
        shutil.copy2(source, target)


def remove(place: Place) -> None:
    """Remove the folder, whatever student code left in it. No process may be working in it any more.

    However deep: each subfolder is moved to the top before it is emptied, because a path longer than PATH_MAX
    cannot be named.
    """
    numbers = itertools.count()
    waiting = [os.path.join(place.base, name) for name in os.listdir(place.base)]
    while waiting:
        folder = waiting.pop()
        os.chmod(folder, 0o700)
        for name in os.listdir(folder):
            path = os.path.join(folder, name)
            if os.path.islink(path) or not os.path.isdir(path):
                os.unlink(path)
                continue
            os.chmod(path, 0o700)  # moving a folder writes to it
            waiting.append(os.path.join(place.base, f"left {next(numbers)}"))
            os.rename(path, waiting[-1])
        os.rmdir(folder)
    os.rmdir(place.base)
