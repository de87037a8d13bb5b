"""Assignments of otter-grader: a notebook whose raw cells say where questions, solutions and tests begin."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from grader.authoring.imported import expected_output, files, ok_tests, otter_solutions, regions, settings
from grader.authoring.imported.described import Course
from grader.authoring.imported.files import RawCell
from grader.authoring.imported.otter_v0 import as_v1
from grader.authoring.imported.question_points import Case, add_question
from grader.authoring.imported.writing import own_check
from grader.model.errors import UsageError
from grader.notebooks.cells import Cell
from grader.notebooks.ipynb import joined

_BOUNDARY = re.compile(
    r"# ?(?P<side>BEGIN|END) (?P<what>QUESTION|SOLUTION|PROMPT|TESTS)[ \t]{0,80}$", re.IGNORECASE
)
_ASSIGNMENT = re.compile(r"# ?ASSIGNMENT CONFIG[ \t]{0,80}$", re.IGNORECASE)
_FENCED = re.compile(r"^```otter[ \t]*\n(.*?)^```[ \t]*$", re.MULTILINE | re.DOTALL)
_HIDDEN = re.compile(r"#.{0,200}\bhidden\b", re.IGNORECASE)
_TEST_BEGIN = re.compile(r"(?:\w{1,40} ?= ?)?(?:\"\"\"|''')[ \t]*#[ \t]*BEGIN TEST CONFIG", re.IGNORECASE)
_TEST_END = re.compile(r"(?:\"\"\"|''')[ \t]*;?[ \t]*#[ \t]*END TEST CONFIG", re.IGNORECASE)
_SHORT, _SIGNS = 60, "*_`#$<>"


@dataclass
class _Question:
    """The question that is being read: its settings, its tests, and whether it has a prompt of its own."""

    told: Mapping[str, Any]
    title: str = ""
    cases: list[Case] = field(default_factory=list)
    solved: list[str] = field(default_factory=list)
    prompts: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        return " ".join(str(self.told.get("name") or "question").split())


def read(source: Path) -> Course:
    """The assignment in a notebook, or in a folder that holds one. Raises UsageError if there is none."""
    path = _notebook(source)
    course = Course(origin="otter", title=path.stem)
    cells = as_v1(_unfenced(files.cells_of(path, course.files)))
    config = _Reader(path, course).read(cells)
    tests = path.parent / "tests"
    if not course.tests and tests.is_dir():
        ok_tests.add(course, cells, tests, notebook=path.name)
    if not course.items:
        raise UsageError(
            f"{source}: no question has points; expected a notebook with raw cells such as "
            "`# BEGIN QUESTION`, or one with a folder tests/ beside it"
        )
    if isinstance(name := config.get("name") or config.get("assignment_name"), str):
        course.title = name
    named = [*_list(config.get("files")), *_list(config.get("student_files"))]
    given = dict(files.given_below(path.parent, leaving_out={path})) if named else {}
    course.files |= {
        place: data for place, data in given.items() if any(_names(entry, place) for entry in named)
    }
    if config.get("seed") or (isinstance(made := config.get("generate"), dict) and made.get("seed")):
        course.note(path.name, "otter seeds each cell; here students get its `# SEED` lines")
    return course


def _notebook(source: Path) -> Path:
    if source.is_file():
        return source
    found = sorted(path for path in source.glob("*.ipynb") if not path.is_symlink())
    if len(found) != 1:
        names = ", ".join(path.name for path in found[:10]) or "none"
        raise UsageError(f"{source}: expected a notebook, or a folder that holds one; found {names}")
    return found[0]


def _list(value: object) -> list[str]:
    return [str(entry) for entry in value] if isinstance(value, list) else []


def _names(entry: str, place: str) -> bool:
    plain = entry.removeprefix("./").rstrip("/")
    return place == plain or place.startswith(f"{plain}/")


def _unfenced(cells: Sequence[RawCell]) -> Iterator[RawCell]:
    """The cells with blocks of Markdown that are called otter as raw cells."""
    for cell in cells:
        parts = _FENCED.split(cell.source) if cell.kind == "markdown" else [cell.source]
        for place, text in enumerate(parts):
            if len(parts) == 1 or text.strip():
                yield replace(cell, kind="raw" if place % 2 else cell.kind, source=text.strip("\n"))


class _Reader:
    """Reads one notebook: where it stands is a question's part."""

    def __init__(self, path: Path, course: Course) -> None:
        self._path, self._course = path, course
        self._cells: list[Cell] = []
        self._question: _Question | None = None
        self._part = ""
        self._strip_all = False

    def read(self, cells: Sequence[RawCell]) -> dict[str, Any]:
        """Adds everything to the course; the assignment's settings."""
        config: dict[str, Any] = {}
        for cell in cells:
            first, _, rest = cell.source.lstrip().partition("\n")
            if cell.kind == "raw" and _ASSIGNMENT.match(first):
                config = settings.read(rest)
                self._strip_all = config.get("strip_solutions_from_all_cells") is True
            elif cell.kind == "raw" and (found := _BOUNDARY.match(first)):
                self._boundary(found["side"].upper(), found["what"].upper(), rest)
            else:
                self._other(cell)
        kept = tuple(cell for cell in self._cells if cell.source.strip())
        self._course.notebooks[self._path.name] = kept
        return config

    def _boundary(self, side: str, what: str, rest: str) -> None:
        if what != "QUESTION":
            self._part = what if side == "BEGIN" else ""
            if side == "END" and what == "TESTS":
                self._call()
        elif side == "BEGIN":
            self._question = _Question(settings.read(rest))
        elif (question := self._question) is not None:
            self._answer(question)
            add_question(
                self._course, question.told, question.title, question.cases, notebook=self._path.name
            )
            self._question, self._part = None, ""

    def _other(self, cell: RawCell) -> None:
        question = self._question
        if question is None or not self._part:
            self._given(cell)
        elif self._part == "TESTS" and cell.kind == "code":
            question.cases.append(case_of(cell, f"{self._path.name}, cell {cell.number}"))
        elif self._part == "PROMPT":
            question.prompts.append(cell.source)
            if cell.kind == "code":
                commented = "\n".join(f"# {line}" for line in cell.source.split("\n"))
                self._cells.append(Cell(cell.number, "code", commented))
        elif self._part == "SOLUTION":
            self._solution(cell, question)

    def _given(self, cell: RawCell) -> None:
        source = cell.source
        if self._question is not None and not self._question.title and cell.kind == "markdown":
            self._question.title = _title(source)
        if cell.kind == "code" and (self._strip_all or otter_solutions.has_solution(source)):
            source = otter_solutions.code(source)
        else:
            source = regions.without_foreign_markers(source, kind=cell.kind)
        self._cells.append(Cell(cell.number, cell.kind, source))

    def _solution(self, cell: RawCell, question: _Question) -> None:
        if cell.kind == "markdown" and "otter_include" in (cell.metadata.get("tags") or []):
            self._cells.append(Cell(cell.number, "markdown", cell.source))
        elif cell.kind == "markdown":
            question.solved.append(cell.source)
        elif cell.kind == "code":
            self._cells.append(Cell(cell.number, "code", otter_solutions.code(cell.source)))

    def _call(self) -> None:
        question = self._question
        if question is not None and any(not case.hidden for case in question.cases):
            self._cells.append(Cell(0, "code", own_check(question.name)))

    def _answer(self, question: _Question) -> None:
        """The place of a written answer."""
        if question.told.get("manual") is True:
            text = "\n\n".join(question.solved) or "See the code above."
            self._cells.append(Cell(0, "markdown", regions.answer(question.name, text)))


