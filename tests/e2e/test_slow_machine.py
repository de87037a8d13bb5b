"""What the reference has no time for on this machine either costs no student a point."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support.assignments import write_files
from support.notebooks import code, write_notebook
from support.paths import environment

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the sandbox is Linux's")

MANIFEST = """
title = "T"
points = 2
notebook = "reference/sub.py"

[limits]
check_seconds = 0.4
cell_seconds = 0.4

[[item]]
id = "1"
title = "Sum"
points = 1

[[item]]
id = "2"
title = "Product"
points = 1
"""
TESTS = '''
from grader import item, points


@item("1")
@points(1)
def test_total(student):
    """total"""
    assert student.total([1, 2]) == 3


@item("2")
@points(1)
def test_product(student):
    """product"""
    assert student.product([1, 2]) == 2
'''
QUICK = "def total(x): return sum(x)\ndef product(x): return x[0] * x[1]"
SLOW = "def total(x):\n    while True: pass\ndef product(x): return x[0] * x[1]"
NEVER_THERE = "while True: pass\n" + QUICK


def graded(place: Path, *, submission: str, reference: str) -> tuple[dict[str, Any], int]:
    """The record of a submission, and the command's status."""
    folder = write_files(
        place / "course",
        {
            "assignment.toml": MANIFEST,
            "hidden_tests/test_it.py": TESTS,
            "reference/sub.py": f"# %%\n### BEGIN SOLUTION\n{reference}\n### END SOLUTION\n",
        },
    )
    notebook = write_notebook(place / "sub.ipynb", [code(submission)])
    command = [sys.executable, "-m", "grader.cli.main", str(notebook), "--assignment", str(folder), "--json"]
    done = subprocess.run(
        command, capture_output=True, text=True, env=environment(), check=False, timeout=300
    )
    assert done.stdout, done.stderr
    return json.loads(done.stdout), done.returncode


def faults(grade: dict[str, Any]) -> dict[str, str | None]:
    return {item["item"]: item["checks"][0]["fault"] for item in grade["items"]}


def test_a_time_out_of_the_reference_too_is_the_machines(tmp_path: Path) -> None:
    grade, status = graded(tmp_path, submission=SLOW, reference=SLOW)
    assert (grade["earned"], grade["decided"], status) == (1, 1, 1)
    assert faults(grade) == {"1": "infrastructure", "2": None}
    detail = grade["items"][0]["checks"][0]["detail"]
    assert "the reference runs out of time here as well" in detail
    assert any("1" in line for line in grade["attention"])


def test_a_time_out_of_the_submission_alone_is_its_own(tmp_path: Path) -> None:
    grade, status = graded(tmp_path, submission=SLOW, reference=QUICK)
    assert (grade["earned"], grade["decided"], status) == (1, 2, 0)
    assert faults(grade) == {"1": "student", "2": None}


def test_a_cell_that_the_reference_has_no_time_for_either(tmp_path: Path) -> None:
    grade, status = graded(tmp_path, submission=NEVER_THERE, reference=NEVER_THERE)
    assert (grade["decided"], status) == (0, 1)


def test_a_cell_that_only_the_submission_has_no_time_for(tmp_path: Path) -> None:
    grade, _ = graded(tmp_path, submission=NEVER_THERE, reference=QUICK)
    assert (grade["earned"], grade["decided"]) == (0, 2)
