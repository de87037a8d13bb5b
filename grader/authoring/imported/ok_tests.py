"""Tests in the form of OK: files `tests/q1.py` that hold one dictionary, beside a solved notebook."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from grader.authoring.imported import expected_output, files, regions
from grader.authoring.imported.described import Course
from grader.authoring.imported.files import RawCell
from grader.authoring.imported.question_points import Case, add_question
from grader.authoring.imported.writing import own_check
from grader.notebooks.cells import Cell
from grader.notebooks.source import python_tree

_CHECK = re.compile(r"\b(?:grader|ok)\.(?:check|grade)\(\s{0,9}[\"']([^\"'\n]{1,100})[\"']")
_OF_OTTER = re.compile(
    r"^\s{0,80}(?:import otter\b.*|from client\.api.*|\w{1,40} ?= ?(?:otter\.)?Notebook\(.*)$"
)


def add(course: Course, cells: Sequence[RawCell], tests: Path, *, notebook: str) -> None:
    """Add the questions of the files in ``tests``; the cell above a question's check is its solution."""
    found: dict[str, dict[str, Any]] = {}
    for path in sorted(tests.glob("*.py")):
        told = _dictionary(files.text_of(path))
        if told:
            found[str(told.get("name") or path.stem)] = told
        elif path.stem != "__init__":
            course.note(f"tests/{path.name}", "is no dictionary `test = {...}`: left out")
    for name, told in found.items():
        cases = list(_cases(told, f"tests/{name}.py"))
        add_question(course, {**told, "name": name}, name, cases, notebook=notebook)
    course.notebooks[notebook] = tuple(_solved(cells, found))


def _dictionary(text: str) -> dict[str, Any]:
    """The dictionary that a file assigns to ``test``; nothing is run."""
    tree = python_tree(text)
    for node in tree.body if tree is not None else ():
        match node:
            case ast.Assign(targets=[ast.Name(id="test")], value=value):
                try:
                    found = ast.literal_eval(value)
                except (ValueError, SyntaxError, MemoryError, RecursionError):
                    return {}
                return found if isinstance(found, dict) else {}
    return {}


def _cases(told: Mapping[str, Any], where: str) -> Iterator[Case]:
    suites = told.get("suites")
    listed = (
        [suite.get("cases") for suite in suites if isinstance(suite, dict)]
        if isinstance(suites, list)
        else []
    )
    cases = [case for part in listed if isinstance(part, list) for case in part if isinstance(case, dict)]
    for number, case in enumerate(cases, start=1):
        points = case.get("points")
        yield Case(
            _source(str(case.get("code") or "")),
            f"{where}, case {number}",
            case.get("hidden") is True,
            points if isinstance(points, int | float) else None,
            str(case.get("failure_message") or ""),
        )


def _source(text: str) -> str:
    try:
        return expected_output.of_doctest(text)
    except ValueError:
        return text


def _solved(cells: Sequence[RawCell], tests: Mapping[str, object]) -> list[Cell]:
    """The notebook's cells: above each check stands the answer, if nothing else marks one."""
    made: list[Cell] = []
    for cell in cells:
        source = cell.source
        called = _CHECK.search(source) if cell.kind == "code" else None
        if called and called[1] in tests:
            _mark_last(made)
            source = own_check(called[1])
        elif cell.kind == "code":
            source = "\n".join(line for line in source.split("\n") if not _OF_OTTER.match(line))
        made.append(Cell(cell.number, cell.kind, source))
    return [cell for cell in made if cell.source.strip()]


def _mark_last(made: list[Cell]) -> None:
    """Make the last code cell a solution, unless it is one or only calls a check."""
    place = next((place for place in reversed(range(len(made))) if made[place].kind == "code"), None)
    if place is not None and regions.BEGIN not in (source := made[place].source) and "check(" not in source:
        made[place] = Cell(made[place].number, "code", regions.whole(source))
