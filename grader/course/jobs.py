"""What a worker of a batch receives and returns, plain data only, and how it grades one job."""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Callable
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from grader.course.fingerprints import all_prints
from grader.course.limits import MAX_FRAME
from grader.course.merge import merge
from grader.grading.assignment_folder import AssignmentFolder
from grader.grading.deadline import Deadline
from grader.grading.execution import Progress, Silent
from grader.grading.grade_job import GradeJob, Opener
from grader.grading.pipeline import grade_file
from grader.grading.stopped import record_of, stopped_grade
from grader.handed_in.package import Package, load
from grader.model.errors import (
    BoundReached,
    Fault,
    InfrastructureError,
    ManifestError,
    SubmissionError,
    TemplateError,
)
from grader.model.records import decode, encode
from grader.model.text import printable

if TYPE_CHECKING:
    from grader.grading.prepared_checks import PreparedChecks


class Job(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One submission to grade.

    ``name`` and ``student`` are shown to people; ``package`` says which files it has. With ``only`` these
    items are graded, and the others are taken from ``previous``, an earlier record of the same files.
    """

    name: str
    package: Package
    seed: int
    only: tuple[str, ...] = ()
    previous: bytes = b""
    student: str = ""

    @property
    def sha256(self) -> str:
        """The package's digest."""
        return self.package.sha256


class Done(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The result of a job: a record, or one line that says why there is none and whose fault that is.

    ``prints`` are the fingerprints of recorded evidence, to find the same evidence in another submission.
    """

    record: bytes = b""
    prints: tuple[tuple[str, str], ...] = ()
    error: str = ""
    fault: Fault | None = None
    seconds: float = 0.0


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a worker says of a job: the result, or how the process ended that should have given it."""

    done: Done | None = None
    status: int = 0


class Lost(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """No result: every worker that took the job died, ``deaths`` of them."""

    deaths: int
    reason: str = ""


def send(job: Job, connection: Connection) -> None:
    """Give a job over a connection, in a file: however large it is, this never waits for the receiver.

    Else both sides could wait for each other, the receiver for room to answer somebody else. Raises OSError.
    """
    with tempfile.TemporaryFile() as file, socket.socket(fileno=os.dup(connection.fileno())) as sock:
        file.write(msgspec.json.encode(job))
        file.flush()
        socket.send_fds(sock, [b"J"], [file.fileno()])


def received(connection: Connection) -> Job:
    """The job that ``send`` gave. Raises EOFError or OSError once the other side has gone."""
    with socket.socket(fileno=os.dup(connection.fileno())) as sock:
        _, descriptors, _, _ = socket.recv_fds(sock, 1, 1)
    if not descriptors:
        raise EOFError
    with os.fdopen(descriptors[0], "rb") as file:
        file.seek(0)
        return msgspec.json.decode(file.read(MAX_FRAME), type=Job)


OnDone = Callable[[Job, "Done | Lost"], None]


def run_job(
    job: Job,
    folder: AssignmentFolder,
    opener: Opener,
    *,
    progress: Progress | None = None,
    deadline: Deadline | None = None,
    prepared: PreparedChecks | None = None,
) -> Done:
    """Grade one submission. Whatever is wrong with it or with this machine is in the result.

    Raises MemoryError alone: in a process with a limit of its own that is the submission's doing.
    """
    try:
        grading = replace(grading_of(job, folder), deadline=deadline or Deadline(), prepared=prepared)
        return grade_job(job, grading, opener, progress or Silent())
    except MemoryError:
        raise
    except SubmissionError as error:
        return Done(error=named(job, str(error)), fault=Fault.STUDENT)
    except (ManifestError, TemplateError) as error:
        return Done(error=str(error), fault=Fault.AUTHOR)
    except Exception as error:  # noqa: BLE001  # a worker that dies of it would be given the job twice more
        return Done(error=f"{type(error).__name__}: {error}", fault=Fault.INFRASTRUCTURE)


def grade_job(job: Job, grading: GradeJob, opener: Opener, progress: Progress) -> Done:
    """Read the submission, once, and grade it. Raises CannotGrade, CheckError, OSError, MemoryError."""
    try:
        submission = load(job.package)
    except InfrastructureError as error:
        return not_as_planned(job, error)
    folder = grading.folder
    graded = grade_file(grading, submission, opener=opener, progress=progress)
    grade = msgspec.structs.replace(
        graded.grade, submission=msgspec.structs.replace(graded.grade.submission, name=job.name)
    )
    if job.previous:
        pictures = {item: answer.figures for item, answer in graded.answers.items()}
        grade = merge(decode(job.previous), grade, folder.assignment, pictures)
    prints, problems = all_prints(submission, folder)
    if problems:
        grade = msgspec.structs.replace(grade, notices=(*grade.notices, *problems))
    return Done(record=encode(grade), prints=prints, seconds=grade.seconds)


def grading_of(job: Job, folder: AssignmentFolder) -> GradeJob:
    """What a job asks the pipeline for."""
    return GradeJob(Path(job.package.first.path), folder, job.seed, only=frozenset(job.only))


def stopped(job: Job, folder: AssignmentFolder, why: BoundReached, *, seconds: float) -> Done:
    """The result for a submission on which our own work reached a bound."""
    grade = stopped_grade(
        grading_of(job, folder), record_of(job.package, name=job.name), why, seconds=seconds
    )
    if job.previous:
        grade = merge(decode(job.previous), grade, folder.assignment, {})
    return Done(record=encode(grade), seconds=grade.seconds)


def not_as_planned(job: Job, error: InfrastructureError) -> Done:
    """The result for files that are no longer what the batch found: no student is to blame."""
    return Done(error=f"{named(job, str(error))}; grade it again", fault=Fault.INFRASTRUCTURE)


def named(job: Job, error: str) -> str:
    """An error about one of a submission's files, with the submission's name before it."""
    # The only graded file has given the submission its name.
    own = printable(job.package.first.place.rpartition("/")[2], limit=300)
    alone = len(job.package.notebooks) == 1
    return f"{job.name}: {error.removeprefix(f'{own}: ') if alone else error}"
