"""The class as a table: one row per student, for the submission that counts, with checks and marks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path

import msgspec

from grader.files import write_whole
from grader.gradebook.marks import marks_by_submission
from grader.gradebook.policy import Candidate, Choice, after_penalty, late_days, latest
from grader.gradebook.rows import GradeRow, Mark, Student
from grader.gradebook.spreadsheets import write_table
from grader.gradebook.store import Gradebook
from grader.gradebook.totals import Total, total_of
from grader.model.points import Points

COLUMNS = [
    "id",
    "name",
    "email",
    "section",
    "submission",
    "submitted_at",
    "submissions",
    "late_days",
    "earned",
    "awaiting",
    "possible",
    "final",
]


class Late(msgspec.Struct, frozen=True):
    """The course's rule for late work. Without a deadline nothing is late."""

    deadline: str = ""
    percent_per_day: int = 0
    grace_minutes: int = 0


class ClassRow(msgspec.Struct, frozen=True):
    """One student with the submission that counts; ``grade`` is None if they handed in nothing."""

    student: Student
    grade: GradeRow | None
    total: Total | None
    late_days: int = 0
    final: Points = Points(0)
    submissions: int = 0


def class_rows(
    gradebook: Gradebook, assignment: str, *, choose: Choice = latest, late: Late | None = None
) -> Iterator[ClassRow]:
    """One row for everybody on the roster or with a submission, sorted by name.

    Each submission that belongs to no student gets a row of its own.
    """
    rule = late or Late()
    roster = gradebook.students()
    marks = marks_by_submission(gradebook, assignment)
    own: dict[str, list[GradeRow]] = defaultdict(list)
    for grade in gradebook.grades(assignment):
        own[grade.submission.student].append(grade)
    people = {**{name: Student(name) for name in own}, **roster}
    for key in sorted(people, key=lambda name: (people[name].name or name, name)):
        grades = own.get(key, [])
        if not grades:
            yield ClassRow(people[key], None, None)
        elif key:
            yield counted_row(people[key], grades, marks, choose, rule)
        else:
            for grade in grades:
                yield counted_row(Student(""), [grade], marks, choose, rule)


def counted_row(
    student: Student,
    grades: Sequence[GradeRow],
    marks: Mapping[int, Mapping[str, Mark]],
    choose: Choice,
    late: Late,
) -> ClassRow:
    """A student's row: the submission that counts, its total, and what is left of it if it was late."""
    by_row = {grade.submission.row: grade for grade in grades}
    candidates = [
        Candidate(row, grade.submission.submitted_at, total_of(grade.items, marks.get(row, {})).earned)
        for row, grade in by_row.items()
    ]
    grade = by_row[choose(candidates).order]
    total = total_of(grade.items, marks.get(grade.submission.row, {}))
    grace = timedelta(minutes=late.grace_minutes)
    days = late_days(grade.submission.submitted_at, late.deadline, grace=grace)
    final = after_penalty(total.earned, total.possible, days=days, percent_per_day=late.percent_per_day)
    return ClassRow(student, grade, total, days, final, len(grades))


def write_class_table(
    gradebook: Gradebook, assignment: str, path: Path, *, choose: Choice = latest, late: Late | None = None
) -> None:
    """Write the class as CSV, whole or not at all. Raises UsageError if that is not possible."""
    rows = list(class_rows(gradebook, assignment, choose=choose, late=late))
    items = list(dict.fromkeys(item.item for row in rows if row.total for item in row.total.items))
    lines = write_table(COLUMNS + items, (cells(row, items) for row in rows))
    write_whole(path, "".join(lines).encode())


def cells(row: ClassRow, items: Iterable[str]) -> list[object]:
    """A row's cells, in the order of ``COLUMNS`` and the items; undecided items are left empty."""
    person: list[object] = [row.student.id, row.student.name, row.student.email, row.student.section]
    if row.grade is None or row.total is None:
        return [*person, "", "", 0, "", "", "", "", "", *("" for _ in items)]
    points = {item.item: item.earned if item.decided else "" for item in row.total.items}
    handed_in = row.grade.submission
    total = row.total
    return [
        *person,
        handed_in.name,
        handed_in.submitted_at,
        row.submissions,
        row.late_days,
        total.earned,
        total.awaiting,
        total.possible,
        row.final,
        *(points.get(item, "") for item in items),
    ]
