"""What today's tests would change about grades that were given, and the change itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from grader.course.batch import Batch, grade_record, seed_of_class
from grader.course.keys import keys_of
from grader.course.locations import Locations
from grader.course.packages import content_digest, kept_package
from grader.course.plan import UniqueWork
from grader.files import write_whole
from grader.gradebook.marks import class_marks
from grader.gradebook.rows import GradeRow, StoredResult
from grader.gradebook.spreadsheets import write_table
from grader.gradebook.store import Gradebook
from grader.gradebook.totals import total_of
from grader.model.errors import UsageError
from grader.model.points import Points
from grader.model.records import decode
from grader.reports.changes import in_words, item_changes

COLUMNS = ("student", "submission", "before", "after", "why")


class Change(msgspec.Struct, frozen=True):
    """What happens to one submission. ``before`` and ``after`` include the marks that people gave.

    ``why`` is empty if no item's points change. ``key`` is that of the new result.
    """

    grade: GradeRow
    key: str
    before: Points
    after: Points
    why: tuple[str, ...]

    @property
    def gain(self) -> int:
        """Hundredths of a point gained; negative if points are lost."""
        return self.after.hundredths - self.before.hundredths


def regrade_of(locations: Locations, gradebook: Gradebook, *, author: str, reason: str) -> Batch:
    """A batch with the seed of the class, which stores results but changes no grade.

    Raises UsageError if nothing is graded yet.
    """
    title = locations.title
    seed = seed_of_class(gradebook, title)
    if seed is None:
        raise UsageError(
            f"{gradebook.place}: nothing of {title!r} is graded yet; `grade batch FOLDER` does it"
        )
    keys = keys_of(locations.home, seed=seed)
    return Batch(gradebook, title, keys, seed, author, reason, writes_grades=False)


def work_to_regrade(batch: Batch) -> tuple[list[UniqueWork], list[str]]:
    """The graded submissions that have no result of today's tests, and the names of lost ones.

    A submission is lost if a file of it is no longer where it was graded, or is no longer the same.
    """
    graded = {grade.submission.row for grade in batch.gradebook.grades(batch.assignment)}
    rows = [row for row in batch.gradebook.submissions(batch.assignment) if row.row in graded]
    known = batch.gradebook.known_keys(batch.key_of(content_digest(row)) for row in rows)
    found: dict[str, UniqueWork] = {}
    lost: list[str] = []
    for row in rows:
        sha256 = content_digest(row)
        if sha256 in found or batch.key_of(sha256) in known:
            continue
        package = kept_package(row)
        if package is None:
            lost.append(row.name)
        else:
            found[sha256] = UniqueWork(row.name, package)
    return list(found.values()), lost


def changes_of(batch: Batch) -> Iterator[Change]:
    """Every grade that today's result would replace."""
    gradebook = batch.gradebook
    marks = class_marks(gradebook, batch.assignment)
    for grade in gradebook.grades(batch.assignment):
        key = batch.key_of(content_digest(grade.submission))
        if key == grade.key:
            continue
        result = gradebook.result(key)
        if result is None:
            continue  # it needs attention, or its file is lost
        own = marks.of(grade)
        before, after = total_of(grade.items, own), total_of(result.items, own)
        yield Change(grade, key, before.earned, after.earned, reasons(gradebook, grade, result))


def reasons(gradebook: Gradebook, grade: GradeRow, result: StoredResult) -> tuple[str, ...]:
    """Which checks made the difference, one line per item."""
    return tuple(map(in_words, item_changes(grade_record(gradebook, grade.key), decode(result.record))))


def write_changes(path: Path, changes: Sequence[Change]) -> None:
    """Write the changes that students would see as CSV. Raises UsageError if that is not possible."""
    rows = (
        [
            change.grade.submission.student,
            change.grade.submission.name,
            change.before,
            change.after,
            "; ".join(change.why),
        ]
        for change in changes
        if change.why
    )
    write_whole(path, "".join(write_table(COLUMNS, rows)).encode(), option="--csv")


def apply_changes(batch: Batch, changes: Sequence[Change]) -> None:
    """Make today's results the grades, all of them or none."""
    pairs = [(change.grade.submission.row, change.key) for change in changes]
    batch.gradebook.add_grades(pairs, author=batch.author, reason=batch.reason)
