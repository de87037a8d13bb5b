"""A GPU, a package or a library's older names that grading machines lack: right answers keep their points."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from support.assignments import write_files
from support.commands import run_grade
from support.notebooks import code, write_notebook
from support.paths import FULL_MARKS, ROOT, environment

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the sandbox is Linux's")

TEST = '''
from grader import assert_close, item, points


@item("1")
@points(1)
def test_mean(student):
    """mean"""
    assert_close(student.mean([1.0, 3.0]), 2.0)
'''


def graded(folder: Path, submission: Path) -> tuple[dict[str, Any], int]:
    """The record of a submission, and the command's status."""
    done = run_grade(
        submission, "--assignment", folder, "--json", cwd=Path.cwd(), env=environment(), timeout=300
    )
    assert done.stdout, done.stderr
    return json.loads(done.stdout), done.returncode


def small(place: Path, source: str, environment_rules: str = "") -> tuple[dict[str, Any], int]:
    """The grade of a notebook of one cell, in an assignment that asks for ``mean``."""
    text = f'title = "T"\npoints = 1\n{environment_rules}\n[[item]]\nid = "1"\ntitle = "Mean"\npoints = 1\n'
    folder = write_files(place, {"assignment.toml": text, "hidden_tests/test_1.py": TEST})
    return graded(folder, write_notebook(place / "sub.ipynb", [code(source)]))


def only_check(grade: dict[str, Any]) -> dict[str, Any]:
    return grade["items"][0]["checks"][0]


ON_GPU = "import torch\ndef mean(x):\n    return torch.tensor(x, device='cuda').mean()"


def test_a_gpu_is_done_without_and_noted(tmp_path: Path) -> None:
    grade, status = small(tmp_path, ON_GPU + "\nmean([1.0])")
    assert (grade["earned"], status) == (1, 0)
    assert grade["cells"][0]["notes"] == ["a GPU (cuda): it runs on the processor"]


def test_a_module_that_asks_for_a_gpu_runs_as_well(tmp_path: Path) -> None:
    text = 'title = "T"\npoints = 1\n[[item]]\nid = "1"\ntitle = "Mean"\npoints = 1\n'
    folder = write_files(tmp_path / "course", {"assignment.toml": text, "hidden_tests/test_1.py": TEST})
    handed_in = write_files(tmp_path / "ada", {"means.py": ON_GPU})
    write_notebook(handed_in / "sub.ipynb", [code("from means import mean\nmean([1.0])")])
    grade, status = graded(folder, handed_in)
    assert (grade["earned"], status) == (1, 0)


def test_a_gpu_that_matters_leaves_the_item_to_a_person(tmp_path: Path) -> None:
    grade, status = small(tmp_path, ON_GPU, '[environment]\ncuda = "undecided"\n')
    assert (grade["decided"], status) == (0, 1)
    assert only_check(grade)["fault"] == "infrastructure"
    assert "GPU" in only_check(grade)["detail"]


def test_a_listed_package_that_is_missing_is_the_machines(tmp_path: Path) -> None:
    source = "import fairly_rare\ndef mean(x):\n    return fairly_rare.mean(x)"
    grade, status = small(tmp_path, source, '[environment]\npackages = ["fairly_rare"]\n')
    assert (grade["decided"], status) == (0, 1)
    assert "`fairly_rare`" in only_check(grade)["detail"]
    assert any("fairly_rare" in line for line in grade["attention"])


def test_a_package_that_nobody_listed_is_named_and_costs_what_depends_on_it(tmp_path: Path) -> None:
    source = "import fairly_rare\ndef mean(x):\n    return fairly_rare.mean(x)"
    grade, _ = small(tmp_path, source)
    assert any("fairly_rare" in line for line in grade["notices"])
    assert only_check(grade)["fault"] == "student"


def test_a_name_that_a_library_no_longer_has_is_the_machines(tmp_path: Path) -> None:
    source = "import numpy as np\ndef mean(x):\n    return np.asarray(x).astype(np.float).mean()"
    grade, status = small(tmp_path, source)
    assert (grade["decided"], status) == (0, 1)
    assert "numpy" in only_check(grade)["detail"]


@pytest.mark.training
def test_full_marks_with_a_gpu_in_the_code_are_full_marks(tmp_path: Path) -> None:
    """The homework asks for the GPU by name: nothing is lost, and its evidence is believed as before."""
    text = FULL_MARKS.read_text(encoding="utf-8")
    asked = text.replace(
        'DEVICE = \\"cuda\\" if torch.cuda.is_available() else \\"cpu\\"', 'DEVICE = \\"cuda\\"'
    )
    assert asked != text
    submission = tmp_path / "hw3.ipynb"
    submission.write_text(asked, encoding="utf-8")
    grade, _ = graded(ROOT, submission)
    plain, _ = graded(ROOT, FULL_MARKS)
    assert grade["earned"] == plain["earned"] == 30
    assert grade["decided"] == plain["decided"]
