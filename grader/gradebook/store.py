"""The gradebook: short transactions over append-only tables. A correction is a new row; the last one counts.

The lines that keep it whole when several programs write:

- What decides whether a row is written is read in the transaction that writes it. Writers take turns from its
  first statement (``database.writing``), so two of them never both find a row missing.
- A result and the grades that point to it are written together: no grade is without its result.
- Reading never spans transactions with a cursor: see ``_pages``.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

import msgspec
from sqlalchemy import Column, Engine, Row, func, select
from sqlalchemy.sql import ColumnElement, Select

from grader.gradebook import locks, schema, statements
from grader.gradebook.database import (
    connect,
    make_folder,
    parse_url,
    reading,
    shown,
    write_ahead,
    writing,
)
from grader.gradebook.marker_notes import MarkerNotes
from grader.gradebook.marking import MarkingStore
from grader.gradebook.rows import (
    Arrival,
    Extension,
    GradeRow,
    Mark,
    NewSubmission,
    Owner,
    Refusal,
    StoredResult,
    Student,
    SubmissionRow,
)
from grader.gradebook.upgrade import upgrade

Clock = Callable[[], datetime]
RECORDS_AT_ONCE = 50  # records: each may take megabytes
MOST_AT_ONCE = 500  # keys in a query: SQLite takes a few thousand variables
PAGE = 5000  # rows: a page of grades or marks looks up the last one of all first


class Gradebook:
    """One database. Every method is one transaction and raises GradebookError with a line for a person."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    @classmethod
    def open(cls, url: str, *, clock: Clock | None = None, wait: float | None = None) -> Self:
        """The gradebook at a URL or file path, created or upgraded if need be."""
        parsed = parse_url(url)
        make_folder(parsed)
        engine = connect(parsed) if wait is None else connect(parsed, wait=wait)
        book = cls(engine, clock or (lambda: datetime.now(UTC)))
        try:
            upgrade(engine, now=book._now())
        except BaseException:
            engine.dispose()
            raise
        return book

    @property
    def place(self) -> str:
        """Its file or URL, without the password."""
        return shown(self._engine.url)

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def one_batch(self, assignment: str, *, who: str) -> AbstractContextManager[None]:
        """Keep other batches of this assignment out. Raises GradebookError that names one that is running."""
        return locks.one_batch(self._engine, assignment, who=f"{who}, since {self._now()}")

    def quick_saves(self) -> AbstractContextManager[None]:
        """Make the wait of each save shorter for a while, where that is safe; nothing else changes."""
        return write_ahead(self._engine)

    def _now(self) -> str:
        return self._clock().astimezone(UTC).isoformat(timespec="seconds")

    # -- students -------------------------------------------------------------------------------------

    def add_students(self, students: Iterable[Student]) -> int:
        """Write students who are new or have changed; how many were written."""
        with writing(self._engine) as connection:
            known = statements.students(connection)
            fresh = [student for student in students if known.get(student.id) != student]
            rows = [{**msgspec.structs.asdict(student), "at": self._now()} for student in fresh]
            if rows:
                connection.execute(schema.student.insert(), rows)
        return len(fresh)

    def students(self) -> dict[str, Student]:
        """Every student by id, as last written."""
        with reading(self._engine) as connection:
            return statements.students(connection)

    def add_participants(self, assignment: str, numbers: Mapping[str, str]) -> int:
        """Write the numbers that a platform gives to students in one assignment; how many were news."""
        with writing(self._engine) as connection:
            known = statements.participants(connection, assignment)
            fresh = {number: student for number, student in numbers.items() if known.get(number) != student}
            fields = {"assignment": assignment, "at": self._now()}
            rows = [{**fields, "number": number, "student": student} for number, student in fresh.items()]
            if rows:
                connection.execute(schema.participant.insert(), rows)
        return len(fresh)

    def participants(self, assignment: str) -> dict[str, str]:
        """The student of each of the platform's numbers."""
        with reading(self._engine) as connection:
            return statements.participants(connection, assignment)

    def add_roster(self, assignment: str, name: str, content: bytes) -> bool:
        """Keep a roster's file as it was read; False if the last one is the same."""
        with writing(self._engine) as connection:
            if statements.roster(connection, assignment) == (name, content):
                return False
            values = {"assignment": assignment, "name": name, "at": self._now()}
            packed = zlib.compress(content, 6)
            connection.execute(schema.roster.insert().values(**values, content=packed))
        return True

    def roster(self, assignment: str) -> tuple[str, bytes] | None:
        """The file of the last roster, with its name; None if there was none."""
        with reading(self._engine) as connection:
            return statements.roster(connection, assignment)

    def add_refusals(self, assignment: str, several: Iterable[Refusal]) -> int:
        """Write what cannot be read, or can be by now; how many were news."""
        with writing(self._engine) as connection:
            known = statements.refusals(connection, assignment)
            fresh = [one for one in several if known.get(one.name) != one]
            fields = {"assignment": assignment, "at": self._now()}
            rows = [{**msgspec.structs.asdict(one), **fields} for one in fresh]
            if rows:
                connection.execute(schema.refusal.insert(), rows)
        return len(fresh)

    def refusals(self, assignment: str) -> list[Refusal]:
        """What was handed in and cannot be read."""
        with reading(self._engine) as connection:
            return [one for one in statements.refusals(connection, assignment).values() if one.why]

    # -- submissions ----------------------------------------------------------------------------------

    def add_submission(self, new: NewSubmission) -> int:
        """The row of a submission; the existing one if the same was registered before."""
        return self.add_submissions([new])[0]

    def add_submissions(self, several: Iterable[NewSubmission]) -> list[int]:
        """The rows of many submissions, in the order given, in one transaction."""
        with writing(self._engine) as connection:
            return [statements.submission_row(connection, new, self._now()) for new in several]

    def submissions(self, assignment: str, *, of: Sequence[int] | None = None) -> Iterator[SubmissionRow]:
        """All submissions of an assignment, or those rows ``of`` it, in the order they were received."""
        s = schema.submission
        for some in _some_of(of, s.c.row):
            query = statements.known_submissions().where(s.c.assignment == assignment, *some)
            for row in self._pages(query, s.c.row):
                yield statements.known_submission(row._asdict())

    def add_arrivals(self, several: Iterable[tuple[int, Arrival]], *, author: str, reason: str) -> int:
        """Write when submissions were handed in where that is news, all or nothing; how many were written."""
        with writing(self._engine) as connection:
            facts = (self._now(), author, reason)
            return sum(statements.add_arrival(connection, row, one, facts) for row, one in several)

    def add_owners(self, owners: Iterable[Owner]) -> int:
        """Give submissions to students, all or nothing; how many were not theirs before."""
        with writing(self._engine) as connection:
            return sum(statements.add_owner(connection, owner, self._now()) for owner in owners)

    def owners(self, assignment: str) -> dict[tuple[str, str], Owner]:
        """Whom a person gave submissions to, by a submission's name and SHA-256; the last word counts."""
        s, o = schema.submission, schema.owner
        query = select(s.c.name, s.c.sha256, *(o.c[name] for name in Owner.__struct_fields__))
        query = query.join(o, o.c.submission == s.c.row).where(s.c.assignment == assignment)
        with reading(self._engine) as connection:
            rows = [row._asdict() for row in connection.execute(query.order_by(o.c.row))]
        return {(row.pop("name"), row.pop("sha256")): Owner(**row) for row in rows}

    # -- extensions -----------------------------------------------------------------------------------

    def add_extensions(self, assignment: str, several: Iterable[Extension]) -> int:
        """Write extensions that change a student's deadline, all or nothing; how many were written."""
        with writing(self._engine) as connection:
            return statements.add_extensions(connection, assignment, several, self._now())

    def extensions(self, assignment: str) -> dict[str, Extension]:
        """The extension that counts for each student who has one."""
        with reading(self._engine) as connection:
            known = statements.extensions(connection, assignment)
        return {student: one for student, one in known.items() if one.until}

    # -- results --------------------------------------------------------------------------------------

    def add_result(self, result: StoredResult) -> bool:
        """Store a result; False if there is one with its key."""
        with writing(self._engine) as connection:
            return statements.add_result(connection, result, self._now())

    def result(self, key: str) -> StoredResult | None:
        """The result with this key."""
        return self._one_result(select(schema.result).where(schema.result.c.key == key))

    def latest_result(self, assignment: str, sha256: str | None = None) -> StoredResult | None:
        """The result stored last, of these bytes if they are named; whatever the tests were then."""
        table = schema.result
        query = select(table).where(table.c.assignment == assignment)
        if sha256 is not None:
            query = query.where(table.c.sha256 == sha256)
        return self._one_result(query.order_by(table.c.row.desc()).limit(1))

    def records(self, keys: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """The keys that have a result, each with its encoded Grade; a page of them is read at once."""
        wanted, table = list(dict.fromkeys(keys)), schema.result
        for start in range(0, len(wanted), RECORDS_AT_ONCE):
            some = wanted[start : start + RECORDS_AT_ONCE]
            with reading(self._engine) as connection:
                query = select(table.c.key, table.c.record).where(table.c.key.in_(some))
                rows = connection.execute(query).all()
            for row in rows:
                yield row.key, statements.unpacked(row.record)

    def known_keys(self, keys: Iterable[str]) -> set[str]:
        """The keys that have a result."""
        wanted, found = list(dict.fromkeys(keys)), set[str]()
        with reading(self._engine) as connection:
            for start in range(0, len(wanted), MOST_AT_ONCE):
                some = wanted[start : start + MOST_AT_ONCE]
                query = select(schema.result.c.key).where(schema.result.c.key.in_(some))
                found.update(connection.execute(query).scalars())
        return found

    def _one_result(self, query: Select[Any]) -> StoredResult | None:
        with reading(self._engine) as connection:
            row = connection.execute(query).first()
        return None if row is None else statements.result_row(row)

    # -- grades ---------------------------------------------------------------------------------------

    def add_grade(self, submission: int, key: str, *, author: str, reason: str) -> bool:
        """Make a result the submission's grade; False if it already is."""
        with writing(self._engine) as connection:
            return statements.add_grade(connection, submission, key, (self._now(), author, reason))

    def store_result(
        self, result: StoredResult, submissions: Iterable[int], *, author: str, reason: str
    ) -> int:
        """Store a result and make it the grade of submissions, all or nothing; how many grades are new."""
        with writing(self._engine) as connection:
            statements.add_result(connection, result, self._now())
            facts = (self._now(), author, reason)
            return sum(statements.add_grade(connection, row, result.key, facts) for row in submissions)

    def add_grades(self, pairs: Iterable[tuple[int, str]], *, author: str, reason: str) -> int:
        """Make stored results the grades of submissions, all or nothing; how many are new."""
        with writing(self._engine) as connection:
            facts = (self._now(), author, reason)
            return sum(statements.add_grade(connection, row, key, facts) for row, key in pairs)

    def fingerprints(self, assignment: str) -> Iterator[tuple[str, str, frozenset[tuple[str, str]]]]:
        """Of each graded submission that has recorded evidence: its name, its student, the fingerprints."""
        s, g, r = schema.submission, schema.grade, schema.result
        last = select(func.max(g.c.row)).group_by(g.c.submission)
        query = (
            statements.known_submissions(r.c.prints)
            .join(g, g.c.submission == s.c.row)
            .join(r, r.c.key == g.c.result_key)
            .where(s.c.assignment == assignment, g.c.row.in_(last), r.c.prints != "[]")
        )
        for row in self._pages(query, s.c.row):
            prints = msgspec.json.decode(row.prints, type=list[tuple[str, str]])
            yield row.name, row.student, frozenset(prints)

    def grades(self, assignment: str, *, of: Sequence[int] | None = None) -> Iterator[GradeRow]:
        """The grade that counts, for every graded submission, or for those rows ``of`` them."""
        s, g, r = schema.submission, schema.grade, schema.result
        results = (r.c[name] for name in ("key", "items", "earned", "possible", "decided", "attention"))
        query = (
            statements.known_submissions(*results, g.c.at, g.c.author, g.c.reason)
            .join(g, g.c.submission == s.c.row)
            .join(r, r.c.key == g.c.result_key)
            .where(s.c.assignment == assignment)
        )
        for some in _some_of(of, g.c.submission):
            last = select(func.max(g.c.row)).where(*some).group_by(g.c.submission)
            for row in self._pages(query.where(g.c.row.in_(last)), s.c.row):
                yield statements.grade_row(row._asdict())

    def newest(self, *, marks: bool = False) -> tuple[int, ...]:
        """The last rows of all that decides which submissions count, and what their grades are.

        With ``marks`` the last row of them, too, at the end.
        """
        tables = (
            schema.submission,
            schema.grade,
            schema.arrival,
            schema.owner,
            schema.extension,
            schema.student,
            *((schema.mark,) if marks else ()),
        )
        with reading(self._engine) as connection:
            several = [connection.execute(select(func.max(table.c.row))).scalar() for table in tables]
        return tuple(row or 0 for row in several)

    def grade_history(self, submission: int) -> list[tuple[str, str, str, str]]:
        """Every grade of a submission, oldest first: (result key, at, author, reason)."""
        g = schema.grade
        query = select(g.c.result_key, g.c.at, g.c.author, g.c.reason).where(g.c.submission == submission)
        with reading(self._engine) as connection:
            return [tuple(row) for row in connection.execute(query.order_by(g.c.row))]

    # -- marks ----------------------------------------------------------------------------------------

    def add_marks(self, marks: Iterable[Mark]) -> int:
        """Write marks that differ from the current ones, all or nothing; how many were written."""
        with writing(self._engine) as connection:
            return sum(bool(statements.add_mark(connection, mark, self._now())) for mark in marks)

    def marks(
        self, assignment: str, *, withdrawn: bool = False, of: Sequence[int] | None = None
    ) -> dict[tuple[int, str], Mark]:
        """The last mark for each (submission, item), of those rows alone if ``of`` names some.

        Those that were withdrawn are among them only if asked for.
        """
        m, s = schema.mark, schema.submission
        query = select(m).join(s, s.c.row == m.c.submission).where(s.c.assignment == assignment)
        found = {}
        for some in _some_of(of, m.c.submission):
            last = select(func.max(m.c.row)).where(*some).group_by(m.c.submission, m.c.item)
            for row in self._pages(query.where(m.c.row.in_(last)), m.c.row):
                mark = statements.mark_row(row._asdict())
                if withdrawn or mark.points is not None:
                    found[mark.submission, mark.item] = mark
        return found

    def add_seen_marks(
        self, several: Iterable[tuple[Mark, int | None]]
    ) -> tuple[int, list[tuple[Mark, Mark]]]:
        """Write marks of people who saw a mark with that row number, 0 for none; None writes it in any case.

        Returns how many were written, and what was not because there is a newer one, each with that.
        """
        written, conflicts = 0, []
        with writing(self._engine) as connection:
            for mark, seen in several:
                last = statements.last_mark(connection, mark.submission, mark.item)
                if seen is not None and last is not None and last.row > seen:
                    conflicts.append((mark, last))
                else:
                    written += bool(statements.add_mark(connection, mark, self._now()))
        return written, conflicts

    def all_marks(self, assignment: str) -> dict[int, Mark]:
        """Every mark that was ever given, by its row number."""
        m, s = schema.mark, schema.submission
        query = select(m).join(s, s.c.row == m.c.submission).where(s.c.assignment == assignment)
        return {row.row: statements.mark_row(row._asdict()) for row in self._pages(query, m.c.row)}

    def mark_histories(self, assignment: str) -> Iterator[Mark]:
        """Every mark that was ever given, one answer after the other, each answer's oldest first."""
        m, s = schema.mark, schema.submission
        query = select(m).join(s, s.c.row == m.c.submission).where(s.c.assignment == assignment)
        with reading(self._engine) as connection:
            last = connection.execute(select(func.max(m.c.submission))).scalar() or 0
        for start in range(0, last, MOST_AT_ONCE):
            some = query.where(m.c.submission > start, m.c.submission <= start + MOST_AT_ONCE)
            with reading(self._engine) as connection:
                rows = connection.execute(some.order_by(m.c.submission, m.c.item, m.c.row)).all()
            yield from (statements.mark_row(row._asdict()) for row in rows)

    def mark_history(self, submission: int, item: str) -> list[Mark]:
        """Every mark for one item of one submission, oldest first."""
        m = schema.mark
        query = select(m).where(m.c.submission == submission, m.c.item == item).order_by(m.c.row)
        with reading(self._engine) as connection:
            return [statements.mark_row(row._asdict()) for row in connection.execute(query)]

    def marking(self, assignment: str) -> MarkingStore:
        """The markers' part of it: rubrics, and marks with what they rest on."""
        return MarkingStore(self._engine, self._clock, assignment)

    def marker_notes(self, assignment: str) -> MarkerNotes:
        """What markers leave for each other: leases, flags, marks that do not count."""
        return MarkerNotes(self._engine, self._clock, assignment)

    def _pages(self, query: Select[Any], number: Column[int]) -> Iterator[Row[Any]]:
        """The rows of a long answer in the order of ``number``, which the query selects as ``row``.

        Each page is a transaction of its own: the caller may take minutes between two rows, and an open one
        would keep SQLite's writers waiting. Rows are never changed, so pages that are read at different times
        still fit together: what was added since comes at the end.
        """
        after = 0
        while True:
            with reading(self._engine) as connection:
                page = query.where(number > after).order_by(number).limit(PAGE)
                rows = connection.execute(page).all()
            yield from rows
            if len(rows) < PAGE:
                return
            after = rows[-1].row


def _some_of(rows: Sequence[int] | None, column: Column[int]) -> Iterator[tuple[ColumnElement[bool], ...]]:
    """Conditions that hold for these rows, each for as many as one query takes; none for all rows."""
    if rows is None:
        yield ()
    for start in range(0, len(rows or ()), MOST_AT_ONCE):
        yield (column.in_((rows or ())[start : start + MOST_AT_ONCE]),)
