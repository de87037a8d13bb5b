"""Which pool grades a batch: processes on this machine, or the workers of a Dask cluster.

``local_pool`` and ``dask_pool`` do the work. Whichever it is, reports end up on this machine's disk.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Protocol

import msgspec

from grader.course.jobs import Done, Job, Lost, OnDone
from grader.course.local_pool import LocalPool
from grader.course.worker import Settings, finished, patience
from grader.grading.assignment_folder import AssignmentFolder
from grader.host import processors
from grader.model.errors import CannotGrade, Fault, UsageError

WORKER = "grader.course.worker"
INSTALL = "pip install 'chainrule[dask]'"


class Pool(Protocol):
    """Grades submissions in other processes and hands over each result in the caller's thread."""

    def run(self, jobs: Iterable[Job], on_done: OnDone, *, stop: Callable[[], bool]) -> None:
        """Grade all jobs; take no more once ``stop`` returns true."""


def local_pool(home: AssignmentFolder, reports: str, *, workers: int | None = None) -> Pool:
    """Processes on this machine, one per processor unless ``workers`` says how many."""
    return LocalPool(
        # -P: grading is often started in the folder of downloads, whose modules must not be imported here.
        [sys.executable, "-P", "-m", WORKER],
        msgspec.json.encode(Settings(str(home.path), reports)),
        count=workers or processors(),
        patience=patience(home.assignment.limits),
    )


def dask_pool(address: str, home: AssignmentFolder, reports: str, *, notify: Callable[[str], None]) -> Pool:
    """The workers of the Dask scheduler at ``address``; no reports are written if ``reports`` is empty.

    ``notify`` receives a line when the batch has to wait for workers. Nothing connects to the cluster before
    there is something to grade. Raises UsageError for an address that is not trusted, for an assignment that
    is too large to send, and if Dask is not installed.
    """
    try:
        from grader.course import dask_cluster, packing  # noqa: PLC0415  # distributed takes a second
        from grader.course.dask_pool import DaskPool, Program  # noqa: PLC0415
    except ModuleNotFoundError as error:
        if error.name not in {"dask", "distributed"}:
            raise
        raise UsageError(f"--dask needs Dask, which is not installed: {INSTALL}") from None
    dask_cluster.assert_trusted(address)
    settings = partial(remote_settings, pictures=bool(reports))
    program = Program(packing.pack(home), WORKER, settings, patience(home.assignment.limits))
    pool = DaskPool(partial(dask_cluster.connect, address), program, notify=notify)
    return ReportingPool(pool, reports, home)


def remote_settings(assignment: Path, *, pictures: bool) -> bytes:
    """The settings of a grading process on a cluster; reports that are written here need the pictures."""
    return msgspec.json.encode(Settings(str(assignment), pictures=pictures))


class ReportingPool:
    """A pool on other machines: their disk is not this one, so reports are written by this process."""

    def __init__(self, pool: Pool, reports: str, home: AssignmentFolder) -> None:
        self._pool, self._reports, self._home = pool, reports, home

    def run(self, jobs: Iterable[Job], on_done: OnDone, *, stop: Callable[[], bool]) -> None:
        """Grade all jobs; each report is written before its result is handed over."""

        def write_and_pass_on(job: Job, done: Done | Lost) -> None:
            on_done(job, self._written(job, done) if isinstance(done, Done) else done)

        self._pool.run(jobs, write_and_pass_on, stop=stop)

    def _written(self, job: Job, done: Done) -> Done:
        try:
            return finished(done, job, self._reports, self._home)
        except CannotGrade as error:
            return Done(error=str(error), fault=Fault.INFRASTRUCTURE)
