"""Which of a few files were saved: they are looked at every now and then, in whatever way an editor saves."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path

from grader.digests import digest_of_file

LOOK_EVERY = 0.03
"""Seconds between two looks at the files."""
SETTLES = 0.02
"""Seconds for which nothing changes before a save counts as done: editors write, rename and write again."""
COMES_BACK = 1.0
"""Seconds after which a file that has gone counts as deleted, not as being saved."""

Stamp = tuple[int, int, int]


class SavedFiles:
    """Notices what is saved. ``paths`` lists the files anew at each look, because they come and go."""

    def __init__(self, paths: Callable[[], Iterable[Path]]) -> None:
        self._paths = paths
        self._stamps = stamps(paths())
        self._digests = {path: _digest(path) for path in self._stamps}

    def wait(self, *, seconds: float | None = None) -> frozenset[Path]:
        """The files whose content changed, or that came or went, since the last call, once that has settled.

        None after ``seconds`` without a change. A file that is gone for a moment, as some editors leave it,
        is waited for.
        """
        end = None if seconds is None else time.monotonic() + seconds
        while end is None or time.monotonic() < end:
            if stamps(self._paths()) != self._stamps and (changed := self._settled()):
                return changed
            time.sleep(LOOK_EVERY)
        return frozenset()

    def _settled(self) -> frozenset[Path]:
        seen, started = stamps(self._paths()), time.monotonic()
        since = started
        while time.monotonic() - since < SETTLES or self._waits_for_one(seen, started):
            time.sleep(SETTLES / 4)
            if (now := stamps(self._paths())) != seen:
                seen, since = now, time.monotonic()
        # Only what was written is read: data files are large.
        digests = {
            path: self._digests[path] if self._stamps.get(path) == stamp else _digest(path)
            for path, stamp in seen.items()
        }
        before, self._stamps, self._digests = self._digests, seen, digests
        return frozenset(path for path in {*before, *digests} if before.get(path) != digests.get(path))

    def _waits_for_one(self, seen: dict[Path, Stamp], started: float) -> bool:
        return bool(set(self._stamps) - set(seen)) and time.monotonic() - started < COMES_BACK


def stamps(paths: Iterable[Path]) -> dict[Path, Stamp]:
    """When each file was last written, its size and its number on the disk; what is gone is left out."""
    found = {}
    for path in paths:
        try:
            seen = path.stat()
        except OSError:
            continue
        found[path] = (seen.st_mtime_ns, seen.st_size, seen.st_ino)
    return found


def _digest(path: Path) -> str:
    try:
        return digest_of_file(path)
    except OSError:  # a folder, or unreadable: it counts once it can be read
        return ""
