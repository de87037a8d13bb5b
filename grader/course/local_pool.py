"""Worker processes on this machine: each grades one submission at a time; one that dies is replaced.

A worker is a program that reads frames from a socket, whose number is its last argument: first its settings,
then one job after the other, each answered by a Done. It ends when the socket is closed.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from multiprocessing.connection import Connection, wait

import msgspec

from grader.course.jobs import Done, Job, Lost, OnDone
from grader.course.limits import MAX_FRAME, MOST_DEATHS, STOP_SECONDS
from grader.model.endings import no_answer

END_SECONDS = 5.0  # for a worker to end by itself once its connection is closed


class Worker:
    """One worker process and the job it is doing."""

    def __init__(self, command: Sequence[str], settings: bytes) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603  # our own program
                [*command, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                process_group=0,  # Ctrl-C is for the parent, which lets it finish
            )
        self.connection = Connection(ours.detach())
        self.connection.send_bytes(settings)
        self.job: Job | None = None
        self.since = 0.0

    def give(self, job: Job) -> None:
        """Send it a job. That a worker is dead shows when its answer is read."""
        self.job, self.since = job, time.monotonic()
        with contextlib.suppress(OSError):
            self.connection.send_bytes(msgspec.json.encode(job))

    def answer(self) -> Done | None:
        """Its result; None if it has died or sent something that is not one."""
        try:
            return msgspec.json.decode(self.connection.recv_bytes(MAX_FRAME), type=Done)
        except (EOFError, OSError, msgspec.DecodeError):
            return None

    def end(self, *, at_once: bool = False) -> str:
        """End the process and everything it started; how it ended, in words."""
        self.connection.close()
        if not at_once:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(END_SECONDS)
        if self._process.poll() is None:
            self._process.kill()
        status = self._process.wait()
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        return f"ended by {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"


class LocalPool:
    """Runs jobs on ``count`` workers; one that is silent for ``patience`` seconds counts as stuck."""

    def __init__(self, command: Sequence[str], settings: bytes, *, count: int, patience: float) -> None:
        self._command, self._settings = command, settings
        self._count, self._patience = count, patience

    def run(self, jobs: Iterable[Job], on_done: OnDone, *, stop: Callable[[], bool]) -> None:
        """Grade all jobs; ``on_done`` receives each result, in this thread.

        A job is taken when a worker is free. Once ``stop`` returns true no more are taken, and those that are
        being graded are finished.
        """
        source = iter(jobs)
        again: deque[Job] = deque()
        deaths: dict[str, int] = {}
        workers: list[Worker] = []
        try:
            while True:
                self._hand_out(workers, again, source, stop)
                busy = [worker for worker in workers if worker.job is not None]
                if not busy:
                    return
                for worker in self._ready(busy):
                    self._settle(worker, workers, again, deaths, on_done)
        finally:
            self._end(workers)

    def _hand_out(
        self, workers: list[Worker], again: deque[Job], source: Iterator[Job], stop: Callable[[], bool]
    ) -> None:
        """Give every free worker a job, and start workers while there are jobs for them."""
        idle = [worker for worker in workers if worker.job is None]
        while not stop() and (idle or len(workers) < self._count):
            job = again.popleft() if again else next(source, None)
            if job is None:
                return
            if not idle:
                workers.append(Worker(self._command, self._settings))
                idle.append(workers[-1])
            idle.pop().give(job)

    def _ready(self, busy: list[Worker]) -> list[Worker]:
        """The workers that have answered or died, or have been silent for too long."""
        now = time.monotonic()
        stuck = [worker for worker in busy if now - worker.since > self._patience]
        if stuck:
            return stuck
        ready = wait([worker.connection for worker in busy], STOP_SECONDS)
        return [worker for worker in busy if worker.connection in ready]

    def _settle(
        self,
        worker: Worker,
        workers: list[Worker],
        again: deque[Job],
        deaths: dict[str, int],
        on_done: OnDone,
    ) -> None:
        """Pass a result on; after a death try the same submission with another worker."""
        job = worker.job
        if job is None:
            return
        is_stuck = time.monotonic() - worker.since > self._patience and not worker.connection.poll()
        done = None if is_stuck else worker.answer()
        if done is not None:
            worker.job = None
            on_done(job, done)
            return
        workers.remove(worker)
        reason = worker.end(at_once=True)
        if is_stuck:
            reason = no_answer(self._patience)
        deaths[job.sha256] = count = deaths.get(job.sha256, 0) + 1
        if count < MOST_DEATHS:
            again.append(job)
        else:
            on_done(job, Lost(count, reason))

    def _end(self, workers: list[Worker]) -> None:
        for worker in workers:
            worker.end(at_once=worker.job is not None)
