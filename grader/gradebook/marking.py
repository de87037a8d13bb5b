"""What markers write: rubric lines, and marks with what they rest on.

A save names the mark that it has seen. Whether that is still the last one is decided in the transaction that
writes, so of two markers who save the same answer the second gets a ``Conflict``, never the first's place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

import msgspec
from sqlalchemy import Connection, Engine, func, select, text
from sqlalchemy.sql import ColumnElement

from grader.gradebook import schema, statements
from grader.gradebook.database import reading, writing
from grader.gradebook.marker_notes import OPINION, Trial, add_trial, ruling_fields, ruling_of
from grader.gradebook.rows import Mark
from grader.gradebook.rubrics import (
    Held,
    LineVersion,
    Ruling,
    assert_line,
    assert_usable,
    current,
    points_of,
    put_back,
    rescored,
    words_of,
)
from grader.model.points import Points

FROM_MANIFEST = "assignment.toml"
"""The author of the lines that the manifest begins with."""


class Saved(msgspec.Struct, frozen=True):
    """Marks that were written: their rows by submission, none for what was so before.

    ``opinion`` is whether a trial mark was written beside them, or in place of them.
    """

    rows: dict[int, int]
    action: str
    opinion: bool = False


class Given(msgspec.Struct, frozen=True):
    """A mark to write, with what it rests on."""

    mark: Mark
    ruling: Ruling
    origin: str


class Conflict(msgspec.Struct, frozen=True):
    """Nothing was written: what is there now instead of what was seen, by submission."""

    now: dict[int, Held | None]


class Outdated(msgspec.Struct, frozen=True):
    """Nothing was written: the ruling names a line that is worth or says something else by now."""

    lines: tuple[LineVersion, ...]


MOST_NAMED = 500
"""Submissions named in a query; of more the whole assignment is read."""


class MarkingStore:
    """The markers' part of a gradebook, for one assignment. Every method is one transaction."""

    def __init__(self, engine: Engine, clock: Callable[[], datetime], assignment: str) -> None:
        self._engine = engine
        self._clock = clock
        self.assignment = assignment

    def _now(self) -> str:
        return self._clock().astimezone(UTC).isoformat(timespec="seconds")

    @contextmanager
    def _turn(self) -> Iterator[Connection]:
        """A transaction that decides by what it reads: no other mark is written before it ends."""
        with writing(self._engine) as connection:
            if connection.dialect.name == "postgresql":
                # SQLite's writers take turns anyway. This mode keeps out all who write marks, and no reader.
                connection.execute(text("LOCK TABLE mark IN SHARE ROW EXCLUSIVE MODE"))
            yield connection

    # -- rubric ---------------------------------------------------------------------------------------

    def rubric(self, item: str) -> list[LineVersion]:
        """The lines of an item as they are now, without retired ones."""
        return current(self.versions(item))

    def versions(self, item: str) -> list[LineVersion]:
        """Every version of every line of an item, oldest first."""
        with reading(self._engine) as connection:
            return self._versions(connection, item)

    def begin_rubric(self, item: str, lines: Sequence[tuple[Points, str]]) -> bool:
        """Write an item's first lines, in order; False if it has lines already."""
        with self._turn() as connection:
            if self._versions(connection, item):
                return False
            for number, (points, words) in enumerate(lines, start=1):
                first = LineVersion(number, points, words, author=FROM_MANIFEST, reason="first lines")
                self._add_version(connection, item, first)
            return bool(lines)

    def preview_line(self, item: str, line: LineVersion, possible: Points) -> dict[int, tuple[Held, Points]]:
        """Whose points a changed line would change: the mark as it is, and the points that it would have."""
        with reading(self._engine) as connection:
            return self._affected(connection, item, line, possible)

    def change_line(
        self, item: str, line: LineVersion, possible: Points, *, seen: int, action: str
    ) -> Saved | None:
        """Write a new version of a line (or a new line, number 0) and score everybody anew who has it.

        ``seen`` is the newest version of the item's lines that the marker knew; None, and nothing is written,
        if there is a newer one. All or nothing.
        """
        with self._turn() as connection:
            before = self._versions(connection, item)
            if max((one.row for one in before), default=0) != seen:
                return None
            number = line.line or max((one.line for one in before), default=0) + 1
            line = msgspec.structs.replace(line, line=number)
            assert_line(line, current(before))
            row = self._add_version(connection, item, line)
            changed = msgspec.structs.replace(line, row=row)
            held = self._held(connection, item)
            reason = f"rubric line {number}: {line.reason or 'changed'}"
            given = []
            for submission, (ruling, points) in rescored(held, before, changed, possible).items():
                words = words_of(ruling, [*before, changed])
                mark = Mark(submission, item, points, words, line.author, reason)
                given.append(Given(mark, ruling, "rescored"))
            return Saved(self._write(connection, given, held, action), action)

    def _affected(
        self, connection: Connection, item: str, line: LineVersion, possible: Points
    ) -> dict[int, tuple[Held, Points]]:
        held = self._held(connection, item)
        after = rescored(held, self._versions(connection, item), line, possible)
        return {submission: (held[submission], points) for submission, (_, points) in after.items()}

    def _versions(self, connection: Connection, item: str) -> list[LineVersion]:
        table = schema.rubric_line
        query = select(table).where(table.c.assignment == self.assignment, table.c.item == item)
        return [
            LineVersion(
                line=row.line,
                points=Points(row.hundredths),
                text=row.text,
                row=row.row,
                retired=bool(row.retired),
                author=row.author,
                reason=row.reason,
                at=row.at,
            )
            for row in connection.execute(query.order_by(table.c.row))
        ]

    def _add_version(self, connection: Connection, item: str, line: LineVersion) -> int:
        table = schema.rubric_line
        values = {
            "assignment": self.assignment,
            "item": item,
            "line": line.line,
            "hundredths": line.points.hundredths,
            "text": line.text,
            "retired": int(line.retired),
            "at": self._now(),
            "author": line.author,
            "reason": line.reason,
        }
        row: int = connection.execute(table.insert().values(values).returning(table.c.row)).scalar_one()
        return row

    # -- marks ----------------------------------------------------------------------------------------

    def held(self, item: str, submissions: Sequence[int] | None = None) -> dict[int, Held]:
        """The last row of marks of each submission, or of these, for an item; withdrawn ones too."""
        with reading(self._engine) as connection:
            return self._held(connection, item, submissions)

    def held_since(self, item: str, row: int) -> list[Held]:
        """The rows of marks for an item that came after a row, oldest first."""
        m, s = schema.mark, schema.submission
        own = select(s.c.row).where(s.c.row == m.c.submission, s.c.assignment == self.assignment)
        with reading(self._engine) as connection:
            return self._marks(connection, m.c.row > row, m.c.item == item, own.exists())

    def save(
        self,
        item: str,
        ruling: Ruling,
        seen: Mapping[int, int],
        possible: Points,
        *,
        author: str,
        origins: Mapping[int, str],
        action: str,
        also: str = "",
    ) -> Saved | Conflict | Outdated:
        """Give answers their mark, all or nothing.

        ``seen`` are the submissions, each with the row of the last mark that the marker knew, 0 for none. If
        one has another by now nothing is written but the ruling itself, as a trial mark, and the conflict is
        returned. With ``also`` a trial mark for that purpose is written, too, for the first answer; an
        opinion leaves the marks of others as they are. Raises UsageError for a ruling that cannot be.
        """
        assert_usable(ruling)
        with self._turn() as connection:
            lines = current(self._versions(connection, item))
            if set(ruling.versions) - {line.row for line in lines}:
                return Outdated(tuple(lines))
            points = points_of(ruling, lines, possible)
            now = self._held(connection, item, list(seen))
            other = {one: now.get(one) for one, row in seen.items() if row_of(now.get(one)) != row}
            yields = also == OPINION
            if also and (yields or not other):
                add_trial(connection, Trial(min(seen), item, also, ruling, points, author), self._now())
            if yields and (other or any(one.mark.author != author for one in now.values() if counts(one))):
                return Saved({}, action, opinion=True)
            if other:
                for submission in other:
                    trial = Trial(submission, item, "conflict", ruling, points, author)
                    add_trial(connection, trial, self._now())
                return Conflict(other)
            words = words_of(ruling, lines)
            given = [
                Given(Mark(one, item, points, words, author, "rubric"), ruling, origins.get(one, "seen"))
                for one in seen
            ]
            return Saved(self._write(connection, given, now, action), action, opinion=bool(also))

    def undo(self, item: str, action: str, possible: Points, *, author: str, new: str) -> Saved | Conflict:
        """Put back, as new rows, what was there before an action; a conflict if another mark came since.

        The author's own later actions are none: they were undone before. Nor is what a changed line scored
        anew; such a line counts as it is now.
        """
        with self._turn() as connection:
            m, b = schema.mark, schema.mark_basis
            query = select(m.c.row, m.c.submission).join(b, b.c.mark == m.c.row)
            undone = connection.execute(query.where(b.c.action == action, m.c.item == item)).all()
            several = {
                row.row: self._marks(connection, m.c.submission == row.submission, m.c.item == item)
                for row in undone
            }
            later = {
                one.mark.submission: one
                for row, every in several.items()
                for one in every
                if one.row > row
                and one.origin != "rescored"
                and not (one.origin and one.mark.author == author)
            }
            if later:
                return Conflict({**later})
            lines = self._versions(connection, item)
            given = []
            for row, every in several.items():
                before = next((one for one in reversed(every) if one.row < row), None)
                mark, ruling = put_back(every[-1].mark, before, lines, possible)
                mark = msgspec.structs.replace(mark, author=author, reason="undone", at="")
                given.append(Given(mark, ruling, "undone"))
            last = {every[-1].mark.submission: every[-1] for every in several.values()}
            return Saved(self._write(connection, given, last, new), new)

    def _write(
        self, connection: Connection, given: Iterable[Given], last: Mapping[int, Held], action: str
    ) -> dict[int, int]:
        """Write marks and what they rest on, where the last one does not say the same; rows by submission."""
        fresh = []
        for one in given:
            before = last.get(one.mark.submission)
            if statements.says_more(one.mark, before.mark if before else None):
                fresh.append(one)
        if not fresh:
            return {}
        rows = statements.insert_marks(connection, [one.mark for one in fresh], self._now())
        bases = [
            {
                "mark": rows[one.mark.submission],
                **ruling_fields(one.ruling),
                "origin": one.origin,
                "action": action,
            }
            for one in fresh
        ]
        connection.execute(schema.mark_basis.insert(), bases)
        return rows

    def _held(
        self, connection: Connection, item: str, submissions: Sequence[int] | None = None
    ) -> dict[int, Held]:
        m, s = schema.mark, schema.submission
        where: list[ColumnElement[bool]] = [m.c.item == item]
        if submissions is not None and len(submissions) <= MOST_NAMED:
            where.append(m.c.submission.in_(submissions))
        else:
            where.append(m.c.submission.in_(select(s.c.row).where(s.c.assignment == self.assignment)))
        last = select(func.max(m.c.row)).where(*where).group_by(m.c.submission)
        return {one.mark.submission: one for one in self._marks(connection, m.c.row.in_(last))}

    def _marks(self, connection: Connection, *where: ColumnElement[bool]) -> list[Held]:
        m, b = schema.mark, schema.mark_basis
        query = (
            select(m, b.c.versions, b.c.adjustment, b.c.why, b.c.comment.label("own"), b.c.origin, b.c.action)
            .outerjoin(b, b.c.mark == m.c.row)
            .where(*where)
            .order_by(m.c.row)
        )
        found = []
        for row in connection.execute(query):
            fields = row._asdict()
            mark = statements.mark_row(fields)
            if row.versions is None:
                found.append(Held(row.row, mark))
                continue
            ruling = ruling_of(row.versions, row.adjustment, row.why, row.own)
            found.append(Held(row.row, mark, ruling, row.origin, row.action))
        return found


def counts(held: Held) -> bool:
    """Whether a mark has not been withdrawn."""
    return held.mark.points is not None


def row_of(held: Held | None) -> int:
    """The row that a save has to have seen; 0 where there is none."""
    return 0 if held is None else held.row
