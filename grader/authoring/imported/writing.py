"""An assignment in our form: manifest, solved notebooks, checks and given files, from what a reader found."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from nbformat import v4, writes

from grader.authoring.imported import beside
from grader.authoring.imported.described import Course, ForeignItem, ForeignTest
from grader.authoring.imported.translated import OURS, indented
from grader.model.points import Points, total

HIDDEN, PUBLIC = "hidden_tests", "reference/public_tests"
_REVIEW = "REVIEW: runs beside the student's code, which can read and change it, since"
_WORD = re.compile(r"[^\W_]+")
_LONGEST = 100


@dataclass(frozen=True)
class WrittenCheck:
    """A check as it is written: its function's name and body, and why it runs beside student code, if so."""

    test: ForeignTest
    function: str
    body: str
    points: Points
    review: str = ""


def manifest(course: Course, items: Iterable[ForeignItem]) -> str:
    """assignment.toml."""
    kept = list(items)
    names = list(course.notebooks)
    lines = [
        f"# Taken over from {course.origin} by `grade import`; IMPORT.md says what was converted.",
        f"title = {_toml(course.title)}",
        f"points = {total(item.points for item in kept)}",
        f"notebook = {_toml(f'reference/{names[0]}')}",
        f"given = {_toml([f'reference/{name}' for name in _tops(course.files)])}",
    ]
    for item in kept:
        lines += ["", "[[item]]", f"id = {_toml(item.id)}", f"title = {_toml(item.title[:_LONGEST])}"]
        lines += [f"points = {item.points}"]
        if item.written:
            rubric = f"[{{ points = {item.points}, text = {_toml(item.rubric)} }}]" if item.rubric else ""
            lines += ['kind = "written"', *([f"rubric = {rubric}"] if rubric else [])]
        lines += [f"notebook = {_toml(item.notebook)}"] if len(names) > 1 else []
    lines += ["", "[submission]", f"notebooks = {_toml(names)}"] if len(names) > 1 or course.modules else []
    lines += [f"files = {_toml(sorted(course.modules))}"] if course.modules else []
    lines += ["", "[limits]", "cell_seconds = 60", "check_seconds = 30", "notebook_seconds = 600"]
    return "\n".join([*lines, "total_seconds = 1800", "memory_mb = 4096", ""])


def _tops(files: Iterable[str]) -> list[str]:
    """The files and folders that a list of paths begins with."""
    return list(dict.fromkeys(name.partition("/")[0] for name in sorted(files)))


def reference(course: Course) -> Iterator[tuple[str, bytes]]:
    """The solved notebooks and modules and the given files: paths and contents."""
    makers: Mapping[str, Callable[..., object]] = {
        "code": v4.new_code_cell,
        "markdown": v4.new_markdown_cell,
        "raw": v4.new_raw_cell,
    }
    for name, cells in course.notebooks.items():
        made = [
            makers[cell.kind](cell.source, id=f"cell-{number}") for number, cell in enumerate(cells, start=1)
        ]
        notebook = v4.new_notebook(cells=made, nbformat_minor=5)
        notebook.metadata = {"language_info": {"name": "python"}}
        yield f"reference/{name}", (writes(notebook) + "\n").encode()
    for place, text in course.modules.items():
        yield f"reference/{place}", text.encode()
    yield from ((f"reference/{place}", data) for place, data in course.files.items())


def files_of_checks(
    checks: Iterable[WrittenCheck], *, origin: str, notebook_of: Mapping[str, str]
) -> dict[str, str]:
    """Files of checks, one for each notebook: names and sources."""
    by_file: dict[str, list[WrittenCheck]] = {}
    for check in checks:
        stem = notebook_of[check.test.item].rpartition(".")[0]
        by_file.setdefault(f"test_{'_'.join(_WORD.findall(stem)) or 'notebook'}.py", []).append(check)
    return {name: _file(part, origin) for name, part in by_file.items()}


def _file(checks: list[WrittenCheck], origin: str) -> str:
    bodies = "\n".join(check.body for check in checks)
    names = [*(name for name in OURS if f"{name}(" in bodies), "item", "points"]
    head = [f'"""Checks taken over from {origin}. Read them once; those marked REVIEW with care."""', ""]
    head += ["import pytest", ""] if any(check.test.decorators for check in checks) else []
    head += [f"from grader import {', '.join(names)}"]
    head += ["", beside.SOURCE.rstrip()] if beside.NAME in bodies else []
    return "\n".join([*head, *map(_function, checks), ""])


def _function(check: WrittenCheck) -> str:
    test = check.test
    hint = f", hint={json.dumps(test.hint, ensure_ascii=False)}" if test.hint else ""
    title = " ".join(test.title.replace("\\", "/").replace('"""', "'").split())[:_LONGEST].rstrip('"')
    lines = [
        "",
        "",
        f"@item({_toml(test.item)})",
        f"@points({Points(check.points.hundredths // test.cases)}{hint})",
        *test.decorators,
    ]
    lines += [f"def {check.function}({', '.join(('student', *test.parameters))}):"]
    lines += [f'    """{title or test.name}"""', f"    # {test.where}"]
    lines += [f"    # {_REVIEW} {check.review}."] if check.review else []
    return "\n".join([*lines, indented(check.body)])


def function_name(test: ForeignTest, taken: set[str]) -> str:
    """A name for a check's function, which is added to ``taken``."""
    name = "_".join(_WORD.findall(test.name.removeprefix("test_"))).lower() or "check"
    numbered = (f"test_{name}{number if number > 1 else ''}" for number in range(1, len(taken) + 2))
    name = next(free for free in numbered if free not in taken)
    taken.add(name)
    return name


def own_check(item: str) -> str:
    """A cell in which students run the public checks of an item."""
    return f"from grader import check\n\ncheck({_toml(item)})"


def _toml(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
