"""The memory watchdog: which processes of a sandbox are killed when together they hold too much.

A fork (one check's copy of the notebook's state) goes before the first process (the state itself), the
largest first. Importable everywhere; it reads /proc through ``grader.sandbox.processes``.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from grader.sandbox import processes

LOOK_EVERY = 0.05
"""Seconds between two looks."""

_REST_FACTOR = 4
"""After an exact measurement comes a rest of this many times its duration (a fifth of the time at most)."""


@dataclass
class MemoryWatch:
    """Watches the memory of a group of processes. ``members`` lists them, ``first`` is the one to spare.

    ``measure`` gives one process's own megabytes and its share of those it shares; None if nobody may see.
    """

    limit_mb: float
    first: int
    members: Callable[[], Sequence[int]]
    measure: Callable[[int], float | None] = field(default_factory=lambda: processes.proportional_mb)
    clock: Callable[[], float] = time.monotonic
    _rest_until: float = field(default=0.0, init=False)
    _chosen: list[int] = field(default_factory=list, init=False)

    def victims(self, *, full: bool = False) -> list[tuple[int, float]]:
        """The processes to kill now, with the megabytes that each holds; almost always empty.

        ``full`` says that the kernel gives the group no more memory, whatever the processes hold themselves
        (files in memory count too): then one has to go, but not before earlier victims are gone.
        """
        started = self.clock()
        if full:
            return self._one_of_a_full_group()
        if started < self._rest_until:
            return []
        members = self.members()
        if processes.resident_mb(members) <= self.limit_mb:
            return []
        # The cheap sum counts a page once for each fork that shares it: measure exactly before killing.
        sizes = self._sizes(members)
        ended = self.clock()
        self._rest_until = ended + _REST_FACTOR * (ended - started)
        return self._remembered(choose_victims(sizes, first=self.first, limit_mb=self.limit_mb))

    def _sizes(self, members: Sequence[int]) -> dict[int, float]:
        """What each process holds.

        The kernel hides a program whose file its user may start and not read. Each page of such a process
        counts whole, because a process that counted as nothing could hold everything. Where the first
        process is hidden too, this machine hides them all, and whole pages would count the libraries that
        forks share once for each of them: an honest notebook would be killed.
        """
        measured = {process: self.measure(process) for process in members}
        hides_all = measured.get(self.first) is None
        return {
            process: size if size is not None else 0.0 if hides_all else processes.resident_mb([process])
            for process, size in measured.items()
        }

    def _one_of_a_full_group(self) -> list[tuple[int, float]]:
        if processes.resident_mb(self._chosen) > 0:  # what they held is not free yet: another need not go
            return []
        sizes = self._sizes(self.members())
        return self._remembered(
            # One megabyte below what they hold: that is one victim, whatever the group's limit is made up of.
            choose_victims(sizes, first=self.first, limit_mb=max(0.0, sum(sizes.values()) - 1))
        )

    def _remembered(self, victims: list[tuple[int, float]]) -> list[tuple[int, float]]:
        self._chosen = [process for process, _ in victims] or self._chosen
        return victims


def choose_victims(sizes: dict[int, float], *, first: int, limit_mb: float) -> list[tuple[int, float]]:
    """The largest forks whose end brings the sum under the limit; ``first`` if there is no fork."""
    excess = sum(sizes.values()) - limit_mb
    if excess <= 0:
        return []
    forks = sorted((size, process) for process, size in sizes.items() if process != first and size > 0)
    if not forks:
        return [(first, sizes.get(first, 0.0))]
    chosen: list[tuple[int, float]] = []
    while forks and excess > 0:
        size, process = forks.pop()
        chosen.append((process, size))
        excess -= size
    return chosen
