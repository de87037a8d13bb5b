"""What the store reads and writes inside a transaction, one function for each kind of row."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, ScalarSelect, Table, and_, func, select
from sqlalchemy.sql import ColumnElement, Select

from grader.gradebook import schema
from grader.gradebook.rows import (
    Arrival,
    Extension,
    GradeRow,
    ItemPoints,
    Mark,
    NewSubmission,
    Owner,
    Refusal,
    StoredResult,
    Student,
    SubmissionRow,
)
from grader.model.errors import GradebookError
from grader.model.points import Points

SAME = ("assignment", "student", "name", "sha256", "submitted_at")  # what makes two submissions one
MAX_RECORD = 64 << 20  # bytes of one record, unpacked


def students(connection: Connection) -> dict[str, Student]:
    """Every student by id, as last written."""
    table = schema.student
    query = select(table.c.id, table.c.name, table.c.email, table.c.section).order_by(table.c.row)
    return {row.id: Student(*row) for row in connection.execute(query)}


def submission_row(connection: Connection, new: NewSubmission, now: str) -> int:
    """The row of a submission, written if there is none yet."""
    table, fields = schema.submission, msgspec.structs.asdict(new)
    # The path does not count: the same file in another folder is the same submission.
    same = {name: table.c[name] == fields[name] for name in SAME}
    found: int | None = connection.execute(select(table.c.row).where(*same.values())).scalar()
    if found is None and new.student:
        found = _given_by_hand(connection, same, new.student)
    if found is not None:
        return found
    added = table.insert().values(**fields, received_at=now).returning(table.c.row)
    row: int = connection.execute(added).scalar_one()
    return row


def _given_by_hand(
    connection: Connection, same: Mapping[str, ColumnElement[bool]], student: str
) -> int | None:
    """The row that a person gave to this student; its own column names whoever was matched, or nobody."""
    s, o = schema.submission, schema.owner
    query = (
        select(s.c.row)
        .select_from(s)
        .join(o, and_(o.c.submission == s.c.row, o.c.row == _last(o)))
        .where(o.c.student == student, *(part for name, part in same.items() if name != "student"))
    )
    found: int | None = connection.execute(query.limit(1)).scalar()
    return found


def _last(table: Table) -> ScalarSelect[int]:
    """The number of the last row of a table about the submission that a query is at."""
    other = table.alias()
    newest = select(func.max(other.c.row)).where(other.c.submission == schema.submission.c.row)
    return newest.correlate(schema.submission).scalar_subquery()


def known_submissions(*more: ColumnElement[Any]) -> Select[Any]:
    """A query for submissions as they are known now, with more columns."""
    s, a, o = schema.submission, schema.arrival, schema.owner
    plain = [s.c[name] for name in ("row", "assignment", "name", "sha256", "path", "received_at")]
    return (
        select(
            *plain,
            func.coalesce(o.c.student, s.c.student).label("student"),
            func.coalesce(a.c.submitted_at, s.c.submitted_at).label("submitted_at"),
            a.c.late.label("late"),
            *more,
        )
        .select_from(s)
        .outerjoin(a, a.c.row == _last(a))
        .outerjoin(o, o.c.row == _last(o))
    )


def known_submission(fields: Mapping[str, Any]) -> SubmissionRow:
    """A row of ``known_submissions``."""
    own = {name: fields[name] for name in SubmissionRow.__struct_fields__}
    return SubmissionRow(**{**own, "late": None if own["late"] is None else bool(own["late"])})


def _submission(connection: Connection, number: int) -> SubmissionRow:
    row = connection.execute(known_submissions().where(schema.submission.c.row == number)).first()
    if row is None:
        raise GradebookError(f"the gradebook has no submission #{number}")
    return known_submission(row._asdict())


def add_arrival(
    connection: Connection, submission: int, arrival: Arrival, facts: tuple[str, str, str]
) -> bool:
    """Write when a submission came if that says more than is known; what is unknown replaces nothing."""
    at, author, reason = facts
    known = _submission(connection, submission)
    when = arrival.submitted_at or known.submitted_at
    late = known.late if arrival.late is None else arrival.late
    if (when, late) == (known.submitted_at, known.late):
        return False
    values = {"submission": submission, "submitted_at": when, "late": None if late is None else int(late)}
    connection.execute(schema.arrival.insert().values(**values, at=at, author=author, reason=reason))
    return True


def add_owner(connection: Connection, owner: Owner, now: str) -> bool:
    """Write whose a submission is; False if it is already."""
    if _submission(connection, owner.submission).student == owner.student:
        return False
    connection.execute(schema.owner.insert().values({**msgspec.structs.asdict(owner), "at": now}))
    return True


def extensions(connection: Connection, assignment: str) -> dict[str, Extension]:
    """The last extension of each student, withdrawn ones too."""
    table = schema.extension
    query = select(*(table.c[name] for name in Extension.__struct_fields__))
    rows = connection.execute(query.where(table.c.assignment == assignment).order_by(table.c.row))
    return {row.student: Extension(**row._asdict()) for row in rows}


def add_extensions(connection: Connection, assignment: str, several: Iterable[Extension], now: str) -> int:
    """Write extensions that change something; how many."""
    known, written = extensions(connection, assignment), 0
    for one in several:
        before = known.get(one.student)
        if (before.until if before is not None else "") == one.until:
            continue
        fields = {**msgspec.structs.asdict(one), "assignment": assignment, "at": now}
        connection.execute(schema.extension.insert().values(fields))
        written += 1
    return written


def participants(connection: Connection, assignment: str) -> dict[str, str]:
    """The student of each number that a platform uses in an assignment, as last written."""
    table = schema.participant
    query = select(table.c.number, table.c.student).where(table.c.assignment == assignment)
    return {row.number: row.student for row in connection.execute(query.order_by(table.c.row))}


def roster(connection: Connection, assignment: str) -> tuple[str, bytes] | None:
    """The name and the content of the last roster that was read."""
    table = schema.roster
    query = select(table.c.name, table.c.content).where(table.c.assignment == assignment)
    row = connection.execute(query.order_by(table.c.row.desc()).limit(1)).first()
    return None if row is None else (row.name, unpacked(row.content))


def refusals(connection: Connection, assignment: str) -> dict[str, Refusal]:
    """What could not be read, by name, as last written; withdrawn ones too."""
    table = schema.refusal
    query = select(*(table.c[name] for name in Refusal.__struct_fields__))
    rows = connection.execute(query.where(table.c.assignment == assignment).order_by(table.c.row))
    return {row.name: Refusal(**row._asdict()) for row in rows}


def add_result(connection: Connection, result: StoredResult, now: str) -> bool:
    """Write a result; False if there is one with its key."""
    table = schema.result
    if connection.execute(select(table.c.key).where(table.c.key == result.key)).first() is not None:
        return False
    values = {
        "key": result.key,
        "assignment": result.assignment,
        "sha256": result.sha256,
        "item_keys": msgspec.json.encode(result.item_keys).decode(),
        "items": msgspec.json.encode(result.items).decode(),
        "prints": msgspec.json.encode(result.prints).decode(),
        "record": zlib.compress(result.record, 6),
        "earned": result.earned.hundredths,
        "possible": result.possible.hundredths,
        "decided": result.decided.hundredths,
        "at": now,
        "attention": result.attention,
    }
    connection.execute(table.insert().values(**values))
    return True


def add_grade(connection: Connection, submission: int, key: str, facts: tuple[str, str, str]) -> bool:
    """Make a result the submission's grade; False if it already is. The facts are when, who and why."""
    # Compared with the last grade alone: going back to an earlier result is a change, and a new row.
    table, (at, author, reason) = schema.grade, facts
    last = select(table.c.result_key).where(table.c.submission == submission).order_by(table.c.row.desc())
    if connection.execute(last.limit(1)).scalar() == key:
        return False
    connection.execute(
        table.insert().values(submission=submission, result_key=key, at=at, author=author, reason=reason)
    )
    return True


