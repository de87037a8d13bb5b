"""A batch on the workers of a dask.distributed cluster: sends jobs, counts deaths, hands over results.

What crosses: a job goes out as bytes, with the submission's bytes in it; its result comes back as bytes
(msgpack of plain data, decoded against a fixed type), and so does whatever goes wrong in a task. So nothing
that was made from a student's file is ever unpickled here. Dask itself does pickle: the function's name, the
plugins, the types of values, its own exceptions, and a scheduler may send any pickle it likes. Whoever holds
the cluster's certificate can therefore run code everywhere in the cluster, and here. That is Dask's design,
and the reason why only TLS and this machine are trusted.
"""

from __future__ import annotations

import itertools
import queue
import secrets
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dask
import msgspec
from distributed import Client, Future, KilledWorker

from grader.course.dask_cluster import START_AGAIN, Cluster, scheduler_reached
from grader.course.dask_worker import Graders, JobWithFile, Reply, Steward, grade_bytes
from grader.course.jobs import Job, Lost, OnDone, not_as_planned
from grader.course.limits import MOST_DEATHS, STOP_SECONDS
from grader.handed_in.package import as_bytes
from grader.model.errors import CannotGrade, InfrastructureError

PER_THREAD = 2  # jobs sent for each thread of the cluster: one that is graded and one that waits
MOST_BYTES = 256 << 20  # of submissions on their way: the scheduler keeps them all in memory


@dataclass(frozen=True)
class Program:
    """What a worker needs to grade: see Graders."""

    packed: bytes
    module: str
    settings: Callable[[Path], bytes]
    patience: float


class DaskPool:
    """Runs jobs on a cluster; ``notify`` receives a line when there is something to wait for."""

    def __init__(
        self, connect: Callable[[], Client], program: Program, *, notify: Callable[[str], None]
    ) -> None:
        self._connect, self._program, self._notify = connect, program, notify

    def run(self, jobs: Iterable[Job], on_done: OnDone, *, stop: Callable[[], bool]) -> None:
        """Grade all jobs; ``on_done`` receives each result, in this thread. Raises CannotGrade.

        Jobs are taken as threads of the cluster get free. Once ``stop`` returns true no more are taken, and
        those that were sent are finished. Without any job no cluster is needed.
        """
        source = iter(jobs)
        first = next(source, None)
        if first is None:
            return
        with self._connect() as client:
            cluster = Cluster(client, notify=self._notify)  # looks at versions before anything is sent
            name = self._install(client)
            Sending(cluster, name, itertools.chain([first], source), on_done, stop).run()

    def _install(self, client: Client) -> str:
        """Give all workers, also those that join later, what they need to grade; its name."""
        name = f"chainrule-{secrets.token_hex(8)}"
        program = self._program
        graders = Graders(
            name,
            packed=program.packed,
            module=program.module,
            settings=program.settings,
            patience=program.patience,
        )
        try:
            with scheduler_reached():
                client.register_plugin(Steward(name, client.id))
                client.register_plugin(graders)
        except CannotGrade:
            raise
        except Exception as error:  # anything that a worker raised
            raise CannotGrade(f"the cluster does not take our graders: {described(error)}") from error
        return name


def described(error: Exception) -> str:
    """An error of Dask's in one line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


@dataclass
class Sent:
    """A job on its way."""

    job: Job
    size: int
    future: Future


@dataclass
class Sending:
    """One run of a pool on a cluster.

    ``tried`` are the workers on which each submission (by SHA-256) killed its grader; ``again`` are jobs to
    send once more. Dask calls back in a thread of its own, which only puts a key into ``ended``: everything
    else happens in the caller's thread.
    """

    cluster: Cluster
    name: str
    source: Iterator[Job]
    on_done: OnDone
    stop: Callable[[], bool]
    again: deque[Job] = field(default_factory=deque)
    tried: dict[str, list[str]] = field(default_factory=dict)
    sent: dict[str, Sent] = field(default_factory=dict)
    ended: queue.SimpleQueue[str] = field(default_factory=queue.SimpleQueue)
    numbers: Iterator[int] = field(default_factory=itertools.count)
    is_out_of_works: bool = False

    def run(self) -> None:
        """Send jobs and settle results until none is left, or those sent before ``stop`` have ended."""
        while True:
            self._fill()
            if not self.sent and (self.stop() or (self.is_out_of_works and not self.again)):
                return
            for key in self._wait():
                self._settle(self.sent.pop(key))

    def _fill(self) -> None:
        room = PER_THREAD * self.cluster.threads()
        while len(self.sent) < room and not self.stop():
            # One submission is always on its way, however large it is.
            if self.sent and sum(sent.size for sent in self.sent.values()) > MOST_BYTES:
                return
            job = self.again.popleft() if self.again else next(self.source, None)
            if job is None:
                self.is_out_of_works = True
                return
            self._send(job)

    def _send(self, job: Job) -> None:
        try:
            content = as_bytes(job.package)
        except InfrastructureError as error:
            self.on_done(job, not_as_planned(job, error))
            return
        key = f"{self.name}-{next(self.numbers)}"
        packed = JobWithFile(job, content)
        # After a death another worker is preferred: the machine may have been the reason.
        tried = self.tried.get(job.sha256, [])
        others = [address for address in self.cluster.addresses if address not in tried] if tried else []
        elsewhere: dict[str, Any] = {"workers": others, "allow_other_workers": True} if others else {}
        with dask.config.set({"distributed.admin.large-graph-warning-threshold": "1 GiB"}):
            future = self.cluster.client.submit(
                grade_bytes, self.name, msgspec.msgpack.encode(packed), key=key, pure=False, **elsewhere
            )
        self.sent[key] = Sent(job, len(content), future)
        future.add_done_callback(lambda ended: self.ended.put(ended.key))

    def _wait(self) -> Iterator[str]:
        """The keys of jobs that have ended; none after a while, so that ``stop`` is noticed."""
        try:
            yield self.ended.get(timeout=STOP_SECONDS)
            while True:
                yield self.ended.get_nowait()
        except queue.Empty:
            self.cluster.assert_connected()

    def _settle(self, sent: Sent) -> None:
        job = sent.job
        try:
            reply = msgspec.msgpack.decode(sent.future.result(), type=Reply)
        except KilledWorker as error:
            # Workers died, not only their graders. The scheduler has already tried one after the other.
            self.on_done(job, Lost(error.allowed_failures + 1, "Dask workers, not only their graders"))
            return
        except Exception as error:  # any of Dask's own
            self.cluster.assert_connected()
            raise CannotGrade(
                f"the cluster could not grade {job.name}: {described(error)}; {START_AGAIN}"
            ) from error
        if reply.done is not None:
            self.on_done(job, reply.done)
            return
        tried = self.tried.setdefault(job.sha256, [])
        tried.append(reply.worker)
        if len(tried) < MOST_DEATHS:
            self.again.append(job)
        else:
            self.on_done(job, Lost(len(tried), f"{reply.death} on {reply.worker}"))
