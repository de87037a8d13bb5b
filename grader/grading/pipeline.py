"""One submission to one Grade: read, execute, check, score."""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from grader.digests import digest_of
from grader.grading.about_files import notices_of_files
from grader.grading.arbiter import Arbiter, reference_files, reference_run
from grader.grading.checking import Checked, judged_checks, run_checks
from grader.grading.environment import describe_environment
from grader.grading.execution import Progress
from grader.grading.grade_job import GradeJob, Opener
from grader.grading.recorded import Recorded, texts_of
from grader.grading.scoring import AnswerShown, needs_attention, score, score_public
from grader.grading.state import (
    Run,
    State,
    run_submission,
)
from grader.model.checked import ReferenceRun
from grader.model.errors import Fault, Outcome, SubmissionError, TooBusy
from grader.model.records import (
    SCHEMA,
    CheckResult,
    Figure,
    FileRecord,
    Grade,
    ItemResult,
    SubmissionRecord,
    decided_points,
    earned_points,
    possible_points,
)
from grader.notebooks.answers import Answer, recordings_of_nothing
from grader.notebooks.figures import BadFigure, figure_from_base64
from grader.notebooks.submission_file import read
from grader.notebooks.submission_files import SubmissionFiles

if TYPE_CHECKING:
    pass

MAX_FIGURES = 40
TRIES = 3
"""How often a submission is graded at most, if the machine gives it too little processor time."""


@dataclass(frozen=True)
class Graded:
    """A grade, with the answers that were found for all items, also for those that were not graded.

    ``results`` are those of all checks, also of those for which the grade has one headline; ``errors`` are
    lines about the author's files.
    """

    grade: Grade
    answers: Mapping[str, Answer]
    results: tuple[CheckResult, ...] = ()
    errors: tuple[str, ...] = ()


def grade(job: GradeJob, *, opener: Opener, progress: Progress) -> Grade:
    """Read the job's file, alone, and grade it. Raises CannotGrade, as ``read`` and ``grade_file`` do."""
    submission = SubmissionFiles.of_file(read(job.submission))
    return grade_file(job, submission, opener=opener, progress=progress).grade


def grade_file(
    job: GradeJob,
    submission: SubmissionFiles,
    *,
    opener: Opener,
    progress: Progress,
    is_reference: bool = False,
) -> Graded:
    """Grade a submission as it was read; what becomes of its files on disk no longer matters.

    What the machine was too busy for is tried again. Raises TooBusy if a cell never got enough processor
    time, CannotGrade (an assignment that is wrong, no sandbox). Whatever the student's code does ends up in
    the grade.
    """
    once = functools.partial(
        grade_once, job, submission, opener=opener, progress=progress, is_reference=is_reference
    )
    for _ in range(TRIES - 1):
        with suppress(TooBusy):
            graded = once()
            if not is_short_of_time(graded.grade):
                return graded
        progress.note("once more: the machine was too busy")
    return once()


def is_short_of_time(grade: Grade) -> bool:
    """Whether a check was given up because the machine was too busy."""
    return any(
        check.outcome is Outcome.TIMED_OUT and check.fault is Fault.INFRASTRUCTURE
        for item in grade.items
        for check in item.checks
    )


def grade_once(
    job: GradeJob,
    submission: SubmissionFiles,
    *,
    opener: Opener,
    progress: Progress,
    is_reference: bool = False,
) -> Graded:
    """See ``grade_file``; without a second try. A reference is not compared with itself."""
    with ExitStack() as stack:
        state = run_submission(stack, job, submission, opener, progress)
        checked = judged_checks(state, run_checks(state, progress))
    if not job.public and not is_reference:
        # Only now, when everything that the submission started has ended: it could slow the reference down.
        checked = arbitrated(checked, state.runs, job, opener, progress)
    return grade_of(state, checked)


def grade_of(state: State, checked: Checked) -> Graded:
    """The grade of a submission whose checks have ended like this."""
    job, submission, runs = state.job, state.submission, state.runs
    items = score_items(job, state.answers, state.recorded, checked)
    errors = (*filter(None, [state.plan.broken]), *checked.errors)
    first = submission.first
    found = Grade(
        schema=SCHEMA,
        assignment=job.folder.assignment.title,
        assignment_sha256=job.folder.sha256,
        submission=SubmissionRecord(
            first.name, submission.sha256, first.kind, first.size, file_records(submission)
        ),
        mode="public" if job.public else "hidden",
        seed=job.seed,
        graded_at=state.graded_at.isoformat(timespec="seconds"),
        seconds=round(time.monotonic() - state.started, 3),
        environment=describe_environment(runs[0].notebook.isolation, environ=os.environ),
        limits=job.folder.assignment.limits,
        budget=state.plan.budget,
        earned=earned_points(items),
        possible=possible_points(items),
        decided=decided_points(items),
        items=items,
        cells=tuple(cell for run in runs for cell in run.execution.cells),
        figures=figures_of(submission, runs, items),
        notices=tuple(
            dict.fromkeys((*submission.notices, *job.notices, *notices_about(submission, runs, job)))
        ),
        attention=needs_attention(items, errors, headlines=checked.headlines, known=checked.waiting),
    )
    return Graded(found, state.answers, checked.every, errors)


