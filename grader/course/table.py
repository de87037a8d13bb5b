"""The class as a table: one row per student, for the submission that counts, with checks and marks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path

import msgspec

from grader.files import write_whole
from grader.gradebook.marks import ClassMarks, counting_marks
from grader.gradebook.policy import (
    LATE,
    Candidate,
    Lateness,
    after_penalty,
    choice,
    lateness,
    later_of,
    latest,
    penalty,
)
from grader.gradebook.rows import Arrival, GradeRow, Mark, Refusal, Student, SubmissionRow
from grader.gradebook.spreadsheets import write_table
from grader.gradebook.store import Gradebook
from grader.gradebook.totals import Total, total_of
from grader.model.points import ZERO, Points
from grader.model.text import counted

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
    "late",
    "extended_until",
    "attention",
]


AT_ONCE = 250
"""Students whose grades and marks are read at a time."""
WAITING = "waiting: `grade batch` has not graded it yet"


class Rules(msgspec.Struct, frozen=True):
    """Which of a student's submissions counts ("latest", "best" or "deadline"), and what being late costs.

    ``unknown_days`` is what counts for a submission that a platform calls late without saying by how much.
    """

    choose: str = "latest"
    deadline: str = ""
    percent_per_day: int = 0
    grace_minutes: int = 0
    unknown_days: int = 1


class ClassRow(msgspec.Struct, frozen=True):
    """One student with the submission that counts.

    ``grade`` is None if they handed in nothing, or nothing that is graded. ``ungraded`` names what they
    handed in after everything that is; ``refused`` says what of theirs cannot be read, and why. ``elsewhere``
    are their marks, by item, for other answers than this submission's.
    """

    student: Student
    grade: GradeRow | None
    total: Total | None
    lateness: Lateness = Lateness()
    final: Points = Points(0)
    submissions: int = 0
    extended_until: str = ""
    ungraded: str = ""
    refused: tuple[Refusal, ...] = ()
    elsewhere: Mapping[str, Mark] = {}
    penalty: Points = ZERO

    @property
    def penalty_words(self) -> str:
        """What being late costs, as the student reads it; empty if nothing."""
        if self.total is None or not self.penalty:
            return ""
        days = counted(self.lateness.days, "day", "days")
        how = f"late ({days})" if self.lateness.words == LATE else f"{self.lateness.words}, taken as {days}"
        so_far = "" if self.total.complete else " so far"
        return (
            f"Handed in {how}: {self.penalty.in_words} taken off, "
            f"{self.final} of {self.total.possible} count{so_far}"
        )

    @property
    def carried(self) -> dict[str, Mark]:
        """The marks that were given to another submission with the same answer, by item."""
        if self.grade is None or self.total is None:
            return {}
        marks = {item.item: item.mark for item in self.total.items if item.mark is not None}
        return {item: mark for item, mark in marks.items() if mark.submission != self.grade.submission.row}

    @property
    def waits(self) -> str:
        """The name of what they handed in and nobody graded; empty if there is none."""
        return self.ungraded or (self.refused[-1].name if self.refused else "")

    @property
    def awaits_batch(self) -> bool:
        """Whether `grade batch` has yet to grade the last of what they handed in."""
        return bool(self.ungraded) and self.ungraded not in {one.name for one in self.refused}

    @property
    def attention(self) -> list[tuple[str, str]]:
        """What a person has to look at: its name, and why."""
        refused = {one.name: f"handed in, but cannot be graded: {one.why}" for one in self.refused}
        found = [(self.ungraded, WAITING)] if self.awaits_batch else []
        found += refused.items()
        if self.grade is not None and self.grade.attention:
            found.append((self.grade.submission.name, self.grade.attention))
        return found


def class_rows(gradebook: Gradebook, assignment: str, rules: Rules | None = None) -> Iterator[ClassRow]:
    """One row for everybody on the roster or with a submission, sorted by name.

    Each submission that belongs to no student gets a row of its own. Some students are read at a time: of the
    others nothing is held but their names and the numbers of their submissions. Raises UsageError for rules
    that make no sense.
    """
    rule = rules or Rules()
    choice(rule.choose, rule.deadline)
    extensions = gradebook.extensions(assignment)
    refused: dict[str, list[Refusal]] = defaultdict(list)
    for one in gradebook.refusals(assignment):
        refused[one.student].append(one)
    handed_in = submissions_of(gradebook, assignment)
    people = {**{name: Student(name) for name in (*handed_in, *refused)}, **gradebook.students()}
    order = sorted(people, key=lambda name: (people[name].name or name, name))
    for start in range(0, len(order), AT_ONCE):
        some = order[start : start + AT_ONCE]
        numbers = [number for key in some for number in handed_in.get(key, ())]
        grades = list(gradebook.grades(assignment, of=numbers))
        marks = counting_marks(gradebook.marks(assignment, withdrawn=True, of=numbers), grades)
        own = by_student(grades)
        waiting = not_graded(gradebook.submissions(assignment, of=numbers), own)
        for key in some:
            until = extensions[key].until if key in extensions else ""
            facts = (own.get(key, []), waiting.get(key, []), refused[key])
            yield from rows_of(people[key], *facts, marks, rule, until)


def submissions_of(gradebook: Gradebook, assignment: str) -> dict[str, list[int]]:
    """The numbers of each student's submissions; "" for nobody's, with those that are the same files."""
    found: dict[str, list[int]] = defaultdict(list)
    for row in gradebook.submissions(assignment):
        found[row.student].append(row.row)
    if nobodys := found.get(""):
        files = {(row.name, row.sha256) for row in gradebook.submissions(assignment, of=nobodys)}
        every = gradebook.submissions(assignment)
        nobodys += [row.row for row in every if row.student and (row.name, row.sha256) in files]
    return dict(found)


def rows_of(
    student: Student,
    grades: Sequence[GradeRow],
    later: Sequence[str],
    refused: Sequence[Refusal],
    marks: ClassMarks,
    rules: Rules,
    extended_until: str,
) -> Iterator[ClassRow]:
    """A student's row; a row for each submission that is nobody's."""
    if not student.id:
        yield from (counted_row(student, [grade], marks, rules) for grade in grades)
        yield from (ClassRow(student, None, None, ungraded=name) for name in later)
        yield from (ClassRow(student, None, None, refused=(one,)) for one in refused)
        return
    row = ClassRow(student, None, None, extended_until=extended_until)
    if grades:
        row = counted_row(student, grades, marks, rules, extended_until)
    yield msgspec.structs.replace(row, ungraded=later[-1] if later else "", refused=tuple(refused))


def by_student(grades: Iterable[GradeRow]) -> dict[str, list[GradeRow]]:
    """Grades by their student's id; "" for nobody's, without files that are somebody's by now."""
    own: dict[str, list[GradeRow]] = defaultdict(list)
    for grade in grades:
        own[grade.submission.student].append(grade)
    owned = {same_file(grade) for student, theirs in own.items() if student for grade in theirs}
    left = [grade for grade in own.pop("", []) if same_file(grade) not in owned]
    return {**own, "": left} if left else dict(own)


