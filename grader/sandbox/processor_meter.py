"""How much processor time a sandbox was given, and for how long it wanted some and got none.

Read from /proc by the supervisor, which student code cannot reach. Importable everywhere; it needs Linux.
"""

from __future__ import annotations

import os
import time
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from grader.model.isolation import Usage

_PROC = "/proc"
_TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
_TIMES, _THREADS, _BORN = slice(11, 15), 17, 19  # fields of /proc/PID/stat after the name
_NANO = 1e-9
_LONGEST = 4096

MOST_KEPT = 4096
"""Looks that are remembered: three minutes of them; then every second one, every fourth and so on."""

Thread = tuple[int, int, int]
"""A thread: its process, its number, and when the process started."""


@dataclass
class ProcessorMeter:
    """Measures the processes that ``members`` lists, at each ``look``.

    ``counted`` gives the processor seconds that the kernel has counted for all of them, None where it does
    not; then what /proc shows has to do, which misses processes that ended and that nobody waited for.
    """

    members: Callable[[], Sequence[int]]
    counted: Callable[[], float | None] = lambda: None
    clock: Callable[[], float] = time.monotonic
    cpu: float = field(default=0.0, init=False)
    starved: float = field(default=0.0, init=False)
    _queued: dict[Thread, tuple[float, float]] = field(default_factory=dict, init=False)
    _looks: int = field(default=0, init=False)
    _every: int = field(default=1, init=False)
    _moments: list[float] = field(default_factory=list, init=False)
    _sums: list[Usage] = field(default_factory=list, init=False)

    def look(self) -> None:
        """Add what happened since the latest look.

        The kernel adds up how long each thread could run and waited for a processor. The longest wait counts
        as starved, without what the sandbox's other threads got meanwhile: to wait for threads of one's own
        is not the machine's doing.
        """
        queued: dict[Thread, tuple[float, float]] = {}
        shown = sum(_look_at(process, queued) for process in self.members())
        counted = self.counted()
        cpu = max(self.cpu, shown if counted is None else counted)  # what ended unseen is not taken back
        since = [
            (ran - before[0], waited - before[1])
            for thread, (ran, waited) in queued.items()
            for before in [self._queued.get(thread, (0.0, waited))]
        ]
        together = sum(ran for ran, _ in since)
        self.starved += max([0.0, *(waited - (together - ran) for ran, waited in since)])
        self.cpu, self._queued = cpu, queued
        self._remember(self.clock(), Usage(cpu, self.starved))

    def since(self, moment: float) -> Usage:
        """What was used since a moment of the clock, or rather since the first look after it.

        So up to a twentieth of a second (of a long time, a thousandth of it) is not counted. To be told when
        to begin, for each request, would cost more than most requests do.
        """
        self.look()
        first = bisect_left(self._moments, moment)
        if first == len(self._moments):
            return Usage(0.0, 0.0)
        began, before = self._moments[first], self._sums[first]
        return Usage(self.cpu - before.cpu, min(self.starved - before.starved, self.clock() - began))

    def _remember(self, moment: float, used: Usage) -> None:
        if self._looks % self._every == 0:
            self._moments.append(moment)
            self._sums.append(used)
        self._looks += 1
        if len(self._moments) > MOST_KEPT:
            self._every *= 2
            del self._moments[1::2], self._sums[1::2]


def _look_at(process: int, queued: dict[Thread, tuple[float, float]]) -> float:
    """The processor seconds of a process and its ended children; adds what its threads ran and waited."""
    fields = _stat(f"{_PROC}/{process}/stat")
    if fields is None:
        return 0.0
    born = int(fields[_BORN])
    for thread in _threads(process) if int(fields[_THREADS]) > 1 else [process]:
        queued[process, thread, born] = _ran_and_waited(f"{_PROC}/{process}/task/{thread}/schedstat")
    return sum(map(int, fields[_TIMES])) / _TICKS


def _threads(process: int) -> list[int]:
    try:
        return list(map(int, os.listdir(f"{_PROC}/{process}/task")))  # noqa: PTH208  # twenty times a second
    except OSError:  # it has ended
        return []


def _ran_and_waited(path: str) -> tuple[float, float]:
    """Seconds that a thread ran, and that it could run and waited; 0 if it has ended or nobody counts."""
    try:
        ran, waited = _read(path).split()[:2]
    except (OSError, ValueError):
        return 0.0, 0.0
    return int(ran) * _NANO, int(waited) * _NANO


def _stat(path: str) -> list[str] | None:
    """The fields of a stat file after the name, which may hold anything; None if the process has ended."""
    try:
        text = _read(path)
    except OSError:
        return None
    return text[text.rindex(")") + 2 :].split()


def _read(path: str) -> str:
    """A short file of /proc. Without pathlib, which takes as long again: this runs at every look."""
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123
        return file.read(_LONGEST).decode("ascii", "replace")
