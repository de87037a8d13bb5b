"""Assignments of nbgrader: source notebooks, whose cells' metadata say what is graded and how."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from grader.authoring.imported import files, regions
from grader.authoring.imported.described import Course, ForeignItem, ForeignTest, worth
from grader.authoring.imported.files import RawCell
from grader.authoring.imported.names_in_tests import bound_in, used_in
from grader.authoring.imported.writing import own_check
from grader.model.errors import UsageError
from grader.model.points import ZERO
from grader.notebooks.cells import Cell
from grader.notebooks.solution import MARKERS
from grader.notebooks.source import parse

_SOLUTION, _HIDDEN, _SCHEME = "SOLUTION", "HIDDEN TESTS", "MARK SCHEME"
_AUTOTEST = re.compile(r"^[ \t]{0,80}#{2,4}[ \t]{1,8}(?:HASHED )?AUTOTEST\b", re.MULTILINE)
_HEADING = re.compile(r"[ \t]{0,3}#{1,6}[ \t]{1,8}(\S.{0,200})")
_POINTS_SAID = re.compile(r"\(\d[^()]{0,30}\)[ \t*]{0,9}$")


def read(source: Path) -> Course:
    """The assignment in a source notebook, or in a folder of them. Raises UsageError if there is none."""
    folder, notebooks = _found(source)
    course = Course(origin="nbgrader", title=folder.name if source.is_dir() else source.stem)
    for path in notebooks:
        _read_notebook(path, course)
    if not course.items:
        raise UsageError(
            f"{source}: no cell has points; expected nbgrader's source notebooks, such as source/ps1/ with "
            "`grade_id` in the cells' metadata"
        )
    if source.is_dir():
        course.files |= dict(files.given_below(folder, leaving_out=set(files.found_below(folder, "*.ipynb"))))
    return course


def _found(source: Path) -> tuple[Path, list[Path]]:
    """The assignment's folder and notebooks; a course's folder is one with a single assignment."""
    if source.is_file():
        return source.parent, [source]
    if not source.is_dir():
        raise UsageError(f"{source}: does not exist; name a source notebook of nbgrader, or its folder")
    inside = source / "source"
    if inside.is_dir():
        found = sorted(path for path in inside.iterdir() if path.is_dir() and any(path.glob("*.ipynb")))
        if len(found) != 1:
            names = ", ".join(str(path) for path in found[:10]) or "none"
            raise UsageError(f"{source}: has several assignments: {names}; name one")
        source = found[0]
    notebooks = sorted(path for path in source.glob("*.ipynb") if not path.is_symlink())
    if not notebooks:
        raise UsageError(f"{source}: has no notebooks; name the folder of one assignment, such as source/ps1")
    return source, notebooks


def _read_notebook(path: Path, course: Course) -> None:
    cells: list[Cell] = []
    title, tests_above = "", ""
    tested: dict[int, str] = {}
    for cell in files.cells_of(path, course.files):
        where = f"{path.name}, cell {cell.number}"
        title = _heading(cell) or title
        told = cell.metadata.get("nbgrader")
        told = told if isinstance(told, dict) else {}
        name = str(told.get("grade_id") or "")
        graded, solved = told.get("grade") is True, told.get("solution") is True
        if told.get("task") is True or (graded and solved):
            item = ForeignItem(
                _unused(name, path, course), title or name, worth(told.get("points")), path.name, written=True
            )
            cells += _by_hand(cell, item, course, task=told.get("task") is True)
        elif graded and cell.kind == "code":
            test = _test(cell, _unused(name, path, course), title, where, tests_above)
            _add(test, path.name, course)
            tests_above += f"\n{cell.source}"
            tested[len(cells)] = test.public
            cells.append(Cell(cell.number, "code", own_check(test.item) if test.public.strip() else ""))
        else:
            cells.append(Cell(cell.number, cell.kind, _given(cell, solved=solved)))
    for place in _used_later(cells, tested):
        cells[place] = replace(cells[place], source=f"{tested[place]}\n\n{cells[place].source}")
    course.notebooks[path.name] = tuple(cell for cell in cells if cell.source.strip())


def _used_later(cells: list[Cell], tested: dict[int, str]) -> Iterator[int]:
    """The places of test cells that bind a name which cells below them use and nothing else binds."""
    trees = [parsed.tree if (parsed := parse(cell.source)) else None for cell in cells]
    own = {name for tree in trees if tree is not None for name in bound_in(tree)}
    for place, source in tested.items():
        parsed = parse(source)
        made = bound_in(parsed.tree) - own if parsed is not None else set()
        if any(made & used_in(tree) for tree in trees[place + 1 :] if tree is not None):
            yield place


def _unused(name: str, path: Path, course: Course) -> str:
    """An item's id; nbgrader's are unique within a notebook only."""
    taken = {item.id for item in course.items} | {test.item for test in course.tests}
    plain = " ".join((name or f"{path.stem}-{len(taken) + 1}").split())
    return plain if plain not in taken else f"{path.stem}-{plain}"


def _heading(cell: RawCell) -> str:
    """The last heading of a cell of prose, without its points."""
    lines = cell.source.split("\n") if cell.kind == "markdown" else []
    found = [match[1] for line in lines if (match := _HEADING.match(line))]
    return _POINTS_SAID.sub("", found[-1].rstrip()).strip(" #*_") if found else ""


def _given(cell: RawCell, *, solved: bool) -> str:
    source = regions.without_foreign_markers(_with_our_markers(cell.source, kind=cell.kind), kind=cell.kind)
    if not solved:
        return source
    if cell.kind == "code":
        return regions.checked(source) if regions.BEGIN in source else regions.whole(source)
    return source if regions.PROSE_BEGIN in source else regions.whole(source, kind="markdown")


def _with_our_markers(source: str, *, kind: str) -> str:
    """nbgrader takes any line that holds "BEGIN SOLUTION" for a marker."""
    begin, end = MARKERS.get(kind, ("", ""))
    lines = []
    for line in source.split("\n"):
        indent = regions.indent_of(line)
        marker = begin if f"BEGIN {_SOLUTION}" in line else end if f"END {_SOLUTION}" in line else ""
        lines.append(indent + marker if marker else line)
    return "\n".join(lines)


def _by_hand(cell: RawCell, item: ForeignItem, course: Course, *, task: bool) -> Iterator[Cell]:
    """The cells of something that a person marks, whose item is added to the course."""
    where = f"{item.notebook}, cell {cell.number}"
    outside, scheme = _split(cell.source, _SCHEME)
    if item.points == ZERO:
        course.note(where, f"`{item.id}` has no points: it is text and no item")
    else:
        course.items.append(replace(item, rubric=" ".join(scheme.split())))
    if task:
        yield Cell(cell.number, "markdown", outside)
        yield Cell(cell.number, "markdown", regions.answer(item.id, ""))
    elif cell.kind == "code":
        yield Cell(cell.number, "markdown", regions.answer(item.id, "See the code below."))
        yield Cell(cell.number, "code", _given(replace(cell, source=outside), solved=True))
    else:
        shown, solution = _split(outside, _SOLUTION)
        if shown.strip() and solution.strip():
            yield Cell(cell.number, "markdown", shown)
        yield Cell(cell.number, "markdown", regions.answer(item.id, solution.strip() or shown))


def _split(source: str, what: str) -> tuple[str, str]:
    """What stands outside and inside the regions of one kind."""
    parts: tuple[list[str], list[str]] = ([], [])
    inside = False
    for line in source.split("\n"):
        if f"BEGIN {what}" in line or f"END {what}" in line:
            inside = f"BEGIN {what}" in line
        else:
            parts[inside].append(line)
    return "\n".join(parts[0]), "\n".join(parts[1])


def _test(cell: RawCell, name: str, title: str, where: str, above: str) -> ForeignTest:
    public, _ = _split(cell.source, _HIDDEN)
    source = "\n".join(line for line in cell.source.split("\n") if f" {_HIDDEN}" not in line)
    said, public = _docstring(public)
    source = _docstring(source)[1] if said else source
    parsed = parse(public)
    return ForeignTest(
        item=name,
        name=name,
        title=said or title or name,
        points=worth(cell.metadata["nbgrader"].get("points")),
        source=source,
        where=where,
        public=public if parsed is not None and _asserts(parsed.tree) else "",
        helpers=above,
        awards=_counts(source),
    )


def _docstring(source: str) -> tuple[str, str]:
    """The first line of a cell's docstring, and the cell without it."""
    parsed = parse(source)
    if parsed is None or parsed.magics or not (said := ast.get_docstring(parsed.tree)):
        return "", source
    lines = source.split("\n")
    return said.split("\n")[0].strip(), "\n".join(lines[parsed.tree.body[0].end_lineno :])


