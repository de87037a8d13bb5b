"""The program that grades a batch's submissions one by one: ``python -m grader.course.worker FD``.

Standard output is left alone: frames go over the socket whose number is the last argument.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import gc
import importlib
import os
import signal
import sys
import time
from collections.abc import Iterator
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NoReturn

import msgspec

from grader.course.jobs import Done, Job, run_job, stopped
from grader.course.limits import MAX_FRAME
from grader.course.report_files import report_name, write_reports
from grader.grading import assignment_folder
from grader.grading.assignment_folder import AssignmentFolder
from grader.grading.opening import CHECKS_NEED, WarmProcesses, opener
from grader.grading.own_process import Died, Link, OwnProcess
from grader.model.assignment import Limits
from grader.model.errors import BoundReached, CannotGrade, Fault
from grader.model.records import decode, encode, without_figures

_PR_SET_PDEATHSIG = 1
BUSY = 10
ONCE = (
    *("grader.session.sandboxed_notebook", "grader.checks.closeness", "grader.checks.gradients"),
    *("grader.grading.decorators", "_pytest.helpconfig", "_pytest.skipping", "_pytest._argcomplete"),
)
"""What a submission's process needs beyond CHECKS_NEED; pytest's own take 10 ms."""

EXTRA_SECONDS = 120.0  # for starting a sandbox, reading the file and writing the report


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a worker receives first: the assignment's folder, and where reports go (empty: nowhere).

    With ``pictures`` nothing is written and results keep their pictures: the receiver makes the report.
    """

    assignment: str
    reports: str = ""
    pictures: bool = False


def patience(limits: Limits) -> float:
    """The seconds after which a worker that has not answered counts as stuck.

    Generous: it has limits of its own, which do not count what it waits for a busy machine, and this one only
    has to catch what those do not.
    """
    return BUSY * limits.total_seconds + EXTRA_SECONDS


def main(descriptor: int) -> None:
    """Grade jobs until the other side closes the connection."""
    die_with_parent()
    with Connection(descriptor) as connection, contextlib.suppress(EOFError, OSError):
        settings = msgspec.json.decode(connection.recv_bytes(MAX_FRAME), type=Settings)
        with WarmProcesses() as warm:
            grader = Grader(settings, warm)
            import_all()
            for job in jobs(connection):
                connection.send_bytes(msgspec.json.encode(grader.grade(job)))


def import_all() -> None:
    """Import what each submission's process needs, once for all of them."""
    for module in (*CHECKS_NEED, *ONCE):
        importlib.import_module(module)
    importlib.import_module("grader.reports.page").prepare()
    gc.freeze()  # a collection in a fork would copy every page that it shares with this process


def jobs(connection: Connection) -> Iterator[Job]:
    """The jobs that arrive, until the other side closes."""
    while True:
        yield msgspec.json.decode(connection.recv_bytes(MAX_FRAME), type=Job)


class Grader:
    """Grades one submission after the other with one assignment and the same warm processes."""

    def __init__(self, settings: Settings, warm: WarmProcesses) -> None:
        self._settings, self._warm = settings, warm

    @functools.cached_property
    def folder(self) -> AssignmentFolder:
        """The assignment, loaded for the first submission. Raises CannotGrade."""
        return assignment_folder.load(Path(self._settings.assignment))

    def grade(self, job: Job) -> Done:
        """Grade one submission and write its report; the result as the gradebook stores it.

        It has a process of its own. If that dies of what is no bound of ours, so does this one, and the batch
        decides whether to try again.
        """
        try:
            folder, started = self.folder, time.monotonic()
            if not sys.platform.startswith("linux"):
                return self._report(job, run_job(job, folder, self._warm.open_notebook))
            try:
                with OwnProcess(
                    partial(self._work, job), limits=folder.assignment.limits, warm=self._warm
                ) as own:
                    return msgspec.json.decode(own.receive(), type=Done)
            except Died as end:
                die_as(end.status)
            except BoundReached as why:
                return self._report(job, stopped(job, folder, why, seconds=time.monotonic() - started))
        except CannotGrade as error:
            return Done(error=str(error), fault=Fault.INFRASTRUCTURE)

    def _work(self, job: Job, link: Link) -> None:
        done = run_job(job, self.folder, opener(link.warm), deadline=link.deadline)
        link.send(msgspec.json.encode(self._report(job, done)))

    def _report(self, job: Job, done: Done) -> Done:
        return done if self._settings.pictures else finished(done, job.name, self._settings.reports)


def finished(done: Done, name: str, reports: str) -> Done:
    """The result without its pictures, once its report is written. Raises UsageError if that fails."""
    if not done.record:
        return done
    grade = decode(done.record)
    if reports:
        write_reports(grade, Path(reports), name=report_name(name))
    return msgspec.structs.replace(done, record=encode(without_figures(grade)))


def die_as(status: int) -> NoReturn:
    """End as a process of ours has ended: by this signal, negated, or with this status."""
    if status < 0:
        os.kill(os.getpid(), -status)
    os._exit(status or 1)


def die_with_parent() -> None:
    """End when the batch's process ends, however it ends; Ctrl-C is for that process to handle."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform.startswith("linux"):
        # If the parent is gone already there is no signal, but then the connection is closed too.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    main(int(sys.argv[-1]))
