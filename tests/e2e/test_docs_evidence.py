"""The example of docs/evidence.md: run in Jupyter as a student does, handed in, forged, emptied."""

from __future__ import annotations

import copy
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jupytext
import nbformat
import pytest
from nbclient import NotebookClient
from support.pages import write_page_files
from support.paths import ROOT

from grader.grading import assignment_folder
from grader.grading.execution import Silent
from grader.grading.grade_job import GradeJob
from grader.grading.opening import WarmProcesses
from grader.grading.pipeline import grade
from grader.inside.media_types import EVIDENCE


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page's files, with the students' utils.py."""
    page = tmp_path_factory.mktemp("page")
    write_page_files("evidence.md", page)
    shutil.copy(ROOT / "reference/utils.py", page / "descent")
    return page / "descent"


@pytest.fixture(scope="module")
def notebook(home: Path) -> Any:
    """The notebook after Jupyter ran it."""
    read = jupytext.read(home / "notebook.py")
    client = NotebookClient(read, kernel_name="python3", resources={"metadata": {"path": str(home)}})
    at_home = {name: value for name, value in os.environ.items() if name != "PYTHONSAFEPATH"}
    return client.execute(env=at_home)  # a student's kernel finds what lies beside the notebook


@pytest.fixture(scope="module")
def warm() -> Iterator[WarmProcesses]:
    with WarmProcesses() as processes:
        yield processes


def recordings(notebook: Any) -> list[dict[str, Any]]:
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    return [output["data"] for output in outputs if EVIDENCE in output.get("data", {})]


def smooth(data: dict[str, Any]) -> None:
    losses = data[EVIDENCE]["data"]["losses"]
    losses[:] = [losses[0] + (losses[-1] - losses[0]) * step / 999 for step in range(1000)]


def better_from_the_middle_on(data: dict[str, Any]) -> None:
    losses = data[EVIDENCE]["data"]["losses"]
    losses[500:] = [0.9 * loss for loss in losses[500:]]


PERSON = "A person will look at this"


@pytest.mark.parametrize(
    ("change", "earned", "decided", "said"),
    [
        (lambda _: None, 3, True, ""),
        (lambda data: data.pop(EVIDENCE), 1, True, "nothing was recorded for item 2"),
        (better_from_the_middle_on, 1, True, "the curve ends at"),
        (smooth, 1, False, PERSON),
        (lambda data: data[EVIDENCE]["data"]["losses"].reverse(), 1, False, PERSON),
        (lambda data: data[EVIDENCE]["parameters"].update(SEED=8), 1, False, PERSON),
        (lambda data: data[EVIDENCE]["data"].pop("weights"), 1, False, PERSON),
    ],
    ids=[
        "as it was run",
        "without its outputs",
        "another end",
        "smoothed",
        "turned round",
        "another seed",
        "without weights",
    ],
)
def test_the_page_s_example_is_graded_as_it_says(
    home: Path,
    notebook: Any,
    warm: WarmProcesses,
    change: Callable[[dict[str, Any]], object],
    *,
    earned: int,
    decided: bool,
    said: str,
) -> None:
    handed_in = copy.deepcopy(notebook)
    for data in recordings(handed_in):
        change(data)
    nbformat.write(handed_in, home / "notebook.ipynb")
    job = GradeJob(home / "notebook.ipynb", assignment_folder.load(home), seed=1)
    record = grade(job, opener=warm.open_notebook, progress=Silent())
    assert (str(record.earned), record.attention) == (str(earned), ())
    assert record.items[1].decided is decided
    assert record.items[1].checks[0].message.startswith(said)
    assert record.budget["STEPS"] == 5
