"""The students' folder, generated from the reference: its notebook without solutions, and what goes with it.

The same reference gives the same bytes, whatever versions are installed: the notebook's JSON is written here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from grader.authoring.student_files import CONFTEST, manifest_for_students
from grader.model.assignment import Assignment
from grader.model.errors import TemplateError
from grader.notebooks.cells import Cell
from grader.notebooks.solution import has_marker
from grader.notebooks.template_cells import template_cells

PUBLIC_TESTS = "public_tests"
MARK = "chainrule"
"""Key of the notebook's metadata that tells a generated folder: its source and the files beside it."""

_SKIPPED = {"__pycache__"}

_README = """\
# {title}

This folder is everything you need. Work in `{notebook}`; the cells say where (`TODO`), and answers in words
go under the headings that begin with *Answer*.

## Set up

Install Python 3.11 or newer and, as your course tells you, the grader Chainrule with Jupyter. Then open the
notebook from this folder, so that it finds the files beside it: {given}.

## Check your work

The public tests ask for a part of what is graded; the hidden ones use other inputs. Run them

- from the notebook, with a cell such as `from grader import check; check("{item}")`;
- on the saved notebook: `grade --public {notebook}`;
- on the saved notebook, with pytest: `pytest`.

All three say the same: what was expected, what came, and what often causes it.

## Hand in

Hand in `{notebook}` alone, saved with its outputs: plots and numbers of long runs are taken from the saved
notebook and not computed again. Restart the kernel and run all cells once before you save. A cell that raises
costs only what depends on it, so hand in unfinished work too.
"""


def build(assignment: Assignment, folder: Path) -> dict[str, bytes]:
    """All files of the students' folder: relative path (with ``/``) to content.

    Reads the reference notebook, the files that the manifest gives away and ``public_tests/`` beside the
    reference. Raises TemplateError, with file and line, for anything that would give away a solution or leave
    a cell that is not Python.
    """
    reference = folder / assignment.notebook
    files = dict(_given(assignment, folder))
    tests = reference.parent / PUBLIC_TESTS
    if tests.is_dir():
        files |= dict(_tree(tests, PUBLIC_TESTS))
    name = f"{PurePosixPath(assignment.notebook).stem}.ipynb"
    files["README.md"] = _readme(assignment, name).encode()
    files["assignment.toml"] = manifest_for_students(assignment)
    files["conftest.py"] = CONFTEST
    for path, data in files.items():
        if path.endswith((".py", ".md", ".txt", ".ipynb")) and has_marker(data.decode("utf-8", "replace")):
            raise TemplateError(
                f"{path}: holds a solution marker, but is copied as it is; take the region out"
            )
    cells = template_cells(_text(reference), where=assignment.notebook)
    files[name] = _notebook(cells, source=assignment.notebook, beside=sorted(files))
    return dict(sorted(files.items()))


def _given(assignment: Assignment, folder: Path) -> Iterator[tuple[str, bytes]]:
    for entry in assignment.given:
        path = folder / entry
        if path.is_dir():
            yield from _tree(path, path.name)
        else:
            yield path.name, _data(path)


def _tree(folder: Path, prefix: str) -> Iterator[tuple[str, bytes]]:
    """The regular files below a folder, without hidden and compiled ones."""
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if path.is_file() and not any(part.startswith(".") or part in _SKIPPED for part in parts):
            yield "/".join((prefix, *parts)), _data(path)


def _data(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise TemplateError(f"{path}: cannot be read ({error.strerror}); the template needs it") from None


def _text(path: Path) -> str:
    try:
        return _data(path).decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise TemplateError(f"{path}: is not UTF-8 text") from None


def _notebook(cells: tuple[Cell, ...], *, source: str, beside: list[str]) -> bytes:
    """nbformat 4.5, written as nbformat writes it: sorted keys, one blank of indent, a newline at the end."""
    tree = {
        "cells": [_cell(cell) for cell in cells],
        "metadata": {
            MARK: {"files": beside, "generated_from": source},
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return (json.dumps(tree, indent=1, ensure_ascii=False, sort_keys=True) + "\n").encode()


def _cell(cell: Cell) -> dict[str, Any]:
    lines = [line + "\n" for line in cell.source.split("\n")]
    lines[-1] = lines[-1].removesuffix("\n")
    entry: dict[str, Any] = {
        "cell_type": cell.kind,
        "id": cell.id,
        "metadata": {"tags": list(cell.tags)} if cell.tags else {},
        "source": [line for line in lines if line],
    }
    if cell.kind == "code":
        entry |= {"execution_count": None, "outputs": []}
    return entry


def _readme(assignment: Assignment, notebook: str) -> str:
    given = ", ".join(f"`{PurePosixPath(entry).name}`" for entry in assignment.given) or "none here"
    item = next((item.id for item in assignment.item if item.kind == "code"), assignment.item[0].id)
    return _README.format(title=assignment.title, notebook=notebook, given=given, item=item)
