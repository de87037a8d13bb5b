"""Marks that people give: which submission is meant, whether the points fit, and marks as a spreadsheet."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from grader.gradebook.people import People, logins_of
from grader.gradebook.rows import GradeRow, ItemPoints, Mark, SubmissionRow
from grader.gradebook.spreadsheets import parse_points
from grader.gradebook.store import Gradebook
from grader.model.errors import UsageError
from grader.model.points import Points

WITHDRAWN = ("none", "withdraw", "-")
COLUMNS = ("submission", "student", "name", "file", "item", "title", "possible", "points", "comment")


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
        logins = logins_of(gradebook, assignment)
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


def mark_of(grade: GradeRow, given: MarkGiven, *, author: str, reason: str) -> Mark:
    """The row for a mark. Raises UsageError for an item or points that the submission cannot have."""
    item = next((item for item in grade.items if item.item == given.item), None)
    if item is None:
        known = ", ".join(item.item for item in grade.items)
        raise UsageError(f"item {given.item!r}: not one of this grade's; it has {known}")
    possible = Points(item.possible)
    if given.points is not None and not Points(0) <= given.points <= possible:
        raise UsageError(f"item {given.item}: {given.points} points; it is worth 0 to {possible}")
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


def marks_from_table(
    rows: Iterable[Mapping[str, str]], graded: GradedSubmissions, *, source: str, author: str, reason: str
) -> list[Mark]:
    """The marks of a table's rows. Raises UsageError that lists the wrong rows, if there is any."""
    marks: dict[tuple[int, str], tuple[int, Mark]] = {}
    wrong: list[str] = []
    for line, row in enumerate(rows, start=2):
        where = f"{source}, line {line}"
        try:
            mark = _row_mark(row, graded, where=where, author=author, reason=reason)
        except UsageError as error:
            text = str(error)
            wrong.append(text if text.startswith(where) else f"{where}: {text}")
            continue
        if mark is None:
            continue
        key = mark.submission, mark.item
        if key in marks and marks[key][1] != mark:
            wrong.append(f"{where}: line {marks[key][0]} gives the same item other points")
        marks[key] = line, mark
    if wrong:
        more = f"; and {len(wrong) - 5} more" if len(wrong) > 5 else ""  # noqa: PLR2004  # enough to begin with
        raise UsageError(f"nothing was imported. {'; '.join(wrong[:5])}{more}")
    return [mark for _, mark in marks.values()]


def _row_mark(
    row: Mapping[str, str], graded: GradedSubmissions, *, where: str, author: str, reason: str
) -> Mark | None:
    for column in ("item", "points"):
        if column not in row:
            raise UsageError(f"no column {column!r}; `grade marks export FILE` makes a table to fill in")
    given = parse_mark(row["item"], row["points"], row.get("comment", ""), where=where)
    if given is None:
        return None
    word = row.get("submission") or row.get("student") or row.get("file") or ""
    if not word:
        raise UsageError("no submission: fill in `submission`, `student` or `file`")
    return mark_of(graded.find(word), given, author=author, reason=reason)


def rows_to_mark(
    graded: GradedSubmissions,
    marks: Mapping[tuple[int, str], Mark],
    names: Mapping[str, str],
    *,
    everything: bool,
) -> Iterator[list[object]]:
    """The rows to fill in: items that a person decides (or all items), with the marks given so far."""
    for grade in graded:
        own = grade.submission
        for item in grade.items:
            mark = marks.get((own.row, item.item))
            if not everything and mark is None and not _is_for_people(item):
                continue
            yield [
                f"#{own.row}",
                own.student,
                names.get(own.student, ""),
                own.name,
                item.item,
                item.title,
                Points(item.possible),
                "" if mark is None or mark.points is None else mark.points,
                "" if mark is None else mark.comment,
            ]


def _is_for_people(item: ItemPoints) -> bool:
    return item.kind == "written" or not item.decided


def marks_by_submission(gradebook: Gradebook, assignment: str) -> dict[int, dict[str, Mark]]:
    """The marks that count, by the submission's row and then by item."""
    found: dict[int, dict[str, Mark]] = defaultdict(dict)
    for (row, item), mark in gradebook.marks(assignment).items():
        found[row][item] = mark
    return dict(found)
