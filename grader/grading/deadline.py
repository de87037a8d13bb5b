"""How long a submission may take as a whole, our own work on it included."""

from __future__ import annotations

import math
import mmap
import signal
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager

from grader.model.errors import TimeIsUp
from grader.session.notebook import Notebook

_LOOK_EVERY = 1.0
_NANO = 1e-9


class Deadline:
    """``seconds`` from now on, by default without end.

    Time that the machine did not give us or the sandbox a processor for does not count: ``excused`` sums it
    up, in memory that a parent process sees too.
    """

    def __init__(self, seconds: float = math.inf, *, excused: mmap.mmap | None = None) -> None:
        self.seconds = seconds
        self._started, self._excused = time.monotonic(), excused
        self._notebooks: list[Notebook] = []
        self._queued_before = queued_seconds("self")
        self._may_stop = False

    def watch(self, notebook: Notebook) -> None:
        """Excuse the time that this notebook waited for a busy machine."""
        self._notebooks.append(notebook)

    def left(self) -> float:
        """Seconds that are left; none or less once the time is up."""
        if self.seconds == math.inf:
            return math.inf
        in_sandbox = sum(notebook.excused for notebook in self._notebooks)
        if self._excused is not None:
            struct.pack_into("d", self._excused, 0, in_sandbox)
        own = queued_seconds("self") - self._queued_before
        return self.seconds + in_sandbox + own - (time.monotonic() - self._started)

    def assert_left(self) -> None:
        """Raise TimeIsUp once the time is up."""
        if self.left() <= 0:
            raise TimeIsUp(self.seconds)

    @contextmanager
    def may_stop(self) -> Iterator[None]:
        """What runs inside is stopped by TimeIsUp once the time is up, our own code too."""
        self.assert_left()
        self._may_stop = True
        try:
            yield
        finally:
            self._may_stop = False

    @contextmanager
    def paused(self) -> Iterator[None]:
        """What happens inside does not count."""
        began, self._may_stop = time.monotonic(), False
        try:
            yield
        finally:
            self._started += time.monotonic() - began

    def arm(self) -> None:
        """Look at the clock every second from now on, in a process that this deadline has for itself."""
        signal.signal(signal.SIGALRM, self._look)
        signal.setitimer(signal.ITIMER_REAL, _LOOK_EVERY, _LOOK_EVERY)

    def _look(self, *_: object) -> None:
        if self.left() <= 0 and self._may_stop:
            self._may_stop = False
            raise TimeIsUp(self.seconds)


def queued_seconds(process: int | str) -> float:
    """How long the main thread of a process could run and waited; 0 where the kernel does not say."""
    try:  # without pathlib: this is asked for with each request
        with open(f"/proc/{process}/schedstat", "rb", buffering=0) as file:  # noqa: PTH123
            return int(file.read(100).split()[1]) * _NANO
    except (OSError, IndexError, ValueError):
        return 0.0
