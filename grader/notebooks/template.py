"""The students' folder, generated from the reference: its notebook without solutions, and what goes with it.

The same reference gives the same bytes, whatever versions are installed: the notebook's JSON is written here.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from grader.model.assignment import Assignment
from grader.model.errors import TemplateError
from grader.notebooks.cells import Cell
from grader.notebooks.percent import Chunk, read_percent
from grader.notebooks.solution import has_marker, without_solution
from grader.notebooks.source import parse
from grader.notebooks.student_files import CONFTEST, manifest_for_students

PUBLIC_TESTS = "public_tests"
MARK = "chainrule"
"""Key of the notebook's metadata that tells a generated folder: its source and the files beside it."""

_SLUG = 48
_POINTS = re.compile(r"\([^()]*points?\)\s*$")
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
    cells = student_cells(_text(reference), where=assignment.notebook)
    files[name] = _notebook(cells, source=assignment.notebook, beside=sorted(files))
    return dict(sorted(files.items()))


def student_cells(text: str, *, where: str) -> tuple[Cell, ...]:
    """The cells of a percent-format reference as students get them; ``where`` names it in errors.

    Raises TemplateError for bad markers and for a code cell that does not parse without its solution.
    """
    slug, used, cells = "top", set[str](), []
    for number, chunk in enumerate(read_percent(text, uncomment_magics=True), start=1):
        source = without_solution(chunk.source, kind=chunk.kind, where=where, line=chunk.line)
        if chunk.kind == "code" and parse(source) is None:
            raise TemplateError(f"{where}, line {chunk.line}: {_not_python(chunk)}")
        slug = _heading_slug(source) or slug if chunk.kind == "markdown" else slug
        name = _unused(f"{slug}-{_digest(chunk.kind, source)}", used)
        cells.append(Cell(number, chunk.kind, source, chunk.tags, name))
    if not cells:
        raise TemplateError(f"{where}: has no cells; they begin with `# %%` lines")
    return tuple(cells)


def _not_python(chunk: Chunk) -> str:
    if parse(chunk.source) is None:
        return "this cell is not Python"
    return "this cell is not Python once its solution is taken out; the region must be whole statements"


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


def _heading_slug(source: str) -> str:
    """A cell's first heading as part of an id; "" where there is none."""
    heading = next((line.lstrip("# ") for line in source.split("\n") if line.startswith("#")), "")
    words = re.findall(r"[a-z0-9]+", _POINTS.sub("", heading).lower())
    return "-".join(words)[:_SLUG].rstrip("-")


def _digest(kind: str, source: str) -> str:
    return hashlib.sha256(f"{kind}\n{source}".encode()).hexdigest()[:8]


def _unused(name: str, used: set[str]) -> str:
    """The name, with a number where two cells are alike; at most 64 characters, as nbformat wants."""
    candidates = [name, *(f"{name}-{count}" for count in range(2, len(used) + 2))]
    free = next(candidate for candidate in candidates if candidate not in used)
    used.add(free)
    return free


def _readme(assignment: Assignment, notebook: str) -> str:
    given = ", ".join(f"`{PurePosixPath(entry).name}`" for entry in assignment.given) or "none here"
    item = next((item.id for item in assignment.item if item.kind == "code"), assignment.item[0].id)
    return _README.format(title=assignment.title, notebook=notebook, given=given, item=item)
