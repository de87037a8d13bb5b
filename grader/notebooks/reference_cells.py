"""The cells of a reference: a Python file in percent format, or a notebook."""

from __future__ import annotations

import json
from dataclasses import replace

from grader.model.errors import SubmissionError, TemplateError
from grader.notebooks.cells import Cell
from grader.notebooks.ipynb import notebook_cells
from grader.notebooks.percent import read_percent


def reference_cells(text: str, *, where: str) -> tuple[Cell, ...]:
    """The cells that are not empty; ``where`` is the file's name, which decides how ``text`` is read.

    Raises TemplateError for a notebook that cannot be read.
    """
    if not where.endswith(".ipynb"):
        chunks = read_percent(text, uncomment_magics=True)
        return tuple(
            Cell(number, chunk.kind, chunk.source, chunk.tags, line=chunk.line)
            for number, chunk in enumerate(chunks, start=1)
        )
    try:
        cells, _ = notebook_cells(json.loads(text), name=where)
    except (ValueError, RecursionError):
        raise TemplateError(f"{where}: is not a notebook: its JSON cannot be read") from None
    except SubmissionError as error:
        raise TemplateError(str(error)) from None
    return tuple(replace(cell, source=cell.source.rstrip()) for cell in cells if cell.source.strip())


def place_of(cell: Cell, *, where: str, line: int = 1) -> str:
    """Where the cell's line (from 1) is found: "hw.py, line 12", or "hw.ipynb, cell 3, line 2"."""
    if cell.line:
        return f"{where}, line {cell.line + line - 1}"
    return f"{where}, cell {cell.number}, line {line}"
