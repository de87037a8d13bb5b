"""A course's assignment that grades one small submission after the other, from one warm process."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path
from types import TracebackType
from typing import Self

from grader.grading import assignment_folder, pipeline
from grader.grading.deadline import Deadline
from grader.grading.execution import Progress, Silent
from grader.grading.grade_job import GradeJob
from grader.grading.opening import WarmProcesses
from grader.handed_in.named import package_of
from grader.handed_in.package import load
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
        only: Collection[str] = (),
        progress: Progress | None = None,
    ) -> Grade:
        """The grade of one file, of some of its items; ``seconds`` are all that its grading may take."""
        file = from_bytes(source.encode() if isinstance(source, str) else source, name=name)
        limit = Deadline() if seconds is None else Deadline(seconds)
        return self._grade(
            SubmissionFiles.of_file(file), seed=seed, only=only, deadline=limit, progress=progress
        )

    def grade_archive(self, archive: Path, *, only: Collection[str] = ()) -> Grade:
        """The grade of a zip or tar file. Raises SubmissionError."""
        package = package_of(archive, self.folder.expected, into=archive.parent / "unpacked")
        return self._grade(load(package), only=only)

    def _grade(
        self,
        files: SubmissionFiles,
        *,
        only: Collection[str],
        seed: int | None = None,
        deadline: Deadline | None = None,
        progress: Progress | None = None,
    ) -> Grade:
        job = GradeJob(
            self.folder.path / files.first.name,
            self.folder,
            seed=int.from_bytes(os.urandom(3)) if seed is None else seed,
            only=frozenset(only),
            deadline=deadline or Deadline(),
        )
        opener = self._warm.open_notebook
        return pipeline.grade_file(job, files, opener=opener, progress=progress or Silent()).grade

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
