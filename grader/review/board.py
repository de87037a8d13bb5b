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
        self._held: dict[str, dict[int, Held]] = {}
        self._newest: dict[str, int] = {}
        self._said: dict[str, tuple[tuple[int, ...], Notes]] = {}
        self._lock = threading.Lock()

    def held(self, item: str) -> Mapping[int, Held]:
        """The last row of marks of each submission for an item, withdrawn ones too; not to be changed."""
        with self._lock:
            newest = self._newest.get(item, 0)
            known = self._held.get(item, {})
            later = {}
            for one in self._store.held_since(item, newest - OVERLAP):
                before = known.get(one.mark.submission)
                if before is None or before.row < one.row:
                    later[one.mark.submission] = one
                    newest = max(newest, one.row)
            if later:  # a new dictionary: whoever has the old one may be going through it
                self._held[item] = {**known, **later}
                self._newest[item] = newest
            return self._held.get(item, {})

    def notes(self, item: str) -> Notes:
        """What is said about an item now; read again if there is any row more of it."""
        sizes = self._notes.sizes()
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
