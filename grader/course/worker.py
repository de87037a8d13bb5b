"""The program that grades a batch's submissions, several at once: ``python -m grader.course.worker FD``.

It has imported everything, and each submission is graded in a fork of it. Which files it receives over the
socket with the number FD, ``local_pool`` says. Standard output is left alone.
"""

from __future__ import annotations

import collections
import contextlib
import ctypes
import functools
import gc
import importlib
import os
import signal
import socket
import sys
import time
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from grader.course.jobs import Answer, Done, Job, received, run_job, stopped
from grader.course.limits import MAX_FRAME
from grader.course.report_files import about, report_name, write_reports
from grader.doctor.verdicts import own_code
from grader.grading import assignment_folder
from grader.grading.arbiter import reference_files
from grader.grading.assignment_folder import AssignmentFolder
from grader.grading.environment import PACKAGES, version_of
from grader.grading.kept_checks import deciding
from grader.grading.opening import CHECKS_NEED, WarmProcesses, opener, preload
from grader.grading.own_process import Died, Link, OwnProcess
from grader.grading.seeds import Seeds
from grader.model.assignment import Limits
from grader.model.errors import BoundReached, CannotGrade, Fault
from grader.model.records import decode, encode, without_figures

if TYPE_CHECKING:
    from grader.grading.prepared_checks import PreparedChecks

_PR_SET_PDEATHSIG = 1
BUSY = 10
LOOK_EVERY = 0.5
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
    """Grade until the other side closes the socket."""
    die_with_parent()
    with socket.socket(fileno=descriptor) as control, contextlib.suppress(EOFError, OSError):
        with Connection(os.dup(descriptor)) as connection:
            settings = msgspec.json.decode(connection.recv_bytes(MAX_FRAME), type=Settings)
        with WarmProcesses() as warm, Server(control, Grader(settings, warm)) as server:
            server.run()


class Server:
    """Serves the workers that connect over ``control``: for each, one submission at a time is graded.

    Use it as a context; what is being graded ends with it.
    """

    def __init__(self, control: socket.socket, grader: Grader) -> None:
        self._control, self._grader = control, grader
        self._workers: dict[Connection, Grading | None] = {}

    def run(self) -> None:
        """Until the other side closes ``control``."""
        self._grader.prepare()
        while True:
            running = [grading.process.fileno() for grading in self._workers.values() if grading is not None]
            ready = wait([self._control, *self._workers, *running], LOOK_EVERY if running else None)
            if self._control in ready and not self._connect():
                return
            for worker, grading in tuple(self._workers.items()):
                if worker in ready:
                    self._hear(worker)
                elif grading is not None:
                    self._settle(worker, grading, is_ready=grading.process.fileno() in ready)

    def _connect(self) -> bool:
        packet, descriptors, _, _ = socket.recv_fds(self._control, 1, 1)
        for descriptor in descriptors:
            self._workers[Connection(descriptor)] = None
        return bool(packet)

    def _hear(self, worker: Connection) -> None:
        """Begin the job that a worker has been given, or end its job because nobody waits for it any more."""
        try:
            job = received(worker)
        except (EOFError, OSError):
            self._end(worker)
            return
        begun = self._grader.begin(job)
        if isinstance(begun, Done):
            self._answer(worker, Answer(begun))
        else:
            self._workers[worker] = begun

    def _settle(self, worker: Connection, grading: Grading, *, is_ready: bool) -> None:
        """Answer a worker whose submission is graded, or has reached a bound, or whose process has died."""
        answer = self._grader.answer(grading, is_ready=is_ready)
        if answer is not None:
            grading.process.end()
            self._answer(worker, answer)

    def _answer(self, worker: Connection, answer: Answer) -> None:
        self._workers[worker] = None
        with contextlib.suppress(OSError):
            worker.send_bytes(msgspec.json.encode(answer))

    def _end(self, worker: Connection) -> None:
        grading = self._workers.pop(worker)
        if grading is not None:
            grading.process.end()
        worker.close()

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in tuple(self._workers):
            self._end(worker)


@dataclass(frozen=True)
class Grading:
    """A submission that is being graded, in a process of its own, since a moment of time.monotonic."""

    job: Job
    process: OwnProcess
    started: float


