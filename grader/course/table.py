"""The class as a table: one row a student's submission that counts, with checks and marks added up."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path

import msgspec

from grader.files import write_whole
from grader.gradebook.policy import Choice, HandedIn, after_penalty, late_days, latest
from grader.gradebook.rows import GradeRow, Mark, Student
from grader.gradebook.spreadsheets import write_table
from grader.gradebook.store import Gradebook
from grader.gradebook.totals import Total, total_of
from grader.model.errors import GradebookError
from grader.model.points import Points
from grader.model.records import Grade, decode
from grader.reports import junit


class Late(msgspec.Struct, frozen=True):
    """The course's rule for late work; no deadline, no rule."""

    deadline: str = ""
    percent_a_day: int = 0
    grace_minutes: int = 0


class ClassRow(msgspec.Struct, frozen=True):
    """One student with the submission that counts; ``grade`` is None for who handed in nothing."""

    student: Student
    grade: GradeRow | None
    total: Total | None
    late_days: int = 0
    final: Points = Points(0)
    submissions: int = 0


def class_rows(
    book: Gradebook, assignment: str, *, choose: Choice = latest, late: Late | None = None
) -> Iterator[ClassRow]:
    """A row for every student of the roster and everybody who handed something in, by name."""
    rule = late or Late()
    roster = book.students()
    marks = marks_by_submission(book, assignment)
    own: dict[str, list[GradeRow]] = defaultdict(list)
    for grade in book.grades(assignment):
        own[grade.submission.student].append(grade)
    people = {**{name: Student(name) for name in own}, **roster}
    for key in sorted(people, key=lambda name: (people[name].name or name, name)):
        grades = own.get(key, [])
        if not grades:
            yield ClassRow(people[key], None, None)
        elif key:
            yield counted_row(people[key], grades, marks, choose, rule)
        else:  # nobody's: each stands for itself
            for grade in grades:
                yield counted_row(Student(""), [grade], marks, choose, rule)


def counted_row(
    student: Student,
    grades: Sequence[GradeRow],
    marks: Mapping[int, Mapping[str, Mark]],
    choose: Choice,
    late: Late,
) -> ClassRow:
    """A student's row: the submission that counts, its total, what being late leaves of it."""
    offers = {grade.submission.row: grade for grade in grades}
    candidates = [
        HandedIn(row, grade.submission.submitted_at, total_of(grade.items, marks.get(row, {})).earned)
        for row, grade in offers.items()
    ]
    grade = offers[choose(candidates).order]
    total = total_of(grade.items, marks.get(grade.submission.row, {}))
    grace = timedelta(minutes=late.grace_minutes)
    days = late_days(grade.submission.submitted_at, late.deadline, grace=grace)
    final = after_penalty(total.earned, total.possible, days=days, percent_a_day=late.percent_a_day)
    return ClassRow(student, grade, total, days, final, len(grades))


def grade_of(book: Gradebook, key: str) -> Grade:
    """The record behind a grade. Raises GradebookError where it is missing."""
    result = book.result(key)
    if result is None:
        raise GradebookError(f"gradebook {book.place}: a grade without its result; put back a copy of it")
    return decode(result.record)


def marks_by_submission(book: Gradebook, assignment: str) -> dict[int, dict[str, Mark]]:
    """The marks that count, by submission and item."""
    found: dict[int, dict[str, Mark]] = defaultdict(dict)
    for (row, item), mark in book.marks(assignment).items():
        found[row][item] = mark
    return dict(found)


def write_class_table(
    book: Gradebook, assignment: str, path: Path, *, choose: Choice = latest, late: Late | None = None
) -> None:
    """Write the class as CSV, whole or not at all. Raises UsageError where it finds no place."""
    rows = list(class_rows(book, assignment, choose=choose, late=late))
    items = list(dict.fromkeys(item.item for row in rows if row.total for item in row.total.items))
    lines = write_table(COLUMNS + items, (cells(row, items) for row in rows))
    write_whole(path, "".join(lines).encode())


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


def cells(row: ClassRow, items: Iterable[str]) -> list[object]:
    """A row's cells; an item that nobody has decided yet is an empty one."""
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


def junit_lines(book: Gradebook, assignment: str, refused: Iterable[tuple[str, str]]) -> Iterator[str]:
    """JUnit XML of every graded submission of the class, and of those without a grade."""
    graded = ((row.submission.name, grade_of(book, row.key)) for row in book.grades(assignment))
    return junit.suites(graded, refused)