def _asserts(tree: ast.Module) -> bool:
    """Whether the part that students see tests anything."""
    idle = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef, ast.Pass)
    active = [node for node in tree.body if not isinstance(node, idle)]
    return any(not isinstance(node, ast.Expr) or not isinstance(node.value, ast.Constant) for node in active)


def _counts(source: str) -> bool:
    """Whether a cell ends with a number, which nbgrader takes for its points."""
    parsed = parse(source)
    if parsed is None or not parsed.tree.body or not isinstance(last := parsed.tree.body[-1], ast.Expr):
        return False
    return isinstance(last.value, ast.Name | ast.BinOp | ast.IfExp)


def _add(test: ForeignTest, notebook: str, course: Course) -> None:
    course.seen += 1
    if _AUTOTEST.search(test.source):
        course.note(test.where, "its AUTOTEST lines are left out: nbgrader makes their assertions")
    before = [item for item in course.items if item.notebook == notebook and not item.written]
    if test.points == ZERO and before:
        course.tests.append(replace(test, item=before[-1].id))
        return
    if test.points == ZERO:
        course.note(test.where, f"`{test.name}` is worth nothing and stands before any item: left out")
        course.seen -= 1
        return
    course.items.append(ForeignItem(test.item, test.title, test.points, notebook))
    course.tests.append(test)
