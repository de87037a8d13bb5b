"""Make ``examples/full_marks/hw3.ipynb`` anew: ``python -m tests.support.examples.full_marks``.

The reference as a student who solved everything hands it in: no markers, every cell run in Jupyter's kernel
on the full data, with outputs, figures and evidence. It takes half an hour of one core, too long for CI: the
notebook is kept, and a test compares its cells with the reference's.

The experiments need nothing of each other. Four kernels make one each: part 3, the default transformer, the
block sizes, the heads. ``--short`` stays within the assignment's budget and the embedded data. ``--keep``
runs nothing and takes the outputs that are there, for a change of the reference's prose.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import json
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from grader.grading import assignment_folder
from grader.model.assignment import BudgetValue
from grader.notebooks.cells import Cell
from grader.notebooks.parameters import overridden
from grader.notebooks.percent import read_percent
from grader.notebooks.template_cells import template_cells

from .. import notebooks
from ..notebooks import code, prose
from ..paths import FULL_MARKS, ROOT
from .text import lines

DPI = 72
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
EXPERIMENTS = ("default_run", "block_runs", "head_runs")
"""The results of part 4, by the names that only their own cells use."""
_MARKER_LINES = re.compile(r"^[ \t]*(?:### |<!-- )(?:BEGIN|END) SOLUTION(?: -->)?[ \t]*\n?", re.MULTILINE)
_TODO_LINES = re.compile(r"^[ \t]*# TODO.*\n", re.MULTILINE)

Outputs = list[dict[str, Any]]


def solved_cells() -> list[Cell]:
    """The reference's cells without markers and TODO lines, with the ids that the template gives them."""
    text = (ROOT / "reference" / "hw3.py").read_text(encoding="utf-8")
    given = template_cells(text, where="reference/hw3.py")
    return [
        Cell(number, chunk.kind, solved(chunk.source), chunk.tags, template.id)
        for number, (chunk, template) in enumerate(zip(read_percent(text), given, strict=True), start=1)
    ]


def solved(source: str) -> str:
    """What a student leaves who wrote the reference's solution where the template says TODO."""
    return _TODO_LINES.sub("", _MARKER_LINES.sub("", source)).rstrip("\n")


def lanes(cells: Sequence[Cell]) -> list[list[Cell]]:
    """The code cells that each kernel runs: part 3, then what each experiment of part 4 needs."""
    code = [cell for cell in cells if cell.kind == "code"]
    part_4 = next(at for at, cell in enumerate(code) if "import torch" in cell.source)
    parameters = next(at for at, cell in enumerate(code) if "parameters" in cell.tags)
    start = code[: parameters + 1]
    found = [code[:part_4]]
    for experiment in EXPERIMENTS:
        others = [name for name in EXPERIMENTS if name != experiment]
        found.append(start + [c for c in code[part_4:] if not any(name in c.source for name in others)])
    return found


def run(cells: Sequence[Cell], budget: Mapping[str, BudgetValue]) -> dict[int, Outputs]:
    """Every code cell's outputs by its number, from kernels in a student's folder."""
    with tempfile.TemporaryDirectory() as scratch, concurrent.futures.ThreadPoolExecutor() as pool:
        home = Path(scratch) / "hw3"
        shutil.copytree(ROOT / "student_template", home)
        running = [pool.submit(run_lane, lane, budget, home) for lane in lanes(cells)]
        saved: dict[int, Outputs] = {}
        for lane in running:
            saved = lane.result() | saved
    return saved


def run_lane(cells: Sequence[Cell], budget: Mapping[str, BudgetValue], home: Path) -> dict[int, Outputs]:
    """The outputs of these cells, run in one kernel; says on standard error when each is done."""
    import nbclient  # noqa: PLC0415  # needed only to run the cells, which tests never do

    def done(cell: Any, cell_index: int, execute_reply: object) -> None:
        del execute_reply
        first = cell["source"].strip().splitlines()[0]
        sys.stderr.write(f"{time.strftime('%H:%M:%S')} cell {cells[cell_index].number}: {first}\n")

    notebook = notebooks.notebook(code(overridden(cell.source, budget)) for cell in cells)
    nbclient.NotebookClient(
        notebook,
        timeout=None,
        on_cell_executed=done,
        resources={"metadata": {"path": str(home)}},
        extra_arguments=[f"--InlineBackend.print_figure_kwargs={{'dpi': {DPI}}}"],
    ).execute()
    return {
        cell.number: [saved_output(output) for output in ran.outputs]
        for cell, ran in zip(cells, notebook.cells, strict=True)
    }


def kept(cells: Sequence[Cell]) -> dict[int, Outputs]:
    """The outputs of the notebook that is there; raises SystemExit where code is not what made them."""
    entries = json.loads(FULL_MARKS.read_bytes())["cells"]
    saved = {"".join(entry["source"]): entry["outputs"] for entry in entries if entry["cell_type"] == "code"}
    for cell in cells:
        if cell.kind == "code" and cell.source not in saved:
            raise SystemExit(f"cell {cell.number} has changed, so it must be run anew: {cell.source[:60]!r}")
    return {cell.number: saved[cell.source] for cell in cells if cell.kind == "code"}


def saved_output(output: Any) -> dict[str, Any]:
    """An output as Jupyter saves it: text as lines, nothing that depends on the execution's number."""
    kept: dict[str, Any] = {name: value for name, value in output.items() if name != "execution_count"}
    if "text" in kept:
        kept["text"] = lines(kept["text"])
    return dict(sorted(kept.items()))


def notebook(cells: Sequence[Cell], saved: Mapping[int, Outputs]) -> NotebookNode:
    """A notebook with these cells and outputs."""
    made, count = [], 0
    for cell in cells:
        if cell.kind == "code":
            count += 1
            made.append(
                code(cell.source, *saved[cell.number], name=cell.id, tags=cell.tags, count=count)
            )
        else:
            made.append(prose(cell.source, name=cell.id, tags=cell.tags))
    return notebooks.notebook(made, {"kernelspec": KERNEL, "language_info": {"name": "python"}})


def main() -> None:
    """Write it."""
    parser = argparse.ArgumentParser(description="make examples/full_marks anew")
    parser.add_argument("--short", action="store_true", help="within the budget, on the embedded data")
    parser.add_argument("--keep", action="store_true", help="keep the outputs, where no code has changed")
    parser.add_argument("--to", type=Path, default=FULL_MARKS, help="where the notebook is written")
    asked = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"  # a core for each kernel, and the sums that the sandbox makes
    budget = assignment_folder.load(ROOT).assignment.budget if asked.short else {}
    cells = solved_cells()
    saved = kept(cells) if asked.keep else run(cells, budget)
    asked.to.parent.mkdir(exist_ok=True)
    asked.to.write_bytes(notebooks.as_bytes(notebook(cells, saved)))


if __name__ == "__main__":
    main()
