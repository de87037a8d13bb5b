"""Make ``examples/full_marks/hw3.ipynb`` anew: ``python tests/golden/make_full_marks.py``.

The reference as a student who solved everything hands it in: no markers, outputs and figures saved. It is
run once, here, within the assignment's budget: its curves are short, its sources those of the full run.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from make_examples import EXAMPLES
from notebook_text import as_json, lines

from grader.grading import folder
from grader.notebooks.cells import Cell
from grader.notebooks.parameters import with_budget
from grader.notebooks.percent import read_percent
from grader.notebooks.template import student_cells

REPOSITORY = EXAMPLES.parent
_MARKER_LINES = re.compile(r"^[ \t]*(?:### |<!-- )(?:BEGIN|END) SOLUTION(?: -->)?[ \t]*\n?", re.MULTILINE)
_TODO_LINES = re.compile(r"^[ \t]*# TODO.*\n", re.MULTILINE)


def solved_cells() -> list[Cell]:
    """The reference's cells without markers and TODO lines, with the ids that the template gives them."""
    text = (REPOSITORY / "reference" / "hw3.py").read_text(encoding="utf-8")
    given = student_cells(text, where="reference/hw3.py")
    return [
        Cell(number, chunk.kind, solved(chunk.source), chunk.tags, template.id)
        for number, (chunk, template) in enumerate(zip(read_percent(text), given, strict=True), start=1)
    ]


def solved(source: str) -> str:
    """What a student leaves who wrote the reference's solution where the template says TODO."""
    return _TODO_LINES.sub("", _MARKER_LINES.sub("", source)).rstrip("\n")


def run(cells: list[Cell]) -> dict[int, list[dict[str, Any]]]:
    """Every code cell's saved outputs by its number, from one run within the budget, in this process."""
    import matplotlib.pyplot as plt  # noqa: F401, PLC0415  # only who makes it anew draws, and needs torch
    from IPython.utils.capture import capture_output  # noqa: PLC0415

    from grader.inside.agent import make_shell  # noqa: PLC0415

    shell: Any = make_shell()
    shell.run_line_magic("config", "InlineBackend.print_figure_kwargs = {'dpi': 60, 'bbox_inches': None}")
    saved = {}
    with working_folder():
        for planned in with_budget(cells, folder.load(REPOSITORY).assignment.budget):
            with capture_output() as captured:
                for piece in planned.pieces:
                    shell.run_cell(piece).raise_error()
            saved[planned.cell.number] = list(outputs(captured.stdout, captured.outputs))
    return saved


@contextlib.contextmanager
def working_folder() -> Iterator[None]:
    """The folder a student works in: a scratch copy of the template, where ``utils`` is imported from."""
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as scratch:
        for path in (REPOSITORY / "student_template").iterdir():
            (Path(scratch) / path.name).symlink_to(path)
        os.chdir(scratch)
        sys.path.insert(0, scratch)
        try:
            yield
        finally:
            os.chdir(before)
            sys.path.remove(scratch)


def outputs(printed: str, displays: list[Any]) -> Iterator[dict[str, Any]]:
    """What a cell printed and drew, as Jupyter saves it."""
    if printed:
        yield {"name": "stdout", "output_type": "stream", "text": lines(printed)}
    for display in displays:
        data = {kind: value for kind, value in display.data.items() if kind in ("image/png", "text/plain")}
        yield {"data": data, "metadata": {}, "output_type": "display_data"}


def notebook(cells: list[Cell], saved: dict[int, list[dict[str, Any]]]) -> dict[str, Any]:
    """The JSON of a notebook with these cells and outputs."""
    entries, count = [], 0
    for cell in cells:
        entry: dict[str, Any] = {
            "cell_type": cell.kind,
            "id": cell.id,
            "metadata": {"tags": list(cell.tags)} if cell.tags else {},
            "source": lines(cell.source),
        }
        if cell.kind == "code":
            count += 1
            entry |= {"execution_count": count, "outputs": saved[cell.number]}
        entries.append(entry)
    kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    return {
        "cells": entries,
        "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def main() -> None:
    """Write it."""
    cells = solved_cells()
    path = EXAMPLES / "full_marks" / "hw3.ipynb"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(as_json(notebook(cells, run(cells))))


if __name__ == "__main__":
    main()
