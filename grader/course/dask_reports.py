"""`grade batch --dask ADDRESS`: the pool that grades on a cluster, with reports written here."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from grader.course.work import Done, Lost, OnDone, Work
from grader.course.worker import Settings, finished, patience
from grader.grading.assignment_folder import AssignmentFolder
from grader.model.errors import CannotGrade, Fault, UsageError

if TYPE_CHECKING:
    from grader.course.run import Pool

MODULE = "grader.course.worker"
INSTALL = "pip install 'chainrule[dask]'"


def dask_pool(
    address: str,
    home: AssignmentFolder,
    reports: str,
    *,
    tell: Callable[[str], None] | None = None,
) -> Pool:
    """The pool that grades on the workers of the scheduler at ``address``; ``reports`` empty writes none.

    Raises UsageError for an address that is not trusted, an assignment that is too large and where Dask is
    not installed. The cluster is spoken to when there is something to grade.
    """
    try:
        from grader.course import dask_cluster, packing  # noqa: PLC0415  # distributed takes a second
        from grader.course.dask_pool import DaskPool, Program  # noqa: PLC0415
    except ModuleNotFoundError as error:
        if error.name not in {"dask", "distributed"}:
            raise
        raise UsageError(f"--dask needs Dask, which is not installed: {INSTALL}") from None
    dask_cluster.assert_trusted(address)
    settings = partial(settings_of, pictures=bool(reports))
    program = Program(packing.pack(home), MODULE, settings, patience(home.assignment.limits))
    pool = DaskPool(partial(dask_cluster.connect, address), program, tell=tell or say)
    return Reporting(pool, reports)


def settings_of(assignment: Path, *, pictures: bool) -> bytes:
    """What a grading process on a cluster's worker is told first; reports made here need the pictures."""
    return msgspec.json.encode(Settings(str(assignment), pictures=pictures))


def say(line: str) -> None:
    """A line for whoever waits, on standard error."""
    click.echo(f"grade: {line}", err=True)


class Reporting:
    """A pool whose answers' reports are written by this process: the workers have another disk."""

    def __init__(self, pool: Pool, reports: str) -> None:
        self._pool, self._reports = pool, reports

    def run(self, works: Iterable[Work], on_done: OnDone, *, stop: Callable[[], bool]) -> None:
        """See the pool's own."""

        def written(work: Work, done: Done | Lost) -> None:
            on_done(work, self._written(work, done) if isinstance(done, Done) else done)

        self._pool.run(works, written, stop=stop)

    def _written(self, work: Work, done: Done) -> Done:
        try:
            return finished(done, work.name, self._reports)
        except CannotGrade as error:
            return Done(error=str(error), fault=Fault.INFRASTRUCTURE)
