"""A batch on the workers of a dask.distributed cluster: sends works, counts deaths, gives answers on.

What crosses: works go as bytes together with the submission's, answers come as bytes (msgpack of plain data,
decoded against a fixed type), and whatever goes wrong in a task comes as such an answer too. So nothing that
was made from a student's file is ever unpickled here. Dask itself does pickle: the function's name, the
plugins, the types of values, its own exceptions, and a scheduler may send any pickle it likes. Who holds the
cluster's certificate can therefore run code in every part of the cluster, and here: that is Dask's design,
and why only TLS and this very machine are spoken to.
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

from grader.course.dask_cluster import START_AGAIN, Cluster, reached
from grader.course.dask_worker import Graders, Job, Reply, Steward, grade_bytes
from grader.course.limits import MOST_DEATHS, STOP_SECONDS
from grader.course.work import Done, Lost, OnDone, Work
from grader.model.errors import CannotGrade, Fault, SubmissionError
from grader.notebooks.submission_file import bytes_of

PER_THREAD = 2  # works sent for each thread of the cluster: one that is graded and one that waits
MOST_BYTES = 256 << 20  # of submissions on their way, beyond the first


@dataclass(frozen=True)
class Program:
    """What grades on a worker: see Graders."""

    packed: bytes
    module: str
    settings: Callable[[Path], bytes]
    patience: float


class DaskPool:
    """Runs works on a cluster; ``tell`` is given a line when there is something to wait for."""

    def __init__(
        self, connect: Callable[[], Client], program: Program, *, tell: Callable[[str], None]
    ) -> None:
        self._connect, self._program, self._tell = connect, program, tell

    def run(self, works: Iterable[Work], on_done: OnDone, *, stop: Callable[[], bool]) -> None:
        """Grade all works; ``on_done`` is told each end, in this thread. Raises CannotGrade.

        Works are taken as the cluster gets free. Once ``stop`` says so no more are taken, and what was sent
        is finished. With no work at all no cluster is needed.
        """
        source = iter(works)
        first = next(source, None)
        if first is None:
            return
        with self._connect() as client:
            cluster = Cluster(client, tell=self._tell)  # before anything of ours is sent there
            name = self._install(client)
            Sending(cluster, name, itertools.chain([first], source), on_done, stop).run()

    def _install(self, client: Client) -> str:
        """Give the workers, those to come too, what they grade with; its name."""
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
            with reached():
                client.register_plugin(Steward(name, client.id))
                client.register_plugin(graders)
        except CannotGrade:
            raise
        except Exception as error:  # what was raised over there, of any kind
            raise CannotGrade(f"the cluster does not take our graders: {described(error)}") from error
        return name


def described(error: Exception) -> str:
    """An error of Dask's in one line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


@dataclass
class Sent:
    """A work on its way."""

    work: Work
    size: int
    future: Future


@dataclass
class Sending:
    """One run of a pool on a cluster."""

    cluster: Cluster
    name: str
    source: Iterator[Work]
    on_done: OnDone
    stop: Callable[[], bool]
    again: deque[Work] = field(default_factory=deque)
    tried: dict[str, list[str]] = field(default_factory=dict)
    sent: dict[str, Sent] = field(default_factory=dict)
    ended: queue.SimpleQueue[str] = field(default_factory=queue.SimpleQueue)
    numbers: Iterator[int] = field(default_factory=itertools.count)
    is_out_of_works: bool = False

    def run(self) -> None:
        """Send and settle until nothing is left, or what was sent before ``stop`` has ended."""
        while True:
            self._fill()
            if not self.sent and (self.stop() or (self.is_out_of_works and not self.again)):
                return
            for key in self._wait():
                self._settle(self.sent.pop(key))

    def _fill(self) -> None:
        room = PER_THREAD * self.cluster.threads()
        while len(self.sent) < room and not self.stop():
            if self.sent and sum(sent.size for sent in self.sent.values()) > MOST_BYTES:
                return
            work = self.again.popleft() if self.again else next(self.source, None)
            if work is None:
                self.is_out_of_works = True
                return
            self._send(work)

    def _send(self, work: Work) -> None:
        try:
            content = bytes_of(Path(work.path))
        except SubmissionError as error:
            self.on_done(work, Done(error=str(error), fault=Fault.STUDENT))
            return
        key = f"{self.name}-{next(self.numbers)}"
        job = Job(msgspec.structs.replace(work, path=Path(work.path).name), content)
        tried = self.tried.get(work.sha256, [])
        others = [address for address in self.cluster.addresses if address not in tried] if tried else []
        elsewhere: dict[str, Any] = {"workers": others, "allow_other_workers": True} if others else {}
        with dask.config.set({"distributed.admin.large-graph-warning-threshold": "1 GiB"}):
            future = self.cluster.client.submit(
                grade_bytes, self.name, msgspec.msgpack.encode(job), key=key, pure=False, **elsewhere
            )
        self.sent[key] = Sent(work, len(content), future)
        future.add_done_callback(lambda ended: self.ended.put(ended.key))

    def _wait(self) -> Iterator[str]:
        """The keys of works that have ended; after a while, none."""
        try:
            yield self.ended.get(timeout=STOP_SECONDS)
            while True:
                yield self.ended.get_nowait()
        except queue.Empty:
            self.cluster.assert_connected()

    def _settle(self, sent: Sent) -> None:
        work = sent.work
        try:
            reply = msgspec.msgpack.decode(sent.future.result(), type=Reply)
        except KilledWorker as error:
            # The scheduler has already tried it on one worker after the other.
            self.on_done(work, Lost(error.allowed_failures + 1, "Dask workers, not only their graders"))
            return
        except Exception as error:  # Dask's own, of any kind
            self.cluster.assert_connected()
            raise CannotGrade(
                f"the cluster could not grade {work.name}: {described(error)}; {START_AGAIN}"
            ) from error
        if reply.done is not None:
            self.on_done(work, reply.done)
            return
        tried = self.tried.setdefault(work.sha256, [])
        tried.append(reply.worker)
        if len(tried) < MOST_DEATHS:
            self.again.append(work)
        else:
            self.on_done(work, Lost(len(tried), f"{reply.death} on {reply.worker}"))
