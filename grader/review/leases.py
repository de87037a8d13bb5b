"""Who looks at which answer. The markers of one page learn it at once, those of another page a moment later.

A lease costs as many waits for the disk as a mark, and nothing is lost with it. So it is written down beside
the request that takes it, and again only when a good part of it is over.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

import msgspec

from grader.gradebook.marker_notes import MarkerNotes
from grader.model.errors import GradebookError

SECONDS = 300
"""How long an answer is kept for who looks at it; every look and every save begins anew."""
FRESH = SECONDS / 5
"""Within this time a look at the same answer writes nothing."""


class Look(msgspec.Struct, frozen=True):
    """What a marker has on the desk, and since when."""

    item: str
    unit: str
    since: float

    @property
    def is_held(self) -> bool:
        """Whether the marker still has it."""
        return time.monotonic() - self.since < SECONDS


class Leases:
    """Shared by all desks of a page. With ``waits`` each lease is written down at once, for tests."""

    def __init__(self, notes: MarkerNotes, *, waits: bool = False) -> None:
        self._notes = notes
        self._writer = None if waits else ThreadPoolExecutor(1, thread_name_prefix="leases")
        self._looks: dict[str, Look] = {}
        self._lock = threading.Lock()

    def of(self, item: str, written: Mapping[str, str]) -> dict[str, str]:
        """Who looks at which units of an item now; ``written`` is what the gradebook says."""
        with self._lock:
            looks = dict(self._looks)
        elsewhere = {unit: who for unit, who in written.items() if who not in looks}
        here = {look.unit: who for who, look in looks.items() if look.item == item and look.is_held}
        return elsewhere | here

    def take(self, item: str, unit: str, holder: str) -> str:
        """Take or renew a unit, which ends the holder's others; who holds it: another marker keeps it."""
        look = Look(item, unit, time.monotonic())
        with self._lock:
            same = {who: one for who, one in self._looks.items() if (one.item, one.unit) == (item, unit)}
            others = [who for who, one in same.items() if who != holder and one.is_held]
            if others:
                return others[0]
            if holder in same and look.since - same[holder].since < FRESH:
                return holder
            self._looks[holder] = look
        return self._write(lambda: self._notes.lease(item, unit, holder=holder, seconds=SECONDS)) or holder

    def release(self, holder: str, *, item: str = "") -> None:
        """End what a marker has on the desk, of one item or of all."""
        with self._lock:
            if holder in self._looks and item in ("", self._looks[holder].item):
                del self._looks[holder]
        self._write(lambda: self._notes.release(holder, item=item))

    def _write(self, work: Callable[[], str | None]) -> str | None:
        if self._writer is None:
            return work()
        self._writer.submit(_quietly, work)
        return None


def _quietly(work: Callable[[], object]) -> None:
    with contextlib.suppress(GradebookError):  # the next request says what is wrong with the gradebook
        work()
