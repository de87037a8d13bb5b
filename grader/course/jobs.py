"""What a worker of a batch receives and returns, plain data only, and how it grades one job."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import msgspec

from grader.course.duplicates import fingerprints
from grader.course.merge import merge
from grader.digests import digest_of
from grader.grading.assignment_folder import AssignmentFolder
from grader.grading.execution import Progress, Silent
from grader.grading.pipeline import GradeJob, Opener, grade_file
from grader.grading.recorded import recordings_in
from grader.model.errors import CannotGrade, CheckError, Fault, ManifestError, SubmissionError
from grader.model.records import decode, encode
from grader.model.text import printable
from grader.notebooks.submission_file import bytes_of, from_bytes


class Job(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One submission to grade.

    ``name`` is shown to people; ``path`` is where the bytes with this ``sha256`` are. With ``only`` these
    items are graded, and the others are taken from ``previous``, an earlier record of the same bytes.
    """

    name: str
    path: str
    sha256: str
    seed: int
    only: tuple[str, ...] = ()
    previous: bytes = b""


class Done(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The result of a job: a record, or one line that says why there is none and whose fault that is.

    ``prints`` are the fingerprints of recorded evidence, to find the same evidence in another submission.
    """

    record: bytes = b""
    prints: tuple[tuple[str, str], ...] = ()
    error: str = ""
    fault: Fault | None = None
    seconds: float = 0.0


class Lost(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """No result: every worker that took the job died, ``deaths`` of them."""

    deaths: int
    reason: str = ""


OnDone = Callable[[Job, "Done | Lost"], None]


def run_job(job: Job, folder: AssignmentFolder, opener: Opener, *, progress: Progress | None = None) -> Done:
    """Grade one submission. Whatever is wrong with it or with this machine is in the result, never raised."""
    try:
        return grade_job(job, folder, opener, progress or Silent())
    except SubmissionError as error:
        # A file from a zip is kept under its digest, which means nothing to a person.
        shown = str(error).replace(Path(job.path).name, job.name)
        return Done(error=shown, fault=Fault.STUDENT)
    except ManifestError as error:
        return Done(error=str(error), fault=Fault.AUTHOR)
    except (CannotGrade, CheckError, OSError, MemoryError) as error:
        return Done(error=f"{type(error).__name__}: {error}", fault=Fault.INFRASTRUCTURE)


def grade_job(job: Job, folder: AssignmentFolder, opener: Opener, progress: Progress) -> Done:
    """Read the submission, once, and grade it. Raises CannotGrade, CheckError, OSError, MemoryError."""
    path = Path(job.path)
    try:
        data = bytes_of(path)
    except SubmissionError:
        if os.path.lexists(path):
            raise
        return not_as_planned(job, "deleted")
    if digest_of(data) != job.sha256:
        return not_as_planned(job, "changed")
    submission = from_bytes(data, name=printable(path.name, limit=300))
    grading = GradeJob(path, folder, job.seed, only=frozenset(job.only))
    graded = grade_file(grading, submission, opener=opener, progress=progress)
    grade = msgspec.structs.replace(
        graded.grade, submission=msgspec.structs.replace(graded.grade.submission, name=job.name)
    )
    if job.previous:
        pictures = {item: answer.figures for item, answer in graded.answers.items()}
        grade = merge(decode(job.previous), grade, folder.assignment, pictures)
    prints = tuple(sorted(fingerprints(recordings_in(submission.cells))))
    return Done(record=encode(grade), prints=prints, seconds=grade.seconds)


def not_as_planned(job: Job, what: str) -> Done:
    """The result for a file that is no longer what the batch found: no student is to blame."""
    return Done(
        error=f"{job.name}: the file was {what} while the batch ran; grade it again",
        fault=Fault.INFRASTRUCTURE,
    )
