"""One submission to one Grade: read, execute, check, score."""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from grader.digests import digest_of
from grader.grading.about_files import notices_of_files
from grader.grading.arbiter import Arbiter, reference_files, reference_run
from grader.grading.assignment_folder import AssignmentFolder
from grader.grading.deadline import Deadline
from grader.grading.environment import describe_environment
from grader.grading.execution import Execution, Progress, execute
from grader.grading.headlines import find_headlines
from grader.grading.machine import Machine, own_modules
from grader.grading.own_code import OwnCode
from grader.grading.recorded import Recorded, contents_of, recorded_in, texts_of, with_replay
from grader.grading.replay import prepare, run_prelude
from grader.grading.scoring import AnswerShown, needs_attention, score, score_public
from grader.grading.whose_notebook import notebook_of_items
from grader.model import endings
from grader.model.assignment import BudgetValue
from grader.model.checked import ReferenceRun
from grader.model.errors import AuthorError, Fault, Outcome, SubmissionError, TooBusy
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
from grader.notebooks.answers import Answer, find_answers, recordings_of_nothing
from grader.notebooks.figures import BadFigure, figure_from_base64
from grader.notebooks.submission_file import SubmissionFile, read
from grader.notebooks.submission_files import SubmissionFiles
from grader.session.notebook import Notebook

if TYPE_CHECKING:
    import pytest

MAX_FIGURES = 40
TRIES = 3
"""How often a submission is graded at most, if the machine gives it too little processor time."""


@dataclass(frozen=True)
class GradeJob:
    """What to grade, and how.

    ``seed`` determines every random input; ``public`` runs the public checks, in this process; with ``only``
    the grade holds just these items. ``notices`` are added to those of the submission itself.
    ``seconds_spent`` of the time for all cells are used up, by other notebooks of the submission. What is not
    done at the ``deadline`` has timed out.
    """

    submission: Path
    folder: AssignmentFolder
    seed: int
    public: bool = False
    sandbox: bool = True
    only: frozenset[str] = frozenset()
    notices: tuple[str, ...] = ()
    seconds_spent: float = 0.0
    deadline: Deadline = field(default_factory=Deadline)

    def wants(self, item: str) -> bool:
        """Whether the grade holds this item."""
        return not self.only or item in self.only


Opener = Callable[[GradeJob, SubmissionFiles, Progress], Notebook]
"""Opens the first notebook of a submission, with the other files around it."""


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


def file_records(submission: SubmissionFiles) -> tuple[FileRecord, ...]:
    """Every file of a submission, for the record; none for a file that was handed in alone."""
    if submission.is_alone:
        return ()
    return tuple(
        FileRecord(place, digest_of(data), len(data)) for place, data in sorted(submission.files.items())
    )


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


@dataclass(frozen=True)
class Checked:
    """The results of the checks, one line for each file of checks that could not be loaded, and headlines.

    A headline says of a whole notebook what would else be said of each of its items; ``waiting`` says for
    these items what they wait for. ``if_theirs``, by item and check, is what a student reads whose value
    broke a check. ``every`` holds the results that a headline replaces, too.
    """

    results: list[CheckResult]
    errors: list[str]
    headlines: tuple[str, ...] = ()
    waiting: Mapping[str, str] = field(default_factory=dict)
    if_theirs: Mapping[tuple[str, str], str] = field(default_factory=dict)
    every: tuple[CheckResult, ...] = ()


@dataclass(frozen=True)
class Ended:
    """How checks ended, by their ids, before anybody judged whose fault it was.

    ``collected`` are the ids of all checks that there are, ``missing`` and ``if_theirs`` as in CheckPlugin,
    ``errors`` one line for each file of checks that could not be loaded.
    """

    results: Mapping[str, CheckResult]
    collected: tuple[str, ...] = ()
    missing: Mapping[tuple[str, str], str] = field(default_factory=dict)
    if_theirs: Mapping[tuple[str, str], str] = field(default_factory=dict)
    errors: tuple[str, ...] = ()


def run_checks(
    state: State, progress: Progress, *, chosen: Callable[[pytest.Item], bool] | None = None
) -> Ended:
    """Run the hidden or public checks, each against the notebook of its item; only those ``chosen``."""
    from grader.grading.check_plugin import CheckPlugin, Ran  # noqa: PLC0415
    from grader.grading.pytest_run import run_checks as run_folder  # noqa: PLC0415  # pytest takes 0.1 s

    job, runs = state.job, state.runs
    owners = owners_of(job, state.submission)
    states = {id(run.file): Ran(run.notebook, run.code) for run in runs}
    plugin = CheckPlugin(
        runs[0].notebook,
        seed=job.seed,
        seconds=job.folder.assignment.limits.check_seconds,
        hidden=not job.public,
        assignment=job.folder.assignment,
        only=job.only,
        on_check=progress.check,
        recorded=state.recorded,
        code=runs[0].code,
        deadline=job.deadline,
        apart={
            item: None if file is None else states[id(file)]
            for item, file in owners.items()
            if file is not runs[0].file
        },
        chosen=chosen,
    )
    run_folder(job.folder.checks(hidden=not job.public), plugin)
    return Ended(plugin.ended, plugin.collected, plugin.missing, plugin.if_theirs, tuple(plugin.errors))


def judged_checks(state: State, ended: Ended) -> Checked:
    """What the checks found, with what the machine lacks and what is true of a whole notebook."""
    job, runs = state.job, state.runs
    owners = owners_of(job, state.submission)
    machine = Machine(
        job.folder.assignment.environment, own_modules(state.submission, job.folder.assignment.given)
    )
    judged, lacking = machine.judged(
        list(ended.results.values()), [(run.file, run.execution.cells) for run in runs]
    )
    codes = {id(run.file): run.code for run in runs}
    answered = {item for item, entry in state.recorded.items() if entry.found}
    headlines = find_headlines(job.folder, owners, judged, ended.missing, answered, codes)
    waiting = {item: headline.waits_for for headline in headlines for item in headline.items}
    results = [
        result
        for result in judged
        if waiting.get(result.item) in (None, endings.IN_ANOTHER_FILE)  # else all say the same
    ]
    errors = [*ended.errors, *lacking]
    texts = tuple(headline.text for headline in headlines)
    return Checked(results, errors, texts, waiting, ended.if_theirs, tuple(judged))


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
