"""Whose points leave, and who is left out; the class's grades for people and for programs.

Points leave only once all of them are decided. Whoever is left out is named, so that an empty cell elsewhere
is never mistaken for "handed in nothing".
"""

from __future__ import annotations

import codecs
import html
import os
import tempfile
import weakref
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from grader.course.matching import Matcher, said_by
from grader.course.table import ClassRow
from grader.gradebook.people import names_of
from grader.gradebook.rows import Student, SubmissionRow
from grader.gradebook.spreadsheets import Sheet, owners_of_rows, write_table
from grader.gradebook.store import Gradebook
from grader.gradebook.totals import Total
from grader.model.owner_hints import OwnerHint
from grader.model.points import ZERO, Points
from grader.model.text import clean

SCHEMA = "chainrule.grades/1"
_MAX_COMMENT = 2_000
FACTS = ("submission", "submitted_at", "late_days", "earned", "possible", "final")


class Leaver(msgspec.Struct, frozen=True):
    """What leaves of one student; ``comment`` says it in HTML, with what markers wrote."""

    student: Student
    submission: str
    submitted_at: str
    late_days: int
    earned: Points
    possible: Points
    final: Points
    items: dict[str, Points]
    comment: str

    @property
    def facts(self) -> tuple[object, ...]:
        """What an export says of the submission, in the order of ``FACTS``."""
        return tuple(getattr(self, name) for name in FACTS)


class Leavers(Mapping[str, Leaver]):
    """Those whose points leave, by the student's id, in the order of the class.

    They lie in a file of this program's own, which goes when it does: of a class of thousands no more is held
    than where each is. ``items`` are all of theirs, ``possible`` is what the assignment is worth.
    """

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  # closed with the object
        weakref.finalize(self, self._file.close)
        self._places: dict[str, int] = {}
        self.items_of_all: dict[str, None] = {}
        self.possible = ZERO

    def add(self, one: Leaver) -> None:
        """One more."""
        self.items_of_all.update(dict.fromkeys(one.items))
        self.possible = max(self.possible, one.possible)
        self._places[one.student.id] = self._file.seek(0, os.SEEK_END)
        self._file.write(_PACK.encode(one) + b"\n")

    def __getitem__(self, student: str) -> Leaver:
        self._file.seek(self._places[student])
        return _UNPACK.decode(self._file.readline())

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, student: object) -> bool:
        return student in self._places


@dataclass(frozen=True)
class Leaving:
    """Whose points are decided, by the student's id, and who is left out: a name and why."""

    rows: Leavers = field(default_factory=Leavers)
    undecided: list[tuple[str, str]] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)


def leaving(rows: Iterable[ClassRow]) -> Leaving:
    """Sort a class's rows by whether their points may leave."""
    found = Leaving()
    for row in rows:
        name, why = row.student.name or row.student.id or row.waits or submission_of(row), why_undecided(row)
        if why:
            found.undecided.append((name, why))
        elif row.total is None or row.grade is None:
            found.absent.append(name)
        else:
            found.rows.add(leaver(row, row.grade.submission, row.total))
    return found


def leaver(row: ClassRow, handed_in: SubmissionRow, total: Total) -> Leaver:
    """What leaves of a row whose points are decided."""
    return Leaver(
        row.student,
        handed_in.name,
        handed_in.submitted_at,
        row.lateness.days,
        total.earned,
        total.possible,
        row.final,
        {item.item: item.earned for item in total.items},
        "<br />".join(said(row, total)),
    )


def said(row: ClassRow, total: Total) -> Iterator[str]:
    """An item a line: its points, and what its marker wrote to the student; then what being late costs."""
    for item in total.items:
        words = clean(item.mark.comment, _MAX_COMMENT) if item.mark is not None else ""
        line = f"{item.item} {item.title}: {item.earned} of {item.possible}" + (f": {words}" if words else "")
        yield "<br />".join(html.escape(part) for part in line.splitlines())
    if row.penalty_words:
        yield html.escape(row.penalty_words)


def submission_of(row: ClassRow) -> str:
    """The name of the submission that counts; empty without one."""
    return row.grade.submission.name if row.grade is not None else ""


def why_undecided(row: ClassRow) -> str:
    """Why these points may not leave yet; empty if they may, or if nothing was handed in."""
    if not row.student.id and (row.waits or row.grade is not None):
        return "belongs to nobody on the roster; `grade assign` gives it to a student"
    if row.waits:
        return f"{row.waits}: {dict(row.attention).get(row.waits, 'waits for a grade')}"
    if row.total is None or row.total.complete:
        return ""
    waiting = [item.item for item in row.total.items if not item.decided]
    return f"{row.total.awaiting.in_words} undecided ({', '.join(waiting)})"


