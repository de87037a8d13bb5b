"""The checks of a submission: run against the state after its cells, then judged as a whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from grader.grading.execution import Progress
from grader.grading.headlines import find_headlines
from grader.grading.machine import Machine, own_modules
from grader.grading.state import (
    State,
    owners_of,
)
from grader.model import endings
from grader.model.records import (
    CheckResult,
)

if TYPE_CHECKING:
    import pytest


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
    if job.prepared is not None:
        job.prepared.run(plugin)
    else:
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
