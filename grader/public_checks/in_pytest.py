"""Plain `pytest` in a student's folder: run the notebook, then the public checks on it.

The template's conftest.py loads this plugin. The notebook is the only .ipynb in the folder, or the file that
`--submission FILE` names.
"""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest

from grader.grading import assignment_folder
from grader.grading.check_plugin import CheckPlugin
from grader.grading.execution import Silent, execute
from grader.grading.outcomes import check_end
from grader.grading.recorded import Recorded, recorded_in, with_replay
from grader.model.errors import CannotGrade
from grader.notebooks.answers import find_answers
from grader.notebooks.submission_file import read
from grader.public_checks.run import CALL_SECONDS
from grader.session.in_process import OwnNotebook

SEED = 0


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option --submission."""
    parser.addoption(
        "--submission", metavar="FILE", help="the notebook to check [default: the only .ipynb here]"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Run the notebook once; the checks then start from its state."""
    if config.option.help or config.option.collectonly:
        return
    try:
        notebook, recorded = run_notebook(submission_of(config))
    except CannotGrade as error:
        raise pytest.UsageError(str(error)) from None
    plugin = CheckPlugin(notebook, seed=SEED, seconds=CALL_SECONDS, hidden=False, recorded=recorded)
    config.pluginmanager.register(plugin, "chainrule-checks")


def submission_of(config: pytest.Config) -> Path:
    """The notebook to check. Raises pytest.UsageError unless it is named or the only one here."""
    named = config.getoption("--submission")
    if named:
        return Path(named)
    found = sorted(config.rootpath.glob("*.ipynb"))
    if len(found) != 1:
        raise pytest.UsageError(
            f"{len(found)} notebooks in {config.rootpath}; name the one to check: pytest --submission FILE"
        )
    return found[0]


def run_notebook(path: Path) -> tuple[OwnNotebook, dict[str, Recorded]]:
    """The notebook after all its cells ran within the assignment's budget, and the evidence in its file."""
    submission = read(path)
    assignment = assignment_folder.load(path.absolute().parent).assignment
    recorded = recorded_in(find_answers(submission.cells, assignment))
    notebook = OwnNotebook(submission.module_name, path.absolute().parent, seed=SEED)
    ran = execute(
        notebook, submission.cells, budget=assignment.budget, limits=assignment.limits, progress=Silent()
    )
    return notebook, with_replay(recorded, ran.evidence)


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_makereport(
    call: pytest.CallInfo[None],
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the message that `grade` shows, instead of the source of the check."""
    report = yield
    if call.excinfo is not None and report.failed:
        report.longrepr = check_end(call.excinfo.value).detail
    return report
