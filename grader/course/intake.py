"""What a class handed in, with whose it is: a folder or a zip file, and a roster where there is one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from grader.course.matching import Matcher, several, without_roster
from grader.course.plan import File
from grader.course.run import Handed
from grader.files import read_whole
from grader.gradebook.rows import Student
from grader.gradebook.spreadsheets import read_roster
from grader.gradebook.store import Gradebook
from grader.grading.assignment_folder import AssignmentFolder
from grader.handed_in.collect import Refused, Submission, collect
from grader.model.errors import UsageError

UNPACKED = "submissions"


class Intake(msgspec.Struct, frozen=True):
    """What can be graded, what cannot and why, and the lines that somebody should read."""

    handed: tuple[Handed, ...]
    refused: tuple[tuple[str, str], ...] = ()
    lines: tuple[str, ...] = ()


def take_in(
    path: Path, home: AssignmentFolder, book: Gradebook, *, into: Path, roster: Path | None = None
) -> Intake:
    """Everything in a folder or zip file, matched with the roster given now or earlier.

    What lies in zip files is kept below ``into``. Raises UsageError for an empty start, a roster that cannot
    be read.
    """
    if roster is not None:
        book.add_students(students_in(roster))
    known = book.students()
    found: list[Submission] = []
    refused: list[tuple[str, str]] = []
    lines: list[str] = []
    for entry in collect(path, into=into / UNPACKED, expected=[Path(home.assignment.notebook).name]):
        if isinstance(entry, Refused):
            refused.append((entry.name, entry.why))
            lines.append(f"{entry.name}: {entry.why}")
        else:
            found.append(entry)
            lines += [f"{entry.name}: {notice}" for notice in entry.notices]
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
    handed = tuple(
        Handed(File(entry.name, str(entry.path.absolute()), entry.sha256), student, entry.submitted_at)
        for entry, student in zip(found, owners, strict=True)
    )
    lines += several((one.student, one.file.name, one.submitted_at) for one in handed if one.student)
    if known:
        lines += absent(known, {one.student for one in handed})
    return Intake(handed, tuple(refused), tuple(lines))


def students_in(roster: Path) -> list[Student]:
    """The students of a roster's file. Raises UsageError."""
    return read_roster(read_whole(roster, option="--roster"), source=roster.name)


def owned_by_roster(found: list[Submission], known: dict[str, Student], lines: list[str]) -> Iterator[str]:
    """The id of each file's student, empty for nobody's, which gets a line."""
    matches = Matcher(known.values()).match_all([entry.who for entry in found])
    for entry, match in zip(found, matches, strict=True):
        if match.student is None:
            lines.append(f"{entry.name}: {match.why}")
        yield match.student.id if match.student is not None else ""


def absent(known: dict[str, Student], handed_in: set[str]) -> list[str]:
    """One line that counts who handed in nothing."""
    missing = [student for student in known.values() if student.id not in handed_in]
    if not missing:
        return []
    names = ", ".join(student.name or student.id for student in missing[:3])
    more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""  # noqa: PLR2004  # those three
    return [f"{len(missing)} on the roster handed in nothing: {names}{more}"]
