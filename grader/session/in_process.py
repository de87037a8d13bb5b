"""Checks against code in this very process: a student's own machine, no isolation.

Works on every platform. The same codec carries every value, so that a public test means here what a hidden
one means in the sandbox. Nothing that only Linux has may be imported here.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from typing import Any

from grader.inside import codec
from grader.inside.agent import Agent, redirected, reseed
from grader.model.errors import CallTimedOut
from grader.session.notebook import CellRun, run_cell
from grader.session.transport import Frame, OnOutput, Session


class FrameList:
    """Keeps what an agent sends."""

    def __init__(self) -> None:
        self.frames: list[Frame] = []

    def send(self, frame: Frame) -> None:
        """Keep one frame, copied as a socket would."""
        self.frames.append([bytes(part) for part in frame])


class InProcessTransport:
    """Hands requests to an agent in this process."""

    def __init__(self, names: dict[str, Any], shell: Any = None) -> None:
        self._sink = FrameList()
        self.agent = Agent(names, self._sink, shell=shell)

    def exchange(
        self, frame: Frame, request: int, on_output: OnOutput, *, seconds: float
    ) -> tuple[int, codec.Buffer, codec.Buffer]:
        """See Transport.exchange. Endless loops are stopped where the platform has interval timers."""
        self._sink.frames = []
        with redirected(self.agent), time_limit(seconds) as limit:
            self.agent.handle(request, frame[1], bytearray(b"".join(frame[2:])))
        *outputs, answer = [parse(sent) for sent in self._sink.frames]
        for kind, tree, buffer in outputs:
            on_output(kind, tree, buffer)
        if limit.passed:
            raise CallTimedOut(f"no answer within {seconds:g} s")
        return answer


def parse(frame: Frame) -> tuple[int, codec.Buffer, codec.Buffer]:
    """(kind, tree, buffer) of a frame that was kept as a list of parts."""
    _, _, _, kind = codec.parse_header(frame[0])
    return kind, frame[1], bytearray(b"".join(frame[2:]))


class TimeLimit:
    """Whether the time was up."""

    passed = False


@contextlib.contextmanager
def time_limit(seconds: float) -> Iterator[TimeLimit]:
    """Raise KeyboardInterrupt in the main thread after ``seconds``; no limit where there are no timers."""
    limit = TimeLimit()
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield limit
        return

    def stop(*_: object) -> None:
        limit.passed = True
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield limit
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


class LocalNotebook:
    """A notebook's live state in this process; ``shell`` runs its cells, if any are still to run."""

    isolation = "none"

    def __init__(self, names: dict[str, Any], shell: Any = None) -> None:
        self._names, self._shell = names, shell

    def run_cell(self, source: str, *, seconds: float) -> CellRun:
        """See Notebook.run_cell."""
        session = Session(InProcessTransport(self._names, self._shell), seconds=seconds)
        return run_cell(session, source, seconds=seconds)

    @contextlib.contextmanager
    def copy(self, *, seed: int, seconds: float) -> Iterator[Session]:
        """A session over the live state; names that the check sets or the code rebinds are put back after it.

        Objects that a check changes in place stay changed: only the sandbox gives each check its own copy.
        """
        before = dict(self._names)
        reseed(seed)
        try:
            yield Session(InProcessTransport(self._names), seconds=seconds)
        finally:
            self._names.clear()
            self._names.update(before)

    def close(self) -> None:
        """Nothing was started."""
