"""Whole commands: `grade` on the full-marks example against one plain process, and `grade --help`."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.measure import Figure, median_of, side_by_side
from grader.grading import assignment_folder
from grader.notebooks.parameters import with_budget
from grader.notebooks.submission_file import read

ROOT = Path(__file__).parent.parent
FULL_MARKS = ROOT / "examples" / "full_marks" / "hw3.ipynb"
REFERENCE = ROOT / "reference"

PLAIN = """
import os
import sys
os.chdir({folder!r})
import matplotlib
matplotlib.use("agg")
import numpy, matplotlib.pyplot, torch
torch.set_num_threads(1)
import types
sys.modules["grader"] = types.ModuleType("grader")
sys.modules["grader"].check = lambda item: None
names = {{"__name__": "__main__"}}
for cell in {cells!r}:
    exec(compile(cell, "<cell>", "exec"), names)
"""


def plain_script(submission: Path) -> str:
    """A program that imports the same libraries and executes the same budgeted cells, and nothing else.

    The public checks in its cells do nothing, as they do while grading.
    """
    assignment = assignment_folder.load(ROOT).assignment
    runs = with_budget(read(submission).cells, assignment.budget)
    cells = ["\n".join(run.pieces) for run in runs]
    return PLAIN.format(folder=str(REFERENCE), cells=cells)


def full_marks(*, times: int) -> list[Figure]:
    """The wall time of `grade` and of the plain process, in turns, both with one thread a library."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    beside_the_notebook = {**environment, "PYTHONPATH": str(REFERENCE)}
    with tempfile.TemporaryDirectory() as scratch:
        script = Path(scratch) / "plain.py"
        script.write_text(plain_script(FULL_MARKS))
        grade = [
            sys.executable,
            "-m",
            "grader.cli.main",
            str(FULL_MARKS),
            "--assignment",
            str(ROOT),
            "--out",
            scratch,
        ]

        def run(command: list[str], variables: dict[str, str]) -> None:
            subprocess.run(command, check=True, capture_output=True, env=variables, cwd=scratch)

        alone = [sys.executable, str(script)]
        graded, plain = side_by_side(
            [lambda: run(grade, environment), lambda: run(alone, beside_the_notebook)], times=times
        )
    return [
        Figure("one plain process with the same cells", plain, "s", note=f"median of {times}, in turns"),
        Figure("grade on the full-marks example", graded, "s", note=f"median of {times}, in turns"),
        Figure("... as a multiple of the plain process", graded / plain, "x", at_most=1.5),
    ]


def help_text(*, times: int) -> Figure:
    """The wall time of `grade --help`."""
    command = [sys.executable, "-m", "grader.cli.main", "--help"]
    taken = median_of(lambda: subprocess.run(command, check=True, capture_output=True), times=times)
    return Figure("grade --help", taken, "s", at_most=0.3, note=f"median of {times}")
