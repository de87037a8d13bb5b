"""What would give solutions away to students: found in the reference before its template is written."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from grader.authoring.given_away import items_given_away
from grader.grading.assignment_folder import AssignmentFolder
from grader.model.errors import TemplateError
from grader.notebooks.cells import Cell
from grader.notebooks.foreign_markers import OWN_MARKERS, foreign_markers
from grader.notebooks.ipynb import joined, raw_cells
from grader.notebooks.reference_cells import place_of, reference_cells
from grader.notebooks.solution import has_marker

_SHOWN = 4
"""Places that are named for each advice."""
_TAGS = {"solution", "solutions", "instructor", "teacher"}
_NOTHING_IN_IT = {"your answer here", "type your answer here", "write your answer here"}
_COPIED = {"py": "code", "md": "markdown", "ipynb": ""}
"""Endings of the copied files that are read, and of which kind their one cell is."""
_PASTED = (
    "save a picture that is pasted into the text as a file that the manifest's `given` names, and show it by "
    "![](FILE); the template cannot carry it otherwise"
)


def assert_nothing_leaks(home: AssignmentFolder, files: Mapping[str, bytes]) -> None:
    """Raises TemplateError if ``files``, the template of this assignment, show what students must find.

    That is a line or cell that the markers of another tool or course call a solution, an item that is the
    same in reference and template, or a template from which nothing was taken at all.
    """
    cells = {path: home.reference_cells(path) for path in home.references.values()}
    problems = [*_in_notebooks(home, cells), *_in_modules(home), *_in_copies(home, files)]
    marked = any(has_marker(cell.source) for part in cells.values() for cell in part)
    if not problems and not marked and not home.reference_modules:
        problems = [
            (f"{', '.join(cells)}: no solution is marked, and students would get all of it", OWN_MARKERS)
        ]
    problems = problems or list(items_given_away(home, cells))
    if problems:
        raise TemplateError("; ".join(_by_advice(problems)))


def _by_advice(problems: Iterable[tuple[str, str]]) -> Iterator[str]:
    """What was seen, the same advice once, with its first few places."""
    found: dict[str, list[str]] = {}
    for seen, advice in problems:
        found.setdefault(advice, []).append(seen)
    for advice, places in found.items():
        more = f" and {len(places) - _SHOWN} more" if len(places) > _SHOWN else ""
        yield f"{', '.join(places[:_SHOWN])}{more}: {advice}"


def _in_notebooks(home: AssignmentFolder, cells: Mapping[str, Iterable[Cell]]) -> Iterator[tuple[str, str]]:
    for path, part in cells.items():
        yield from _marked_lines(part, where=path)
        saved = _saved_cells(home, path) if path.endswith(".ipynb") else {}
        for cell in part:
            place = place_of(cell, where=path)
            if named := sorted({tag.lower() for tag in cell.tags} & _TAGS):
                yield f"{place}: a cell tagged {named[0]!r}", OWN_MARKERS
            yield from ((f"{place}: {seen}", advice) for seen, advice in _as_saved(cell, saved))


def _marked_lines(cells: Iterable[Cell], *, where: str) -> Iterator[tuple[str, str]]:
    for cell in cells:
        for number, text, advice in foreign_markers(cell.source, kind=cell.kind):
            yield f"{place_of(cell, where=where, line=number)}: {text!r} looks like a marker", advice


def _saved_cells(home: AssignmentFolder, path: str) -> dict[int, Mapping[str, Any]]:
    entries = raw_cells(json.loads((home.path / path).read_text(encoding="utf-8"))) or []
    return {number: entry for number, entry in enumerate(entries, start=1) if isinstance(entry, dict)}


def _as_saved(cell: Cell, saved: Mapping[int, Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """What a notebook's JSON says of a cell beyond its text."""
    entry = saved.get(cell.number, {})
    metadata = entry.get("metadata")
    nbgrader = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    is_answer = isinstance(nbgrader, dict) and nbgrader.get("solution") is True
    is_empty = cell.source.strip("*_. \t\n").lower() in _NOTHING_IN_IT
    if is_answer and not is_empty and not has_marker(cell.source):
        yield "an answer cell of nbgrader with no marked solution", OWN_MARKERS
    if entry.get("attachments") or "data:image/" in (joined(entry.get("source")) or ""):
        yield "a pasted picture", _PASTED


def _in_modules(home: AssignmentFolder) -> Iterator[tuple[str, str]]:
    for place in home.reference_modules.values():
        source = (home.path / place).read_text(encoding="utf-8", errors="replace")
        yield from _marked_lines([Cell(1, "code", source, line=1)], where=place)


def _in_copies(home: AssignmentFolder, files: Mapping[str, bytes]) -> Iterator[tuple[str, str]]:
    """Marked lines of the files that are copied as they are."""
    for name, data in files.items():
        ending = name.rpartition(".")[2]
        if ending not in _COPIED or name in home.references or name in home.reference_modules:
            continue
        text = data.decode("utf-8", "replace")
        cells: tuple[Cell, ...] = (Cell(1, _COPIED[ending], text, line=1),)
        if ending == "ipynb":
            with suppress(TemplateError):  # data that is called a notebook
                cells = reference_cells(text, where=name)
        yield from _marked_lines(cells, where=name)
