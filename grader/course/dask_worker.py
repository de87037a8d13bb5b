"""What runs inside a Dask worker: it lends out processes that grade, and grades nothing itself.

A Dask worker runs tasks in threads, but grading forks and redirects output. So each thread borrows a worker
of the program that a batch on one machine runs (see ``local_pool``). No student code runs in the Dask worker.
"""

from __future__ import annotations

import platform
import shutil
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from distributed import Scheduler, SchedulerPlugin, WorkerPlugin, get_worker
from distributed import Worker as DaskWorker

from grader.course.jobs import Done, Job
from grader.course.local_pool import Worker, WorkerProgram
from grader.course.packing import unpack
from grader.handed_in.package import from_bytes
from grader.model.version import __version__


class JobWithFile(msgspec.Struct, frozen=True):
    """A job with its package's files as bytes; the paths in ``job`` are another machine's."""

    job: Job
    content: bytes


class Reply(msgspec.Struct, frozen=True):
    """What became of a job on the Dask worker at an address.

    Without ``done`` the grading process died or could not start; ``death`` says how.
    """

    worker: str
    done: Done | None = None
    death: str = ""


def own_versions() -> dict[str, str]:
    """The versions that have to be the same on both sides, so that grades are."""
    major, minor, _ = platform.python_version_tuple()
    return {"chainrule": __version__, "python": f"{major}.{minor}"}


def grade_bytes(name: str, packed: bytes) -> bytes:
    """The task that a cluster runs: an encoded Reply for an encoded JobWithFile; nothing is ever raised.

    ``name`` is that of the batch's Graders on this worker.
    """
    here = get_worker()
    graders = here.plugins.get(name)
    try:
        if graders is None:
            return msgspec.msgpack.encode(Reply(here.address, death="this batch has no graders there"))
        reply = Reply(here.address, *graders.grade(msgspec.msgpack.decode(packed, type=JobWithFile)))
    except Exception as error:  # noqa: BLE001  # an exception would cross to the parent as a pickle
        reply = Reply(here.address, death=f"{type(error).__name__}: {error}")
    return msgspec.msgpack.encode(reply)


class Graders(WorkerPlugin):  # type: ignore[misc]  # distributed is not installed everywhere we check types
    """The grading processes of one batch on one Dask worker, at most one per thread, and the assignment.

    ``module`` is their program; ``settings`` makes what they receive first, from the assignment's folder.
    After ``patience`` seconds without an answer a process counts as stuck.
    """

    def __init__(
        self, name: str, *, packed: bytes, module: str, settings: Callable[[Path], bytes], patience: float
    ) -> None:
        self.name = name
        self._packed, self._module = packed, module
        self._settings, self._patience = settings, patience

    def setup(self, worker: DaskWorker) -> None:
        """Start on a worker. The folder and processes are made when the first job arrives."""
        self._scratch = worker.local_directory  # where Dask cleans up after workers that were killed
        self._place: Path | None = None
        self._program: WorkerProgram | None = None
        self._lock = threading.Lock()
        self._idle: list[Worker] = []
        self._lent = 0
        self._is_over = False
        # The kernel ends a process when the thread that started it ends (PR_SET_PDEATHSIG), and threads of
        # Dask come and go: so one thread of our own starts them all.
        self._starter = ThreadPoolExecutor(1, "chainrule-starter")

    def teardown(self, worker: DaskWorker) -> None:
        """End idle processes; the others end once they have answered."""
        del worker
        with self._lock:
            self._is_over = True
            self._tidy()

    def grade(self, sent: JobWithFile) -> tuple[Done | None, str]:
        """The result, or how the process died that should have given it."""
        with self._borrowed() as (place, program, workers):
            with tempfile.TemporaryDirectory(dir=place, prefix="work-") as folder:
                package = from_bytes(sent.content, Path(folder))
                worker = workers.pop() if workers else self._starter.submit(Worker, program).result()
                worker.give(msgspec.structs.replace(sent.job, package=package))
                is_stuck = not worker.connection.poll(self._patience)
                done = worker.give_up(self._patience) if is_stuck else worker.answer()
            if isinstance(done, Done):
                workers.append(worker)
                return done, ""
            worker.end()
            return None, done

    @contextmanager
    def _borrowed(self) -> Iterator[tuple[Path, WorkerProgram, list[Worker]]]:
        """The folder, the program, and at most one idle worker; what the list holds afterwards is idle."""
        with self._lock:
            place, program = self._unpacked()
            self._lent += 1
            workers = [self._idle.pop()] if self._idle else []
        try:
            yield place, program, workers
        finally:
            with self._lock:
                self._lent -= 1
                self._idle += workers
                self._tidy()

    def _unpacked(self) -> tuple[Path, WorkerProgram]:
        """The folder with the assignment, unpacked on first use, and the program that grades with it."""
        if self._place is None or self._program is None:
            place = Path(tempfile.mkdtemp(dir=self._scratch, prefix="chainrule-"))
            try:
                unpack(self._packed, place / "assignment")
            except BaseException:
                shutil.rmtree(place, ignore_errors=True)
                raise
            self._place = place
            command = [sys.executable, "-P", "-m", self._module]
            self._program = WorkerProgram(command, self._settings(place / "assignment"))
        return self._place, self._program

    def _tidy(self) -> None:
        """Once the batch is over: end idle processes, and remove the folder when no process uses it."""
        if not self._is_over:
            return
        while self._idle:
            self._starter.submit(self._idle.pop().end)
        if not self._lent:
            if self._program is not None:
                self._starter.submit(self._program.end)
            if self._place is not None:
                self._starter.submit(shutil.rmtree, self._place, ignore_errors=True)
            self._starter.shutdown(wait=False)


class Steward(SchedulerPlugin):  # type: ignore[misc]
    """Removes a batch's graders from the workers once the batch's process is gone, however it ended.

    It runs in the scheduler, because nothing in a process that is killed can clean up after itself.
    """

    def __init__(self, graders: str, client: str) -> None:
        self.name = f"{graders}-steward"
        self._graders, self._client = graders, client

    def remove_client(self, scheduler: Scheduler, client: str) -> None:
        """A client has left the cluster, or its connection is lost."""
        if client == self._client:
            scheduler.loop.add_callback(self._take_away, scheduler)

    async def _take_away(self, scheduler: Any) -> None:
        scheduler.remove_plugin(self.name)
        await scheduler.unregister_worker_plugin(None, self._graders)
