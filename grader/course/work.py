"""One submission of a batch, as it is sent to a worker, and the worker's answer. Both cross as JSON."""

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


class Work(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One submission to grade.

    ``name`` is shown to people, ``path`` is the file and ``sha256`` the digest of its bytes. With ``only``,
    just these items are graded; the others are taken from ``previous``, an earlier record of the same bytes.
    """

    name: str
    path: str
    sha256: str
    seed: int
    only: tuple[str, ...] = ()
    previous: bytes = b""


class Done(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A worker's answer: a record, or one line that says why there is none, and whose fault that is.

    ``prints`` are the fingerprints of recorded evidence, to find the same evidence in another submission.
    """

    record: bytes = b""
    prints: tuple[tuple[str, str], ...] = ()
    error: str = ""
    fault: Fault | None = None
    seconds: float = 0.0


class Lost(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """There is no answer: all ``deaths`` workers that were given the submission died."""

    deaths: int
    reason: str = ""


OnDone = Callable[[Work, "Done | Lost"], None]


def run_work(
    work: Work, folder: AssignmentFolder, opener: Opener, *, progress: Progress | None = None
) -> Done:
    """Grade one submission. Any problem with it or with this machine becomes part of the answer."""
    try:
        return grade_work(work, folder, opener, progress or Silent())
    except SubmissionError as error:
        shown = str(error).replace(Path(work.path).name, work.name)  # what lay in a zip is kept by its digest
        return Done(error=shown, fault=Fault.STUDENT)
    except ManifestError as error:
        return Done(error=str(error), fault=Fault.AUTHOR)
    except (CannotGrade, CheckError, OSError, MemoryError) as error:
        return Done(error=f"{type(error).__name__}: {error}", fault=Fault.INFRASTRUCTURE)


def grade_work(work: Work, folder: AssignmentFolder, opener: Opener, progress: Progress) -> Done:
    """Read the submission, once, and grade it. Raises CannotGrade, CheckError, OSError, MemoryError."""
    path = Path(work.path)
    try:
        data = bytes_of(path)
    except SubmissionError:
        if os.path.lexists(path):
            raise
        return not_as_planned(work, "deleted")
    if digest_of(data) != work.sha256:
        return not_as_planned(work, "changed")
    submission = from_bytes(data, name=printable(path.name, limit=300))
    job = GradeJob(path, folder, work.seed, only=frozenset(work.only))
    graded = grade_file(job, submission, opener=opener, progress=progress)
    grade = msgspec.structs.replace(
        graded.grade, submission=msgspec.structs.replace(graded.grade.submission, name=work.name)
    )
    if work.previous:
        pictures = {item: answer.figures for item, answer in graded.answers.items()}
        grade = merge(decode(work.previous), grade, folder.assignment, pictures)
    prints = tuple(sorted(fingerprints(recordings_in(submission.cells))))
    return Done(record=encode(grade), prints=prints, seconds=grade.seconds)


def not_as_planned(work: Work, what: str) -> Done:
    """The answer for a file that is not what the batch found: nobody's answer is to blame."""
    return Done(
        error=f"{work.name}: the file was {what} while the batch ran; grade it again",
        fault=Fault.INFRASTRUCTURE,
    )
