"""The homework for nbgrader: a course folder with its database, submissions, and the scores that it found."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.peers.checks import function
from benchmarks.peers.homework import Homework, Student, code, markdown, notebook
from benchmarks.peers.timing import Job, command_line

NAME = "homework"
SCORES = """
select submitted_assignment.student_id, base_cell.name, grade.auto_score
from grade
join submitted_notebook on grade.notebook_id = submitted_notebook.id
join submitted_assignment on submitted_notebook.assignment_id = submitted_assignment.id
join base_cell on grade.cell_id = base_cell.id
"""


def marks(name: str, kind: str, *, grade: bool, solution: bool, points: int | None = None) -> dict[str, Any]:
    """nbgrader's metadata of a cell."""
    worth = {} if points is None else {"points": points}
    of_cell = {"grade": grade, "solution": solution, "locked": not solution, "task": False, **worth}
    return {"nbgrader": {**of_cell, "grade_id": name, "schema_version": 3, "cell_type": kind}}


def source(homework: Homework, student: Student | None) -> bytes:
    """The author's notebook, or the one that a student hands in: the same cells with their answers."""
    cells = []
    for number, part in enumerate(homework.part):
        name = part.id or f"given_{number}"
        if not part.id:
            cells.append(code(name, part.source, **marks(name, "code", grade=False, solution=False)))
            continue
        cells.append(
            markdown(
                f"title_{name}",
                f"## {part.title}",
                **marks(f"title_{name}", "markdown", grade=False, solution=False),
            )
        )
        written = part.source if student is None else student.answer(part)
        cells.append(code(name, written, **marks(name, "code", grade=False, solution=True)))
        if student is not None and name in student.cells:
            cells.append(code(f"own_{name}", student.cells[name]))
        for check in part.check:
            test = f"test_{check.name}"
            text = f"{function(check)}\ncheck_{check.name}()"
            hidden = f"# {check.name}\n### BEGIN HIDDEN TESTS\n{text}\n### END HIDDEN TESTS"
            told = hidden if student is None else f"# {check.name}"
            cells.append(
                code(test, told, **marks(test, "code", grade=True, solution=False, points=check.points))
            )
    return notebook(cells)


class Nbgrader:
    """nbgrader in its environment, with a course folder below ``place``."""

    def __init__(self, homework: Homework, students: Sequence[Student], place: Path, programs: Path) -> None:
        self._programs, self._place, self._students = programs, place / "nbgrader", students
        self._homework = homework
        self._course, self._kept = self._place / "course", self._place / "as_released"
        self._release()

    def _release(self) -> None:
        """Let nbgrader enter the assignment into a database that every run begins with."""
        author = self._kept / "source" / NAME
        author.mkdir(parents=True)
        (author / "hw.ipynb").write_bytes(source(self._homework, None))
        run = [str(self._programs / "nbgrader"), "generate_assignment", NAME, f"--course-dir={self._kept}"]
        subprocess.run(run, check=True, capture_output=True, env=command_line(self._programs), cwd=self._kept)
        shutil.rmtree(self._kept / "release")
        for student in self._students:
            handed_in = self._place / "notebooks" / student.name / NAME
            handed_in.mkdir(parents=True)
            (handed_in / "hw.ipynb").write_bytes(source(self._homework, student))

    def _fresh(self, students: Sequence[Student]) -> None:
        shutil.rmtree(self._course, ignore_errors=True)
        shutil.copytree(self._kept, self._course)
        for student in students:
            shutil.copytree(
                self._place / "notebooks" / student.name, self._course / "submitted" / student.name
            )

    def job(self, students: Sequence[Student], *, processes: int = 1, seconds: float = 3600.0) -> Job:
        """`nbgrader autograde` on these students, as several processes side by side where asked."""
        commands = []
        for turn in range(processes):
            others = [student.name for number, student in enumerate(students) if number % processes != turn]
            exclude = [f"--CourseDirectory.student_id_exclude={','.join(others)}"] if others else []
            commands.append([str(self._programs / "nbgrader"), "autograde", NAME, *exclude])
        return Job(
            commands,
            environment=command_line(self._programs),
            folder=self._course,
            before=lambda: self._fresh(students),
            scores=self.scores,
            seconds=seconds,
        )

    def scores(self) -> Mapping[str, Mapping[str, float]]:
        """Each student's points by check, from the database."""
        found: dict[str, dict[str, float]] = {}
        with contextlib.closing(sqlite3.connect(self._course / "gradebook.db")) as database:
            for student, cell, points in database.execute(SCORES):
                found.setdefault(student, {})[cell.removeprefix("test_")] = float(points or 0)
        return found
