"""Another batch, or a new owner of a file: the class is read anew while the page runs."""

from __future__ import annotations

import threading
from collections.abc import Callable

from grader.model.errors import CannotGrade

EVERY_SECONDS = 5.0
"""How often the gradebook is asked for news. It is read once two looks agree: a batch has ended by then."""


class Reloader:
    """Reads the class when what counts has changed since ``known``, in a thread of its own.

    ``newest`` says how far the gradebook is, ``read`` reads the class and puts it on the page.
    """

    def __init__(
        self,
        newest: Callable[[], tuple[int, ...]],
        read: Callable[[], None],
        *,
        known: tuple[int, ...],
        every: float = EVERY_SECONDS,
    ) -> None:
        self._newest = newest
        self._read = read
        self._known = self._last = known
        self._every = every
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(self._every):
            try:
                self._look()
            except CannotGrade:  # a server that is away, a gradebook that is locked: the next look may do
                continue

    def _look(self) -> None:
        now, before = self._newest(), self._last
        self._last = now
        if now == before != self._known:
            self._read()
            self._known = now
