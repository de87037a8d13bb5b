"""Where a class's files are: the assignment, the reports, the gradebook."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from grader.files import assert_writable
from grader.gradebook.store import Gradebook
from grader.grading import assignment_folder
from grader.grading.assignment_folder import AssignmentFolder
from grader.model.errors import UsageError


@dataclass(frozen=True)
class Locations:
    """The assignment's folder, the folder for reports, and the gradebook's file or URL."""

    home: AssignmentFolder
    reports: Path
    gradebook: str

    @property
    def title(self) -> str:
        """The assignment's title, which is its name in the gradebook."""
        return self.home.assignment.title

    @property
    def table(self) -> Path:
        """The CSV file with the class's table."""
        return self.reports / "grades.csv"


def locations_for(
    submissions: Path, *, assignment: Path | None, out: Path | None, db: str | None
) -> Locations:
    """Where a batch of ``submissions`` reads and writes.

    Raises UsageError if the submissions or the assignment do not exist, or no report can be written: before
    anything is graded.
    """
    if not os.path.lexists(submissions):
        raise UsageError(f"{submissions}: no such folder or zip file")
    home = assignment_folder.load(assignment or assignment_folder.nearest(submissions))
    reports = out or home.path / "reports"
    assert_writable(reports)
    return Locations(home, reports, db or str(reports / "gradebook.sqlite"))


def existing_locations(assignment: Path | None, db: str | None) -> Locations:
    """The assignment and its gradebook. Raises UsageError if there is no gradebook yet."""
    home = assignment_folder.load(assignment or assignment_folder.nearest(Path.cwd() / "x"))
    reports = home.path / "reports"
    place = db or str(reports / "gradebook.sqlite")
    if "://" not in place and not Path(place).exists():
        raise UsageError(f"{place}: no gradebook here yet; `grade batch FOLDER` makes it, --db names another")
    return Locations(home, reports, place)


@contextmanager
def open_gradebook(assignment: Path | None, db: str | None) -> Iterator[tuple[Gradebook, str]]:
    """The gradebook that exists, and the assignment's title."""
    locations = existing_locations(assignment, db)
    with Gradebook.open(locations.gradebook) as gradebook:
        yield gradebook, locations.title


@contextmanager
def new_or_existing_gradebook(assignment: Path | None, db: str | None) -> Iterator[tuple[Gradebook, str]]:
    """The gradebook, made if there is none yet, and the assignment's title."""
    home = assignment_folder.load(assignment or assignment_folder.nearest(Path.cwd() / "x"))
    with Gradebook.open(db or str(home.path / "reports" / "gradebook.sqlite")) as gradebook:
        yield gradebook, home.assignment.title