def add_mark(connection: Connection, mark: Mark, now: str) -> int:
    """Write a mark; its row, 0 if the last one says the same."""
    last = last_mark(connection, mark.submission, mark.item)
    return insert_marks(connection, [mark], now)[mark.submission] if says_more(mark, last) else 0


def says_more(mark: Mark, last: Mark | None) -> bool:
    """Whether a mark is worth a row after the last one of its answer."""
    if last is None:
        return mark.points is not None  # there is nothing to withdraw
    return (last.points, last.comment) != (mark.points, mark.comment)


def insert_marks(connection: Connection, marks: Sequence[Mark], now: str) -> dict[int, int]:
    """Write marks of an item, at least one, whatever the last ones say; their rows by submission."""
    rows = [
        {
            "submission": mark.submission,
            "item": mark.item,
            "hundredths": None if mark.points is None else mark.points.hundredths,
            "comment": mark.comment,
            "author": mark.author,
            "reason": mark.reason,
            "at": now,
        }
        for mark in marks
    ]
    added = schema.mark.insert().returning(schema.mark.c.submission, schema.mark.c.row)
    return {row.submission: row.row for row in connection.execute(added, rows)}


def last_mark(connection: Connection, submission: int, item: str) -> Mark | None:
    """The last mark for an item of a submission, a withdrawn one too."""
    table = schema.mark
    query = select(table).where(table.c.submission == submission, table.c.item == item)
    row = connection.execute(query.order_by(table.c.row.desc()).limit(1)).first()
    return None if row is None else mark_row(row._asdict())


