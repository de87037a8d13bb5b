"""What a class handed in, and who handed it in: a folder or a zip file, with a roster if there is one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from grader.course.locations import Locations
from grader.course.matching import Matcher, several, without_roster
from grader.files import read_whole
from grader.gradebook.rows import NewSubmission, Student
from grader.gradebook.spreadsheets import read_roster
from grader.gradebook.store import Gradebook
from grader.handed_in.collect import Refused, Submission, collect
from grader.model.errors import UsageError

UNPACKED = "submissions"
NAMED = 3  # of those who handed in nothing


class Intake(msgspec.Struct, frozen=True):
    """What can be graded, what cannot be (name and why), and the lines that somebody should read."""

    submissions: tuple[NewSubmission, ...]
    refused: tuple[tuple[str, str], ...] = ()
    lines: tuple[str, ...] = ()


def take_in(path: Path, locations: Locations, gradebook: Gradebook, *, roster: Path | None = None) -> Intake:
    """Everything in a folder or zip file, matched with the roster that is given now or was given earlier.

    What is inside zip files is kept below the reports. Raises UsageError if there is nothing at all, or the
    roster cannot be read.
    """
    if roster is not None:
        gradebook.add_students(students_in(roster))
    known = gradebook.students()
    found, refused, lines = collected(path, locations)
    if not found and len(refused) == 1:
        raise UsageError(": ".join(refused[0]))
    if not found and not refused:
        raise UsageError(
            f"{path}: holds no notebook (.ipynb) and no script (.py); name the folder of submissions"
        )
    owners = (
        list(owned_by_roster(found, known, lines))
        if known
        else [without_roster(entry.who).id for entry in found]
    )
    submissions = tuple(
        NewSubmission(
            assignment=locations.title,
            name=entry.name,
            sha256=entry.sha256,
            student=student,
            path=str(entry.path.absolute()),
            submitted_at=entry.submitted_at,
        )
        for entry, student in zip(found, owners, strict=True)
    )
    lines += several((one.student, one.name, one.submitted_at) for one in submissions if one.student)
    if known:
        lines += absent(known, {one.student for one in submissions})
    return Intake(submissions, tuple(refused), tuple(lines))


def collected(path: Path, locations: Locations) -> tuple[list[Submission], list[tuple[str, str]], list[str]]:
    """The files that can be graded, those that cannot with the reason, and a line for each surprise."""
    found: list[Submission] = []
    refused: list[tuple[str, str]] = []
    lines: list[str] = []
    expected = [Path(locations.home.assignment.notebook).name]
    for entry in collect(path, into=locations.reports / UNPACKED, expected=expected):
        if isinstance(entry, Refused):
            refused.append((entry.name, entry.why))
            lines.append(f"{entry.name}: {entry.why}")
        else:
            found.append(entry)
            lines += [f"{entry.name}: {notice}" for notice in entry.notices]
    return found, refused, lines


def students_in(roster: Path) -> list[Student]:
    """The students of a roster's file. Raises UsageError."""
    return read_roster(read_whole(roster, option="--roster"), source=roster.name)


def owned_by_roster(
    found: Sequence[Submission], known: dict[str, Student], lines: list[str]
) -> Iterator[str]:
    """The id of each file's student; empty, and a line says why, if no student on the roster fits."""
    matches = Matcher(known.values()).match_all([entry.who for entry in found])
    for entry, match in zip(found, matches, strict=True):
        if match.student is None:
            lines.append(f"{entry.name}: {match.why}")
        yield match.student.id if match.student is not None else ""


def absent(known: dict[str, Student], handed_in: set[str]) -> list[str]:
    """One line that counts who handed in nothing and names a few."""
    missing = [student for student in known.values() if student.id not in handed_in]
    if not missing:
        return []
    names = ", ".join(student.name or student.id for student in missing[:NAMED])
    more = f" and {len(missing) - NAMED} more" if len(missing) > NAMED else ""
    return [f"{len(missing)} on the roster handed in nothing: {names}{more}"]
