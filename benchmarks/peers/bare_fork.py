"""The floor as one more tool: cells and checks in forks of a warm process."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.peers.checks import function
from benchmarks.peers.homework import Homework, Student
from benchmarks.peers.timing import Job, command_line


def cells(homework: Homework, student: Student) -> Iterator[str]:
    """The notebook's cells in order, each item's checks after it."""
    items = {item.id: item for item in homework.items}
    for item, text in student.code_cells(homework):
        yield text
        for check in items[item].check if item else ():
            yield f"{function(check)}\ncheck_{check.name}()"


class BareFork:
    """`benchmarks.peers.floor` in the environment that runs this; it gives no scores."""

    def __init__(self, homework: Homework, students: Sequence[Student], place: Path) -> None:
        self._place = place / "floor"
        self._place.mkdir(parents=True)
        for student in students:
            self._path(student).write_text(json.dumps(list(cells(homework, student))))

    def _path(self, student: Student) -> Path:
        return self._place / f"{student.name}.json"

    def job(self, students: Sequence[Student], *, processes: int = 1) -> Job:
        """The students' cells in so many forks at a time."""
        paths = [str(self._path(student)) for student in students]
        return Job(
            [[sys.executable, "-m", "benchmarks.peers.floor", str(processes), *paths]],
            environment=command_line(),
            folder=Path(__file__).parents[2],
            before=lambda: None,
            scores=dict,
            seconds=3600.0,
        )
