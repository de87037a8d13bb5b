"""Where a class's files are: the assignment, the reports, the gradebook.

Where the last batch of an assignment put them is remembered in this person's cache folder, so that the
commands that follow need no ``--db``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from grader.digests import digest_of
from grader.files import assert_writable, cache_folder, read_own, write_own
from grader.gradebook.database import without_password
from grader.gradebook.store import Gradebook
from grader.grading import assignment_folder
from grader.grading.assignment_folder import AssignmentFolder
from grader.model.errors import UsageError

_LARGEST = 1 << 16


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


class LastBatch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the last batch of an assignment read and wrote."""

    assignment: str
    reports: str
    gradebook: str


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


def remember(locations: Locations, *, environ: Mapping[str, str]) -> None:
    """Keep where a batch reads and writes, unless its gradebook needs a password or nothing can be kept."""
    folder, place = cache_folder(environ), locations.gradebook
    is_address = "://" in place
    if folder is None or (is_address and without_password(place) != place):
        return
    kept = LastBatch(
        str(locations.home.path.resolve()),
        str(locations.reports.resolve()),
        place if is_address else str(Path(place).resolve()),
    )
    with suppress(OSError):
        write_own(folder / _name(kept.assignment), msgspec.json.encode(kept))


def _last_batch(home: AssignmentFolder, environ: Mapping[str, str]) -> LastBatch | None:
    """What is remembered of an assignment, unless the gradebook is no longer there."""
    folder, assignment = cache_folder(environ), str(home.path.resolve())
    if folder is None:
        return None
    with suppress(OSError, msgspec.DecodeError):
        kept = msgspec.json.decode(read_own(folder / _name(assignment), limit=_LARGEST), type=LastBatch)
        if kept.assignment == assignment and ("://" in kept.gradebook or Path(kept.gradebook).exists()):
            return kept
    return None


def _name(assignment: str) -> str:
    return f"batch-{digest_of(assignment.encode())[:16]}.json"


def known_locations(assignment: Path | None, db: str | None, *, environ: Mapping[str, str]) -> Locations:
    """Where an assignment's class is: as named, else where its last batch put it, else the usual place."""
    home = assignment_folder.load(assignment or assignment_folder.nearest(Path.cwd() / "x"))
    usual = home.path / "reports"
    last = _last_batch(home, environ)
    if db is None:
        if last is not None:
            return Locations(home, Path(last.reports), last.gradebook)
        return Locations(home, usual, str(usual / "gradebook.sqlite"))
    if last is not None and db == last.gradebook:
        return Locations(home, Path(last.reports), db)
    return Locations(home, usual if "://" in db else Path(db).parent, db)


def existing_locations(assignment: Path | None, db: str | None, *, environ: Mapping[str, str]) -> Locations:
    """As known_locations. Raises UsageError if there is no gradebook yet."""
    found = known_locations(assignment, db, environ=environ)
    if "://" not in found.gradebook and not Path(found.gradebook).exists():
        raise UsageError(
            f"{found.gradebook}: no gradebook here yet; `grade batch FOLDER` makes it, --db names another"
        )
    return found


@contextmanager
def open_gradebook(
    assignment: Path | None, db: str | None, *, environ: Mapping[str, str]
) -> Iterator[tuple[Gradebook, Locations]]:
    """The gradebook that exists, and where everything of its class is."""
    locations = existing_locations(assignment, db, environ=environ)
    with Gradebook.open(locations.gradebook) as gradebook:
        yield gradebook, locations


@contextmanager
def new_or_existing_gradebook(
    assignment: Path | None, db: str | None, *, environ: Mapping[str, str]
) -> Iterator[tuple[Gradebook, Locations]]:
    """As open_gradebook; the gradebook is made if there is none yet."""
    locations = known_locations(assignment, db, environ=environ)
    with Gradebook.open(locations.gradebook) as gradebook:
        yield gradebook, locations
