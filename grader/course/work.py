"""What crosses to whoever grades one submission of a batch, and what comes back: bytes of plain data."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from grader.course.duplicates import fingerprints
from grader.course.merge import merge
from grader.grading.assignment_folder import AssignmentFolder
from grader.grading.execution import Progress, Silent
from grader.grading.pipeline import GradeJob, Opener, given_cells, grade
from grader.grading.recorded import claims_in
from grader.inside.media_types import EVIDENCE
from grader.model.errors import CannotGrade, CheckError, Fault, ManifestError, SubmissionError
from grader.model.records import Figure, Grade, decode, encode
from grader.notebooks.answers import find_answers
from grader.notebooks.submission_file import read


class Work(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One submission to grade.

    ``name`` is shown to people, ``path`` is where its bytes lie and ``sha256`` what they are. With ``only``
    these items are graded and the others taken from ``previous``, an earlier record of the same bytes.
    """

    name: str
    path: str
    sha256: str
    seed: int
    only: tuple[str, ...] = ()
    previous: bytes = b""


class Done(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How it went: a record, or one line that says why there is none and whose fault that is.

    ``prints`` are the fingerprints of recorded evidence, to find the same in another submission.
    """

    record: bytes = b""
    prints: tuple[tuple[str, str], ...] = ()
    error: str = ""
    fault: Fault | None = None
    seconds: float = 0.0


class Lost(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nobody's answer: every worker that took the submission died, ``deaths`` of them."""

    deaths: int
    reason: str = ""


OnDone = Callable[[Work, "Done | Lost"], None]


def run_work(
    work: Work, folder: AssignmentFolder, opener: Opener, *, progress: Progress | None = None
) -> Done:
    """Grade one submission. Whatever is wrong with it or with this machine is in the answer, never raised."""
    try:
        done = graded(work, folder, opener, progress or Silent())
    except SubmissionError as error:
        shown = str(error).replace(Path(work.path).name, work.name)  # what lay in a zip is kept by its digest
        return Done(error=shown, fault=Fault.STUDENT)
    except ManifestError as error:
        return Done(error=str(error), fault=Fault.AUTHOR)
    except (CannotGrade, CheckError, OSError, MemoryError) as error:
        return Done(error=f"{type(error).__name__}: {error}", fault=Fault.INFRASTRUCTURE)
    return Done(record=encode(done), prints=prints_of(Path(work.path)), seconds=done.seconds)


def prints_of(path: Path) -> tuple[tuple[str, str], ...]:
    """The fingerprints of a submission's recorded evidence; a file without any is not read into cells."""
    if EVIDENCE.encode() not in path.read_bytes():
        return ()
    return tuple(sorted(fingerprints(claims_in(read(path).cells))))


def graded(work: Work, folder: AssignmentFolder, opener: Opener, progress: Progress) -> Grade:
    """The submission's grade, items of an earlier one included. Raises CannotGrade."""
    job = GradeJob(Path(work.path), folder, work.seed, only=frozenset(work.only))
    fresh = grade(job, opener=opener, progress=progress)
    if fresh.submission.sha256 != work.sha256:
        raise SubmissionError(f"{work.name}: the file was changed while the batch ran; grade it again")
    fresh = msgspec.structs.replace(
        fresh, submission=msgspec.structs.replace(fresh.submission, name=work.name)
    )
    if not work.previous:
        return fresh
    return merge(decode(work.previous), fresh, folder.assignment, pictures_in(job))


def pictures_in(job: GradeJob) -> dict[str, tuple[Figure, ...]]:
    """The pictures of every item, from the submission's file."""
    cells = read(job.submission).cells
    answers = find_answers(cells, job.folder.assignment, template=given_cells(job.folder))
    return {item: answer.figures for item, answer in answers.items()}
