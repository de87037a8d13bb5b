"""Whether the machine was quiet while something was measured: what other programs took of its processors.

A comparison is only fair while nothing else runs: beside another program's loop, a training with two threads
seems many times slower than it is. Taking turns does not help, since the two sides suffer differently.
"""

from __future__ import annotations

import dataclasses
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measure import Figure

MOST = 0.25
"""Cores that other programs may take on average; a few daemons of an idle machine take a hundredth."""


@dataclass(frozen=True)
class Reading:
    """Seconds since some start: of the clock, and of the work of each program that is not ours.

    ``others`` is by process and its start, so that a number that is used again is another program. ``stolen``
    is what other virtual machines took.
    """

    wall: float
    others: Mapping[tuple[int, int], float]
    stolen: float = 0.0

    def taken_by_others_since(self, earlier: Reading) -> float:
        """How many cores other programs, and other virtual machines, kept busy on average."""
        worked = sum(seconds - earlier.others.get(program, 0.0) for program, seconds in self.others.items())
        return max(0.0, worked + self.stolen - earlier.stolen) / (self.wall - earlier.wall)


def reading() -> Reading:
    """The state now. Where there is no /proc the machine passes for quiet."""
    tick = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 1
    try:
        stolen = int(Path("/proc/stat").read_text().split()[8]) / tick
    except OSError:
        return Reading(time.monotonic(), {})
    ours = set(family())
    others = {}
    for place in Path("/proc").glob("[0-9]*"):
        if (pid := int(place.name)) not in ours and (work := _work(pid)) is not None:
            started, ticks = work
            others[pid, started] = ticks / tick
    return Reading(time.monotonic(), others, stolen)


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


def _work(pid: int) -> tuple[int, int] | None:
    """When a process began and how long it worked, in ticks, with the children it has waited for.

    Not those of the first process: it also waits for what our own sandboxes leave behind. None if it ended.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return int(fields[19]), sum(map(int, fields[11 : 13 if pid == 1 else 15]))


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