def result_row(row: Row[Any]) -> StoredResult:
    """A row of ``result``."""
    fields = row._asdict()
    return StoredResult(
        key=fields["key"],
        assignment=fields["assignment"],
        sha256=fields["sha256"],
        item_keys=msgspec.json.decode(fields["item_keys"], type=dict[str, str]),
        items=msgspec.json.decode(fields["items"], type=tuple[ItemPoints, ...]),
        prints=msgspec.json.decode(fields["prints"], type=tuple[tuple[str, str], ...]),
        record=unpacked(fields["record"]),
        earned=Points(fields["earned"]),
        possible=Points(fields["possible"]),
        decided=Points(fields["decided"]),
        attention=fields["attention"],
    )


def unpacked(data: bytes) -> bytes:
    """A record's JSON. Raises GradebookError if it is damaged, or larger than any record."""
    inflate = zlib.decompressobj()
    try:
        record = inflate.decompress(data, MAX_RECORD)
    except zlib.error:
        raise GradebookError(
            "a record in the gradebook is damaged; put back a copy of the gradebook"
        ) from None
    if not inflate.eof:
        raise GradebookError("a record in the gradebook is damaged or larger than any that is written")
    return record


def grade_row(fields: Mapping[str, Any]) -> GradeRow:
    """A submission's columns with those of its grade and result."""
    return GradeRow(
        submission=known_submission(fields),
        key=fields["key"],
        item_points=fields["items"],
        earned=Points(fields["earned"]),
        possible=Points(fields["possible"]),
        decided=Points(fields["decided"]),
        at=fields["at"],
        author=fields["author"],
        reason=fields["reason"],
        attention=fields["attention"],
    )


def mark_row(fields: Mapping[str, Any]) -> Mark:
    """A row of ``mark``."""
    hundredths = fields["hundredths"]
    return Mark(
        submission=fields["submission"],
        item=fields["item"],
        points=None if hundredths is None else Points(hundredths),
        comment=fields["comment"],
        author=fields["author"],
        reason=fields["reason"],
        at=fields["at"],
        row=fields["row"],
    )