@dataclass(frozen=True)
class Matched:
    """The student of each row of a sheet, "" for none, and what to say of rows that are nobody's we know."""

    students: list[str]
    strangers: list[str]


def matched(sheet: Sheet, people: Mapping[str, Student], gradebook: Gradebook, assignment: str) -> Matched:
    """Whose each row is: by the platform's number, an id, a login or an address.

    A name decides only in a sheet that tells nothing else: two people may have one name.
    """
    by_name = any(hint.name for hint in owners_of_rows(sheet))
    logins, numbers = names_of(gradebook, assignment)
    matcher = Matcher(people.values(), logins=logins, numbers=numbers, by_name=by_name)
    matches = matcher.match_all(owners_of_rows(sheet))
    students = [match.student.id if match.student is not None else "" for match in matches]
    twice = {one for one, count in Counter(filter(None, students)).items() if count > 1}
    strangers = [
        f"{said_by(hint)} is nobody in the gradebook, or not for certain"
        for hint, student in zip(owners_of_rows(sheet), students, strict=True)
        if not student and hint != OwnerHint()
    ]
    strangers += [f"{people[one].name or one} has several rows" for one in sorted(twice)]
    return Matched(["" if one in twice else one for one in students], strangers)


def as_csv(found: Leaving, sheet: Sheet | None, owners: Sequence[str]) -> Iterator[bytes]:
    """A table for people: the roster's columns as they came, then the points and each item's.

    Spreadsheets rewrite what looks like a number or a date: students have a key and items a name that none
    does.
    """
    items = found.rows.items_of_all
    columns = sheet.columns if sheet is not None else ["id", "name", "email", "section"]
    head = ["key", *columns, *FACTS, *(f"#{item}" for item in items)]

    def lines() -> Iterator[list[object]]:
        for row, cells in with_roster(found, sheet, owners):
            own = row.student
            unknown = [""] * len(columns) if sheet is not None else [own.id, own.name, own.email, own.section]
            points = (row.items.get(item, "") for item in items)
            yield [f"#{own.id}", *(cells or unknown), *row.facts, *points]

    return encoded(write_table(head, lines()), "utf-8-sig")


def as_json(
    found: Leaving, sheet: Sheet | None, owners: Sequence[str], *, assignment: str
) -> Iterator[bytes]:
    """The same as JSON: points are decimal numbers, and those who are left out are named."""
    columns = sheet.columns if sheet is not None else []
    encode = msgspec.json.Encoder(enc_hook=_decimal, decimal_format="number").encode
    yield b'{"schema":%b,"assignment":%b,"students":[' % (encode(SCHEMA), encode(assignment))
    for number, (row, cells) in enumerate(with_roster(found, sheet, owners)):
        whole = {
            **msgspec.structs.asdict(row.student),
            **dict(zip(FACTS, row.facts, strict=True)),
            "items": row.items,
            "roster": dict(zip(columns, cells, strict=False)),
        }
        yield (b"," if number else b"") + encode(whole)
    left_out = [{"student": name, "why": why} for name, why in found.undecided]
    left_out += [{"student": name, "why": "handed in nothing"} for name in found.absent]
    yield b'],"left_out":%b}\n' % encode(left_out)


def with_roster(
    found: Leaving, sheet: Sheet | None, owners: Sequence[str]
) -> Iterator[tuple[Leaver, list[str]]]:
    """Each student who leaves with their row of the roster's sheet, in its order; without one at the end."""
    left = dict.fromkeys(found.rows)
    for owner, cells in zip(owners, sheet.rows, strict=True) if sheet is not None else ():
        if owner in left:
            del left[owner]
            yield found.rows[owner], cells
    yield from ((found.rows[student], []) for student in left)


def encoded(lines: Iterable[str], encoding: str) -> Iterator[bytes]:
    """The lines as bytes, with a byte order mark before the first if the encoding has one."""
    encoder = codecs.getincrementalencoder(encoding)()
    yield from map(encoder.encode, lines)


def _hundredths(value: object) -> object:
    if isinstance(value, Points):
        return value.hundredths
    raise NotImplementedError(type(value))


def _points(_: type, value: int) -> Points:
    return Points(value)


def _decimal(value: object) -> object:
    if isinstance(value, Points):
        return value.decimal
    raise NotImplementedError(type(value))


_PACK = msgspec.json.Encoder(enc_hook=_hundredths)
_UNPACK = msgspec.json.Decoder(Leaver, dec_hook=_points)
