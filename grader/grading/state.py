"""A submission whose cells have run: its notebooks, open, and the evidence that they hold for its checks."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from grader.grading.execution import Execution, Progress, execute
from grader.grading.grade_job import GradeJob, Opener
from grader.grading.own_code import OwnCode
from grader.grading.recorded import Recorded, contents_of, recorded_in, with_replay
from grader.grading.replay import Meanwhile, begin, prepare, run_prelude
from grader.grading.whose_notebook import notebook_of_items
from grader.model.assignment import BudgetValue
from grader.model.errors import AuthorError
from grader.notebooks.answers import Answer, find_answers
from grader.notebooks.submission_file import SubmissionFile
from grader.notebooks.submission_files import SubmissionFiles
from grader.session.notebook import Notebook

if TYPE_CHECKING:
    pass


@dataclass(frozen=True)
class State:
    """A submission whose cells ran and whose notebooks are open: what its checks run against.

    ``recorded`` is the evidence for each item, with what the cells recorded just now. ``started`` is a moment
    of time.monotonic.
    """

    job: GradeJob
    submission: SubmissionFiles
    runs: list[Run]
    plan: RunPlan
    answers: Mapping[str, Answer]
    recorded: Mapping[str, Recorded]
    graded_at: datetime
    started: float


def run_submission(
    stack: ExitStack, job: GradeJob, submission: SubmissionFiles, opener: Opener, progress: Progress
) -> State:
    """Run the cells of a submission; ``stack`` ends what it started."""
    graded_at, start = datetime.now(UTC), time.monotonic()
    job.folder.checks(hidden=not job.public)
    answers, _ = answers_in(job, submission)
    plan = plan_run(job, recorded_in(answers))
    begin(stack, plan.meanwhile, seed=job.seed, left=job.deadline.left)
    runs = run_all(stack, job, submission, plan, opener, progress)
    return state_of(job, submission, runs, graded_at=graded_at, started=start)


def state_of(
    job: GradeJob, submission: SubmissionFiles, runs: list[Run], *, graded_at: datetime, started: float
) -> State:
    """The state in which these runs of a submission's notebooks left it."""
    answers, sources = answers_in(job, submission)
    recorded = recorded_in(answers)
    plan = runs[-1].plan
    replayed = {
        item: entry
        for run in runs
        for item, entry in with_replay(
            {item: recorded[item] for item, file in sources.items() if file is run.file},
            run.execution.evidence,
            broken=plan.broken,
        ).items()
    }
    return State(job, submission, runs, plan, answers, replayed, graded_at, started)


def recorded_of(job: GradeJob, submission: SubmissionFiles) -> dict[str, Recorded]:
    """What is recorded in a submission's files, by item."""
    return recorded_in(answers_in(job, submission)[0])


def answers_in(
    job: GradeJob, submission: SubmissionFiles
) -> tuple[dict[str, Answer], dict[str, SubmissionFile]]:
    """The answer of every item that has one, and the file that it was found in.

    It is that of the item's own notebook, else that of any other in which there is one.
    """
    assignment, folder = job.folder.assignment, job.folder
    by_file = [
        (file, find_answers(file.cells, assignment, template=() if job.public else folder.template_cells))
        for file in submission.notebooks
    ]
    if len(by_file) == 1:
        file, answers = by_file[0]
        return answers, dict.fromkeys(answers, file)
    owners = owners_of(job, submission)
    found: dict[str, Answer] = {}
    sources: dict[str, SubmissionFile] = {}
    for item in by_file[0][1]:
        ordered = sorted(by_file, key=lambda entry: (entry[0] is not owners[item], not entry[1][item].found))
        file, answers = next((entry for entry in ordered if entry[1][item].found), ordered[0])
        found[item], sources[item] = answers[item], file
    return found, sources


def owners_of(job: GradeJob, submission: SubmissionFiles) -> dict[str, SubmissionFile | None]:
    """The notebook of each item; None if it was not handed in."""
    return notebook_of_items(job.folder.assignment, submission.notebooks, job.folder.cells_given)


@dataclass(frozen=True)
class Run:
    """One graded file of a submission, after its cells ran; its notebook is still open."""

    file: SubmissionFile
    notebook: Notebook
    execution: Execution
    plan: RunPlan
    code: OwnCode


def run_all(
    stack: ExitStack,
    job: GradeJob,
    submission: SubmissionFiles,
    plan: RunPlan,
    opener: Opener,
    progress: Progress,
) -> list[Run]:
    """Run every graded file in a process of its own, as in Jupyter; they share the time for all cells."""
    runs: list[Run] = []
    spent = 0.0
    for file in submission.notebooks:
        part = submission.only(file)
        notebook = stack.enter_context(opened(opener, replace(job, seconds_spent=spent), part, progress))
        job.deadline.watch(notebook)
        plan = start_replay(notebook, plan, job)
        place = "" if len(submission.notebooks) == 1 else submission.place_of(file)
        execution = run_cells(notebook, part, job, progress, plan.budget, file=place)
        spent += sum(cell.seconds for cell in execution.cells)
        code = OwnCode(file.name, file.cells, part.around(file), execution.cells)
        runs.append(Run(file, notebook, execution, plan, code))
    return runs


@contextmanager
def opened(
    opener: Opener, job: GradeJob, submission: SubmissionFiles, progress: Progress
) -> Iterator[Notebook]:
    """The submission's first notebook; afterwards everything that it started ends."""
    notebook = opener(job, submission, progress)
    try:
        yield notebook
    finally:
        notebook.close()


@dataclass(frozen=True)
class RunPlan:
    """How the cells will run: the budget with the replay's overrides, and the replay's prelude.

    ``broken`` says why the author's replay could not be used; the plan then has none. ``meanwhile`` is what
    the trusted side computes while the cells run.
    """

    budget: dict[str, BudgetValue]
    prelude: str = ""
    broken: str = ""
    meanwhile: Meanwhile | None = None


def plan_run(job: GradeJob, recorded: Mapping[str, Recorded]) -> RunPlan:
    """The plan for what this submission recorded; public checks, which students run, have no replay."""
    budget = job.folder.assignment.budget
    if job.public:
        return RunPlan(budget)
    try:
        replay = prepare(job.folder.checks(hidden=True), contents_of(recorded))
    except AuthorError as error:
        return RunPlan(budget, broken=str(error))
    return RunPlan({**budget, **replay.budget}, replay.prelude, meanwhile=replay.meanwhile)


def start_replay(notebook: Notebook, plan: RunPlan, job: GradeJob) -> RunPlan:
    """Run the plan's prelude; the plan to go on with, which has no replay if the prelude failed."""
    try:
        run_prelude(notebook, plan.prelude, seconds=job.folder.assignment.limits.cell_seconds)
    except AuthorError as error:
        return RunPlan(job.folder.assignment.budget, broken=str(error))
    return plan


def run_cells(
    notebook: Notebook,
    submission: SubmissionFiles,
    job: GradeJob,
    progress: Progress,
    budget: Mapping[str, BudgetValue],
    *,
    file: str = "",
) -> Execution:
    """Run the code cells of the first notebook within the assignment's limits and this budget."""
    limits = job.folder.assignment.limits
    return execute(
        notebook,
        submission.first.cells,
        budget=budget,
        limits=limits,
        progress=progress,
        file=file,
        left=job.deadline.left,
    )
