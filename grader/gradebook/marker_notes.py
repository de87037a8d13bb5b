"""What markers leave for each other: leases, flags, marks that do not count, and what students ask them.

A lease is the gradebook's only row that changes: it says who looks at an answer now, and is forgotten.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, and_, func, select, text

from grader.gradebook import schema
from grader.gradebook.database import reading, writing
from grader.gradebook.rubrics import Ruling
from grader.model.errors import GradebookError
from grader.model.points import Points

OPINION = "opinion"
SETTLED = "settled"
"""Purposes of trial marks: what one marker said without seeing the others', and what ended a difference."""


class Trial(msgspec.Struct, frozen=True):
    """A mark that does not count: an opinion, what settled a difference, or one that met another marker's."""

    submission: int
    item: str
    purpose: str
    ruling: Ruling
    points: Points
    author: str
    at: str = ""


class Request(msgspec.Struct, frozen=True):
    """What a student asks about a mark: the mark then; the reply and the mark after it, if there is one."""

    row: int
    submission: int
    words: str
    at: str
    before: Points | None
    reply: str = ""
    replied_by: str = ""
    after: Points | None = None


TAKE_LEASE = """
    INSERT INTO lease (assignment, item, unit, holder, until)
    VALUES (:assignment, :item, :unit, :holder, :until)
    ON CONFLICT (assignment, item, unit) DO UPDATE SET holder = excluded.holder, until = excluded.until
    WHERE lease.holder = excluded.holder OR lease.until <= :now"""
"""One statement, so that of two who want an answer at once one gets it; the same in both databases."""
LEAVE_OTHERS = """
    DELETE FROM lease
    WHERE assignment = :assignment AND holder = :holder AND NOT (item = :item AND unit = :unit)"""
HOLDER = "SELECT holder FROM lease WHERE assignment = :assignment AND item = :item AND unit = :unit"
LEASES = "SELECT unit, holder FROM lease WHERE assignment = :assignment AND item = :item AND until > :now"
SAID = (
    schema.mark,
    schema.rubric_line,
    schema.trial_mark,
    schema.flag,
    schema.regrade_request,
    schema.regrade_reply,
)
SIZES = f"SELECT {', '.join(f'(SELECT COUNT(*) FROM {table.name})' for table in SAID)}"  # noqa: S608  # ours