def _title(source: str) -> str:
    """The first words of a question."""
    line = next((line for line in source.split("\n") if line.strip()), "")
    plain = " ".join("".join(sign for sign in line if sign not in _SIGNS).split())
    return plain if len(plain) <= _SHORT else plain[: _SHORT - 1].rsplit(" ", 1)[0] + "…"


def case_of(cell: RawCell, where: str) -> Case:
    """A test cell with its settings, and what its output shows as an assertion."""
    lines = cell.source.strip("\n").split("\n")
    told: dict[str, Any] = {}
    hidden = bool(lines[0].lstrip().startswith("#") and _HIDDEN.match(lines[0].lstrip()))
    if _TEST_BEGIN.match(lines[0]):
        end = next((place for place, line in enumerate(lines) if _TEST_END.match(line)), 0)
        told = settings.read("\n".join(lines[1:end]))
        lines = lines[end + 1 :]
    elif hidden:
        lines = lines[1:]
    value, printed = _outputs(cell)
    source = expected_output.without_function("\n".join(lines))
    points = told.get("points")
    return Case(
        expected_output.asserting(source, shown=value, printed=printed),
        where,
        told.get("hidden", hidden) is True,
        points if isinstance(points, int | float) and not isinstance(points, bool) else None,
        str(told.get("failure_message") or ""),
        str(told.get("name") or ""),
    )


def _outputs(cell: RawCell) -> tuple[str, str]:
    """The value that a cell showed, as text, and what it printed."""
    value, printed = "", ""
    for output in cell.outputs:
        data = output.get("data")
        if isinstance(data, dict):
            value = joined(data.get("text/plain")) or value
        elif output.get("name") == "stdout":
            printed += joined(output.get("text")) or ""
    return value, printed
