"""Whether the machine was quiet while something was measured: what other programs took of its processors.

A comparison is only fair while nothing else runs: beside another program's loop, a training with two threads
seems many times slower than it is. Taking turns does not help, since the two sides suffer differently.
"""

from __future__ import annotations

import dataclasses
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measure import Figure

MOST = 0.25
"""Cores that other programs may take on average; a few daemons of an idle machine take a hundredth."""


@dataclass(frozen=True)
class Reading:
    """Seconds since some start: of the clock, of all processors at work, and of our own processes' work."""

    wall: float
    all: float
    own: float

    def taken_by_others_since(self, earlier: Reading) -> float:
        """How many cores other programs, and other virtual machines, kept busy on average."""
        others = (self.all - earlier.all) - (self.own - earlier.own)
        return max(0.0, others / (self.wall - earlier.wall))


def reading() -> Reading:
    """The state now. Where there is no /proc the machine passes for quiet."""
    tick = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 1
    try:
        total = Path("/proc/stat").read_text().splitlines()[0].split()[1:9]
    except OSError:
        return Reading(time.monotonic(), 0.0, 0.0)
    user, nice, system, _, _, interrupts, soft, stolen = (int(word) / tick for word in total)
    own = sum(_ticks(pid) for pid in family()) / tick
    return Reading(time.monotonic(), user + nice + system + interrupts + soft + stolen, own)


def family() -> Iterator[int]:
    """The numbers of this process and of all below it."""
    waiting = [os.getpid()]
    while waiting:
        pid = waiting.pop()
        yield pid
        for task in Path(f"/proc/{pid}/task").glob("*"):
            try:
                waiting += map(int, (task / "children").read_text().split())
            except OSError:  # it has ended
                continue


def _ticks(pid: int) -> int:
    """A process's time, with that of the children it has waited for."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return sum(map(int, fields[11:15]))


def measured(
    measures: Iterable[Callable[[], Sequence[Figure]]], *, read: Callable[[], Reading] = reading
) -> list[Figure]:
    """The figures of all measures; those that depend on time lose their value if the machine was busy."""
    found: list[Figure] = []
    for measure in measures:
        before = read()
        figures = measure()
        busy = read().taken_by_others_since(before) > MOST
        found += [dataclasses.replace(figure, busy=busy and figure.timed) for figure in figures]
    return found
