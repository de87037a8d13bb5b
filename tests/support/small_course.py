"""A course's assignment that grades one small submission after the other, from one warm process."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import Self

from grader.grading import assignment_folder, pipeline
from grader.grading.deadline import Deadline
from grader.grading.execution import Silent
from grader.grading.opening import WarmProcesses
from grader.model.records import CheckResult, Grade
from grader.notebooks.submission_file import from_bytes
from grader.notebooks.submission_files import SubmissionFiles


class SmallCourse:
    """Grades what students hand in for the assignment in ``folder``, as `grade` does. A context."""

    def __init__(self, folder: Path) -> None:
        self.folder = assignment_folder.load(folder)
        self._warm = WarmProcesses()

    def grade(
        self,
        source: str | bytes,
        *,
        name: str = "hw.py",
        seed: int | None = None,
        seconds: float | None = None,
    ) -> Grade:
        """The grade of one file; with ``seconds``, these are all that its grading may take."""
        data = source.encode() if isinstance(source, str) else source
        file = from_bytes(data, name=name)
        job = pipeline.GradeJob(
            self.folder.path / name,
            self.folder,
            seed=int.from_bytes(os.urandom(3)) if seed is None else seed,
            deadline=Deadline() if seconds is None else Deadline(seconds),
        )
        return pipeline.grade_file(
            job, SubmissionFiles.of_file(file), opener=self._warm.open_notebook, progress=Silent()
        ).grade

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._warm.__exit__(kind, error, trace)


def checks_by_name(grade: Grade) -> dict[str, CheckResult]:
    """The checks of all items."""
    return {check.check: check for item in grade.items for check in item.checks}


def points_by_item(grade: Grade) -> dict[str, str]:
    """The points of every item that is decided; "undecided" for the others."""
    return {item.item: str(item.earned) if item.decided else "undecided" for item in grade.items}
