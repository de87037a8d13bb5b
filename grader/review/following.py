"""Pages and `grades.csv` follow the marks: written while nobody waits, and when the page is stopped."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection

QUIET_SECONDS = 20.0
"""How long nobody has saved before pages are written: doing it takes processor time from the page."""

Write = Callable[[Collection[str] | None], None]


class Follower:
    """Collects whose marks have changed, and writes their pages in a thread of its own.

    ``write`` receives the students, or None for everybody: that is the first time, since the last page may
    have been killed. ``told`` receives what went wrong; marks are safe all the same.
    """

    def __init__(self, write: Write, *, told: Callable[[str], None], quiet: float = QUIET_SECONDS) -> None:
        self._write = write
        self._told = told
        self._quiet = quiet
        self._due: set[str] = set()
        self._everybody = True
        self._last = time.monotonic()
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def marked(self, students: Collection[str]) -> None:
        """Somebody's marks have changed."""
        with self._lock:
            self._due |= set(students)
            self._last = time.monotonic()

    def close(self) -> None:
        """Write what is left, and end."""
        self._stop.set()
        self._thread.join()
        self._flush()

    def _run(self) -> None:
        while not self._stop.wait(self._quiet / 4):
            if time.monotonic() - self._last > self._quiet:
                self._flush()

    def _flush(self) -> None:
        with self._lock:
            due, everybody = self._due, self._everybody
            self._due, self._everybody = set(), False
        if not due and not everybody:
            return
        try:
            self._write(None if everybody else due)
        except Exception as error:  # noqa: BLE001  # a full disk, a folder that is gone: marking goes on
            self._told(f"pages were not written: {error}; `grade batch` writes them again")
