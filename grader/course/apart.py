"""`grade SUBMISSION...`: each is read, graded and reported within bounds, in a process of its own.

For the public checks on one's own work, and where processes cannot be copied, the same steps run in this one.
"""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import msgspec
from rich.console import Console

from grader.course.duplicates import duplicates, notices_for, summary_line
from grader.course.fingerprints import all_prints
from grader.course.report_files import UNPACKED, report_name, write_reports
from grader.grading import pipeline
from grader.grading.deadline import Deadline
from grader.grading.grade_job import GradeJob, Opener
from grader.grading.opening import WarmProcesses, opener
from grader.grading.own_process import Link, OwnProcess
from grader.grading.stopped import record_of, stopped_grade
from grader.handed_in.named import package_of
from grader.handed_in.package import load
from grader.model.errors import (
    BoundReached,
    CannotGrade,
    CheckError,
    InfrastructureError,
    SubmissionError,
)
from grader.model.records import Grade, SubmissionRecord, decode, encode
from grader.reports.progress import GradingProgress

CANNOT_GRADE = 2


class Message(msgspec.Struct, frozen=True):
    """What a submission's process says: first what was handed in, then what it recorded, then the grade.

    ``waits`` asks for notices before it goes on. ``refused`` says why the submission cannot be graded,
    ``broken`` the same where the machine is to blame, ``failed`` why nothing can.
    """

    handed_in: SubmissionRecord | None = None
    prints: tuple[tuple[str, str], ...] = ()
    grade: bytes = b""
    written: str = ""
    waits: bool = False
    refused: str = ""
    broken: str = ""
    failed: str = ""

    @property
    def ends(self) -> bool:
        """Whether there will be no grade."""
        return bool(self.refused or self.broken)


class ThisProcess:
    """What an OwnProcess is to a Task, with ``steps`` taken in this process, when their message is read."""

    def __init__(self, steps: Steps) -> None:
        self._steps, self._sent = steps, b""

    def send(self, message: bytes) -> None:
        """Keep it for the next step."""
        self._sent = message

    def receive(self) -> bytes:
        """Take the next step."""
        return self._steps.send(self._sent) if self._sent else next(self._steps)

    def end(self) -> None:
        """Take no more."""
        self._steps.close()


@dataclass(frozen=True)
class Refusals:
    """Who hears that a submission cannot be graded: always, and if that is its own fault."""

    tell: Callable[[str], None]
    refuse: Callable[[str], None]


@dataclass
class Task:
    """One submission, its process and what that has said so far."""

    job: GradeJob
    reports: Path
    name: str
    process: OwnProcess | ThisProcess
    said: Message = field(default_factory=Message)
    stopped: BoundReached | None = None

    def hear(self) -> Message:
        """Its next message; the latest one again once a bound is reached. Raises CannotGrade."""
        try:
            heard = msgspec.msgpack.decode(self.process.receive(), type=Message)
        except BoundReached as why:
            self.stopped = why
            return self.said
        if heard.failed:
            raise CannotGrade(heard.failed)
        self.said = msgspec.structs.replace(heard, handed_in=heard.handed_in or self.said.handed_in)
        return self.said


def grade_all(
    jobs: Sequence[GradeJob],
    reports: Sequence[Path],
    warm: WarmProcesses,
    *,
    show: Callable[[Grade, Path], None],
    tell: Callable[[str], None],
    refuse: Callable[[str], None] = lambda _: None,
) -> tuple[int, str]:
    """Grade one after the other; the worst exit status, and one line about evidence that several share.

    All are read before the first is graded, because a report names those with the same evidence. ``show``
    receives each grade and the folder of its report, ``tell`` a line for each that cannot be graded, and
    ``refuse`` the same line if that is the submission's fault. Raises CannotGrade.
    """
    names: list[str] = []
    for job in jobs:
        names.append(report_name(job.submission.absolute().name, taken=names))
    with ExitStack() as stack:
        tasks = []
        for job, folder, name in zip(jobs, reports, names, strict=True):
            # Nothing is compared with a submission that is alone.
            own = process_for(job, folder, name, warm, sketches=len(jobs) > 1 and not job.public)
            tasks.append(Task(job, folder, name, own))
            stack.callback(tasks[-1].process.end)
            read(tasks[-1])
        shared = duplicates(
            {str(task.job.submission): frozenset(task.said.prints) for task in tasks},
            own_seeds=jobs[0].folder.assignment.evidence.own_seeds,
        )
        status = 0
        for task in tasks:
            notices = notices_for(str(task.job.submission), shared)
            status = max(status, finish(task, notices, show, Refusals(tell, refuse)))
            task.process.end()
    return status, summary_line(shared)