def file_records(submission: SubmissionFiles) -> tuple[FileRecord, ...]:
    """Every file of a submission, for the record; none for a file that was handed in alone."""
    if submission.is_alone:
        return ()
    return tuple(
        FileRecord(place, digest_of(data), len(data)) for place, data in sorted(submission.files.items())
    )


def arbitrated(
    checked: Checked, runs: Sequence[Run], job: GradeJob, opener: Opener, progress: Progress
) -> Checked:
    """What is checked, with the faults that the reference shows. It has what is left of the job's time."""
    mode = runs[0].notebook.isolation
    judge = Arbiter(job.folder, mode, environ=os.environ)

    def run_reference(items: Collection[str]) -> ReferenceRun | None:
        try:
            reference = reference_files(job.folder)
        except SubmissionError:  # no notebook or script: the author's, and no reason to grade nothing
            return None
        if reference is None or job.deadline.left() <= 0:
            return None
        progress.note("in doubt: looking how the reference fares here")
        its_job = replace(job, only=frozenset(items), notices=(), seconds_spent=0.0)
        try:
            graded = grade_once(its_job, reference, opener=opener, progress=progress, is_reference=True)
        except TooBusy:
            if items:
                raise
            return None  # nothing was in doubt: the next submission asks again
        # What it was not given the time for says nothing.
        return run_of(graded, seed=job.seed) if job.deadline.left() > 0 else None

    cells = [cell for run in runs for cell in run.execution.cells]
    results = judge.arbitrate(checked.results, cells, run_reference, messages=checked.if_theirs)
    return replace(checked, results=results)


def run_of(graded: Graded, *, seed: int) -> ReferenceRun:
    """What the grade of a reference says of the checks."""
    return reference_run(graded.grade, graded.results, graded.errors, seed=seed)


def score_items(
    job: GradeJob,
    answers: Mapping[str, Answer],
    recorded: Mapping[str, Recorded],
    checked: Checked,
) -> tuple[ItemResult, ...]:
    """The items with their points; public checks award none."""
    if job.public:
        return score_public(job.folder.assignment, checked.results)
    shown = {item: answer_shown(answer, recorded[item]) for item, answer in answers.items()}
    scored = score(job.folder.assignment, checked.results, shown, waiting=checked.waiting)
    return tuple(item for item in scored if job.wants(item.item))


def answer_shown(answer: Answer, recorded: Recorded) -> AnswerShown:
    """The prose, recorded texts and figures of an item."""
    text = "\n\n".join(filter(None, (answer.text, texts_of(recorded))))
    return AnswerShown(text, answer.figures, answer.found, recorded.found)


def figures_of(
    submission: SubmissionFiles, runs: Sequence[Run], items: Sequence[ItemResult]
) -> tuple[Figure, ...]:
    """The figures that no item shows: those saved in the file, or else those that its cells just drew."""
    saved = [figure for file in submission.notebooks for cell in file.cells for figure in cell.figures]
    if not saved:
        saved = [figure for run in runs for figure in drawn_figures(run.execution.pictures)]
    shown = {figure for item in items for figure in item.figures}
    return tuple(figure for figure in saved if figure not in shown)[:MAX_FIGURES]


def notices_about(submission: SubmissionFiles, runs: Sequence[Run], job: GradeJob) -> Iterator[str]:
    """What is unusual about a submission: files missing, left out or named like Python's own; recordings."""
    for run in runs:
        yield from recordings_of_nothing(run.file.cells, job.folder.assignment)
        yield from notices_of_files(
            run.file, submission, job.folder.given_files(), run.execution.cells, run.notebook.left_out
        )


def drawn_figures(pictures: Sequence[tuple[int, str]]) -> Iterator[Figure]:
    """The pictures that are valid; the sandbox may send anything."""
    for cell, picture in pictures:
        with suppress(BadFigure):
            yield figure_from_base64(picture, cell=cell)
