"""What a check, a cell or a step of ours may take: processor time, with a longer limit for what sleeps.

On a busy machine a second of work takes many seconds of waiting, and that is nobody's fault. So time that a
submission waits for counts as used only as far as its processes were given a processor. What sleeps uses
none: it may take several times as long. The sandbox's supervisor measures; student code has no say.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from grader.model.errors import TooBusy
from grader.model.isolation import Usage

SLEEPING = 3
"""What sleeps may take this many times its limit: a third of the time that it takes is charged."""

STARVED = 20
"""After this many times its limit, what is still short of a processor is given up and tried again."""

_SHORT = 0.2  # seconds that are charged as they are: asking the supervisor would cost more than it is worth
_LOOK = 0.05, 1.0  # seconds until the next question to the supervisor, at least and at most


class Meter(Protocol):
    """Measures what a sandbox uses."""

    def usage(self, since: float) -> Usage | None:
        """What was used since a moment of time.monotonic; None if nobody knows."""


class Allowance:
    """``seconds`` for one or more requests together; without ``meter``, seconds of waiting.

    Computing on the trusted side between two requests is not charged.
    """

    def __init__(self, seconds: float, meter: Meter | None = None) -> None:
        self.seconds, self._meter = seconds, meter
        self._since = time.monotonic()
        self._waited, self._began, self._charged = 0.0, self._since, 0.0
        self._starved = 0.0
        self._latest = 0.0  # seconds of the latest request

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """While one request is answered."""
        self._began = time.monotonic()
        try:
            yield
        finally:
            self._latest = time.monotonic() - self._began
            self._waited += self._latest
            self._began = 0.0

    def is_the_latests(self) -> bool:
        """Whether the latest request took more time than all before it."""
        return self._latest > self._waited / 2

    def left(self) -> float:
        """How many more seconds to wait before asking again; 0 once all is used up.

        Raises TooBusy if the machine gives the sandbox too little processor time.
        """
        waited = self._wall()
        left = self.seconds - waited
        if left > 0:
            return left
        usage = self._usage()
        self._charged = waited if usage is None else charged(waited, usage)
        self._starved = usage.starved if usage is not None else 0.0
        left = self.seconds - self._charged
        if usage is None or left <= 0:
            return 0.0
        if waited > STARVED * self.seconds:
            raise TooBusy(self.seconds, waited, usage.cpu)
        return min(max(left, _LOOK[0]), _LOOK[1])

    def again(self, seconds: float) -> Allowance:
        """An allowance of its own for what comes now, after this one is used up."""
        return Allowance(seconds, self._meter)

    def excused(self) -> float:
        """The seconds of waiting, so far, in which the machine was too busy."""
        if (
            self._charged < self.seconds and self._wall() > _SHORT
        ):  # what comes after the limit is not its own
            usage = self._usage()
            self._starved = usage.starved if usage is not None else 0.0
        return self._starved

    def used(self) -> float:
        """The seconds of waiting, so far, that the submission answers for: here sleep counts whole."""
        return max(0.0, self._wall() - self.excused())

    def _wall(self) -> float:
        return self._waited + (time.monotonic() - self._began if self._began else 0.0)

    def _usage(self) -> Usage | None:
        return self._meter.usage(self._since) if self._meter is not None else None


def charged(waited: float, usage: Usage) -> float:
    """The part of ``waited`` seconds that a submission answers for.

    Processor time counts whole, but several processors at once count as one. Of the rest, time in which it
    could have run and did not does not count, and sleep counts a third.
    """
    return max(min(waited, usage.cpu), (waited - usage.starved) / SLEEPING)