def process_for(
    job: GradeJob, reports: Path, name: str, warm: WarmProcesses, *, sketches: bool
) -> OwnProcess | ThisProcess:
    """Where a submission is graded; with ``sketches`` it tells what its models compute."""
    if job.public or not sys.platform.startswith("linux"):
        return ThisProcess(steps(job, reports, name, warm.open_notebook, sketches=sketches))
    work = partial(carry_out, job, reports, name, sketches=sketches)
    return OwnProcess(work, limits=job.folder.assignment.limits, warm=warm)


def read(task: Task) -> None:
    """Have the submission read: what was handed in, and what it recorded."""
    if not task.hear().ends and task.stopped is None:
        task.hear()


def finish(
    task: Task,
    notices: tuple[str, ...],
    show: Callable[[Grade, Path], None],
    refusals: Refusals,
) -> int:
    """Have it graded and show the grade; the exit status that it asks for."""
    started = time.monotonic()
    if not task.said.ends and task.stopped is None:
        task.process.send(msgspec.msgpack.encode(notices))
        try:
            task.hear()
        finally:
            if sys.stderr.isatty():
                Console(stderr=True).show_cursor()  # a process that was ended leaves it hidden
    if task.stopped is not None and task.said.handed_in is not None:
        job = replace(task.job, notices=notices)
        spent = time.monotonic() - started
        grade = stopped_grade(job, task.said.handed_in, task.stopped, seconds=spent)
        show(grade, write_reports(grade, task.reports, name=task.name, home=task.job.folder))
        return 0
    if task.said.ends or task.stopped is not None:
        why = task.said.refused or task.said.broken or f"{task.job.submission.name}: {task.stopped}"
        refusals.tell("grade: " + " ".join(why.split()))
        if not task.said.broken:
            refusals.refuse(why)
        return CANNOT_GRADE
    grade = decode(task.said.grade)
    show(grade, Path(task.said.written))
    return 1 if grade.attention else 0


# -- in the process that grades it ---------------------------------------------------------------------

Steps = Generator[bytes, bytes, None]
"""Messages; what is sent for the second one are the notices."""


def carry_out(job: GradeJob, reports: Path, name: str, link: Link, *, sketches: bool) -> None:
    """Take the steps in a process of their own."""
    opened = opener(partial(link.warm, meanwhile=prepare_reports))
    all_steps = steps(job, reports, name, opened, deadline=link.deadline, sketches=sketches)
    for message in all_steps:
        link.send(message)
        if msgspec.msgpack.decode(message, type=Message).waits:
            with link.deadline.paused():
                notices = link.receive()
            link.send(all_steps.send(notices))


def prepare_reports() -> None:
    """Load what writes the report, which takes 0.3 s."""
    importlib.import_module("grader.reports.page").prepare()


def steps(
    job: GradeJob,
    reports: Path,
    name: str,
    open_notebook: Opener,
    deadline: Deadline | None = None,
    *,
    sketches: bool,
) -> Steps:
    """Read, wait for the word to go on, grade and report."""
    try:
        package = package_of(job.submission, job.folder.expected, into=reports / UNPACKED)
        yield message(handed_in=record_of(package, name=job.submission.name))
        submission = load(package)
    except SubmissionError as error:
        yield message(refused=str(error))
        return
    except InfrastructureError as error:  # one that changed meanwhile, too
        yield message(broken=str(error))
        return
    except CannotGrade as error:  # the folder for reports
        yield message(failed=str(error))
        return
    prints, problems = all_prints(submission, job.folder, sketches=sketches)
    sent = yield message(prints=prints, waits=True)
    notices = msgspec.msgpack.decode(sent, type=tuple[str, ...])
    job = replace(job, notices=(*notices, *problems), deadline=deadline or Deadline())
    try:
        with GradingProgress(Console(stderr=True)) as progress:
            grade = pipeline.grade_file(job, submission, opener=open_notebook, progress=progress).grade
            progress.note("writing the report")
            written = write_reports(grade, reports, name=name, home=job.folder)
    except (CannotGrade, CheckError) as error:
        yield message(failed=str(error))
    else:
        yield message(grade=encode(grade), written=str(written))


def message(**what: object) -> bytes:
    """A Message with these fields, encoded."""
    return msgspec.msgpack.encode(Message(**what))  # type: ignore[arg-type]
