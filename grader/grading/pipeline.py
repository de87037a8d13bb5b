"""One submission to one Grade: read, execute, check, score. The only thing that a batch has to call."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from grader.grading.assignment_folder import AssignmentFolder
from grader.grading.environment import describe_environment
from grader.grading.execution import Execution, Watch, execute
from grader.grading.recorded import Recorded, contents_of, recorded_in, texts_of, with_run
from grader.grading.replay import prepare, run_prelude
from grader.grading.scoring import HandedIn, needs_attention, score, score_public
from grader.model.assignment import BudgetValue
from grader.model.errors import AuthorError
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
from grader.notebooks.answers import Answer, find_answers
from grader.notebooks.cells import Cell
from grader.notebooks.figures import BadFigure, figure_from_base64
from grader.notebooks.given_cells import student_cells
from grader.notebooks.submission_file import SubmissionFile, read
from grader.session.notebook import Notebook

MAX_FIGURES = 40


@dataclass(frozen=True)
class GradeJob:
    """What is to be graded.

    ``seed`` decides every random input; ``public`` runs the public checks, in this process; with ``only``
    the grade holds these items and no other. ``notices`` are lines for the record that the submission alone
    does not show.
    """

    submission: Path
    folder: AssignmentFolder
    seed: int
    public: bool = False
    sandbox: bool = True
    only: frozenset[str] = frozenset()
    notices: tuple[str, ...] = ()

    def wants(self, item: str) -> bool:
        """Whether the grade is to hold this item."""
        return not self.only or item in self.only


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
    answers = find_answers(
        submission.cells, job.folder.assignment, given=() if job.public else given_cells(job.folder)
    )
    recorded = recorded_in(answers)
    beginning = begin(job, recorded)
    with opened(opener, job, submission, watch) as notebook:
        beginning = enter(notebook, beginning, job)
        execution = run_cells(notebook, submission, job, watch, beginning.budget)
        recorded = with_run(recorded, execution.evidence, broken=beginning.broken)
        results, errors = run_checks(notebook, job, watch, recorded)
        isolation = notebook.isolation
    items = score_items(job, answers, recorded, results)
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
        budget=beginning.budget,
        earned=earned_points(items),
        possible=possible_points(items),
        decided=decided_points(items),
        items=items,
        cells=execution.cells,
        figures=figures_of(submission, execution, items),
        notices=(*submission.notices, *job.notices),
        attention=needs_attention(items, [*filter(None, [beginning.broken]), *errors]),
    )


@contextmanager
def opened(opener: Opener, job: GradeJob, submission: SubmissionFile, watch: Watch) -> Iterator[Notebook]:
    """The submission's live state, ended afterwards with everything it started."""
    notebook = opener(job, submission, watch)
    try:
        yield notebook
    finally:
        notebook.close()


@dataclass(frozen=True)
class Begun:
    """How the cells are to be run: the budget with the author's beginning laid over it, and its prelude.

    ``broken`` is what went wrong with the beginning: then there is none.
    """

    budget: dict[str, BudgetValue]
    prelude: str = ""
    broken: str = ""


def begin(job: GradeJob, recorded: Mapping[str, Recorded]) -> Begun:
    """The beginning for what this submission claims; none for public checks, which students run."""
    budget = job.folder.assignment.budget
    if job.public:
        return Begun(budget)
    try:
        beginning = prepare(job.folder.checks(hidden=True), contents_of(recorded))
    except AuthorError as error:
        return Begun(budget, broken=str(error))
    return Begun({**budget, **beginning.budget}, beginning.prelude)


def enter(notebook: Notebook, begun: Begun, job: GradeJob) -> Begun:
    """Run the prelude. Where it does not run through, the notebook gets the plain budget."""
    try:
        run_prelude(notebook, begun.prelude, seconds=job.folder.assignment.limits.cell_seconds)
    except AuthorError as error:
        return Begun(job.folder.assignment.budget, broken=str(error))
    return begun


def run_cells(
    notebook: Notebook,
    submission: SubmissionFile,
    job: GradeJob,
    watch: Watch,
    budget: Mapping[str, BudgetValue],
) -> Execution:
    """Run the submission's code cells within the assignment's limits and this budget."""
    limits = job.folder.assignment.limits
    return execute(notebook, submission.cells, budget=budget, limits=limits, watch=watch)


def run_checks(
    notebook: Notebook, job: GradeJob, watch: Watch, recorded: Mapping[str, Recorded]
) -> tuple[list[CheckResult], list[str]]:
    """The results of the hidden or public checks, and one line for each file that could not be loaded."""
    from grader.grading.check_plugin import CheckPlugin  # noqa: PLC0415
    from grader.grading.pytest_run import run_checks as run_folder  # noqa: PLC0415  # pytest takes 0.1 s

    plugin = CheckPlugin(
        notebook,
        seed=job.seed,
        seconds=job.folder.assignment.limits.check_seconds,
        hidden=not job.public,
        assignment=job.folder.assignment,
        only=job.only,
        on_check=watch.check,
        recorded=recorded,
    )
    run_folder(job.folder.checks(hidden=not job.public), plugin)
    return plugin.results, plugin.errors


def score_items(
    job: GradeJob,
    answers: Mapping[str, Answer],
    recorded: Mapping[str, Recorded],
    results: Sequence[CheckResult],
) -> tuple[ItemResult, ...]:
    """The items with their points; public checks award none."""
    if job.public:
        return score_public(job.folder.assignment, results)
    handed = {item: handed_in(answer, recorded[item]) for item, answer in answers.items()}
    return tuple(item for item in score(job.folder.assignment, results, handed) if job.wants(item.item))


def handed_in(answer: Answer, recorded: Recorded) -> HandedIn:
    """Prose, recorded texts and figures of an item, for a person to see."""
    text = "\n\n".join(filter(None, (answer.text, texts_of(recorded))))
    return HandedIn(text, answer.figures, answer.found, recorded.found)


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
