"""Workers on this machine: each grades one submission at a time; one that dies is replaced.

All of them are served by one program, ``grader.course.worker``, which imports everything once and grades each
submission in a fork of itself. It receives frames from a socket, whose number is its last argument: first its
settings, then the end of a connection for each worker. Over that go jobs, one after the other, each answered
by an Answer.
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

from grader.course.jobs import Answer, Done, Job, Lost, OnDone, send
from grader.course.limits import MAX_FRAME, MOST_DEATHS, STOP_SECONDS
from grader.model.endings import no_answer

END_SECONDS = 5.0  # for the program to end by itself once its connection is closed


class WorkerProgram:
    """The program that serves workers, started when the first one connects, and anew once it has died."""

    def __init__(self, command: Sequence[str], settings: bytes) -> None:
        self._command, self._settings = command, settings
        self._running: tuple[subprocess.Popen[bytes], socket.socket] | None = None

    def connect(self) -> Connection:
        """A connection for one worker."""
        if self._running is not None and self._running[0].poll() is not None:
            self.end()
        if self._running is None:
            self._running = self._start()
        ours, theirs = socket.socketpair()
        with theirs, contextlib.suppress(OSError):  # that it is dead shows when an answer is read
            socket.send_fds(self._running[1], [b"C"], [theirs.fileno()])
        return Connection(ours.detach())

    def end(self, *, at_once: bool = False) -> None:
        """End the process and everything it started. It may be started again."""
        if self._running is None:
            return
        process, control = self._running
        self._running = None
        control.close()
        if not at_once:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(END_SECONDS)
        if process.poll() is None:
            process.kill()
        process.wait()
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)

    def how_ended(self) -> str:
        """How the process ended; to be asked when it has closed a connection."""
        if self._running is None:
            return "it was ended"
        try:
            return how_ended(self._running[0].wait(END_SECONDS))
        except subprocess.TimeoutExpired:
            return "it closed the connection"

    def _start(self) -> tuple[subprocess.Popen[bytes], socket.socket]:
        ours, theirs = socket.socketpair()
        with theirs:
            process = subprocess.Popen(  # noqa: S603  # our own program
                [*self._command, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                process_group=0,  # Ctrl-C is for the parent, which lets it finish
            )
        with Connection(os.dup(ours.fileno())) as connection, contextlib.suppress(OSError):
            connection.send_bytes(self._settings)
        return process, ours


class Worker:
    """One worker and the job it is doing."""

    def __init__(self, program: WorkerProgram) -> None:
        self._program = program
        self.connection = program.connect()
        self.job: Job | None = None
        self.since = 0.0

    def give(self, job: Job) -> None:
        """Send it a job. That a worker is dead shows when its answer is read."""
        self.job, self.since = job, time.monotonic()
        with contextlib.suppress(OSError):
            send(job, self.connection)

    def answer(self) -> Done | str:
        """Its result, or how it died."""
        try:
            answer = msgspec.json.decode(self.connection.recv_bytes(MAX_FRAME), type=Answer)
        except (EOFError, OSError, msgspec.DecodeError):
            return self._program.how_ended()
        return answer.done or how_ended(answer.status)

    def give_up(self, patience: float) -> str:
        """End its program, which has been silent for ``patience`` seconds; how that is said.

        The limits of each process should have ended it long before.
        """
        self._program.end(at_once=True)
        return no_answer(patience)

    def end(self) -> None:
        """End what it is doing."""
        self.connection.close()


def how_ended(status: int) -> str:
    """The end of a process in words, from its exit status or, negated, from the signal that ended it."""
    return f"ended by {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"


class LocalPool:
    """Runs jobs on ``count`` workers; if one is silent for ``patience`` seconds, their program is stuck."""

    def __init__(self, command: Sequence[str], settings: bytes, *, count: int, patience: float) -> None:
        self._program = WorkerProgram(command, settings)
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
                workers.append(Worker(self._program))
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
        done = worker.give_up(self._patience) if is_stuck else worker.answer()
        if isinstance(done, Done):
            worker.job = None
            on_done(job, done)
            return
        workers.remove(worker)
        worker.end()
        deaths[job.sha256] = count = deaths.get(job.sha256, 0) + 1
        if count < MOST_DEATHS:
            again.append(job)
        else:
            on_done(job, Lost(count, done))

    def _end(self, workers: list[Worker]) -> None:
        busy = any(worker.job is not None for worker in workers)
        for worker in workers:
            worker.end()
        self._program.end(at_once=busy)
