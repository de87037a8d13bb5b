"""Whose points leave, and who is left out; the class's grades for people and for programs.

Points leave only once all of them are decided. Whoever is left out is named, so that an empty cell elsewhere
is never mistaken for "handed in nothing".
"""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from grader.course.matching import Matcher, said_by
from grader.course.table import ClassRow
from grader.gradebook.people import logins_of
from grader.gradebook.rows import Student
from grader.gradebook.spreadsheets import Sheet, owners_of_rows, write_table
from grader.gradebook.store import Gradebook
from grader.gradebook.totals import Total
from grader.model.owner_hints import OwnerHint
from grader.model.points import Points
from grader.model.text import clean

SCHEMA = "chainrule.grades/1"
_MAX_COMMENT = 2_000
FACTS = ("submission", "submitted_at", "late_days", "earned", "possible", "final")


class Leaver(msgspec.Struct, frozen=True):
    """What leaves of one student: little, for a class of thousands is held at once.

    ``facts`` are in the order of ``FACTS``, ``points`` in that of ``items``, which a class shares.
    ``comment`` says the same in HTML, with what markers wrote.
    """

    student: Student
    facts: tuple[object, ...]
    possible: Points
    final: Points
    items: tuple[str, ...]
    points: tuple[Points, ...]
    comment: str


@dataclass(frozen=True)
class Leaving:
    """Whose points are decided, by the student's id, and who is left out: a name and why."""

    rows: dict[str, Leaver] = field(default_factory=dict)
    undecided: list[tuple[str, str]] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)

    @property
    def items(self) -> list[str]:
        """All items, in the order of the assignment."""
        kinds = dict.fromkeys(row.items for row in self.rows.values())
        return list(dict.fromkeys(item for items in kinds for item in items))


def leaving(rows: Iterable[ClassRow]) -> Leaving:
    """Sort a class's rows by whether their points may leave."""
    found, same = Leaving(), dict[object, Any]()
    for row in rows:
        name, why = row.student.name or row.student.id or row.waits or submission_of(row), why_undecided(row)
        if why:
            found.undecided.append((name, why))
        elif row.total is None:
            found.absent.append(name)
        else:
            one = leaver(row, row.total)
            points = tuple(same.setdefault(each, each) for each in one.points)
            found.rows[row.student.id] = msgspec.structs.replace(
                one, items=same.setdefault(one.items, one.items), points=points
            )
    return found


def leaver(row: ClassRow, total: Total) -> Leaver:
    """What leaves of a row whose points are decided."""
    return Leaver(
        row.student,
        tuple(facts(row)),
        total.possible,
        row.final,
        tuple(item.item for item in total.items),
        tuple(item.earned for item in total.items),
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
    hints = owners_of_rows(sheet)
    by_name = any(hint.name for hint in hints)
    known = [one if by_name else msgspec.structs.replace(one, name="") for one in people.values()]
    logins = logins_of(gradebook, assignment)
    matches = Matcher(known, logins=logins, numbers=gradebook.participants(assignment)).match_all(hints)
    students = [match.student.id if match.student is not None else "" for match in matches]
    twice = {one for one, count in Counter(filter(None, students)).items() if count > 1}
    strangers = [
        f"{said_by(hint)} is nobody in the gradebook, or not for certain"
        for hint, student in zip(hints, students, strict=True)
        if hint != OwnerHint() and not student
    ]
    strangers += [f"{people[one].name or one} has several rows" for one in sorted(twice)]
    return Matched(["" if one in twice else one for one in students], strangers)


def as_csv(found: Leaving, sheet: Sheet | None, owners: Sequence[str]) -> bytes:
    """A table for people: the roster's columns as they came, then the points and each item's.

    Spreadsheets rewrite what looks like a number or a date: students have a key and items a name that none
    does.
    """
    items = found.items
    columns = sheet.columns if sheet is not None else ["id", "name", "email", "section"]
    head = ["key", *columns, *FACTS, *(f"#{item}" for item in items)]
    cells = rows_of_owners(sheet, owners)

    def lines() -> Iterator[list[object]]:
        for student, row in found.rows.items():
            own = row.student
            person = cells.get(student) or (
                [""] * len(columns) if sheet is not None else [own.id, own.name, own.email, own.section]
            )
            points = dict(zip(row.items, row.points, strict=True))
            yield [f"#{student}", *person, *row.facts, *(points.get(item, "") for item in items)]

    return "".join(write_table(head, lines())).encode("utf-8-sig")


def as_json(found: Leaving, sheet: Sheet | None, owners: Sequence[str], *, assignment: str) -> bytes:
    """The same as JSON: points are decimal numbers, and those who are left out are named."""
    cells = rows_of_owners(sheet, owners)
    columns = sheet.columns if sheet is not None else []
    left_out = [{"student": name, "why": why} for name, why in found.undecided]
    left_out += [{"student": name, "why": "handed in nothing"} for name in found.absent]
    encode = msgspec.json.Encoder(enc_hook=_decimal, decimal_format="number").encode
    students = (
        encode(
            {
                **msgspec.structs.asdict(row.student),
                **dict(zip(FACTS, row.facts, strict=True)),
                "items": dict(zip(row.items, row.points, strict=True)),
                "roster": dict(zip(columns, cells.get(student, ()), strict=False)),
            }
        )
        for student, row in found.rows.items()
    )
    whole = {
        "schema": SCHEMA,
        "assignment": assignment,
        "students": msgspec.Raw(b"[%b]" % b",".join(students)),
        "left_out": left_out,
    }
    return encode(whole) + b"\n"


def rows_of_owners(sheet: Sheet | None, owners: Sequence[str]) -> dict[str, list[str]]:
    """Each student's row of the roster's sheet, by the student's id."""
    return {owner: row for owner, row in zip(owners, sheet.rows, strict=True) if owner} if sheet else {}


def facts(row: ClassRow) -> list[object]:
    """What an export says of a submission, in the order of ``FACTS``."""
    if row.grade is None or row.total is None:
        return [""] * len(FACTS)
    handed_in = row.grade.submission
    points = (row.total.earned, row.total.possible, row.final)
    return [handed_in.name, handed_in.submitted_at, row.lateness.days, *points]


def _decimal(value: object) -> object:
    if isinstance(value, Points):
        return value.decimal
    raise NotImplementedError(type(value))
