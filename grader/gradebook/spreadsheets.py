"""CSV as spreadsheets and learning platforms write it: rosters and tables of marks.

What is written for people never holds a formula, whatever a student's name is.
"""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from grader.gradebook.rows import Student
from grader.model.errors import UsageError
from grader.model.points import Points

MAX_BYTES = 50_000_000
MAX_CELL = 10_000
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d+)?")

ROSTER_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "id": (
        "id",
        "student id",
        "student_id",
        "sis user id",  # Canvas
        "sis login id",
        "sid",  # Gradescope
        "id number",  # Moodle
        "login",
        "username",
    ),
    "name": ("name", "student", "full name", "student name"),
    "first": ("first name", "first_name", "firstname", "given name"),
    "last": ("last name", "last_name", "lastname", "surname", "family name"),
    "email": ("email", "email address", "e-mail", "e-mail address"),
    "section": ("section", "sections", "group", "groups"),
}


def read_table(data: bytes, *, source: str) -> list[dict[str, str]]:
    """The rows of a CSV file, by column name in lower case. Raises UsageError that names file and line.

    Reads UTF-8 with or without a byte order mark, UTF-16 with one, otherwise Latin-1. The separator is the
    comma, semicolon or tab, whichever is most frequent in the first line: Excel writes semicolons in half of
    Europe.
    """
    if len(data) > MAX_BYTES:
        raise UsageError(f"{source}: {len(data):,} bytes; a table has at most {MAX_BYTES:,}")
    text = _decoded(data)
    head = text.split("\n", 1)[0]
    separator = max(",;\t", key=head.count)
    csv.field_size_limit(MAX_CELL * 10)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        found = list(rows)
    except csv.Error as error:
        raise UsageError(f"{source}, line {rows.line_num}: {error}") from None
    filled = [row for row in found if any(cell.strip() for cell in row)]
    if not filled:
        raise UsageError(f"{source}: empty; its first line has to name the columns")
    columns = [name.strip().lower() for name in filled[0]]
    return [
        {column: cell.strip()[:MAX_CELL] for column, cell in zip(columns, row, strict=False)}
        for row in filled[1:]
    ]


def _decoded(data: bytes) -> str:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def read_roster(data: bytes, *, source: str) -> list[Student]:
    """The students of a roster, as a course writes it or as Canvas, Moodle or Gradescope export it.

    The e-mail address is the id if a row has no other. Raises UsageError if no column holds ids, and if two
    people have the same one.
    """
    rows = read_table(data, source=source)
    students: dict[str, Student] = {}
    for number, row in enumerate(rows, start=2):
        student = _student(row)
        if not student.id:
            if rows and _has_any(rows[0], ("id", "email")):
                continue  # not a person: Canvas's "Points Possible", or totals at the end
            raise UsageError(
                f"{source}: no column for the students' ids; name one of: "
                f"{', '.join(ROSTER_COLUMNS['id'])}, email"
            )
        known = students.get(student.id)
        if known is not None and known != student:
            raise UsageError(
                f"{source}, line {number}: the id {student.id!r} stands for {known.name!r} "
                f"and for {student.name!r}; give each their own"
            )
        students[student.id] = student
    return list(students.values())


def _has_any(row: Mapping[str, str], kinds: Sequence[str]) -> bool:
    return any(column in row for kind in kinds for column in ROSTER_COLUMNS[kind])


def _student(row: Mapping[str, str]) -> Student:
    def cell(kind: str) -> str:
        return next((row[column] for column in ROSTER_COLUMNS[kind] if row.get(column)), "")

    name = " ".join(filter(None, (cell("first"), cell("last")))) or cell("name")
    return Student(cell("id") or cell("email"), name, cell("email"), cell("section"))


def parse_points(text: str, *, where: str) -> Points | None:
    """Points as a person writes them (1.5 or 1,5); None for an empty cell. Raises UsageError."""
    if not text:
        return None
    if not _NUMBER.fullmatch(text):
        raise UsageError(f"{where}: {text!r} is not a number of points")
    try:
        return Points.of(text.replace(",", "."))
    except ValueError as error:
        raise UsageError(f"{where}: {error}") from None


def write_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """The lines of a CSV file, header first; an apostrophe keeps a spreadsheet from running a formula."""
    for row in itertools.chain([columns], rows):
        line = io.StringIO()
        csv.writer(line, lineterminator="\n").writerow([plain(cell) for cell in row])
        yield line.getvalue()


def plain(cell: object) -> str:
    """A cell's text on one line, harmless in a spreadsheet."""
    text = " ".join(str(cell).split())
    if text.startswith(_FORMULA) and not _NUMBER.fullmatch(text):
        return f"'{text}"
    return text
