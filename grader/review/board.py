"""What markers have said about each item, kept in memory and brought up to date by the rows that came since.

Every request needs all of an item's marks, to count them and to find the next answer. Reading a thousand
takes a quarter of a second; reading those that are new takes a millisecond. What decides whether a mark is
written is never asked here but in the transaction that writes it.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping

import msgspec

from grader.gradebook.marker_notes import MarkerNotes, Request, Trial
from grader.gradebook.marking import MarkingStore
from grader.gradebook.rubrics import Held, LineVersion
from grader.review.leases import Leases

OVERLAP = 40
"""Rows that are read again: a server gives out row numbers before it shows the rows."""


class Notes(msgspec.Struct, frozen=True):
    """What is said about an item beside marks: its rubric, opinions, flags and students' requests."""

    versions: list[LineVersion]
    trials: list[Trial]
    flags: dict[int, tuple[str, str]]
    requests: list[Request]


class Board:
    """Shared by all desks; ``leases`` are theirs, too."""

    def __init__(self, store: MarkingStore, notes: MarkerNotes, leases: Leases | None = None) -> None:
        self.leases = leases or Leases(notes)
        self._store = store
        self._notes = notes
        self._held: dict[str, tuple[int, int, dict[int, Held]]] = {}
        self._said: dict[str, tuple[tuple[int, ...], Notes]] = {}
        self._lock = threading.Lock()

    def look(self, item: str) -> tuple[Notes, Mapping[int, Held], dict[str, str]]:
        """What is said about an item now, its marks by submission, and who looks at which unit.

        The marks are the last rows, withdrawn ones too. Nothing of it is to be changed.
        """
        (marks, *sizes), leases = self._notes.news(item)
        return self._notes_of(item, tuple(sizes)), self._held_of(item, marks), self.leases.of(item, leases)

    def _held_of(self, item: str, marks: int) -> Mapping[int, Held]:
        with self._lock:
            size, newest, known = self._held.get(item, (0, 0, {}))
            if size == marks:
                return known
            later = {}
            for one in self._store.held_since(item, newest - OVERLAP):
                before = known.get(one.mark.submission)
                if before is None or before.row < one.row:
                    later[one.mark.submission] = one
                    newest = max(newest, one.row)
            # A new dictionary: whoever has the old one may be going through it.
            self._held[item] = marks, newest, {**known, **later}
            return self._held[item][2]

    def _notes_of(self, item: str, sizes: tuple[int, ...]) -> Notes:
        with self._lock:
            known = self._said.get(item)
        if known is not None and known[0] == sizes:
            return known[1]
        found = Notes(
            self._store.versions(item),
            self._notes.trials(item),
            self._notes.flags(item),
            self._notes.requests(item),
        )
        with self._lock:
            self._said[item] = sizes, found
        return found
