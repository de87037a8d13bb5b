"""The homework for otter-grader: its assigned notebook and autograder, submissions, and the scores."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.peers.checks import function
from benchmarks.peers.homework import Homework, Student, code, markdown, notebook, raw
from benchmarks.peers.timing import Job, command_line

GRADER = Path(__file__).parent / "in_their_environments" / "otter_class.py"
CONFIGURATION = """# ASSIGNMENT CONFIG
name: hw
init_cell: true
export_cell: false
check_all_cell: false
tests:
    ok_format: false
generate:
    pdf: false
    show_hidden: false
"""


def source(homework: Homework) -> bytes:
    """The author's notebook, from which `otter assign` makes everything else."""
    cells = [raw("configuration", CONFIGURATION)]
    for number, part in enumerate(homework.part):
        if not part.id:
            cells.append(code(f"given_{number}", part.source))
            continue
        cells += [raw(f"begin_{part.id}", f"# BEGIN QUESTION\nname: {part.id}")]
        cells += [markdown(f"title_{part.id}", f"## {part.title}")]
        cells += [raw(f"solution_{part.id}", "# BEGIN SOLUTION")]
        cells += [code(part.id, part.source.replace("### BEGIN", "# BEGIN").replace("### END", "# END"))]
        cells += [raw(f"solved_{part.id}", "# END SOLUTION"), raw(f"tests_{part.id}", "# BEGIN TESTS")]
        for check in part.check:
            settings = f'""" # BEGIN TEST CONFIG\nhidden: true\npoints: {check.points}\n""" # END TEST CONFIG'
            cells.append(code(f"test_{check.name}", f"{settings}\n{function(check, ', '.join(check.uses))}"))
        cells += [raw(f"tested_{part.id}", "# END TESTS"), raw(f"end_{part.id}", "# END QUESTION")]
    return notebook(cells)


def filled(assigned: bytes, homework: Homework, student: Student) -> bytes:
    """The notebook that students get, with a student's answers and cells."""
    whole = json.loads(assigned)
    left, cells = list(homework.items), []
    for cell in whole["cells"]:
        cells.append(cell)
        if not is_answer(cell):
            continue
        item = left.pop(0)
        cell["source"] = student.answer(item)
        if item.id in student.cells:
            cells.append(code(f"own_{item.id}", student.cells[item.id]))
    assert not left, f"the assigned notebook has no cell for {left[0].id}"
    return json.dumps({**whole, "cells": cells}).encode()


def is_answer(cell: Mapping[str, Any]) -> bool:
    """Whether this is a code cell that a student is to fill in."""
    return cell["cell_type"] == "code" and "otter_answer_cell" in cell["metadata"].get("tags", [])


class Otter:
    """otter-grader in its environment."""

    def __init__(self, homework: Homework, students: Sequence[Student], place: Path, programs: Path) -> None:
        self._homework, self._programs, self._place = homework, programs, place / "otter"
        self._place.mkdir(parents=True)
        (self._place / "hw.ipynb").write_bytes(source(homework))
        run = [str(programs / "otter"), "assign", "hw.ipynb", "dist"]
        subprocess.run(run, check=True, capture_output=True, env=command_line(programs), cwd=self._place)
        (self._autograder,) = (self._place / "dist" / "autograder").glob("*.zip")
        assigned = (self._place / "dist" / "student" / "hw.ipynb").read_bytes()
        for student in students:
            handed_in = self._notebook(student)
            handed_in.parent.mkdir(parents=True)
            handed_in.write_bytes(filled(assigned, homework, student))

    def _notebook(self, student: Student) -> Path:
        return self._place / "notebooks" / student.name / "hw.ipynb"

    def _found(self, turn: int) -> Path:
        return self._place / f"scores_{turn}.json"

    def job(self, students: Sequence[Student], *, processes: int = 1, seconds: float = 3600.0) -> Job:
        """Its documented call for grading without a container, for one after the other in one process.

        That is the faster way: `otter run` imports otter anew for each notebook.
        """
        commands = []
        for turn in range(processes):
            notebooks = [str(self._notebook(student)) for student in students[turn::processes]]
            python = str(self._programs / "python")
            commands.append([python, str(GRADER), str(self._autograder), str(self._found(turn)), *notebooks])
        return Job(
            commands,
            environment=command_line(self._programs),
            folder=self._place,
            before=self._forget,
            scores=self.scores,
            seconds=seconds,
        )

    def _forget(self) -> None:
        for path in self._place.glob("scores_*.json"):
            path.unlink()

    def scores(self) -> Mapping[str, Mapping[str, float]]:
        """Each student's points by check; otter numbers a question's checks."""
        names = {
            f"{item.id} - {number}": check.name
            for item in self._homework.items
            for number, check in enumerate(item.check, start=1)
        }
        found: dict[str, dict[str, float]] = {}
        for path in self._place.glob("scores_*.json"):
            for student, cases in json.loads(path.read_bytes()).items():
                found[student] = {names[case]: points for case, points in cases.items() if case in names}
        return found
