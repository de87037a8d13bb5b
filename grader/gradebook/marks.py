"""Marks that people give: which submission is meant, whether the points fit, and which of them count."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from grader.gradebook.people import People, words_of
from grader.gradebook.rows import GradeRow, ItemPoints, Mark, SubmissionRow
from grader.gradebook.spreadsheets import parse_points
from grader.gradebook.store import Gradebook
from grader.model.errors import UsageError
from grader.model.points import ZERO, Points

WITHDRAWN = ("none", "withdraw", "-")


@dataclass(frozen=True)
class MarkGiven:
    """A mark as a person typed it; ``points`` is None if it withdraws one."""

    item: str
    points: Points | None
    comment: str


class GradedSubmissions:
    """The graded submissions of one assignment, found by any name that a person uses for them."""

    def __init__(self, gradebook: Gradebook, assignment: str) -> None:
        self._grades = {grade.submission.row: grade for grade in gradebook.grades(assignment)}
        self._named: dict[str, list[int]] = defaultdict(list)
        for row, grade in self._grades.items():
            own = grade.submission
            for name in {own.name, own.student, own.sha256} - {""}:
                self._named[name].append(row)
        self._named.update({f"#{row}": [row] for row in self._grades})
        self._own = {grade.submission.student: row for row, grade in self._grades.items()}
        logins = words_of(gradebook, assignment)
        self._people = People(gradebook.students(), others=self._own, logins=logins, place=gradebook.place)
        self._place = gradebook.place

    def __iter__(self) -> Iterator[GradeRow]:
        """Every grade that counts, in the order the submissions were received."""
        return iter(self._grades.values())

    def find(self, word: str) -> GradeRow:
        """The grade of a file's name, a SHA-256, `#` and a row number, or a student's id, e-mail or name.

        Of a student's several submissions it is the last. Raises UsageError if nothing or several fit.
        """
        rows = self._named.get(word, [])
        if not rows:
            rows = [row for name, rows in self._named.items() if name.endswith(f"/{word}") for row in rows]
            self._assert_one(rows, f"{word!r} are {len(rows)} submissions")
        if not rows:
            rows = [self._own[one.id] for one in self._people.matching(word) if one.id in self._own]
            self._assert_one(rows, f"{word!r} may be {len(rows)} students")
        if not rows:
            raise UsageError(
                f"no graded submission {word!r} in {self._place}; `grade marks export FILE` lists them"
            )
        return self._grades[max(rows)]

    def _assert_one(self, rows: Sequence[int], several: str) -> None:
        if len(rows) > 1:
            raise UsageError(f"{several}; say which: {self._some(rows)}")

    def _some(self, rows: Sequence[int]) -> str:
        names = [f"#{row} {self._grades[row].submission.name}" for row in rows[:5]]
        return ", ".join(names) + (", ..." if len(rows) > len(names) else "")


def find_submissions(gradebook: Gradebook, assignment: str, word: str) -> list[SubmissionRow]:
    """The submissions, graded or not, of a file's name, a SHA-256, or `#` and a row number.

    They are one file, perhaps handed in several times. Raises UsageError if nothing or several files fit.
    """
    rows = list(gradebook.submissions(assignment))
    kinds = (
        lambda one: word == f"#{one.row}",
        lambda one: word in (one.name, one.sha256),
        lambda one: one.name.endswith(f"/{word}"),
    )
    found = next(filter(None, ([row for row in rows if fits(row)] for fits in kinds)), [])
    owners = {row.student for row in found}
    if len(found) > 1 and owners != {found[0].student}:
        found = [row for row in found if not row.student] or found  # the one that waits for an owner
    if len({row.name for row in found}) > 1 or len({row.student for row in found}) > 1:
        some = ", ".join(f"#{row.row} {row.name}" for row in found[:5])
        raise UsageError(f"{word!r} are {len(found)} submissions; say which: {some}")
    if not found:
        raise UsageError(f"no submission {word!r} in {gradebook.place}; `grade table` shows their names")
    return found


def mark_of(
    grade: GradeRow, given: MarkGiven, *, author: str, reason: str, bonus: Mapping[str, Points]
) -> Mark:
    """The row for a mark. Raises UsageError for an item or points that the submission cannot have.

    ``bonus`` are the points that items may have above what they are worth.
    """
    item = next((item for item in grade.items if item.item == given.item), None)
    if item is None:
        known = ", ".join(item.item for item in grade.items)
        raise UsageError(f"item {given.item!r}: not one of this grade's; it has {known}")
    most = Points(item.possible) + bonus.get(given.item, ZERO)
    if given.points is not None and not ZERO <= given.points <= most:
        raise UsageError(f"item {given.item}: {given.points.in_words}; it is worth 0 to {most}")
    return Mark(
        submission=grade.submission.row,
        item=given.item,
        points=given.points,
        comment=given.comment,
        author=author,
        reason=reason,
    )


def parse_mark(item: str, points: str, comment: str, *, where: str) -> MarkGiven | None:
    """The mark that was typed; None if no points were. Raises UsageError for what is no number."""
    if points.strip().lower() in WITHDRAWN:
        return MarkGiven(item, None, comment)
    found = parse_points(points.strip(), where=where)
    return None if found is None else MarkGiven(item, found, comment)


class ClassMarks(msgspec.Struct, frozen=True):
    """The marks of a class, by the submission's row and then by item.

    ``counting`` are those that count: one that was given to another submission of the same student
    for the same answer counts as well, and names that submission. ``elsewhere`` are a student's marks for
    other answers to items that this submission has no mark for.
    """

    counting: Mapping[int, Mapping[str, Mark]]
    elsewhere: Mapping[int, Mapping[str, Mark]]

    def of(self, grade: GradeRow) -> Mapping[str, Mark]:
        """The marks that count for a submission."""
        return self.counting.get(grade.submission.row, {})


def class_marks(gradebook: Gradebook, assignment: str) -> ClassMarks:
    """The marks of an assignment: a mark belongs to a student, an item, and the answer that was read."""
    return counting_marks(gradebook.marks(assignment, withdrawn=True), gradebook.grades(assignment))


def counting_marks(given: Mapping[tuple[int, str], Mark], grades: Iterable[GradeRow]) -> ClassMarks:
    """The same for some students, of the last marks of their submissions and all of their grades."""
    counting: dict[int, dict[str, Mark]] = defaultdict(dict)
    for (row, name), mark in given.items():
        if mark.points is not None:
            counting[row][name] = mark
    own = {row: tuple(marks.values()) for row, marks in counting.items()}
    elsewhere: dict[int, dict[str, Mark]] = defaultdict(dict)
    for answers in _of_one_student(grades, {row for row, _ in given}):
        theirs = [mark for row in answers for mark in own.get(row, ())]
        for row, items in answers.items():
            for name, item in items.items():
                others = [mark for mark in theirs if mark.item == name and mark.submission != row]
                if not others or (row, name) in given:
                    continue  # one that was withdrawn here counts nowhere else
                same = [one for one in others if _is_answer(answers[one.submission].get(name), item)]
                kind = counting if same else elsewhere
                kind[row][name] = max(same or others, key=_newer)
    return ClassMarks(dict(counting), dict(elsewhere))


def _of_one_student(
    grades: Iterable[GradeRow], marked: Collection[int]
) -> Iterator[dict[int, dict[str, ItemPoints]]]:
    """The items of each student's submissions, by row and item, where there are several and one is marked."""
    own: dict[str, dict[int, GradeRow]] = defaultdict(dict)
    for grade in grades:
        own[grade.submission.student][grade.submission.row] = grade
    own.pop("", None)
    for several in own.values():
        if len(several) > 1 and not several.keys().isdisjoint(marked):
            yield {row: {item.item: item for item in grade.items} for row, grade in several.items()}


def _is_answer(marked: ItemPoints | None, item: ItemPoints) -> bool:
    return marked is not None and bool(item.answer) and marked.answer == item.answer


def _newer(mark: Mark) -> int:
    return mark.row
