"""One submission to one Grade: read, execute, check, score."""

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
from grader.grading.execution import Execution, Progress, execute
from grader.grading.recorded import Recorded, contents_of, recorded_in, texts_of, with_replay
from grader.grading.replay import prepare, run_prelude
from grader.grading.scoring import AnswerShown, needs_attention, score, score_public
from grader.model.assignment import BudgetValue
from grader.model.errors import AuthorError
from grader.model.records import (
    SCHEMA,
    CheckResult,
    Figure,
    Grade,
    ItemResult,
    SubmissionRecord,
    decided_points,
    earned_points,
    possible_points,
)
from grader.notebooks.answers import Answer, find_answers
from grader.notebooks.figures import BadFigure, figure_from_base64
from grader.notebooks.submission_file import SubmissionFile, read
from grader.session.notebook import Notebook

MAX_FIGURES = 40


@dataclass(frozen=True)
class GradeJob:
    """What to grade, and how.

    ``seed`` determines every random input; ``public`` runs the public checks, in this process; with ``only``
    the grade holds just these items. ``notices`` are added to those of the submission itself.
    """

    submission: Path
    folder: AssignmentFolder
    seed: int
    public: bool = False
    sandbox: bool = True
    only: frozenset[str] = frozenset()
    notices: tuple[str, ...] = ()

    def wants(self, item: str) -> bool:
        """Whether the grade holds this item."""
        return not self.only or item in self.only


Opener = Callable[[GradeJob, SubmissionFile, Progress], Notebook]


@dataclass(frozen=True)
class Graded:
    """A grade, with the answers that were found for all items, also for those that were not graded."""

    grade: Grade
    answers: Mapping[str, Answer]


def grade(job: GradeJob, *, opener: Opener, progress: Progress) -> Grade:
    """Read the job's file and grade it. Raises CannotGrade, as ``read`` and ``grade_file`` do."""
    return grade_file(job, read(job.submission), opener=opener, progress=progress).grade


def grade_file(job: GradeJob, submission: SubmissionFile, *, opener: Opener, progress: Progress) -> Graded:
    """Grade the job's file as it was read; what becomes of the file on disk no longer matters.

    Raises CannotGrade (an assignment that is wrong, no sandbox). Whatever the student's code does ends up in
    the grade.
    """
    graded_at, start = datetime.now(UTC), time.monotonic()
    job.folder.checks(hidden=not job.public)
    answers = find_answers(
        submission.cells, job.folder.assignment, template=() if job.public else job.folder.template_cells
    )
    recorded = recorded_in(answers)
    plan = plan_run(job, recorded)
    with opened(opener, job, submission, progress) as notebook:
        plan = start_replay(notebook, plan, job)
        execution = run_cells(notebook, submission, job, progress, plan.budget)
        recorded = with_replay(recorded, execution.evidence, broken=plan.broken)
        results, errors = run_checks(notebook, job, progress, recorded)
        isolation = notebook.isolation
    items = score_items(job, answers, recorded, results)
    found = Grade(
        schema=SCHEMA,
        assignment=job.folder.assignment.title,
        assignment_sha256=job.folder.sha256,
        submission=SubmissionRecord(submission.name, submission.sha256, submission.kind, submission.size),
        mode="public" if job.public else "hidden",
        seed=job.seed,
        graded_at=graded_at.isoformat(timespec="seconds"),
        seconds=round(time.monotonic() - start, 3),
        environment=describe_environment(isolation, environ=os.environ),
        limits=job.folder.assignment.limits,
        budget=plan.budget,
        earned=earned_points(items),
        possible=possible_points(items),
        decided=decided_points(items),
        items=items,
        cells=execution.cells,
        figures=figures_of(submission, execution, items),
        notices=(*submission.notices, *job.notices),
        attention=needs_attention(items, [*filter(None, [plan.broken]), *errors]),
    )
    return Graded(found, answers)


@contextmanager
def opened(
    opener: Opener, job: GradeJob, submission: SubmissionFile, progress: Progress
) -> Iterator[Notebook]:
    """The submission's notebook; afterwards everything that it started ends."""
    notebook = opener(job, submission, progress)
    try:
        yield notebook
    finally:
        notebook.close()


@dataclass(frozen=True)
class RunPlan:
    """How the cells will run: the budget with the replay's overrides, and the replay's prelude.

    ``broken`` says why the author's replay could not be used; the plan then has none.
    """

    budget: dict[str, BudgetValue]
    prelude: str = ""
    broken: str = ""


def plan_run(job: GradeJob, recorded: Mapping[str, Recorded]) -> RunPlan:
    """The plan for what this submission recorded; public checks, which students run, have no replay."""
    budget = job.folder.assignment.budget
    if job.public:
        return RunPlan(budget)
    try:
        replay = prepare(job.folder.checks(hidden=True), contents_of(recorded))
    except AuthorError as error:
        return RunPlan(budget, broken=str(error))
    return RunPlan({**budget, **replay.budget}, replay.prelude)


def start_replay(notebook: Notebook, plan: RunPlan, job: GradeJob) -> RunPlan:
    """Run the plan's prelude; the plan to go on with, which has no replay if the prelude failed."""
    try:
        run_prelude(notebook, plan.prelude, seconds=job.folder.assignment.limits.cell_seconds)
    except AuthorError as error:
        return RunPlan(job.folder.assignment.budget, broken=str(error))
    return plan


def run_cells(
    notebook: Notebook,
    submission: SubmissionFile,
    job: GradeJob,
    progress: Progress,
    budget: Mapping[str, BudgetValue],
) -> Execution:
    """Run the submission's code cells within the assignment's limits and this budget."""
    limits = job.folder.assignment.limits
    return execute(notebook, submission.cells, budget=budget, limits=limits, progress=progress)


def run_checks(
    notebook: Notebook, job: GradeJob, progress: Progress, recorded: Mapping[str, Recorded]
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
        on_check=progress.check,
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
    shown = {item: answer_shown(answer, recorded[item]) for item, answer in answers.items()}
    return tuple(item for item in score(job.folder.assignment, results, shown) if job.wants(item.item))


def answer_shown(answer: Answer, recorded: Recorded) -> AnswerShown:
    """The prose, recorded texts and figures of an item."""
    text = "\n\n".join(filter(None, (answer.text, texts_of(recorded))))
    return AnswerShown(text, answer.figures, answer.found, recorded.found)


def figures_of(
    submission: SubmissionFile, execution: Execution, items: Sequence[ItemResult]
) -> tuple[Figure, ...]:
    """The figures that no item shows: those saved in the file, or else those that its cells just drew."""
    saved = [figure for cell in submission.cells for figure in cell.figures]
    if not saved:
        saved = list(drawn_figures(execution.pictures))
    shown = {figure for item in items for figure in item.figures}
    return tuple(figure for figure in saved if figure not in shown)[:MAX_FIGURES]


def drawn_figures(pictures: Sequence[tuple[int, str]]) -> Iterator[Figure]:
    """The pictures that are valid; the sandbox may send anything."""
    for cell, picture in pictures:
        with suppress(BadFigure):
            yield figure_from_base64(picture, cell=cell)
