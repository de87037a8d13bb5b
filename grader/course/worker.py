"""The program that grades a batch's submissions one by one: ``python -m grader.course.worker FD``.

Standard output is left alone: frames go over the socket whose number is the last argument.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import signal
import sys
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path

import msgspec

from grader.course.jobs import Done, Job, run_job
from grader.course.limits import MAX_FRAME
from grader.course.report_files import report_name, write_reports
from grader.grading import assignment_folder
from grader.grading.assignment_folder import AssignmentFolder
from grader.grading.opening import WarmProcesses
from grader.model.assignment import Limits
from grader.model.errors import CannotGrade, Fault
from grader.model.records import decode, encode, without_figures

_PR_SET_PDEATHSIG = 1
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

    Generous: grading has limits of its own, and this one only has to catch what those do not.
    """
    return 2 * limits.notebook_seconds + 100 * limits.check_seconds + EXTRA_SECONDS


def main(descriptor: int) -> None:
    """Grade jobs until the other side closes the connection."""
    die_with_parent()
    with Connection(descriptor) as connection, contextlib.suppress(EOFError, OSError):
        settings = msgspec.json.decode(connection.recv_bytes(MAX_FRAME), type=Settings)
        with WarmProcesses() as warm:
            grader = Grader(settings, warm)
            for job in jobs(connection):
                connection.send_bytes(msgspec.json.encode(grader.grade(job)))


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
        """Grade one submission and write its report; the result as the gradebook stores it."""
        try:
            done = run_job(job, self.folder, self._warm.open_notebook)
            return done if self._settings.pictures else finished(done, job.name, self._settings.reports)
        except CannotGrade as error:
            return Done(error=str(error), fault=Fault.INFRASTRUCTURE)


def finished(done: Done, name: str, reports: str) -> Done:
    """The result without its pictures, once its report is written. Raises UsageError if that fails."""
    if not done.record:
        return done
    grade = decode(done.record)
    if reports:
        write_reports(grade, Path(reports), name=report_name(name))
    return msgspec.structs.replace(done, record=encode(without_figures(grade)))


def die_with_parent() -> None:
    """End when the batch's process ends, however it ends; Ctrl-C is for that process to handle."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform.startswith("linux"):
        # If the parent is gone already there is no signal, but then the connection is closed too.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    main(int(sys.argv[-1]))