def not_graded(
    submissions: Iterable[SubmissionRow], own: Mapping[str, Sequence[GradeRow]]
) -> dict[str, list[str]]:
    """The names of submissions without a grade, by student, "" for nobody's, in the order they were received.

    Those that came before a graded one of the same student are left out: they no longer matter.
    """
    rows = list(submissions)
    owned = {(row.name, row.sha256) for row in rows if row.student}
    found: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        graded = [grade.submission for grade in own.get(row.student, ())]
        if any(one.row == row.row for one in graded):
            continue
        if row.student:
            several = [Candidate(one.row, one.submitted_at, Points(0)) for one in (*graded, row)]
            waits = latest(several).order == row.row
        else:
            waits = (row.name, row.sha256) not in owned
        if waits:
            found[row.student].append(row.name)
    return dict(found)


def same_file(grade: GradeRow) -> tuple[str, str]:
    """What a file has in common with itself, registered once more when its student became known."""
    return grade.submission.name, grade.submission.sha256


def counted_row(
    student: Student,
    grades: Sequence[GradeRow],
    marks: ClassMarks,
    rules: Rules,
    extended_until: str = "",
) -> ClassRow:
    """A student's row: the submission that counts, its total, and what is left of it if it was late."""
    rows = {
        grade.submission.row: submission_row(student, grade, marks, rules, extended_until) for grade in grades
    }
    candidates = [
        Candidate(grade.submission.row, grade.submission.submitted_at, rows[grade.submission.row].final)
        for grade in grades
    ]
    chosen = choice(rules.choose, later_of(rules.deadline, extended_until))(candidates)
    return msgspec.structs.replace(rows[chosen.order], submissions=len(grades))


def submission_row(
    student: Student, grade: GradeRow, marks: ClassMarks, rules: Rules, extended_until: str = ""
) -> ClassRow:
    """The row that a student has if this submission counts."""
    total = total_of(grade.items, marks.of(grade))
    late = lateness(
        Arrival(grade.submission.submitted_at, grade.submission.late),
        later_of(rules.deadline, extended_until),
        grace=timedelta(minutes=rules.grace_minutes),
        unknown_days=rules.unknown_days,
        is_extended=bool(extended_until),
    )
    cost = {"days": late.days, "percent_per_day": rules.percent_per_day}
    return ClassRow(
        student,
        grade,
        total,
        late,
        after_penalty(total.earned, total.possible, **cost),
        1,
        extended_until,
        elsewhere=marks.elsewhere.get(grade.submission.row, {}),
        penalty=penalty(total.possible, **cost),
    )


def write_class_table(gradebook: Gradebook, assignment: str, path: Path, rules: Rules | None = None) -> None:
    """Write the class as CSV, whole or not at all. Raises UsageError if that is not possible."""
    rows = list(class_rows(gradebook, assignment, rules))
    items = list(dict.fromkeys(item.item for row in rows if row.total for item in row.total.items))
    lines = write_table(COLUMNS + items, (cells(row, items) for row in rows))
    write_whole(path, "".join(lines).encode())


def cells(row: ClassRow, items: Iterable[str]) -> list[object]:
    """A row's cells, in the order of ``COLUMNS`` and the items; undecided items are left empty."""
    person: list[object] = [row.student.id, row.student.name, row.student.email, row.student.section]
    if row.grade is None or row.total is None:
        blank, why = [""] * 6, attention_cell(row)
        some = int(bool(row.waits))
        return [*person, row.waits, "", some, *blank, row.extended_until, why, *("" for _ in items)]
    points = {item.item: item.earned if item.decided else "" for item in row.total.items}
    handed_in = row.grade.submission
    total = row.total
    return [
        *person,
        handed_in.name,
        handed_in.submitted_at,
        row.submissions,
        row.lateness.days,
        total.earned,
        total.awaiting,
        total.possible,
        row.final,
        row.lateness.words,
        row.extended_until,
        attention_cell(row),
        *(points.get(item, "") for item in items),
    ]


def attention_cell(row: ClassRow) -> str:
    """Why a person has to look; what is about another file than the row's names that one."""
    shown = row.grade.submission.name if row.grade is not None else row.waits
    own = [why for name, why in row.attention if name == shown]
    rest = [f"{name} is {why}" for name, why in row.attention if name != shown]
    return "; ".join((*own, *rest))