class Grader:
    """Grades the submissions of one assignment, all with the same warm processes."""

    def __init__(self, settings: Settings, warm: WarmProcesses) -> None:
        self._settings, self._warm = settings, warm
        self._checks: PreparedChecks | None = None

    @functools.cached_property
    def folder(self) -> AssignmentFolder:
        """The assignment. Raises CannotGrade."""
        return assignment_folder.load(Path(self._settings.assignment))

    def prepare(self) -> None:
        """Do once what each submission's process would have to do."""
        with contextlib.suppress(CannotGrade, OSError):  # said of each submission
            reference = reference_files(self.folder)
            if reference is not None:  # what it imports, most submissions import
                self._warm.zygote(preload(reference))
            import_all()
            about(self.folder)  # reads the questions
            self._checks = prepared(self.folder.checks(hidden=True))
            deciding(self.folder)  # kept with the folder, for submissions that lose points
        gc.freeze()  # a collection in a fork would copy every page that it shares with this process

    def begin(self, job: Job) -> Grading | Done:
        """Start to grade a submission; the result, if there is one already."""
        Seeds(job.seed)  # kept for a class, which has one seed: it takes 3 ms
        try:
            if not sys.platform.startswith("linux"):
                return self._report(job, run_job(job, self.folder, self._warm.open_notebook))
            limits = self.folder.assignment.limits
            process = OwnProcess(partial(self._work, job), limits=limits, warm=self._warm)
            return Grading(job, process, time.monotonic())
        except CannotGrade as error:
            return Done(error=str(error), fault=Fault.INFRASTRUCTURE)

    def answer(self, grading: Grading, *, is_ready: bool) -> Answer | None:
        """What became of a submission; None while it is being graded.

        Its process bounds itself. If that dies of what is no bound of ours, the batch decides whether to try
        again.
        """
        job, process = grading.job, grading.process
        try:
            try:
                if not is_ready:
                    process.assert_in_time()
                    return None
                message = process.take()
                return None if message is None else Answer(msgspec.json.decode(message, type=Done))
            except Died as end:
                return Answer(status=end.status)
            except BoundReached as why:
                seconds = time.monotonic() - grading.started
                return Answer(self._report(job, stopped(job, self.folder, why, seconds=seconds)))
        except CannotGrade as error:
            return Answer(Done(error=str(error), fault=Fault.INFRASTRUCTURE))

    def _work(self, job: Job, link: Link) -> None:
        opened = opener(link.warm)
        done = run_job(job, self.folder, opened, deadline=link.deadline, prepared=self._checks)
        link.send(msgspec.json.encode(self._report(job, done)))

    def _report(self, job: Job, done: Done) -> Done:
        return done if self._settings.pictures else finished(done, job, self._settings.reports, self.folder)


def import_all() -> None:
    """Import what each submission's process needs, and look up what it would look up."""
    for module in (*CHECKS_NEED, *ONCE):
        importlib.import_module(module)
    importlib.import_module("grader.reports.page").prepare()
    collections.deque(map(version_of, PACKAGES), maxlen=0)
    own_code()


def prepared(checks: Path) -> PreparedChecks:
    """The checks below a folder, collected, with the tables of formulas that name mistakes."""
    # Only now: the warm process is importing its own modules meanwhile.
    from grader.grading.naming import make_tables  # noqa: PLC0415
    from grader.grading.prepared_checks import PreparedChecks  # noqa: PLC0415
    from grader.grading.pytest_run import modules_of  # noqa: PLC0415

    collected = PreparedChecks(checks)
    make_tables(modules_of(checks))
    return collected


def finished(done: Done, job: Job, reports: str, home: AssignmentFolder) -> Done:
    """The result without its pictures, once its report is written. Raises UsageError if that fails."""
    if not done.record:
        return done
    grade = decode(done.record)
    if reports:
        write_reports(grade, Path(reports), name=report_name(job.name), home=home, student=job.student)
    return msgspec.structs.replace(done, record=encode(without_figures(grade)))


def die_with_parent() -> None:
    """End when the batch's process ends, however it ends; Ctrl-C is for that process to handle."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform.startswith("linux"):
        # If the parent is gone already there is no signal, but then the connection is closed too.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    main(int(sys.argv[-1]))