class MarkerNotes:
    """The leases, flags and trial marks of one assignment. Every method is one transaction."""

    def __init__(self, engine: Engine, clock: Callable[[], datetime], assignment: str) -> None:
        self._engine = engine
        self._clock = clock
        self.assignment = assignment

    def _now(self, *, later: float = 0) -> str:
        moment = self._clock().astimezone(UTC) + timedelta(seconds=later)
        return moment.isoformat(timespec="seconds")

    # -- trial marks ----------------------------------------------------------------------------------

    def trials(self, item: str) -> list[Trial]:
        """The marks of an item that do not count, oldest first."""
        t, s = schema.trial_mark, schema.submission
        query = select(t).join(s, s.c.row == t.c.submission)
        query = query.where(s.c.assignment == self.assignment, t.c.item == item)
        with reading(self._engine) as connection:
            return [
                Trial(
                    row.submission,
                    row.item,
                    row.purpose,
                    ruling_of(row.versions, row.adjustment, row.why, row.comment),
                    Points(row.hundredths),
                    row.author,
                    row.at,
                )
                for row in connection.execute(query.order_by(t.c.row))
            ]

    # -- leases and flags -----------------------------------------------------------------------------

    def lease(self, item: str, unit: str, *, holder: str, seconds: float) -> str:
        """Take or renew the lease of an answer, and end the holder's others; who holds it afterwards."""
        fields = {
            "assignment": self.assignment,
            "item": item,
            "unit": unit,
            "holder": holder,
            "until": self._now(later=seconds),
            "now": self._now(),
        }
        with writing(self._engine) as connection:
            connection.execute(text(TAKE_LEASE), fields)
            connection.execute(text(LEAVE_OTHERS), fields)
            found: str = connection.execute(text(HOLDER), fields).scalar_one()
            return found

    def release(self, holder: str, *, item: str = "") -> None:
        """End the leases that somebody holds, of one item or of all."""
        table = schema.lease
        where = [table.c.assignment == self.assignment, table.c.holder == holder]
        where += [table.c.item == item] if item else []
        with writing(self._engine) as connection:
            connection.execute(table.delete().where(*where))

    def leases(self, item: str) -> dict[str, str]:
        """Who looks at which answers of an item now."""
        return self.news(item)[1]

    def news(self, item: str) -> tuple[tuple[int, ...], dict[str, str]]:
        """How many marks there are, then rows of all else that is said, which only grow; an item's leases."""
        fields = {"assignment": self.assignment, "item": item, "now": self._now()}
        with reading(self._engine) as connection:
            leases = {row.unit: row.holder for row in connection.execute(text(LEASES), fields)}
            return tuple(connection.execute(text(SIZES)).one()), leases

    def flag(self, submission: int, item: str, *, words: str, author: str, raised: bool = True) -> None:
        """Ask a colleague to look at an answer, or say that it is settled."""
        values = {"submission": submission, "item": item, "raised": int(raised), "words": words}
        with writing(self._engine) as connection:
            added = schema.flag.insert().values(**values, at=self._now(), author=author)
            connection.execute(added)

    def flags(self, item: str) -> dict[int, tuple[str, str]]:
        """The open flags of an item: by submission who raised it, and their words."""
        f, s = schema.flag, schema.submission
        last = select(func.max(f.c.row)).where(f.c.item == item).group_by(f.c.submission)
        query = select(f).join(s, s.c.row == f.c.submission)
        query = query.where(s.c.assignment == self.assignment, f.c.row.in_(last), f.c.raised == 1)
        with reading(self._engine) as connection:
            return {row.submission: (row.author, row.words) for row in connection.execute(query)}

    # -- regrade requests -----------------------------------------------------------------------------

    def add_request(self, submission: int, item: str, *, words: str, author: str) -> int:
        """Keep what a student asks about the mark of an answer, with the mark as it is; the request's row.

        The same words again are the same request.
        """
        r = schema.regrade_request
        same = (r.c.submission == submission, r.c.item == item, r.c.words == words)
        with writing(self._engine) as connection:
            found: int | None = connection.execute(select(r.c.row).where(*same)).scalar()
            if found is not None:
                return found
            mark = _last_mark(connection, submission, item)
            values = {"submission": submission, "item": item, "words": words, "mark": mark}
            added = r.insert().values(**values, at=self._now(), author=author).returning(r.c.row)
            row: int = connection.execute(added).scalar_one()
            return row

    def reply(self, request: int, *, words: str, author: str) -> None:
        """Answer a request; the mark as it is now is kept with the reply."""
        r = schema.regrade_request
        with writing(self._engine) as connection:
            asked = connection.execute(select(r.c.submission, r.c.item).where(r.c.row == request)).first()
            if asked is None:
                raise GradebookError(f"the gradebook has no regrade request {request}")
            values = {"request": request, "words": words, "mark": _last_mark(connection, *asked)}
            added = schema.regrade_reply.insert().values(**values, at=self._now(), author=author)
            connection.execute(added)

    def requests(self, item: str) -> list[Request]:
        """What students ask about an item, with the marks then and, once replied to, the reply."""
        r, a, s = schema.regrade_request, schema.regrade_reply, schema.submission
        last = select(func.max(a.c.row)).group_by(a.c.request)
        then, now = schema.mark.alias(), schema.mark.alias()
        query = (
            select(
                *(r.c[name] for name in ("row", "submission", "words", "at")),
                then.c.hundredths.label("before"),
                a.c.words.label("reply"),
                a.c.author.label("by"),
                now.c.hundredths.label("after"),
            )
            .select_from(r)
            .join(s, s.c.row == r.c.submission)
            .outerjoin(a, and_(a.c.request == r.c.row, a.c.row.in_(last)))
            .outerjoin(then, then.c.row == r.c.mark)
            .outerjoin(now, now.c.row == a.c.mark)
            .where(s.c.assignment == self.assignment, r.c.item == item)
        )
        with reading(self._engine) as connection:
            return [
                Request(
                    row.row,
                    row.submission,
                    row.words,
                    row.at,
                    _points(row.before),
                    row.reply or "",
                    row.by or "",
                    _points(row.after),
                )
                for row in connection.execute(query.order_by(r.c.row))
            ]


def _last_mark(connection: Connection, submission: int, item: str) -> int | None:
    m = schema.mark
    query = select(func.max(m.c.row)).where(m.c.submission == submission, m.c.item == item)
    found: int | None = connection.execute(query).scalar()
    return found


def _points(hundredths: int | None) -> Points | None:
    return None if hundredths is None else Points(hundredths)


def add_trial(connection: Connection, trial: Trial, now: str) -> None:
    """Write a mark that does not count."""
    values = {
        "submission": trial.submission,
        "item": trial.item,
        "purpose": trial.purpose,
        **ruling_fields(trial.ruling),
        "hundredths": trial.points.hundredths,
        "at": now,
        "author": trial.author,
    }
    connection.execute(schema.trial_mark.insert().values(values))


def ruling_fields(ruling: Ruling) -> dict[str, Any]:
    """A ruling's columns, the same in ``mark_basis`` and ``trial_mark``."""
    return {
        "versions": msgspec.json.encode(ruling.versions).decode(),
        "adjustment": ruling.adjustment.hundredths,
        "why": ruling.why,
        "comment": ruling.comment,
    }


def ruling_of(versions: str, adjustment: int, why: str, comment: str) -> Ruling:
    """The ruling of these columns."""
    rows = msgspec.json.decode(versions, type=tuple[int, ...])
    return Ruling(rows, Points(adjustment), why, comment)
