"""The marks of each item, kept in memory and brought up to date by the rows that came since.

Every request needs all of an item's marks, to count them and to find the next answer. Reading a thousand
takes a quarter of a second; reading those that are new takes a millisecond. What decides whether a mark is
written is never asked here but in the transaction that writes it.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping

from grader.gradebook.marking import MarkingStore
from grader.gradebook.rubrics import Held

OVERLAP = 40
"""Rows that are read again: a server gives out row numbers before it shows the rows."""


class Board:
    """Shared by all desks."""

    def __init__(self, store: MarkingStore) -> None:
        self._store = store
        self._held: dict[str, dict[int, Held]] = {}
        self._newest: dict[str, int] = {}
        self._lock = threading.Lock()

    def held(self, item: str) -> Mapping[int, Held]:
        """The last row of marks of each submission for an item, withdrawn ones too; not to be changed."""
        with self._lock:
            newest = self._newest.get(item, 0)
            rows = self._store.held_since(item, newest - OVERLAP)
            known = self._held.get(item, {})
            news = {one.mark.submission: one for one in rows}
            if any(
                submission not in known or known[submission].row < one.row for submission, one in news.items()
            ):
                # A new dictionary: whoever has the old one may be going through it.
                later = {
                    row: one for row, one in news.items() if row not in known or known[row].row < one.row
                }
                self._held[item] = {**known, **later}
                self._newest[item] = max(newest, *(one.row for one in rows))
            return self._held.get(item, {})
