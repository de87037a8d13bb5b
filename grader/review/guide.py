"""The forecast of each item, worked out beside the page: what to ask for next, which lines are likely.

Nobody waits for it: the page takes the last one that is ready, or the plain order. Nothing here writes marks.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence

from grader.gradebook.rubrics import Held, LineVersion, current
from grader.review.classroom import Unit
from grader.review.similar import WORTH_IT, Forecast, Texts

AFTER_SECONDS = 0.1
"""How long a forecast waits, so that the screen that the marker waits for is made first."""
MOST_SEEN = 250
"""Marked units that a forecast is fitted to: the time grows with their cube."""


class Guide:
    """Shared by all desks. With ``waits`` each forecast is worked out at once, for tests."""

    def __init__(self, *, waits: bool = False) -> None:
        self._waits = waits
        self._texts: dict[str, tuple[list[Unit], Texts]] = {}
        self._ready: dict[str, Forecast] = {}
        self._done: dict[str, tuple[int, int, int]] = {}
        self._working: set[str] = set()
        self._lock = threading.Lock()

    def forecast(
        self, every: Sequence[Unit], held: Mapping[int, Held], versions: Sequence[LineVersion]
    ) -> Forecast | None:
        """The last forecast for an item's units that is ready; new marks begin a new one.

        None for a small class. Shortly after a mark it is mostly that of before: nobody waits for it.
        """
        units = [unit for unit in every if not unit.is_empty and unit.text.strip()]
        if sum(len(unit.answers) for unit in units) < WORTH_IT:
            return None
        item = units[0].item
        state = (max((one.row for one in held.values()), default=0), len(versions), len(units))
        with self._lock:
            if self._done.get(item) == state or item in self._working:
                return self._ready.get(item)
            self._working.add(item)
        work = (units, held, versions, state)
        if self._waits:
            self._work(*work)
        else:
            later = threading.Timer(AFTER_SECONDS, self._work, args=work)
            later.daemon = True
            later.start()
        with self._lock:
            return self._ready.get(item)

    def bound(self, item: str) -> float | None:
        """The bound on the share of an item's answers that would be wrong, as it was stated last."""
        with self._lock:
            ready = self._ready.get(item)
        return None if ready is None else ready.wrong

    def without(
        self, unit: Unit, every: Sequence[Unit], held: Mapping[int, Held], versions: Sequence[LineVersion]
    ) -> Forecast | None:
        """What the other marks say about a marked unit; None before its texts have been compared."""
        with self._lock:
            _, texts = self._texts.get(unit.item, ([], None))
        if texts is None:
            return None
        marked = dict(lines_given(every, held, versions))
        marked.pop(unit.id, None)
        return texts.forecast(_last(marked), [one.line for one in current(versions)])

    def _work(
        self,
        units: list[Unit],
        held: Mapping[int, Held],
        versions: Sequence[LineVersion],
        state: tuple[int, int, int],
    ) -> None:
        item = units[0].item
        try:
            with self._lock:
                known, texts = self._texts.get(item, ([], None))
            if texts is None or known != units:  # the class has been read anew
                words = {unit.id: unit.answers[0].words for unit in units}
                texts = Texts(words, {unit.id: len(unit.answers) for unit in units})
            marked = _last(lines_given(units, held, versions))
            found = texts.forecast(marked, [one.line for one in current(versions)])
            with self._lock:
                self._texts[item], self._done[item] = (units, texts), state
                if found is not None:
                    self._ready[item] = found
        finally:
            with self._lock:
                self._working.discard(item)


def lines_given(
    units: Iterable[Unit], held: Mapping[int, Held], versions: Iterable[LineVersion]
) -> dict[str, frozenset[int]]:
    """The lines of each unit that has a mark of lines, in the order in which they were given."""
    line_of = {one.row: one.line for one in versions}
    found = []
    for unit in units:
        one = next((held[row] for row in unit.submissions if row in held), None)
        if one is not None and one.ruling is not None and one.mark.points is not None:
            found.append((one.row, unit.id, frozenset(line_of[row] for row in one.ruling.versions)))
    return {name: lines for _, name, lines in sorted(found)}


def _last(marked: Mapping[str, frozenset[int]]) -> dict[str, frozenset[int]]:
    return dict(list(marked.items())[-MOST_SEEN:])
