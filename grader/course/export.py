"""Whose points leave, and who is left out; the class's grades for people and for programs.

Points leave only once all of them are decided. Whoever is left out is named, so that an empty cell elsewhere
is never mistaken for "handed in nothing".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from grader.course.matching import Matcher, said_by
from grader.course.table import ClassRow
from grader.gradebook.people import logins_of
from grader.gradebook.rows import Student
from grader.gradebook.spreadsheets import Sheet, owners_of_rows, write_table
from grader.gradebook.store import Gradebook
from grader.model.owner_hints import OwnerHint
from grader.model.points import Points

SCHEMA = "chainrule.grades/1"
FACTS = ("submission", "submitted_at", "late_days", "earned", "possible", "final")


@dataclass(frozen=True)
class Leaving:
    """The rows whose points are decided, by the student's id, and who is left out: a name and why."""

    rows: dict[str, ClassRow] = field(default_factory=dict)
    undecided: list[tuple[str, str]] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)


def leaving(rows: Iterable[ClassRow]) -> Leaving:
    """Sort a class's rows by whether their points may leave."""
    found = Leaving()
    for row in rows:
        name, why = row.student.name or row.student.id or row.waits or submission_of(row), why_undecided(row)
        if why:
            found.undecided.append((name, why))
        elif row.total is None:
            found.absent.append(name)
        else:
            found.rows[row.student.id] = row
    return found


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
    items = items_of(found)
    columns = sheet.columns if sheet is not None else ["id", "name", "email", "section"]
    head = ["key", *columns, *FACTS, *(f"#{item}" for item in items)]
    cells = rows_of_owners(sheet, owners)

    def lines() -> Iterator[list[object]]:
        for student, row in found.rows.items():
            own = row.student
            person = cells.get(student) or (
                [""] * len(columns) if sheet is not None else [own.id, own.name, own.email, own.section]
            )
            points = points_by_item(row)
            yield [f"#{student}", *person, *facts(row), *(points.get(item, "") for item in items)]

    return "".join(write_table(head, lines())).encode("utf-8-sig")


def as_json(found: Leaving, sheet: Sheet | None, owners: Sequence[str], *, assignment: str) -> bytes:
    """The same as JSON: points are decimal numbers, and those who are left out are named."""
    cells = rows_of_owners(sheet, owners)
    columns = sheet.columns if sheet is not None else []
    students = [
        {
            **msgspec.structs.asdict(row.student),
            **dict(zip(FACTS, facts(row), strict=True)),
            "items": points_by_item(row),
            "roster": dict(zip(columns, cells.get(student, ()), strict=False)),
        }
        for student, row in found.rows.items()
    ]
    left_out = [{"student": name, "why": why} for name, why in found.undecided]
    left_out += [{"student": name, "why": "handed in nothing"} for name in found.absent]
    whole = {"schema": SCHEMA, "assignment": assignment, "students": students, "left_out": left_out}
    return msgspec.json.Encoder(enc_hook=_decimal, decimal_format="number").encode(whole) + b"\n"


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


def items_of(found: Leaving) -> list[str]:
    """All items, in the order of the assignment."""
    totals = (row.total for row in found.rows.values() if row.total is not None)
    return list(dict.fromkeys(item.item for total in totals for item in total.items))


def points_by_item(row: ClassRow) -> dict[str, Points]:
    """A submission's points by item."""
    return {item.item: item.earned for item in row.total.items} if row.total is not None else {}


def _decimal(value: object) -> object:
    if isinstance(value, Points):
        return value.decimal
    raise NotImplementedError(type(value))
