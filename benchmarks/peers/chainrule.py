"""The homework for Chainrule: an assignment's folder, submissions, and the scores in its gradebook."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.peers.homework import Check, Homework, Part, Student, code, markdown, notebook
from benchmarks.peers.timing import Job, command_line
from grader.model.records import decode

WORDS = '''"""{title}."""

import numpy as np

from grader import as_array, assert_close, item, points
from grader.model.errors import CheckFailed

pytestmark = item("{id}")


def array(value, shape):
    return as_array(value, shape=shape)


def close(actual, wanted, rtol=1e-9):
    assert_close(actual, wanted, rtol=rtol, atol=0)


def holds(condition, message):
    if not condition:
        raise CheckFailed(message)
'''
CHECK = '''

@points({points})
def test_{name}(student, rng):
    """{name}"""
'''


def manifest(homework: Homework) -> str:
    """assignment.toml."""
    lines = [f'title = "{homework.title}"', f"points = {sum(homework.points.values())}"]
    lines += ["[limits]", "memory_mb = 2048"]
    for item in homework.items:
        worth = sum(check.points for check in item.check)
        lines += ["[[item]]", f'id = "{item.id}"', f'title = "{item.title}"', f"points = {worth}"]
    return "\n".join(lines) + "\n"


def checks(item: Part) -> str:
    """The file of an item's hidden checks."""
    return WORDS.format(title=item.title, id=item.id) + "".join(map(_check, item.check))


def _check(check: Check) -> str:
    names = "".join(f"{name} = student.{name}\n" for name in check.uses)
    given = f"given = student.provide({check.given.strip()!r})\n" if check.given else ""
    body = textwrap.indent(f"{given}{names}{check.body.strip()}\n", "    ")
    return CHECK.format(points=check.points, name=check.name) + body


def submission(homework: Homework, student: Student, *, copy: int = 0) -> bytes:
    """What a student hands in. Copies differ by a word, so that each is graded on its own."""
    titles = {item.id: item.title for item in homework.items}
    cells = [markdown("whose", f"{student.name} {copy}")]
    for number, (item, text) in enumerate(student.code_cells(homework)):
        if item:
            cells.append(markdown(f"title_{item}", f"## {item} {titles[item]}"))
        cells.append(code(f"cell_{number}", text))
    return notebook(cells)


class Chainrule:
    """`grade batch`, in the environment that runs this."""

    def __init__(self, homework: Homework, place: Path) -> None:
        self._homework, self._place = homework, place / "chainrule"
        self._assignment, self._out = self._place / "assignment", self._place / "out"
        hidden = self._assignment / "hidden_tests"
        hidden.mkdir(parents=True)
        (self._assignment / "assignment.toml").write_text(manifest(homework))
        for item in homework.items:
            (hidden / f"test_{item.id}.py").write_text(checks(item))

    def _hand_in(self, students: Sequence[Student], copies: int) -> None:
        shutil.rmtree(self._out, ignore_errors=True)
        shutil.rmtree(self._place / "handed_in", ignore_errors=True)
        for copy in range(copies):
            for student in students:
                folder = self._place / "handed_in" / f"{student.name}.{copy}"
                folder.mkdir(parents=True)
                (folder / "hw.ipynb").write_bytes(submission(self._homework, student, copy=copy))

    def job(
        self, students: Sequence[Student], *, processes: int = 1, copies: int = 1, seconds: float = 3600.0
    ) -> Job:
        """`grade batch --workers PROCESSES` on these students, each so many times."""
        batch = [sys.executable, "-m", "grader.cli.main", "batch", str(self._place / "handed_in")]
        places = ["--assignment", str(self._assignment), "--out", str(self._out)]
        return Job(
            [[*batch, *places, "--workers", str(processes), "--seed", "1"]],
            environment=command_line(),
            folder=Path(__file__).parents[2],
            before=lambda: self._hand_in(students, copies),
            scores=self.scores,
            seconds=seconds,
        )

    def scores(self) -> Mapping[str, Mapping[str, float]]:
        """Each student's points by check, from the records beside the reports."""
        found = {}
        for path in self._out.glob("*/grade.json"):
            grade = decode(path.read_bytes())
            results = [result for item in grade.items for result in item.checks]
            found[grade.submission.name.partition(".")[0]] = {
                result.check.removeprefix("test_"): float(result.earned.decimal) for result in results
            }
        return found
