"""One submission to one Grade: read, execute, check, score. The only thing that a batch has to call."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from grader.grading.environment import describe_environment
from grader.grading.execution import Execution, Watch, execute
from grader.grading.folder import AssignmentFolder
from grader.grading.scoring import HandedIn, needs_attention, score, score_public
from grader.model.records import (
    SCHEMA,
    CheckResult,
    Figure,
    Grade,
    ItemResult,
    Submission,
    decided_points,
    earned_points,
    possible_points,
)
from grader.notebooks.answers import find_answers
from grader.notebooks.cells import Cell
from grader.notebooks.figures import BadFigure, figure_from_base64
from grader.notebooks.intake import SubmissionFile, read
from grader.notebooks.template import student_cells
from grader.session.notebook import Notebook

MAX_FIGURES = 40


@dataclass(frozen=True)
class GradeJob:
    """What is to be graded.

    ``seed`` decides every random input; ``public`` runs the public checks, in this process.
    """

    submission: Path
    folder: AssignmentFolder
    seed: int
    public: bool = False
    sandbox: bool = True


Opener = Callable[[GradeJob, SubmissionFile, Watch], Notebook]


def grade(
    job: GradeJob, *, opener: Opener, watch: Watch, clock: Callable[[], datetime] | None = None
) -> Grade:
    """The grade of one submission.

    Raises CannotGrade (a file that is no notebook, an assignment that is wrong, no sandbox); whatever the
    student's code does ends up in the grade.
    """
    now = clock or (lambda: datetime.now(UTC))
    graded_at, start = now(), time.monotonic()
    submission = read(job.submission)
    job.folder.checks(hidden=not job.public)
    with opened(opener, job, submission, watch) as notebook:
        execution = run_cells(notebook, submission, job, watch)
        results, errors = run_checks(notebook, job, watch)
        isolation = notebook.isolation
    items = score_items(job, submission, results)
    return Grade(
        schema=SCHEMA,
        assignment=job.folder.assignment.title,
        assignment_sha256=job.folder.sha256,
        submission=Submission(submission.name, submission.sha256, submission.kind, submission.size),
        mode="public" if job.public else "hidden",
        seed=job.seed,
        graded_at=graded_at.isoformat(timespec="seconds"),
        seconds=round(time.monotonic() - start, 3),
        environment=describe_environment(isolation, environ=os.environ),
        limits=job.folder.assignment.limits,
        budget=job.folder.assignment.budget,
        earned=earned_points(items),
        possible=possible_points(items),
        decided=decided_points(items),
        items=items,
        cells=execution.cells,
        figures=figures_of(submission, execution, items),
        notices=submission.notices,
        attention=needs_attention(items, errors),
    )


@contextmanager
def opened(opener: Opener, job: GradeJob, submission: SubmissionFile, watch: Watch) -> Iterator[Notebook]:
    """The submission's live state, ended afterwards with everything it started."""
    notebook = opener(job, submission, watch)
    try:
        yield notebook
    finally:
        notebook.close()


def run_cells(notebook: Notebook, submission: SubmissionFile, job: GradeJob, watch: Watch) -> Execution:
    """Run the submission's code cells within the assignment's limits and budget."""
    assignment = job.folder.assignment
    return execute(
        notebook, submission.cells, budget=assignment.budget, limits=assignment.limits, watch=watch
    )


def run_checks(notebook: Notebook, job: GradeJob, watch: Watch) -> tuple[list[CheckResult], list[str]]:
    """The results of the hidden or public checks, and one line for each file that could not be loaded."""
    from grader.grading.checks import run_checks as run_folder  # noqa: PLC0415  # pytest takes 0.1 s
    from grader.grading.plugin import CheckPlugin  # noqa: PLC0415

    plugin = CheckPlugin(
        notebook,
        seed=job.seed,
        seconds=job.folder.assignment.limits.check_seconds,
        hidden=not job.public,
        assignment=job.folder.assignment,
        on_check=watch.check,
    )
    run_folder(job.folder.checks(hidden=not job.public), plugin)
    return plugin.results, plugin.errors


def score_items(
    job: GradeJob, submission: SubmissionFile, results: Sequence[CheckResult]
) -> tuple[ItemResult, ...]:
    """The items with their points; public checks award none."""
    if job.public:
        return score_public(job.folder.assignment, results)
    return score(job.folder.assignment, results, handed_in(submission, job.folder))


def handed_in(submission: SubmissionFile, folder: AssignmentFolder) -> dict[str, HandedIn]:
    """Prose and figures of the items that a person decides."""
    found = find_answers(submission.cells, folder.assignment, given=given_cells(folder))
    return {item: HandedIn(answer.text, answer.figures, answer.found) for item, answer in found.items()}


def given_cells(folder: AssignmentFolder) -> tuple[Cell, ...]:
    """The cells that students were given, so that the template's own text never counts as an answer."""
    reference = folder.path / folder.assignment.notebook
    if not reference.is_file():
        return ()
    return student_cells(reference.read_text(encoding="utf-8"), where=folder.assignment.notebook)


def figures_of(
    submission: SubmissionFile, execution: Execution, items: Sequence[ItemResult]
) -> tuple[Figure, ...]:
    """The figures that no item shows: those saved in the file, or else those that its cells drew just now."""
    saved = [figure for cell in submission.cells for figure in cell.figures]
    if not saved:
        saved = list(drawn_figures(execution.pictures))
    shown = {figure for item in items for figure in item.figures}
    return tuple(figure for figure in saved if figure not in shown)[:MAX_FIGURES]


def drawn_figures(pictures: Sequence[tuple[int, str]]) -> Iterator[Figure]:
    """The pictures that are sound; the sandbox may send anything."""
    for cell, picture in pictures:
        with suppress(BadFigure):
            yield figure_from_base64(picture, cell=cell)
